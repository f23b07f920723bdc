"""The warehouses' memory: what they were told, what they did, what they have yet to say. The caller has the clock.

All is decided by the times that Kafka wrote on the instructions, so a WMS that forgot everything and reads from the
beginning does and says the same again.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import count
from math import inf

from ops.testbed.simulators.wms.fate import Act, Mishaps, fate, random_of, units
from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEvent, WmsEventKind

IMPOSSIBLE = "-impossible"
"""How the ids of messages end that cannot be right, for those who keep the books."""

_SAID_AGAIN = 3  # units of one SKU in a parcel that is said again


class _Work:
    """One instruction on the warehouse's floor: all that must be kept of it, for there are many."""

    __slots__ = ("back_at", "ended", "left", "left_at")

    def __init__(self, began: float, acts: Sequence[Act]) -> None:
        self.left_at = min((_moment(began, act) for act in acts if act.kind is WmsEventKind.SHIPPED), default=inf)
        self.back_at = min((_moment(began, act) for act in acts if act.ends), default=inf)
        self.ended = inf  # when it was stopped or replaced: what would have come later does not
        self.left = False  # it was said already that goods have left

    def has_left(self, now: float) -> bool:
        """Whether goods have left by then."""
        return self.left or self.left_at <= min(now, self.ended)

    def is_over(self, now: float) -> bool:
        """Whether it was given back or stopped by then."""
        return min(self.back_at, self.ended) <= now


def _moment(began: float, act: Act) -> float:
    """When an act happens, to the millisecond, as Kafka stamps instructions: both sides of a race see one order."""
    return round(began + act.after, 3)


class Houses:
    """All simulated warehouses. Times in seconds since 1970.

    `said`: message ids that were sent in an earlier life; goods that left then have left.
    """

    def __init__(
        self, seed: int, mishaps: Mishaps | None = None, pace: float = 1.0, said: Collection[str] = ()
    ) -> None:
        self._seed = seed
        self._mishaps = mishaps or Mishaps()
        self._pace = pace
        self._said = said
        self._work: dict[tuple[str, str], _Work] = {}
        self._newest: dict[tuple[str, str], str] = {}
        self._mouth: list[tuple[float, int, _Work, WmsEvent]] = []
        self._ticket = count()

    def take(self, told: FulfillmentInstruction, at: float) -> None:
        """Take an instruction in that Kafka stamped with `at`. One that is not newer than what is held is dropped."""
        order = (told.warehouse_id, told.order_uid)
        if told.revision <= self._newest.get(order, ""):
            return
        self._newest[order] = told.revision
        work = self._work.get(order)
        match told.kind:
            case InstructionKind.CANCEL:
                self._cancel(told, at, work)
            case InstructionKind.CHANGE if work is not None and work.has_left(at):
                self._answer(told, at, WmsEventKind.REJECTED, "other")
            case InstructionKind.FULFIL if work is not None and work.has_left(at) and work.back_at > at:
                pass  # what has left is never packed twice; `shipped` says so
            case _:
                if work is not None:
                    work.ended = min(work.ended, at)
                self._begin(told, at)

    def due(self, now: float) -> Iterator[WmsEvent]:
        """What is to be said by now, in the order in which it is said."""
        while self._mouth and self._mouth[0][0] <= now:
            _, _, work, event = heapq.heappop(self._mouth)
            if event.at.timestamp() <= work.ended:
                work.left = work.left or event.kind is WmsEventKind.SHIPPED
                yield event

    @property
    def waiting(self) -> int:
        """How many messages are still to be said."""
        return len(self._mouth)

    def _begin(self, told: FulfillmentInstruction, at: float) -> None:
        acts = fate(told, self._seed, self._mishaps, self._pace)
        work = self._work[told.warehouse_id, told.order_uid] = _Work(at, acts)
        for number, act in enumerate(acts):
            event = self._event(told, _moment(at, act), act.kind, number, act.quantities, act.reason)
            work.left = work.left or (act.kind is WmsEventKind.SHIPPED and event.message_id in self._said)
            self._say(work, event, at + act.said_after)
            if act.kind is WmsEventKind.SHIPPED and act.quantities == units(told):
                self._mistake(told, event, work, at + act.said_after)

    def _mistake(self, told: FulfillmentInstruction, left: WmsEvent, work: _Work, moment: float) -> None:
        """Say more of a parcel than is true: far more units, the same parcel again, or one that nobody asked for.

        A small parcel is not said again: with a piece or two more, which its shop may want by then, it could be true.
        """
        random = random_of(self._seed, told.instruction_id, "mistake")
        if random.random() >= self._mishaps.impossible:
            return
        wrong = replace(left, message_id=f"{left.message_id}{IMPOSSIBLE}")
        match random.randrange(3):
            case 0:
                never = told.instruction_id.replace(told.revision, f"{told.revision[:15]}.00000000000.never")
                wrong = replace(wrong, instruction_id=never)
            case 1 if max(left.quantities.values()) >= _SAID_AGAIN:
                pass
            case _:
                wrong = replace(wrong, quantities={sku: count + 50 for sku, count in left.quantities.items()})
        heapq.heappush(self._mouth, (moment + 0.2 * self._pace, next(self._ticket), work, wrong))

    def _cancel(self, told: FulfillmentInstruction, at: float, work: _Work | None) -> None:
        if work is not None and work.has_left(at) and not work.is_over(at):
            self._answer(told, at, WmsEventKind.REJECTED, "other")
            return
        if work is not None:
            work.ended = min(work.ended, at)
        self._answer(told, at, WmsEventKind.CANCELLED)

    def _answer(self, told: FulfillmentInstruction, at: float, kind: WmsEventKind, reason: str = "") -> None:
        delay = random_of(self._seed, told.instruction_id).uniform(0.1, 0.6) * self._pace
        event = self._event(told, at + delay, kind, 0, {}, reason)
        self._say(_Work(at, ()), event, at + delay)

    def _say(self, work: _Work, event: WmsEvent, moment: float) -> None:
        heapq.heappush(self._mouth, (moment, next(self._ticket), work, event))
        random = random_of(self._seed, event.message_id)
        if random.random() < self._mishaps.twice:
            again = moment + random.uniform(0.1, 2.0) * self._pace
            heapq.heappush(self._mouth, (again, next(self._ticket), work, event))

    def _event(
        self,
        told: FulfillmentInstruction,
        at: float,
        kind: WmsEventKind,
        number: int,
        quantities: dict[str, int],
        reason: str,
    ) -> WmsEvent:
        digest = blake2b(f"{told.instruction_id}/{kind}/{number}".encode(), digest_size=9).hexdigest()
        left = kind is WmsEventKind.SHIPPED
        return WmsEvent(
            message_id=f"{told.warehouse_id}-{digest}",
            kind=kind,
            order_uid=told.order_uid,
            warehouse_id=told.warehouse_id,
            instruction_id=told.instruction_id,
            at=datetime.fromtimestamp(round(at, 3), UTC),
            quantities=quantities,
            reason=reason,
            tracking_number=f"SIM{digest[:12].upper()}" if left else "",
            carrier="SIM" if left else "",
        )
