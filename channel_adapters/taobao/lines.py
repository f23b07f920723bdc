"""From the sub-orders of a Taobao trade to our lines. Status words: TOP docs, order and refund status tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final

from channel_adapters.contract import UnreadablePayload
from channel_adapters.reading import choose, minor_units, refuse, required, share_out
from channel_adapters.taobao.wire import Flag, Id, Listed, Money, SubOrder, T, Trade
from schemas.order import Line, LineKind, LineStatus, RefundStatus

# An attribute of an enumeration costs ten times a global.
_OPEN, _SHIPPED, _CANCELLED = LineStatus.OPEN, LineStatus.SHIPPED, LineStatus.CANCELLED
_PURCHASE, _GIFT, _SERVICE = LineKind.PURCHASE, LineKind.GIFT, LineKind.SERVICE
_REFUNDED = RefundStatus.REFUNDED

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

_VIRTUAL_TYPES: Final = frozenset({"eticket", "auto_delivery"})

_MARKS: Final = ("f_type", "timing_promise", "promise_service", "inv_type", "store_code")

_mark_values = attrgetter(*_MARKS)

_ID_SEPARATORS: Final = re.compile(r"[\s,;\[\]\"]+")


def to_lines(trade: Trade, subs: Sequence[SubOrder], tags: Mapping[str, Sequence[str]]) -> tuple[Line, ...]:
    """One line per sub-order, in its order. Raises UnreadablePayload."""
    ids = [line_id(sub, index) for index, sub in enumerate(subs)]
    mains = _mains_of_gifts(subs, ids)
    shares = _shares(trade, subs)
    lines: list[Line] = []
    try:
        for sub, own_id, share in zip(subs, ids, shares, strict=True):
            lines.append(_line(trade, sub, own_id, share, mains, tags))
    except UnreadablePayload as error:
        raise error.inside(f"orders.order.{len(lines)}") from None
    return tuple(lines)


def line_id(sub: SubOrder, index: int) -> str:
    """The sub-order's id as text: as a number it passes 2^53."""
    return sub.oid_str or str(required(sub.oid, f"orders.order.{index}.oid"))


def sub_orders(trade: Trade) -> Sequence[SubOrder]:
    """The lines as they came; none when the trade was asked for without them."""
    lines = None if trade.orders is None else trade.orders.order
    if isinstance(lines, list):
        return lines
    return [] if lines is None else [lines]


def listed(value: Listed[T]) -> Sequence[T]:
    """The elements of a list that may be missing, or one element standing alone."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def is_set(flag: Flag) -> bool:
    """Whether a flag is raised: as true, as a number, or as text."""
    return bool(flag) and flag not in ("0", "false")


def fen(value: Money | None, where: str) -> int:
    """An amount that may be missing or blank, in fen."""
    return 0 if value is None or value in ("0.00", "") else minor_units(value, where)


def fen_of_each(amounts: Sequence[Money | None], field: str) -> list[int]:
    """The same of each line: `field` is what holds them."""
    read: list[int] = []
    try:
        for amount in amounts:
            read.append(fen(amount, field))  # noqa: PERF401  # one by one: the error below names how far it came
    except UnreadablePayload as error:
        raise error.inside(f"orders.order.{len(read)}") from None
    return read


def service_tags(trade: Trade) -> dict[str, list[str]]:
    """The logistics service words by the line (or trade) they belong to: `lgType=-4;cold=1` is two marks."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    if trade.service_tags is None:
        return found
    for owner in listed(trade.service_tags.logistics_tag):
        tags = owner.logistic_service_tag_list
        for tag in listed(tags.logistic_service_tag if tags else None):
            words = [f"service_type={tag.service_type}"] if tag.service_type else []
            words += [word.strip() for word in (tag.service_tag or "").split(";") if word.strip()]
            found["" if owner.order_id is None else str(owner.order_id)] += words
    return found


def _line(
    trade: Trade,
    sub: SubOrder,
    own_id: str,
    paid: int,
    mains: Mapping[str, Sequence[str]],
    tags: Mapping[str, Sequence[str]],
) -> Line:
    refund = choose(_REFUND, sub.refund_status, "refund_status")
    status = _line_status(trade, sub, refund)
    is_gift = is_set(sub.is_free_gift)
    if sub.num < 0:
        refuse("bad-quantity", "num", "is negative", "数量为负数")
    return Line(
        line_id=own_id,
        sku=(sub.outer_sku_id or "").strip() or (sub.outer_iid or "").strip(),
        quantity=0 if status is _CANCELLED else sub.num,
        unit_price=minor_units(sub.price, "price"),
        paid=paid,
        platform_sku=str(sub.sku_id or sub.num_iid or ""),
        title=sub.title or "",
        kind=_kind(trade, sub, is_gift),
        status=status,
        refund=refund,
        bound_to=tuple(mains.get(own_id, ())) if is_gift else (),
        marks=_marks(sub, tags.get(own_id, ())),
    )


def _line_status(trade: Trade, sub: SubOrder, refund: RefundStatus) -> LineStatus:
    word = sub.status
    if word is None:
        if trade.status == "SELLER_CONSIGNED_PART":
            en = "is missing, so which lines were shipped is unknown"
            refuse("missing-field", "status", en, "缺少此字段，无法判断哪些行已发货")
        word = trade.status
    status = choose(_STATUS, word, "status")
    if status is _SHIPPED or (status is _OPEN and refund is not _REFUNDED):
        return status
    went = sub.consign_time or sub.invoice_no
    return _SHIPPED if went else _CANCELLED  # refunded after or before it was shipped


def _kind(trade: Trade, sub: SubOrder, is_gift: bool) -> LineKind:
    if trade.type in _VIRTUAL_TYPES or is_set(sub.is_service_order):
        return _SERVICE
    return _GIFT if is_gift else _PURCHASE


def _mains_of_gifts(subs: Sequence[SubOrder], ids: Sequence[str]) -> dict[str, list[str]]:
    """The main lines of each gift line: the gift names its main lines, and a main line names its gifts."""
    mains: dict[str, list[str]] = {}
    for sub, own_id in zip(subs, ids, strict=True):
        if sub.gift_mids is None:
            continue
        for other in _split_ids(sub.gift_mids):
            gift, main = (own_id, other) if is_set(sub.is_free_gift) else (other, own_id)
            bound = mains.setdefault(gift, [])
            if main not in bound:
                bound.append(main)
    return mains


def _split_ids(value: Id | list[Id]) -> list[str]:
    """Several ids: a JSON list, its text, or joined by commas (which of them is not documented)."""
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return [part for part in _ID_SEPARATORS.split(text) if part]


def _marks(sub: SubOrder, tags: Sequence[str]) -> tuple[str, ...]:
    values = _mark_values(sub)
    marks = [f"{name}={value}" for name, value in zip(_MARKS, values, strict=True) if value] if any(values) else []
    if is_set(sub.is_oversold):
        marks.append("is_oversold")
    return (*marks, *tags)


def _shares(trade: Trade, subs: Sequence[SubOrder]) -> list[int]:
    """What was paid for each line. The platform's own figure, or our split of the payment less postage."""
    own = [sub.divide_order_fee for sub in subs]
    if None not in own:
        return fen_of_each(own, "divide_order_fee")
    weights = []
    for index, sub in enumerate(subs):
        where = f"orders.order.{index}."
        price = minor_units(sub.price, where + "price")
        weights.append(max(0, price * sub.num - fen(sub.discount_fee, where + "discount_fee")))
    return share_out(max(0, minor_units(trade.payment, "payment") - fen(trade.post_fee, "post_fee")), weights)
