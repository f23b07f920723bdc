"""What Redis says of itself: how full it is, and whether it could write."""

from __future__ import annotations

from typing import Any, Final

from redis.asyncio import Redis

from workers.runtime.redis.errors import redis_errors
from workers.watch.facts import RedisFacts

_WRITES: Final = {
    "aof_last_write_status": "append-only file",
    "aof_last_bgrewrite_status": "rewriting the append-only file",
    "rdb_last_bgsave_status": "snapshot",
}


class RedisHealth:
    """Asks INFO: one round trip of some kilobytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def __call__(self) -> RedisFacts:
        """How it is now. Raises TransientError."""
        with redis_errors():
            info: dict[str, Any] = {**await self._redis.info("memory"), **await self._redis.info("persistence")}
        failed = [what for name, what in _WRITES.items() if str(info.get(name, "ok")) != "ok"]
        return RedisFacts(
            used_bytes=int(info.get("used_memory", 0)),
            most_bytes=int(info.get("maxmemory", 0)) or int(info.get("total_system_memory", 0)),
            failed=", ".join(failed),
            file_bytes=int(info.get("aof_current_size", 0)),
        )
