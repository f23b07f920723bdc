"""Finding one order's records in topics, on a real broker."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Message

from ops.testbed.local_stack.broker import Broker
from tests.kafka import EarlyEnd, TopicReader, create_topics, put, unique
from tests.ops.cli.conftest import nobody_listens
from workers.admin.scan import Topics
from workers.runtime.errors import TransientError
from workers.runtime.kafka.partitioning import partition_of

PARTITIONS = 6


def _records(count: int, keys: int) -> list[tuple[bytes, bytes]]:
    return [(f"taobao:main:{number % keys}".encode(), b"%d" % number) for number in range(count)]


def test_a_key_is_looked_for_where_the_producer_put_it(broker: Broker) -> None:
    topic = unique("scan")
    create_topics(broker.address, [topic], PARTITIONS)
    put(broker.address, topic, _records(300, keys=300))
    reader = TopicReader(broker.address, [topic], PARTITIONS)

    messages = reader.until(lambda seen: len(seen) == 300)
    reader.close()

    assert {m.partition() for m in messages} == set(range(PARTITIONS))
    for message in messages:
        key = message.key()
        assert isinstance(key, bytes)
        assert partition_of(key, PARTITIONS) == message.partition()


def test_every_record_of_a_key_is_found_in_its_order(broker: Broker) -> None:
    topic = unique("scan")
    create_topics(broker.address, [topic], PARTITIONS)
    put(broker.address, topic, _records(5000, keys=100))

    with Topics(broker.address) as topics:
        found = list(topics.having_key("taobao:main:7", [topic, "no.such.topic"]))

    assert [int(each.value) for each in found] == list(range(7, 5000, 100))
    assert {each.key for each in found} == {b"taobao:main:7"}
    assert [each.offset for each in found] == sorted(each.offset for each in found)
    assert found[0].place == f"{topic}/{found[0].partition}@{found[0].offset}"


def test_a_whole_topic_can_be_looked_through(broker: Broker) -> None:
    topic = unique("scan")
    create_topics(broker.address, [topic], PARTITIONS)
    put(broker.address, topic, _records(1000, keys=1000))

    with Topics(broker.address) as topics:
        found = {each.key for each in topics.matching(lambda key: key.endswith(b":77"), topic)}

    assert found == {b"taobao:main:77"}


def test_nothing_is_found_where_nothing_is(broker: Broker) -> None:
    topic = unique("scan")
    create_topics(broker.address, [topic], PARTITIONS)

    with Topics(broker.address) as topics:
        assert list(topics.having_key("taobao:main:1", [topic])) == []
        assert list(topics.having_key("taobao:main:1", [])) == []
        assert list(topics.matching(lambda _: True, "no.such.topic")) == []


def test_since_leaves_out_what_is_older(broker: Broker) -> None:
    topic = unique("scan")
    create_topics(broker.address, [topic], PARTITIONS)
    put(broker.address, topic, [(b"a", b"old")])
    time.sleep(0.005)  # timestamps are whole milliseconds
    between = datetime.now(UTC)
    put(broker.address, topic, [(b"a", b"new")])

    with Topics(broker.address) as topics:
        assert [each.value for each in topics.having_key("a", [topic], between)] == [b"new"]
        assert [each.value for each in topics.having_key("a", [topic])] == [b"old", b"new"]
        assert list(topics.having_key("a", [topic], datetime(2100, 1, 1, tzinfo=UTC))) == []


class TellsEarlyEnds:
    """A consumer that first says of each partition that it ends at its beginning, then nothing, then what is there."""

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer = consumer
        self._first: list[list[Any]] = [[EarlyEnd(topic, number) for number in range(PARTITIONS)], []]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    def consume(self, most: int, seconds: float) -> list[Message]:
        return self._first.pop(0) if self._first else self._consumer.consume(most, seconds)


def test_an_end_that_comes_too_early_is_not_believed(broker: Broker) -> None:
    topic = unique("scan")
    create_topics(broker.address, [topic], PARTITIONS)
    put(broker.address, topic, _records(600, keys=600))

    with Topics(broker.address) as topics:
        topics._consumer = TellsEarlyEnds(topics._consumer, topic)
        found = list(topics.matching(lambda _: True, topic))

    assert len(found) == 600


def test_looking_creates_no_topic(broker: Broker) -> None:
    name = unique("never-made")
    with Topics(broker.address) as topics:
        assert list(topics.having_key("a", [name])) == []
    with Topics(broker.address) as topics:
        assert name not in topics.partitions


def test_a_broker_that_is_away_is_a_transient_error() -> None:
    with pytest.raises(TransientError), Topics(nobody_listens()):
        pass


def test_a_broker_that_goes_away_while_we_read_is_a_transient_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.admin.scan.SILENCE_SECONDS", 1.0)
    with Broker(tmp_path) as own:
        create_topics(own.address, ["t"], 1)
        put(own.address, "t", [(b"a", b"x")])
        with Topics(own.address) as topics:
            own.stop()
            with pytest.raises(TransientError):
                list(topics.having_key("a", ["t"]))
