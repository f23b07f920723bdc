"""Why an order waits for a person: every code that adapters, tagging, routing, reserving and warehouses write.

A ruleset's own `hold` rules add their names; those are the seller's words and not listed here.
"""
# ruff: noqa: E501  # a table: one code a line

from __future__ import annotations

from schemas.codes.explanation import Code

# fmt: off


class HoldCode(Code):
    """Why an order must not ship before a person, or its platform, has said so."""

    # -- its platform says so
    ARCHIVED = "archived", "the shop has archived the order, and goods are left in it", "店铺已归档该订单，但仍有商品未发"
    BALANCE_OPEN = "balance-open", "the order was changed after it was paid, and the difference is not paid yet", "订单付款后被修改，差额尚未付清"
    CANCEL_REQUESTED = "cancel-requested", "the buyer asks to cancel the order", "买家申请取消订单"
    FINAL_PAYMENT_OPEN = "final-payment-open", "the final part of a presale is not paid", "预售尾款未付"
    GROUP_INCOMPLETE = "group-incomplete", "the group of a group purchase is not complete", "拼团尚未成团"
    IN_PROCESS = "in-process", "the platform is still working on the order", "平台仍在处理该订单"
    LINE_PART_SHIPPED = "line-part-shipped", "a part of a line has left, and the platform does not say how much", "某商品行已部分发货，平台未说明数量"
    LOCAL_PICKUP = "local-pickup", "the buyer fetches the goods in person: no parcel", "买家到店自提，无需寄送"
    ON_HOLD = "on-hold", "the shop has put the paid order on hold", "店铺已将该已付订单暂停处理"
    PARTIAL_REFUND = "partial-refund", "a part of the money was refunded, and the shop does not say for which line", "已部分退款，店铺未说明对应哪个商品行"
    PAUSED = "paused", "the platform has paused the order", "平台已暂停该订单"
    PAYMENT_EXPIRED = "payment-expired", "the authorised payment has expired", "付款授权已过期"
    PAYMENT_VOIDED = "payment-voided", "the authorised payment was voided", "付款授权已作废"
    PLATFORM_HOLD = "platform-hold", "the platform says: do not ship yet", "平台要求暂不发货"
    PLATFORM_WAREHOUSE = "platform-warehouse", "a warehouse of the platform ships the order", "由平台仓发货"
    REFUND_REQUESTED = "refund-requested", "the buyer asks for a refund, and it is not decided", "买家申请退款，尚未处理"
    RISK_REVIEW = "risk-review", "the platform reviews the order for fraud", "平台风控审核中"
    SHIP_HOLD = "ship-hold", "the platform forbids shipping for now", "平台暂时禁止发货"
    TEST_ORDER = "test-order", "it is a test order", "这是测试订单"

    # -- it was not understood
    ADDRESS_TOO_LONG = "address-too-long", "the address is longer than any parcel's label and had to be cut: see the shop", "收货地址过长，已被截短；请到店铺核对"
    DUPLICATE_LINES = "duplicate-lines", "lines stand twice under one id, and the totals fit neither reading", "商品行编号重复，且金额与两种理解都不符"
    UNKNOWN_STATUS = "unknown-status", "the platform uses a word that this version does not know: see the mark with ?=; give it a meaning with status_words in the file of shops", "平台使用了当前版本不认识的取值（见带 ?= 的标记）；可在店铺文件的 status_words 中说明其含义"

    # -- tagging found something
    BUNDLE_PARTS = "bundle-parts", "the order is for a bundle that the catalogue does not know: see its parts in the flag", "订单包含商品目录中没有的组合商品，其组成见提示"
    GIFT_MISSING = "gift-missing", "a gift that comes with a line is not in the order", "缺少应赠的赠品"
    GIFT_ONLY = "gift-only", "nothing but gifts is left to ship", "只剩赠品待发"
    GIFT_SURPLUS = "gift-surplus", "there are more gifts than come with the lines", "赠品多于应赠数量"
    GIFT_WITHOUT_MAIN = "gift-without-main", "a gift is there without the line that it comes with", "有赠品而没有对应的主商品"
    NO_LINES = "no-lines", "the order has no lines", "订单没有商品行"
    PROMISED_GIFT_WITHOUT_LINE = "promised-gift-without-line", "the platform promises a gift in words, and no line carries it", "平台以文字承诺了赠品，但没有对应的商品行"
    RECEIVER_MISSING = "receiver-missing", "the platform sent no receiver", "平台没有给出收货人"
    SKU_UNKNOWN = "sku-unknown", "the catalogue does not know a SKU of the order", "商品目录中没有订单里的某个 SKU"
    TOTALS_CONTRADICT = "totals-contradict", "the totals and the lines of the order contradict each other", "订单合计与商品行金额不一致"

    # -- routing
    GRAY_ROLLOUT = "gray-rollout", "the ruleset lets only a part of the orders through by themselves", "规则处于灰度阶段，只自动放行部分订单"
    NO_RULE_MATCHED = "no-rule-matched", "no rule says where the order ships from", "没有规则指明发货仓"

    # -- what people decided
    CORRECTION_OVERTAKEN = "correction-overtaken", "the platform changed what a person had corrected: look at both, and correct or release it", "平台修改了人工更正过的内容：请核对后重新更正或放行"
    OPERATOR_HOLD = "operator-hold", "a person holds the order until it is released", "人工暂停，待放行"

    # -- what became of it in the warehouses
    DELETED_AFTER_TOLD = "deleted-after-told", "the shop deleted the order after a warehouse was told to ship it, and goods may have left", "店铺在仓库收到发货指令后删除了订单，货物可能已发出"
    PARTLY_SHIPPED = "partly-shipped", "a part of the order has left, and the rest is for a person to decide", "订单已部分发出，其余需人工处理"
    RESTOCK_GAVE_UP = "restock-gave-up", "the order waited for stock again and again", "订单多次待货未果"
    WMS_ADDRESS = "wms-address", "the warehouse cannot use the address", "仓库无法使用该收货地址"
    WMS_CHANGE_REFUSED = "wms-change-refused", "the warehouse refuses the change of the order", "仓库拒绝了订单变更"
    WMS_GAVE_UP = "wms-gave-up", "the warehouses gave the order back", "各仓均退回了该订单"
    WMS_PARTLY_SHIPPED = "wms-partly-shipped", "the warehouse shipped a part and gave the rest back", "仓库只发出一部分，其余已退回"
