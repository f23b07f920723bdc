"""A topic is read to its end, and an end that comes too early is not believed."""

from __future__ import annotations

from typing import Any

from confluent_kafka import Message

from ops.testbed.local_stack.broker import Broker
from tests.kafka import EarlyEnd, create_topics, put, unique
from workers.rebuild.event_log import TopicLog

VALUES = [b"%d" % number for number in range(200)]


def a_topic(broker: Broker, values: list[bytes]) -> str:
    topic = unique("inventory.events")
    create_topics(broker.address, [topic], partitions=2)
    put(broker.address, topic, [(value, value) for value in values])
    return topic


def test_everything_up_to_the_end_is_read(broker: Broker) -> None:
    taken: list[bytes | None] = []
    with TopicLog(broker.address, a_topic(broker, VALUES)) as log:
        log.read(lambda message: taken.append(message.value()))
    assert sorted(taken, key=lambda value: int(value or 0)) == VALUES


def test_an_end_that_comes_too_early_is_not_believed(broker: Broker) -> None:
    topic = a_topic(broker, VALUES)
    taken: list[bytes | None] = []
    with TopicLog(broker.address, topic) as log:
        read = log._reader.read
        early: list[Any] = [EarlyEnd(topic, 0), EarlyEnd(topic, 1)]

        def early_ends_first(most: int, seconds: float) -> list[Message]:
            came = [*early] or read(min(most, 10), seconds)
            early.clear()
            return came

        log._reader.read = early_ends_first  # type: ignore[method-assign]
        log.read(lambda message: taken.append(message.value()))
    assert len(taken) == len(VALUES)


def test_an_empty_topic_and_one_that_is_not_there_have_nothing(broker: Broker) -> None:
    taken: list[Message] = []
    for topic in (a_topic(broker, []), unique("not-there")):
        with TopicLog(broker.address, topic) as log:
            log.read(taken.append)
    assert taken == []
