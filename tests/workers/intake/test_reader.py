"""A round of reading: all of it published, in whole windows, whatever breaks in between."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from redis.asyncio import Redis

from channel_adapters.contract import ChannelUnavailable, UnreadablePayload, Window
from schemas.codes import PayloadProblem
from schemas.dead_letter import DeadLetter
from schemas.record import decode
from schemas.text import Text
from schemas.topics import ORDERS_RAW
from tests.workers.intake.fakes import NOON, SHOP, FakeClock, FakeKafka, Shelf, shop_settings
from workers.intake.cursor import CursorMoved, Cursors
from workers.intake.lease import Lease, LeaseLost, Leases
from workers.intake.policy import PollPolicy
from workers.intake.reader import Round, ShopReader
from workers.intake.unread import Unread
from workers.runtime.errors import TransientError

MINUTE = timedelta(minutes=1)
DOWN = ChannelUnavailable(Text(en="down", zh="不可用"))
BROKEN = UnreadablePayload("broken-json", "orders.3", PayloadProblem.NOT_JSON())


class Bench:
    """A reader with everything around it, which can die and be started again."""

    def __init__(self, redis: Redis, kafka: FakeKafka, shelf: Shelf, policy: PollPolicy | None = None) -> None:
        self.redis, self.kafka, self.shelf = redis, kafka, shelf
        self.clock = FakeClock()
        self.policy = policy or PollPolicy()
        self.cursors, self.unread = Cursors(redis), Unread(redis)
        self.reader = self.a_new_process()

    def a_new_process(self) -> ShopReader:
        self.reader = ShopReader(
            shop_settings(),
            self.shelf,
            producer=self.kafka,
            cursors=self.cursors,
            unread=self.unread,
            policy=self.policy,
            now=self.clock,
        )
        return self.reader

    async def lease(self) -> Lease:
        await self.redis.delete(SHOP.redis_key("lease"))
        lease = await Leases(self.redis).acquire(SHOP)
        assert lease is not None
        return lease

    async def read(self) -> Round:
        return await self.reader.read_round(await self.lease())

    async def cursor(self) -> datetime | None:
        return await self.cursors.read(SHOP)


@pytest.fixture
async def bench(redis: Redis, kafka: FakeKafka, shelf: Shelf) -> Bench:
    made = Bench(redis, kafka, shelf)
    await made.cursors.rewind(SHOP, NOON - 10 * MINUTE)
    return made


async def test_every_order_of_the_window_is_published_and_the_cursor_moves(bench: Bench) -> None:
    bench.shelf.put(*range(25), at=NOON - MINUTE)
    done = await bench.read()
    assert bench.kafka.ids() == [str(n) for n in range(25)]
    assert await bench.cursor() == NOON
    assert done == Round(news=25, repeats=0, covered=600, behind=0)
    assert bench.shelf.windows == [Window(NOON - 11 * MINUTE, NOON)]


async def test_a_shop_that_was_never_read_starts_a_day_back(redis: Redis, kafka: FakeKafka, shelf: Shelf) -> None:
    bench = Bench(redis, kafka, shelf)
    shelf.put(1, at=NOON - timedelta(hours=23))
    await bench.read()
    assert kafka.ids() == ["1"]
    assert shelf.windows[0].start == NOON - timedelta(days=1) - MINUTE
    assert await bench.cursor() == NOON


async def test_what_the_platform_has_not_settled_is_left_for_later(bench: Bench) -> None:
    bench.shelf.settle = 3 * MINUTE
    bench.a_new_process()
    bench.shelf.put(1, at=NOON - 4 * MINUTE)
    bench.shelf.put(2, at=NOON - MINUTE)
    await bench.read()
    assert bench.kafka.ids() == ["1"]
    bench.clock.move(180)
    await bench.read()
    assert bench.kafka.ids() == ["1", "2"]


async def test_no_window_is_longer_than_the_platform_allows(bench: Bench) -> None:
    bench.shelf.max_window = 4 * MINUTE
    bench.a_new_process()
    await bench.read()
    assert len(bench.shelf.windows) > 2
    assert all(w.end - w.start <= 4 * MINUTE for w in bench.shelf.windows)


async def test_pages_are_published_one_by_one_so_that_memory_holds_one(bench: Bench) -> None:
    bench.shelf.put(*range(95), at=NOON - MINUTE)
    published: list[int] = []
    bench.shelf.on_page = lambda _window, _page: published.append(len(bench.kafka.records))
    await bench.read()
    assert published == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert max(bench.kafka.sends) == 10


async def test_an_order_seen_again_in_the_overlap_is_not_published_again(bench: Bench) -> None:
    bench.shelf.put(1, at=NOON - MINUTE / 2)
    await bench.read()
    bench.clock.move(20)
    bench.shelf.put(2, at=NOON + MINUTE / 4)
    done = await bench.read()
    assert bench.kafka.ids() == ["1", "2"]
    assert (done.news, done.repeats) == (1, 1)


async def test_an_order_that_comes_twice_in_a_window_is_published_once(bench: Bench) -> None:
    bench.shelf.page_size = 2
    bench.shelf.put(1, 1, 2, 1, at=NOON - MINUTE)
    await bench.read()
    assert bench.kafka.ids() == ["1", "2"]


async def test_an_order_with_other_bytes_or_another_time_is_news(bench: Bench) -> None:
    bench.shelf.put(1, at=NOON - MINUTE)
    bench.shelf.put(1, at=NOON - MINUTE, payload=b'{"tid": 1, "status": "paid"}')
    bench.shelf.put(1, at=NOON - MINUTE / 2)
    await bench.read()
    assert bench.kafka.ids() == ["1", "1", "1"]


async def test_an_order_that_goes_back_to_what_it_was_is_news(bench: Bench) -> None:
    """Held, released, held again within one second: the last one counts, and it was seen before."""
    for payload in (b'{"tid": 1}', b'{"tid": 1, "held": true}', b'{"tid": 1}'):
        bench.shelf.orders.clear()
        bench.shelf.put(1, at=NOON - MINUTE / 2, payload=payload)
        await bench.read()
        bench.clock.move(5)
    assert [record.value for record in bench.kafka.records] == [
        b'{"tid": 1}',
        b'{"tid": 1, "held": true}',
        b'{"tid": 1}',
    ]


async def test_an_order_that_kafka_never_takes_becomes_a_letter_and_the_others_go_on(bench: Bench) -> None:
    bench.kafka.most = {"orders.raw.taobao": 1000}
    bench.shelf.put(1, 3, at=NOON - MINUTE)
    bench.shelf.put(2, at=NOON - MINUTE, payload=b'{"tid": 2, "x": "%s"}' % (b"x" * 100_000))
    await bench.read()
    letters = [decode(DeadLetter, each.value) for each in bench.kafka.records if each.topic == "orders.quarantined"]
    assert [each.key for each in bench.kafka.records] == [b"taobao:flagship:%d" % n for n in (1, 3, 2)]
    [letter] = letters
    assert (letter.reason, letter.key, letter.headers["shop"]) == ("refused-by-kafka", "taobao:flagship:2", "flagship")
    assert (letter.cut, letter.payload_bytes) == (False, 100_019), "it stands nowhere else"
    assert await bench.cursor() == NOON
    await bench.read()
    assert len(bench.kafka.records) == 3


async def test_letters_that_kafka_does_not_take_are_trouble_and_nothing_is_passed_over(bench: Bench) -> None:
    bench.kafka.most = {"orders.raw.taobao": 5, "orders.quarantined": 5}
    bench.shelf.put(1, at=NOON - MINUTE)
    with pytest.raises(TransientError, match=r"max\.message\.bytes"):
        await bench.read()
    assert await bench.cursor() == NOON - 10 * MINUTE


async def test_an_order_that_kafka_did_not_confirm_is_not_taken_for_confirmed(bench: Bench) -> None:
    bench.shelf.put(1, at=NOON - MINUTE)
    bench.kafka.away = True
    with pytest.raises(TransientError):
        await bench.read()
    assert await bench.cursor() == NOON - 10 * MINUTE
    bench.kafka.away = False
    await bench.read()
    assert bench.kafka.ids() == ["1"]


async def test_the_cursor_keeps_the_windows_that_were_whole_when_a_later_one_fails(bench: Bench) -> None:
    bench.shelf.max_window = 4 * MINUTE
    bench.a_new_process()

    def third_window_is_down(window: Window, _page: int) -> None:
        if len(bench.shelf.windows) == 3:
            raise DOWN

    bench.shelf.on_page = third_window_is_down
    with pytest.raises(ChannelUnavailable):
        await bench.read()
    assert await bench.cursor() == bench.shelf.windows[1].end


async def test_a_poller_that_was_replaced_while_it_published_does_not_move_the_cursor(bench: Bench) -> None:
    bench.shelf.put(1, at=NOON - MINUTE)
    old = await bench.lease()
    await bench.lease()
    with pytest.raises(LeaseLost):
        await bench.reader.read_round(old)
    assert await bench.cursor() == NOON - 10 * MINUTE


async def test_an_operator_who_sets_the_cursor_back_in_mid_round_is_obeyed(bench: Bench) -> None:
    bench.shelf.put(1, at=NOON - MINUTE)
    rewinding: list[asyncio.Task[None]] = []
    started = asyncio.Event()

    async def rewind() -> None:
        await bench.cursors.rewind(SHOP, NOON - 60 * MINUTE)
        started.set()

    bench.shelf.on_page = lambda _window, _page: rewinding.append(asyncio.ensure_future(rewind()))
    send = bench.kafka.send

    async def send_later(records: object) -> None:
        await started.wait()
        await send(records)  # type: ignore[arg-type]

    bench.kafka.send = send_later  # type: ignore[method-assign]
    with pytest.raises(CursorMoved):
        await bench.read()
    assert await bench.cursor() == NOON - 60 * MINUTE


async def test_an_order_too_large_for_its_topic_does_not_hold_up_the_others(bench: Bench) -> None:
    bench.shelf.put(1, at=NOON - MINUTE, payload=b"x" * ORDERS_RAW.max_message_bytes)
    bench.shelf.put(2, at=NOON - MINUTE)
    await bench.read()
    assert [record.topic for record in bench.kafka.records] == ["orders.quarantined", "orders.raw.taobao"]
    assert await bench.cursor() == NOON


# -- crashes -----------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Like kill -9: nothing in the program may catch it, and nothing is tidied up."""


@pytest.mark.parametrize("at_record", range(31))
async def test_a_kill_at_any_record_loses_nothing(bench: Bench, at_record: int) -> None:
    bench.shelf.put(*range(30), at=NOON - 5 * MINUTE)

    def kill(count: int) -> Callable[[], None]:
        def now() -> None:
            if len(bench.kafka.records) >= count:
                raise Killed

        return now

    bench.kafka.before_confirm = kill(at_record)
    with pytest.raises(Killed):
        await bench.read()
    assert await bench.cursor() == NOON - 10 * MINUTE
    bench.kafka.before_confirm = None
    bench.a_new_process()
    await bench.read()
    counts = Counter(bench.kafka.ids())
    assert set(counts) == {str(n) for n in range(30)}
    assert max(counts.values()) <= 2
    assert await bench.cursor() == NOON


async def test_a_kill_between_publishing_and_moving_the_cursor_repeats_the_window_and_loses_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.shelf.put(*range(30), at=NOON - 5 * MINUTE)

    async def killed(*_args: object, **_kwargs: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(bench.cursors, "advance", killed)
        with pytest.raises(Killed):
            await bench.read()
    bench.a_new_process()
    await bench.read()
    assert Counter(bench.kafka.ids()) == {str(n): 2 for n in range(30)}
    repeats = [dict(record.headers)["dedupe-key"] for record in bench.kafka.records]
    assert repeats[:30] == repeats[30:]


# -- what cannot be read -----------------------------------------------------------------------------------------------


def broken_when_it_holds(moment: datetime) -> Callable[[Window, int], None]:
    def on_page(window: Window, _page: int) -> None:
        if window.start <= moment < window.end:
            raise BROKEN

    return on_page


async def test_one_unreadable_row_is_put_aside_and_all_others_are_read(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    poison = NOON - 5 * MINUTE
    for second in range(0, 600, 10):
        bench.shelf.put(second, at=NOON - timedelta(seconds=600 - second) + timedelta(seconds=3))
    bench.shelf.on_page = broken_when_it_holds(poison)
    with caplog.at_level(logging.ERROR):
        await bench.read()
    assert set(bench.kafka.ids()) == {str(second) for second in range(0, 600, 10)}
    assert await bench.cursor() == NOON
    aside = await bench.unread.some_of(SHOP, 10)
    assert aside
    assert all(w.start <= poison < w.end and w.end - w.start <= timedelta(seconds=2) for w in aside)
    assert "taobao/flagship" in caplog.text
    assert "已搁置" in caplog.text


async def test_what_was_put_aside_is_read_once_it_can_be(bench: Bench) -> None:
    poison = NOON - 5 * MINUTE
    bench.shelf.put(7, at=poison)
    bench.shelf.on_page = broken_when_it_holds(poison)
    await bench.read()
    assert bench.kafka.ids() == []
    bench.shelf.on_page = None
    bench.clock.move(3600)
    bench.a_new_process()
    await bench.read()
    assert bench.kafka.ids() == ["7"]
    assert await bench.unread.count(SHOP) == 0


async def test_what_was_put_aside_is_left_alone_for_a_while(bench: Bench) -> None:
    bench.shelf.on_page = broken_when_it_holds(NOON - 5 * MINUTE)
    await bench.read()
    bench.clock.move(3600)
    bench.shelf.windows.clear()
    await bench.read()
    assert all(window.start >= NOON - MINUTE for window in bench.shelf.windows)


async def test_when_nothing_can_be_read_the_shop_waits_and_nothing_is_skipped(bench: Bench) -> None:
    def broken(_window: Window, _page: int) -> None:
        raise BROKEN

    bench.shelf.on_page = broken
    with pytest.raises(UnreadablePayload):
        await bench.read()
    assert await bench.cursor() == NOON - 10 * MINUTE
    assert await bench.unread.count(SHOP) == 0
    assert len(bench.shelf.windows) == bench.policy.split_budget + 1


async def test_the_split_budget_is_the_operators(redis: Redis, kafka: FakeKafka, shelf: Shelf) -> None:
    bench = Bench(redis, kafka, shelf, replace(PollPolicy(), split_budget=0))
    shelf.on_page = broken_when_it_holds(NOON - 5 * MINUTE)
    with pytest.raises(UnreadablePayload):
        await bench.read()
