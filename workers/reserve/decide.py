"""What to ask the ledger for an order, and what follows from its answers. Pure.

`reservation_workflow` is a generator: it yields steps for the ledger, is sent the answers, and returns how the order
ended. So many orders can walk side by side, with one round trip for all of them at each pace.
"""

from __future__ import annotations

from collections.abc import Collection

from schemas.plan import Disposition, PlannedOrder
from workers.inventory.availability import missing, wanted
from workers.inventory.operations.claim import Claim
from workers.inventory.records import Holdings, Quantities
from workers.reserve.claimed import (
    ClaimedOrder,
    Steps,
    is_deleted,
    pays,
    told_now,
)
from workers.reserve.place import place
from workers.reserve.release import all_left, keep, keep_for_a_person, release
from workers.reserve.revise import ignore, revise


def told_before(planned: PlannedOrder, claim: Claim) -> list[str]:
    """The warehouses that were told to ship the order once and are not any more: goods may have left them.

    Of an order that was deleted, all that were ever told.
    """
    if is_deleted(planned.order):
        return list(claim.told)
    if planned.plan.disposition is not Disposition.RESERVE:
        return []
    return [warehouse for warehouse in claim.told if warehouse not in told_now(planned, claim)]


def reservation_workflow(
    planned: PlannedOrder,
    claim: Claim,
    holdings: Holdings,
    hold_seconds: float,
    silent: Collection[str] = (),
    left: Quantities | None = None,
) -> Steps:
    """The way of one claimed order through the ledger. `holdings`: what it has now, wherever. Raises ClaimSuperseded.

    `silent`: warehouses whose WMS never answers; everywhere else, units that a WMS was told of wait for its word.
    `left`: units that have left the warehouses of `told_before`.
    """
    claimed = ClaimedOrder(planned, claim, holdings, hold_seconds, silent, left or {})
    match planned.plan.disposition:
        case Disposition.RESERVE:
            return _reserve(claimed) if claimed.quantities else release(claimed)
        case Disposition.REVIEW | Disposition.DEFER:
            return keep(claimed)
        case Disposition.RELEASE:
            return release(claimed)
        case Disposition.IGNORE:
            return ignore(claimed)


def _reserve(claimed: ClaimedOrder) -> Steps:
    """Where a WMS has the order already it stays; else the first candidate that has it all takes it."""
    if claimed.left:
        nobodys = [line for line in claimed.lines if not claimed.owner_of(line)]
        if rest := missing(wanted(nobodys), claimed.left):
            return keep_for_a_person(claimed, rest)
        claimed.lines = tuple(line for line in claimed.lines if claimed.owner_of(line))
        if not claimed.told:
            return all_left(claimed)
    if claimed.told:
        return revise(claimed) if pays(claimed.order) else keep(claimed)
    return place(claimed)
