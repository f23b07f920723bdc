"""The lines of a JD order: ids, kinds, what each cost, what is still to ship."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from channel_adapters.jd.wire import Item, ItemExt, LeanOrder
from channel_adapters.quick import reader
from channel_adapters.reading import minor_units, refuse, share_out
from schemas.order import Line, LineKind, LineStatus, OrderStatus, RefundStatus

SERVICE_ORDER_TYPE = "75"
"""LOC: redeemed at a place, nothing to pick."""

_read_ext = reader(ItemExt)
_NO_EXT = ItemExt()

# An attribute of an enumeration costs ten times a global.
_OPEN, _CANCELLED, _PURCHASE = LineStatus.OPEN, LineStatus.CANCELLED, LineKind.PURCHASE

_LINE_STATUS = {
    OrderStatus.SHIPPED: LineStatus.SHIPPED,
    OrderStatus.COMPLETED: LineStatus.SHIPPED,
    OrderStatus.CANCELLED: LineStatus.CANCELLED,
}


def to_lines(
    wire: LeanOrder, status: OrderStatus, refund: RefundStatus, to_pay: int, *, ids_required: bool
) -> tuple[Line, ...]:
    """The order's lines. JD tells state and refund for the whole order only.

    `to_pay`: what the goods cost in all after discounts, in fen. `ids_required`: refuse a line without skuUuid instead
    of naming it after its sku.
    """
    items = wire.item_info_list
    exts = [_item_ext(item, index, ids_required) for index, item in enumerate(items)]
    ids = _line_ids(items, exts)
    prices = [minor_units(item.jd_price, f"itemInfoList.{index}.jdPrice") for index, item in enumerate(items)]
    counts = [count(item.item_total, f"itemInfoList.{index}.itemTotal") for index, item in enumerate(items)]
    shares = _paid_shares(wire, [price * number for price, number in zip(prices, counts, strict=True)], to_pay)
    shipped = _shipped_counts(wire)
    is_service = wire.order_type == SERVICE_ORDER_TYPE
    lines = []
    for index, item in enumerate(items):
        gone = shipped.get(exts[index].sku_uuid or item.sku_id, 0) if shipped else 0
        line_status, quantity = _still_to_ship(status, counts[index], gone)
        lines.append(
            Line(
                line_id=ids[index],
                sku=(item.outer_sku_id or "").strip(),
                quantity=quantity,
                unit_price=prices[index],
                paid=shares[index],
                platform_sku=item.sku_id,
                title=item.sku_name or "",
                kind=_kind(is_service, prices[index]),
                status=line_status,
                refund=refund,
                marks=_marks(item, exts[index], prices[index]),
            )
        )
    return tuple(lines)


def count(text: str, where: str) -> int:
    """A number of pieces. Zero is legal."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        refuse("bad-quantity", where, "is not a number of pieces", "不是有效的件数")
    return int(text)


def _item_ext(item: Item, index: int, required: bool) -> ItemExt:
    try:
        ext = _read_ext((item.item_ext or "{}").encode())
    except ValidationError:
        ext = _NO_EXT
    if required and ext.sku_uuid is None:
        refuse(
            "missing-field",
            f"itemInfoList.{index}.itemExt",
            "holds no skuUuid, the id of the line",
            "缺少行编号 skuUuid",
        )
    return ext


def _line_ids(items: Sequence[Item], exts: Sequence[ItemExt]) -> list[str]:
    """skuUuid; without it the skuId, told apart by "#2", "#3" where it stands more than once."""
    seen: dict[str, int] = {}
    ids = []
    for item, ext in zip(items, exts, strict=True):
        name = ext.sku_uuid
        if name is None:
            seen[item.sku_id] = seen.get(item.sku_id, 0) + 1
            name = item.sku_id if seen[item.sku_id] == 1 else f"{item.sku_id}#{seen[item.sku_id]}"
        ids.append(name)
    return ids


def _paid_shares(wire: LeanOrder, worth: list[int], to_pay: int) -> list[int]:
    """A coupon for one item comes off its lines; the rest of the discount is shared out over what then remains."""
    if to_pay == sum(worth):
        return worth
    left = list(worth)
    for index, coupon in enumerate(wire.coupon_detail_list):
        amount = minor_units(coupon.coupon_price, f"couponDetailList.{index}.couponPrice")
        weights = [
            value if item.sku_id == coupon.sku_id else 0 for item, value in zip(wire.item_info_list, worth, strict=True)
        ]
        if any(weights):
            off = share_out(amount, weights)
            left = [max(0, value - part) for value, part in zip(left, off, strict=True)]
    return share_out(max(0, to_pay), left if any(left) else worth) if worth else []


def _shipped_counts(wire: LeanOrder) -> dict[str, int]:
    """By skuUuid (skuId where a parcel does not name it): the units that parcels hold already."""
    counts: dict[str, int] = {}
    for number, parcel in enumerate(wire.partial_logistics_info_model):
        for index, item in enumerate(parcel.skus):
            key = item.sku_uuid or item.sku_id or ""
            where = f"partialLogisticsInfoModel.{number}.skus.{index}.num"
            counts[key] = counts.get(key, 0) + count(item.num, where)
    return counts


def _still_to_ship(status: OrderStatus, ordered: int, gone: int) -> tuple[LineStatus, int]:
    line_status = _LINE_STATUS.get(status, _OPEN)
    if line_status is _CANCELLED:
        return line_status, 0
    if gone and line_status is _OPEN:
        return (_OPEN, ordered - gone) if gone < ordered else (LineStatus.SHIPPED, ordered)
    return line_status, ordered


def _kind(is_service: bool, price: int) -> LineKind:
    """JD marks no gifts on POP orders: what costs nothing is taken for one."""
    if is_service:
        return LineKind.SERVICE
    return _PURCHASE if price else LineKind.GIFT


def _marks(item: Item, ext: ItemExt, price: int) -> tuple[str, ...]:
    marks = [] if price else ["zero-price"]
    if ext.cid and ext.cid != "0":
        marks.append(f"cid={ext.cid}")
    if item.service_name:
        marks.append(f"service={item.service_name}")
    return tuple(marks)
