"""How intake names and asks for things in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, NamedTuple

from redis.exceptions import RedisError

from channel_adapters.shop import ShopSettings
from schemas.namespace import prefixed
from workers.runtime.errors import TransientError
from workers.runtime.redis.errors import transient, trouble_of


class ShopKey(NamedTuple):
    """Names one shop of one channel, in Redis keys and for people."""

    channel: str
    shop_id: str

    @classmethod
    def of(cls, shop: ShopSettings) -> ShopKey:
        """The key of a configured shop."""
        return cls(shop.channel, shop.shop_id)

    def __str__(self) -> str:
        return f"{self.channel}/{self.shop_id}"

    def redis_key(self, kind: str) -> str:
        """`intake-<kind>:{<channel>/<shop>}`: all keys of a shop live in one cluster slot."""
        return prefixed(f"intake-{kind}:{{{self}}}")


async def asked(answer: Awaitable[Any]) -> Any:
    """The answer of Redis, bytes as text. Raises TransientError for whatever Redis or the way to it is short of."""
    task = asyncio.current_task()
    cancelled = task.cancelling() if task else 0
    try:
        found = await answer
    except (RedisError, OSError, RuntimeError) as error:
        if (trouble := trouble_of(error)) is not None:
            raise transient(trouble) from error
        if isinstance(error, RuntimeError):
            raise
        # A key of the shop is damaged: polling the others goes on, and this one is tried again.
        raise TransientError(f"Redis: {type(error).__name__}: {str(error).partition(' ')[0]}") from error
    if task and task.cancelling() > cancelled:
        # Python 3.11's asyncio.wait_for, which redis-py writes through, drops a cancellation that comes as it is done.
        raise asyncio.CancelledError
    return found.decode() if isinstance(found, bytes) else found
