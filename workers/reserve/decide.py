"""What to ask the ledger for an order, and what follows from its answers. Pure.

`course` is a generator: it yields steps for the ledger, is sent the answers, and returns how the order ended. So many
orders can walk side by side, with one round trip for all of them at each pace.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from hashlib import blake2b

from schemas.fulfillment import FulfillmentInstruction, InstructionKind, PickLine
from schemas.order import Line, LineKind, Order, PaymentStatus
from schemas.plan import Backorder, Disposition, OnShort, PlannedOrder, TransferRequest
from schemas.record import encode, record
from workers.inventory.availability import lines_to_ship, missing, parcels, wanted
from workers.inventory.records import (
    Answer,
    Claim,
    Holdings,
    OrderState,
    Quantities,
    Release,
    ReleaseOutcome,
    ReservationState,
    Reserve,
    ReserveOutcome,
    Step,
)

Event = FulfillmentInstruction | Backorder | TransferRequest
Steps = Generator[Sequence[Step], Sequence[Answer], "Ending"]

_TAKEN = (ReserveOutcome.RESERVED, ReserveOutcome.ALREADY)
_SHIPPABLE = (PaymentStatus.PAID, PaymentStatus.CASH_ON_DELIVERY)


class Overtaken(Exception):
    """A newer claim of the same order came while this one was at work: begin again, and find it stale."""


@record
class Told:
    """One instruction to a warehouse. `line_ids` None: all lines."""

    warehouse_id: str
    kind: InstructionKind
    parcel: int = 1
    parcels: int = 1
    line_ids: tuple[str, ...] | None = None


@record
class Result:
    """All that a repeat needs to say the same again."""

    told: tuple[Told, ...] = ()
    backordered: bool = False
    missing: dict[str, int] = field(default_factory=dict)
    transfer_to: str = ""
    transfer_from: str = ""


@record
class Ending:
    """How an order's course ended: what is written down about it."""

    state: OrderState
    holdings: Holdings
    routed: dict[str, str]
    result: Result


def pays(order: Order) -> bool:
    """Whether the order may be shipped as far as its payment goes."""
    return order.payment in _SHIPPABLE


def deadline_ms(order: Order, hold_seconds: float) -> int:
    """When an unpaid order's stock goes back, ms since 1970: the platform's word, else `hold_seconds` from placing."""
    until = order.pay_deadline or order.placed_at + timedelta(seconds=hold_seconds)
    return int(until.timestamp() * 1000)


def course(planned: PlannedOrder, claim: Claim, holdings: Holdings, hold_seconds: float) -> Steps:
    """The way of one claimed order through the ledger. `holdings`: what it has now, wherever. Raises Overtaken."""
    walk = _Walk(planned, claim, holdings, hold_seconds)
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
    """One order on its course. Every round of steps has a fence number of its own, higher than the last."""

    def __init__(self, planned: PlannedOrder, claim: Claim, holdings: Holdings, hold_seconds: float) -> None:
        order = planned.order
        self.planned = planned
        self.order = order
        self.claim = claim
        self.holdings = holdings
        self.lines = lines_to_ship(order)
        self.quantities = wanted(self.lines)
        self.state = ReservationState.COMMITTED if pays(order) else ReservationState.HELD
        self.deadline = 0 if pays(order) else deadline_ms(order, hold_seconds)
        self.available: dict[str, Quantities] = {}
        self._fence = claim.fence

    # -- dispositions

    def reserve(self) -> Steps:
        for warehouse in self._candidates():
            [answer] = yield [self._take(warehouse, self.quantities)]
            if self._taken(answer):
                yield from self._leave_all_but([warehouse])
                return self._placed({warehouse: self.lines})
            self.available[warehouse] = answer.quantities
        if self.planned.plan.on_short is OnShort.SPLIT:
            ending = yield from self._split()
            if ending is not None:
                return ending
        yield from self._leave_all_but([])
        return self._short()

    def keep(self) -> Steps:
        """Whatever it has, it keeps; paid stock is not swept. A warehouse that was told to ship is told to stop."""
        kept: Holdings = {}
        for warehouse, quantities in self.holdings.items():
            [answer] = yield [self._take(warehouse, quantities, keep=True)]
            if self._taken(answer):
                kept[warehouse] = quantities
        state = OrderState.NOTHING
        if kept:
            state = OrderState.COMMITTED if self.state is ReservationState.COMMITTED else OrderState.HELD
        return Ending(state=state, holdings=kept, routed={}, result=Result(told=self._cancels([])))

    def release(self) -> Steps:
        yield from self._leave_all_but([])
        return Ending(state=OrderState.RELEASED, holdings={}, routed={}, result=Result(told=self._cancels([])))

    def ignore(self) -> Steps:
        """Nothing is left for us to ship: a mere hold goes back, what is committed is the WMS's business."""
        kept: Holdings = {}
        for warehouse, quantities in self.holdings.items():
            [answer] = yield [self._give_back(warehouse, only_held=True)]
            if answer.outcome is ReleaseOutcome.KEPT:
                kept[warehouse] = quantities
        state = OrderState.COMMITTED if kept else OrderState.NOTHING
        return Ending(state=state, holdings=kept, routed=dict(self.claim.routed), result=Result())

    # -- parts of them

    def _candidates(self) -> list[str]:
        """Where to ask, best first; a warehouse that has the order already comes before all others."""
        named = [candidate.warehouse_id for candidate in self.planned.plan.candidates]
        return sorted(named, key=lambda warehouse: warehouse not in self.holdings)

    def _split(self) -> Generator[Sequence[Step], Sequence[Answer], Ending | None]:
        for way in parcels(self.lines, self.available):
            taken: list[str] = []
            for warehouse, lines in way.items():
                [answer] = yield [self._take(warehouse, wanted(lines))]
                if not self._taken(answer):
                    break
                taken.append(warehouse)
            if len(taken) == len(way):
                yield from self._leave_all_but(taken)
                return self._placed(way)
            for warehouse in taken:
                yield [self._give_back(warehouse)]
                self.holdings.pop(warehouse, None)
        return None

    def _leave_all_but(self, kept: Sequence[str]) -> Generator[Sequence[Step], Sequence[Answer], None]:
        """New stock is taken first and old stock given back after it, so that the order never has less than before."""
        left = [warehouse for warehouse in self.holdings if warehouse not in kept]
        if left:
            answers = yield [self._give_back(warehouse) for warehouse in left]
            for answer in answers:
                if answer.outcome is ReleaseOutcome.STALE:
                    raise Overtaken

    def _placed(self, way: Mapping[str, Sequence[Line]]) -> Ending:
        holdings = {warehouse: wanted(lines) for warehouse, lines in way.items()}
        if self.state is ReservationState.HELD:
            return Ending(state=OrderState.HELD, holdings=holdings, routed={}, result=Result(told=self._cancels([])))
        told, routed = [], {}
        for number, (warehouse, lines) in enumerate(way.items(), start=1):
            routed[warehouse] = digest = self._digest(lines)
            before = self.claim.routed.get(warehouse)
            if before != digest:
                told.append(
                    Told(
                        warehouse_id=warehouse,
                        kind=InstructionKind.FULFIL if before is None else InstructionKind.CHANGE,
                        parcel=number,
                        parcels=len(way),
                        line_ids=None if len(way) == 1 else tuple(line.line_id for line in lines),
                    )
                )
        result = Result(told=(*told, *self._cancels(list(way))))
        return Ending(state=OrderState.COMMITTED, holdings=holdings, routed=routed, result=result)

    def _short(self) -> Ending:
        candidates = self.planned.plan.candidates
        shortages = [missing(self.quantities, available) for available in self.available.values()]
        short = min(shortages, key=lambda units: sum(units.values()), default=self.quantities)
        told = self._cancels([])
        if self.planned.plan.on_short is OnShort.TRANSFER and candidates and pays(self.order):
            to = candidates[0].warehouse_id
            short = missing(self.quantities, self.available.get(to, {}))
            giver = next((w for w, there in self.available.items() if w != to and not missing(short, there)), "")
            result = Result(told=told, missing=short, transfer_to=to, transfer_from=giver)
            return Ending(state=OrderState.AWAITING_TRANSFER, holdings={}, routed={}, result=result)
        result = Result(told=told, backordered=True, missing=short)
        return Ending(state=OrderState.BACKORDERED, holdings={}, routed={}, result=result)

    def _cancels(self, still: Sequence[str]) -> tuple[Told, ...]:
        gone = [warehouse for warehouse in self.claim.routed if warehouse not in still]
        return tuple(Told(warehouse_id=warehouse, kind=InstructionKind.CANCEL) for warehouse in gone)

    def _digest(self, lines: Sequence[Line]) -> str:
        """What the warehouse is told, in short: the same digest means that it need not be told again."""
        order = self.order
        said = [pick_line(line) for line in lines], order.ship_to, order.buyer_remark, order.seller_memo
        return blake2b(encode(said), digest_size=8).hexdigest()

    # -- steps

    def _take(self, warehouse: str, quantities: Mapping[str, int], *, keep: bool = False) -> Reserve:
        self._fence += 1
        has = self.holdings.get(warehouse, ())
        return Reserve(
            warehouse,
            self.order.uid,
            self.order.revision,
            self._fence,
            self.state,
            quantities,
            self.deadline,
            has,
            keep,
        )

    def _give_back(self, warehouse: str, *, only_held: bool = False) -> Release:
        self._fence += 1
        has = self.holdings.get(warehouse, ())
        return Release(warehouse, self.order.uid, self.order.revision, self._fence, has, only_held)

    def _taken(self, answer: Answer) -> bool:
        if answer.outcome is ReserveOutcome.STALE:
            raise Overtaken
        return answer.outcome in _TAKEN


# -- what follows ---------------------------------------------------------------------------------------------------


def events_of(planned: PlannedOrder, result: Result) -> list[Event]:
    """What the world is told. The same for a repeat, byte by byte."""
    events: list[Event] = [_instruction(planned.order, told) for told in result.told]
    if result.backordered:
        events.append(Backorder(planned=planned, missing=result.missing))
    if result.transfer_to:
        events.append(_transfer(planned.order, result))
    return events


def _instruction(order: Order, told: Told) -> FulfillmentInstruction:
    lines = () if told.kind is InstructionKind.CANCEL else lines_to_ship(order)
    if told.line_ids is not None:
        lines = tuple(line for line in lines if line.line_id in told.line_ids)
    return FulfillmentInstruction(
        instruction_id=f"{order.uid}@{order.revision}/{told.warehouse_id}/{told.kind}",
        kind=told.kind,
        order_uid=order.uid,
        revision=order.revision,
        warehouse_id=told.warehouse_id,
        channel=order.channel,
        shop_id=order.shop_id,
        platform_order_id=order.platform_order_id,
        purchased=tuple(pick_line(line) for line in lines if line.kind is LineKind.PURCHASE),
        gifts=tuple(pick_line(line) for line in lines if line.kind is LineKind.GIFT),
        ship_to=order.ship_to,
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        ship_by=order.ship_by,
        parcel=told.parcel,
        parcels=told.parcels,
        buyer_remark=order.buyer_remark,
        seller_memo=order.seller_memo,
    )


def pick_line(line: Line) -> PickLine:
    """A line as the picker sees it."""
    return PickLine(
        line_id=line.line_id,
        sku=line.sku,
        quantity=line.quantity,
        title=line.title,
        storage_class=line.storage_class,
        bound_to=line.bound_to,
    )


def _transfer(order: Order, result: Result) -> TransferRequest:
    return TransferRequest(
        transfer_id=f"{order.uid}@{order.revision}/{result.transfer_to}",
        order_uid=order.uid,
        revision=order.revision,
        to_warehouse=result.transfer_to,
        quantities=result.missing,
        from_warehouse=result.transfer_from or None,
    )
