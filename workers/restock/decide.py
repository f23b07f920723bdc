"""Which waiting orders can be filled from what is there now, and what is said about them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from schemas.codes import HoldCode, PlanReason
from schemas.plan import MOST_RETURNS, PlannedOrder, ReviewOrder, to_review
from schemas.revision import MOST_OWN_TRIES, retry_of, tries_of
from workers.inventory.availability import missing, warehouse_assignments
from workers.inventory.waiting import Waiting

REVIEW_CODE: Final = HoldCode.RESTOCK_GAVE_UP


class StockAllocator:
    """What is available, handed out to orders in the order in which they are offered: the oldest first.

    So a younger order gets only what no older one that can be filled needs. `available`: (warehouse, SKU) -> units.
    """

    def __init__(self, available: Mapping[tuple[str, str], int]) -> None:
        self._left: dict[str, dict[str, int]] = {}
        for (warehouse, sku), units in available.items():
            if units > 0:
                self._left.setdefault(warehouse, {})[sku] = units

    @property
    def is_empty(self) -> bool:
        """Nothing is left to hand out."""
        return not self._left

    def allocate(self, entry: Waiting) -> tuple[str, ...]:
        """Set the units aside that the order needs. The warehouses they are in; () when they are not there."""
        found = self._homes(entry, entry.warehouses) or self._homes(entry, (*entry.warehouses, *entry.gave_up))
        parcels = (entry.needs,) if len(found) == 1 else entry.parcels
        for warehouse, units in zip(found, parcels, strict=False):
            self._take(warehouse, units)
        return tuple(dict.fromkeys(found))

    def _homes(self, entry: Waiting, warehouses: Sequence[str]) -> tuple[str, ...]:
        stocked = [warehouse for warehouse in warehouses if warehouse in self._left]
        for warehouse in stocked:
            if not missing(entry.needs, self._left[warehouse]):
                return (warehouse,)
        if len(entry.parcels) < 2:
            return ()
        return next(
            warehouse_assignments(entry.parcels, {warehouse: self._left[warehouse] for warehouse in stocked}), ()
        )

    def _take(self, warehouse: str, units: Mapping[str, int]) -> None:
        left = self._left[warehouse]
        for sku, quantity in units.items():
            left[sku] -= quantity
            if not left[sku]:
                del left[sku]
        if not left:
            del self._left[warehouse]


def word_of(entry: Waiting, warehouses: Sequence[str], planned: PlannedOrder) -> PlannedOrder | ReviewOrder:
    """The order's next try, on which it may go to any of its candidates; after too many, a case for a person.

    `warehouses`: where its units were set aside. The same for a repeat, byte by byte.
    """
    tries = tries_of(entry.revision)
    returned = [warehouse for warehouse in warehouses if warehouse in entry.gave_up]
    if tries >= MOST_OWN_TRIES:
        return to_review(planned, REVIEW_CODE, PlanReason.STOCK_GONE_AGAIN(tries=tries))
    returns = planned.plan.returns
    if returned and returns >= MOST_RETURNS:
        given_back = PlanReason.STOCK_WHERE_GIVEN_BACK(warehouses=", ".join(returned), returns=returns)
        return to_review(planned, REVIEW_CODE, given_back)
    order = replace(planned.order, revision=retry_of(entry.revision))
    return replace(planned, order=order, plan=replace(planned.plan, gave_up=()))


def is_the_one(planned: PlannedOrder | None, entry: Waiting) -> bool:
    """Whether what stands at the entry's place is the order that waits: a topic may have been made anew."""
    return planned is not None and (planned.order.uid, planned.order.revision) == (entry.order_uid, entry.revision)
