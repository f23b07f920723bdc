"""A worker process of the race test. Told a turn on its input, it takes it with all its orders and answers what came.

Turns: `order` (half of them paid, some of a neighbour's orders too, as if they were delivered twice), `change` (cancel
a third of what it has, pay for what it lacks), `pay` (whatever is not paid yet).
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from redis.asyncio import Redis

from schemas.fulfillment import InstructionKind
from schemas.order import Order
from schemas.plan import Backorder, Disposition, PlannedOrder
from tests.builders import a_cancelled_order, a_plan, a_planned_order, an_order, an_unpaid_order
from workers.inventory.ledger import Ledger
from workers.inventory.operations.withdraw import Withdraw, WithdrawOutcome
from workers.inventory.records import Answer
from workers.reserve.agent import ReserveAgent
from workers.runtime.errors import TransientError
from workers.runtime.stage import Delivery, Outcome

WAREHOUSE = "hangzhou"
ORDERS_EACH = 200
DELIVERED_TWICE = 20
BATCH = 20
WORKERS = 8
TURNS = ("order", "change", "pay")

Fate = str
"""held, committed, short or gone"""


class RacingWorker:
    """One process's orders and what it was told of them."""

    def __init__(self, redis: Redis, number: int) -> None:
        self._ledger = Ledger(redis)
        self._agent = ReserveAgent(self._ledger, hold_seconds=3600)
        self._mine = [f"{number}-{count}" for count in range(ORDERS_EACH)]
        neighbour = (number + 1) % WORKERS
        self._also = [f"{neighbour}-{count}" for count in range(DELIVERED_TWICE)]
        self._fates: dict[str, Fate] = {}

    async def take(self, turn: str) -> dict[str, Fate]:
        """One turn; what came of every order it was about."""
        revision = f"r{TURNS.index(turn) + 1}"
        planned = [
            replace(one, order=replace(one.order, revision=revision)) for one in getattr(self, f"_{turn}")() if one
        ]
        told: dict[str, Fate] = {}
        for start in range(0, len(planned), BATCH):
            told |= await self._handle(planned[start : start + BATCH])
        self._fates |= told
        return told

    def _order(self) -> Iterator[PlannedOrder]:
        for count, name in enumerate(self._mine + self._also):
            yield _plan(an_order(name) if count % 2 else an_unpaid_order(name))

    def _change(self) -> Iterator[PlannedOrder]:
        for count, name in enumerate(self._mine):
            if self._fates[name] == "short":
                yield _plan(an_order(name))
            elif count % 3 == 0:
                yield _plan(a_cancelled_order(name), Disposition.RELEASE)

    def _pay(self) -> Iterator[PlannedOrder]:
        for name in self._mine:
            if self._fates[name] != "committed":
                yield _plan(an_order(name))

    async def _handle(self, batch: list[PlannedOrder]) -> dict[str, Fate]:
        """As the runtime does: a batch that another worker got in the way of is done again, whole."""
        deliveries = [Delivery(one, key=one.order.uid.encode()) for one in batch]
        while True:
            try:
                outcomes = await self._agent.handle(deliveries)
            except TransientError:
                continue
            told = [_events(outcome) for outcome in outcomes]
            await self._answer_cancellations([event for events in told for event in events])
            return {one.order.platform_order_id: _fate(one, events) for one, events in zip(batch, told, strict=True)}

    async def _answer_cancellations(self, events: Sequence[Any]) -> None:
        """The WMS has not begun: what was waiting for its word goes back."""
        told = [event for event in events if getattr(event, "kind", None) is InstructionKind.CANCEL]
        withdrawn = [Withdraw(WAREHOUSE, one.order_uid, one.revision) for one in told]
        for answer in await self._ledger.orders.apply(withdrawn):
            assert isinstance(answer, Answer)
            assert answer.outcome in (WithdrawOutcome.RELEASED, WithdrawOutcome.NOTHING_HELD)


def _plan(order: Order, disposition: Disposition = Disposition.RESERVE) -> PlannedOrder:
    return a_planned_order(order, a_plan(WAREHOUSE, disposition=disposition))


def _events(outcome: Outcome) -> Sequence[Any]:
    assert not isinstance(outcome, Exception), outcome
    return outcome


def _fate(one: PlannedOrder, events: Sequence[Any]) -> Fate:
    if one.plan.disposition is Disposition.RELEASE:
        return "gone"
    if any(isinstance(event, Backorder) for event in events):
        return "short"
    return "committed" if one.order.paid_at else "held"


async def main(url: str, number: int) -> None:
    async with Redis.from_url(url, decode_responses=False) as redis:
        worker = RacingWorker(redis, number)
        while turn := (await asyncio.to_thread(sys.stdin.readline)).strip():
            print(json.dumps(await worker.take(turn)), flush=True)  # noqa: T201  # the answer


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
