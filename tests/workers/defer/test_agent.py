"""Deferred orders on a real broker and a real Redis: they come back once, whoever dies, unless they have moved on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Message
from redis.asyncio import Redis

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.child import Child
from ops.testbed.local_stack.redis_server import RedisServer
from schemas.fulfillment import FulfillmentInstruction
from schemas.order import Order, OrderStatus
from schemas.plan import Disposition, PlannedOrder, ReturnedOrder
from schemas.record import decode, encode
from schemas.revision import retry_of, revision_of
from schemas.topics import ORDERS_DEFERRED, ORDERS_PLANNED, ORDERS_RETURNED, ORDERS_ROUTED
from tests.builders import a_plan, a_planned_order
from tests.kafka import TopicReader, put
from tests.workers.defer.builders import (
    DUE,
    DUE_MS,
    a_deferred_order,
    a_waiting_order,
    delivered,
    planned_and_deferred,
)
from workers.defer.agent import DeferAgent, WakeAgent
from workers.defer.queue import DelayQueue
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count
from workers.reserve.agent import ReserveAgent
from workers.runtime.kafka.producer import Producer
from workers.runtime.kafka.topics import create_topics, wanted_topics
from workers.runtime.stage import Delivery, Stage, every
from workers.runtime.table import groups
from workers.runtime.timer import Timer

ROOT = Path(__file__).parents[3]
LEASE_MS = 30_000
PARTITIONS = 2


@pytest.fixture
def queue(redis: Redis) -> DelayQueue:
    return DelayQueue(redis)


def a_waker(redis: Redis, now_ms: int = DUE_MS) -> WakeAgent:
    return WakeAgent(DelayQueue(redis), Ledger(redis).orders, lambda: now_ms / 1000, lease_ms=LEASE_MS)


async def settled_by_reserve(redis: Redis, order: Order) -> None:
    """The order went through reserve with this revision."""
    plan = a_plan("hangzhou")
    await ReserveAgent(Ledger(redis), 1800).handle([Delivery(a_planned_order(order, plan), key=order.uid.encode())])


# -- on Redis alone ------------------------------------------------------------------------------------------------


async def test_a_deferred_order_comes_back_once_when_it_is_due(redis: Redis, queue: DelayQueue) -> None:
    assert await DeferAgent(queue).handle([delivered(a_deferred_order())]) == [()]

    assert await a_waker(redis, DUE_MS - 1).tick() == []
    waker = a_waker(redis)
    [event] = await waker.tick()
    await waker.confirmed()

    assert event.tagged.order.revision == retry_of(a_waiting_order().revision)
    assert event.at == DUE
    assert await a_waker(redis, DUE_MS + 10 * LEASE_MS).tick() == []


async def test_an_order_that_moved_on_vanishes_silently(redis: Redis, queue: DelayQueue) -> None:
    waiting = a_waiting_order()
    newer = replace(waiting, modified_at=waiting.modified_at + timedelta(seconds=1))
    newer = replace(newer, revision=revision_of(newer))
    await DeferAgent(queue).handle([delivered(a_deferred_order())])
    await settled_by_reserve(redis, newer)

    waker = a_waker(redis)

    assert await waker.tick() == []
    await waker.confirmed()
    assert await queue.waiting() == 0


async def test_the_revision_that_waits_does_not_overtake_itself(redis: Redis, queue: DelayQueue) -> None:
    """Reserve hears of a deferred order, too."""
    await DeferAgent(queue).handle([delivered(a_deferred_order())])
    await settled_by_reserve(redis, a_waiting_order())

    assert len(await a_waker(redis).tick()) == 1


async def test_reading_the_topic_anew_puts_nothing_back_twice(redis: Redis, queue: DelayQueue) -> None:
    """The consumer group was set back after Redis lost its data, or only for safety."""
    await DeferAgent(queue).handle([delivered(a_deferred_order())])
    waker = a_waker(redis)
    [event] = await waker.tick()
    await waker.confirmed()
    await settled_by_reserve(redis, event.tagged.order)

    await DeferAgent(queue).handle([delivered(a_deferred_order())])

    assert await waker.tick() == []


async def test_two_sweepers_at_once_put_every_order_back_once(redis: Redis, queue: DelayQueue) -> None:
    numbers = [str(number) for number in range(300)]
    await DeferAgent(queue).handle([delivered(a_deferred_order(number)) for number in numbers])
    first, second = a_waker(redis), a_waker(redis)

    events = [event for found in await asyncio.gather(first.tick(), second.tick()) for event in found]
    await asyncio.gather(first.confirmed(), second.confirmed())

    assert sorted(event.tagged.order.platform_order_id for event in events) == sorted(numbers)
    assert await queue.waiting() == 0


async def test_an_order_that_cannot_be_read_stays_and_holds_up_no_other(
    redis: Redis, queue: DelayQueue, caplog: pytest.LogCaptureFixture
) -> None:
    await DeferAgent(queue).handle([delivered(a_deferred_order("1")), delivered(a_deferred_order("2"))])
    [key] = [key for key in await redis.keys("orders:*") if await redis.hexists(key, a_waiting_order("1").uid)]
    await redis.hset(key, a_waiting_order("1").uid, b"rubbish")

    waker = a_waker(redis)
    events = await waker.tick()
    await waker.confirmed()

    assert [event.tagged.order.platform_order_id for event in events] == ["2"]
    assert await queue.waiting() == 1
    assert f"order {a_waiting_order('1').uid}" in caplog.text
    assert "orders.deferred" in caplog.text


# -- with a broker -------------------------------------------------------------------------------------------------


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[str]:
    """A broker of the test's own: the topics have their real names."""
    with Broker(tmp_path) as running:
        create_topics(
            running.address,
            wanted_topics(channels=("taobao",), warehouses=("hangzhou",), partitions=PARTITIONS, replication=1),
        )
        yield running.address


@pytest.fixture
async def producer(kafka: str) -> AsyncIterator[Producer]:
    made = Producer(kafka)
    made.start()
    yield made
    await made.close()


def a_timer(agent: WakeAgent, producer: Producer) -> Timer:
    [group] = groups([Stage("wake", reads=every(1), writes=(ORDERS_RETURNED,), agent=lambda _: agent)])
    return Timer(group, agent, producer)


async def test_a_death_between_publishing_and_giving_up_repeats_the_same_bytes(
    redis: Redis, redis_server: RedisServer, queue: DelayQueue, kafka: str, producer: Producer
) -> None:
    await DeferAgent(queue).handle([delivered(a_deferred_order("dies"))])

    died = await asyncio.to_thread(_run_dying_waker, kafka, redis_server.url)
    assert died == -signal.SIGKILL
    assert await queue.waiting() == 1

    await a_timer(a_waker(redis, DUE_MS + 7 + LEASE_MS - 1), producer).tick()  # the lease still holds
    await a_timer(a_waker(redis, DUE_MS + 7 + LEASE_MS), producer).tick()

    reader = TopicReader(kafka, [ORDERS_RETURNED.name], PARTITIONS)
    uid = a_waiting_order("dies").uid.encode()
    await asyncio.to_thread(reader.until, lambda found: sum(message.key() == uid for message in found) >= 2)
    first, second = [message for message in reader.messages if message.key() == uid]
    reader.close()
    assert (first.value(), first.headers()) == (second.value(), second.headers())
    assert decode(ReturnedOrder, first.value() or b"").at == DUE + timedelta(milliseconds=7)
    assert await queue.waiting() == 0


def _run_dying_waker(kafka: str, redis_url: str) -> int:
    command = [sys.executable, "-m", "tests.workers.defer.dying_waker"]
    arguments = [kafka, redis_url, str((DUE_MS + 7) / 1000), str(LEASE_MS)]
    return subprocess.run([*command, *arguments], cwd=ROOT, timeout=60, check=False).returncode


# -- the fleet -----------------------------------------------------------------------------------------------------


@pytest.fixture
def workers(kafka: str, redis_server: RedisServer, tmp_path: Path) -> Iterator[list[Child]]:
    """Two workers that run the way of a deferred order."""
    env = {
        **os.environ,
        "ORDERFLEET_KAFKA": kafka,
        "ORDERFLEET_REDIS_URL": redis_server.url,
        "ORDERFLEET_METRICS_PORT": "0",
        "ORDERFLEET_SESSION_SECONDS": "2",
        "ORDERFLEET_LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "ops.cli", "worker", "--json", "--stages", "defer,wake,reroute,reserve"]
    children = [Child(f"worker-{number}", command, tmp_path, env) for number in (1, 2)]
    for child in children:
        child.start()
    yield children
    for child in children:
        child.stop()


async def test_a_presale_is_shipped_once_when_it_is_due_though_a_worker_dies(
    redis: Redis, kafka: str, workers: list[Child]
) -> None:
    await Ledger(redis).stock.set_counts("hangzhou", {"DOWN-COAT-M": Count(on_hand=500)})
    for child in workers:
        await asyncio.to_thread(child.wait_ready)
    due = datetime.now(UTC) + timedelta(seconds=3)
    orders = [a_waiting_order(f"fleet-{number}", due) for number in range(120)]
    gone = {order.uid for order in orders[:20]}
    await asyncio.to_thread(_write, kafka, orders, due, gone)

    reader = TopicReader(kafka, [ORDERS_ROUTED.of("hangzhou")], PARTITIONS)
    await asyncio.to_thread(reader.until, lambda found: bool(found), 60)
    workers[0].kill()
    await asyncio.to_thread(reader.until, lambda found: len(_told(found)) >= len(orders) - len(gone), 120)
    reader.close()

    assert set(_told(reader.messages)) == {(order.uid, retry_of(order.revision)) for order in orders[20:]}
    [level] = await Ledger(redis).stock.levels("hangzhou", ["DOWN-COAT-M"])
    assert (level.committed, level.on_hand) == (100, 500)
    assert (await Ledger(redis).stock.audit()).is_clean
    await _until_nothing_waits(redis)


async def _until_nothing_waits(redis: Redis) -> None:
    """What the dead worker had taken is given up after its lease."""
    deadline = time.monotonic() + 60
    while await DelayQueue(redis).waiting():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def _told(messages: list[Message]) -> dict[tuple[str, str], FulfillmentInstruction]:
    """The instructions as a WMS sees them: repeats are dropped."""
    told = [decode(FulfillmentInstruction, message.value() or b"") for message in messages]
    return {(instruction.order_uid, instruction.revision): instruction for instruction in told}


def _write(kafka: str, orders: list[Order], due: datetime, gone: set[str]) -> None:
    """What route writes about the orders before they are due; those that are `gone` are cancelled a moment later."""
    pairs = [planned_and_deferred(order, due - timedelta(hours=1)) for order in orders]
    plans: list[tuple[bytes, PlannedOrder]] = [(planned.order.uid.encode(), planned) for planned, _ in pairs]
    plans += [(uid, _cancelled(planned)) for uid, planned in plans if planned.order.uid in gone]
    put(kafka, ORDERS_PLANNED.name, [(uid, encode(planned)) for uid, planned in plans])
    put(kafka, ORDERS_DEFERRED.name, [(d.planned.order.uid.encode(), encode(d)) for _, d in pairs])


def _cancelled(planned: PlannedOrder) -> PlannedOrder:
    later = planned.order.modified_at + timedelta(seconds=1)
    order = replace(planned.order, status=OrderStatus.CANCELLED, modified_at=later)
    order = replace(order, revision=revision_of(order))
    return replace(planned, order=order, plan=a_plan(disposition=Disposition.RELEASE, candidates=()))
