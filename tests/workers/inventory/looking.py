"""All that can be seen of a few orders and SKUs in the ledger, read at once to be compared with the model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import uvloop
from redis.asyncio import Redis

from schemas.inventory import InventoryEvent, StockChange
from tests.workers.inventory.model import COUNTERS, Event, Orders
from workers.inventory.keys import order_key, reservation_key
from workers.inventory.ledger import Ledger
from workers.inventory.reading import read_reservations
from workers.inventory.records import OrderSnapshot, Reservation, StockLevel

T = TypeVar("T")
FOREVER = 10**15
_PLENTY = 100_000


class Connection:
    """One Redis and one event loop for a whole test whose steps are no coroutines."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self.redis = Redis.from_url(url, decode_responses=False)

    def run(self, call: Awaitable[T]) -> T:
        async def called() -> T:
            return await call

        return self._runner.run(called())

    def close(self) -> None:
        self.run(self.redis.aclose())
        self._runner.close()


@dataclass(frozen=True)
class Sight:
    """What was there at one moment."""

    levels: dict[str, list[StockLevel]]
    reservations: list[Reservation]
    due: dict[str, list[Reservation]]
    orders: dict[str, OrderSnapshot]
    outbox: dict[str, list[InventoryEvent]]
    lasting: set[str]


async def look(redis: Redis, warehouses: Sequence[str], skus: Sequence[str], orders: Sequence[str]) -> Sight:
    """Nothing may change meanwhile."""
    ledger = Ledger(redis)
    places = [(warehouse, uid) for warehouse in warehouses for uid in orders]
    keys = [*(order_key(uid) for uid in orders), *(reservation_key(*place) for place in places)]
    levels, reservations, due, found, outbox, lasting = await asyncio.gather(
        asyncio.gather(*(ledger.stock.levels(warehouse, skus) for warehouse in warehouses)),
        read_reservations(redis, places),
        asyncio.gather(*(ledger.holds.due(warehouse, FOREVER, _PLENTY) for warehouse in warehouses)),
        asyncio.gather(*(ledger.orders.where_is(uid) for uid in orders)),
        asyncio.gather(*(ledger.outbox.read(warehouse, _PLENTY) for warehouse in warehouses)),
        _lasting(redis, keys),
    )
    return Sight(
        levels=dict(zip(warehouses, levels, strict=True)),
        reservations=reservations,
        due=dict(zip(warehouses, due, strict=True)),
        orders=dict(zip(orders, found, strict=True)),
        outbox={warehouse: events for warehouse, (events, _) in zip(warehouses, outbox, strict=True)},
        lasting=lasting,
    )


async def _lasting(redis: Redis, keys: Sequence[str]) -> set[str]:
    """The keys that are there for good."""
    pipeline = redis.pipeline(transaction=False)
    for key in keys:
        pipeline.pttl(key)
    left: list[Any] = await pipeline.execute()
    return {key for key, milliseconds in zip(keys, left, strict=True) if milliseconds == -1}


def order_snapshot(model: Orders, uid: str) -> OrderSnapshot:
    """What `Ledger.where_is` must find."""
    pointer = model.pointers[uid]
    asked = dict.fromkeys((*pointer.holdings, *pointer.intent))
    reservations = [model.reservation(warehouse, uid) for warehouse in asked]
    return OrderSnapshot(
        order_uid=uid,
        revision=pointer.revision,
        state=pointer.state,
        settled=pointer.settled,
        intent=pointer.intent,
        holdings=pointer.holdings,
        routed=tuple(sorted(pointer.routed)),
        source=pointer.source,
        reservations=tuple(found for found in reservations if found.state),
    )


def event_told(event: InventoryEvent) -> Event:
    """An event of the outbox, as the model writes it."""
    return Event(
        event.kind,
        {change.sku: deltas for change in event.changes if (deltas := _deltas(change))},
        _record_in(event) if event.order_uid else None,
        event.message_id,
        event.transfer_id,
        event.counted,
        _ms(event.counted_at),
    )


def _deltas(change: StockChange) -> dict[str, int]:
    return {name: delta for name in COUNTERS if (delta := getattr(change, name))}


def _record_in(event: InventoryEvent) -> Reservation:
    return Reservation(
        warehouse_id=event.warehouse_id,
        order_uid=event.order_uid,
        revision=event.revision,
        state=event.state,
        quantities=event.lines,
        deadline_ms=_ms(event.deadline),
        fence=event.fence,
        shipped=event.shipped,
        stop=event.stop,
    )


def _ms(time: datetime | None) -> int:
    return round(time.timestamp() * 1000) if time else 0


def counters_of(level: StockLevel) -> dict[str, int]:
    return {name: getattr(level, name) for name in COUNTERS}
