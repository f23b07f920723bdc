"""What the stock ledger must do for orders, in plain Python: no Redis, no Lua, one thing after the other.

Held, committed and allocated units are not kept here. They are added up from the reservations whenever they are asked
for, so a ledger that agrees with this model has counters that are the sum of its reservations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from schemas.record import decode
from workers.inventory.operations.claim import Claim, ClaimOutcome
from workers.inventory.operations.drop_return import DropReturn
from workers.inventory.operations.expire import ExpireOutcome
from workers.inventory.operations.fence import Fence, FenceOutcome
from workers.inventory.operations.record_return import RecordReturn, RecordReturnOutcome, ReturnAck
from workers.inventory.operations.release import Giving, Release, ReleaseOutcome
from workers.inventory.operations.reserve import Reserve, ReserveOutcome, Taking
from workers.inventory.operations.settle import Settlement, SettleOutcome
from workers.inventory.operations.stash_return import StashReturn
from workers.inventory.records import (
    ENDED,
    LIVE,
    ActiveInstruction,
    Answer,
    Holdings,
    OrderState,
    Reservation,
    ReservationState,
    StockLevel,
)
from workers.reserve.result import Instruction, Result

HELD, EXPIRED = ReservationState.HELD, ReservationState.EXPIRED
RELEASED, SHIPPED = ReservationState.RELEASED, ReservationState.SHIPPED
COUNTERS = ("on_hand", "held", "committed", "allocated", "transfer", "safety")
Place = tuple[str, str]
"""A warehouse, and an order or a SKU in it."""


class Event(NamedTuple):
    """What the outbox must say of one change."""

    kind: str
    changes: Mapping[str, Mapping[str, int]]  # by SKU: which counter moved by how much
    after: Reservation | None = None  # what is written of the order then
    message_id: str = ""
    transfer_id: str = ""
    counted: tuple[str, ...] = ()
    counted_at_ms: int = 0


@dataclass
class Figures:
    """What is kept of one SKU in one warehouse besides its reservations."""

    on_hand: int = 0
    transfer: int = 0
    safety: int = 0
    counted_at_ms: int = 0
    movements: list[tuple[int, int]] = field(default_factory=list)  # when, and by how much on-hand moved


@dataclass(frozen=True)
class Pointer:
    """What is known of an order as a whole."""

    revision: str = ""
    fence: int = 0
    settled: bool = False
    intent: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    state: OrderState | None = None
    holdings: Holdings = field(default_factory=dict)
    routed: Mapping[str, ActiveInstruction] = field(default_factory=dict)
    said: Mapping[str, bytes] = field(default_factory=dict)  # by revision
    source: str = ""
    heard: Mapping[Place, str] = field(default_factory=dict)  # by warehouse and revision: what the order was then
    overtaken: Mapping[str, tuple[StashReturn, ...]] = field(
        default_factory=dict
    )  # by warehouse; void without an event

    @property
    def phase(self) -> str:
        return "settled" if self.settled else "claimed"


class Books:
    """What there is, and the one way to change what an order has."""

    def __init__(self, skus: Sequence[str]) -> None:
        self.skus = skus
        self.figures: defaultdict[Place, Figures] = defaultdict(Figures)
        self.reservations: dict[Place, Reservation] = {}
        self.pointers: defaultdict[str, Pointer] = defaultdict(Pointer)
        self.events: defaultdict[str, list[Event]] = defaultdict(list)

    def level(self, warehouse_id: str, sku: str) -> StockLevel:
        units = dict.fromkeys(LIVE, 0)
        for found in self.reservations.values():
            if found.warehouse_id == warehouse_id and found.state in LIVE:
                units[ReservationState(found.state)] += found.quantities.get(sku, 0)
        there = self.figures[warehouse_id, sku]
        figures = {"on_hand": there.on_hand, "transfer": there.transfer, "safety": there.safety}
        return StockLevel(warehouse_id=warehouse_id, sku=sku, **figures, **units)

    def levels(self, warehouse_id: str) -> dict[str, StockLevel]:
        return {sku: self.level(warehouse_id, sku) for sku in self.skus}

    def free(self, warehouse_id: str, sku: str) -> int:
        return max(0, self.level(warehouse_id, sku).available_to_promise)

    def reservation(self, warehouse_id: str, order_uid: str) -> Reservation:
        nothing = Reservation(warehouse_id=warehouse_id, order_uid=order_uid, revision="", state="", quantities={})
        return self.reservations.get((warehouse_id, order_uid), nothing)

    def change(
        self, kind: str, after: Reservation, on_hand: Mapping[str, int] | None = None, message_id: str = ""
    ) -> None:
        """Write the record and, in the same breath, what moved and the event that tells of it."""
        before = self.levels(after.warehouse_id)
        self.reservations[after.warehouse_id, after.order_uid] = after
        for sku, units in (on_hand or {}).items():
            self.figures[after.warehouse_id, sku].on_hand += units
        changes = moved(before, self.levels(after.warehouse_id))
        self.events[after.warehouse_id].append(Event(kind, changes, after, message_id))


class Orders(Books):
    """An order's way: claim, steps, settle, and the end of a hold. Answers what `Ledger` must answer."""

    def due(self, warehouse_id: str, now_ms: int) -> list[Reservation]:
        holds = [r for r in self.reservations.values() if r.warehouse_id == warehouse_id and r.state == HELD]
        due = [hold for hold in holds if 0 < hold.deadline_ms <= now_ms]
        return sorted(due, key=lambda hold: (hold.deadline_ms, hold.order_uid))

    def claim(self, order_uid: str, revision: str, warehouses: Iterable[str], fence: int) -> Claim:
        """`fence`: the number that the ledger chose; it only has to grow."""
        was = self.pointers[order_uid]
        if revision in was.said:
            return Claim(ClaimOutcome.REPEAT, result=was.said[revision])
        if revision < was.revision:
            return Claim(ClaimOutcome.STALE)
        if revision == was.revision and was.settled:
            return Claim(ClaimOutcome.REPEAT)
        intent = tuple(dict.fromkeys((*was.intent, *warehouses)))
        self.pointers[order_uid] = replace(was, revision=revision, fence=fence, settled=False, intent=intent)
        interrupted = was.revision != "" and not was.settled
        left = was.holdings, was.routed, interrupted, was.intent, was.returned
        told = {told.warehouse_id for result in was.said.values() for told in decode(Result, result).told}
        return Claim(ClaimOutcome.CLAIMED, fence, was.state, *left, told=tuple(sorted(told)))

    def fence(self, step: Fence) -> Answer:
        found = self.reservation(step.warehouse_id, step.order_uid)
        if step.fence < found.fence:
            return Answer(FenceOutcome.STALE)
        self.change("noted", replace(found, fence=step.fence))
        return Answer(FenceOutcome.FENCED, found.quantities if found.state in LIVE else {}, found.state)

    def reserve(self, step: Reserve) -> Answer:
        found = self.reservation(step.warehouse_id, step.order_uid)
        has = found.quantities if found.state in LIVE else {}
        if is_stale(step, found):
            return Answer(ReserveOutcome.STALE)
        if step.taking in (Taking.KEEP, Taking.STOP) and not has:
            is_gone = found.state == SHIPPED
            return Answer(ReserveOutcome.SHIPPED if is_gone else ReserveOutcome.NOTHING_HELD)
        after = _reserved(step, found)
        if has and after == replace(found, fence=step.fence):
            return Answer(ReserveOutcome.ALREADY, state=after.state)
        if not after.quantities:
            if has:
                self.change("changed", replace(after, state=SHIPPED, deadline_ms=0, stop=""))
            return Answer(ReserveOutcome.SHIPPED)
        skus = {*step.quantities, *step.has, *has}
        could = {sku: has.get(sku, 0) + self.free(step.warehouse_id, sku) for sku in skus}
        if any(units > could[sku] for sku, units in after.quantities.items()):
            return Answer(ReserveOutcome.INSUFFICIENT, could)
        self.change("changed" if after.state == found.state else after.state, after)
        return Answer(ReserveOutcome.RESERVED, stop=found.stop)

    def release(self, step: Release) -> Answer:
        found = self.reservation(step.warehouse_id, step.order_uid)
        is_live = found.state in LIVE
        is_with_wms = is_live and found.state != HELD
        if is_stale(step, found):
            return Answer(ReleaseOutcome.STALE)
        if is_with_wms and step.giving is Giving.HELD:
            return Answer(ReleaseOutcome.KEPT)
        after = replace(found, revision=step.revision, fence=step.fence)
        if is_with_wms and (step.giving is Giving.ASK or found.stop):
            self.change("noted", replace(after, stop="release", deadline_ms=0))
            return Answer(ReleaseOutcome.WAITING)
        state = found.state if found.state in (SHIPPED, EXPIRED) else given_up(found)
        self.change("released" if is_live else "noted", replace(after, state=state, deadline_ms=0, stop=""))
        return Answer(ReleaseOutcome.RELEASED if is_live else ReleaseOutcome.NOTHING_HELD)

    def settle(self, end: Settlement) -> SettleOutcome:
        was = self.pointers[end.order_uid]
        if (was.revision, was.fence) != (end.revision, end.fence):
            return SettleOutcome.LOST
        if was.settled:
            return SettleOutcome.SETTLED
        said = {**was.said, end.revision: end.result} if end.result else was.said
        ended = Pointer(end.revision, end.fence, True, (), (), end.state, end.holdings, end.routed, said, end.source)
        self.pointers[end.order_uid] = replace(ended, heard=was.heard, overtaken=was.overtaken)
        return SettleOutcome.SETTLED

    def record_return(self, one: RecordReturn) -> ReturnAck:
        """An instruction is given back once; whoever is at work on the order has then lost its claim."""
        was, place = self.pointers[one.order_uid], (one.warehouse_id, one.revision)
        told = was.routed.get(one.warehouse_id)
        if place not in was.heard:
            revisions = told.revisions if told is not None else ()
            if told is None or one.revision not in (revisions if one.change_only else revisions[-1:]):
                if told is None and one.change_only and was.revision:
                    self.pointers[one.order_uid] = replace(was, heard={**was.heard, place: "refused"})
                return ReturnAck(RecordReturnOutcome.STALE)
            self.pointers[one.order_uid] = was = _given_back(was, one, told)
        heard, unmoved = was.heard[place], f"settled {was.revision}"
        is_open = was.settled and heard in (f"{unmoved} change", unmoved if not one.change_only else None)
        return ReturnAck(RecordReturnOutcome.HEARD, is_open, (0, 7) if was.source else None, tuple(was.holdings))

    def stash_return(self, note: StashReturn) -> None:
        """A message is remembered once, even when what it said is void by now."""
        was, where = self.pointers[note.order_uid], note.warehouse_id
        kept = was.overtaken.get(where, ())
        if was.revision and not any((one.revision, one.message_id) == (note.revision, note.message_id) for one in kept):
            self.pointers[note.order_uid] = replace(was, overtaken={**was.overtaken, where: (*kept, note)})

    def drop_return(self, note: DropReturn) -> None:
        was, where = self.pointers[note.order_uid], note.warehouse_id
        kept = was.overtaken.get(where, ())
        if kept:
            void = tuple(one._replace(event=b"") if one.revision < note.revision else one for one in kept)
            self.pointers[note.order_uid] = replace(was, overtaken={**was.overtaken, where: void})

    def standing(self, order_uid: str, warehouse_id: str, revision: str) -> tuple[object, ...]:
        """What an answer to this instruction is judged by."""
        order = self.pointers[order_uid]
        told = order.routed.get(warehouse_id)
        revisions = told.revisions if told is not None else ()
        events = [(one.revision, one.event) for one in order.overtaken.get(warehouse_id, ()) if one.event]
        heard = (warehouse_id, revision) in order.heard
        return order.fence, heard, "".join(revisions[-1:]), list(revisions[:-1]), told.units if told else {}, events

    def expire(self, seen: Reservation, now_ms: int) -> ExpireOutcome:
        found = self.reservation(seen.warehouse_id, seen.order_uid)
        if found.state != HELD or not found.deadline_ms:
            return ExpireOutcome.GONE
        if (found.revision, found.fence) != (seen.revision, seen.fence):
            return ExpireOutcome.CHANGED
        if found.deadline_ms > now_ms:
            return ExpireOutcome.NOT_DUE
        self.change("expired", replace(found, state=EXPIRED, deadline_ms=0))
        order = self.pointers[seen.order_uid]
        if order.settled and order.revision == seen.revision and order.state in (OrderState.HELD, OrderState.EXPIRED):
            self.pointers[seen.order_uid] = replace(order, state=OrderState.EXPIRED)
        return ExpireOutcome.EXPIRED


def _given_back(was: Pointer, one: RecordReturn, told: ActiveInstruction) -> Pointer:
    routed = {where: each for where, each in was.routed.items() if where != one.warehouse_id}
    if one.change_only:
        left = tuple(revision for revision in told.revisions if revision != one.revision)
        again = _told_by(was, one.warehouse_id, left[-1]) if left else None
        units, line_ids = (again.units, again.line_ids) if again is not None else ({}, told.line_ids)
        routed = {**was.routed, one.warehouse_id: replace(told, revisions=left, units=units, line_ids=line_ids)}
    heard = f"{was.phase} {was.revision}" + (" change" if one.change_only else "")
    fence = was.fence if was.settled else was.fence + 1000
    returned = was.returned if was.settled or one.change_only else (*was.returned, one.warehouse_id)
    marks = {**was.heard, (one.warehouse_id, one.revision): heard}
    return replace(was, routed=routed, fence=fence, returned=returned, heard=marks)


def _told_by(was: Pointer, warehouse_id: str, revision: str) -> Instruction | None:
    said = decode(Result, was.said[revision]).told if was.said.get(revision) else ()
    return next((told for told in said if told.warehouse_id == warehouse_id and told.kind != "cancel"), None)


def is_forgotten_in_time(order: Pointer) -> bool:
    """Whether the order's pointer goes by itself one day, or is not there at all."""
    return order == Pointer() or (order.settled and order.state in ENDED)


def is_stale(step: Reserve | Release, found: Reservation) -> bool:
    return step.fence < found.fence or step.revision < found.revision


def given_up(found: Reservation) -> ReservationState:
    """What becomes of a reservation whose rest is given up."""
    return SHIPPED if found.shipped else RELEASED


def _reserved(step: Reserve, found: Reservation) -> Reservation:
    """The reservation as it is to be, if there is enough. What has left for the order counts as given."""
    state, keep = step.state, step.taking in (Taking.KEEP, Taking.STOP)
    stop = _stop(step, found)
    if found.state == ReservationState.ALLOCATED or stop == "hold" or (keep and state == HELD):
        state = ReservationState(found.state)
    rest = {sku: units - found.shipped.get(sku, 0) for sku, units in step.quantities.items()}
    if step.taking is Taking.GROW and found.state in LIVE:
        rest = {sku: max(rest.get(sku, 0), found.quantities.get(sku, 0)) for sku in {*rest, *found.quantities}}
    deadline_ms = found.deadline_ms if keep else step.deadline_ms
    return Reservation(
        warehouse_id=step.warehouse_id,
        order_uid=step.order_uid,
        revision=step.revision,
        fence=step.fence,
        state=state,
        quantities=found.quantities if keep else {sku: units for sku, units in rest.items() if units > 0},
        deadline_ms=deadline_ms if state == HELD or stop == "hold" else 0,
        shipped=found.shipped,
        stop=stop,
    )


def _stop(step: Reserve, found: Reservation) -> str:
    """What happens when the warehouse answers that it stopped. It may be packing until then, paid or not."""
    match step.taking:
        case Taking.STOP:
            return "" if found.state == HELD else "keep"
        case Taking.KEEP:
            return "keep" if found.stop == "hold" and step.state != HELD else found.stop
        case Taking.GROW if step.state == HELD and found.state in LIVE and found.stop:
            return "hold"
    return ""


def moved(before: Mapping[str, StockLevel], after: Mapping[str, StockLevel]) -> dict[str, dict[str, int]]:
    """By SKU, the counters that are not what they were, and by how much."""
    deltas = {sku: _moved(before[sku], after[sku]) for sku in before}
    return {sku: counters for sku, counters in deltas.items() if counters}


def _moved(before: StockLevel, after: StockLevel) -> dict[str, int]:
    deltas = {name: getattr(after, name) - getattr(before, name) for name in COUNTERS}
    return {name: delta for name, delta in deltas.items() if delta}


def replayed(changes: Iterable[Mapping[str, Mapping[str, int]]], skus: Collection[str]) -> dict[str, dict[str, int]]:
    """The counters that these changes add up to, from zero."""
    sums = {sku: dict.fromkeys(COUNTERS, 0) for sku in skus}
    for change in changes:
        for sku, counters in change.items():
            for name, delta in counters.items():
                sums[sku][name] += delta
    return sums
