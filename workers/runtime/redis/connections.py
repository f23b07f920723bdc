"""A worker's connections to Redis: redis-py's, in a pool that costs less than the commands which go through it."""

from __future__ import annotations

from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.maint_notifications import MaintNotificationsConfig

from workers.runtime.redis.epoch import EpochGuard, epoch_key


class Connections(ConnectionPool):
    """redis-py's pool without its lock and its counters for OpenTelemetry, which take longer than a short command.

    The lock is for notifications of maintenance, which rearrange a pool; they are off here. That a server goes away is
    seen when its connections break, and then what was asked for is done again.
    """

    guard: EpochGuard | None = None
    """Asked in every pipeline whether this is the Redis that is meant; None: whatever is there will do."""

    def __init__(self, **options: Any) -> None:
        super().__init__(maint_notifications_config=MaintNotificationsConfig(enabled=False), **options)

    async def get_connection(self, *_command: Any, **_options: Any) -> AbstractConnection:
        """A connection that nobody else has until it is released; it is open, and no reply waits in it."""
        connection: AbstractConnection = self.get_available_connection()  # type: ignore[no-untyped-call]
        try:
            if not connection.is_connected or await connection.can_read():
                await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def release(self, connection: AbstractConnection) -> None:
        """Give it back."""
        self._in_use_connections.remove(connection)
        if connection.should_reconnect():  # type: ignore[no-untyped-call]
            await connection.disconnect()
        self._available_connections.append(connection)


def connect(url: str, guard: EpochGuard | None = None, **options: Any) -> Redis:
    """A client with such a pool, closed with it. Nothing is sent before the first command.

    `options` are those of `Redis.from_url`. Raises ValueError when the address is no address.
    """
    pool = Connections.from_url(url, **options)
    pool.guard = guard
    return Redis.from_pool(pool)


async def prove_epoch(redis: Redis) -> None:
    """Make sure by itself that this is the Redis that is meant, before single commands. Raises as the guard does."""
    guard: EpochGuard | None = getattr(redis.connection_pool, "guard", None)
    if guard is not None:
        await guard.check(await redis.get(epoch_key()))
