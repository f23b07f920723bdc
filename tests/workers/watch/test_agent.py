"""The stage watch and the stage notify on a real Redis and a real order book: what people come to know, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from ops.testbed.local_stack.broker import Broker
from schemas.codes import PlanReason
from schemas.plan import Disposition, to_review
from schemas.topics import ORDERS_PLANNED, ORDERS_REVIEW
from tests.builders import NOON, a_plan, a_planned_order, an_order
from tests.workers.book.records import Topics
from tests.workers.notify.builders import Clock, delivered
from workers.book.agent import BookKeeper
from workers.book.overdue import OverdueOrders, opened_overdue
from workers.intake.progress import ProgressNotes
from workers.intake.store import ShopKey
from workers.notify.agent import NotifyAgent
from workers.notify.store import NoticeStore
from workers.runtime.kafka.cluster import Cluster
from workers.runtime.settings import Settings
from workers.watch.agent import WatchAgent, watch
from workers.watch.redis_health import RedisHealth

TEA = ShopKey("taobao", "tea")


class Desk:
    """Watch and notify, with the topic between them."""

    def __init__(self, redis: Redis, book: OverdueOrders | None, **settings: Any) -> None:
        self.clock = Clock()
        self.store = NoticeStore(redis)
        self.progress = ProgressNotes(redis)
        self.services = SimpleNamespace(
            settings=Settings(_env_file=None, **settings),
            overdue=book,
            progress=self.progress,
            redis_health=RedisHealth(redis),
            notices=self.store,
            now=self.clock,
        )
        self.agent = self.another()
        self._notify = NotifyAgent(self.store, self.clock)
        self._offset = 0

    def another(self) -> WatchAgent:
        return watch(self.services)

    async def look(self, agent: WatchAgent | None = None, *, shown: bool = True) -> list[tuple[str, bool]]:
        """One look. `shown`: notify is at once at work."""
        watching = agent or self.agent
        notices = list(await watching.tick())
        await watching.confirmed()
        if shown and notices:
            await self._notify.handle(delivered(*notices, start=self._offset))
            self._offset += len(notices)
        return [(one.key, one.raised) for one in notices]

    async def standing(self) -> dict[str, int]:
        return {key: one.count for key, one in (await self.store.known()).items() if one.standing}


@pytest.fixture
async def book(book_url: str, broker: Broker) -> AsyncIterator[OverdueOrders]:
    """A book with one order of taobao/tea that came to review at noon."""
    planned = a_planned_order(an_order("1", shop_id="tea"), a_plan(disposition=Disposition.REVIEW))
    topics = Topics()
    topics.add(ORDERS_PLANNED, planned.order.uid, planned)
    topics.add(ORDERS_REVIEW, planned.order.uid, to_review(planned, "sku-unknown", PlanReason.NO_RULE()))
    with BookKeeper(SecretStr(book_url), 1).session() as session:
        session.write(topics.messages)
    asking = opened_overdue(SecretStr(book_url), Cluster(broker.address))
    yield asking
    await asyncio.to_thread(asking.close)


async def test_an_order_that_waits_too_long_is_a_matter_of_its_shop(redis: Redis, book: OverdueOrders) -> None:
    desk = Desk(redis, book, watch_review_seconds=3600, watch_book_seconds=1e9)
    assert await desk.look() == []
    desk.clock.moves(3601)
    assert await desk.look() == [("review-waiting/taobao/tea", True)]
    assert await desk.look() == []
    assert await desk.standing() == {"review-waiting/taobao/tea": 1}


async def test_a_process_that_begins_knows_what_people_were_told(redis: Redis, book: OverdueOrders) -> None:
    desk = Desk(redis, book, watch_review_seconds=3600, watch_book_seconds=1e9)
    desk.clock.moves(3601)
    await desk.look()
    await redis.delete("watch:{notices}")  # the first one has died, and its turn has expired
    calmer = Desk(redis, book, watch_review_seconds=36_000, watch_book_seconds=1e9)
    calmer.clock.moves(3602)
    assert await calmer.look() == [("review-waiting/taobao/tea", False)]
    assert await calmer.standing() == {}


async def test_what_was_said_is_not_said_again_before_notify_can_have_shown_it(
    redis: Redis, book: OverdueOrders
) -> None:
    desk = Desk(redis, book, watch_review_seconds=3600, watch_book_seconds=1e9)
    desk.clock.moves(3601)
    assert len(await desk.look(shown=False)) == 1
    desk.clock.moves(30)
    assert await desk.look(shown=False) == []
    desk.clock.moves(31)
    assert len(await desk.look()) == 1, "it may have been lost on the way"


async def test_while_postgresql_is_away_nothing_is_over_and_the_rest_is_seen(
    redis: Redis, book: OverdueOrders, broker: Broker
) -> None:
    desk = Desk(redis, book, watch_review_seconds=3600, watch_book_seconds=1e9)
    desk.clock.moves(3601)
    await desk.look()
    gone = opened_overdue(SecretStr("postgresql://nobody@127.0.0.1:1/none"), Cluster(broker.address))
    desk.services.overdue = gone
    await desk.progress.seen(TEA, desk.clock.at)
    await redis.set(TEA.redis_key("cursor"), int((NOON - timedelta(hours=3)).timestamp() * 1000))
    assert await desk.look() == [("shop-behind/taobao/tea", True)]
    desk.clock.moves(400)
    assert await desk.look() == [("book-away/postgres", True)]
    assert set(await desk.standing()) == {
        "review-waiting/taobao/tea",
        "shop-behind/taobao/tea",
        "book-away/postgres",
    }
    desk.services.overdue = book
    assert await desk.look() == [("book-away/postgres", False)]
    await asyncio.to_thread(gone.close)


async def test_of_two_processes_one_looks(redis: Redis, book: OverdueOrders) -> None:
    desk = Desk(redis, book, watch_review_seconds=3600, watch_book_seconds=1e9)
    desk.clock.moves(3601)
    other = desk.another()
    assert len(await desk.look(shown=False)) == 1
    assert await desk.look(other) == []


async def test_without_a_book_the_other_places_are_asked(redis: Redis) -> None:
    desk = Desk(redis, None, watch_redis_percent=1, watch_shops={"taobao/tea": {"shop_seconds": 60}})
    await redis.config_set("maxmemory", "32mb")
    try:
        await desk.progress.seen(TEA, desk.clock.at)
        await redis.set(TEA.redis_key("cursor"), int((NOON - timedelta(seconds=90)).timestamp() * 1000))
        assert await desk.look() == [("redis-memory/redis", True), ("shop-behind/taobao/tea", True)]
    finally:
        await redis.config_set("maxmemory", "0")
