"""The list of orders that wait for stock, kept in Redis: backordered ones, and those that await a transfer.

An order is put on it before its ending is settled, and taken off after an ending that needs no stock is: whoever dies
in between leaves an entry too many, never one too few. `is_over` finds those that are too many.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import field
from typing import Any, Final, Literal, NamedTuple

import orjson
from redis.asyncio import Redis

from schemas.order import lines_to_ship
from schemas.plan import OnShort, PlannedOrder
from schemas.record import record
from schemas.revision import tries_of
from workers.inventory.availability import bundles, wanted
from workers.inventory.keys import order_key, waiting_ages_key, waiting_in_hand_key, waiting_key, waiting_wants_key
from workers.inventory.operations import leave, take, wait
from workers.inventory.operations.leave import LeaveOutcome
from workers.inventory.operations.shared.context import RunScripts
from workers.inventory.operations.take import TakeOutcome
from workers.inventory.operations.wait import Wait, WaitOutcome
from workers.inventory.records import OrderState, Quantities
from workers.runtime.redis.errors import redis_errors
from workers.runtime.redis.scripts import read_all

WAITS: Final = frozenset({OrderState.BACKORDERED, OrderState.AWAITING_TRANSFER})
"""The states in which an order is on the list."""

_PAGE: Final = 1000
_LONGEST_PAUSE: Final = 5  # as a power of two, in seconds


@record
class Waiting:
    """One order that waits for stock."""

    order_uid: str
    revision: str
    placed_at_ms: int
    parcels: tuple[Quantities, ...]  # units that must come from one warehouse; several only if it may be split
    warehouses: tuple[str, ...]  # where it may ship from, best first
    gave_up: tuple[str, ...] = ()  # where it was, and was given back: asked last
    source: str = ""  # where its planned order stands: <partition>:<offset>
    needs: Quantities = field(default_factory=dict)

    @property
    def place(self) -> tuple[int, int]:
        """Partition and offset of its planned order in `orders.planned`."""
        partition, _, offset = self.source.partition(":")
        return int(partition), int(offset)


class WaitingFigures(NamedTuple):
    """How many orders wait, and since when the oldest does (placed, ms since 1970; 0 = none waits)."""

    orders: int
    oldest_ms: int


def waiting_of(planned: PlannedOrder, source: str) -> Waiting:
    """The entry of an order that found no stock."""
    order, plan = planned.order, planned.plan
    lines = lines_to_ship(order)
    named = [candidate.warehouse_id for candidate in plan.candidates]
    whole = plan.on_short is not OnShort.SPLIT
    return Waiting(
        order_uid=order.uid,
        revision=order.revision,
        placed_at_ms=int(order.placed_at.timestamp() * 1000),
        parcels=(wanted(lines),) if whole else tuple(wanted(bundle) for bundle in bundles(lines)),
        warehouses=tuple(name for name in named if name not in plan.gave_up),
        gave_up=tuple(name for name in named if name in plan.gave_up),
        source=source,
        needs=wanted(lines),
    )


class WaitingList:
    """All orders that wait. `run`: how scripts are run. Every method raises TransientError when Redis is away."""

    def __init__(self, redis: Redis, run: RunScripts) -> None:
        self._redis = redis
        self._run = run
        self._entries, self._ages = waiting_key(), waiting_ages_key()
        self._wants, self._hands = waiting_wants_key(), waiting_in_hand_key()

    async def put(self, entries: Sequence[Waiting]) -> list[WaitOutcome]:
        """Put these on the list. One that was tried before is let through again after a pause that grows."""
        replies = await self._run([wait.call(_wait(entry)) for entry in entries])
        return [wait.parse(reply) for reply in replies]

    async def leave(self, orders: Iterable[tuple[str, str]]) -> list[LeaveOutcome]:
        """Take (order uid, revision) off the list, where no newer revision waits."""
        replies = await self._run([leave.call(*order) for order in orders])
        return [leave.parse(reply) for reply in replies]

    async def take(self, entries: Sequence[Waiting], ms: int) -> list[Waiting]:
        """Those of the entries that nobody else may let through for so long, and that are still as they were seen."""
        return await self._in_hand(entries, ms, "take")

    async def keep(self, entries: Sequence[Waiting], ms: int) -> list[Waiting]:
        """Keep what was taken for longer."""
        return await self._in_hand(entries, ms, "keep")

    async def _in_hand(self, entries: Sequence[Waiting], ms: int, how: Literal["take", "keep"]) -> list[Waiting]:
        calls = [take.call(entry.order_uid, entry.revision, ms, how) for entry in entries]
        outcomes = [take.parse(reply) for reply in await self._run(calls)]
        return [entry for entry, outcome in zip(entries, outcomes, strict=True) if outcome is TakeOutcome.TAKEN]

    # --- looking

    async def figures(self) -> WaitingFigures:
        """How many wait, and how old the oldest is."""
        with redis_errors():
            oldest: Any = await self._redis.zrange(self._ages, 0, 0, withscores=True)
            count: int = await self._redis.zcard(self._ages)
        return WaitingFigures(count, int(oldest[0][1]) if oldest else 0)

    async def wants(self) -> list[tuple[str, str]]:
        """(warehouse, SKU) that at least one of them could use."""
        with redis_errors():
            names: Any = await self._redis.hkeys(self._wants)
        pairs = [name.decode().partition("/") for name in names]
        return [(warehouse, sku) for warehouse, _, sku in pairs]

    async def in_hand(self) -> set[str]:
        """The uids that somebody is letting through just now, or that pause."""
        with redis_errors():
            seconds, micros = await self._redis.time()
            now_ms = seconds * 1000 + micros // 1000
            uids: Any = await self._redis.zrange(self._hands, f"({now_ms}", "+inf", byscore=True)
        return {uid.decode() for uid in uids}

    async def oldest_first(self) -> AsyncIterator[list[Waiting]]:
        """The list, page by page. What comes or goes meanwhile may be missed."""
        start = 0
        while True:
            with redis_errors():
                uids: Any = await self._redis.zrange(self._ages, start, start + _PAGE - 1)
                packed: Any = await self._redis.hmget(self._entries, uids) if uids else []
            yield [_entry(uid, text) for uid, text in zip(uids, packed, strict=True) if text]
            if len(uids) < _PAGE:
                return
            start += _PAGE

    async def some(self, cursor: int) -> tuple[int, list[Waiting]]:
        """A part of the list in no order, and the cursor of the next part; begin with 0, after the last it is 0."""
        with redis_errors():
            answer: Any = await self._redis.hscan(self._entries, cursor, count=100)
        following, packed = answer
        return int(following), [_entry(uid, text) for uid, text in packed.items()]

    async def is_over(self, entries: Sequence[Waiting]) -> list[bool | None]:
        """Whether each has no need to wait any more; None while somebody works on the order."""
        fields = ("revision", "phase", "state")
        pointers = await read_all(self._redis, [("HMGET", order_key(entry.order_uid), *fields) for entry in entries])
        return [_is_over(entry, *pointer) for entry, pointer in zip(entries, pointers, strict=True)]


def _is_over(entry: Waiting, revision: bytes | None, phase: bytes | None, state: bytes | None) -> bool | None:
    if phase != b"settled":
        return None if phase else True  # an order that was forgotten waits for nothing
    return revision != entry.revision.encode() or OrderState((state or b"").decode()) not in WAITS


def _wait(entry: Waiting) -> Wait:
    everywhere = (*entry.warehouses, *entry.gave_up)
    packed = orjson.dumps(
        {
            "revision": entry.revision,
            "placed": entry.placed_at_ms,
            "parcels": entry.parcels,
            "warehouses": entry.warehouses,
            "gave_up": entry.gave_up,
            "source": entry.source,
            "wants": [f"{warehouse}/{sku}" for warehouse in everywhere for sku in entry.needs],
        }
    )
    tries = tries_of(entry.revision)
    pause_ms = 1000 * 2 ** min(tries, _LONGEST_PAUSE) if tries else 0
    return Wait(entry.order_uid, entry.revision, entry.placed_at_ms, packed, pause_ms)


def _entry(uid: bytes, packed: bytes) -> Waiting:
    fields = orjson.loads(packed)
    needs: Quantities = {}
    for parcel in fields["parcels"]:
        for sku, units in parcel.items():
            needs[sku] = needs.get(sku, 0) + units
    return Waiting(
        order_uid=uid.decode(),
        revision=fields["revision"],
        placed_at_ms=fields["placed"],
        parcels=tuple(fields["parcels"]),
        warehouses=tuple(fields["warehouses"]),
        gave_up=tuple(fields["gave_up"]),
        source=fields["source"],
        needs=needs,
    )
