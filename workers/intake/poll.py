"""Decides when one shop is read, and waits out whatever is wrong with it.

Trouble with one shop is handled here and never raised, so no other shop notices.
"""

from __future__ import annotations

import asyncio
import logging
import random
import traceback
from collections.abc import Callable
from datetime import datetime

from channel_adapters.contract import ChannelClient, ChannelError, ChannelRefused, ChannelUnavailable, UnreadablePayload
from channel_adapters.shop import ShopSettings
from workers.intake.cursor import CursorMoved, Cursors
from workers.intake.lease import Lease, LeaseLost, Leases
from workers.intake.pace import Pace, pause_after_failure
from workers.intake.policy import PollPolicy
from workers.intake.raw import Sender
from workers.intake.reader import Round, ShopReader, utc_now
from workers.intake.store import ShopKey
from workers.intake.unread import Unread
from workers.runtime import metrics
from workers.runtime.errors import TransientError

logger = logging.getLogger(__name__)

_SHORTEST_SECONDS = 0.05


class ShopPoller:
    """Polls one shop. `run` goes on until it is cancelled."""

    def __init__(
        self,
        shop: ShopSettings,
        client: ChannelClient,
        *,
        producer: Sender,
        leases: Leases,
        cursors: Cursors,
        unread: Unread,
        policy: PollPolicy,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.shop = ShopKey.of(shop)
        self._reader = ShopReader(
            shop, client, producer=producer, cursors=cursors, unread=unread, policy=policy, now=now
        )
        self._leases = leases
        self._policy = policy
        self._now = now
        slowest = max(shop.poll_seconds, _SHORTEST_SECONDS)
        self._pace = Pace(
            slowest=slowest,
            fastest=min(policy.fastest_seconds, slowest),
            page_size=shop.page_size or client.rules.page_size,
            peaks=policy.peaks,
        )
        self._wait = slowest
        self._failures = 0
        self._told = ""  # the trouble that was logged last: each is told once until it is over

    async def run(self) -> None:
        """Poll whenever the lease can be had; otherwise stand by for it."""
        while True:
            try:
                lease = await self._leases.acquire(self.shop)
                if lease is None:
                    await asyncio.sleep(self._leases.seconds / 3)
                else:
                    await lease.hold(self._poll(lease))
            except LeaseLost:
                logger.warning("%s: lost the lease, stopped at once; standing by", self.shop)
            except TransientError as error:
                await asyncio.sleep(self._after_trouble("dependency", str(error)))

    async def poll_once(self) -> Round | None:
        """One round, for those who only want that; None when another poller holds the lease.

        Raises ChannelError, TransientError, LeaseLost, CursorMoved.
        """
        lease = await self._leases.acquire(self.shop)
        return None if lease is None else await lease.hold(self._reader.read_round(lease))

    async def _poll(self, lease: Lease) -> None:
        while True:
            await self._rest(lease, await self._turn(lease))

    async def _turn(self, lease: Lease) -> float:
        """One round; the seconds to wait after it. Raises LeaseLost."""
        try:
            done = await self._reader.read_round(lease)
        except ChannelError as error:
            return self._after_channel_error(error)
        except TransientError as error:
            return self._after_trouble("dependency", str(error))
        except CursorMoved:
            logger.info("%s: the cursor was set from outside; reading on from there", self.shop)
            return self._pace.fastest
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001  # a bug in one channel must not end the polling of a shop
            return self._after_trouble("bug", where_it_broke(error))
        return self._after_round(done)

    async def _rest(self, lease: Lease, seconds: float) -> None:
        """Wait; a hint that there is news cuts it short, but not while the platform wants to be left alone."""
        if self._failures:
            await asyncio.sleep(seconds)
            return
        least = min(seconds, self._pace.fastest)
        await asyncio.sleep(least)
        try:
            async with asyncio.timeout(seconds - least):
                await lease.hinted.wait()
        except TimeoutError:
            return
        lease.hinted.clear()
        self._wait = self._pace.fastest

    # -- what follows from a round ---------------------------------------------------------------------------------

    def _after_round(self, done: Round) -> float:
        if self._told:
            logger.info("%s: polling works again | 拉单已恢复", self.shop)
        self._told, self._failures = "", 0
        self._mark("ok", troubled=False)
        self._wait = self._pace.after(
            self._wait, news=done.news, covered=done.covered, behind=done.behind, now=self._now()
        )
        return self._wait * random.uniform(0.95, 1.0)  # noqa: S311  # spreads shops, guards nothing

    def _after_channel_error(self, error: ChannelError) -> float:
        if isinstance(error, ChannelRefused):
            return self._after_refusal(error)
        kind = "unreadable" if isinstance(error, UnreadablePayload) else "unavailable"
        where = f"{error.where} " if isinstance(error, UnreadablePayload) and error.where else ""
        retry_after = error.retry_after if isinstance(error, ChannelUnavailable) else None
        return self._after_trouble(kind, f"{where}{error.text.en} | {error.text.zh}", retry_after)

    def _after_refusal(self, error: ChannelRefused) -> float:
        self._failures += 1
        self._mark("refused", troubled=True)
        minutes = self._policy.refused_seconds / 60
        self._tell(
            logging.ERROR,
            f"refused {error.code}",
            f"the platform refuses us, code {error.code}: {error.text.en}; asked again every {minutes:g} min"
            f" | 平台拒绝访问，错误码 {error.code}：{error.text.zh}；每 {minutes:g} 分钟重试",
        )
        return self._policy.refused_seconds * random.uniform(0.9, 1.1)  # noqa: S311

    def _after_trouble(self, kind: str, what: str, retry_after: float | None = None) -> float:
        self._failures += 1
        self._mark(kind, troubled=True)
        wait = pause_after_failure(self._failures, retry_after, random.random())  # noqa: S311
        self._tell(logging.ERROR if kind in ("bug", "unreadable") else logging.WARNING, kind, f"{kind}: {what}")
        return wait

    def _tell(self, level: int, trouble: str, line: str) -> None:
        """Once, until the trouble is over or becomes another."""
        logger.log(level if trouble != self._told else logging.DEBUG, "%s: %s", self.shop, line)
        self._told = trouble

    def _mark(self, outcome: str, *, troubled: bool) -> None:
        metrics.INTAKE_ROUNDS.labels(*self.shop, outcome).inc()
        metrics.INTAKE_TROUBLED.labels(*self.shop).set(troubled)


def where_it_broke(error: Exception) -> str:
    """The exception's type and place, without its message: that could quote an order."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    path = " > ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__name__} at {path}"
