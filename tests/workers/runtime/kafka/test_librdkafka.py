"""A reader and a writer on a real broker: whatever happens to the client inside, nothing is left out or reordered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message, TopicPartition

from ops.testbed.local_stack.broker import Broker
from tests.kafka import TopicReader, create_topics, put, unique, wait_until
from workers.runtime.kafka.librdkafka import Reader, Writer


@pytest.fixture
def topic(broker: Broker) -> str:
    """Two partitions, nothing in them."""
    name = unique("read")
    create_topics(broker.address, [name], partitions=2)
    return name


@pytest.fixture
def reader(broker: Broker, topic: str) -> Iterator[Reader]:
    """Looks at every tenth read for partitions that are silent: to its clock, a read takes 0.3 seconds."""
    clock = count(0, 0.3)
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


class Mute:
    """A client that has stopped to fetch, and takes everything it is told."""

    def __init__(self) -> None:
        self.asked: list[TopicPartition] = []
        self.closed = False

    def consume(self, _most: int, _seconds: float) -> list[Message]:
        return []

    def incremental_unassign(self, places: list[TopicPartition]) -> None:
        """Nothing it does is seen."""

    def incremental_assign(self, places: list[TopicPartition]) -> None:
        self.asked = places

    def close(self) -> None:
        self.closed = True


def test_a_client_that_has_stopped_to_fetch_is_asked_once_more_and_then_replaced(
    broker: Broker, topic: str, reader: Reader
) -> None:
    put(broker.address, topic, [(b"same", b"before")])
    taken = Taken(reader)
    taken.until(lambda it: it.values == [b"before"] and len(reader.positions) == 2)
    reader._consumer.close()
    mute: Any = Mute()
    reader._consumer = mute
    put(broker.address, topic, [(b"same", b"after")])

    taken.until(lambda it: len(it.values) >= 2)

    assert taken.values == [b"before", b"after"]
    assert mute.closed
    assert sorted(place.offset for place in mute.asked) == [0, 1]


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


Report = Callable[[KafkaError | None, Message], None]


class Silent:
    """A client that takes everything and confirms nothing, or says one error of it all."""

    def __init__(self, error: KafkaError | None = None) -> None:
        self._error = error
        self._reports: list[Report] = []
        self.purged = False

    def produce(self, *_: Any, on_delivery: Report, **_others: Any) -> None:
        if self.purged:
            raise AssertionError("it was let go")
        self._reports.append(on_delivery)

    def poll(self, _seconds: float) -> None:
        self._say(self._error)

    def purge(self) -> None:
        self.purged = True

    def flush(self, _seconds: float) -> None:
        self._say(KafkaError(KafkaError._PURGE_QUEUE))

    def _say(self, error: KafkaError | None) -> None:
        reports = self._reports if error is not None else []
        self._reports = [] if error is not None else self._reports
        for report in reports:
            nothing: Any = None
            report(error, nothing)


class Sent:
    """What a writer reported, by value."""

    def __init__(self, writer: Writer, topic: str) -> None:
        self._writer, self._topic = writer, topic
        self.reports: list[tuple[bytes, int | None]] = []

    def send(self, value: bytes) -> None:
        def told(error: KafkaError | None, _: Message) -> None:
            self.reports.append((value, error.code() if error is not None else None))

        self._writer.send(self._topic, b"same", value, [], told)


def values(broker: Broker, topic: str, count: int) -> list[bytes | None]:
    """The first so many that stand in the topic."""
    reader = TopicReader(broker.address, [topic], partitions=2)
    try:
        return [message.value() for message in reader.until(lambda came: len(came) >= count)]
    finally:
        reader.close()


def writer_of(broker: Broker, step: float) -> Writer:
    """To its clock, so many seconds go by at each look."""
    clock = count(0, step)
    return Writer({"bootstrap.servers": broker.address, "linger.ms": 2}, clock=lambda: float(next(clock)))


def test_what_is_sent_is_confirmed_once_and_in_order(broker: Broker, topic: str) -> None:
    writer = writer_of(broker, 0.01)
    sent = Sent(writer, topic)
    wanted = [b"%d" % number for number in range(300)]
    for value in wanted:
        sent.send(value)

    assert writer.flush(30) == 0
    assert sent.reports == [(value, None) for value in wanted]
    assert values(broker, topic, 300) == wanted


@pytest.mark.parametrize("error", [None, KafkaError(KafkaError._MSG_TIMED_OUT), KafkaError(KafkaError._FATAL)], ids=str)
def test_a_client_that_delivers_nothing_any_more_is_replaced_and_nothing_is_left_out(
    broker: Broker, topic: str, error: KafkaError | None
) -> None:
    writer = writer_of(broker, 0.3)
    sent = Sent(writer, topic)
    silent: Any = Silent(error)
    writer._client = silent
    wanted = [b"first", b"second", b"third"]
    for value in wanted:
        sent.send(value)

    wait_until(lambda: writer.flush(3) == 0, what="all confirmed")

    assert silent.purged
    assert sent.reports == [(value, None) for value in wanted]
    assert values(broker, topic, 3)[:3] == wanted


def test_what_kafka_refuses_is_told_and_not_sent_again(broker: Broker, topic: str) -> None:
    writer = writer_of(broker, 0.01)
    sent = Sent(writer, topic)
    before = writer._client
    refused: Any = Silent(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    writer._client = refused
    sent.send(b"refused")
    writer.poll(0)
    writer._client = before
    sent.send(b"taken")

    assert writer.flush(30) == 0
    assert sent.reports == [(b"refused", KafkaError.TOPIC_AUTHORIZATION_FAILED), (b"taken", None)]
