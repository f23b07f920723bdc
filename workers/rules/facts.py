"""What a routing rule may ask about an order, worked out once per order."""

from __future__ import annotations

from datetime import datetime

from schemas.order import Line, Order, PaymentStatus, Privacy, StorageClass
from schemas.plan import TaggedOrder
from workers.rules.region import province_of

_DEPOSIT_PAID, _MISSING = PaymentStatus.DEPOSIT_PAID, Privacy.MISSING
_NOT_PAID = (PaymentStatus.UNPAID, PaymentStatus.DEPOSIT_PAID)


def final_part_unpaid(order: Order) -> bool:
    """Whether only a deposit, or nothing, is paid of a presale."""
    if order.payment is _DEPOSIT_PAID:
        return True
    return order.presale is not None and not order.presale.final_paid


def receiver_to_come(order: Order) -> bool:
    """Whether the platform holds the receiver back until the order is paid, as some do."""
    return order.ship_to.privacy is _MISSING and order.payment in _NOT_PAID


def ships_later(order: Order, at: datetime) -> bool:
    """Whether the platform forbids shipping before a time that is still to come."""
    presale = order.presale
    return presale is not None and presale.ship_not_before is not None and at < presale.ship_not_before


class Facts:
    """One order as rules see it.

    `lines` are those to ship; `at` is when the decision is made: the time of the message, not of the machine.
    """

    __slots__ = ("at", "categories", "lines", "order", "province", "skus", "storages", "tags")

    def __init__(self, tagged: TaggedOrder, at: datetime, lines: tuple[Line, ...]) -> None:
        order = tagged.order
        self.order: Order = order
        self.tags: tuple[str, ...] = tagged.tags
        self.at: datetime = at
        self.lines: tuple[Line, ...] = lines
        self.province: str = province_of(order.ship_to.province, order.ship_to.country)
        self.categories: set[str] = {line.category for line in self.lines}
        self.storages: set[StorageClass] = {line.storage_class for line in self.lines}
        self.skus: set[str] = {line.sku for line in self.lines}
