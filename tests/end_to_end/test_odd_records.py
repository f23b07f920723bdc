"""Records of any kind on every topic that a worker reads: each becomes a dead letter, and the line goes on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from confluent_kafka import Message

from channel_adapters.registry import CHANNELS
from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.child import Child, fleet_environment, worker
from ops.testbed.local_stack.redis_server import RedisServer
from ops.testbed.simulators.catalogue import load_catalogue
from ops.testbed.torture.odd_records import put_odd, unreadable, wrapped
from ops.testbed.torture.plan import Size, plan_round
from ops.testbed.torture.rig import fleet_jobs, read_topics
from schemas.dead_letter import DeadLetter
from schemas.record import decode, encode
from schemas.topics import ORDERS_BACKORDERED, ORDERS_PLANNED, ORDERS_QUARANTINED
from tests.builders import a_planned_order, an_order
from tests.kafka import TopicReader
from workers.runtime.kafka.partitioning import partition_of
from workers.runtime.kafka.producer import Producer
from workers.runtime.kafka.records import Record
from workers.runtime.kafka.topics import create_topics, wanted_topics
from workers.runtime.settings import EXAMPLES

PARTITIONS = 2
SECONDS = 60


class Fleet:
    """One worker that reads all topics, on servers of its own."""

    def __init__(self, address: str, child: Child) -> None:
        self.address = address
        self._child = child
        self._pid = child.pid

    def read(self, topic: str, enough: Callable[[list[Message]], bool]) -> list[Message]:
        """All that stands in a topic, once it is enough."""
        reader = TopicReader(self.address, [topic], PARTITIONS)
        try:
            return reader.until(enough, SECONDS)
        finally:
            reader.close()

    async def send(self, records: Sequence[Record]) -> None:
        """Put sound records in."""
        producer = Producer(self.address)
        producer.start()
        await producer.send(records)
        await producer.close()

    @property
    def unharmed(self) -> bool:
        """Whether its process is the one that was started."""
        return self._child.running and self._child.pid == self._pid


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = Path(tmp_path_factory.mktemp("odd"))
    with Broker(folder) as broker, RedisServer(folder) as redis:
        wanted = wanted_topics(channels=tuple(CHANNELS), warehouses=["hangzhou"], partitions=PARTITIONS, replication=1)
        create_topics(broker.address, wanted)
        told = {"ORDERFLEET_SESSION_SECONDS": "2", "ORDERFLEET_LOG_LEVEL": "WARNING"}
        environment = fleet_environment(broker.address, redis.url, PARTITIONS, told)
        child = worker("worker", fleet_jobs()[0], folder, environment)
        child.start()
        try:
            child.wait_ready()
            yield Fleet(broker.address, child)
        finally:
            child.stop()


def letter(message: Message) -> DeadLetter:
    return decode(DeadLetter, message.value() or b"")


async def test_each_is_set_aside_once_and_what_comes_after_is_processed(fleet: Fleet) -> None:
    odd, topics = unreadable(b"taobao:tea-house:1"), read_topics()
    for topic in topics:
        for partition in range(PARTITIONS):
            await put_odd(fleet.address, topic, partition, odd)

    came = fleet.read(ORDERS_QUARANTINED.name, lambda came: len(came) >= len(topics) * PARTITIONS * len(odd))

    places = [(each.topic, each.partition, each.offset) for each in map(letter, came)]
    assert len(set(places)) == len(places)
    # Not which offsets: between those on `notices` stand the notices about the others.
    assert Counter((t, p) for t, p, _ in places) == {(t, p): len(odd) for t in topics for p in range(PARTITIONS)}
    assert fleet.unharmed

    catalogue = load_catalogue(EXAMPLES / "catalogue.yaml")
    sound = plan_round(7, Size(orders=40, faults=0, seconds=1), (), catalogue, ["hangzhou"], int(time.time()))
    await fleet.send([feed.record for feed in sound.feeds])
    uids = {feed.record.key for feed in sound.feeds}
    whole = {expected.uid.encode() for expected in sound.truth if "quarantined" not in expected.places} & uids
    assert len(whole) > 30
    fleet.read(ORDERS_PLANNED.name, lambda came: whole <= {message.key() for message in came})
    assert fleet.unharmed


async def test_odd_headers_around_a_sound_value_keep_nobody_from_reading_it(fleet: Fleet) -> None:
    for number, record in enumerate(wrapped(b"", b"")):
        order = an_order(f"wrapped-{number}")
        [odd] = [
            each for each in wrapped(order.uid.encode(), encode(a_planned_order(order))) if each.name == record.name
        ]
        await put_odd(fleet.address, ORDERS_PLANNED.name, partition_of(order.uid.encode(), PARTITIONS), [odd])
    keys = {an_order(f"wrapped-{number}").uid.encode() for number in range(len(wrapped(b"", b"")))}
    fleet.read(ORDERS_BACKORDERED.name, lambda came: keys <= {message.key() for message in came})
    assert fleet.unharmed
