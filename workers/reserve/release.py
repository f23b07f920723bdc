"""An order that is not to ship, now or at all: it keeps its stock until a person has looked, or gives it back. Pure."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from schemas.codes import HoldCode
from schemas.record import changed
from workers.inventory.availability import missing
from workers.inventory.operations.reserve import Taking
from workers.inventory.operations.steps import Step
from workers.inventory.records import (
    Answer,
    Holdings,
    OrderState,
    Quantities,
    ReservationState,
)
from workers.reserve.claimed import ClaimedOrder, Steps, WorkflowResult, is_deleted
from workers.reserve.result import Result


def keep(claimed: ClaimedOrder) -> Steps:
    """Whatever it has, it keeps; paid stock is not swept. A warehouse that was told to ship is told to stop."""
    kept: Holdings = {}
    if HoldCode.BALANCE_OPEN in claimed.planned.plan.hold_codes:
        yield from _add(claimed)
    for warehouse, quantities in claimed.holdings.items():
        taking = Taking.STOP if claimed.answers(warehouse) else Taking.KEEP
        [answer] = yield [claimed.take(warehouse, quantities, taking)]
        if claimed.taken(answer):
            kept[warehouse] = quantities
    state = OrderState.NOTHING
    if kept:
        state = OrderState.COMMITTED if claimed.state is ReservationState.COMMITTED else OrderState.HELD
    return WorkflowResult(state=state, holdings=kept, routed={}, result=Result(told=claimed.cancels([])))


def _add(claimed: ClaimedOrder) -> Generator[Sequence[Step], Sequence[Answer], None]:
    """What was added to a paid order is kept with the rest while the buyer owes the difference: all or none of it.

    Only where the order has stock: a claim that dies is looked for there.
    """
    has: dict[str, int] = {}
    for quantities in claimed.holdings.values():
        for sku, units in quantities.items():
            has[sku] = has.get(sku, 0) + units
    added = missing(claimed.quantities, has)
    for warehouse, quantities in list(claimed.holdings.items()) if added else ():
        more = {sku: quantities.get(sku, 0) + added.get(sku, 0) for sku in (*quantities, *added)}
        [answer] = yield [claimed.take(warehouse, more, Taking.GROW)]
        if claimed.taken(answer):
            claimed.holdings[warehouse] = more
            return


def keep_for_a_person(claimed: ClaimedOrder, rest: Quantities) -> Steps:
    """Once a part has left, the rest is a parcel more than the buyer was told of: only the seller can say."""
    kept = yield from keep(claimed)
    result = changed(kept.result, partly_shipped=True, missing=rest)
    return changed(kept, state=OrderState.PARTLY_SHIPPED, result=result)


def all_left(claimed: ClaimedOrder) -> Steps:
    """All that is wanted has left: nothing more is told, and what is reserved goes back or waits for an answer."""
    waiting = yield from claimed.leave_all_but([])
    state = OrderState.STOPPING if waiting else OrderState.SHIPPED
    return WorkflowResult(state=state, holdings=waiting, routed={}, result=Result())


def release(claimed: ClaimedOrder) -> Steps:
    """It is not to ship at all: warehouses are told to stop, and all stock goes back once they have."""
    waiting = yield from claimed.leave_all_but([])
    state = OrderState.STOPPING if waiting else OrderState.RELEASED
    result = Result(told=claimed.cancels([]))
    if is_deleted(claimed.order) and (
        claimed.left or waiting or any(where in claimed.silent for where in claimed.told)
    ):
        result = changed(result, deleted=True)
    return WorkflowResult(state=state, holdings=waiting, routed={}, result=result)
