"""From the sub-orders of a Taobao trade to our lines. Status words: TOP docs, order and refund status tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from channel_adapters.contract import UnreadablePayload
from channel_adapters.fields import count_of, is_set
from channel_adapters.reading import Reading, minor_units, reject, required, share_out, without_orphans
from channel_adapters.taobao.wire import SubOrder, Trade
from schemas.codes import HoldCode, PayloadProblem
from schemas.order import Line, LineKind, LineStatus, OrderStatus, Part, RefundStatus

# An attribute of an enumeration costs ten times a global.
_OPEN, _SHIPPED, _CANCELLED = LineStatus.OPEN, LineStatus.SHIPPED, LineStatus.CANCELLED
_PURCHASE, _GIFT, _SERVICE = LineKind.PURCHASE, LineKind.GIFT, LineKind.SERVICE
_REQUESTED, _REFUNDED = RefundStatus.REQUESTED, RefundStatus.REFUNDED

_STATUS: Final = {
    "TRADE_NO_CREATE_PAY": LineStatus.OPEN,
    "WAIT_BUYER_PAY": LineStatus.OPEN,
    "PAY_PENDING": LineStatus.OPEN,
    "WAIT_PRE_AUTH_CONFIRM": LineStatus.OPEN,
    "PAID_FORBID_CONSIGN": LineStatus.OPEN,
    "WAIT_SELLER_SEND_GOODS": LineStatus.OPEN,
    "SELLER_CONSIGNED_PART": LineStatus.OPEN,  # the order gets the hold "line-part-shipped"
    "WAIT_BUYER_CONFIRM_GOODS": LineStatus.SHIPPED,
    "TRADE_BUYER_SIGNED": LineStatus.SHIPPED,
    "TRADE_FINISHED": LineStatus.SHIPPED,
    "TRADE_CLOSED": LineStatus.CANCELLED,
    "TRADE_CLOSED_BY_TAOBAO": LineStatus.CANCELLED,
}

_STANDS: Final = {
    OrderStatus.SHIPPED: LineStatus.SHIPPED,
    OrderStatus.COMPLETED: LineStatus.SHIPPED,
    OrderStatus.CANCELLED: LineStatus.CANCELLED,
}
"""Where a line stands when its trade stands there; open otherwise."""

_REFUND: Final = {
    None: RefundStatus.NONE,
    "": RefundStatus.NONE,
    "NO_REFUND": RefundStatus.NONE,
    "CLOSED": RefundStatus.NONE,
    "SELLER_REFUSE_BUYER": RefundStatus.NONE,
    "WAIT_SELLER_AGREE": RefundStatus.REQUESTED,
    "WAIT_BUYER_RETURN_GOODS": RefundStatus.REQUESTED,
    "WAIT_SELLER_CONFIRM_GOODS": RefundStatus.REQUESTED,
    "SUCCESS": RefundStatus.REFUNDED,
}

_REFUND_MEANS: Final = {
    OrderStatus.CANCELLED: RefundStatus.REFUNDED,
    OrderStatus.TO_SHIP: RefundStatus.NONE,
    OrderStatus.PART_SHIPPED: RefundStatus.NONE,
    OrderStatus.SHIPPED: RefundStatus.NONE,
    OrderStatus.COMPLETED: RefundStatus.NONE,
}

_MARKS: Final = ("f_type", "timing_promise", "promise_service", "inv_type", "store_code")

_mark_values = attrgetter(*_MARKS)

_ID: Final = re.compile(r"[1-9]\d{0,19}", re.ASCII)
_ID_SEPARATORS: Final = re.compile(r"[\s,;\[\]\"]+")

Named = Sequence[tuple[str, SubOrder]]
"""The sub-orders with their ids."""


class TradeFacts(NamedTuple):
    """What the trade says for all its lines."""

    status: OrderStatus
    part_shipped: bool  # the trade itself says that a part of it has left
    virtual: bool  # nothing to pick: a code, a top-up
    tags: Mapping[str, Sequence[str]]  # the logistics service words, by line


def id_of(*forms: Any) -> str:
    """The first form of an id that is one: a whole number, as text or as number. "" for none. Blanks are cut.

    As a number it passes 2^53, and what went through a float has lost digits.
    """
    for form in forms:
        if type(form) is str and form.isdecimal() and form.isascii() and len(form) < 20 and form[0] != "0":
            return form  # nearly every id, in half the time of the pattern
        text = str(form).strip() if type(form) in (str, int) else ""
        if _ID.fullmatch(text):
            return text
    return ""


def named_subs(trade: Trade, reading: Reading) -> Named:
    """The sub-orders with their ids: as text, because as numbers they pass 2^53.

    A row with neither id nor pieces is an empty gift and left out. Repeated ids: see Reading.distinct.
    """
    subs = trade.orders.order
    ids = [id_of(sub.oid_str, sub.oid) for sub in subs]
    if "" not in ids and (len(ids) < 2 or len(set(ids)) == len(ids)):
        return list(zip(ids, subs, strict=True))
    kept = []
    for index, (own_id, sub) in enumerate(zip(ids, subs, strict=True)):
        if own_id or sub.num:
            kept.append((required(own_id or None, f"orders.order.{index}.oid"), sub))
        else:
            reading.odd("orders.order")
    return [(own_id, sub) for own_id, (_, sub) in reading.distinct(kept, lambda row: row[0])]


def to_lines(trade: Trade, subs: Named, facts: TradeFacts, reading: Reading) -> tuple[Line, ...]:
    """One line per sub-order, in its order. Raises UnreadablePayload."""
    mains = _mains_of_gifts(subs, reading)
    shares = _shares(trade, [sub for _, sub in subs], reading)
    lines: list[Line] = []
    try:
        for (own_id, sub), share in zip(subs, shares, strict=True):
            lines.append(_line(sub, own_id, share, mains, facts, reading))
    except UnreadablePayload as error:
        raise error.inside(f"orders.order.{len(lines)}") from None
    return without_orphans(tuple(lines)) if mains else tuple(lines)


def service_tags(trade: Trade) -> dict[str, list[str]]:
    """The logistics service words by the line (or trade) they belong to: `lgType=-4;cold=1` is two marks."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    if trade.service_tags is None:
        return found
    for owner in trade.service_tags.logistics_tag or ():
        tags = owner.logistic_service_tag_list
        for tag in (tags.logistic_service_tag if tags else None) or ():
            words = [f"service_type={tag.service_type}"] if tag.service_type else []
            words += [word.strip() for word in (tag.service_tag or "").split(";") if word.strip()]
            found[(owner.order_id or "").strip()] += words
    return found


def _line(
    sub: SubOrder,
    own_id: str,
    paid: int,
    mains: Mapping[str, Sequence[str]],
    facts: TradeFacts,
    reading: Reading,
) -> Line:
    refund = reading.of_part(_REFUND, sub.refund_status, "orders.order.refund_status", _REQUESTED, _REFUND_MEANS)
    if sub.num < 0:
        reject("bad-quantity", "num", PayloadProblem.NEGATIVE_QUANTITY())
    status = _line_status(sub, refund, facts, reading)
    is_gift = is_set(sub.is_free_gift)
    return Line(
        line_id=own_id,
        sku=(sub.outer_sku_id or "").strip() or (sub.outer_iid or "").strip(),
        quantity=0 if status is _CANCELLED else sub.num,
        unit_price=minor_units(sub.price, "price"),
        paid=paid,
        platform_sku=sub.sku_id or id_of(sub.num_iid),
        title=sub.title or "",
        kind=_kind(sub, facts, is_gift),
        status=status,
        refund=refund,
        bound_to=tuple(mains.get(own_id, ())) if is_gift else (),
        marks=_marks(sub, facts.tags.get(own_id, ())),
        parts=_parts(sub.combine_item_info, reading) if sub.combine_item_info else (),
    )


_MOST_PARTS: Final = 100


def _parts(told: Any, reading: Reading) -> tuple[Part, ...]:
    """What a bundle is made of: a list, alone or wrapped into an object with one key. What names no SKU is no part."""
    if isinstance(told, dict) and len(told) == 1:
        told = next(iter(told.values()))
    rows = told if isinstance(told, list) else [told]
    parts = [part for row in rows[:_MOST_PARTS] if (part := _part(row)) is not None]
    if len(parts) < len(rows):
        reading.odd("orders.order.combine_item_info")
    return tuple(parts)


def _part(row: Any) -> Part | None:
    if not isinstance(row, dict):
        return None
    sku = _text(row.get("outer_sku_id")) or _text(row.get("outer_iid"))
    platform_sku = _text(row.get("sku_id")) or _text(row.get("item_id"))
    quantity = count_of(row.get("quantity", 1))
    if not quantity or not (sku or platform_sku):
        return None
    return Part(sku=sku, quantity=quantity, platform_sku=platform_sku)


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _line_status(sub: SubOrder, refund: RefundStatus, facts: TradeFacts, reading: Reading) -> LineStatus:
    if sub.status is None:
        status = _STANDS.get(facts.status, _OPEN)
        if facts.part_shipped:
            reading.hold(HoldCode.LINE_PART_SHIPPED)  # and nothing says which lines those are
    else:
        status = reading.of_part(_STATUS, sub.status, "orders.order.status", _OPEN, _STANDS)
    if not sub.num:
        return _CANCELLED
    if status is _SHIPPED or (status is _OPEN and refund is not _REFUNDED):
        return status
    went = sub.consign_time or sub.invoice_no
    return _SHIPPED if went else _CANCELLED  # refunded after or before it was shipped


def _kind(sub: SubOrder, facts: TradeFacts, is_gift: bool) -> LineKind:
    if facts.virtual or is_set(sub.is_service_order):
        return _SERVICE
    return _GIFT if is_gift else _PURCHASE


def _mains_of_gifts(subs: Named, reading: Reading) -> dict[str, list[str]]:
    """The main lines of each gift line: the gift names its main lines, and a main line names its gifts."""
    mains: dict[str, list[str]] = {}
    for own_id, sub in subs:
        if not sub.gift_mids:
            continue
        for other in _split_ids(sub.gift_mids, reading):
            gift, main = (own_id, other) if is_set(sub.is_free_gift) else (other, own_id)
            bound = mains.setdefault(gift, [])
            if main not in bound:
                bound.append(main)
    return mains


def _split_ids(value: Any, reading: Reading) -> list[str]:
    """Several ids: a JSON list, its text, or joined by commas (which of them is not documented)."""
    told = value if isinstance(value, list) else [value]
    ids = [str(each) for each in told if isinstance(each, int | str) and not isinstance(each, bool)]
    if len(ids) < len(told):
        reading.odd("orders.order.gift_mids")
    return [part for part in _ID_SEPARATORS.split(",".join(ids)) if part]


def _marks(sub: SubOrder, tags: Sequence[str]) -> tuple[str, ...]:
    values = _mark_values(sub)
    marks = [f"{name}={value}" for name, value in zip(_MARKS, values, strict=True) if value] if any(values) else []
    if is_set(sub.is_oversold):
        marks.append("is_oversold")
    return (*marks, *tags)


def _shares(trade: Trade, subs: Sequence[SubOrder], reading: Reading) -> list[int]:
    """What was paid for each line. The platform's own figure, or our split of the payment less postage."""
    own = [sub.divide_order_fee for sub in subs]
    if None not in own:
        return _fen_of_each(own)
    weights = []
    for index, sub in enumerate(subs):
        price = minor_units(sub.price, f"orders.order.{index}.price")
        off = reading.optional_money(sub.discount_fee, "orders.order.discount_fee")
        weights.append(max(0, price * sub.num - off))
    postage = reading.optional_money(trade.post_fee, "post_fee")
    return share_out(max(0, minor_units(trade.payment, "payment") - postage), weights)


def _fen_of_each(amounts: Sequence[str | None]) -> list[int]:
    read: list[int] = []
    try:
        for amount in amounts:
            read.append(minor_units(amount, "divide_order_fee") if amount else 0)  # noqa: PERF401  # one by one: the error below names how far it came
    except UnreadablePayload as error:
        raise error.inside(f"orders.order.{len(read)}") from None
    return read
