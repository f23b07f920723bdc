"""Why a plan is as it is, and what became of each rule that matched."""
# ruff: noqa: E501  # a table: one code a line

from __future__ import annotations

from typing import Final

from schemas.codes.explanation import Code

_SEE_TO_THE_REST: Final = (
    "refund the rest in the shop, or ship it by hand from a warehouse that has it and count its stock there"
)
_SEE_TO_THE_REST_ZH: Final = "请在店铺退款其余部分，或从有货的仓库人工发货并盘点该仓库存"

# fmt: off


class PlanReason(Code):
    """Why an order has its disposition."""

    # -- no rule is asked
    ORDER_CANCELLED = "order-cancelled", "the order is cancelled", "订单已取消"
    ORDER_REFUNDED = "order-refunded", "the order is refunded in full", "订单已全额退款"
    ALL_LINES_GONE = "all-lines-gone", "every line is cancelled or refunded", "所有商品行都已取消或退款"
    ALREADY_SHIPPED = "already-shipped", "the order is shipped already", "订单已发货"
    SERVICES_ONLY = "services-only", "services only: nothing to ship", "只有服务类商品，无需发货"
    SHIPPED_ELSEWHERE = "shipped-elsewhere", "somebody else ships the goods: nothing for our warehouses", "商品由第三方发货，无需我方仓库处理"
    WITHOUT_LINES = "without-lines", "the order has no lines", "订单没有商品行"
    NOTHING_LEFT = "nothing-left", "no line is left to ship", "没有待发的商品行"

    # -- what the rules say
    NO_RULE = "no-rule", "no-rule-matched: no rule names a warehouse for this order", "no-rule-matched：没有规则为此订单指定仓库"
    GRAY = "gray", "gray-rollout: outside the {percent} % that go through without a person", "gray-rollout：不在自动放行的 {percent}% 之内"
    PERSON_DECIDES = "person-decides", "a person must decide: {codes}", "需要人工决定：{codes}"
    FINAL_UNPAID = "final-unpaid", "the final part of the presale is unpaid", "预售尾款未付"
    RECEIVER_LATER = "receiver-later", "unpaid, and the platform names the receiver only once it is paid", "未付款，平台在付款后才提供收货人"
    DEFERRED_UNTIL_PAID = "deferred-until-paid", "deferred by {rule} until the final part is paid", "被规则 {rule} 延后到尾款付清"
    DEFERRED_UNTIL = "deferred-until", "deferred by {rule} until {time}", "被规则 {rule} 延后到 {time}"
    FORCED = "forced", "{warehouse} and no other, forced by {rule}", "只发 {warehouse}，由规则 {rule} 强制"
    FIRST_OF = "first-of", "{warehouse} first, by {rule}; then {others}", "首选 {warehouse}（规则 {rule}），其次 {others}"
    ONLY = "only", "{warehouse}, by {rule}", "{warehouse}（规则 {rule}）"

    # -- what people decided
    CANCELLED_BY_HAND = "cancelled-by-hand", "a person cancelled the order", "订单已被人工取消"
    ASSIGNED_BY_HAND = "assigned-by-hand", "{warehouses}, as a person decided", "{warehouses}（人工指定）"

    # -- what became of it in the warehouses
    CHANGE_TOO_LATE = "change-too-late", "{warehouse} could not follow the change any more and ships the order as it was told before", "{warehouse} 已无法执行变更，将按变更前的指令发货"
    ADDRESS_UNUSABLE = "address-unusable", "{warehouse} cannot ship to this address; correct it or cancel the order", "{warehouse} 无法发往该收货地址，请更正地址或取消订单"
    GIVEN_BACK_THOUGH_SHIPPED = "given-back-though-shipped", "{warehouse} gave the order back ({answer}), though its shop says that it has shipped", "{warehouse} 退回了订单（{answer}），但店铺显示已发货"
    GIVEN_BACK_IN_PART = "given-back-in-part", f"{{warehouse}} gave the order back ({{answer}}) when a part of it had left already; {_SEE_TO_THE_REST}", f"{{warehouse}} 退回了订单（{{answer}}），而其中一部分已发出；{_SEE_TO_THE_REST_ZH}"
    GIVEN_BACK_TOO_OFTEN = "given-back-too-often", "{warehouse} gave the order back ({answer}), and it was placed anew {times} times before", "{warehouse} 退回了订单（{answer}），此前已重新分配 {times} 次"
    PLACED_ANEW = "placed-anew", "{warehouse} gave the order back ({answer}): placed anew without it", "{warehouse} 退回了订单（{answer}）：已排除该仓并重新分配"
    SHIPPED_BEFORE_TOLD_ANEW = "shipped-before-told-anew", "{warehouse} shipped the order as it was told before it was told anew, and what has left is never packed again", "{warehouse} 按重新下发之前的指令发出了订单；已发出的订单不会再次拣货"
    REST_NOT_TOLD = "rest-not-told", f"a part of the order has left already, and no warehouse was told to ship {{rest}}; {_SEE_TO_THE_REST}", f"订单已部分发出，且没有仓库收到发出 {{rest}} 的指令；{_SEE_TO_THE_REST_ZH}"
    DELETED_IN_SHOP = "deleted-in-shop", "the shop deleted the order after a warehouse was told to ship it, and goods have left or may have: see what the warehouse answers; if they did leave, ask the shop why, and the buyer for the goods or the money", "店铺在仓库收到发货指令后删除了订单，货物已发出或可能已发出：请看仓库的应答；如确已发出，请向店铺询问原因，并向买家要回货物或货款"
    STOCK_GONE_AGAIN = "stock-gone-again", "stock came {tries} times, and each time it was gone before this order had it", "到货 {tries} 次，每次都在该订单占用之前被用完"
    STOCK_WHERE_GIVEN_BACK = "stock-where-given-back", "{warehouses} has stock and gave this order back; it was given back {returns} times", "{warehouses} 有货但曾退回该订单；该订单已被退回 {returns} 次"


class RuleEffect(Code):
    """What became of the action of a rule that matched."""

    CANDIDATE = "candidate", "candidate {number}", "候选仓 {number}"
    ALREADY_CANDIDATE = "already-candidate", "already candidate {number}", "已是候选仓 {number}"
    ONLY_CANDIDATE = "only-candidate", "the only candidate", "唯一候选仓"
    AGREES = "agrees", "agrees with force of {rule}", "与规则 {rule} 的强制一致"
    OVERRULED_BY_FORCE = "overruled-by-force", "overruled by force of {rule}", "被规则 {rule} 的强制覆盖"
    OVERRULED_BY_HOLD = "overruled-by-hold", "overruled by hold of {rule}", "被规则 {rule} 的人工审核覆盖"
    OVERRULED_BY_DEFER = "overruled-by-defer", "overruled by defer of {rule}", "被规则 {rule} 的延后覆盖"
    OVERRULED_BY_REVIEW = "overruled-by-review", "overruled by review: {codes}", "被人工审核覆盖：{codes}"
    OVERRULED_BY_PRESALE = "overruled-by-presale", "overruled by the unpaid final part", "因尾款未付而不生效"
    HOLDS = "holds", "holds the order for review", "进入人工审核"
    DEFERS = "defers", "defers the order", "延后处理"
    ALREADY_DUE = "already-due", "no effect: already due", "不生效：已到期"
    ON_SHORT = "on-short", "on short: {what}", "缺货时：{what}"
    ON_SHORT_OVERRULED = "on-short-overruled", "on short overruled by {rule}", "缺货处理被规则 {rule} 覆盖"
    ADDS_TAG = "adds-tag", "adds tag {tags}", "添加标签 {tags}"
