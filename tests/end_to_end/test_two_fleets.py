"""Two fleets on one broker and one Redis, told apart by their prefix: neither sees anything of the other."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from channel_adapters.contract import RawOrder
from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.child import Child, fleet_environment, worker
from ops.testbed.local_stack.redis_server import RedisServer
from schemas.namespace import use_prefix
from tests.kafka import TopicReader, wait_until
from workers.intake.raw import Arrival, raw_record
from workers.intake.store import ShopKey
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count
from workers.runtime.kafka.topics import create_topics, wanted_topics

ROOT = Path(__file__).parents[2]
PAYLOAD = ROOT / "tests/channel_adapters/taobao/payloads/01_simple_paid.json"
FLEETS = ("north", "south")
STAGES = "normalize,tag,route,reserve,relay,sweep"


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[tuple[Broker, RedisServer]]:
    with Broker(tmp_path) as broker, RedisServer(tmp_path) as redis:
        yield broker, redis


@pytest.fixture(autouse=True)
def no_prefix_is_left() -> Iterator[None]:
    yield
    use_prefix("")


def orderfleet(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "ops.cli", *words]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=60, check=False)


def test_two_fleets_share_their_servers(shared: tuple[Broker, RedisServer], tmp_path: Path) -> None:
    broker, redis = shared
    told = {"ORDERFLEET_SESSION_SECONDS": "2"}
    common = fleet_environment(broker.address, redis.url, 2, {**told, "PYTHONUTF8": "1"})
    with ExitStack() as stack:
        fleets: dict[str, Child] = {}
        for name in FLEETS:
            env = {**common, "ORDERFLEET_PREFIX": name}
            use_prefix(name)
            channels = ("taobao", "pinduoduo", "douyin", "jd", "woocommerce", "shopify")
            create_topics(
                broker.address,
                wanted_topics(channels=channels, warehouses=["hangzhou"], partitions=2, replication=1),
            )
            asyncio.run(count(redis.url, 7 if name == "north" else 9))
            (tmp_path / name).mkdir()
            fleets[name] = worker("worker", STAGES, tmp_path / name, env)
            stack.callback(fleets[name].stop)
            fleets[name].start()
        for fleet in fleets.values():
            fleet.wait_ready()

        put_an_order(broker, "north")
        reader = TopicReader(broker.address, ["north.orders.planned", "south.orders.planned"], 2)
        stack.callback(reader.close)
        reader.until(lambda messages: bool(messages))
        events = TopicReader(broker.address, ["north.inventory.events", "south.inventory.events"], 2)
        stack.callback(events.close)
        found = events.until(
            lambda messages: {message.topic() for message in messages} == {f"{f}.inventory.events" for f in FLEETS}
        )
        assert all(message.value() for message in found)

        groups = AdminClient({"bootstrap.servers": broker.address})
        named = {each.group_id for each in groups.list_consumer_groups().result(10).valid}
        assert {name.partition(".")[0] for name in named} <= set(FLEETS)
        assert named
        topics = groups.list_topics(timeout=10).topics
        assert {name.partition(".")[0] for name in topics} == set(FLEETS)

        with Redis.from_url(redis.url, decode_responses=True) as client:
            wait_until(lambda: any(key.startswith("north.order:") for key in client.scan_iter()))
            keys = list(client.scan_iter())
        assert {key.partition(".")[0] for key in keys} == set(FLEETS)
        assert [key for key in keys if key.startswith("south.order:")] == []

        shown = orderfleet({**common, "ORDERFLEET_PREFIX": "south"}, "stock", "show", "--json")
        assert [json.loads(line)["on_hand"] for line in shown.stdout.splitlines()] == [9]
        assert {message.topic() for message in reader.messages} == {"north.orders.planned"}


async def count(redis_url: str, units: int) -> None:
    async with AsyncRedis.from_url(redis_url) as client:
        await Ledger(client).stock.set_counts("hangzhou", {"NT-MUG-350-WHITE": Count(on_hand=units)})


def put_an_order(broker: Broker, fleet: str) -> None:
    """One paid order of Taobao, as the poller of that fleet would."""
    use_prefix(fleet)
    now = datetime.now(UTC)
    order = json.loads(PAYLOAD.read_bytes())["trade_fullinfo_get_response"]["trade"]
    raw = RawOrder(order["tid_str"] if "tid_str" in order else str(order["tid"]), now, json.dumps(order).encode())
    record = raw_record(Arrival(shop=ShopKey("taobao", "main"), source="poll", at=now), raw)
    assert record.topic == f"{fleet}.orders.raw.taobao"
    producer = Producer({"bootstrap.servers": broker.address})
    producer.produce(record.topic, record.value, record.key, headers=record.headers)
    assert producer.flush(30) == 0


def test_a_prefix_that_cannot_stand_in_names_is_refused() -> None:
    done = orderfleet({**os.environ, "ORDERFLEET_PREFIX": "North.*"}, "stock", "show")
    assert done.returncode == 2
    assert b"ORDERFLEET_PREFIX" in done.stderr
