"""The sub-orders of a Douyin order: status, refund, kind, what each cost, what is still to ship."""

from __future__ import annotations

from channel_adapters.contract import UnreadablePayload
from channel_adapters.douyin.marks import to_marks
from channel_adapters.douyin.wire import ReducedOrder, SkuOrder
from channel_adapters.reading import choose, share_out
from schemas.order import Line, LineKind, LineStatus, RefundStatus

# An attribute of an enumeration costs ten times a global.
_OPEN, _SHIPPED, _CANCELLED = LineStatus.OPEN, LineStatus.SHIPPED, LineStatus.CANCELLED
_NOT_REFUNDED, _REFUNDED = RefundStatus.NONE, RefundStatus.REFUNDED
_GIFT, _SERVICE = LineKind.GIFT, LineKind.SERVICE

LINE_STATUS = {
    1: _OPEN,
    105: _OPEN,
    2: _OPEN,
    101: _OPEN,
    3: _SHIPPED,
    4: _CANCELLED,
    5: _SHIPPED,
}

LINE_MAIN_STATUS = LINE_STATUS | {103: _OPEN, 21: _CANCELLED, 22: _SHIPPED, 39: _SHIPPED}

REFUNDED_MAIN_STATUS = frozenset({21, 22, 39})

AFTER_SALE_STATUS = {
    0: RefundStatus.NONE,
    6: RefundStatus.REQUESTED,  # applied
    7: RefundStatus.REQUESTED,  # return under way
    8: RefundStatus.REQUESTED,  # the seller is to send something
    11: RefundStatus.REQUESTED,  # returned goods sent
    12: RefundStatus.REFUNDED,  # success
    13: RefundStatus.NONE,  # the seller sent the exchange or the missing part
    14: RefundStatus.REQUESTED,  # received
    27: RefundStatus.NONE,  # refused
    28: RefundStatus.NONE,  # failed, or the buyer withdrew
    29: RefundStatus.NONE,  # return refused
    51: RefundStatus.REFUNDED,  # cancelled
    53: RefundStatus.NONE,  # closed: refunded only if refund_status says so
}

AFTER_SALE_TYPE = {
    0: "return",
    1: "refund-after-shipping",
    2: "refund-before-shipping",
    3: "exchange",
    4: "system-cancel",
    5: "buyer-cancel",
    6: "price-protection",
    7: "resend",
    8: "repair",
}

NO_MONEY_BACK = frozenset({3, 6, 7, 8})
"""After-sales that take no line back: an exchange, a price difference, a missing part, a repair."""

REFUND_SUCCESS = 3
REFUND_STATUS = {0: "none", 1: "pending", 2: "in-process", REFUND_SUCCESS: "success", 4: "failed"}

GOODS_TYPE = {0: LineKind.PURCHASE, 1: LineKind.SERVICE}
SKU_ORDER_TYPE = {
    0: LineKind.PURCHASE,
    2: LineKind.SERVICE,  # virtual
    4: LineKind.SERVICE,  # e-coupon
    5: LineKind.SERVICE,  # third-party coupon
}
GIVEN_PRODUCT_TYPE = {"": LineKind.PURCHASE, "MASTER": LineKind.PURCHASE, "FREE": LineKind.GIFT}

DEPOSIT_PRESALE, DEPOSIT_PRESALE_GIFT = 2, 102  # trade_type
FULL_PAY_PRESALE = 1
PRE_SALE_TYPE = {0: "", FULL_PAY_PRESALE: "full-pay-presale", 2: "staged-shipping"}


def to_lines(wire: ReducedOrder) -> tuple[Line, ...]:
    """The order's lines, each with a status and a refund of its own. Raises UnreadablePayload."""
    shares = _paid_shares(wire)
    shipped = _shipped_counts(wire)
    paid = wire.pay_time > 0
    lines: list[Line] = []
    try:
        for row, share in zip(wire.sku_order_list, shares, strict=True):
            lines.append(_line(row, share, shipped.get(row.order_id, 0), paid))
    except UnreadablePayload as error:
        raise error.inside(f"sku_order_list.{len(lines)}") from None
    return tuple(lines)


def _line(row: SkuOrder, paid: int, shipped: int, order_paid: bool) -> Line:
    status, refund = _line_status(row, order_paid)
    quantity = row.item_num
    if status is _CANCELLED:
        quantity = 0
    elif status is _OPEN and shipped:
        quantity = max(0, quantity - shipped)
        status = status if quantity else _SHIPPED
        quantity = quantity or row.item_num
    kind = _kind(row)
    return Line(
        line_id=row.order_id,
        sku=_sku(row),
        quantity=quantity,
        unit_price=row.origin_amount,
        paid=paid,
        platform_sku=row.sku_id or "",
        title=row.product_name or "",
        kind=kind,
        status=status,
        refund=refund,
        bound_to=tuple(row.master_sku_order_id_list) if kind is _GIFT else (),
        marks=_line_marks(row),
    )


def _line_status(row: SkuOrder, order_paid: bool) -> tuple[LineStatus, RefundStatus]:
    """A closed sub-order never ships, whatever else it says; neither does a refunded one that had not shipped."""
    status = choose(LINE_STATUS, row.order_status, "order_status")
    refund = _refund(row)
    if row.main_status is not None:
        main = choose(LINE_MAIN_STATUS, row.main_status, "main_status")
        if row.main_status in REFUNDED_MAIN_STATUS:
            return main, _REFUNDED
        if main is _CANCELLED:
            status = main
    if status is _CANCELLED and row.ship_time:
        return _SHIPPED, _REFUNDED
    if refund is _REFUNDED and status is _OPEN:
        status = _CANCELLED
    if status is _CANCELLED:
        refund = _REFUNDED if order_paid else _NOT_REFUNDED
    return status, refund


def _refund(row: SkuOrder) -> RefundStatus:
    """`after_sale_status` decides: when a buyer withdraws, refund_status stays at 1 (pending)."""
    sale = row.after_sale_info
    if sale is None:
        return _NOT_REFUNDED
    refund = choose(AFTER_SALE_STATUS, sale.after_sale_status, "after_sale_info.after_sale_status")
    choose(AFTER_SALE_TYPE, sale.after_sale_type, "after_sale_info.after_sale_type")
    choose(REFUND_STATUS, sale.refund_status, "after_sale_info.refund_status")
    if sale.after_sale_type in NO_MONEY_BACK:
        return _NOT_REFUNDED
    if sale.after_sale_status == 53 and sale.refund_status == REFUND_SUCCESS:
        return _REFUNDED
    return refund


def _kind(row: SkuOrder) -> LineKind:
    goods = choose(GOODS_TYPE, row.goods_type, "goods_type")
    sold_as = choose(SKU_ORDER_TYPE, row.order_type, "order_type")
    given = choose(GIVEN_PRODUCT_TYPE, row.given_product_type or "", "given_product_type")
    if goods is _SERVICE or sold_as is _SERVICE:
        return _SERVICE
    return _GIFT if row.trade_type == DEPOSIT_PRESALE_GIFT else given


def _sku(row: SkuOrder) -> str:
    """The seller's own code: `code`, then `out_sku_id`, where "0" means none."""
    code = (row.code or "").strip()
    outer = (row.out_sku_id or "").strip()
    return code or ("" if outer == "0" else outer)


def _shipped_counts(wire: ReducedOrder) -> dict[str, int]:
    """By sub-order: the units that parcels hold already."""
    counts: dict[str, int] = {}
    for parcel in wire.logistics_info:
        for item in parcel.product_info:
            counts[item.sku_order_id] = counts.get(item.sku_order_id, 0) + item.product_count
    return counts


def _line_marks(row: SkuOrder) -> tuple[str, ...]:
    marks = [choose(PRE_SALE_TYPE, row.pre_sale_type, "pre_sale_type")] if row.pre_sale_type else []
    if row.trade_type:
        marks.append(f"trade_type={row.trade_type}")
    sale = row.after_sale_info
    if sale is not None and sale.after_sale_status and sale.after_sale_type in NO_MONEY_BACK:
        marks.append(f"after-sale={AFTER_SALE_TYPE[sale.after_sale_type]}")
    marks += [f"cid={cid}" for cid in (row.first_cid, row.second_cid, row.third_cid, row.fourth_cid) if cid]
    marks += [f"{spec.name}={spec.value}" for spec in row.spec]
    marks += [f"campaign={campaign.campaign_name}" for campaign in row.campaign_info if campaign.campaign_name]
    return (*marks, *to_marks([row.sku_order_tag_ui], row.promise_info))


def worth(row: SkuOrder) -> int:
    """The line before any discount, in fen."""
    return row.origin_amount * row.item_num if row.sum_amount is None else row.sum_amount


def _paid_shares(wire: ReducedOrder) -> list[int]:
    """What each line cost the buyer. The platform says so; where it does not, what was paid is shared out by worth."""
    told = [row.pay_amount for row in wire.sku_order_list if row.pay_amount is not None]
    if len(told) == len(wire.sku_order_list):
        return told
    return share_out(max(0, wire.pay_amount - wire.post_amount), [worth(row) for row in wire.sku_order_list])
