"""How long the texts of an order may be, so that whatever becomes of it fits its topic.

Decoration (titles, names of activities, remarks, marks) is cut and says so with `…`. An address that is too long is
cut, too, and holds the order: a person sees to it. What names something, such as an order, a line or a SKU, is not cut:
an order in which it is too long is refused by the name of that text. But of an order that is cancelled nothing is
refused: that it is, is all that matters. Sizes in characters, those of JSON in bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.codes import Explanation, HoldCode, LetterProblem, render
from schemas.order import Line, Order, OrderStatus
from schemas.record import changed, encode

ORDINARY_BYTES: Final = 16 << 10
"""What an order is made of, in bytes. Of less, nothing that is too large can be made: it need not be looked at."""

MOST_ORDER_BYTES: Final = 1_500_000
"""Of an order as JSON. A plan adds as much again at most: see max_message_bytes in schemas/topics.py."""

MOST_ID: Final = 200
_ADDRESS: Final = {
    "country": 100,
    "province": 100,
    "city": 100,
    "district": 100,
    "town": 200,
    "street": 1_000,
    "name": 200,
    "phone": 200,
    "postcode": 50,
    "token": 8_000,
    "receiver_key": MOST_ID,
}
_MOST_TITLE: Final = 200
_MOST_REMARK: Final = 1_000
_MOST_MARK: Final = 100
_MOST_MARKS: Final = 50
_MOST_LISTED: Final = 100
_CUT: Final = "…"


class TooLong(Exception):
    """A text that may not be cut. `where`: its path in the order; `explanation`: what is wrong, without the text."""

    def __init__(self, where: str, explanation: Explanation) -> None:
        super().__init__(f"{where} {render(explanation, 'en')}")
        self.where = where
        self.explanation = explanation


def fitted(order: Order) -> Order:
    """The order with its texts cut to what fits; the same order when all of it does. Pure.

    Raises TooLong for what may not be cut.
    """
    if order.status is OrderStatus.CANCELLED:
        order = _without_much(order)
    for where, text in _identities(order):
        if len(text) > MOST_ID:
            raise TooLong(where, LetterProblem.TEXT_OVER(length=len(text), most=MOST_ID))
    if any(len(text) > most for text, most in _decoration(order)) or _has_long_lists(order):
        order = _trimmed(order)
    if any(len(getattr(order.ship_to, name)) > most for name, most in _ADDRESS.items()):
        order = _with_short_address(order)
    if len(encode(order)) <= MOST_ORDER_BYTES:
        return order
    order = _bare(order)
    if (size := len(encode(order))) > MOST_ORDER_BYTES:
        lines = len(order.lines)
        raise TooLong("lines", LetterProblem.LINES_TOO_LARGE(size=size, lines=lines, most=MOST_ORDER_BYTES))
    return order


def _without_much(order: Order) -> Order:
    """A cancelled order: of its lines those that fit."""
    lines = [line for line in order.lines if max(map(len, (line.line_id, line.sku, line.platform_sku))) <= MOST_ID]
    return changed(
        order,
        lines=tuple(changed(line, bound_to=()) for line in lines[:_MOST_LISTED]) or order.lines[:0],
        related=(),
        buyer_key=_cut(order.buyer_key, MOST_ID),
        currency=_cut(order.currency, MOST_ID),
    )


def _with_short_address(order: Order) -> Order:
    to = order.ship_to
    short = changed(to, **{name: _cut(getattr(to, name), most) for name, most in _ADDRESS.items()})
    return changed(order, ship_to=short, holds=tuple(dict.fromkeys((*order.holds, HoldCode.ADDRESS_TOO_LONG))))


def _identities(order: Order) -> Iterator[tuple[str, str]]:
    """What is never cut, by its path."""
    yield "platform_order_id", order.platform_order_id
    yield "buyer_key", order.buyer_key
    yield "currency", order.currency
    for number, line in enumerate(order.lines):
        yield f"lines.{number}.line_id", line.line_id
        yield f"lines.{number}.sku", line.sku
        yield f"lines.{number}.platform_sku", line.platform_sku
        for main in line.bound_to:
            yield f"lines.{number}.bound_to", main
    for number, related in enumerate(order.related):
        yield f"related.{number}", related.platform_order_id


def _decoration(order: Order) -> Iterator[tuple[str, int]]:
    yield order.buyer_remark, _MOST_REMARK
    yield order.seller_memo, _MOST_REMARK
    yield order.seller_flag, _MOST_MARK
    for line in order.lines:
        yield line.title, _MOST_TITLE
        yield from ((mark, _MOST_MARK) for mark in line.marks)
    yield from ((mark, _MOST_MARK) for mark in order.marks)
    for promotion in order.promotions:
        yield promotion.name, _MOST_TITLE
        yield promotion.code, _MOST_MARK
    for gift in order.promised_gifts:
        yield gift.name, _MOST_TITLE
        yield gift.platform_item_id, _MOST_MARK


def _has_long_lists(order: Order) -> bool:
    lists = (order.promotions, order.promised_gifts, order.related)
    return any(len(each) > _MOST_LISTED for each in lists) or any(
        len(marks) > _MOST_MARKS for marks in (order.marks, *(line.marks for line in order.lines))
    )


def _trimmed(order: Order) -> Order:
    return changed(
        order,
        buyer_remark=_cut(order.buyer_remark, _MOST_REMARK),
        seller_memo=_cut(order.seller_memo, _MOST_REMARK),
        seller_flag=_cut(order.seller_flag, _MOST_MARK),
        marks=_cut_marks(order.marks),
        lines=tuple(_trimmed_line(line) for line in order.lines),
        promotions=tuple(
            changed(each, name=_cut(each.name, _MOST_TITLE), code=_cut(each.code, _MOST_MARK))
            for each in order.promotions[:_MOST_LISTED]
        ),
        promised_gifts=tuple(
            changed(each, name=_cut(each.name, _MOST_TITLE), platform_item_id=_cut(each.platform_item_id, _MOST_MARK))
            for each in order.promised_gifts[:_MOST_LISTED]
        ),
        related=order.related[:_MOST_LISTED],
    )


def _trimmed_line(line: Line) -> Line:
    return changed(line, title=_cut(line.title, _MOST_TITLE), marks=_cut_marks(line.marks))


def _bare(order: Order) -> Order:
    """Of an order with very many lines: what ships, without the decoration of each."""
    lines = tuple(changed(line, title=_cut(line.title, 40), marks=()) for line in order.lines)
    return changed(order, lines=lines, marks=(*order.marks[: _MOST_MARKS - 1], f"decoration{_CUT}"))


def _cut_marks(marks: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(_cut(mark, _MOST_MARK) for mark in marks[:_MOST_MARKS])
    return kept if len(marks) <= _MOST_MARKS else (*kept[:-1], _CUT)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + _CUT
