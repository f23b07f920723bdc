"""Reads keys of the ledger together with the number of the warehouse's last event, page by page.

What stands on a page was all true at that one number, so it can be compared with the events up to exactly there, while
workers go on writing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis

from workers.inventory.keys import deadlines_key, outbox_key, reservation_key, stock_key, transfer_key
from workers.inventory.operations import snapshot
from workers.inventory.outbox import event_of
from workers.runtime.redis.errors import redis_errors
from workers.runtime.redis.scripts import run_scripts

PAGE: Final = 500
Fields = dict[str, str]


class Page(NamedTuple):
    """Hashes as they were at one number. None stands for a key that is no hash or not text."""

    sequence: int
    fields: dict[str, Fields | None]  # by what stands behind the prefix; {} = there is no such key
    deadlines: dict[str, int]  # by order uid


class Snapshots:
    """Takes the pages of all warehouses."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def stock(self, warehouse_id: str, skus: Sequence[str]) -> Page:
        """Counters of SKUs."""
        return await self._read(warehouse_id, stock_key(warehouse_id, ""), skus, ())

    async def records(self, warehouse_id: str, order_uids: Sequence[str]) -> Page:
        """Reservations of orders, and what the deadline list says of them."""
        return await self._read(warehouse_id, reservation_key(warehouse_id, ""), order_uids, order_uids)

    async def transfers(self, warehouse_id: str, transfer_ids: Sequence[str]) -> Page:
        """Transfers."""
        return await self._read(warehouse_id, transfer_key(warehouse_id, ""), transfer_ids, ())

    async def _read(self, warehouse_id: str, prefix: str, names: Sequence[str], orders: Sequence[str]) -> Page:
        call = snapshot.call(warehouse_id, [prefix + name for name in names], orders or [""] * len(names))
        [reply] = await run_scripts(self._redis, [call])
        sequence, hashes, deadlines = snapshot.parse(reply)
        return Page(
            sequence,
            {name: _text(found) for name, found in zip(names, hashes, strict=True)},
            {name: int(float(found)) for name, found in zip(names, deadlines, strict=True) if found},
        )

    async def names(self, prefix: str) -> set[str]:
        """What stands behind the prefix in all keys that begin with it."""
        with redis_errors():
            return {
                key[len(prefix.encode()) :].decode(errors="replace")
                async for key in self._redis.scan_iter(match=f"{_literally(prefix)}*", count=2000)
            }

    async def orders_with_deadline(self, warehouse_id: str) -> set[str]:
        """All orders that the deadline list names."""
        with redis_errors():
            found = self._redis.zscan_iter(deadlines_key(warehouse_id), count=2000)
            return {uid.decode(errors="replace") async for uid, _ in found}

    async def sequence(self, warehouse_id: str) -> int:
        """The number of the last event."""
        return (await self.stock(warehouse_id, ())).sequence

    async def outbox(self, warehouse_id: str) -> AsyncIterator[Any]:
        """The events that are not yet known to be in Kafka, oldest first."""
        last = "-"
        while True:
            with redis_errors():
                entries: Any = await self._redis.xrange(outbox_key(warehouse_id), min=last, count=PAGE)
            for entry_id, fields in entries:
                yield event_of(warehouse_id, entry_id, fields)
            if len(entries) < PAGE:
                return
            last = f"({entries[-1][0].decode()}"


def _literally(prefix: str) -> str:
    """For SCAN, whose patterns give some characters a meaning."""
    return "".join(f"\\{letter}" if letter in "*?[]^\\" else letter for letter in prefix)


def _text(flat: Any) -> Fields | None:
    if isinstance(flat, bytes):
        return None
    try:
        words = [word.decode() for word in flat]
    except UnicodeDecodeError:
        return None
    return dict(zip(words[::2], words[1::2], strict=True))
