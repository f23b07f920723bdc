"""The defer stage, which keeps what is not due, and the wake stage, which puts it back when it is."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from pydantic import ValidationError

from schemas.plan import DeferredOrder, ReturnedOrder
from schemas.record import decode, encode
from workers.defer.decide import due_ms, is_overtaken, returned
from workers.defer.queue import DelayQueue, Keep, Woken
from workers.inventory.ledger import Ledger
from workers.inventory.ledger.orders import OrderLedger
from workers.runtime.stage import Delivery, Outcome

log = logging.getLogger(__name__)

LEASE_MS: Final = 30_000
BATCH: Final = 200


class Services(Protocol):
    """What these stages need of the process."""

    @property
    def deferred(self) -> DelayQueue:
        """Where orders wait."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Which revision of an order is the newest."""
        ...

    @property
    def now(self) -> Callable[[], float]:
        """Seconds since 1970."""
        ...


def defer(services: Services) -> DeferAgent:
    """The agent that reads `orders.deferred`."""
    return DeferAgent(services.deferred)


def wake(services: Services) -> WakeAgent:
    """The agent that ticks."""
    return WakeAgent(services.deferred, services.ledger.orders, services.now)


class DeferAgent:
    """Puts every deferred order into the queue, whole: see ops/docs/decisions/0005."""

    def __init__(self, queue: DelayQueue) -> None:
        self._queue = queue

    async def handle(self, batch: Sequence[Delivery[DeferredOrder]]) -> Sequence[Outcome]:
        """Keep a batch; no events come of it."""
        await self._queue.keep([_keep(delivery) for delivery in batch])
        return [()] * len(batch)


def _keep(delivery: Delivery[DeferredOrder]) -> Keep:
    deferred = delivery.value
    order = deferred.planned.order
    due = due_ms(deferred, delivery.timestamp_ms)
    return Keep(order.uid, order.revision, due, b"" if due is None else zlib.compress(encode(deferred), 1))


class WakeAgent:
    """Puts due orders back for a fresh decision; those that have moved on meanwhile vanish."""

    def __init__(
        self,
        queue: DelayQueue,
        orders: OrderLedger,
        now: Callable[[], float],
        *,
        batch: int = BATCH,
        lease_ms: int = LEASE_MS,
    ) -> None:
        self._queue = queue
        self._orders = orders
        self._now = now
        self._batch = batch
        self._lease_ms = lease_ms
        self._done: list[tuple[str, str]] = []

    async def tick(self) -> Sequence[ReturnedOrder]:
        """The orders that are due. They stay in the queue until `confirmed`, or come again when the lease ends."""
        self._done = []
        due = await self._queue.wake(int(self._now() * 1000), self._lease_ms, self._batch)
        newest = await self._orders.revisions([woken.order_uid for woken in due])
        events = []
        for woken, revision in zip(due, newest, strict=True):
            if is_overtaken(woken.revision, revision):
                self._done.append((woken.order_uid, woken.revision))
            elif (event := _put_back(woken)) is not None:
                self._done.append((woken.order_uid, woken.revision))
                events.append(event)
        return events

    async def confirmed(self) -> None:
        """Kafka has the last tick's orders: give them up here."""
        await self._queue.finish(self._done)
        self._done = []


def _put_back(woken: Woken) -> ReturnedOrder | None:
    """The order as it goes back. One that cannot be read stays in the queue, and holds up no other."""
    try:
        return returned(decode(DeferredOrder, zlib.decompress(woken.body)), woken.at_ms)
    except (zlib.error, ValidationError):
        log.error(
            "wake: order %s, revision %s: what is kept of it cannot be read; it stays in the queue. "
            "Set its consumer group `defer` back to read orders.deferred again",
            woken.order_uid,
            woken.revision,
        )
        return None
