"""The proof after a round: what must hold of the books, the stock and the events, and everything that does not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from redis.asyncio import Redis

from ops.testbed.oracle.accounts import Expected
from workers.defer.queue import DelayQueue
from workers.inventory.keys import outbox_key
from workers.inventory.ledger import Ledger
from workers.inventory.reading import read_reservations
from workers.inventory.records import LIVE, Count, Reservation, StockLevel
from workers.inventory.report import AuditReport
from workers.rebuild.contents import WAITING_FAMILIES, read_contents

Findings = dict[str, list[str]]
"""What is wrong, by kind."""

HOLDS_ALL: Final = frozenset({"routed", "held"})
HOLDS_ANY: Final = frozenset({"review", "wms-review", "deferred"})
"""In these places an order keeps what it had; in all others but the next it must hold nothing."""

HOLDS_THE_REST: Final = frozenset({"shipped"})
"""Here it may hold what its shop wants more than has left: that came too late for the parcel; a person was asked."""


NEARLY_GONE: Final = 2  # units that may still be promised
_FOLLOWS: Final = ("order", *WAITING_FAMILIES)


class Stock:
    """The stock of all warehouses, looked at past any proxy while the fleet is at rest."""

    def __init__(self, url: str, warehouses: Sequence[str]) -> None:
        self._url = url
        self._warehouses = tuple(warehouses)

    def promise(self, wanted: Mapping[str, Mapping[str, int]]) -> None:
        """Count so much into each warehouse that exactly these units may be promised, whatever is reserved."""
        asyncio.run(self._promise(wanted))

    async def _promise(self, wanted: Mapping[str, Mapping[str, int]]) -> None:
        async with Redis.from_url(self._url) as redis:
            ledger = Ledger(redis)
            for warehouse, units in wanted.items():
                before = {level.sku: level for level in await ledger.stock.levels(warehouse, list(units))}
                counts = {
                    sku: Count(on_hand=before[sku].on_hand - before[sku].available_to_promise + count)
                    for sku, count in units.items()
                }
                await ledger.stock.set_counts(warehouse, counts)

    def arrive(self, rng: Random) -> None:
        """Up to three units more of one SKU in five, in every warehouse. Raises TransientError while Redis is away."""
        asyncio.run(self._arrive(rng))

    async def _arrive(self, rng: Random) -> None:
        async with Redis.from_url(self._url, socket_timeout=1, socket_connect_timeout=1) as redis:
            ledger = Ledger(redis)
            for warehouse in self._warehouses:
                levels = await ledger.stock.levels(warehouse)
                chosen = rng.sample(levels, len(levels) // 5)
                await ledger.stock.set_counts(warehouse, _more(chosen, rng, 1, 3))

    def fill(self, rng: Random) -> None:
        """A few units more of whatever is nearly gone, in every warehouse."""
        asyncio.run(self._fill(rng))

    async def _fill(self, rng: Random) -> None:
        async with Redis.from_url(self._url) as redis:
            ledger = Ledger(redis)
            for warehouse in self._warehouses:
                short = [one for one in await ledger.stock.levels(warehouse) if one.available_to_promise <= NEARLY_GONE]
                await ledger.stock.set_counts(warehouse, _more(short, rng, 2, 8))

    def outboxes_empty(self) -> bool:
        """Whether every stock event is known to be in Kafka. Raises RedisError while Redis is away."""
        return asyncio.run(self._outboxes_empty())

    async def _outboxes_empty(self) -> bool:
        async with Redis.from_url(self._url) as redis:
            lengths: list[Any] = [await redis.xlen(outbox_key(warehouse)) for warehouse in self._warehouses]
            return not any(lengths)

    def contents(self) -> dict[str, bytes]:
        """All that is kept of stock, to the byte; without the orders' pointers, which come back in meaning."""
        return asyncio.run(self._contents())

    async def _contents(self) -> dict[str, bytes]:
        async with Redis.from_url(self._url) as redis:
            return {one.key: one.line() async for one in read_contents(redis) if one.family not in _FOLLOWS}

    def empty(self) -> None:
        """Take everything away from Redis."""
        asyncio.run(self._empty())

    async def _empty(self) -> None:
        async with Redis.from_url(self._url) as redis:
            await redis.flushall()

    def deferred(self) -> dict[str, str]:
        """The orders that wait for their time, and in which revision."""
        return asyncio.run(self._deferred())

    async def _deferred(self) -> dict[str, str]:
        async with Redis.from_url(self._url) as redis:
            return await DelayQueue(redis).revisions()

    def audit(self, uids: Sequence[str]) -> tuple[AuditReport, list[StockLevel], list[Reservation]]:
        """The ledger's own audit, all counters, and what is written of these orders in every warehouse."""
        return asyncio.run(self._audit(uids))

    async def _audit(self, uids: Sequence[str]) -> tuple[AuditReport, list[StockLevel], list[Reservation]]:
        async with Redis.from_url(self._url) as redis:
            ledger = Ledger(redis)
            levels = [level for warehouse in self._warehouses for level in await ledger.stock.levels(warehouse)]
            asked = [(warehouse, uid) for warehouse in self._warehouses for uid in uids]
            return await ledger.stock.audit(), levels, await read_reservations(redis, asked)


def misheld(
    truth: Sequence[Expected],
    places: Mapping[str, str],
    reservations: Sequence[Reservation],
    shipped: Mapping[str, Mapping[str, int]] | None = None,
    told: Mapping[str, Mapping[str, int]] | None = None,
) -> list[str]:
    """Orders whose reserved units, over all warehouses, are not those that the buyer is still to get.

    The audit cannot see this: two whole reservations of one order add up to the counters as well as one does. To be
    asked when every warehouse has answered that answers at all. `shipped`: units that have left, by order; `told`: what
    warehouses are told to ship, which a backordered order keeps: only what it wants more than these is not there.
    """
    gone, standing = shipped or {}, told or {}
    held: dict[str, dict[str, int]] = {}
    for one in reservations:
        if one.state in LIVE:
            units = held.setdefault(one.order_uid, {})
            for sku, quantity in one.quantities.items():
                units[sku] = units.get(sku, 0) + quantity
    found = []
    for expected in truth:
        place, has = places[expected.uid], held.get(expected.uid, {})
        wanted = standing.get(expected.uid, {}) if place == "backordered" else expected.quantities
        rest = _less(wanted, gone.get(expected.uid, {}))
        due = rest if place == "backordered" or place in HOLDS_ALL or (place in HOLDS_THE_REST and has) else {}
        if place not in HOLDS_ANY and has != due:
            found.append(f"{expected.uid}: {expected.story}: {place}, holds {has}, should hold {due}")
    return found


def changed_keys(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[str]:
    """What is not the same in two looks at all contents, in words."""
    changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    return [f"{key} was {_shown(before, key)}, came back as {_shown(after, key)}" for key in changed]


def _more(levels: Sequence[StockLevel], rng: Random, least: int, most: int) -> dict[str, Count]:
    return {level.sku: Count(on_hand=level.on_hand + rng.randint(least, most)) for level in levels}


def _shown(contents: Mapping[str, bytes], key: str) -> str:
    return contents[key].decode() if key in contents else "nothing"


def _less(units: Mapping[str, int], gone: Mapping[str, int]) -> dict[str, int]:
    return {sku: left for sku, count in units.items() if (left := count - gone.get(sku, 0)) > 0}
