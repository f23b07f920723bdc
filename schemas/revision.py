"""Which of two descriptions of one order is newer.

Platforms stamp orders to the second, and an order can be placed and paid within one. So a revision is the modify time,
then how far the order has come, then a digest of what it says: it compares as text, in Lua as in Python.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from hashlib import blake2b
from operator import attrgetter
from typing import Final

from schemas.order import LineStatus, Order, OrderStatus, PaymentStatus, RefundStatus
from schemas.record import encode

_what_it_says = attrgetter(*(each.name for each in fields(Order) if each.name not in ("revision", "source")))

MOST_TRIES: Final = 999

# An attribute of an enumeration costs ten times a global.
_CANCELLED, _NOT_REFUNDED, _DEPOSIT_PAID = LineStatus.CANCELLED, RefundStatus.NONE, PaymentStatus.DEPOSIT_PAID

_PROGRESS = {
    OrderStatus.AWAITING_PAYMENT: 0,  # 1 once the deposit is paid
    OrderStatus.ON_HOLD: 2,
    OrderStatus.TO_SHIP: 3,
    OrderStatus.PART_SHIPPED: 4,
    OrderStatus.SHIPPED: 5,
    OrderStatus.COMPLETED: 6,
    OrderStatus.CANCELLED: 7,
}


def revision_of(order: Order) -> str:
    """`<modified, ms>.<progress><refunded lines>.<digest>`; the order's own `revision` and `source` do not count."""
    stamp = int(order.modified_at.timestamp() * 1000)
    settled = len([line for line in order.lines if line.status is _CANCELLED or line.refund is not _NOT_REFUNDED])
    progress = _PROGRESS[order.status] or int(order.payment is _DEPOSIT_PAID)
    digest = blake2b(encode(_what_it_says(order)), digest_size=6).hexdigest()
    return f"{stamp:015d}.{progress}{min(settled, 999):03d}.{digest}"


def retry_of(revision: str) -> str:
    """The next try of a revision: newer than it and its earlier tries, older than every newer state of the order.

    `<revision>+<number of the try, 3 digits>`. Raises ValueError after 999 tries.
    """
    original, _, number = revision.partition("+")
    tries = int(number or 0) + 1
    if tries > MOST_TRIES:
        raise ValueError(f"{original} was tried {MOST_TRIES} times")
    return f"{original}+{tries:03d}"


def tries_of(revision: str) -> int:
    """How often a revision was tried again: 0 for what a platform said itself."""
    return int(revision.partition("+")[2] or 0)


def modified_at_of(revision: str) -> datetime:
    """The modify time that a revision begins with."""
    return datetime.fromtimestamp(int(revision[:15]) / 1000, UTC)
