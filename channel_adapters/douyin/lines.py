"""The sub-orders of a Douyin order: status, refund, kind, what each cost, what is still to ship."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from channel_adapters.douyin.marks import to_marks
from channel_adapters.douyin.wire import ReducedOrder, SkuOrder, whole
from channel_adapters.reading import Reading, share_out, without_orphans
from schemas.codes import HoldCode
from schemas.order import Line, LineKind, LineStatus, OrderStatus, Part, RefundStatus
from schemas.record import changed

E = TypeVar("E")

Named = Sequence[tuple[str, SkuOrder]]
"""The sub-orders with their ids."""

# An attribute of an enumeration costs ten times a global.
_OPEN, _SHIPPED, _CANCELLED = LineStatus.OPEN, LineStatus.SHIPPED, LineStatus.CANCELLED
_NOT_REFUNDED, _REQUESTED, _REFUNDED = RefundStatus.NONE, RefundStatus.REQUESTED, RefundStatus.REFUNDED
_PURCHASE, _GIFT, _SERVICE = LineKind.PURCHASE, LineKind.GIFT, LineKind.SERVICE

LINE_STATUS: Final = {
    1: _OPEN,
    105: _OPEN,
    2: _OPEN,
    101: _OPEN,
    3: _SHIPPED,
    4: _CANCELLED,
    5: _SHIPPED,
}

LINE_MAIN_STATUS: Final = {word: (status, False) for word, status in LINE_STATUS.items()} | {
    103: (_OPEN, False),
    21: (_CANCELLED, True),
    22: (_SHIPPED, True),
    39: (_SHIPPED, True),
}
"""Where a line stands, and whether all of it is refunded."""

LINE_MEANS: Final = {
    OrderStatus.SHIPPED: LineStatus.SHIPPED,
    OrderStatus.COMPLETED: LineStatus.SHIPPED,
    OrderStatus.CANCELLED: LineStatus.CANCELLED,
}
"""Where a line stands when the shop's own table says this of its word; open otherwise."""
LINE_MAIN_MEANS: Final = {told: (status, False) for told, status in LINE_MEANS.items()}

AFTER_SALE_STATUS: Final = {
    None: RefundStatus.NONE,
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
CLOSED: Final = (53, "53")

AFTER_SALE_MEANS: Final = {
    OrderStatus.CANCELLED: RefundStatus.REFUNDED,
    OrderStatus.TO_SHIP: RefundStatus.NONE,
    OrderStatus.PART_SHIPPED: RefundStatus.NONE,
    OrderStatus.SHIPPED: RefundStatus.NONE,
    OrderStatus.COMPLETED: RefundStatus.NONE,
}

AFTER_SALE_TYPE: Final = {
    None: "return",
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

NO_MONEY_BACK: Final = frozenset({"exchange", "price-protection", "resend", "repair"})
"""After-sales that take no line back: an exchange, a price difference, a missing part, a repair."""

SUCCESS: Final = "success"
REFUND_STATUS: Final = {None: "none", 0: "none", 1: "pending", 2: "in-process", 3: SUCCESS, 4: "failed"}

GOODS_TYPE: Final = {None: _PURCHASE, 0: _PURCHASE, 1: _SERVICE}
SKU_ORDER_TYPE: Final = {
    None: _PURCHASE,
    0: _PURCHASE,
    2: _SERVICE,  # virtual
    4: _SERVICE,  # e-coupon
    5: _SERVICE,  # third-party coupon
}
GIVEN_PRODUCT_TYPE: Final = {None: _PURCHASE, "": _PURCHASE, "MASTER": _PURCHASE, "FREE": _GIFT}

# What is compared and not looked up, as number and as text.
_NOT_SET: Final = (0, None, "", "0")
DEPOSIT_PRESALE: Final = (2, "2")  # trade_type
DEPOSIT_PRESALE_GIFT: Final = (102, "102")  # trade_type
FULL_PAY_PRESALE: Final = (1, "1")  # pre_sale_type
PRE_SALE_TYPE: Final = {None: "", 0: "", 1: "full-pay-presale", 2: "staged-shipping"}


def named_rows(wire: ReducedOrder, reading: Reading) -> Named:
    """The sub-orders with their ids. Repeated ids: see Reading.distinct."""
    return reading.distinct(wire.sku_order_list, _id_of)


def _id_of(row: SkuOrder) -> str:
    return row.order_id


def to_lines(wire: ReducedOrder, rows: Named, reading: Reading) -> tuple[Line, ...]:
    """The order's lines, each with a status and a refund of its own."""
    shares = _paid_shares(wire, rows)
    shipped = _shipped_counts(wire, reading)
    paid = bool(wire.pay_time)
    lines = [
        _line(row, line_id, share, shipped.get(line_id, 0), paid, reading)
        for (line_id, row), share in zip(rows, shares, strict=True)
    ]
    if [line for line in lines if line.kind is _GIFT]:
        return without_orphans(_bound(lines, rows))
    return tuple(lines)


def _line(row: SkuOrder, line_id: str, paid: int, shipped: int, order_paid: bool, reading: Reading) -> Line:
    status, refund = _line_status(row, order_paid, reading)
    quantity = row.item_num
    if status is _CANCELLED:
        quantity = 0
    elif status is _OPEN and shipped:
        quantity = max(0, quantity - shipped)
        status = status if quantity else _SHIPPED
        quantity = quantity or row.item_num
    kind = _kind(row, reading)
    return Line(
        line_id=line_id,
        sku=_sku(row),
        quantity=quantity,
        unit_price=row.origin_amount,
        paid=paid,
        platform_sku=row.sku_id or "",
        title=row.product_name or "",
        kind=kind,
        status=status,
        refund=refund,
        bound_to=tuple(row.master_sku_order_id_list or ()) if kind is _GIFT else (),
        marks=_line_marks(row, reading),
        parts=_parts(row) if row.bundle_sku_info else (),
    )


def _parts(row: SkuOrder) -> tuple[Part, ...]:
    """What a bundle is made of. The platform's notes call `item_num` the units of the part in it."""
    return tuple(
        [
            Part(
                sku=(part.code or "").strip(),
                quantity=part.item_num,
                title=part.product_name or "",
                platform_sku=part.sku_id or "",
            )
            for part in row.bundle_sku_info or ()
        ]
    )


def _bound(lines: Sequence[Line], rows: Named) -> tuple[Line, ...]:
    """The lines; a gift that names no main line comes with those that say they have one, or with all that were bought.

    `master_sku_order_id_list` is null on some gifts, and the platform declares the single id obsolete.
    """
    told = [line_id for line_id, row in rows if row.given_product_type == "MASTER"]
    mains = tuple(told or [line.line_id for line in lines if line.kind is _PURCHASE])
    return tuple(
        [changed(line, bound_to=mains) if line.kind is _GIFT and not line.bound_to else line for line in lines]
    )


# -- status --------------------------------------------------------------------------------------------------------


def _line_status(row: SkuOrder, order_paid: bool, reading: Reading) -> tuple[LineStatus, RefundStatus]:
    """A closed sub-order never ships, whatever else it says; neither does a refunded one that had not shipped."""
    where = "sku_order_list.order_status"
    status = reading.of_part(LINE_STATUS, row.order_status, where, _OPEN, LINE_MEANS)
    refund = _refund(row, reading)
    if row.main_status is not None:
        main, all_refunded = reading.of_part(
            LINE_MAIN_STATUS, row.main_status, "sku_order_list.main_status", (_OPEN, False), LINE_MAIN_MEANS
        )
        if all_refunded:
            return main, _REFUNDED
        if main is _CANCELLED:
            status = main
    if not row.item_num:
        return _CANCELLED, refund
    if status is _CANCELLED and row.ship_time:
        return _SHIPPED, _REFUNDED
    if refund is _REFUNDED and status is _OPEN:
        status = _CANCELLED
    if status is _CANCELLED:
        refund = _REFUNDED if order_paid else _NOT_REFUNDED
    return status, refund


def _refund(row: SkuOrder, reading: Reading) -> RefundStatus:
    """`after_sale_status` decides: when a buyer withdraws, refund_status stays at 1 (pending)."""
    sale = row.after_sale_info
    if sale is None or not (sale.after_sale_status or sale.after_sale_type or sale.refund_status):
        return _NOT_REFUNDED  # nearly every line
    where = "sku_order_list.after_sale_info."
    refund = _known(reading, AFTER_SALE_STATUS, sale.after_sale_status, f"{where}after_sale_status", _REQUESTED)
    kind = reading.lookup(AFTER_SALE_TYPE, sale.after_sale_type, f"{where}after_sale_type", "")
    money = reading.lookup(REFUND_STATUS, sale.refund_status, f"{where}refund_status", "")
    if kind in NO_MONEY_BACK:
        return _NOT_REFUNDED
    if money == SUCCESS and sale.after_sale_status in CLOSED:
        refund = _REFUNDED
    return refund if kind or refund is not _REFUNDED else _REQUESTED  # of a kind not known: the money, or the line?


def _known(
    reading: Reading, table: Mapping[Any, RefundStatus], word: int | str | None, where: str, unknown: RefundStatus
) -> RefundStatus:
    """What our own table says; the numbers of orders mean something else here, so that the shop is asked last."""
    return table[word] if word in table else reading.of_part(table, word, where, unknown, AFTER_SALE_MEANS)


def _kind(row: SkuOrder, reading: Reading) -> LineKind:
    where = "sku_order_list."
    given = reading.lookup(GIVEN_PRODUCT_TYPE, row.given_product_type, f"{where}given_product_type", _PURCHASE)
    if row.goods_type or row.order_type:
        goods = reading.lookup(GOODS_TYPE, row.goods_type, f"{where}goods_type", _PURCHASE)
        sold_as = reading.lookup(SKU_ORDER_TYPE, row.order_type, f"{where}order_type", _PURCHASE)
        if goods is _SERVICE or sold_as is _SERVICE:
            return _SERVICE
    return _GIFT if row.trade_type in DEPOSIT_PRESALE_GIFT else given


def _sku(row: SkuOrder) -> str:
    """The seller's own code: `code`, then `out_sku_id`, where "0" means none."""
    code = (row.code or "").strip()
    outer = (row.out_sku_id or "").strip()
    return code or ("" if outer == "0" else outer)


_PARCELS: Final = ("logistics_info", "product_info")


def _shipped_counts(wire: ReducedOrder, reading: Reading) -> Mapping[str, int]:
    """By sub-order: the units that parcels hold already. When a parcel cannot be read, nobody knows what is left."""
    if reading.marks and any(reading.was_odd(name) for name in _PARCELS):
        reading.hold(HoldCode.LINE_PART_SHIPPED)
    counts: dict[str, int] = {}
    for parcel in wire.logistics_info or ():
        for item in parcel.product_info:
            counts[item.sku_order_id] = counts.get(item.sku_order_id, 0) + item.product_count
    return counts


def _line_marks(row: SkuOrder, reading: Reading) -> tuple[str, ...]:
    marks = []
    if row.pre_sale_type and (
        ahead := reading.lookup(PRE_SALE_TYPE, row.pre_sale_type, "sku_order_list.pre_sale_type", "")
    ):
        marks.append(ahead)
    if row.trade_type not in _NOT_SET:
        marks.append(f"trade_type={row.trade_type}")
    sale = row.after_sale_info
    if sale is not None and sale.after_sale_status not in _NOT_SET:
        kind = AFTER_SALE_TYPE.get(whole(sale.after_sale_type), "")
        if kind in NO_MONEY_BACK:
            marks.append(f"after-sale={kind}")
    marks += [f"cid={cid}" for cid in (row.first_cid, row.second_cid, row.third_cid, row.fourth_cid) if cid]
    if row.spec:
        marks += [f"{spec.name}={spec.value}" for spec in row.spec if spec.name or spec.value]
    if row.campaign_info:
        marks += [f"campaign={campaign.campaign_name}" for campaign in row.campaign_info if campaign.campaign_name]
    return (*marks, *to_marks((row.sku_order_tag_ui,), row.promise_info))


# -- money ---------------------------------------------------------------------------------------------------------


def worth(row: SkuOrder) -> int:
    """The line before any discount, in fen."""
    return row.origin_amount * row.item_num if row.sum_amount is None else row.sum_amount


def _paid_shares(wire: ReducedOrder, rows: Named) -> list[int]:
    """What each line cost the buyer. The platform says so; where it does not, what was paid is shared out by worth."""
    told = [row.pay_amount for _, row in rows if row.pay_amount is not None]
    if len(told) == len(rows):
        return told
    return share_out(max(0, wire.pay_amount - (wire.post_amount or 0)), [worth(row) for _, row in rows])
