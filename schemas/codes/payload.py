"""What is wrong with a platform's payload, at the field or at the whole that an error or a dead letter names beside it."""
# ruff: noqa: E501  # a table: one code a line

from __future__ import annotations

from schemas.codes.explanation import Code

# fmt: off


class PayloadProblem(Code):
    """Why a payload, or an order object in it, cannot be read."""

    # -- the whole of it
    LARGER_THAN = "larger-than", "is larger than {megabytes} MB", "超过 {megabytes} MB"
    ELEMENTS_OVER = "elements-over", "holds more than {most:,} elements", "元素超过 {most:,} 个"
    ROWS_OVER = "rows-over", "holds more than {most:,} rows", "超过 {most:,} 行"
    QUOTES_OVER = "quotes-over", "holds more than {most:,} quotes", "引号超过 {most:,} 个"
    NESTED_TOO_DEEP = "nested-too-deep", "is nested too deep", "嵌套过深"
    NOT_JSON = "not-json", "is not valid JSON", "不是合法的 JSON"
    NOT_A_JSON_OBJECT = "not-a-json-object", "is not a JSON object", "不是 JSON 对象"
    PACKED = "packed", "is compressed; only plain JSON is read", "内容经过压缩，仅支持未压缩的 JSON"
    CANNOT_BE_WRITTEN = "cannot-be-written", "holds a number or a text that cannot be written", "含有无法写出的数字或文本"
    NO_ORDER_AT_ALL = "no-order-at-all", "holds no order at all", "不包含任何订单"
    PLATFORM_ERROR = "platform-error", "is an error message of the platform ({code}), not an order", "是平台的错误报文（{code}），不是订单"
    PLATFORM_BUSY = "platform-busy", "is the platform's message that it cannot answer now, not an order", "是平台暂时无法应答的报文，不是订单"

    # -- a field
    FIELD_MISSING = "field-missing", "is missing", "缺少此字段"
    DOES_NOT_FIT = "does-not-fit", "does not fit: {kind}", "字段类型或取值不符：{kind}"
    NOT_A_WHOLE_NUMBER = "not-a-whole-number", "should be a whole number", "应为整数"
    NOT_A_NUMBER = "not-a-number", "should be a number", "应为数字"
    NOT_A_BOOLEAN = "not-a-boolean", "should be true or false", "应为 true 或 false"
    NOT_A_TEXT = "not-a-text", "should be a text", "应为文本"
    TEXT_TOO_SHORT = "text-too-short", "is too short a text", "文本过短"
    TEXT_TOO_LONG = "text-too-long", "is too long a text", "文本过长"
    CHARACTERS_NOT_ALLOWED = "characters-not-allowed", "has characters that it may not have", "含有不允许的字符"
    NOT_A_LIST = "not-a-list", "should be a JSON list", "应为 JSON 数组"
    TOO_FEW_ENTRIES = "too-few-entries", "has too few entries", "条目过少"
    TOO_MANY_ENTRIES = "too-many-entries", "has too many entries", "条目过多"
    NOT_AN_OBJECT = "not-an-object", "should be a JSON object", "应为 JSON 对象"
    OUT_OF_RANGE = "out-of-range", "is out of range", "超出允许范围"

    # -- what a field says
    NOT_MONEY = "not-money", "is not an amount of money", "不是有效的金额"
    DECIMALS_OVER = "decimals-over", "has more than {digits} decimals", "金额小数超过 {digits} 位"
    NEGATIVE_AMOUNT = "negative-amount", "is negative, and this amount never is", "金额为负数，此字段不允许为负"
    NOT_A_CURRENCY = "not-a-currency", "is not a currency code of three letters", "不是三位货币代码"
    NOT_A_LOCAL_TIME = "not-a-local-time", "is not a time of the form 2026-11-11 00:00:00", "不是 2026-11-11 00:00:00 格式的时间"
    NOT_UNIX_SECONDS = "not-unix-seconds", "is not a time in unix seconds", "不是有效的 Unix 秒时间戳"
    NOT_ISO_TIME = "not-iso-time", "is not an ISO 8601 time", "不是 ISO 8601 格式的时间"
    NO_TIME_ZONE = "no-time-zone", "has no time zone", "时间缺少时区"
    NEGATIVE_QUANTITY = "negative-quantity", "is negative", "数量为负数"
    NOT_PIECES = "not-pieces", "is not a number of pieces", "不是有效的件数"
    LINES_OVER = "lines-over", "has more than {most} lines", "商品行超过 {most} 行"
    LINE_TWICE = "line-twice", "stands twice", "商品行编号重复"

    # -- it is something else of its platform
    NOT_DOUDIAN_ANSWER = "not-doudian-answer", "is no doudian answer: it has no code", "不是抖店接口的应答：缺少 code"
    NOT_DOUDIAN_ORDERS = "not-doudian-orders", "is neither a list of orders (shop_order_list) nor an order (shop_order_detail)", "既不是订单列表 shop_order_list，也不是订单详情 shop_order_detail"
    NOT_DOUDIAN_PUSH = "not-doudian-push", "is no push message of doudian", "不是抖店的推送消息"
    NOT_JD_ANSWER = "not-jd-answer", "is no answer of JD's order API", "不是京东订单接口的应答"
    NOT_JD_ORDERS = "not-jd-orders", "is neither a list of orders ({rows}) nor an order ({detail})", "既不是订单列表 {rows}，也不是订单详情 {detail}"
    NO_JD_LINE_ID = "no-jd-line-id", "holds no skuUuid, the id of the line", "缺少行编号 skuUuid"
    NOT_PINDUODUO_ORDER = "not-pinduoduo-order", "holds no Pinduoduo order", "不包含拼多多订单"
    NOT_SHOPIFY_ORDER = "not-shopify-order", "is no order of Shopify", "不是 Shopify 订单"
    SHOPIFY_GRAPHQL = "shopify-graphql", "is an answer of the GraphQL API; orders are read from the REST API and its webhooks", "是 GraphQL 接口的返回；订单从 REST 接口及其 Webhook 读取"
    NOT_TAOBAO_TRADE = "not-taobao-trade", "holds no Taobao trade", "不包含淘宝订单"
    NOT_WOOCOMMERCE_ORDER = "not-woocommerce-order", "is no order of WooCommerce", "不是 WooCommerce 订单"

    # -- it only says that something happened to an order, which is read soon
    ORDER_WAS_DELETED = "order-was-deleted", "says only that an order was deleted: it is cancelled, unless the shop still has it", "仅说明订单已被删除：除非店铺仍有该订单，否则将取消"
    DOUDIAN_PUSH = "doudian-push", "is a push message of doudian, which only says that an order changed; the poller fetches the order itself", "是抖店的推送消息，只提示订单有变化；订单由拉单进程自行拉取"
    JD_PRESALE_ROW = "jd-presale-row", "is a row of JD's presale list; the poller fetches the order itself once it is to be shipped", "是京东预售单列表的数据；订单可发货后由轮询程序自行拉取"
    JD_SP_API = "jd-sp-api", "is an answer of JD's SP-API, which only names orders; the poller fetches the order itself once it is to be shipped", "是京东 SP-API 的应答，只包含订单编号；订单可发货后由轮询程序自行拉取"
    JD_UNPAID_ROW = "jd-unpaid-row", "is a row of JD's list of unpaid orders; the poller fetches the order itself once it is to be shipped", "是京东未付款订单列表的数据；订单可发货后由轮询程序自行拉取"
    PINDUODUO_MESSAGE = "pinduoduo-message", "is a message of Pinduoduo's message channel, not an order; the poller fetches the order itself", "是拼多多消息通知而不是订单，轮询会自行拉取该订单"
    PINDUODUO_REFUND = "pinduoduo-refund", "is a Pinduoduo refund, not an order; the order shows its refund when the poller fetches it", "是拼多多退款单而不是订单，轮询拉取的订单会带上退款状态"
    SHOPIFY_EDIT = "shopify-edit", "says which edit was made to an order; the order itself is read again", "是订单编辑记录而不是订单；将重新读取该订单"
    SHOPIFY_PART = "shopify-part", "is a refund, parcel or payment of an order; the order itself is read again", "是订单的退款、包裹或付款记录而不是订单；将重新读取该订单"
    TAOBAO_MESSAGE = "taobao-message", "is a Taobao message about a trade, not the trade; the poller fetches the trade itself", "是淘宝消息通知而不是订单，轮询会自行拉取该订单"
    TAOBAO_REFUND = "taobao-refund", "is a Taobao refund, not a trade; the trade shows its refunds when the poller fetches it", "是淘宝退款单而不是订单，轮询拉取的订单会带上退款状态"
    WOOCOMMERCE_PING = "woocommerce-ping", "is the ping that a shop sends when a webhook is saved; the orders follow by themselves", "是保存 Webhook 时的测试请求，不含订单，订单随后会自动到达"
    WOOCOMMERCE_REFUND = "woocommerce-refund", "is a refund and not an order; the order itself is read again", "是退款而不是订单；将重新读取该订单"
