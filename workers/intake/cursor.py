"""How far each shop has been read, in Redis. The only caller of advance.lua."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from redis.asyncio import Redis

from workers.intake.lease import LeaseLost
from workers.intake.store import ShopKey, asked
from workers.runtime.redis.scripts import load_script

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class CursorMoved(Exception):
    """Somebody set the cursor meanwhile (an operator who wants a span read again): read it and start from there."""


class Cursors:
    """The cursors of all shops. A cursor says: everything modified before it is confirmed by Kafka."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._advance = load_script(redis, __package__, "advance.lua")

    async def read(self, shop: ShopKey) -> datetime | None:
        """The cursor, None when the shop was never read. Raises TransientError."""
        found = await asked(self._redis.get(shop.redis_key("cursor")))
        return None if found is None else _EPOCH + int(found) * _MILLISECOND

    async def advance(self, shop: ShopKey, fence: int, *, expected: datetime | None, to: datetime) -> None:
        """Move the cursor from `expected` to `to`.

        Raises LeaseLost when a newer lease was handed out, CursorMoved when it is not at `expected`, TransientError.
        """
        keys = [shop.redis_key("cursor"), shop.redis_key("fence")]
        args = [str(fence), "" if expected is None else _stored(expected), _stored(to)]
        outcome = await asked(self._advance(keys, args))
        if outcome == "FENCED":
            raise LeaseLost(str(shop))
        if outcome == "MOVED":
            raise CursorMoved(str(shop))

    async def rewind(self, shop: ShopKey, to: datetime) -> None:
        """Have everything since `to` read again, whoever polls. Repeats do no harm. Raises TransientError."""
        await asked(self._redis.set(shop.redis_key("cursor"), _stored(to)))


def _stored(moment: datetime) -> str:
    return str((moment - _EPOCH) // _MILLISECOND)
