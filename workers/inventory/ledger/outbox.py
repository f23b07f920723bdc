"""The events of all changes, until they are known to be in Kafka."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from schemas.inventory import InventoryEvent
from workers.inventory.keys import outbox_key
from workers.inventory.operations import lease, trim
from workers.inventory.operations.lease import LeaseOutcome
from workers.inventory.operations.shared.context import RunScripts
from workers.inventory.operations.trim import TrimOutcome
from workers.inventory.outbox import event_of
from workers.runtime.redis.errors import redis_errors


class OutboxLedger:
    """The outboxes of all warehouses, each relayed by one process at a time."""

    def __init__(self, redis: Redis, run: RunScripts) -> None:
        self._redis = redis
        self._run = run
        self._holder = secrets.token_hex(8)

    async def lease(self, warehouse_ids: Sequence[str], lease_ms: int) -> list[str]:
        """Those of the warehouses whose outbox this ledger alone may relay for the time asked."""
        replies = await self._run([lease.call(one, self._holder, lease_ms) for one in warehouse_ids])
        outcomes = [lease.parse(reply) for reply in replies]
        return [one for one, got in zip(warehouse_ids, outcomes, strict=True) if got is LeaseOutcome.MINE]

    async def read(self, warehouse_id: str, limit: int) -> tuple[list[InventoryEvent], str]:
        """The oldest events of an outbox, and the id that tells `trim` where they end, "" without any."""
        with redis_errors():
            entries: Any = await self._redis.xrange(outbox_key(warehouse_id), count=limit)
        if not entries:
            return [], ""
        events = [event_of(warehouse_id, entry_id, fields) for entry_id, fields in entries]
        stamp, _, number = entries[-1][0].decode().partition("-")
        return events, f"{stamp}-{int(number) + 1}"

    async def trim(self, ends: Mapping[str, str]) -> list[TrimOutcome]:
        """Drop from each warehouse's outbox what `read` gave. TAKEN: somebody else relays it now."""
        replies = await self._run([trim.call(one, self._holder, end) for one, end in ends.items()])
        return [trim.parse(reply) for reply in replies]
