"""The delay queue in Redis: orders by due time, taken with a lease, given up only when they are safely elsewhere.

Every change is one script. All methods cost one round trip and raise TransientError when Redis is away; doing it again
is safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple
from zlib import crc32

from redis.asyncio import Redis
from redis.exceptions import RedisError

from schemas.namespace import prefixed
from workers.runtime.redis.errors import redis_errors
from workers.runtime.redis.scripts import Script, ScriptCall, run_scripts

SHARDS: Final = 16
"""Never changes on a live system: an order is looked for in the shard that its uid falls to."""

_PARTS: Final = ("waiting", "leased", "revisions", "orders", "woken")


class KeepOutcome(StrEnum):
    """What `keep.lua` answers."""

    KEPT = "KEPT"
    ALREADY = "ALREADY"
    STALE = "STALE"
    DROPPED = "DROPPED"


class FinishOutcome(StrEnum):
    """What `finish.lua` answers."""

    FINISHED = "FINISHED"
    REPLACED = "REPLACED"


class Keep(NamedTuple):
    """Keep this revision until `due_ms`; None: keep nothing, and give up what is kept of an older one."""

    order_uid: str
    revision: str
    due_ms: int | None
    body: bytes


class Woken(NamedTuple):
    """An order that is due. `at_ms`: when it was first found so, the same each time it is taken."""

    order_uid: str
    revision: str
    at_ms: int
    body: bytes


class DelayQueue:
    """Of each order at most one revision waits: the newest. Any number of processes may use it at once."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._keep, self._wake, self._finish = (
            Script("workers.defer", f"{name}.lua") for name in ("keep", "wake", "finish")
        )
        self._shards = [tuple(prefixed(f"{part}:{{deferred-{shard}}}") for part in _PARTS) for shard in range(SHARDS)]

    async def keep(self, orders: Sequence[Keep]) -> list[KeepOutcome]:
        """Keep these orders, one after the other."""
        calls = [self._call(self._keep, order.order_uid, *_fields(order)) for order in orders]
        return [KeepOutcome(reply[0].decode()) for reply in await self._run(calls)]

    async def wake(self, now_ms: int, lease_ms: int, limit: int) -> list[Woken]:
        """The orders that are due, `limit` of each shard at most. Nobody else gets them before the lease ends."""
        calls = [ScriptCall(self._wake, keys, (now_ms, lease_ms, limit)) for keys in self._shards]
        return [woken for reply in await self._run(calls) for woken in _woken(reply)]

    async def finish(self, orders: Sequence[tuple[str, str]]) -> list[FinishOutcome]:
        """These (uid, revision) are safely elsewhere: give them up."""
        calls = [self._call(self._finish, uid, uid, revision) for uid, revision in orders]
        return [FinishOutcome(reply[0].decode()) for reply in await self._run(calls)]

    def key_of_body(self, order_uid: str) -> str:
        """The hash that holds this order's bytes, if it waits, under its uid."""
        return self._keys(order_uid)[_PARTS.index("orders")]

    async def waiting(self) -> int:
        """How many orders are kept."""
        pipeline = self._redis.pipeline(transaction=False)
        for keys in self._shards:
            pipeline.hlen(keys[_PARTS.index("revisions")])
        with redis_errors():
            return sum(await pipeline.execute())

    async def revisions(self) -> dict[str, str]:
        """All orders that are kept, and in which revision."""
        pipeline = self._redis.pipeline(transaction=False)
        for keys in self._shards:
            pipeline.hgetall(keys[_PARTS.index("revisions")])
        with redis_errors():
            shards: list[Any] = await pipeline.execute()
        return {uid.decode(): revision.decode() for kept in shards for uid, revision in kept.items()}

    def _call(self, script: Script, order_uid: str, *arguments: str | bytes | int) -> ScriptCall:
        return ScriptCall(script, self._keys(order_uid), arguments)

    def _keys(self, order_uid: str) -> tuple[str, ...]:
        return self._shards[crc32(order_uid.encode()) % SHARDS]

    async def _run(self, calls: Sequence[ScriptCall]) -> list[Any]:
        replies = await run_scripts(self._redis, calls)
        for reply in replies:
            if isinstance(reply, RedisError):
                raise reply
        return replies


def _fields(order: Keep) -> tuple[str | bytes | int, ...]:
    return (order.order_uid, order.revision, "" if order.due_ms is None else order.due_ms, order.body)


def _woken(reply: Sequence[bytes]) -> list[Woken]:
    rows = zip(reply[::4], reply[1::4], reply[2::4], reply[3::4], strict=True)
    return [Woken(uid.decode(), revision.decode(), int(at), body) for uid, revision, at, body in rows]
