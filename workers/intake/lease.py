"""One poller per shop at a time: a lease in Redis with a fencing number.

The lease keeps two pollers from doing the same work; the fencing number keeps one that lost its lease without noticing
(a long pause, a network split) from moving the cursor. Two pollers for a moment would only cause repeats.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeVar

from redis.asyncio import Redis

from workers.intake.store import ShopKey, asked
from workers.runtime.errors import TransientError
from workers.runtime.redis.connections import prove_epoch
from workers.runtime.redis.scripts import load_script

logger = logging.getLogger(__name__)
T = TypeVar("T")


class LeaseLost(Exception):
    """Somebody else may be polling this shop now: whatever was under way must stop."""


class Renewal(StrEnum):
    """What came of asking to keep a lease."""

    LOST = "LOST"
    RENEWED = "RENEWED"
    RENEWED_WITH_HINT = "RENEWED_WITH_HINT"


class Leases:
    """Hands out leases. `seconds`: after this long without a sign of life a shop goes to another poller."""

    def __init__(self, redis: Redis, *, seconds: float = 15.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self.clock = clock
        self._redis = redis
        self._acquire = load_script(redis, __package__, "acquire.lua")
        self._renew = load_script(redis, __package__, "renew.lua")
        self._release = load_script(redis, __package__, "release.lua")

    async def acquire(self, shop: ShopKey) -> Lease | None:
        """The lease, None when another poller holds it. Raises TransientError."""
        token = secrets.token_hex(8)
        await asked(prove_epoch(self._redis))  # without its cursors, a shop would look like a new one
        started = self.clock()
        keys = [shop.redis_key("lease"), shop.redis_key("fence")]
        fence = int(await asked(self._acquire(keys, [token, self.milliseconds])))
        return Lease(self, shop, token, fence, started + self.trusted) if fence else None

    async def renew(self, shop: ShopKey, token: str) -> Renewal:
        """Ask Redis to keep a lease. Raises TransientError."""
        keys = [shop.redis_key("lease"), shop.redis_key("hint")]
        return Renewal(await asked(self._renew(keys, [token, self.milliseconds])))

    async def release(self, shop: ShopKey, token: str) -> bool:
        """Give a lease up; False when it was no longer ours. Raises TransientError."""
        return bool(await asked(self._release([shop.redis_key("lease")], [token])))

    async def hint(self, shop: ShopKey) -> None:
        """Ask whoever polls this shop, in whatever process, to do so soon. Raises TransientError."""
        await asked(self._redis.set(shop.redis_key("hint"), b"1", ex=3600))

    @property
    def trusted(self) -> float:
        """How long after asking the holder may count on its lease: less than Redis keeps it, so that it stops first."""
        return 0.9 * self.seconds

    @property
    def milliseconds(self) -> int:
        """The time to live, as Redis takes it."""
        return int(self.seconds * 1000)


class Lease:
    """The right to poll one shop. `fence` is greater than that of every earlier lease of the shop."""

    def __init__(self, leases: Leases, shop: ShopKey, token: str, fence: int, expires: float) -> None:
        self.shop = shop
        self.fence = fence
        self.hinted = asyncio.Event()
        self._leases = leases
        self._token = token
        self._expires = expires  # on leases.clock

    async def hold(self, work: Awaitable[T]) -> T:
        """Do `work` and keep the lease meanwhile; give it up at the end.

        Raises LeaseLost, with the work cancelled, as soon as the lease is lost or can no longer be proven.
        """
        working = asyncio.ensure_future(work)
        renewing = asyncio.create_task(self._keep())
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise LeaseLost(str(self.shop)) from renewing.exception()
            return working.result()
        finally:
            await _end(working)
            await _end(renewing)
            await self._give_up()

    async def _keep(self) -> None:
        """Returns when the lease is lost."""
        pause = self._leases.seconds / 3
        while (left := self._expires - self._leases.clock()) > 0:
            await asyncio.sleep(min(pause, left))
            started = self._leases.clock()
            try:
                async with asyncio.timeout(max(0.001, self._expires - started)):
                    renewal = await self._leases.renew(self.shop, self._token)
            except (TransientError, TimeoutError):
                pause = self._leases.seconds / 15
                continue
            if renewal is Renewal.LOST:
                return
            pause = self._leases.seconds / 3
            self._expires = started + self._leases.trusted
            if renewal is Renewal.RENEWED_WITH_HINT:
                self.hinted.set()

    async def _give_up(self) -> None:
        try:
            async with asyncio.timeout(1):
                await self._leases.release(self.shop, self._token)
        except (TransientError, TimeoutError):
            logger.info("lease of %s not given back, it runs out by itself", self.shop)


async def _end(task: asyncio.Future[T]) -> None:
    """Cancel and wait; what it raised was either passed on already or no longer matters."""
    while not task.done():
        task.cancel()  # again and again: a library may drop one
        await asyncio.wait({task}, timeout=0.1)
    if not task.cancelled():
        task.exception()
