"""Reads one shop by modify time, window by window, and never leaves a gap.

The cursor moves only after Kafka confirmed every order of a window, so a crash anywhere costs repeats and nothing
else. Memory holds one page at a time, however many orders a window has.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from channel_adapters.contract import ChannelClient, RawOrder, UnreadablePayload, Window
from channel_adapters.shop import ShopSettings
from schemas.record import record
from workers.intake.cursor import Cursors
from workers.intake.lease import Lease
from workers.intake.policy import PollPolicy
from workers.intake.publish import publish
from workers.intake.raw import Arrival, Confirmed, raw_record
from workers.intake.register import ShopRegister
from workers.intake.store import ShopKey
from workers.intake.unread import Unread
from workers.intake.window import halves, horizon_of, windows
from workers.runtime import metrics
from workers.runtime.kafka.records import Record
from workers.runtime.outputs import Sender

logger = logging.getLogger(__name__)

_UNREAD_AT_ONCE = 20


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


@record
class Round:
    """What one round brought."""

    news: int  # order states that this process published for the first time
    repeats: int  # those it had published before, and left out
    covered: float  # seconds of platform time by which the cursor moved
    behind: float  # seconds between the cursor and the newest moment that may be read


@dataclass(slots=True)
class _Tally:
    """Counts within one round. `budget`: how many reads may still turn out unreadable."""

    budget: int
    news: int = 0
    repeats: int = 0
    aside: list[tuple[Window, UnreadablePayload]] = field(default_factory=list)


class ShopReader:
    """Reads one shop whenever it is told to."""

    def __init__(
        self,
        shop: ShopSettings,
        client: ChannelClient,
        *,
        producer: Sender,
        cursors: Cursors,
        unread: Unread,
        policy: PollPolicy,
        register: ShopRegister | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.shop = ShopKey.of(shop)
        self._register = register
        self._client = client
        self._producer = producer
        self._cursors = cursors
        self._unread = unread
        self._policy = policy
        self._now = now
        self._overlap = timedelta(seconds=shop.overlap_seconds)
        self._settle = client.rules.settle if shop.settle_seconds is None else timedelta(seconds=shop.settle_seconds)
        self._longest = min(client.rules.max_window, policy.longest_window)
        self._confirmed = Confirmed(policy.remember)
        self._next_retry = 0.0
        self._new = metrics.INTAKE_ORDERS.labels(*self.shop, "poll")
        self._repeated = metrics.INTAKE_REPEATS.labels(*self.shop, "poll")
        self._at = metrics.INTAKE_CURSOR.labels(*self.shop)
        self._unreadable = metrics.INTAKE_UNREADABLE.labels(*self.shop)

    async def read_round(self, lease: Lease) -> Round:
        """Read everything that may be read now, and move the cursor after each window.

        Raises ChannelError, TransientError, LeaseLost, CursorMoved: then the cursor stands after the last whole window.
        """
        tally = _Tally(budget=self._policy.split_budget)
        if self._register is not None:
            await self._register.begin(lease)
        started = self._now()
        stored = await self._cursors.read(self.shop)
        cursor = first = stored or started - self._policy.first_lookback
        await self._retry_unread(tally)
        for window in self._windows(cursor, started):
            await self._read_or_split(window, tally)
            await self._put_aside(tally)
            cursor = max(cursor, window.end)
            await self._cursors.advance(self.shop, lease.fence, expected=stored, to=cursor)
            stored = cursor
            self._at.set(cursor.timestamp())
        behind = (horizon_of(self._now(), self._settle) - cursor).total_seconds()
        covered = (cursor - first).total_seconds()
        return Round(news=tally.news, repeats=tally.repeats, covered=covered, behind=max(0.0, behind))

    def _windows(self, cursor: datetime, now: datetime) -> Iterator[Window]:
        return windows(cursor, now, overlap=self._overlap, settle=self._settle, longest=self._longest)

    # -- publishing ------------------------------------------------------------------------------------------------

    async def _read(self, window: Window, tally: _Tally) -> None:
        """Publish a window page by page; when this returns, all of it is confirmed."""
        pages = self._client.orders_modified(window)
        try:
            async for page in pages:
                await self._publish(page, tally)
        finally:
            close = getattr(pages, "aclose", None)
            if close is not None:
                await close()

    async def _publish(self, page: Sequence[RawOrder], tally: _Tally) -> None:
        editions = None if self._register is None else await self._register.editions(page)
        fresh = self._fresh(page, editions)
        await publish(self._producer, fresh)
        self._confirmed.add(fresh)
        if self._register is not None:
            await self._register.confirm()
        self._count(len(fresh), len(page) - len(fresh), tally)

    def _fresh(self, page: Sequence[RawOrder], editions: Sequence[int | None] | None) -> list[Record]:
        """The records of a page that were not confirmed last. An edition of None: not to be sent."""
        arrival = Arrival(shop=self.shop, source="poll", at=self._now())
        numbered = zip(page, editions or [0] * len(page), strict=True)
        return self._confirmed.news(
            raw_record(arrival, order, edition) for order, edition in numbered if edition is not None
        )

    def _count(self, news: int, repeats: int, tally: _Tally) -> None:
        tally.news += news
        tally.repeats += repeats
        self._new.inc(news)
        self._repeated.inc(repeats)

    # -- what cannot be read ---------------------------------------------------------------------------------------

    async def _read_or_split(self, window: Window, tally: _Tally) -> None:
        """Read a window; an unreadable one in halves, down to the seconds at fault.

        Raises UnreadablePayload when so much is unreadable that the platform must have changed its format: then the
        shop waits as a whole.
        """
        try:
            await self._read(window, tally)
        except UnreadablePayload as error:
            tally.budget -= 1
            if tally.budget < 0:
                raise
            parts = halves(window)
            if parts is None:
                tally.aside.append((window, error))
                return
            for part in parts:
                await self._read_or_split(part, tally)

    async def _put_aside(self, tally: _Tally) -> None:
        """Before the cursor moves past them."""
        for window, error in tally.aside:
            self._unreadable.inc()
            if await self._unread.add(self.shop, window):
                logger.error(
                    "%s: the answer for %s to %s cannot be read: %s %s; put aside, tried again later, the rest goes on"
                    " | 平台对该时段的返回无法解析：%s；已搁置并会自动重试，其余订单继续",
                    self.shop, window.start, window.end, error.where, error.text.en, error.text.zh,
                )  # fmt: skip
        tally.aside.clear()

    async def _retry_unread(self, tally: _Tally) -> None:
        """Now and then, try again what was put aside."""
        if time.monotonic() < self._next_retry:
            return
        self._next_retry = time.monotonic() + self._policy.refused_seconds
        for window in await self._unread.some_of(self.shop, _UNREAD_AT_ONCE):
            try:
                await self._read(window, tally)
            except UnreadablePayload:
                continue
            await self._unread.remove(self.shop, window)
            logger.info("%s: what was put aside for %s to %s has been read", self.shop, window.start, window.end)
