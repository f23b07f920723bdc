"""Small helpers around a real broker: make topics, put records, read what is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import count

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

_numbers = count(1)


def unique(name: str) -> str:
    """A name nobody else uses in this test session."""
    return f"{name}-{next(_numbers)}-{time.monotonic_ns()}"


def create_topics(address: str, names: Sequence[str], partitions: int = 4, replication: int = 1) -> None:
    """Create topics and wait for them."""
    admin = AdminClient({"bootstrap.servers": address})
    for future in admin.create_topics([NewTopic(name, partitions, replication) for name in names]).values():
        future.result(10)


def put(address: str, topic: str, records: Iterable[tuple[bytes, bytes]]) -> None:
    """Write records and wait for their confirmation."""
    producer = Producer({"bootstrap.servers": address, "partitioner": "murmur2_random", "linger.ms": 5})
    for key, value in records:
        producer.produce(topic, value, key)
        producer.poll(0)
    assert producer.flush(30) == 0


class EarlyEnd:
    """What librdkafka says of a partition whose new leader does not know yet how far it goes."""

    def __init__(self, topic: str, partition: int) -> None:
        self._place = topic, partition

    def topic(self) -> str:
        return self._place[0]

    def partition(self) -> int:
        return self._place[1]

    def offset(self) -> int:
        return 0

    def error(self) -> KafkaError:
        return KafkaError(KafkaError._PARTITION_EOF)


class TopicReader:
    """Reads whole topics from the beginning, without a group."""

    def __init__(self, address: str, topics: Sequence[str], partitions: int = 4) -> None:
        self._consumer = Consumer(
            {"bootstrap.servers": address, "group.id": unique("reader"), "enable.auto.commit": False}
        )
        self._consumer.assign([TopicPartition(t, p, 0) for t in topics for p in range(partitions)])
        self.messages: list[Message] = []

    def until(self, enough: Callable[[list[Message]], bool], seconds: float = 30) -> list[Message]:
        """Read on until `enough` says so. Fails the test at the deadline."""
        deadline = time.monotonic() + seconds
        while not enough(self.messages):
            assert time.monotonic() < deadline, f"not enough after {seconds} s: {len(self.messages)} messages"
            self.messages.extend(m for m in self._consumer.consume(2000, 0.2) if m.error() is None)
        return self.messages

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()


def wait_until(true: Callable[[], bool], seconds: float = 30, what: str = "the condition") -> None:
    """Poll until a condition holds. Fails the test at the deadline."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} did not hold within {seconds} s"
        time.sleep(0.02)
