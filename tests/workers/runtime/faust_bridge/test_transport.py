"""What the chunk transport promises, shown on a real broker with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.process import spawn
from ops.testbed.torture.proxy import Proxy
from schemas.fulfillment import WmsEvent, WmsEventKind
from schemas.record import encode
from tests.kafka import TopicReader, create_topics, put, unique, wait_until

PARTITIONS = 4


def event(number: int, pause_ms: int = 0) -> tuple[bytes, bytes]:
    value = WmsEvent(
        message_id=str(number),
        kind=WmsEventKind.SHIPPED,
        order_uid=f"taobao:shop:{number}",
        warehouse_id="hangzhou",
        instruction_id="i",
        at=datetime(2026, 11, 11, tzinfo=UTC),
        reason=str(pause_ms or ""),
    )
    return value.order_uid.encode(), encode(value)


class Fleet:
    """Echo workers of one group between two topics."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self.inbound, self.outbound, self.group = unique("in"), unique("out"), unique("echo")
        self._folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        create_topics(address, [self.inbound, self.outbound, "orders.quarantined"][:2], PARTITIONS)
        self.reader = TopicReader(address, [self.outbound], PARTITIONS)

    def start(self) -> subprocess.Popen[bytes]:
        worker = self.launch(self.address)
        self.wait_for(b"ready")
        return worker

    def launch(self, address: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.workers.runtime.echo_worker"]
        log = self._folder / f"{len(self.workers)}.log"
        environment = {**os.environ, "TMPDIR": str(self._folder)}
        worker = spawn([*command, address, self.inbound, self.outbound, self.group], log=log, env=environment)
        self.workers.append(worker)
        return worker

    def wait_for(self, words: bytes) -> None:
        """Until the worker started last has said so."""
        log = self._folder / f"{len(self.workers) - 1}.log"
        wait_until(lambda: words in log.read_bytes(), 30, f"the worker's words {words!r}")

    def outputs(self, distinct: int, seconds: float = 60) -> Counter[bytes]:
        """Every output key with how often it came, once there are `distinct` of them."""
        messages = self.reader.until(lambda seen: len({m.key() for m in seen}) >= distinct, seconds)
        return Counter(key for m in messages if (key := m.key()) is not None)

    def committed(self) -> list[int]:
        """What the group has committed of the inbound topic, by partition; not positive = nothing."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": f"orderfleet-{self.group}"})
        offsets = consumer.committed([TopicPartition(self.inbound, p) for p in range(PARTITIONS)], timeout=10)
        consumer.close()
        return [offset.offset for offset in offsets]

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()
        self.reader.close()


@pytest.fixture
def fleet(broker: Broker, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(broker.address, tmp_path)
    yield fleet
    fleet.close()


def test_everything_is_delivered_once_and_committed_when_nothing_fails(fleet: Fleet) -> None:
    put(fleet.address, fleet.inbound, (event(n) for n in range(3000)))
    fleet.start()
    assert set(fleet.outputs(3000).values()) == {1}
    wait_until(lambda: sum(fleet.committed()) == 3000, 10, "the last commit")


def test_a_killed_worker_loses_nothing(fleet: Fleet) -> None:
    put(fleet.address, fleet.inbound, (event(n, pause_ms=20) for n in range(4000)))
    first = fleet.start()
    fleet.outputs(500)
    first.send_signal(signal.SIGKILL)
    fleet.start()
    assert len(fleet.outputs(4000)) == 4000


def test_a_slow_chunk_is_never_committed_past(fleet: Fleet) -> None:
    put(fleet.address, fleet.inbound, [event(0, pause_ms=60_000)])
    worker = fleet.start()
    put(fleet.address, fleet.inbound, (event(n) for n in range(1, 120)))
    fleet.outputs(60)
    wait_until(lambda: sum(offset > 0 for offset in fleet.committed()) == PARTITIONS - 1, 10, "the others' commits")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert sorted(fleet.committed())[0] <= 0


def test_a_worker_that_joins_and_one_that_leaves_repeat_nothing(fleet: Fleet) -> None:
    put(fleet.address, fleet.inbound, (event(n, pause_ms=10) for n in range(6000)))
    first = fleet.start()
    fleet.outputs(500)
    fleet.start()
    fleet.outputs(2500)
    first.terminate()
    assert set(fleet.outputs(6000).values()) == {1}
    assert first.wait(15) == 0


def test_a_worker_that_starts_while_the_broker_is_away_waits_for_it(fleet: Fleet) -> None:
    put(fleet.address, fleet.inbound, (event(n) for n in range(50)))
    with Proxy(int(fleet.address.rpartition(":")[2])) as way_to_the_broker:
        way_to_the_broker.refuse()
        worker = fleet.launch(f"127.0.0.1:{way_to_the_broker.port}")
        fleet.wait_for(b"no Kafka broker answers")
        way_to_the_broker.admit()
        assert len(fleet.outputs(50)) == 50
        assert worker.poll() is None


def test_a_worker_leaves_within_ten_seconds_of_sigterm_and_commits(fleet: Fleet) -> None:
    put(fleet.address, fleet.inbound, (event(n, pause_ms=300) for n in range(2000)))
    worker = fleet.start()
    fleet.outputs(50)
    worker.terminate()
    assert worker.wait(10) == 0
    assert sum(max(0, offset) for offset in fleet.committed()) >= len(fleet.outputs(50))
