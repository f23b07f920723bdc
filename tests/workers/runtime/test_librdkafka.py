"""A reader on a real broker: whatever happens to its client inside, it delivers every record once and in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from ops.local_stack.broker import Broker
from tests.kafka import create_topics, put, unique, wait_until
from workers.runtime.librdkafka import Reader


@pytest.fixture
def topic(broker: Broker) -> str:
    """Two partitions, nothing in them."""
    name = unique("read")
    create_topics(broker.address, [name], partitions=2)
    return name


@pytest.fixture
def reader(broker: Broker, topic: str) -> Iterator[Reader]:
    """Looks at every read for partitions that are silent: to its clock, ten seconds have gone by."""
    clock = count(0, 10)
    made = Reader(
        {"bootstrap.servers": broker.address, "group.id": unique("reader"), "fetch.wait.max.ms": 20},
        clock=lambda: float(next(clock)),
    )
    made.assign([(topic, 0), (topic, 1)])
    yield made
    made.close()


class Taken:
    """What a reader gave."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.values: list[bytes] = []
        self.errors: list[int] = []

    def until(self, enough: Callable[[Taken], bool]) -> None:
        """Read on until it is enough. Fails at the deadline."""
        wait_until(lambda: self._read() and enough(self), what="enough read")

    def _read(self) -> bool:
        for message in self._reader.read(100, 0.05):
            error = message.error()
            if error is None:
                self.values.append(message.value() or b"")
            else:
                self.errors.append(error.code())
        return True


def test_everything_comes_once_and_the_places_are_known(broker: Broker, topic: str, reader: Reader) -> None:
    wanted = {b"%d" % number for number in range(200)}
    put(broker.address, topic, [(value, value) for value in sorted(wanted)])

    taken = Taken(reader)
    taken.until(lambda it: len(it.values) >= 200)

    assert sorted(taken.values) == sorted(wanted)
    assert sum(reader.positions.values()) == 200
    assert set(taken.errors) <= {KafkaError._PARTITION_EOF}


def test_a_partition_that_stands_still_at_a_wrong_place_is_read_on_from_the_right_one(
    broker: Broker, topic: str, reader: Reader
) -> None:
    put(broker.address, topic, [(b"same", b"before")])
    taken = Taken(reader)
    taken.until(lambda it: it.values == [b"before"] and len(reader.positions) == 2)

    for number in range(2):
        reader._consumer.seek(TopicPartition(topic, number, 999))  # where nothing ever comes
    put(broker.address, topic, [(b"same", b"after")])

    taken.until(lambda it: len(it.values) >= 2)
    assert taken.values == [b"before", b"after"]
    assert KafkaError._AUTO_OFFSET_RESET not in taken.errors


class LostPlace:
    """What a consumer says when the broker does not have the record that it asked for."""

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return -1001

    def error(self) -> KafkaError:
        return KafkaError(KafkaError._AUTO_OFFSET_RESET)


def test_a_lost_place_is_told_when_asking_again_does_not_help(broker: Broker, topic: str, reader: Reader) -> None:
    put(broker.address, topic, [(b"same", b"before")])
    taken = Taken(reader)
    taken.until(lambda it: it.values == [b"before"] and len(reader.positions) == 2)
    lost: Any = LostPlace(topic)

    assert not reader._note(lost)
    assert reader._note(lost)


def test_a_place_that_was_lost_and_found_counts_as_found(broker: Broker, topic: str, reader: Reader) -> None:
    lost: Any = LostPlace(topic)
    assert not reader._note(lost)

    taken = Taken(reader)
    taken.until(lambda it: len(reader.positions) == 2)

    assert not reader._note(lost)
