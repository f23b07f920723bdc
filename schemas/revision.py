"""Which of two descriptions of one order is newer.

Platforms stamp orders to the second, and some leave the stamp alone when a part is refunded or an item edited. So a
revision is the modify time, then a rank that lets bad news win a tie, then when we received it, then a digest of what
it says. It compares as text, in Lua as in Python. See ops/docs/decisions/0018.
"""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Final, NamedTuple

from schemas.codes import HoldCode
from schemas.order import LineStatus, Order, OrderStatus, PaymentStatus, RefundStatus
from schemas.record import encode

_what_it_says = attrgetter(*(each.name for each in fields(Order) if each.name not in ("revision", "source")))

MOST_EDITIONS: Final = 999
"""So many states of an order may share a modify time: the next one is a second later, 1,000 milliseconds."""

MOST_TRIES: Final = 999

MOST_OWN_TRIES: Final = 799
"""So often the fleet tries an order again by itself: what people decide must be possible after that, too."""

# An attribute of an enumeration costs ten times a global.
_OPEN, _CANCELLED = LineStatus.OPEN, LineStatus.CANCELLED
_NOT_REFUNDED, _REFUND_REQUESTED = RefundStatus.NONE, RefundStatus.REQUESTED
_DEPOSIT_PAID, _ON_HOLD = PaymentStatus.DEPOSIT_PAID, OrderStatus.ON_HOLD
_NOT_PAID = (PaymentStatus.UNPAID, PaymentStatus.DEPOSIT_PAID)

_PROGRESS = {
    OrderStatus.AWAITING_PAYMENT: 0,  # 1 once the deposit is paid
    OrderStatus.ON_HOLD: 2,  # while it cannot be shipped yet; stopped, it is as far as one that is partly shipped
    OrderStatus.TO_SHIP: 3,
    OrderStatus.PART_SHIPPED: 4,
    OrderStatus.SHIPPED: 5,
    OrderStatus.COMPLETED: 6,
    OrderStatus.CANCELLED: 7,
}
_STOPPED: Final = 4
_STILL_COMING: Final = frozenset({HoldCode.GROUP_INCOMPLETE, HoldCode.IN_PROCESS})
"""Holds that only come before the order is to be shipped: with any other one, it is stopped."""
_WAITS_FOR_PAYMENT: Final = _STILL_COMING | {HoldCode.ON_HOLD, HoldCode.FINAL_PAYMENT_OPEN}
"""The same, while it is not paid."""

_MOST_STOPS: Final = 999  # of a hold: it stops every line
_MOST_UNITS: Final = 9_999_999
_MOST_MS: Final = 10**14 - 1
_RECEIVED: Final = slice(28, 42)  # of the text: when it was received, ms since 1970
_STATE = re.compile(r"(\d+)\.[\d.]+\.([0-9a-f]+)(?:\+\d+)?", re.ASCII)


def revision_of(order: Order) -> str:
    """`<modified, ms>.<progress><stops><units>.<received, ms>.<digest>`; the order's own `revision` does not count.

    `stops`: lines that are cancelled or refunded, 999 for an order on hold; `units`: 9999999 less those still to be
    shipped, so that fewer are greater; `received`: when we received it, 0 when that is not known (yet: `received`).
    """
    stamp, progress = int(order.modified_at.timestamp() * 1000), _PROGRESS[order.status]
    stops = units = 0
    for line in order.lines:
        refund, is_open = line.refund, line.status is _OPEN
        if is_open and refund is _NOT_REFUNDED:
            units += line.quantity
            continue
        if refund is not _NOT_REFUNDED or line.status is _CANCELLED:
            stops += 1
        if is_open and refund is not _REFUND_REQUESTED:
            units += line.quantity
    if order.status is _ON_HOLD:
        if _is_stopped(order):
            progress, stops = _STOPPED, _MOST_STOPS
    elif not progress:
        progress = int(order.payment is _DEPOSIT_PAID)
    rank = f"{progress}{min(stops, _MOST_STOPS):03d}{max(_MOST_UNITS - units, 0):07d}"
    digest = blake2b(encode(_what_it_says(order)), digest_size=6).hexdigest()
    revision = f"{stamp:015d}.{rank}.{0:014d}.{digest}"
    return received(revision, order.source.received_at) if order.source.received_at is not None else revision


def _is_stopped(order: Order) -> bool:
    """Whether a hold came after the order could have been shipped, as far as can be told."""
    if order.payment in _NOT_PAID:
        return not _WAITS_FOR_PAYMENT.issuperset(order.holds)
    return not order.holds or not _STILL_COMING.issuperset(order.holds)


def received(revision: str, at: datetime) -> str:
    """The revision of what was received at this time."""
    return f"{revision[: _RECEIVED.start]}{_milliseconds(at)}{revision[_RECEIVED.stop :]}"


@lru_cache(256)  # the orders of one page were received together
def _milliseconds(at: datetime) -> str:
    return f"{min(max(int(at.timestamp() * 1000), 0), _MOST_MS):014d}"


def is_same_state(one: str, other: str) -> bool:
    """Whether both are of one description: the same modify time and the same digest, whenever it was received."""
    first, second = _STATE.fullmatch(one), _STATE.fullmatch(other)
    return first is not None and second is not None and first.groups() == second.groups()


class Newest(NamedTuple):
    """The newest of an order's revisions, and the last one that said the same: how `claim.lua` decides."""

    revision: str = ""  # of the state that is in force, as it first came or was last tried again
    seen: str = ""  # the newest that repeated it; "" when none did

    def after(self, revision: str) -> Newest:
        """What is in force once this one came, too: itself when it is older, or says nothing new."""
        if revision <= self.revision:
            return self
        same = is_same_state(revision, self.revision)
        if same and tries_of(revision):
            return Newest(revision, self.seen)
        if revision <= self.seen:
            return self
        return Newest(self.revision, revision) if same else Newest(revision)


def retry_of(revision: str) -> str:
    """The next try of a revision: newer than it and its earlier tries, older than every newer state of the order.

    `<revision>+<number of the try, 3 digits>`. Raises ValueError after 999 tries.
    """
    original, _, number = revision.partition("+")
    tries = int(number or 0) + 1
    if tries > MOST_TRIES:
        raise ValueError(f"{original} was tried {MOST_TRIES} times")
    return f"{original}+{tries:03d}"


def decided_try_of(revision: str) -> str:
    """The try of a revision under which it is decided anew because a person said so.

    It skips one: that number the fleet may be giving at this moment to a try that knows nothing of the decision, and
    two tries of one number would be taken for one. Raises ValueError after 999 tries.
    """
    return retry_of(retry_of(revision))


def tries_of(revision: str) -> int:
    """How often a revision was tried again: 0 for what a platform said itself."""
    return int(revision.partition("+")[2] or 0)


def modified_at_of(revision: str) -> datetime:
    """The modify time that a revision begins with."""
    return datetime.fromtimestamp(int(revision[:15]) / 1000, UTC)
