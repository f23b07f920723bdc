"""An order that no warehouse has yet finds its place: the first that has it all, or several that share it. Pure."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from schemas.order import Line
from schemas.plan import OnShort
from workers.inventory.availability import missing, split_plans, wanted
from workers.inventory.operations.release import Giving, ReleaseOutcome
from workers.inventory.operations.reserve import ReserveOutcome
from workers.inventory.operations.steps import Step
from workers.inventory.records import (
    ActiveInstruction,
    Answer,
    Holdings,
    OrderState,
    ReservationState,
)
from workers.reserve.claimed import ClaimedOrder, Steps, WorkflowResult, instruction_of, pays
from workers.reserve.result import Result


def place(claimed: ClaimedOrder) -> Steps:
    """The first candidate that has it all takes it; else those that have it together; else it is short."""
    for warehouse in _candidates(claimed):
        [answer] = yield [claimed.take(warehouse, claimed.quantities, claimed.taking(warehouse))]
        if claimed.taken(answer):
            waiting = yield from claimed.leave_all_but([warehouse])
            return placed(claimed, {warehouse: claimed.lines}, waiting)
        if answer.outcome is ReserveOutcome.SHIPPED:
            return WorkflowResult(state=OrderState.SHIPPED, holdings={}, routed={}, result=Result())
        claimed.available[warehouse] = answer.quantities
    if claimed.planned.plan.on_short is OnShort.SPLIT:
        split = yield from _split(claimed)
        if split is not None:
            return split
    waiting = yield from claimed.leave_all_but([])
    return _short(claimed, waiting)


def _candidates(claimed: ClaimedOrder) -> list[str]:
    """Where to ask, best first; a warehouse that has the order already comes before all others."""
    plan = claimed.planned.plan
    named = [candidate.warehouse_id for candidate in plan.candidates if candidate.warehouse_id not in plan.gave_up]
    return sorted(named, key=lambda warehouse: warehouse not in claimed.holdings)


def _split(claimed: ClaimedOrder) -> Generator[Sequence[Step], Sequence[Answer], WorkflowResult | None]:
    for way in split_plans(claimed.lines, claimed.available):
        taken: dict[str, Giving] = {}
        for warehouse, lines in way.items():
            [answer] = yield [claimed.take(warehouse, wanted(lines), claimed.taking(warehouse))]
            if not claimed.taken(answer):
                break
            taken[warehouse] = Giving.ASK if answer.stop else Giving.ANY  # it may be packing what it was told before
        if len(taken) == len(way):
            waiting = yield from claimed.leave_all_but([*taken])
            return placed(claimed, way, waiting)
        for warehouse, giving in taken.items():
            [answer] = yield [claimed.give_back(warehouse, giving)]
            if answer.outcome is not ReleaseOutcome.WAITING:
                claimed.holdings.pop(warehouse, None)
    return None


def placed(
    claimed: ClaimedOrder, way: Mapping[str, Sequence[Line]], waiting: Holdings, gone: Sequence[str] = ()
) -> WorkflowResult:
    """`gone`: warehouses that have shipped all. They stay told, or another would be told to ship it, too."""
    holdings = waiting | {warehouse: wanted(lines) for warehouse, lines in way.items()}
    if claimed.state is ReservationState.HELD:
        return WorkflowResult(
            state=OrderState.HELD, holdings=holdings, routed={}, result=Result(told=claimed.cancels([]))
        )
    told, routed = [], {warehouse: claimed.told[warehouse] for warehouse in gone}
    for number, (warehouse, lines) in enumerate(way.items(), start=1):
        before = claimed.told.get(warehouse)
        parcel = before or ActiveInstruction(digest="", parcel=number, parcels=len(way))
        routed[warehouse] = now = claimed.instructed(lines, parcel)
        if before is None or before.digest != now.digest:
            told.append(instruction_of(warehouse, now, is_change=before is not None))
    result = Result(told=(*told, *claimed.cancels([*way, *gone])))
    state = OrderState.COMMITTED if way else OrderState.SHIPPED
    return WorkflowResult(state=state, holdings=holdings, routed=routed, result=result)


def _short(claimed: ClaimedOrder, waiting: Holdings) -> WorkflowResult:
    candidates = [c for c in claimed.planned.plan.candidates if c.warehouse_id not in claimed.planned.plan.gave_up]
    shortages = [missing(claimed.quantities, available) for available in claimed.available.values()]
    short = min(shortages, key=lambda units: sum(units.values()), default=claimed.quantities)
    told = claimed.cancels([])
    if claimed.planned.plan.on_short is OnShort.TRANSFER and candidates and pays(claimed.order):
        to = candidates[0].warehouse_id
        short = missing(claimed.quantities, claimed.available.get(to, {}))
        giver = next((w for w, there in claimed.available.items() if w != to and not missing(short, there)), "")
        result = Result(told=told, missing=short, transfer_to=to, transfer_from=giver)
        return WorkflowResult(state=OrderState.AWAITING_TRANSFER, holdings=waiting, routed={}, result=result)
    late = claimed.claim.state is OrderState.EXPIRED and pays(claimed.order)
    result = Result(told=told, backordered=True, missing=short, after_expiry=late)
    return WorkflowResult(state=OrderState.BACKORDERED, holdings=waiting, routed={}, result=result)
