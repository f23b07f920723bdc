"""Why a message was set aside, in detail: what a dead letter's failures say beyond the letter's reason."""
# ruff: noqa: E501  # a table: one code a line

from __future__ import annotations

from schemas.codes.explanation import Code

# fmt: off


class LetterProblem(Code):
    """What is wrong with a message that came as an order, a decision, an answer of a WMS or another stage's output."""

    # -- any message
    BUG = "bug", "a bug of ours: {error}", "程序缺陷：{error}"
    CANNOT_BE_READ = "cannot-be-read", "cannot be read: {error}", "无法读取：{error}"
    TIMESTAMP_UNUSABLE = "timestamp-unusable", "is no time", "不是有效时间"
    OUTPUT_OVER = "output-over", "what was made of it for {topic} is {size:,} bytes; {most:,} fit", "由它生成、发往 {topic} 的消息为 {size:,} 字节，上限 {most:,} 字节"
    OUTPUT_REFUSED = "output-refused", "Kafka does not take what was made of it for {topic}: {why}", "Kafka 不接受由它生成、发往 {topic} 的消息：{why}"
    LEDGER_CORRUPT = "ledger-corrupt", "{problem}; run `orderfleet stock audit` and repair the key", "库存账本中的数据不正确（{problem}）；请运行 `orderfleet stock audit` 检查并修复"
    NO_MORE_TOLD = "no-more-told", "no more can be told of it than where it stands", "除其所在位置外，无法说明更多"

    # -- a raw order
    CHANNEL_UNKNOWN = "channel-unknown", "no channel is named {channel}", "没有名为 {channel} 的渠道"
    NO_SHOP_NAMED = "no-shop-named", "does not name a shop: lower-case letters, digits and hyphens", "未给出有效的店铺标识（小写字母、数字和连字符）"
    NOT_MILLISECONDS = "not-milliseconds", "is not a time in milliseconds", "不是有效的毫秒时间戳"
    NOT_AN_EDITION = "not-an-edition", "is not a number from 1 to {most}", "不是 1 到 {most} 的数字"
    ORDER_OVER = "order-over", "is {size:,} bytes; an order may have {megabytes} MB", "大小为 {size:,} 字节，单个订单上限 {megabytes} MB"
    RAW_ORDER_OVER = "raw-order-over", "is {size:,} bytes, more than the {megabytes} MiB a raw order may have; ask the platform for it by its id", "大小为 {size:,} 字节，超过原始订单上限 {megabytes} MiB；请按订单号向平台查询"
    TEXT_OVER = "text-over", "is {length:,} characters long; {most} fit", "长度为 {length:,} 个字符，上限 {most} 个"
    LINES_TOO_LARGE = "lines-too-large", "make an order of {size:,} bytes with {lines:,} lines; {most:,} bytes fit", "使订单达到 {size:,} 字节（{lines:,} 个商品行），上限 {most:,} 字节"
    ANOTHER_KEY = "another-key", "describes order {order}, but came under the key of another one", "内容属于订单 {order}，但消息键属于另一个订单"
    AHEAD_OF_RECEIPT = "ahead-of-receipt", "is {time} UTC, more than an hour after we received it ({received} UTC); check the clock and time zone of the shop", "修改时间 {time} UTC 比接收时间（{received} UTC）晚一小时以上，请检查店铺的时钟与时区"

    # -- a decision of a person
    DECISIONS_UNREADABLE = "decisions-unreadable", "what Redis keeps of decisions about the order cannot be read; run `orderfleet stock audit`", "Redis 中该订单的人工决定无法读取；请运行 `orderfleet stock audit`"
    KEY_IS_NO_ORDER = "key-is-no-order", "a decision must be keyed by the uid of its order", "消息键必须是订单 uid"

    # -- an answer of a WMS
    MESSAGE_ID_LENGTH = "message-id-length", "must have 1 to {most} characters; give every message an id of its own, and repeats the same", "必须为 1 到 {most} 个字符；每条消息用各自的编号，重发时编号不变"
    SKUS_OVER = "skus-over", "names more than {most} SKUs", "SKU 数超过 {most}"
    SKU_UNUSABLE = "sku-unusable", "the SKU is empty, too long or not printable", "SKU 为空、过长或不可打印"
    UNITS_UNUSABLE = "units-unusable", "units must be 0 to {most}", "数量必须在 0 到 {most} 之间"
    ALL_UNITS_ZERO = "all-units-zero", "all are 0; leave the field empty to mean all", "全部为 0；留空表示全部"
    WITHOUT_TIME_ZONE = "without-time-zone", "has no time zone; write 2026-11-11T12:00:00+08:00", "缺少时区；请写 +08:00 或 Z"
    BEFORE_2000 = "before-two-thousand", "lies before the year 2000", "早于 2000 年"
    A_DAY_AHEAD = "a-day-ahead", "lies more than a day ahead; set the clock of the WMS", "超前一天以上；请校准时钟"
    NOT_OUR_INSTRUCTION = "not-our-instruction", "must be the one that was sent to this warehouse for this order; give it back unchanged", "必须原样返回发给该仓库、该订单的指令编号"
    WAREHOUSE_NEVER_COUNTED = "warehouse-never-counted", "no stock was ever counted in a warehouse of this id; check the id, or count its stock first", "该仓库编号从未录入过库存；请核对编号，或先录入库存"
    SKU_NEVER_COUNTED = "sku-never-counted", "this SKU was never counted in this warehouse; check the SKU, or count it first, then retry the letter", "该 SKU 在此仓库从未录入过库存；请核对 SKU，或先录入库存再重试"
    ORDER_NEVER_GIVEN = "order-never-given", "no order of this id was ever given to a warehouse; give back the id that the instruction carries", "从未有此编号的订单下发到仓库；请原样返回指令中的订单编号"
    INSTRUCTION_NEVER_SENT = "instruction-never-sent", "no such instruction was sent to this warehouse; give back the id of one that was. No stock moved: if goods did leave, count the stock", "从未向该仓库下发过此指令；请原样返回已下发指令的编号。库存未变动：如确有货物发出，请盘点库存"
    UNITS_BEYOND_INSTRUCTION = "units-beyond-instruction", "together with what was told before, these are more units than this warehouse was told to ship, or the same parcel under another message id. No stock moved: if they did leave, count the stock", "连同此前上报的数量，已超过下发给该仓库的数量，或同一包裹以另一消息编号重复上报。库存未变动：如确已发出，请盘点库存"
    NEVER_HAD_STOCK = "never-had-stock", "this order never had stock in this warehouse; if goods did leave, count the stock there", "该订单在此仓库从未占用库存；如确已发货，请盘点该仓库库存"
    PLAN_GONE = "plan-gone", "the warehouse gave the order back, and its plan is no longer kept; poll the order from its shop again", "仓库退回了订单，但其计划已超过保留期；请从店铺重新拉取该订单"
