"""How far intake is with every shop, for whoever watches it: in Redis, noted by pollers and receivers alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis

from schemas.namespace import prefixed
from workers.intake.store import ShopKey, asked

NOTED_SECONDS: Final = 60.0
"""A process notes the same of a shop no more often than this."""

FORGOTTEN_AFTER: Final = timedelta(days=1)
"""A shop that no poller has had in its file for so long is none of ours any more."""

_SEEN, _NEWS, _PUSHED = "seen", "news", "pushed"


class ShopProgress(NamedTuple):
    """One shop. `shop`: channel/shop; times None: never."""

    shop: str
    seen_at: datetime
    read_to: datetime | None
    news_at: datetime | None
    pushed_at: datetime | None


class ProgressNotes:
    """What is noted. All methods raise TransientError."""

    def __init__(self, redis: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._noted: dict[tuple[ShopKey, str], float] = {}

    async def seen(self, shop: ShopKey, now: datetime) -> None:
        """A poller has it in its file."""
        await self._note(shop, _SEEN, now)

    async def news(self, shop: ShopKey, now: datetime) -> None:
        """Polling found an order state that was new."""
        await self._note(shop, _NEWS, now)

    async def pushed(self, shop: ShopKey, now: datetime) -> None:
        """A push came whose signature is right."""
        await self._note(shop, _PUSHED, now)

    async def _note(self, shop: ShopKey, what: str, now: datetime) -> None:
        last = self._noted.get((shop, what))
        if last is None or self._clock() - last >= NOTED_SECONDS:
            await asked(self._redis.hset(_key(), f"{shop} {what}", str(int(now.timestamp()))))
            self._noted[shop, what] = self._clock()

    async def read(self, now: datetime) -> list[ShopProgress]:
        """Every shop that a poller has had in its file within a day; what is noted of others is thrown away."""
        noted: dict[Any, Any] = await asked(self._redis.hgetall(_key()))
        found: dict[str, dict[str, datetime]] = {}
        for field, value in noted.items():
            shop, _, what = _text(field).partition(" ")
            found.setdefault(shop, {})[what] = datetime.fromtimestamp(int(value), UTC)
        gone = [shop for shop, times in found.items() if now - times.get(_SEEN, now) > FORGOTTEN_AFTER]
        if gone:
            await asked(self._redis.hdel(_key(), *(f"{shop} {what}" for shop in gone for what in found[shop])))
        shops = sorted(shop for shop, times in found.items() if _SEEN in times and shop not in gone)
        cursors = await self._cursors(shops)
        return [
            ShopProgress(shop, found[shop][_SEEN], cursors[shop], found[shop].get(_NEWS), found[shop].get(_PUSHED))
            for shop in shops
        ]

    async def _cursors(self, shops: list[str]) -> dict[str, datetime | None]:
        if not shops:
            return {}
        keys = [ShopKey(*shop.split("/", 1)).redis_key("cursor") for shop in shops]
        found = await asked(self._redis.mget(keys))
        times = [None if each is None else datetime.fromtimestamp(int(each) / 1000, UTC) for each in found]
        return dict(zip(shops, times, strict=True))


def _key() -> str:
    return prefixed("intake-progress:{shops}")


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
