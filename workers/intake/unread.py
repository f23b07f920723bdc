"""Spans of platform time whose answer could not be read: put aside in Redis, so that the rest of the shop goes on.

One malformed row on a page must neither stop a shop for good nor be forgotten. What is put aside is tried again until
it can be read: after the platform repaired it, or we did.
"""

from __future__ import annotations

from datetime import UTC, datetime

from redis.asyncio import Redis

from channel_adapters.contract import Window
from workers.intake.store import ShopKey, asked


class Unread:
    """The windows of each shop that are still to be read. Only the holder of the shop's lease changes them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, shop: ShopKey, window: Window) -> bool:
        """Put a window aside; False when it already was. Raises TransientError."""
        return bool(await asked(self._redis.sadd(shop.redis_key("unread"), _stored(window))))

    async def some_of(self, shop: ShopKey, limit: int) -> list[Window]:
        """Any `limit` of them. Raises TransientError."""
        answer = await asked(self._redis.srandmember(shop.redis_key("unread"), limit))
        return [_window(member) for member in answer or []]

    async def count(self, shop: ShopKey) -> int:
        """How many there are. Raises TransientError."""
        return int(await asked(self._redis.scard(shop.redis_key("unread"))))

    async def remove(self, shop: ShopKey, window: Window) -> None:
        """It has been read. Raises TransientError."""
        await asked(self._redis.srem(shop.redis_key("unread"), _stored(window)))


def _stored(window: Window) -> str:
    return f"{int(window.start.timestamp())}-{int(window.end.timestamp())}"


def _window(stored: bytes | str) -> Window:
    text = stored.decode() if isinstance(stored, bytes) else stored
    start, _, end = text.partition("-")
    return Window(datetime.fromtimestamp(int(start), UTC), datetime.fromtimestamp(int(end), UTC))
