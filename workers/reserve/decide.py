"""What to ask the ledger for an order, and what follows from its answers. Pure.

`course` is a generator: it yields steps for the ledger, is sent the answers, and returns how the order ended. So many
orders can walk side by side, with one round trip for all of them at each pace.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from datetime import timedelta

from schemas.codes import HoldCode
from schemas.fulfillment import InstructionKind
from schemas.order import Line, Order, OrderStatus, PaymentStatus
from schemas.plan import Disposition, OnShort, PlannedOrder
from schemas.record import changed, record
from workers.inventory.availability import lines_that_stay, lines_to_ship, missing, split_plans, wanted
from workers.inventory.outcomes import ReleaseOutcome, ReserveOutcome
from workers.inventory.records import (
    ActiveInstruction,
    Answer,
    Claim,
    Holdings,
    OrderState,
    Quantities,
    ReservationState,
)
from workers.inventory.steps import Giving, Release, Reserve, Ship, Step, Taking
from workers.reserve.result import Instruction, Result, digest_of

Steps = Generator[Sequence[Step], Sequence[Answer], "WorkflowResult"]

MOST_TOLD = 20  # instructions to one warehouse that are remembered
_TAKEN = (ReserveOutcome.RESERVED, ReserveOutcome.ALREADY)
_SHIPPABLE = (PaymentStatus.PAID, PaymentStatus.CASH_ON_DELIVERY)


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
    return order.payment in _SHIPPABLE


def deadline_ms(order: Order, hold_seconds: float) -> int:
    """When an unpaid order's stock goes back, ms since 1970: the platform's word, else `hold_seconds` from placing."""
    until = order.pay_deadline or order.placed_at + timedelta(seconds=hold_seconds)
    return int(until.timestamp() * 1000)


def told_before(planned: PlannedOrder, claim: Claim) -> list[str]:
    """The warehouses that were told to ship the order once and are not any more: goods may have left them.

    Of an order that was deleted, all that were ever told.
    """
    if is_deleted(planned.order):
        return list(claim.told)
    if planned.plan.disposition is not Disposition.RESERVE:
        return []
    return [warehouse for warehouse in claim.told if warehouse not in _told_now(planned, claim)]


def is_deleted(order: Order) -> bool:
    """Whether the shop has the order no more: what it says of one that it deleted has no lines."""
    return order.status is OrderStatus.CANCELLED and not order.lines


def _told_now(planned: PlannedOrder, claim: Claim) -> dict[str, ActiveInstruction]:
    return {w: routed for w, routed in claim.routed.items() if w not in planned.plan.gave_up}


def reservation_workflow(
    planned: PlannedOrder,
    claim: Claim,
    holdings: Holdings,
    hold_seconds: float,
    silent: Collection[str] = (),
    left: Quantities | None = None,
) -> Steps:
    """The way of one claimed order through the ledger. `holdings`: what it has now, wherever. Raises Overtaken.

    `silent`: warehouses whose WMS never answers; everywhere else, units that a WMS was told of wait for its word.
    `left`: units that have left the warehouses of `told_before`.
    """
    walk = _Walk(planned, claim, holdings, hold_seconds, silent, left or {})
    match planned.plan.disposition:
        case Disposition.RESERVE:
            return walk.reserve() if walk.quantities else walk.release()
        case Disposition.REVIEW | Disposition.DEFER:
            return walk.keep()
        case Disposition.RELEASE:
            return walk.release()
        case Disposition.IGNORE:
            return walk.ignore()


class _Walk:
    """One order in its workflow. Every round of steps has a fence number of its own, higher than the last."""

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
        self.told = _told_now(planned, claim)
        self.left = left
        self.silent = silent
        self.lines = lines_to_ship(order)
        self.quantities = wanted(self.lines)
        self.state = ReservationState.COMMITTED if pays(order) else ReservationState.HELD
        self.deadline = 0 if pays(order) else deadline_ms(order, hold_seconds)
        self.available: dict[str, Quantities] = {}
        self._fence = claim.fence

    # -- dispositions

    def reserve(self) -> Steps:
        """Where a WMS has the order already it stays; else the first candidate that has it all takes it."""
        if self.left:
            nobodys = [line for line in self.lines if not self._owner_of(line)]
            if rest := missing(wanted(nobodys), self.left):
                return self._keep_for_a_person(rest)
            self.lines = tuple(line for line in self.lines if self._owner_of(line))
            if not self.told:
                return self._all_left()
        if self.told:
            return self._revise() if pays(self.order) else self.keep()
        return self._place()

    def keep(self) -> Steps:
        """Whatever it has, it keeps; paid stock is not swept. A warehouse that was told to ship is told to stop."""
        kept: Holdings = {}
        if HoldCode.BALANCE_OPEN in self.planned.plan.hold_codes:
            yield from self._add()
        for warehouse, quantities in self.holdings.items():
            taking = Taking.STOP if self._answers(warehouse) else Taking.KEEP
            [answer] = yield [self._take(warehouse, quantities, taking)]
            if self._taken(answer):
                kept[warehouse] = quantities
        state = OrderState.NOTHING
        if kept:
            state = OrderState.COMMITTED if self.state is ReservationState.COMMITTED else OrderState.HELD
        return WorkflowResult(state=state, holdings=kept, routed={}, result=Result(told=self._cancels([])))

    def _add(self) -> Generator[Sequence[Step], Sequence[Answer], None]:
        """What was added to a paid order is kept with the rest while the buyer owes the difference: all or none of it.

        Only where the order has stock: a claim that dies is looked for there.
        """
        has: dict[str, int] = {}
        for quantities in self.holdings.values():
            for sku, units in quantities.items():
                has[sku] = has.get(sku, 0) + units
        added = missing(self.quantities, has)
        for warehouse, quantities in list(self.holdings.items()) if added else ():
            more = {sku: quantities.get(sku, 0) + added.get(sku, 0) for sku in (*quantities, *added)}
            [answer] = yield [self._take(warehouse, more, Taking.GROW)]
            if self._taken(answer):
                self.holdings[warehouse] = more
                return

    def _keep_for_a_person(self, rest: Quantities) -> Steps:
        """Once a part has left, the rest is a parcel more than the buyer was told of: only the seller can say."""
        kept = yield from self.keep()
        result = changed(kept.result, partly_shipped=True, missing=rest)
        return changed(kept, state=OrderState.PARTLY_SHIPPED, result=result)

    def _all_left(self) -> Steps:
        waiting = yield from self._leave_all_but([])
        state = OrderState.STOPPING if waiting else OrderState.SHIPPED
        return WorkflowResult(state=state, holdings=waiting, routed={}, result=Result())

    def release(self) -> Steps:
        waiting = yield from self._leave_all_but([])
        state = OrderState.STOPPING if waiting else OrderState.RELEASED
        result = Result(told=self._cancels([]))
        if is_deleted(self.order) and (self.left or waiting or any(where in self.silent for where in self.told)):
            result = changed(result, deleted=True)
        return WorkflowResult(state=state, holdings=waiting, routed={}, result=result)

    def ignore(self) -> Steps:
        """Nothing is left for us to ship: a mere hold goes back, what is committed is the WMS's business.

        A WMS that still has what was cancelled since is told to leave it out: a platform says of an order that it has
        shipped when a label is printed. Of a WMS that never answers, the platform's word must do.
        """
        kept: Holdings = {}
        routed, told = dict(self.claim.routed), []
        for warehouse, quantities in self.holdings.items():
            if warehouse in self.told and warehouse in self.silent:
                yield [self._shipped(warehouse)]
                continue
            less = self._told_less(warehouse)
            if less is None:
                [answer] = yield [self._give_back(warehouse, Giving.HELD)]
                still = answer.outcome is ReleaseOutcome.KEPT
            elif less:
                [answer] = yield [self._take(warehouse, quantities, Taking.KEEP)]
                still = self._taken(answer)
            else:
                [answer] = yield [self._give_back(warehouse, Giving.ASK)]
                still = answer.outcome is ReleaseOutcome.WAITING
            if not still:
                continue
            kept[warehouse] = quantities
            if less:
                routed[warehouse] = now = self._instructed(less, self.told[warehouse])
                told.append(_told(warehouse, now, is_change=True))
            elif less is not None:
                del routed[warehouse]
                told.append(Instruction(warehouse_id=warehouse, kind=InstructionKind.CANCEL))
        state = OrderState.COMMITTED if kept else OrderState.NOTHING
        return WorkflowResult(state=state, holdings=kept, routed=routed, result=Result(told=tuple(told)))

    def _told_less(self, warehouse: str) -> tuple[Line, ...] | None:
        """The lines that this warehouse is still to ship when it was told of more; None when it was not."""
        if not self._answers(warehouse):
            return None
        lines = tuple(line for line in lines_that_stay(self.order) if self._owner_of(line) == warehouse)
        named = {line.sku for line in self.order.lines}
        too_many = missing(self.told[warehouse].units, wanted(lines))
        return lines if named.intersection(too_many) else None

    # -- parts of them

    def _place(self) -> Steps:
        for warehouse in self._candidates():
            [answer] = yield [self._take(warehouse, self.quantities)]
            if self._taken(answer):
                waiting = yield from self._leave_all_but([warehouse])
                return self._placed({warehouse: self.lines}, waiting)
            if answer.outcome is ReserveOutcome.SHIPPED:
                return WorkflowResult(state=OrderState.SHIPPED, holdings={}, routed={}, result=Result())
            self.available[warehouse] = answer.quantities
        if self.planned.plan.on_short is OnShort.SPLIT:
            split = yield from self._split()
            if split is not None:
                return split
        waiting = yield from self._leave_all_but([])
        return self._short(waiting)

    def _candidates(self) -> list[str]:
        """Where to ask, best first; a warehouse that has the order already comes before all others."""
        plan = self.planned.plan
        named = [candidate.warehouse_id for candidate in plan.candidates if candidate.warehouse_id not in plan.gave_up]
        return sorted(named, key=lambda warehouse: warehouse not in self.holdings)

    def _split(self) -> Generator[Sequence[Step], Sequence[Answer], WorkflowResult | None]:
        for way in split_plans(self.lines, self.available):
            taken: list[str] = []
            for warehouse, lines in way.items():
                [answer] = yield [self._take(warehouse, wanted(lines))]
                if not self._taken(answer):
                    break
                taken.append(warehouse)
            if len(taken) == len(way):
                waiting = yield from self._leave_all_but(taken)
                return self._placed(way, waiting)
            for warehouse in taken:
                yield [self._give_back(warehouse)]
                self.holdings.pop(warehouse, None)
        return None

    def _revise(self) -> Steps:
        """The warehouses that were told have it, and go on having it: to ship it from two would be worse than late.

        What a change leaves out stays reserved until the WMS says that it follows: it may have left already.
        """
        way = {warehouse: lines for warehouse, lines in self._as_told().items() if lines}
        still: dict[str, tuple[Line, ...]] = {}
        for warehouse, lines in way.items():
            taking = Taking.GROW if self._answers(warehouse) else Taking.TAKE
            [answer] = yield [self._take(warehouse, wanted(lines), taking)]
            if answer.outcome is ReserveOutcome.INSUFFICIENT:
                return (yield from self._cannot_add(missing(wanted(lines), answer.quantities)))
            if self._taken(answer):
                still[warehouse] = lines
        waiting = yield from self._leave_all_but(list(way))
        return self._placed(still, waiting, gone=[warehouse for warehouse in way if warehouse not in still])

    def _as_told(self) -> dict[str, tuple[Line, ...]]:
        """The lines as the warehouses were told of them; a line that nobody was told of goes to the first."""
        placed: dict[str, list[Line]] = {warehouse: [] for warehouse in self.told}
        first = next(iter(self.told))
        for line in self.lines:
            placed[self._owner_of(line) or first].append(line)
        return {warehouse: tuple(lines) for warehouse, lines in placed.items()}

    def _owner_of(self, line: Line) -> str:
        """The warehouse that was told to ship this line; "" when none was."""
        told = (w for w, routed in self.told.items() if routed.line_ids is None or line.line_id in routed.line_ids)
        return next(told, "")

    def _cannot_add(self, short: dict[str, int]) -> Steps:
        """The change asks for more than there is: what the warehouses have goes on as it was, and a person is told."""
        for warehouse, quantities in self.holdings.items():
            [answer] = yield [self._take(warehouse, quantities, Taking.KEEP)]
            self._taken(answer)
        result = Result(backordered=True, missing=short)
        routed = dict(self.claim.routed)
        return WorkflowResult(state=OrderState.COMMITTED, holdings=dict(self.holdings), routed=routed, result=result)

    def _leave_all_but(self, kept: Sequence[str]) -> Generator[Sequence[Step], Sequence[Answer], Holdings]:
        """New stock is taken first and old stock given back after it, so that the order never has less than before.

        Returns what waits for a WMS to answer.
        """
        left = [warehouse for warehouse in self.holdings if warehouse not in kept]
        if not left:
            return {}
        answers = yield [self._give_back(w, Giving.ASK if self._answers(w) else Giving.ANY) for w in left]
        if any(answer.outcome is ReleaseOutcome.STALE for answer in answers):
            raise ClaimSuperseded
        return {
            warehouse: self.holdings[warehouse]
            for warehouse, answer in zip(left, answers, strict=True)
            if answer.outcome is ReleaseOutcome.WAITING
        }

    def _answers(self, warehouse: str) -> bool:
        """Whether this warehouse was told of the order and will say what it does with a cancellation."""
        return warehouse in self.told and warehouse not in self.silent

    def _placed(self, way: Mapping[str, Sequence[Line]], waiting: Holdings, gone: Sequence[str] = ()) -> WorkflowResult:
        """`gone`: warehouses that have shipped all. They stay told, or another would be told to ship it, too."""
        holdings = waiting | {warehouse: wanted(lines) for warehouse, lines in way.items()}
        if self.state is ReservationState.HELD:
            return WorkflowResult(
                state=OrderState.HELD, holdings=holdings, routed={}, result=Result(told=self._cancels([]))
            )
        told, routed = [], {warehouse: self.told[warehouse] for warehouse in gone}
        for number, (warehouse, lines) in enumerate(way.items(), start=1):
            before = self.told.get(warehouse)
            parcel = before or ActiveInstruction(digest="", parcel=number, parcels=len(way))
            routed[warehouse] = now = self._instructed(lines, parcel)
            if before is None or before.digest != now.digest:
                told.append(_told(warehouse, now, is_change=before is not None))
        result = Result(told=(*told, *self._cancels([*way, *gone])))
        state = OrderState.COMMITTED if way else OrderState.SHIPPED
        return WorkflowResult(state=state, holdings=holdings, routed=routed, result=result)

    def _instructed(self, lines: Sequence[Line], before: ActiveInstruction) -> ActiveInstruction:
        """What stands with a warehouse once it is told of these lines; nothing new when it knows them."""
        digest = digest_of(self.order, lines)
        line_ids = None if before.parcels == 1 else tuple(line.line_id for line in lines)
        if digest == before.digest:
            return changed(before, line_ids=line_ids)
        revisions = (*before.revisions, self.order.revision)[-MOST_TOLD:]
        return changed(before, digest=digest, line_ids=line_ids, revisions=revisions, units=wanted(lines))

    def _short(self, waiting: Holdings) -> WorkflowResult:
        candidates = [c for c in self.planned.plan.candidates if c.warehouse_id not in self.planned.plan.gave_up]
        shortages = [missing(self.quantities, available) for available in self.available.values()]
        short = min(shortages, key=lambda units: sum(units.values()), default=self.quantities)
        told = self._cancels([])
        if self.planned.plan.on_short is OnShort.TRANSFER and candidates and pays(self.order):
            to = candidates[0].warehouse_id
            short = missing(self.quantities, self.available.get(to, {}))
            giver = next((w for w, there in self.available.items() if w != to and not missing(short, there)), "")
            result = Result(told=told, missing=short, transfer_to=to, transfer_from=giver)
            return WorkflowResult(state=OrderState.AWAITING_TRANSFER, holdings=waiting, routed={}, result=result)
        late = self.claim.state is OrderState.EXPIRED and pays(self.order)
        result = Result(told=told, backordered=True, missing=short, after_expiry=late)
        return WorkflowResult(state=OrderState.BACKORDERED, holdings=waiting, routed={}, result=result)

    def _cancels(self, still: Sequence[str]) -> tuple[Instruction, ...]:
        gone = [warehouse for warehouse in self.told if warehouse not in still]
        return tuple(Instruction(warehouse_id=warehouse, kind=InstructionKind.CANCEL) for warehouse in gone)

    # -- steps

    def _take(self, warehouse: str, quantities: Mapping[str, int], taking: Taking = Taking.TAKE) -> Reserve:
        self._fence += 1
        has = self.holdings.get(warehouse, ())
        order = self.order
        return Reserve(
            warehouse, order.uid, order.revision, self._fence, self.state, quantities, self.deadline, has, taking
        )

    def _give_back(self, warehouse: str, giving: Giving = Giving.ANY) -> Release:
        self._fence += 1
        has = self.holdings.get(warehouse, ())
        return Release(warehouse, self.order.uid, self.order.revision, self._fence, has, giving)

    def _shipped(self, warehouse: str) -> Ship:
        order = self.order
        at_ms = int(order.modified_at.timestamp() * 1000)
        has = self.holdings.get(warehouse, ())
        return Ship(warehouse, order.uid, f"platform/{order.revision}", at_ms, has=has)

    def _taken(self, answer: Answer) -> bool:
        if answer.outcome is ReserveOutcome.STALE:
            raise ClaimSuperseded
        return answer.outcome in _TAKEN


def _told(warehouse: str, now: ActiveInstruction, *, is_change: bool) -> Instruction:
    return Instruction(
        warehouse_id=warehouse,
        kind=InstructionKind.CHANGE if is_change else InstructionKind.FULFIL,
        parcel=now.parcel,
        parcels=now.parcels,
        line_ids=now.line_ids,
        units=dict(now.units),
    )
