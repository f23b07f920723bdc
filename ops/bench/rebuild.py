"""How long `orderfleet stock rebuild` takes for a long history.

Starts a Redis and a broker of its own, writes a history of orders into the topics, and runs the commands as an
operator would: rebuild, a comparison of every key, and the audit. Prints seconds, seconds of a core, and memory.

    python -m ops.bench.rebuild --events 1000000
    python -m ops.bench.rebuild --events 100000 --warehouses 8 --skus 500
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import orjson
import psutil
import typer
from confluent_kafka import Consumer, TopicPartition

from ops.bench.history import History
from ops.bench.plain_kafka import PlainProducer
from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.redis_server import RedisServer
from schemas.topics import INVENTORY_EVENTS, ORDERS_PLANNED, ORDERS_ROUTED
from workers.rebuild.quiet import reserve_group
from workers.runtime.kafka.librdkafka import ends_of
from workers.runtime.kafka.topics import create_topics, wanted_topics
from workers.runtime.wire import Encoder

PARTITIONS: Final = 4
_BATCH: Final = 2000  # orders


def rebuild(
    events: Annotated[int, typer.Option(min=1, help="Inventory events.")] = 1_000_000,
    warehouses: Annotated[int, typer.Option(min=1, max=100, help="Warehouses.")] = 4,
    skus: Annotated[int, typer.Option(min=2, help="SKUs in each.")] = 5000,
    check: Annotated[bool, typer.Option(help="Compare every key afterwards, and audit.")] = True,
) -> None:
    """Measure how long the stock ledger takes to be made again from Kafka."""
    places = [f"bench-{number}" for number in range(warehouses)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orderfleet-bench-")))
        broker, server = stack.enter_context(Broker(folder)), stack.enter_context(RedisServer(folder))
        create_topics(
            broker.address, wanted_topics(channels=(), warehouses=places, partitions=PARTITIONS, replication=1)
        )
        began = time.perf_counter()
        written = write_history(broker.address, places, skus, events)
        _tell("history written", time.perf_counter() - began, ", ".join(f"{n:,} {what}" for what, n in written.items()))
        told = {**os.environ, "ORDERFLEET_KAFKA": broker.address, "ORDERFLEET_REDIS_URL": server.url}
        _run(("rebuild", "--json"), told)
        for words in (("rebuild", "--dry-run"), ("audit", "--json")) if check else ():
            _run(words, told)


def write_history(brokers: str, warehouses: list[str], skus: int, events: int) -> Counter[str]:
    """Write at least so many inventory events and the orders they belong to. Records by topic."""
    producer, history = PlainProducer(brokers), History(warehouses, skus, datetime.now(UTC) - timedelta(hours=6))
    encode, written = Encoder([INVENTORY_EVENTS, ORDERS_PLANNED, ORDERS_ROUTED]), Counter[str]()
    batch = [encode(event) for event in history.counts()]
    while batch:
        written.update(record.topic.partition(".bench")[0] for record in batch)
        producer.send(batch)
        producer.confirm()
        more = written[INVENTORY_EVENTS.name] < events
        batch = [encode(made) for _ in range(_BATCH) for made in history.order()] if more else []
    _as_if_reserved(brokers)
    return written


def _as_if_reserved(brokers: str) -> None:
    """Let the reserve stage's group have read all."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": reserve_group()})
    ends = ends_of(consumer, [(ORDERS_PLANNED.name, number) for number in range(PARTITIONS)], 10)
    consumer.commit(offsets=[TopicPartition(*place, end) for place, end in ends.items()], asynchronous=False)
    consumer.close()


def _run(words: tuple[str, ...], told: dict[str, str]) -> None:
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "ops.cli", "stock", *words], env=told, stdout=subprocess.PIPE)
    watched, peak, worked = psutil.Process(process.pid), 0, 0.0
    with suppress(psutil.NoSuchProcess):
        while process.poll() is None:
            peak = max(peak, watched.memory_info().rss)
            worked = sum(watched.cpu_times()[:2])
            time.sleep(0.05)
    process.wait()
    assert process.stdout is not None
    said = process.stdout.read()
    _tell(f"stock {' '.join(words)}", time.perf_counter() - began, f"{worked:.1f} s of a core, {peak >> 20:,} MiB")
    if process.returncode:
        typer.echo(said.decode()[-2000:])
        raise typer.Exit(1)
    if words == ("rebuild", "--json"):
        typer.echo(f"{'':28}{orjson.dumps(orjson.loads(said)).decode()[:400]}")


def _tell(what: str, seconds: float, more: str) -> None:
    typer.echo(f"{what:28}{seconds:8.1f} s   {more}")


if __name__ == "__main__":
    typer.run(rebuild)
