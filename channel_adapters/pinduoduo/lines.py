"""From the items and gifts of a Pinduoduo order to our lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from channel_adapters.pinduoduo.wire import Item, Money, Order
from channel_adapters.reading import minor_units, refuse, required, share_out
from schemas.order import Line, LineKind, LineStatus, RefundStatus

T = TypeVar("T")

_PURCHASE, _CANCELLED = LineKind.PURCHASE, LineStatus.CANCELLED  # an attribute of an enumeration costs ten globals


def to_lines(order: Order, status: LineStatus, refund: RefundStatus, paid: int) -> tuple[Line, ...]:
    """The items, `paid` shared out over them, then the gifts that ship in this order, bound to the first item.

    A gift with an order number of its own ships with that order and is no line of this one. Raises UnreadablePayload.
    """
    items = [(f"item_list.{index}.", item) for index, item in enumerate(order.item_list)]
    rows = items + _own_gifts(order) if order.gift_list else items
    ids = _line_ids(rows)
    prices = [minor_units(row.goods_price, where + "goods_price") for where, row in rows]
    weights = [price * _pieces(item, where) for price, (where, item) in zip(prices, items, strict=False)]
    shares = share_out(paid, weights) + [0] * (len(rows) - len(items))
    lines = [
        Line(
            line_id=ids[index],
            sku=(row.outer_id or "").strip(),
            quantity=0 if status is _CANCELLED else _pieces(row, where),
            unit_price=prices[index],
            paid=shares[index],
            platform_sku=str(row.sku_id or row.goods_id or ""),
            title=row.goods_name or "",
            kind=_PURCHASE if index < len(items) else LineKind.GIFT,
            status=status,
            refund=refund,
            bound_to=() if index < len(items) else tuple(ids[: min(1, len(items))]),
        )
        for index, (where, row) in enumerate(rows)
    ]
    return tuple(lines)


def _own_gifts(order: Order) -> list[tuple[str, Item]]:
    """The gifts that ship in this order."""
    return [
        (f"gift_list.{index}.", gift)
        for index, gift in enumerate(listed(order.gift_list))
        if gift.order_sn in (None, "", order.order_sn)
    ]


def listed(value: Sequence[T] | None) -> Sequence[T]:
    """The elements of a list that may be missing."""
    return value or ()


def fen(value: Money | None, where: str) -> int:
    """An amount that may be missing or blank, in fen."""
    return minor_units(value, where) if value else 0


def _pieces(row: Item, where: str) -> int:
    if row.goods_count < 0:
        refuse("bad-quantity", where + "goods_count", "is negative", "数量为负数")
    return row.goods_count


def _line_ids(rows: Iterable[tuple[str, Item]]) -> list[str]:
    """Lines have no ids on the wire: the sku names them, with `#2` where it stands a second time."""
    seen: dict[str, int] = {}
    ids = []
    for where, row in rows:
        sku = str(required(row.sku_id or row.goods_id or None, where + "sku_id"))
        seen[sku] = number = seen.get(sku, 0) + 1
        ids.append(sku if number == 1 else f"{sku}#{number}")
    return ids
