"""The lines of a JD order: ids, kinds, what each cost, what is still to ship."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import orjson
from pydantic import ValidationError

from channel_adapters.contract import UnreadablePayload
from channel_adapters.jd.wire import Item, ItemExt, LeanOrder
from channel_adapters.msgspec_fast_path import reader
from channel_adapters.reading import Reading, minor_units, reject, required, share_out
from schemas.codes import HoldCode, PayloadProblem
from schemas.order import Line, LineKind, LineStatus, OrderStatus, RefundStatus

_read_ext = reader(ItemExt)
_NO_EXT = ItemExt()

_COUNT: Final = re.compile(r"(\d{1,6})(?:\.0{1,6})?", re.ASCII)

# An attribute of an enumeration costs ten times a global.
_OPEN, _SHIPPED, _CANCELLED = LineStatus.OPEN, LineStatus.SHIPPED, LineStatus.CANCELLED
_PURCHASE = LineKind.PURCHASE

_LINE_STATUS = {
    OrderStatus.SHIPPED: LineStatus.SHIPPED,
    OrderStatus.COMPLETED: LineStatus.SHIPPED,
    OrderStatus.CANCELLED: LineStatus.CANCELLED,
}

NamedItems = Sequence[tuple[str, Item, ItemExt]]
"""The lines with their ids, and with what their `itemExt` says."""


def named_items(wire: LeanOrder, reading: Reading, *, ids_required: bool) -> NamedItems:
    """The lines with their ids: skuUuid, without it the skuId. Repeated ids: see Reading.distinct.

    `ids_required`: refuse a line without skuUuid instead of naming it after its sku. A row with neither id nor pieces
    is an empty gift and left out.
    """
    rows = []
    for index, item in enumerate(wire.item_info_list):
        ext = _item_ext(item.item_ext, reading)
        if (
            ext.sku_uuid is None
            and item.sku_id is None
            and not count(item.item_total, f"itemInfoList.{index}.itemTotal")
        ):
            reading.odd("itemInfoList")
            continue
        if ids_required and ext.sku_uuid is None:
            reject("missing-field", f"itemInfoList.{index}.itemExt", PayloadProblem.NO_JD_LINE_ID())
        own_id = ext.sku_uuid or required(item.sku_id, f"itemInfoList.{index}.skuId")
        rows.append((own_id, item, ext))
    return [(own_id, item, ext) for own_id, (_, item, ext) in reading.distinct(rows, lambda row: row[0])]


def to_lines(
    wire: LeanOrder,
    items: NamedItems,
    status: OrderStatus,
    refund: RefundStatus,
    to_pay: int,
    reading: Reading,
    *,
    is_service: bool,
) -> tuple[Line, ...]:
    """The order's lines. JD tells state and refund for the whole order only.

    `to_pay`: what the goods cost in all after discounts, in fen.
    """
    prices = [minor_units(item.jd_price, f"itemInfoList.{index}.jdPrice") for index, (_, item, _) in enumerate(items)]
    counts = [count(item.item_total, f"itemInfoList.{index}.itemTotal") for index, (_, item, _) in enumerate(items)]
    worth = [price * number for price, number in zip(prices, counts, strict=True)]
    shares = _paid_shares(wire, [item for _, item, _ in items], worth, to_pay, reading)
    shipped = _shipped_counts(wire, reading)
    lines = []
    for index, (own_id, item, ext) in enumerate(items):
        gone = shipped.get(ext.sku_uuid or item.sku_id or "", 0) if shipped else 0
        line_status, quantity = _still_to_ship(status, counts[index], gone)
        lines.append(
            Line(
                line_id=own_id,
                sku=(item.outer_sku_id or "").strip(),
                quantity=quantity,
                unit_price=prices[index],
                paid=shares[index],
                platform_sku=item.sku_id or "",
                title=item.sku_name or "",
                kind=_kind(is_service, prices[index]),
                status=line_status,
                refund=refund,
                marks=_marks(item, ext, prices[index]),
            )
        )
    return tuple(lines)


def count(text: str, where: str) -> int:
    """A number of pieces. Zero is legal."""
    match = _COUNT.fullmatch(text.strip())
    if match is None:
        reject("bad-quantity", where, PayloadProblem.NOT_PIECES())
    return int(match[1])


def _item_ext(value: Any, reading: Reading) -> ItemExt:
    """JSON in a text, or the object itself. What cannot be read says nothing."""
    if not value:
        return _NO_EXT
    try:
        text = value.encode() if isinstance(value, str) else orjson.dumps(value)
        return _read_ext(text)
    except (UnicodeEncodeError, orjson.JSONEncodeError):
        reading.odd("itemExt")
        return _NO_EXT
    except ValidationError:
        reading.odd("itemExt")
    try:
        return reading.model(ItemExt, text)
    except UnreadablePayload:
        return _NO_EXT


def _paid_shares(wire: LeanOrder, items: Sequence[Item], worth: list[int], to_pay: int, reading: Reading) -> list[int]:
    """A coupon for one item comes off its lines; the rest of the discount is shared out over what then remains."""
    if to_pay == sum(worth):
        return worth
    left = list(worth)
    for coupon in wire.coupon_detail_list or ():
        if not coupon.sku_id:
            continue
        weights = [value if item.sku_id == coupon.sku_id else 0 for item, value in zip(items, worth, strict=True)]
        if any(weights):
            amount = reading.optional_money(coupon.coupon_price, "couponDetailList.couponPrice")
            off = share_out(amount, weights)
            left = [max(0, value - part) for value, part in zip(left, off, strict=True)]
    return share_out(max(0, to_pay), left if any(left) else worth) if worth else []


def _shipped_counts(wire: LeanOrder, reading: Reading) -> dict[str, int]:
    """By skuUuid (skuId where a parcel does not name it): the units that parcels hold already.

    Parcels that cannot be read hold the order: what has left is not known, and must not leave twice.
    """
    counts: dict[str, int] = {}
    if reading.was_odd("partialLogisticsInfoModel"):
        reading.hold(HoldCode.LINE_PART_SHIPPED)
    for parcel in wire.partial_logistics_info_model or ():
        for item in parcel.skus:
            key = item.sku_uuid or item.sku_id or ""
            try:
                counts[key] = counts.get(key, 0) + count(item.num, "num")
            except UnreadablePayload:
                reading.odd("partialLogisticsInfoModel.skus.num")
                reading.hold(HoldCode.LINE_PART_SHIPPED)
    return counts


def _still_to_ship(status: OrderStatus, ordered: int, gone: int) -> tuple[LineStatus, int]:
    """Of a cancelled order, what has left stays shipped."""
    line_status = _LINE_STATUS.get(status, _OPEN)
    if not ordered:
        return _CANCELLED, 0
    if line_status is _CANCELLED:
        return (_SHIPPED, min(gone, ordered)) if gone else (_CANCELLED, 0)
    if gone and line_status is _OPEN:
        return (_OPEN, ordered - gone) if gone < ordered else (_SHIPPED, ordered)
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
