"""What the stock ledger must do for those who handle the goods: counts, a WMS's word, transfers. In plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.workers.inventory.model import HELD, SHIPPED, Event, Orders, Place, given_up, moved
from workers.inventory.operations.allocate import Allocate, AllocateOutcome
from workers.inventory.operations.fence import Fence
from workers.inventory.operations.release import Release
from workers.inventory.operations.reserve import Reserve
from workers.inventory.operations.ship import Ship, ShipOutcome
from workers.inventory.operations.short import Lost, Short, ShortOutcome
from workers.inventory.operations.steps import Step
from workers.inventory.operations.transfer import Transfer, TransferAction, TransferOutcome
from workers.inventory.operations.withdraw import Withdraw, WithdrawOutcome
from workers.inventory.records import LIVE, Answer, Count, Quantities, Reservation, ReservationState

AFTER = {
    TransferAction.RESERVE: "reserved",
    TransferAction.SEND: "sent",
    TransferAction.CANCEL: "cancelled",
    TransferAction.RECEIVE: "received",
}
BEFORE = {
    TransferAction.RESERVE: "",
    TransferAction.SEND: "reserved",
    TransferAction.CANCEL: "reserved",
    TransferAction.RECEIVE: "",
}


class Model(Orders):
    """The whole ledger. Every method answers what `Ledger` must answer to the same call."""

    def __init__(self, skus: Sequence[str]) -> None:
        super().__init__(skus)
        self.messages: defaultdict[Place, set[str]] = defaultdict(set)
        self.lost: defaultdict[Place, set[str]] = defaultdict(set)  # of which only on-hand units were noted
        self.transfers: dict[Place, str] = {}

    def apply(self, step: Step) -> Answer:
        match step:
            case Reserve():
                return self.reserve(step)
            case Release():
                return self.release(step)
            case Fence():
                return self.fence(step)
            case Allocate():
                return self.allocate(step)
            case Ship():
                return self.ship(step)
            case Short():
                return self.short(step)
            case Withdraw():
                return self.withdraw(step)

    # --- the WMS

    def allocate(self, step: Allocate) -> Answer:
        found = self.reservation(step.warehouse_id, step.order_uid)
        if found.state == ReservationState.ALLOCATED:
            return Answer(AllocateOutcome.ALREADY)
        if found.state != ReservationState.COMMITTED:
            return Answer(AllocateOutcome.NOTHING_HELD, state=found.state)
        self.change("allocated", replace(found, state=ReservationState.ALLOCATED))
        return Answer(AllocateOutcome.ALLOCATED)

    def ship(self, step: Ship) -> Answer:
        place = (step.warehouse_id, step.order_uid)
        found = self.reservation(*place)
        if step.message_id in self.messages[place]:
            return Answer(ShipOutcome.REPEAT)
        left = {sku: units for sku, units in (step.quantities or found.quantities).items() if units}
        if not left:  # of an order of which all has left, one parcel more
            return Answer(ShipOutcome.MORE_THAN_TOLD if found.shipped else ShipOutcome.NOTHING_KNOWN)
        is_live = found.state in LIVE
        rest = _less(found.quantities, left) if is_live else {}
        shipped = {sku: found.shipped.get(sku, 0) + left.get(sku, 0) for sku in {*found.shipped, *left}}
        after = replace(found, quantities=rest, shipped=shipped)
        if not rest:
            after = replace(after, state=SHIPPED, deadline_ms=0, stop="")
        self._wms_says("shipped", after, step, {sku: -units for sku, units in left.items()})
        if not is_live:
            return Answer(ShipOutcome.AFTER_RELEASE)
        return Answer(ShipOutcome.PARTLY if rest else ShipOutcome.SHIPPED)

    def short(self, step: Short) -> Answer:
        place = (step.warehouse_id, step.order_uid)
        found = self.reservation(*place)
        if step.message_id in self.messages[place] - self.lost[place]:
            return Answer(ShortOutcome.REPEAT)
        if found.state not in LIVE or found.state == HELD:
            return self._lost_alone(step, found, ShortOutcome.NOTHING_HELD)
        if step.revision < found.revision:
            return self._lost_alone(step, found, ShortOutcome.STALE)
        named = step.quantities or found.quantities
        short = {sku: min(units, named[sku]) for sku, units in found.quantities.items() if sku in named}
        off = found.quantities if found.stop == "release" else short
        after = replace(found, quantities=_less(found.quantities, off))
        if not after.quantities:
            after = replace(after, state=given_up(found), stop="", deadline_ms=0)
        lost = {} if step.lost is Lost.NONE else self._missing(step, found, short)
        if step.lost is Lost.SHELF:
            lost = {sku: -off[sku] - self.free(step.warehouse_id, sku) for sku, units in short.items() if units}
        elif step.message_id in self.lost[place]:
            lost = {}
        self.lost[place].discard(step.message_id)
        self._wms_says("short", after, step, lost)
        return Answer(ShortOutcome.NOTED)

    def _missing(self, step: Short, found: Reservation, short: Quantities) -> dict[str, int]:
        """Who names no units means those of the instruction, less what has left; and no more than are reserved."""
        if step.quantities or step.told is None:
            return {sku: -units for sku, units in short.items()}
        rest = _less(step.told, found.shipped)
        return {sku: -min(units, rest.get(sku, 0)) for sku, units in short.items()}

    def _lost_alone(self, step: Short, found: Reservation, outcome: ShortOutcome) -> Answer:
        """On-hand is less, once; what the order has is as it was."""
        place, told = (step.warehouse_id, step.order_uid), step.told
        named = {sku: units if told is None else min(units, told.get(sku, 0)) for sku, units in step.quantities.items()}
        units = {sku: units for sku, units in (named or _less(told or {}, found.shipped)).items() if units}
        if step.lost is Lost.NONE or step.message_id in self.messages[place] or not units:
            return Answer(outcome)
        if step.lost is Lost.SHELF:
            units = {sku: self.free(step.warehouse_id, sku) for sku in units}
        self.lost[place].add(step.message_id)
        self._wms_says("lost", found, step, {sku: -count for sku, count in units.items()})
        return Answer(outcome)

    def withdraw(self, step: Withdraw) -> Answer:
        found = self.reservation(step.warehouse_id, step.order_uid)
        if found.state not in LIVE:
            return Answer(WithdrawOutcome.NOTHING_HELD)
        if step.revision < found.revision:
            return Answer(WithdrawOutcome.STALE)
        if not found.stop:
            return Answer(WithdrawOutcome.GIVEN_UP)
        if found.stop == "keep":
            self.change("committed", replace(found, state=ReservationState.COMMITTED, stop="", deadline_ms=0))
            return Answer(WithdrawOutcome.KEPT)
        if found.stop == "hold":
            self.change("held", replace(found, state=HELD, stop=""))
            return Answer(WithdrawOutcome.KEPT)
        self.change("released", replace(found, state=given_up(found), stop="", deadline_ms=0))
        return Answer(WithdrawOutcome.RELEASED)

    def _wms_says(self, kind: str, after: Reservation, step: Ship | Short, on_hand: Mapping[str, int]) -> None:
        self.messages[step.warehouse_id, step.order_uid].add(step.message_id)
        unseen = {sku: self._unseen(step.warehouse_id, sku, step.at_ms, units) for sku, units in on_hand.items()}
        self.change(kind, after, unseen, step.message_id)

    def _unseen(self, warehouse_id: str, sku: str, at_ms: int, units: int) -> int:
        """A movement of on-hand units, kept for late counts; nothing where a later count has seen it already."""
        figures = self.figures[warehouse_id, sku]
        if at_ms <= figures.counted_at_ms:
            return 0
        figures.movements.append((at_ms, units))
        return units

    # --- counts and transfers

    def set_stock(self, warehouse_id: str, counts: Mapping[str, Count], at_ms: int) -> dict[str, int]:
        before, counted = self.levels(warehouse_id), []
        for sku, count in counts.items():
            figures = self.figures[warehouse_id, sku]
            if count.on_hand is not None and at_ms >= figures.counted_at_ms:
                figures.on_hand = count.on_hand + sum(units for at, units in figures.movements if at > at_ms)
                figures.counted_at_ms = at_ms
                counted.append(sku)
            if count.safety is not None:
                figures.safety = count.safety
        after = self.levels(warehouse_id)
        changes = moved(before, after)
        if changes or counted:
            event = Event("counted", changes, counted=tuple(counted), counted_at_ms=at_ms)
            self.events[warehouse_id].append(event)
        return {sku: after[sku].available_to_promise for sku in counts}

    def transfer(self, step: Transfer) -> tuple[TransferOutcome, Quantities]:
        place, action = (step.warehouse_id, step.transfer_id), step.action
        state = self.transfers.get(place, "")
        if state == AFTER[action]:
            return TransferOutcome.ALREADY, {}
        if state != BEFORE[action]:
            return TransferOutcome.REFUSED, {}
        free = {sku: self.free(step.warehouse_id, sku) for sku in step.quantities}
        if action is TransferAction.RESERVE and any(units > free[sku] for sku, units in step.quantities.items()):
            return TransferOutcome.INSUFFICIENT, free
        before = self.levels(step.warehouse_id)
        for sku, units in step.quantities.items():
            self._transfer(step, sku, units)
        self.transfers[place] = AFTER[action]
        changes = moved(before, self.levels(step.warehouse_id))
        event = Event(f"transfer-{AFTER[action]}", changes, transfer_id=step.transfer_id)
        self.events[step.warehouse_id].append(event)
        return TransferOutcome.DONE, {}

    def _transfer(self, step: Transfer, sku: str, units: int) -> None:
        figures = self.figures[step.warehouse_id, sku]
        if step.action is TransferAction.RESERVE:
            figures.transfer += units
        elif step.action is not TransferAction.RECEIVE:
            figures.transfer -= units
        if step.action is TransferAction.SEND:
            figures.on_hand += self._unseen(step.warehouse_id, sku, step.at_ms, -units)
        elif step.action is TransferAction.RECEIVE:
            figures.on_hand += self._unseen(step.warehouse_id, sku, step.at_ms, units)


def _less(quantities: Mapping[str, int], gone: Mapping[str, int]) -> Quantities:
    rest = {sku: units - gone.get(sku, 0) for sku, units in quantities.items()}
    return {sku: units for sku, units in rest.items() if units > 0}
