"""`orderfleet stock epoch`, and what an emptied Redis does to the other commands; on a real broker and Redis."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from ops.testbed.local_stack.broker import Broker
from schemas.namespace import use_prefix
from schemas.record import encode
from schemas.topics import INVENTORY_EVENTS
from tests.kafka import put, unique
from tests.ops.cli.conftest import Run
from workers.inventory.keys import outbox_key, stock_key
from workers.inventory.ledger import Ledger
from workers.runtime.kafka.topics import create_topics, wanted_topics
from workers.runtime.redis.epoch import RUNBOOK, epoch_key


@pytest.fixture
def fleet(broker: Broker, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """Servers on which nothing was ever done by this fleet, with its topics; and its Redis."""
    prefix = unique("epoch")[:29].rstrip("-")
    use_prefix(prefix)
    monkeypatch.setenv("ORDERFLEET_PREFIX", prefix)
    monkeypatch.setenv("ORDERFLEET_KAFKA", broker.address)
    create_topics(broker.address, wanted_topics(channels=[], warehouses=[], partitions=1, replication=1))
    with Redis.from_url(redis_url, decode_responses=True) as client:
        client.flushall()
        yield client
    use_prefix("")


def count(run: Run, units: int = 5) -> int:
    return run("stock", "set", "--warehouse", "hangzhou", "--sku", "TEA", "--on-hand", units).exit_code


def relay(redis: Redis, broker: Broker) -> None:
    """What the relay does: every event into Kafka, and the outbox is empty."""

    async def events() -> list[bytes]:
        async with AsyncRedis.from_url(
            f"redis://127.0.0.1:{redis.connection_pool.connection_kwargs['port']}"
        ) as client:
            found, _ = await Ledger(client).outbox.read("hangzhou", 100)
            return [encode(event) for event in found]

    put(broker.address, INVENTORY_EVENTS.name, [(b"hangzhou", value) for value in asyncio.run(events())])
    redis.delete(outbox_key("hangzhou"))


def test_the_first_count_of_a_fleet_begins_its_epoch(fleet: Redis, run: Run) -> None:
    assert run("stock", "epoch").exit_code == 0
    assert count(run) == 0
    told = json.loads(run("stock", "epoch", "--json").stdout)
    assert told["same"] is True
    assert told["redis"] == told["kafka"]["epoch_id"] == fleet.get(epoch_key())


def test_an_emptied_redis_is_refused_until_it_is_rebuilt(
    fleet: Redis, run: Run, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the backup is written where the command runs
    count(run)
    relay(fleet, broker)
    fleet.flushall()

    refused = run("stock", "set", "--warehouse", "hangzhou", "--sku", "TEA", "--on-hand", 7)
    assert (refused.exit_code, RUNBOOK in refused.stderr) == (3, True)
    assert fleet.keys() == []
    looked = run("stock", "epoch")
    assert (looked.exit_code, "stock rebuild" in looked.stderr) == (1, True)

    # what a worker may have written before it noticed is no obstacle, and does not come to Kafka
    fleet.xadd(outbox_key("hangzhou"), {"sequence": "1", "kind": "shipped", "changes": "[]"})
    fleet.hset(stock_key("hangzhou", "TEA"), "on_hand", "-1")
    rebuilt = run("stock", "rebuild")
    assert rebuilt.exit_code == 0, rebuilt.stderr
    assert fleet.hget(stock_key("hangzhou", "TEA"), "on_hand") == "5"
    assert not fleet.exists(outbox_key("hangzhou"))
    assert len(list(tmp_path.glob("stock-backup-*.jsonl"))) == 1
    assert run("stock", "epoch").exit_code == 0
    assert count(run, 7) == 0


def test_an_emptied_redis_may_be_declared_new(fleet: Redis, run: Run, broker: Broker) -> None:
    count(run)
    relay(fleet, broker)
    before = json.loads(run("stock", "epoch", "--json").stdout)["redis"]
    fleet.flushall()

    declared = run("stock", "epoch", "--declare-new", "--json")
    assert declared.exit_code == 0, declared.stderr
    told = json.loads(declared.stdout)
    assert (told["same"], told["kafka"]["reason"]) == (True, "declared-new")
    assert told["redis"] != before
    assert run("stock", "show").exit_code == 1  # nothing is there
    assert count(run, 3) == 0
    relay(fleet, broker)
    audit = run("stock", "audit")
    assert audit.exit_code == 0, audit.stdout + audit.stderr
    same = run("stock", "rebuild", "--dry-run")
    assert same.exit_code == 0, same.stdout + same.stderr


def test_a_redis_without_the_id_may_be_taken_as_it_is(fleet: Redis, run: Run) -> None:
    count(run)
    fleet.delete(epoch_key())
    assert count(run) == 3
    assert run("stock", "epoch", "--adopt").exit_code == 0
    assert count(run) == 0
    fleet.flushall()
    assert run("stock", "epoch", "--adopt").exit_code == 1  # there is nothing in it


def test_counting_needs_no_kafka_while_redis_has_an_epoch(
    fleet: Redis, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    count(run)
    monkeypatch.setenv("ORDERFLEET_KAFKA", "127.0.0.1:1")
    assert count(run, 9) == 0
    fleet.flushall()
    assert count(run, 9) == 3  # only Kafka could tell whether it was emptied
