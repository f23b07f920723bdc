"""An order that warehouses were told to ship says something new: they go on having it, and are told. Pure."""

from __future__ import annotations

from collections.abc import Collection

from schemas.fulfillment import InstructionKind
from schemas.order import Line, lines_that_stay
from workers.inventory.availability import missing, wanted
from workers.inventory.operations.release import Giving, ReleaseOutcome
from workers.inventory.operations.reserve import ReserveOutcome, Taking
from workers.inventory.records import (
    Holdings,
    OrderState,
)
from workers.reserve.claimed import ClaimedOrder, Steps, WorkflowResult, instruction_of
from workers.reserve.place import placed
from workers.reserve.result import Instruction, Result


def revise(claimed: ClaimedOrder) -> Steps:
    """The warehouses that were told have it, and go on having it: to ship it from two would be worse than late.

    What a change leaves out stays reserved until the WMS says that it follows: it may have left already.
    """
    way = {warehouse: lines for warehouse, lines in _as_told(claimed).items() if lines}
    still: dict[str, tuple[Line, ...]] = {}
    for warehouse, lines in way.items():
        [answer] = yield [claimed.take(warehouse, wanted(lines), claimed.taking(warehouse))]
        if answer.outcome is ReserveOutcome.INSUFFICIENT:
            return (yield from _cannot_add(claimed, missing(wanted(lines), answer.quantities)))
        if claimed.taken(answer):
            still[warehouse] = lines
    waiting = yield from claimed.leave_all_but(list(way))
    return placed(claimed, still, waiting, gone=[warehouse for warehouse in way if warehouse not in still])


def _as_told(claimed: ClaimedOrder) -> dict[str, tuple[Line, ...]]:
    """The lines as the warehouses were told of them; a line that nobody was told of goes to the first."""
    lines_of: dict[str, list[Line]] = {warehouse: [] for warehouse in claimed.told}
    first = next(iter(claimed.told))
    for line in claimed.lines:
        lines_of[claimed.owner_of(line) or first].append(line)
    return {warehouse: tuple(lines) for warehouse, lines in lines_of.items()}


def _cannot_add(claimed: ClaimedOrder, short: dict[str, int]) -> Steps:
    """The change asks for more than there is: what the warehouses have goes on as it was, and a person is told."""
    for warehouse, quantities in claimed.holdings.items():
        [answer] = yield [claimed.take(warehouse, quantities, Taking.KEEP)]
        claimed.taken(answer)
    result = Result(backordered=True, missing=short)
    routed = dict(claimed.claim.routed)
    return WorkflowResult(state=OrderState.COMMITTED, holdings=dict(claimed.holdings), routed=routed, result=result)


def ignore(claimed: ClaimedOrder) -> Steps:
    """Nothing is left for us to ship: a mere hold goes back, what is committed is the WMS's business.

    A WMS that still has what was cancelled since is told to leave it out: a platform says of an order that it has
    shipped when a label is printed. Of a WMS that never answers, the platform's word must do. Where no WMS is told to
    ship it (any more), what was kept for a person to decide goes back: it has left from elsewhere, or by hand.
    """
    kept: Holdings = {}
    short: dict[str, int] = {}
    routed, told = dict(claimed.claim.routed), []
    for warehouse, quantities in claimed.holdings.items():
        if warehouse in claimed.told and warehouse in claimed.silent:
            yield [claimed.shipped(warehouse)]
            continue
        less = _told_less(claimed, warehouse)
        if less is None:
            giving = Giving.HELD if warehouse in claimed.told else Giving.ANY
            [answer] = yield [claimed.give_back(warehouse, giving)]
            still = answer.outcome in (ReleaseOutcome.KEPT, ReleaseOutcome.WAITING)
        elif less:
            [answer] = yield [claimed.take(warehouse, wanted(less), Taking.GROW)]
            if answer.outcome is ReserveOutcome.INSUFFICIENT:  # more of another line: it ships as it was told before
                short |= missing(wanted(less), answer.quantities)
                kept[warehouse] = quantities
                continue
            still = claimed.taken(answer)
        else:
            [answer] = yield [claimed.give_back(warehouse, Giving.ASK)]
            still = answer.outcome is ReleaseOutcome.WAITING
        if not still:
            continue
        kept[warehouse] = quantities | wanted(less or ())
        if less:
            routed[warehouse] = now = claimed.instructed(less, claimed.told[warehouse])
            told.append(instruction_of(warehouse, now, is_change=True))
        elif less is not None:
            del routed[warehouse]
            told.append(Instruction(warehouse_id=warehouse, kind=InstructionKind.CANCEL))
    state = OrderState.COMMITTED if kept else OrderState.NOTHING
    result = Result(told=tuple(told), backordered=bool(short), missing=short)
    return WorkflowResult(state=state, holdings=kept, routed=routed, result=result)


def _told_less(claimed: ClaimedOrder, warehouse: str) -> tuple[Line, ...] | None:
    """The lines that this warehouse is still to ship when it was told of more; None when it was not."""
    if not claimed.answers(warehouse):
        return None
    lines = tuple(line for line in lines_that_stay(claimed.order) if claimed.owner_of(line) == warehouse)
    too_many = missing(claimed.told[warehouse].units, wanted(lines))
    return lines if _may_be_left_out(claimed, too_many) else None


def _may_be_left_out(claimed: ClaimedOrder, too_many: Collection[str]) -> bool:
    """Whether a SKU of these is wanted less, or its line is gone; one that a line's new SKU may stand for is not."""
    named = {line.sku for line in claimed.order.lines}
    known = {sku for told in claimed.told.values() for sku in told.units}
    renamed = not named or any(line.sku not in known for line in lines_that_stay(claimed.order))
    return bool(named.intersection(too_many) if renamed else too_many)
