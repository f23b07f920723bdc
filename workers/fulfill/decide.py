"""What a WMS's answer means for the stock, and what follows for the order. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final

from schemas.codes import Explanation, HoldCode, LetterProblem, PlanReason
from schemas.fulfillment import InstructionKind, WmsEventKind, gives_back, refuses_change
from schemas.plan import (
    MOST_RETURNS,
    Disposition,
    PlannedOrder,
    ReviewOrder,
    RoutingPlan,
    to_review,
)
from schemas.record import changed, encode
from schemas.revision import MOST_OWN_TRIES, retry_of, tries_of
from workers.fulfill.reading import Answered, refuse, refuse_more_than_told
from workers.fulfill.told_anew import follows_anew
from workers.inventory.operations.allocate import Allocate
from workers.inventory.operations.drop_return import DropReturn
from workers.inventory.operations.reserve import Reserve, ReserveOutcome, Taking
from workers.inventory.operations.ship import Ship, ShipOutcome
from workers.inventory.operations.short import Lost as LostUnits
from workers.inventory.operations.short import Short, ShortOutcome
from workers.inventory.operations.stash_return import StashReturn
from workers.inventory.operations.steps import Step
from workers.inventory.operations.withdraw import Withdraw, WithdrawOutcome
from workers.inventory.records import Answer, InstructionStatus, ReservationState

Event = PlannedOrder | ReviewOrder

PATIENCE_MS: Final = 30_000
"""A claim that is open for longer may never be settled: its order was set aside as damaged, say."""

_STALE = (ReserveOutcome.STALE, ShortOutcome.STALE, WithdrawOutcome.STALE)
_FOLLOWS = (WmsEventKind.ACCEPTED, WmsEventKind.PICKED, WmsEventKind.SHIPPED)
_LAST_OF_CLAIM = 999  # a claim's own steps have lower numbers, the next claim's higher ones

_LOST = {"not-there": LostUnits.SHELF, "damaged": LostUnits.UNITS}


class FollowUp(StrEnum):
    """What happens to an order after an answer."""

    DONE = "done"  # nothing
    ANEW = "anew"  # it is placed anew
    ADDRESS = "address"  # a person must see to its address
    CHANGE_REFUSED = "change-refused"  # it ships as it was before; a person must see to it
    NEVER_PACKED = "never-packed"  # it shipped before it was told anew: nobody ships what it was told then


def limited(step: Step, limit: int) -> Step:
    """A shortage writes no shelf off of which more than `limit` units are promised."""
    return step._replace(limit=limit) if isinstance(step, Short) else step


def steps_of(answered: Answered, standing: InstructionStatus) -> list[Step]:
    """What the ledger must note, in order: what a change leaves out is free once the warehouse follows it.

    What a change added is free once it is refused, but for what the shop still wants: a person sees to that. A refused
    cancellation ships as it was told before. Not while the order is at work: who works on it starts over, and the
    warehouse answers what it is told then.
    """
    step = step_of(answered, standing)
    steps = [] if step is None else [step]
    if _follows_anew(answered, standing) and steps:
        return [_shrink(answered, standing, standing.units), *steps]
    ships = [] if standing.at_work else _ships_still(answered, standing)
    return [_shrink(answered, standing, _most([*ships, standing.wants if standing.told else {}]))] if ships else steps


def _follows_anew(answered: Answered, standing: InstructionStatus) -> bool:
    """Whether the warehouse follows what stands, and was told of more before."""
    told_before = standing.sent is not None and len(standing.sent) > 1
    follows = answered.event.kind in _FOLLOWS and answered.instruction is not InstructionKind.CANCEL
    return follows and told_before and bool(standing.units) and counts(answered, standing)


def _ships_still(answered: Answered, standing: InstructionStatus) -> Sequence[Mapping[str, int]]:
    """What the warehouse may ship once it has refused a change or to stop; empty when it has not, or is not known."""
    if refuses_change(answered.event.kind, answered.instruction) and answered.revision in standing.may_ship:
        return [units for revision, units in standing.may_ship.items() if revision != answered.revision]
    stop = answered.event.kind is WmsEventKind.REJECTED and answered.instruction is InstructionKind.CANCEL
    return list(standing.may_ship.values()) if stop and counts(answered, standing) else []


def _most(asked: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {sku: max(units.get(sku, 0) for units in asked) for sku in {sku: None for units in asked for sku in units}}


def _shrink(answered: Answered, standing: InstructionStatus, units: Mapping[str, int]) -> Reserve:
    """Give back what the order has in this warehouse beyond these units; what has left counts as given."""
    return Reserve(
        answered.event.warehouse_id,
        answered.event.order_uid,
        standing.revision,
        standing.fence + _LAST_OF_CLAIM,
        ReservationState.COMMITTED,
        units,
        has=standing.skus,
        taking=Taking.SHRINK,
    )


def step_of(answered: Answered, standing: InstructionStatus) -> Step | None:
    """What the ledger must note; None when an answer moves no stock."""
    event, has = answered.event, standing.skus
    warehouse, uid = event.warehouse_id, event.order_uid
    match event.kind:
        case WmsEventKind.ACCEPTED | WmsEventKind.PICKED:
            return Allocate(warehouse, uid, has) if answered.instruction is not InstructionKind.CANCEL else None
        case WmsEventKind.SHIPPED:
            told = standing.most if event.quantities else _asked(answered, standing)
            return Ship(warehouse, uid, event.message_id, answered.at_ms, event.quantities, has, told)
        case WmsEventKind.CANCELLED:
            return Withdraw(warehouse, uid, _as_of(answered, standing), has)
        case WmsEventKind.SHORT:
            return _short(answered, standing)
        case WmsEventKind.REJECTED:
            return _rejected(answered, standing)


def _short(answered: Answered, standing: InstructionStatus) -> Short:
    event = answered.event
    lost = _LOST.get(event.reason, LostUnits.NONE)
    revision = _as_of(answered, standing)
    has, told, at_ms = standing.skus, _asked(answered, standing), answered.at_ms
    return Short(
        event.warehouse_id, event.order_uid, event.message_id, at_ms, revision, lost, event.quantities, has, told
    )


def _asked(answered: Answered, standing: InstructionStatus) -> Mapping[str, int] | None:
    """The units of the instruction that is answered, None when not known: who names none may not know of a change."""
    return None if answered.instruction is InstructionKind.CANCEL else standing.asked


def _rejected(answered: Answered, standing: InstructionStatus) -> Step | None:
    """A refused cancellation or change takes nothing off: the parcel goes out, and `shipped` will say so."""
    if answered.instruction is not InstructionKind.FULFIL:
        return None
    event = answered.event
    if event.reason in _LOST:
        return _short(answered, standing)
    return Withdraw(event.warehouse_id, event.order_uid, _as_of(answered, standing), standing.skus)


def _as_of(answered: Answered, standing: InstructionStatus) -> str:
    """The revision that the answer is good for: newer ones with nothing new to tell the warehouse are answered, too."""
    return standing.revision if counts(answered, standing) else answered.revision


def counts(answered: Answered, standing: InstructionStatus) -> bool:
    """Whether the answer says what the warehouse does now: nothing newer was told since, or all of that was refused."""
    return standing.counts(answered.revision, cancellation=answered.instruction is InstructionKind.CANCEL)


def overtaken(answered: Answered, standing: InstructionStatus, answers: Sequence[Answer]) -> bool:
    """Whether the order moved on between looking and asking: look again, for which of the two the answer meant."""
    stale = any(answer.outcome in _STALE for answer in answers)
    return stale and counts(answered, standing)


def must_wait(answered: Answered, standing: InstructionStatus, steps: Sequence[Step], now_ms: int) -> bool:
    """Whether to look again in a moment: the answer would take units off an order that is being decided anew just now.

    The warehouse may be told of these very units a moment later, by a change that the answer knows nothing of; if it
    follows the change, it ships what nobody keeps for it. Once that is settled, it shows whether the answer counts.
    """
    takes_off = any(isinstance(step, Short | Reserve) for step in steps)
    open_ms = now_ms - standing.fence // 1000
    return standing.at_work and takes_off and counts(answered, standing) and open_ms < PATIENCE_MS


def follow_up_of(answered: Answered, standing: InstructionStatus, answer: Answer | None) -> FollowUp:
    """What follows.

    Raises PermanentError: nothing-to-ship when all left of an order that never had anything there; more-than-told when
    with what left before it is more than the warehouse was told to ship.
    """
    outcome = answer.outcome if answer is not None else None
    event = answered.event
    if outcome is ShipOutcome.NOTHING_KNOWN:
        refuse(
            "nothing-to-ship",
            "order_uid",
            LetterProblem.NEVER_HAD_STOCK(),
        )
    if outcome is ShipOutcome.MORE_THAN_TOLD:
        refuse_more_than_told()
    if refuses_change(answered.event.kind, answered.instruction):
        return FollowUp.CHANGE_REFUSED
    if not standing.concerns(answered.revision):
        return FollowUp.DONE
    if outcome is WithdrawOutcome.GIVEN_UP and event.reason == "address":
        return FollowUp.ADDRESS
    noted = outcome is ShortOutcome.NOTED or outcome is ShortOutcome.REPEAT  # `in` would take a shipment's REPEAT, too
    return FollowUp.ANEW if noted or outcome is WithdrawOutcome.GIVEN_UP else FollowUp.DONE


def note_of(answered: Answered, standing: InstructionStatus) -> StashReturn | DropReturn | None:
    """What must be remembered with the order, besides the stock.

    What a warehouse gives back when a change has replaced it counts if that change is refused: it may not have been
    read. A warehouse that follows a change means the change from then on, whatever it said before.
    """
    event, revision = answered.event, answered.revision
    if gives_back(answered.event.kind, answered.instruction) and revision in standing.replaced:
        return remembered(answered)
    follows = answered.instruction is InstructionKind.CHANGE and event.kind is not WmsEventKind.REJECTED
    earlier = (*standing.replaced, *(one.revision for one in standing.overtaken))
    if follows and any(one < revision for one in earlier):
        return DropReturn(event.order_uid, event.warehouse_id, revision)
    return follows_anew(answered, standing)


def remembered(answered: Answered) -> StashReturn:
    """The answer, to be remembered until it counts."""
    event = answered.event
    return StashReturn(event.order_uid, event.warehouse_id, answered.revision, event.message_id, encode(event))


def labels_of(answered: Answered, answer: Answer | None) -> tuple[str, str]:
    """Kind and outcome, as metrics count them."""
    if answer is not None and not refuses_change(answered.event.kind, answered.instruction):
        return answered.event.kind.value, answer.outcome.lower().replace("_", "-")
    return answered.event.kind.value, f"{answered.instruction.value}-noted"


def race_of(answered: Answered, answer: Answer | None) -> str:
    """Who won when an order was cancelled that a warehouse had: "intercepted", "too-late", or "" when none raced."""
    if answer is not None and answer.outcome in (WithdrawOutcome.RELEASED, WithdrawOutcome.KEPT):
        return "intercepted"
    refused = answered.event.kind is WmsEventKind.REJECTED and answered.instruction is InstructionKind.CANCEL
    return "too-late" if refused else ""


# -- what the world is told -----------------------------------------------------------------------------------------


def events_of(answered: Answered, follow_up: FollowUp, planned: PlannedOrder, *, shipped: bool) -> list[Event]:
    """The order again, as its newest plan says, less this warehouse; or for a person. The same for a repeat.

    `shipped`: some of the order has left a warehouse already.
    """
    refused = follow_up is FollowUp.CHANGE_REFUSED
    warehouse, disposition = answered.event.warehouse_id, planned.plan.disposition
    if disposition not in (Disposition.RESERVE, Disposition.IGNORE):
        return []
    if refused:
        late = PlanReason.CHANGE_TOO_LATE(warehouse=warehouse)
        return [to_review(planned, HoldCode.WMS_CHANGE_REFUSED, late)]
    if follow_up is FollowUp.ADDRESS:
        return _set_aside(planned, HoldCode.WMS_ADDRESS, PlanReason.ADDRESS_UNUSABLE(warehouse=warehouse))
    gave_up = tuple(dict.fromkeys((*planned.plan.gave_up, warehouse)))
    planned = changed(planned, plan=changed(planned.plan, gave_up=gave_up, returns=planned.plan.returns + 1))
    if disposition is Disposition.IGNORE and not shipped:
        shipped_they_say = PlanReason.GIVEN_BACK_THOUGH_SHIPPED(warehouse=warehouse, answer=_answer(answered))
        return _set_aside(planned, HoldCode.WMS_GAVE_UP, shipped_they_say)
    if follow_up is FollowUp.NEVER_PACKED and _may_be_retried(planned):  # as it would be, had it said so in time
        shipped_before = PlanReason.SHIPPED_BEFORE_TOLD_ANEW(warehouse=warehouse)
        return [_retry(planned, changed(planned.plan, explanation=shipped_before, reason=""))]
    return _anew(planned, warehouse, _answer(answered), shipped=shipped)


def _anew(planned: PlannedOrder, warehouse: str, answer: str, *, shipped: bool) -> list[Event]:
    """While nothing has left, all of it is placed anew: a split order's parcel goes to a warehouse that has another.

    Once a part has left, what came back is a parcel more than the buyer and the other warehouses were told of: whether
    its freight is worth it, or the buyer wants the money, only the seller can say.
    """
    if shipped:
        in_part = PlanReason.GIVEN_BACK_IN_PART(warehouse=warehouse, answer=answer)
        return _set_aside(planned, HoldCode.WMS_PARTLY_SHIPPED, in_part)
    before = planned.plan.returns - 1
    if before >= MOST_RETURNS or not _may_be_retried(planned):
        times = max(before, tries_of(planned.order.revision))
        too_often = PlanReason.GIVEN_BACK_TOO_OFTEN(warehouse=warehouse, answer=answer, times=times)
        return _set_aside(planned, HoldCode.WMS_GAVE_UP, too_often)
    anew = PlanReason.PLACED_ANEW(warehouse=warehouse, answer=answer)
    return [_retry(planned, changed(planned.plan, explanation=anew, reason=""))]


def _set_aside(planned: PlannedOrder, code: str, explanation: Explanation) -> list[Event]:
    review = to_review(planned, code, explanation)
    if not _may_be_retried(planned):
        return [review]
    again = _retry(planned, review.planned.plan)
    return [again, ReviewOrder(planned=again)]


def _may_be_retried(planned: PlannedOrder) -> bool:
    return tries_of(planned.order.revision) < MOST_OWN_TRIES


def _retry(planned: PlannedOrder, plan: RoutingPlan) -> PlannedOrder:
    order = changed(planned.order, revision=retry_of(planned.order.revision))
    return changed(planned, order=order, plan=plan)


def _answer(answered: Answered) -> str:
    """What the warehouse answered, in codes of ours: a WMS's reason may be anything."""
    event = answered.event
    said: Collection[str] = ("not-there", "damaged", "address", "other")
    return f"{event.kind.value}, {event.reason}" if event.reason in said else event.kind.value
