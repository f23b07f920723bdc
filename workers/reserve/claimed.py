"""One claimed order on its way through the ledger: what is known of it, and the steps that are asked. Pure."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from datetime import timedelta

from schemas.fulfillment import InstructionKind
from schemas.order import GOOD_TO_SHIP, Line, Order, OrderStatus, lines_to_ship
from schemas.plan import PlannedOrder
from schemas.record import changed, record
from workers.inventory.availability import wanted
from workers.inventory.operations.claim import Claim
from workers.inventory.operations.release import Giving, Release, ReleaseOutcome
from workers.inventory.operations.reserve import Reserve, ReserveOutcome, Taking
from workers.inventory.operations.ship import Ship
from workers.inventory.operations.steps import Step
from workers.inventory.records import ActiveInstruction, Answer, Holdings, OrderState, Quantities, ReservationState
from workers.reserve.result import Instruction, Result, digest_of

Steps = Generator[Sequence[Step], Sequence[Answer], "WorkflowResult"]

MOST_TOLD = 20  # instructions to one warehouse that are remembered
_TAKEN = (ReserveOutcome.RESERVED, ReserveOutcome.ALREADY)


class ClaimSuperseded(Exception):
    """A newer claim of the same order came while this one was at work: begin again, and find it stale."""


@record
class WorkflowResult:
    """How an order's workflow ended: what is written down about it."""

    state: OrderState
    holdings: Holdings
    routed: dict[str, ActiveInstruction]
    result: Result


def pays(order: Order) -> bool:
    """Whether the order may be shipped as far as its payment goes."""
    return order.payment in GOOD_TO_SHIP


def deadline_ms(order: Order, hold_seconds: float) -> int:
    """When an unpaid order's stock goes back, ms since 1970: the platform's word, else `hold_seconds` from placing."""
    until = order.pay_deadline or order.placed_at + timedelta(seconds=hold_seconds)
    return int(until.timestamp() * 1000)


def told_now(planned: PlannedOrder, claim: Claim) -> dict[str, ActiveInstruction]:
    """What stands with warehouses that have not given the order back."""
    return {w: routed for w, routed in claim.routed.items() if w not in planned.plan.gave_up}


def is_deleted(order: Order) -> bool:
    """Whether the shop has the order no more: what it says of one that it deleted has no lines."""
    return order.status is OrderStatus.CANCELLED and not order.lines


class ClaimedOrder:
    """One order that was claimed. Every round of steps has a fence number of its own, higher than the last."""

    def __init__(
        self,
        planned: PlannedOrder,
        claim: Claim,
        holdings: Holdings,
        hold_seconds: float,
        silent: Collection[str],
        left: Quantities,
    ) -> None:
        order = planned.order
        self.planned = planned
        self.order = order
        self.claim = claim
        self.holdings = holdings
        self.told = told_now(planned, claim)
        self.left = left
        self.silent = silent
        self.lines = lines_to_ship(order)
        self.quantities = wanted(self.lines)
        self.state = ReservationState.COMMITTED if pays(order) else ReservationState.HELD
        self.deadline = 0 if pays(order) else deadline_ms(order, hold_seconds)
        self.available: dict[str, Quantities] = {}
        self._fence = claim.fence

    def owner_of(self, line: Line) -> str:
        """The warehouse that was told to ship this line; "" when none was."""
        told = (w for w, routed in self.told.items() if routed.line_ids is None or line.line_id in routed.line_ids)
        return next(told, "")

    def answers(self, warehouse: str) -> bool:
        """Whether this warehouse was told of the order and will say what it does with a cancellation."""
        return warehouse in self.told and warehouse not in self.silent

    def taking(self, warehouse: str) -> Taking:
        """A WMS that was told of the order, though it was told to stop since, may ship what it was told first."""
        told = warehouse in self.claim.told or warehouse in self.told
        return Taking.GROW if told and warehouse not in self.silent else Taking.TAKE

    def instructed(self, lines: Sequence[Line], before: ActiveInstruction) -> ActiveInstruction:
        """What stands with a warehouse once it is told of these lines; nothing new when it knows them."""
        digest = digest_of(self.order, lines)
        line_ids = None if before.parcels == 1 else tuple(line.line_id for line in lines)
        if digest == before.digest:
            return changed(before, line_ids=line_ids)
        revisions = (*before.revisions, self.order.revision)[-MOST_TOLD:]
        return changed(before, digest=digest, line_ids=line_ids, revisions=revisions, units=wanted(lines))

    def cancels(self, still: Sequence[str]) -> tuple[Instruction, ...]:
        gone = [warehouse for warehouse in self.told if warehouse not in still]
        return tuple(Instruction(warehouse_id=warehouse, kind=InstructionKind.CANCEL) for warehouse in gone)

    def leave_all_but(self, kept: Sequence[str]) -> Generator[Sequence[Step], Sequence[Answer], Holdings]:
        """New stock is taken first and old stock given back after it, so that the order never has less than before.

        Returns what waits for a WMS to answer.
        """
        left = [warehouse for warehouse in self.holdings if warehouse not in kept]
        if not left:
            return {}
        answers = yield [self.give_back(w, Giving.ASK if self.answers(w) else Giving.ANY) for w in left]
        if any(answer.outcome is ReleaseOutcome.STALE for answer in answers):
            raise ClaimSuperseded
        return {
            warehouse: self.holdings[warehouse]
            for warehouse, answer in zip(left, answers, strict=True)
            if answer.outcome is ReleaseOutcome.WAITING
        }

    def take(self, warehouse: str, quantities: Mapping[str, int], taking: Taking = Taking.TAKE) -> Reserve:
        self._fence += 1
        has = self.holdings.get(warehouse, ())
        order = self.order
        return Reserve(
            warehouse, order.uid, order.revision, self._fence, self.state, quantities, self.deadline, has, taking
        )

    def give_back(self, warehouse: str, giving: Giving = Giving.ANY) -> Release:
        self._fence += 1
        has = self.holdings.get(warehouse, ())
        return Release(warehouse, self.order.uid, self.order.revision, self._fence, has, giving)

    def shipped(self, warehouse: str) -> Ship:
        order = self.order
        at_ms = int(order.modified_at.timestamp() * 1000)
        has = self.holdings.get(warehouse, ())
        return Ship(warehouse, order.uid, f"platform/{order.revision}", at_ms, has=has)

    def taken(self, answer: Answer) -> bool:
        if answer.outcome is ReserveOutcome.STALE:
            raise ClaimSuperseded
        return answer.outcome in _TAKEN


def instruction_of(warehouse: str, now: ActiveInstruction, *, is_change: bool) -> Instruction:
    """What a warehouse is told when this comes to stand with it."""
    return Instruction(
        warehouse_id=warehouse,
        kind=InstructionKind.CHANGE if is_change else InstructionKind.FULFIL,
        parcel=now.parcel,
        parcels=now.parcels,
        line_ids=now.line_ids,
        units=dict(now.units),
    )
