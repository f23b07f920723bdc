"""`orderfleet stock audit` on a real Redis and a real broker: counters, reservations and events tell one story."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from ops.testbed.local_stack.broker import Broker
from schemas.record import encode
from schemas.topics import INVENTORY_EVENTS
from tests.builders import a_line, a_plan, a_planned_order, an_order, an_unpaid_order
from tests.kafka import put
from tests.ops.cli.conftest import PROJECT, Run, nobody_listens
from tests.workers.inventory.traffic import Traffic
from workers.admin.audit_advice import ADVICE
from workers.inventory.keys import deadlines_key, outbox_key, reservation_key, sequence_key, stock_key
from workers.inventory.records import Count
from workers.inventory.report import FindingKind
from workers.rebuild.event_log import TopicLog
from workers.rebuild.stock_audit import ReplayedAudit
from workers.relay.agent import RelayAgent
from workers.runtime.kafka.topics import create_topics, topic_config, wanted_topics


@pytest.fixture
def log_broker(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """A broker whose `inventory.events` nobody else writes to."""
    with Broker(tmp_path_factory.mktemp("log-broker")) as running:
        create_topics(running.address, wanted_topics(channels=[], warehouses=[], partitions=3, replication=1))
        monkeypatch.setenv("ORDERFLEET_KAFKA", running.address)
        yield running


World = Callable[[Callable[[AsyncRedis, Traffic], Awaitable[Any]]], Any]


@pytest.fixture
def world(redis_url: str) -> World:
    """Do something to the stock. Its traffic is always the same."""

    def act(deed: Callable[[AsyncRedis, Traffic], Awaitable[Any]]) -> Any:
        async def acting() -> Any:
            async with AsyncRedis.from_url(redis_url) as redis:
                return await deed(redis, Traffic(redis, seed=7))

        return asyncio.run(acting())

    return act


async def busy(redis: AsyncRedis, traffic: Traffic) -> None:
    await traffic.stock()
    await traffic.run(300)


async def relayed(traffic: Traffic, broker: Broker, *, but: Callable[[int], bool] = lambda _: False) -> None:
    """Publish what the outboxes hold, except for events with some sequence numbers."""
    relay = RelayAgent(traffic.ledger)
    while events := await relay.tick():
        kept = [event for event in events if not (event.warehouse_id == "hangzhou" and but(event.sequence))]
        put(broker.address, INVENTORY_EVENTS.name, [(e.warehouse_id.encode(), encode(e)) for e in kept])
        await relay.confirmed()


@pytest.fixture
def books(log_broker: Broker, world: World, redis_url: str) -> Iterator[Redis]:
    """A busy afternoon, half of whose events are in Kafka and the other half still in the outbox."""

    async def afternoon(redis: AsyncRedis, traffic: Traffic) -> None:
        await busy(redis, traffic)
        await relayed(traffic, log_broker)
        await traffic.run(100)

    world(afternoon)
    with Redis.from_url(redis_url, decode_responses=True) as client:
        assert client.xlen(outbox_key("hangzhou")) > 20
        yield client


def findings(run: Run, *options: str) -> dict[str, list[str]]:
    """The audit's errors by kind."""
    result = run("stock", "audit", "--json", *options)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    found: dict[str, list[str]] = {}
    for each in json.loads(result.stdout)["findings"]:
        if each["error"]:
            found.setdefault(each["kind"], []).append(each["message"])
    assert (result.exit_code == 1) >= bool(found)
    return found


def a_live_reservation(client: Redis, warehouse: str = "hangzhou") -> str:
    keys = sorted(client.scan_iter(match=reservation_key(warehouse, "") + "*"))
    return next(str(key) for key in keys if client.hget(key, "state") in ("committed", "allocated"))


# -- all is well ---------------------------------------------------------------------------------------------------


def test_a_sound_ledger_is_clean_with_events_in_kafka_and_in_the_outbox(books: Redis, run: Run) -> None:
    assert findings(run) == {}
    assert findings(run, "--no-replay") == {}


def test_an_event_that_kafka_has_twice_is_no_finding(books: Redis, log_broker: Broker, world: World, run: Run) -> None:
    async def relay_twice(redis: AsyncRedis, traffic: Traffic) -> None:
        relay = RelayAgent(traffic.ledger)
        events = await relay.tick()
        for _ in range(2):
            put(log_broker.address, INVENTORY_EVENTS.name, [(e.warehouse_id.encode(), encode(e)) for e in events])

    world(relay_twice)

    assert findings(run) == {}


def test_events_that_kafka_has_in_another_order_are_no_finding(log_broker: Broker, world: World, run: Run) -> None:
    async def shuffled(redis: AsyncRedis, traffic: Traffic) -> None:
        await busy(redis, traffic)
        relay = RelayAgent(traffic.ledger)
        events = await relay.tick()
        records = [(e.warehouse_id.encode(), encode(e)) for e in events]
        put(log_broker.address, INVENTORY_EVENTS.name, [*records[50:], *records[:50]])
        await relay.confirmed()

    world(shuffled)

    assert findings(run) == {}


def test_a_fleet_that_never_counted_anything_is_clean(log_broker: Broker, redis_url: str, run: Run) -> None:
    assert findings(run) == {}


async def test_audits_under_traffic_find_nothing(log_broker: Broker, redis_url: str) -> None:
    async with AsyncRedis.from_url(redis_url) as redis, AsyncRedis.from_url(redis_url) as auditors:
        await redis.flushall()
        lanes = [Traffic(redis, seed) for seed in range(6)]
        await lanes[0].stock()
        done = asyncio.Event()

        async def relaying() -> None:
            while not done.is_set():
                await relayed(lanes[0], log_broker)
                await asyncio.sleep(0.01)

        async def writing() -> None:
            await asyncio.gather(*(lane.run(400) for lane in lanes))
            done.set()

        tasks = [asyncio.create_task(relaying()), asyncio.create_task(writing())]
        audits = 0
        with TopicLog(log_broker.address) as log:
            audit = ReplayedAudit(auditors, log)
            while not done.is_set() or audits < 3:
                report = await audit.run()
                assert [f for f in report.findings if f.is_error] == []
                audits += 1
        await asyncio.gather(*tasks)
    assert report.events is not None
    assert report.events > 1000


# -- planted damage ------------------------------------------------------------------------------------------------


def test_a_drifted_counter_is_found_by_both_comparisons(books: Redis, run: Run) -> None:
    books.hincrby(stock_key("hangzhou", "MUG-350"), "committed", 1)
    books.hincrby(stock_key("hangzhou", "COFFEE-1KG"), "on_hand", 3)

    found = findings(run)

    assert set(found) == {"counter-drift", "replay-drift"}
    assert "MUG-350 in hangzhou: committed is" in found["counter-drift"][0]
    assert "COFFEE-1KG in hangzhou: on_hand is" in found["replay-drift"][0]
    assert set(findings(run, "--no-replay")) == {"counter-drift"}


def test_a_drifted_transfer_counter_is_found(books: Redis, run: Run) -> None:
    books.hincrby(stock_key("beijing", "MUG-350"), "transfer", 2)

    for options in ((), ("--no-replay",)):
        assert "its transfers add up to" in findings(run, *options)["counter-drift"][0]


def test_a_deleted_reservation_is_found(books: Redis, run: Run) -> None:
    key = a_live_reservation(books)
    books.delete(key)

    found = findings(run)

    assert found == {"record-drift": [f"{key} is gone; its events say that it must be there"]}
    assert set(findings(run, "--no-replay")) == {"counter-drift"}


def test_a_changed_reservation_is_found_by_its_field(books: Redis, run: Run) -> None:
    key = a_live_reservation(books)
    books.hset(key, "revision", "0")

    assert findings(run) == {"record-drift": [f"{key} differs from its events in: revision"]}


def test_a_reservation_out_of_nowhere_is_found(books: Redis, run: Run) -> None:
    key = reservation_key("hangzhou", "taobao:x:1")
    books.hset(key, mapping={"revision": "1", "state": "released", "lines": "[]", "deadline": "0", "fence": "0"})

    assert findings(run) == {"record-drift": [f"{key} is told of by no inventory event"]}


def test_lost_events_are_found_by_their_numbers(log_broker: Broker, world: World, run: Run) -> None:
    async def lossy(redis: AsyncRedis, traffic: Traffic) -> None:
        await busy(redis, traffic)
        await relayed(traffic, log_broker, but=lambda number: number in (40, 41, 60))

    world(lossy)

    found = findings(run)

    assert found["lost-event"] == [
        "2 inventory events are neither in Kafka nor in the outbox: hangzhou/40 to hangzhou/41",
        "1 inventory events are neither in Kafka nor in the outbox: hangzhou/60",
    ]


def test_an_emptied_redis_is_told_from_an_empty_fleet(books: Redis, log_broker: Broker, world: World, run: Run) -> None:
    async def empty(redis: AsyncRedis, traffic: Traffic) -> None:
        await relayed(traffic, log_broker)
        await redis.flushall()

    world(empty)

    found = findings(run)

    assert set(found) == {"redis-behind"}
    assert len(found["redis-behind"]) == 3


def test_a_number_that_was_given_away_twice_is_found(books: Redis, log_broker: Broker, world: World, run: Run) -> None:
    async def lose_a_write(redis: AsyncRedis, traffic: Traffic) -> None:
        await relayed(traffic, log_broker)
        await redis.decr(sequence_key("hangzhou"))
        await traffic.run(30)
        await relayed(traffic, log_broker)

    world(lose_a_write)

    assert "event-conflict" in findings(run)


def test_an_order_in_two_warehouses_is_found(books: Redis, world: World, run: Run) -> None:
    order = an_order("twice", lines=(a_line("MUG-350", 1),))

    async def place_twice(redis: AsyncRedis, traffic: Traffic) -> None:
        for warehouse in ("hangzhou", "beijing"):
            await traffic.ledger.stock.set_counts(warehouse, {"MUG-350": Count(on_hand=500)})
            await traffic.handle(a_planned_order(order, a_plan(warehouse)))
            await redis.delete(f"order:{{{order.uid}}}")

    world(place_twice)

    for options in ((), ("--no-replay",)):
        assert findings(run, *options) == {
            "held-twice": [f"order {order.uid} holds stock in beijing and hangzhou, and nobody decided to split it"]
        }


def test_the_deadline_list_is_compared(books: Redis, world: World, run: Run) -> None:
    order = an_unpaid_order("held", lines=(a_line("MUG-350", 1),))

    async def hold(redis: AsyncRedis, traffic: Traffic) -> None:
        await traffic.ledger.stock.set_counts("beijing", {"MUG-350": Count(on_hand=500)})
        await traffic.handle(a_planned_order(order, a_plan("beijing")))

    world(hold)
    books.zadd(deadlines_key("hangzhou"), {"taobao:x:9": 1})
    assert books.zrem(deadlines_key("beijing"), order.uid) == 1

    for options in ((), ("--no-replay",)):
        assert set(findings(run, *options)) == {"deadline-without-hold", "hold-without-deadline"}


def test_keys_of_others_and_unknown_states_are_named(books: Redis, run: Run) -> None:
    books.set(stock_key("hangzhou", "TEXT"), "text")
    books.hset(reservation_key("hangzhou", "taobao:x:2"), "state", "dreaming")

    assert set(findings(run, "--no-replay")) == {"corrupt", "unknown-state"}
    assert set(findings(run)) == {"corrupt", "record-drift"}


def test_what_is_no_event_is_counted(books: Redis, log_broker: Broker, run: Run) -> None:
    put(log_broker.address, INVENTORY_EVENTS.name, [(b"x", b"not json"), (b"y", b'{"sequence": 1}')])

    assert findings(run) == {"unreadable-event": ["2 records on inventory.events are no inventory events"]}


# -- telling -------------------------------------------------------------------------------------------------------


def test_every_kind_of_finding_has_advice_in_both_languages() -> None:
    assert all(ADVICE[kind].en and ADVICE[kind].zh for kind in FindingKind)


def test_findings_come_with_advice(books: Redis, run: Run) -> None:
    books.hincrby(stock_key("hangzhou", "COFFEE-1KG"), "on_hand", 3)

    result = run("stock", "audit")

    assert result.exit_code == 1
    assert "\nreplay-drift: a counter in Redis was changed" in result.stdout


def test_a_broker_that_is_away_is_one_line_and_a_way_around(
    redis_url: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = nobody_listens()
    monkeypatch.setenv("ORDERFLEET_KAFKA", address)

    result = run("stock", "audit")

    assert result.exit_code == 3
    assert f"Kafka at {address} does not answer" in result.stderr
    assert "--no-replay" in result.stderr


def test_watch_goes_on_and_exports_what_it_finds(books: Redis, log_broker: Broker, redis_url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "stock", "audit", "--watch", "1", "--json"],
        cwd=PROJECT,
        env={**os.environ, "ORDERFLEET_METRICS_PORT": "0"},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["metrics_port"]
        assert json.loads(process.stdout.readline())["clean"] is True
        books.hincrby(stock_key("hangzhou", "COFFEE-1KG"), "on_hand", 3)
        deadline = time.monotonic() + 30
        while json.loads(process.stdout.readline())["clean"]:
            assert time.monotonic() < deadline
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
        assert 'orders_stock_audit_findings{kind="replay-drift"} 1.0' in text
        assert 'orders_stock_audit_findings{kind="lost-event"} 0.0' in text
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_events_are_kept_for_ever() -> None:
    assert topic_config(INVENTORY_EVENTS)["retention.ms"] == "-1"
