"""What the stock ledger must do, in plain Python: no Redis, no Lua, one thing after the other.

Held, committed and allocated units are not kept here. They are added up from the reservations whenever they are asked
for, so a ledger that agrees with this model has counters that are the sum of its reservations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from workers.inventory.records import (
    ENDED,
    LIVE,
    Answer,
    Claim,
    ClaimOutcome,
    Count,
    ExpireOutcome,
    Fence,
    FenceOutcome,
    Holdings,
    OrderState,
    Release,
    ReleaseOutcome,
    Reservation,
    ReservationState,
    Reserve,
    ReserveOutcome,
    Settlement,
    SettleOutcome,
    Step,
    StockLevel,
)

HELD, EXPIRED, RELEASED = ReservationState.HELD, ReservationState.EXPIRED, ReservationState.RELEASED
Place = tuple[str, str]
"""A warehouse, and an order or a SKU in it."""


class Event(NamedTuple):
    """What the outbox must say of one change: by SKU, which counter moved by how much."""

    kind: str
    changes: Mapping[str, Mapping[str, int]]
    order_uid: str = ""
    revision: str = ""
    state: str = ""
    deadline_ms: int = 0


@dataclass(frozen=True)
class Pointer:
    """What is known of an order as a whole."""

    revision: str = ""
    fence: int = 0
    settled: bool = False
    intent: tuple[str, ...] = ()
    state: OrderState | None = None
    holdings: Holdings = field(default_factory=dict)
    routed: Mapping[str, str] = field(default_factory=dict)
    result: bytes = b""


class Model:
    """The ledger. Every method answers what `Ledger` must answer to the same call."""

    def __init__(self, skus: Sequence[str]) -> None:
        self.skus = skus
        self.counts: dict[Place, Count] = {}
        self.reservations: dict[Place, Reservation] = {}
        self.pointers: defaultdict[str, Pointer] = defaultdict(Pointer)
        self.events: defaultdict[str, list[Event]] = defaultdict(list)

    # --- what there is

    def level(self, warehouse_id: str, sku: str) -> StockLevel:
        units = dict.fromkeys(LIVE, 0)
        for found in self.reservations.values():
            if found.warehouse_id == warehouse_id and found.state in LIVE:
                units[ReservationState(found.state)] += found.quantities.get(sku, 0)
        count = self.counts.get((warehouse_id, sku), Count())
        return StockLevel(
            warehouse_id=warehouse_id, sku=sku, on_hand=count.on_hand or 0, safety=count.safety or 0, **units
        )

    def levels(self, warehouse_id: str) -> dict[str, StockLevel]:
        return {sku: self.level(warehouse_id, sku) for sku in self.skus}

    def reservation(self, warehouse_id: str, order_uid: str) -> Reservation:
        nothing = Reservation(warehouse_id=warehouse_id, order_uid=order_uid, revision="", state="", quantities={})
        return self.reservations.get((warehouse_id, order_uid), nothing)

    def due(self, warehouse_id: str, now_ms: int) -> list[Reservation]:
        holds = [r for r in self.reservations.values() if r.warehouse_id == warehouse_id and r.state == HELD]
        due = [hold for hold in holds if 0 < hold.deadline_ms <= now_ms]
        return sorted(due, key=lambda hold: (hold.deadline_ms, hold.order_uid))

    # --- one order's way

    def claim(self, order_uid: str, revision: str, warehouses: Iterable[str], fence: int) -> Claim:
        """`fence`: the number that the ledger chose; it only has to grow."""
        was = self.pointers[order_uid]
        if revision < was.revision:
            return Claim(ClaimOutcome.STALE)
        if revision == was.revision and was.settled:
            return Claim(ClaimOutcome.REPEAT, result=was.result)
        intent = tuple(dict.fromkeys((*was.intent, *warehouses)))
        self.pointers[order_uid] = replace(was, revision=revision, fence=fence, settled=False, intent=intent)
        interrupted = was.revision != "" and not was.settled
        return Claim(ClaimOutcome.CLAIMED, fence, was.state, was.holdings, was.routed, interrupted, was.intent)

    def apply(self, step: Step) -> Answer:
        if isinstance(step, Fence):
            return self.fence(step)
        return self.reserve(step) if isinstance(step, Reserve) else self.release(step)

    def fence(self, step: Fence) -> Answer:
        found = self.reservation(step.warehouse_id, step.order_uid)
        if step.fence < found.fence:
            return Answer(FenceOutcome.STALE)
        self._write(replace(found, fence=step.fence))
        return Answer(FenceOutcome.FENCED, found.quantities, found.state)

    def reserve(self, step: Reserve) -> Answer:
        found = self.reservation(step.warehouse_id, step.order_uid)
        if _is_stale(step, found):
            return Answer(ReserveOutcome.STALE)
        if step.keep and found.state not in LIVE:
            return Answer(ReserveOutcome.NOTHING_HELD)
        after = _reserved(step, found)
        if found.state in LIVE and after == replace(found, fence=step.fence):
            return Answer(ReserveOutcome.ALREADY, state=after.state)
        has = found.quantities if found.state in LIVE else {}
        could = {
            sku: has.get(sku, 0) + self._free(step.warehouse_id, sku) for sku in {*step.quantities, *step.has, *has}
        }
        if any(units > could[sku] for sku, units in after.quantities.items()):
            return Answer(ReserveOutcome.INSUFFICIENT, could)
        self._change(after, "changed" if after.state == found.state else after.state)
        return Answer(ReserveOutcome.RESERVED)

    def release(self, step: Release) -> Answer:
        found = self.reservation(step.warehouse_id, step.order_uid)
        if _is_stale(step, found):
            return Answer(ReleaseOutcome.STALE)
        after = replace(found, revision=step.revision, fence=step.fence)
        if found.state not in LIVE:
            self._write(replace(after, state=found.state or RELEASED))
            return Answer(ReleaseOutcome.NOTHING_HELD)
        if step.only_held and found.state != HELD:
            return Answer(ReleaseOutcome.KEPT)
        self._change(replace(after, state=RELEASED, deadline_ms=0), "released")
        return Answer(ReleaseOutcome.RELEASED)

    def settle(self, end: Settlement) -> SettleOutcome:
        was = self.pointers[end.order_uid]
        if (was.revision, was.fence) != (end.revision, end.fence):
            return SettleOutcome.LOST
        self.pointers[end.order_uid] = Pointer(
            end.revision, end.fence, True, (), end.state, end.holdings, end.routed, end.result
        )
        return SettleOutcome.SETTLED

    # --- deadlines and counts

    def expire(self, seen: Reservation, now_ms: int) -> ExpireOutcome:
        found = self.reservation(seen.warehouse_id, seen.order_uid)
        if found.state != HELD or not found.deadline_ms:
            return ExpireOutcome.GONE
        if (found.revision, found.fence) != (seen.revision, seen.fence):
            return ExpireOutcome.CHANGED
        if found.deadline_ms > now_ms:
            return ExpireOutcome.NOT_DUE
        self._change(replace(found, state=EXPIRED, deadline_ms=0), "expired")
        order = self.pointers[seen.order_uid]
        if order.settled and order.revision == seen.revision and order.state in (OrderState.HELD, OrderState.EXPIRED):
            self.pointers[seen.order_uid] = replace(order, state=OrderState.EXPIRED)
        return ExpireOutcome.EXPIRED

    def set_stock(self, warehouse_id: str, counts: Mapping[str, Count]) -> dict[str, int]:
        before = self.levels(warehouse_id)
        for sku, count in counts.items():
            level = before[sku]
            on_hand = level.on_hand if count.on_hand is None else count.on_hand
            safety = level.safety if count.safety is None else count.safety
            self.counts[warehouse_id, sku] = Count(on_hand=on_hand, safety=safety)
        after = self.levels(warehouse_id)
        if changes := _changes(before, after):
            self.events[warehouse_id].append(Event("counted", changes))
        return {sku: after[sku].available_to_promise for sku in counts}

    # --- plumbing

    def _free(self, warehouse_id: str, sku: str) -> int:
        return max(0, self.level(warehouse_id, sku).available_to_promise)

    def _change(self, after: Reservation, kind: str) -> None:
        before = self.levels(after.warehouse_id)
        self._write(after)
        changes = _changes(before, self.levels(after.warehouse_id))
        event = Event(kind, changes, after.order_uid, after.revision, after.state, after.deadline_ms)
        self.events[after.warehouse_id].append(event)

    def _write(self, after: Reservation) -> None:
        self.reservations[after.warehouse_id, after.order_uid] = after


COUNTERS = ("on_hand", "held", "committed", "allocated", "transfer", "safety")


def is_forgotten_in_time(order: Pointer) -> bool:
    """Whether the order's pointer goes by itself one day, or is not there at all."""
    return order == Pointer() or (order.settled and order.state in ENDED)


def _is_stale(step: Reserve | Release, found: Reservation) -> bool:
    return step.fence < found.fence or step.revision < found.revision


def _reserved(step: Reserve, found: Reservation) -> Reservation:
    """The reservation as it is to be, if there is enough."""
    state, deadline_ms = step.state, step.deadline_ms
    quantities = {sku: units for sku, units in step.quantities.items() if units}
    if found.state == ReservationState.ALLOCATED or (step.keep and state == HELD):
        state = ReservationState(found.state)
    if step.keep:
        quantities, deadline_ms = found.quantities, found.deadline_ms
    return Reservation(
        warehouse_id=step.warehouse_id,
        order_uid=step.order_uid,
        revision=step.revision,
        fence=step.fence,
        state=state,
        quantities=quantities,
        deadline_ms=deadline_ms if state == HELD else 0,
    )


def _changes(before: Mapping[str, StockLevel], after: Mapping[str, StockLevel]) -> dict[str, dict[str, int]]:
    moved = {sku: _moved(before[sku], after[sku]) for sku in before}
    return {sku: counters for sku, counters in moved.items() if counters}


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
