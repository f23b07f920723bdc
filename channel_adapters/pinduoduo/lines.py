"""From the items and gifts of a Pinduoduo order to our lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from channel_adapters.pinduoduo.wire import Gift, Item, Order
from channel_adapters.reading import Reading, minor_units, reject, required, share_out
from schemas.codes import HoldCode, PayloadProblem
from schemas.order import Line, LineKind, LineStatus, PromisedGift, RefundStatus

T = TypeVar("T")

_PURCHASE, _CANCELLED = LineKind.PURCHASE, LineStatus.CANCELLED  # an attribute of an enumeration costs ten globals


def to_lines(
    order: Order, items: Sequence[Item], status: LineStatus, refund: RefundStatus, paid: int, reading: Reading
) -> tuple[Line, ...]:
    """The items, `paid` shared out over them, then the gifts that ship in this order, bound to the first item.

    A gift with an order number of its own ships with that order and is no line of this one. Raises UnreadablePayload.
    """
    names = _Names()
    prices = [minor_units(item.goods_price, f"item_list.{at}.goods_price") for at, item in enumerate(items)]
    pieces = [_pieces(item, f"item_list.{at}.goods_count") for at, item in enumerate(items)]
    shares = share_out(paid, [price * count for price, count in zip(prices, pieces, strict=True)]) if pieces else []
    lines = [
        Line(
            line_id=names.of(required(item.sku_id or item.goods_id or None, f"item_list.{at}.sku_id")),
            sku=(item.outer_id or "").strip(),
            quantity=0 if status is _CANCELLED else pieces[at],
            unit_price=prices[at],
            paid=shares[at],
            platform_sku=item.sku_id or item.goods_id or "",
            title=item.goods_name or "",
            status=status if pieces[at] or status is LineStatus.SHIPPED else _CANCELLED,
            refund=refund,
        )
        for at, item in enumerate(items)
    ]
    if order.gift_list:
        lines += [_gift(gift, names, lines, status, refund, reading) for gift in _own_gifts(order, reading)]
    return tuple(lines)


def real_items(order: Order, worth: int, reading: Reading) -> Sequence[Item]:
    """The items. A row that stands there twice, word by word, is one row or two: what the goods cost decides.

    `worth`: what was paid for the goods and taken off them, in fen. Where it fits neither, a person decides.
    """
    rows = order.item_list
    if len(rows) < 2 or len({row.sku_id or row.goods_id for row in rows}) == len(rows):
        return rows
    once = [row for at, row in enumerate(rows) if row not in rows[:at]]
    if len(once) == len(rows) or _worth(rows) == worth:
        return rows
    reading.marks["repeated-line"] = None
    if _worth(once) != worth:
        reading.hold(HoldCode.DUPLICATE_LINES)
    return once


def _worth(rows: Sequence[Item]) -> int:
    return sum(minor_units(row.goods_price, "item_list.goods_price") * row.goods_count for row in rows)


def promised(order: Order) -> tuple[PromisedGift, ...]:
    """Gifts of this order that name no goods, only how many: a person must know which they are."""
    gifts = [gift for gift in listed(order.gift_list) if _ships_here(gift, order) and not _goods(gift)]
    return tuple(
        [PromisedGift(name=gift.goods_name or "", quantity=gift.goods_count) for gift in gifts if gift.goods_count]
    )


def listed(value: Sequence[T] | None) -> Sequence[T]:
    """The elements of a list that may be missing."""
    return value or ()


def _own_gifts(order: Order, reading: Reading) -> list[Gift]:
    """The gifts that ship in this order. An entry without goods or pieces is none."""
    gifts = [gift for gift in listed(order.gift_list) if _ships_here(gift, order)]
    told = [gift for gift in gifts if _goods(gift) and (gift.goods_count or 0) > 0]
    if len(told) < len(gifts):
        reading.odd("gift_list")
    return told


def _ships_here(gift: Gift, order: Order) -> bool:
    return gift.order_sn in (None, "", order.order_sn)


def _goods(gift: Gift) -> str:
    """ "" when it names none: missing, "" or 0."""
    return gift.sku_id if gift.sku_id and gift.sku_id.strip("0") else (gift.goods_id or "").lstrip("0")


def _gift(
    gift: Gift, names: _Names, items: Sequence[Line], status: LineStatus, refund: RefundStatus, reading: Reading
) -> Line:
    goods = _goods(gift)
    return Line(
        line_id=names.of(goods),
        sku=(gift.outer_id or "").strip(),
        quantity=0 if status is _CANCELLED else gift.goods_count or 0,
        unit_price=reading.optional_money(gift.goods_price, "gift_list.goods_price"),
        paid=0,
        platform_sku=goods,
        title=gift.goods_name or "",
        kind=LineKind.GIFT,
        status=status,
        refund=refund,
        bound_to=tuple([line.line_id for line in items[:1] if line.kind is _PURCHASE]),
    )


def _pieces(item: Item, where: str) -> int:
    if item.goods_count < 0:
        reject("bad-quantity", where, PayloadProblem.NEGATIVE_QUANTITY())
    return item.goods_count


class _Names:
    """Ids for lines: the wire has none, so the sku names them, with `#2` where it stands a second time."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, sku: str) -> str:
        self._seen[sku] = number = self._seen.get(sku, 0) + 1
        return sku if number == 1 else f"{sku}#{number}"
