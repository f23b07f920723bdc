"""When a shop is read, and how its troubles are waited out without touching any other shop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from channel_adapters.contract import ChannelRefused, ChannelUnavailable, RawOrder, UnreadablePayload, Window
from schemas.codes import PayloadProblem
from schemas.text import Text
from tests.workers.intake.fakes import SHOP, FakeKafka, Shelf, shop_settings
from workers.intake.cursor import Cursors
from workers.intake.fleet import poll_all
from workers.intake.lease import Leases
from workers.intake.policy import PollPolicy
from workers.intake.poll import ShopPoller
from workers.intake.reader import Round
from workers.intake.unread import Unread

DOWN = ChannelUnavailable(Text(en="the platform is down", zh="平台不可用"), retry_after=0.01)
REFUSED = ChannelRefused("27", Text(en="session expired: authorise the shop again", zh="授权已过期：请重新授权店铺"))
FAST = PollPolicy(fastest_seconds=0.05, first_lookback=timedelta(minutes=5), refused_seconds=0.2)


def poller(
    redis: Redis, kafka: FakeKafka, shelf: Shelf, *, shop_id: str = "flagship", poll_seconds: float = 0.05,
    policy: PollPolicy = FAST, lease_seconds: float = 0.6,
) -> ShopPoller:  # fmt: skip
    return ShopPoller(
        shop_settings(shop_id, poll_seconds=poll_seconds),
        shelf,
        producer=kafka,
        leases=Leases(redis, seconds=lease_seconds),
        cursors=Cursors(redis),
        unread=Unread(redis),
        policy=policy,
    )


@asynccontextmanager
async def running(*work: Awaitable[None]) -> AsyncIterator[Sequence[asyncio.Future[None]]]:
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def until(true: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  # what is awaited has no event of its own
            await asyncio.sleep(0.005)


def lately() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=2)


async def test_orders_flow_as_they_are_modified(redis: Redis, kafka: FakeKafka, shelf: Shelf) -> None:
    shelf.put(1, at=lately())
    async with running(poller(redis, kafka, shelf).run()):
        await until(lambda: kafka.ids() == ["1"])
        shelf.put(2, at=lately())
        await until(lambda: kafka.ids() == ["1", "2"])


async def test_one_round_can_be_had_alone(redis: Redis, kafka: FakeKafka, shelf: Shelf) -> None:
    shelf.put(1, at=lately())
    done = await poller(redis, kafka, shelf).poll_once()
    assert isinstance(done, Round)
    assert done.news == 1
    assert await redis.exists("intake-lease:{taobao/flagship}") == 0


async def test_one_round_is_not_had_while_another_poller_has_the_shop(
    redis: Redis, kafka: FakeKafka, shelf: Shelf
) -> None:
    await Leases(redis).acquire(SHOP)
    assert await poller(redis, kafka, shelf).poll_once() is None
    assert shelf.windows == []


async def test_of_two_pollers_one_reads_and_the_other_takes_over_when_it_stops(redis: Redis, kafka: FakeKafka) -> None:
    first, second = Shelf(), Shelf()
    async with running(poller(redis, kafka, first).run()) as [task]:
        await until(lambda: bool(first.windows))
        async with running(poller(redis, kafka, second).run()):
            await until(lambda: len(first.windows) > 5)
            assert second.windows == []
            task.cancel()
            await until(lambda: bool(second.windows))


async def test_a_poller_that_lost_its_lease_stops_and_stands_by(redis: Redis, kafka: FakeKafka, shelf: Shelf) -> None:
    async with running(poller(redis, kafka, shelf).run()):
        await until(lambda: bool(shelf.windows))
        await redis.set("intake-lease:{taobao/flagship}", b"somebody else", px=1500)
        await redis.incr("intake-fence:{taobao/flagship}")
        await asyncio.sleep(0.5)
        before = len(shelf.windows)
        await asyncio.sleep(0.3)
        assert len(shelf.windows) == before
        await until(lambda: len(shelf.windows) > before)


async def test_a_lost_lease_stops_a_poll_that_waits_for_the_platform(
    redis: Redis, kafka: FakeKafka, shelf: Shelf
) -> None:
    stopped = asyncio.Event()

    class Hanging(Shelf):
        async def orders_modified(self, window: Window) -> AsyncIterator[list[RawOrder]]:
            self.windows.append(window)
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()
            yield []

    hanging = Hanging()
    async with running(poller(redis, kafka, hanging).run()):
        await until(lambda: bool(hanging.windows))
        await redis.set("intake-lease:{taobao/flagship}", b"somebody else")
        await until(stopped.is_set, 1)


async def test_a_platform_that_is_away_is_asked_again(
    redis: Redis, kafka: FakeKafka, shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    def down(_window: Window, _page: int) -> None:
        raise DOWN

    shelf.on_page = down
    shelf.put(1, at=lately())
    with caplog.at_level(logging.INFO, "workers.intake"):
        async with running(poller(redis, kafka, shelf).run()):
            await until(lambda: len(shelf.windows) >= 3)
            shelf.on_page = None
            await until(lambda: kafka.ids() == ["1"])
            await until(lambda: "works again" in caplog.text)
    assert caplog.text.count("the platform is down | 平台不可用") == 1


async def test_a_platform_that_names_a_time_is_left_alone_until_then_hint_or_not(
    redis: Redis, kafka: FakeKafka, shelf: Shelf
) -> None:
    def down(_window: Window, _page: int) -> None:
        raise ChannelUnavailable(Text(en="slow down", zh="限流"), retry_after=60)

    shelf.on_page = down
    async with running(poller(redis, kafka, shelf).run()):
        await until(lambda: bool(shelf.windows))
        await Leases(redis).hint(SHOP)
        await asyncio.sleep(0.6)
    assert len(shelf.windows) == 1


async def test_a_refusal_is_told_once_with_shop_code_and_remedy_and_tried_again_later(
    redis: Redis, kafka: FakeKafka, shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_window: Window, _page: int) -> None:
        raise REFUSED

    shelf.on_page = refuse
    shelf.put(1, at=lately())
    with caplog.at_level(logging.INFO, "workers.intake"):
        async with running(poller(redis, kafka, shelf).run()):
            await until(lambda: len(shelf.windows) >= 3)
            assert _gauge("orders_intake_troubled") == 1
            shelf.on_page = None
            await until(lambda: kafka.ids() == ["1"])
            await until(lambda: _gauge("orders_intake_troubled") == 0)
    [line] = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "taobao/flagship" in line
    assert "code 27: session expired: authorise the shop again" in line
    assert "错误码 27：授权已过期：请重新授权店铺" in line


def _gauge(name: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"channel": "taobao", "shop": "flagship"})


async def test_a_changed_format_is_waited_out_and_told_with_the_field(
    redis: Redis, kafka: FakeKafka, shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_window: Window, _page: int) -> None:
        raise UnreadablePayload("missing-field", "trades.trade", PayloadProblem.FIELD_MISSING())

    shelf.on_page = broken
    async with running(poller(redis, kafka, shelf).run()):
        await until(lambda: "unreadable: trades.trade is missing | 缺少此字段" in caplog.text)
    assert await Cursors(redis).read(SHOP) is None


async def test_a_bug_in_a_channel_is_waited_out_without_quoting_what_it_said(
    redis: Redis, kafka: FakeKafka, shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    def bug(_window: Window, _page: int) -> None:
        raise KeyError("张三 12000000000")

    shelf.on_page = bug
    shelf.put(1, at=lately())
    async with running(poller(redis, kafka, shelf).run()):
        await until(lambda: "bug: KeyError at" in caplog.text)
        shelf.on_page = None
        await until(lambda: kafka.ids() == ["1"])
    assert "张三" not in caplog.text


async def test_kafka_away_holds_the_cursor_and_all_comes_later(redis: Redis, kafka: FakeKafka, shelf: Shelf) -> None:
    kafka.away = True
    shelf.put(1, at=lately())
    async with running(poller(redis, kafka, shelf).run()):
        await until(lambda: len(shelf.windows) >= 2)
        assert await Cursors(redis).read(SHOP) is None
        kafka.away = False
        await until(lambda: kafka.ids() == ["1"])


async def test_a_hint_brings_the_next_poll_forward(redis: Redis, kafka: FakeKafka, shelf: Shelf) -> None:
    async with running(poller(redis, kafka, shelf, poll_seconds=600).run()):
        await until(lambda: bool(shelf.windows))
        shelf.put(1, at=lately())
        await Leases(redis).hint(SHOP)
        await until(lambda: kafka.ids() == ["1"])


async def test_one_shops_trouble_never_touches_another(redis: Redis, kafka: FakeKafka) -> None:
    refused, broken, well = Shelf(), Shelf(), Shelf()

    def refuse(_window: Window, _page: int) -> None:
        raise REFUSED

    refused.on_page = refuse
    broken_poller = poller(redis, kafka, broken, shop_id="broken")

    async def breaks() -> None:
        broken.windows.append(Window(lately(), lately()))
        raise RuntimeError

    broken_poller.run = breaks  # type: ignore[method-assign]
    pollers = [
        poller(redis, kafka, refused, shop_id="refused"),
        broken_poller,
        poller(redis, kafka, well, shop_id="well"),
    ]
    async with running(poll_all(pollers, restart_seconds=0.05)):
        await until(lambda: len(refused.windows) >= 2 and len(broken.windows) >= 2)
        well.put(1, at=lately())
        await until(lambda: kafka.ids() == ["1"])


async def test_pollers_give_their_leases_back_when_the_process_is_told_to_leave(
    redis: Redis, kafka: FakeKafka, shelf: Shelf
) -> None:
    async with running(poll_all([poller(redis, kafka, shelf)])):
        await until(lambda: bool(shelf.windows))
        assert await redis.exists("intake-lease:{taobao/flagship}") == 1
    assert await redis.exists("intake-lease:{taobao/flagship}") == 0
