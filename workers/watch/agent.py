"""The stages that make notices of what happens and of what takes too long: no order waits for them."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from schemas.dead_letter import DeadLetter
from schemas.notice import Notice
from schemas.plan import Backorder
from workers.runtime import metrics
from workers.runtime.errors import TransientError
from workers.runtime.settings import Settings
from workers.runtime.stage import Delivery, EachOf
from workers.watch.decide import of_backorder, of_letter
from workers.watch.facts import BookFacts, Facts, KnownMatter, RedisFacts, Rows, ShopReading
from workers.watch.limits import Limits
from workers.watch.overdue import notices_of

log = logging.getLogger(__name__)

SHOWN_SECONDS: Final = 60.0
"""A notice is in its matter after so long, unless notify is far behind."""


def notice_letters(_services: object) -> EachOf[DeadLetter]:
    """The agent that reads `orders.quarantined`."""
    return EachOf(_letter)


def notice_backorders(_services: object) -> EachOf[Backorder]:
    """The agent that reads `orders.backordered`."""
    return EachOf(_backorder)


def _letter(delivery: Delivery[DeadLetter]) -> Sequence[Notice]:
    return [of_letter(delivery.value, _at(delivery))]


def _backorder(delivery: Delivery[Backorder]) -> Sequence[Notice]:
    return of_backorder(delivery.value, _at(delivery))


def _at(delivery: Delivery[Any]) -> datetime:
    """The record's own time: the same on every repeat."""
    return datetime.fromtimestamp(delivery.timestamp_ms / 1000, UTC)


# -- what is asked on a timer --------------------------------------------------------------------------------------


class OrderBook(Protocol):
    """The order book. Blocks; raises TransientError."""

    def ask(self, limits: Mapping[str, tuple[float, Mapping[str, float]]], now: datetime) -> Mapping[str, Rows]:
        """What is beyond these limits, by their names."""
        ...

    def behind(self, seconds: float, now: datetime) -> tuple[datetime, int] | None:
        """Since when nothing was written for so long though records wait, and how many."""
        ...


class ShopProgress(Protocol):
    """What intake notes of shops."""

    async def read(self, now: datetime) -> Sequence[ShopReading]:
        """All shops that a poller has in its file. Raises TransientError."""
        ...


class Matters(Protocol):
    """What people know. Both raise TransientError."""

    async def take_turn(self, who: str, what: str) -> bool:
        """Whether it is this process that does it for a while."""
        ...

    async def known(self) -> Mapping[str, KnownMatter]:
        """Every matter by its key."""
        ...


class Services(Protocol):
    """What the stage watch needs of the process."""

    @property
    def settings(self) -> Settings:
        """The limits."""
        ...

    @property
    def overdue(self) -> OrderBook | None:
        """The order book; None: none is kept."""
        ...

    @property
    def progress(self) -> ShopProgress:
        """How far intake is."""
        ...

    @property
    def redis_health(self) -> Callable[[], Awaitable[RedisFacts]]:
        """What Redis says of itself. Raises TransientError."""
        ...

    @property
    def notices(self) -> Matters:
        """What people know."""
        ...

    @property
    def now(self) -> Callable[[], float]:
        """Seconds since 1970."""
        ...


def watch(services: Services) -> WatchAgent:
    """The agent."""
    return WatchAgent(services, limits_of(services.settings))


def limits_of(settings: Settings) -> Limits:
    """Those of this installation."""
    return Limits(
        review_seconds=settings.watch_review_seconds,
        ship_seconds=settings.watch_ship_seconds,
        backorder_seconds=settings.watch_backorder_seconds,
        answer_seconds=settings.watch_answer_seconds,
        shop_seconds=settings.watch_shop_seconds,
        push_seconds=settings.watch_push_seconds,
        book_seconds=settings.watch_book_seconds,
        unknown_seconds=settings.watch_unknown_seconds,
        drift_messages=settings.watch_drift_messages,
        redis_percent=settings.watch_redis_percent,
        redis_file_bytes=settings.watch_redis_file_bytes,
        silent_warehouses=frozenset(filter(None, map(str.strip, settings.silent_warehouses.split(",")))),
        shops={shop: one.given() for shop, one in settings.watch_shops.items()},
    )


class WatchAgent:
    """Asks all places, each for itself: one that is away keeps no news of the others back.

    What it has said is known to it for a minute, for as long as it may take until the matter shows it.
    """

    def __init__(self, services: Services, limits: Limits) -> None:
        self._services = services
        self._limits = limits
        self._who = uuid.uuid4().hex
        self._no_book_since: datetime | None = None
        self._sending: Sequence[Notice] = ()
        self._said: dict[str, tuple[float, Notice]] = {}

    async def tick(self) -> Sequence[Any]:
        """What is to be told now. Raises TransientError when it is not known what people know."""
        self._sending = ()
        if not await self._services.notices.take_turn(self._who, "watch"):
            return ()
        now = datetime.fromtimestamp(self._services.now(), UTC)
        facts = Facts(await self._book(now), self._no_book_since, await self._redis(), await self._shops(now))
        known = dict(await self._services.notices.known())
        known.update(self._not_shown_yet(now.timestamp()))
        self._sending = notices_of(facts, known, self._limits, now)
        return self._sending

    async def confirmed(self) -> None:
        """Kafka has it."""
        at = self._services.now()
        self._said.update({notice.key: (at, notice) for notice in self._sending})

    def _not_shown_yet(self, now: float) -> dict[str, KnownMatter]:
        self._said = {key: said for key, said in self._said.items() if now - said[0] < SHOWN_SECONDS}
        return {key: _Said(notice) for key, (_, notice) in self._said.items()}

    async def _book(self, now: datetime) -> BookFacts | None:
        book = self._services.overdue
        if book is None:
            return None
        try:
            late = await asyncio.to_thread(book.ask, self._limits.of_book(), now)
            behind = await asyncio.to_thread(book.behind, self._limits.book_seconds, now)
        except TransientError as error:
            self._unknown("the order book", error)
            self._no_book_since = self._no_book_since or now
            return None
        self._no_book_since = None
        return BookFacts(late, behind)

    async def _redis(self) -> RedisFacts | None:
        try:
            return await self._services.redis_health()
        except TransientError as error:
            return self._unknown("Redis", error)

    async def _shops(self, now: datetime) -> Sequence[ShopReading] | None:
        try:
            return await self._services.progress.read(now)
        except TransientError as error:
            return self._unknown("intake", error)

    @staticmethod
    def _unknown(what: str, error: TransientError) -> None:
        metrics.WATCH_UNKNOWN.labels(what.removeprefix("the order ").lower()).inc()
        log.warning("watch: %s cannot be asked, and what stands of it stays as it is: %s", what, error)


class _Said:
    """A matter as this process has just said it is."""

    def __init__(self, notice: Notice) -> None:
        self.standing, self.explanation, self.severity = notice.raised, notice.explanation, notice.severity
