"""Holds whose payment deadline has passed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from workers.inventory.keys import deadlines_key
from workers.inventory.operations import expire, mark_expired
from workers.inventory.operations import read_reservations as reservations
from workers.inventory.operations.expire import ExpireOutcome
from workers.inventory.operations.shared.context import CallContext, RunScripts
from workers.inventory.operations.shared.parsing import not_ours
from workers.inventory.reading import read_reservations
from workers.inventory.records import CorruptLedger, Reservation, Swept
from workers.runtime.redis.errors import redis_errors

_READS_PER_CALL: Final = 100
_HOLDS_PER_CALL: Final = 25  # about a millisecond, in which Redis does nothing else


class HoldLedger:
    """Finds holds that are due, and gives them back."""

    def __init__(self, redis: Redis, run: RunScripts, context: CallContext) -> None:
        self._redis = redis
        self._run = run
        self._context = context

    async def due(self, warehouse_id: str, now_ms: int, limit: int) -> list[Reservation]:
        """Up to `limit` holds whose deadline is not after `now_ms`, those due first. Raises CorruptLedger."""
        due = await self._due(warehouse_id, now_ms, limit, 0)
        return await read_reservations(self._redis, [(warehouse_id, uid) for uid in due])

    async def _due(self, warehouse_id: str, now_ms: int, limit: int, skip: int) -> list[str]:
        key = deadlines_key(warehouse_id)
        try:
            with redis_errors():
                uids: Any = await self._redis.zrangebyscore(key, "-inf", now_ms, start=skip, num=limit)
        except ResponseError as error:
            raise not_ours(key) from error
        return [uid.decode() for uid in uids]

    async def expire(self, seen: Sequence[Reservation], now_ms: int) -> list[ExpireOutcome]:
        """Give these holds back if nothing happened to them since they were seen, and note it on their orders.

        All of one warehouse. Raises CorruptLedger.
        """
        outcomes = []
        for outcome in await self._expire(seen, now_ms):
            if isinstance(outcome, CorruptLedger):
                raise outcome
            outcomes.append(outcome)
        return outcomes

    async def sweep(self, warehouse_id: str, now_ms: int, limit: int, skip: int = 0) -> Swept:
        """Give back up to `limit` holds that are due, those due first without the first `skip`. A corrupt one stays."""
        try:
            due = await self._due(warehouse_id, now_ms, limit, skip)
        except CorruptLedger as error:
            return Swept(0, 0, (error,))
        found = await self._read(warehouse_id, due)
        outcomes = await self._expire([each for each in found if isinstance(each, Reservation)], now_ms)
        corrupt = [each for each in (*found, *outcomes) if isinstance(each, CorruptLedger)]
        return Swept(len(due), outcomes.count(ExpireOutcome.EXPIRED), tuple(corrupt))

    async def _read(self, warehouse_id: str, uids: Sequence[str]) -> list[Reservation | CorruptLedger]:
        parts = [uids[start : start + _READS_PER_CALL] for start in range(0, len(uids), _READS_PER_CALL)]
        replies = await self._run([reservations.call(warehouse_id, part, self._context) for part in parts])
        rows = (row for reply in replies for row in reply)
        return [reservations.parse(warehouse_id, uid, row) for uid, row in zip(uids, rows, strict=True)]

    async def _expire(self, seen: Sequence[Reservation], now_ms: int) -> list[ExpireOutcome | CorruptLedger]:
        parts = [seen[start : start + _HOLDS_PER_CALL] for start in range(0, len(seen), _HOLDS_PER_CALL)]
        replies = await self._run([expire.call(part, now_ms, self._context) for part in parts])
        outcomes: list[ExpireOutcome | CorruptLedger] = []
        for part, reply in zip(parts, replies, strict=True):
            outcomes += expire.parse(reply) if isinstance(reply, list) else await self._expire_each(part, now_ms)
        expired = [hold for hold, outcome in zip(seen, outcomes, strict=True) if outcome is ExpireOutcome.EXPIRED]
        calls = [mark_expired.call(hold.order_uid, hold.revision, self._context) for hold in expired]
        for reply in await self._run(calls):
            mark_expired.parse(reply)
        return outcomes

    async def _expire_each(self, holds: Sequence[Reservation], now_ms: int) -> list[ExpireOutcome | CorruptLedger]:
        """One of them is corrupt: the others need not wait for it."""
        replies = await self._run([expire.call([hold], now_ms, self._context) for hold in holds])
        return [expire.parse(reply)[0] for reply in replies]
