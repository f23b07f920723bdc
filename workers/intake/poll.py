"""Decides when one shop is read, and waits out whatever is wrong with it.

Trouble with one shop is handled here and never raised, so no other shop notices.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import traceback
from collections.abc import Callable
from datetime import datetime

from channel_adapters.contract import (
    ChannelAdapter,
    ChannelClient,
    ChannelError,
    ChannelRefused,
    ChannelUnavailable,
    ReadsById,
    RenewsToken,
    UnreadablePayload,
)
from channel_adapters.shop import ShopSettings
from workers.intake.cursor import CursorMoved, Cursors
from workers.intake.lease import Lease, LeaseLost, Leases
from workers.intake.pace import Pace, pause_after_failure
from workers.intake.policy import PollPolicy
from workers.intake.progress import ProgressNotes
from workers.intake.reader import Round, ShopReader, utc_now
from workers.intake.register import OpenOrders, ShopRegister
from workers.intake.reread import Rereader
from workers.intake.store import ShopKey
from workers.intake.unread import Unread
from workers.runtime import metrics
from workers.runtime.errors import TransientError
from workers.runtime.outputs import Sender

logger = logging.getLogger(__name__)

_SHORTEST_SECONDS = 0.05
_LOOK_SECONDS = 15.0
"""How often to look for open orders that are to be read again, when there were none."""


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
        adapter: ChannelAdapter | None = None,
        register: OpenOrders | None = None,
        progress: ProgressNotes | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """With an adapter and a register, open orders are read again where the client can do it."""
        self.shop = ShopKey.of(shop)
        self._client = client
        self._rereader: Rereader | None = None
        shop_register: ShopRegister | None = None
        if register is not None and adapter is not None and isinstance(client, ReadsById):
            shop_register = ShopRegister(shop, adapter, register, now)
            self._rereader = Rereader(shop, client, adapter, producer=producer, register=register, now=now)
        self._reader = ShopReader(
            shop,
            client,
            producer=producer,
            cursors=cursors,
            unread=unread,
            policy=policy,
            register=shop_register,
            now=now,
        )
        self._leases = leases
        self._policy = policy
        self._progress = progress
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
        self._renewed = False
        self._reread_at = 0.0
        self._reread_failures = 0
        self._told = ""  # the trouble that was logged last: each is told once until it is over

    async def run(self) -> None:
        """Poll whenever the lease can be had; otherwise stand by for it."""
        while True:
            try:
                lease = await self._leases.acquire(self.shop)
                if self._progress is not None:
                    await self._progress.seen(self.shop, self._now())
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
            if self._progress is not None:
                await self._progress.seen(self.shop, self._now())
            done = await self._reader.read_round(lease)
            if self._progress is not None and done.news:
                await self._progress.news(self.shop, self._now())
        except ChannelRefused as error:
            return self._pace.fastest if await self._has_new_token() else self._after_refusal(error)
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
        """Wait, and read open orders again meanwhile; a hint that there is news cuts it short.

        But not while the platform wants to be left alone.
        """
        if self._failures:
            await asyncio.sleep(seconds)
            return
        started = time.monotonic()
        least = min(seconds, self._pace.fastest)
        pause = await self._reread(lease)
        await asyncio.sleep(max(0.0, least - (time.monotonic() - started)))
        while (left := seconds - (time.monotonic() - started)) > 0:
            if await _hinted(lease, min(left, pause)):
                self._wait = self._pace.fastest
                return
            pause = await self._reread(lease) if left > pause else left

    async def _reread(self, lease: Lease) -> float:
        """Read some open orders again; the seconds until the next turn. Raises LeaseLost.

        Trouble with it is no trouble of polling, which goes on.
        """
        if self._rereader is None or (wait := self._reread_at - time.monotonic()) > 0:
            return _LOOK_SECONDS if self._rereader is None else wait
        try:
            turn = await self._rereader.turn(lease)
        except LeaseLost:
            raise
        except (ChannelError, TransientError) as error:
            pause = self._after_failed_reread(error, str(error))
        except Exception as error:  # noqa: BLE001  # a bug here must not end the polling of a shop
            pause = self._after_failed_reread(error, where_it_broke(error))
        else:
            if self._reread_failures:
                logger.info("%s: open orders are read again | 未完成订单复查已恢复", self.shop)
            self._reread_failures = 0
            pause = self._rereader.pause_seconds if turn.more else _LOOK_SECONDS
        self._reread_at = time.monotonic() + pause
        return pause

    def _after_failed_reread(self, error: Exception, what: str) -> float:
        self._reread_failures += 1
        metrics.INTAKE_REREAD_FAILURES.labels(*self.shop).inc()
        logger.log(
            logging.WARNING if self._reread_failures == 1 else logging.DEBUG,
            "%s: open orders cannot be read again now, polling goes on: %s | 暂时无法复查未完成订单，轮询不受影响",
            self.shop, what,
        )  # fmt: skip
        retry_after = error.retry_after if isinstance(error, ChannelUnavailable) else None
        return pause_after_failure(self._reread_failures, retry_after, random.random())  # noqa: S311

    # -- what follows from a round ---------------------------------------------------------------------------------

    def _after_round(self, done: Round) -> float:
        if self._told:
            logger.info("%s: polling works again | 拉单已恢复", self.shop)
        self._told, self._failures, self._renewed = "", 0, False
        self._mark("ok", troubled=False)
        self._wait = self._pace.after(
            self._wait, news=done.news, covered=done.covered, behind=done.behind, now=self._now()
        )
        return self._wait * random.uniform(0.95, 1.0)  # noqa: S311  # spreads shops, guards nothing

    async def _has_new_token(self) -> bool:
        """Once after each round that went well: a new token that is refused, too, is a person's business."""
        if not isinstance(self._client, RenewsToken) or self._renewed:
            return False
        self._renewed = True
        try:
            return await self._client.renew_token()
        except ChannelError as error:
            logger.warning("%s: no new access token: %s | 未能更新授权：%s", self.shop, error.text.en, error.text.zh)
            return False

    def _after_channel_error(self, error: ChannelError) -> float:
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


async def _hinted(lease: Lease, seconds: float) -> bool:
    """Wait for a hint; False when there was none."""
    try:
        async with asyncio.timeout(seconds):
            await lease.hinted.wait()
    except TimeoutError:
        return False
    lease.hinted.clear()
    return True


def where_it_broke(error: Exception) -> str:
    """The exception's type and place, without its message: that could quote an order."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    path = " > ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__name__} at {path}"
