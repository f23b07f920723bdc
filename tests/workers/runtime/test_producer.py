"""A client of librdkafka that has gone wrong for good is replaced: no batch but the first waits for it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError

from ops.local_stack.broker import Broker
from tests.kafka import TopicReader, create_topics, unique
from workers.runtime.errors import TransientError
from workers.runtime.producer import Producer, Record

Report = Callable[[KafkaError | None, Any], None]


class Nowhere:
    """A record of which librdkafka does not know where it stands."""

    def offset(self) -> None:
        return None


class Failing:
    """In place of librdkafka: takes all records and confirms none."""

    def __init__(self, error: KafkaError | None) -> None:
        self._error = error
        self.purged = 0

    def produce(self, *_: Any, on_delivery: Report, **_others: Any) -> None:
        on_delivery(self._error, Nowhere())

    def poll(self, seconds: float) -> None:
        time.sleep(seconds)  # as librdkafka does when there is nothing to report

    def flush(self, _seconds: float) -> None:
        """Nothing is under way."""

    def purge(self) -> None:
        self.purged += 1


@pytest.fixture
async def producer(broker: Broker) -> AsyncIterator[Producer]:
    made = Producer(broker.address)
    made.start()
    yield made
    await made.close()


@pytest.fixture
def topic(broker: Broker) -> str:
    name = unique("sent")
    create_topics(broker.address, [name], partitions=1)
    return name


def failing(producer: Producer, error: KafkaError | None) -> Any:
    """From now on its client fails so."""
    assert producer._client is not None
    client: Any = Failing(error)
    producer._client.kafka = client
    return client


def record(topic: str, value: bytes) -> Record:
    return Record(topic, b"key", value, [])


@pytest.mark.parametrize(
    "error",
    [
        KafkaError(KafkaError._MSG_TIMED_OUT),
        KafkaError(KafkaError._FATAL),
        KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "numbering", fatal=True),
        None,
    ],
    ids=["timed out", "after a fatal error", "fatal", "delivered, but nowhere"],
)
async def test_after_a_batch_that_got_nowhere_the_next_one_goes_out_through_a_new_client(
    broker: Broker, producer: Producer, topic: str, error: KafkaError | None
) -> None:
    gone_wrong = failing(producer, error)

    with pytest.raises(TransientError, match="did not confirm"):
        await producer.send([record(topic, b"first")])
    await producer.send([record(topic, b"first")])

    assert gone_wrong.purged == 1
    reader = TopicReader(broker.address, [topic], partitions=1)
    assert [message.value() for message in reader.until(bool)] == [b"first"]
    reader.close()


async def test_a_record_that_is_refused_does_not_cost_the_client(producer: Producer, topic: str) -> None:
    await producer.send([record(topic, b"small")])
    before = producer._client

    with pytest.raises(TransientError, match="too large"):
        await producer.send([record(topic, bytes(21 << 20))])

    assert producer._client is before


async def test_a_batch_that_waits_for_room_in_a_client_that_is_dropped_is_told_so(
    producer: Producer, topic: str
) -> None:
    assert producer._client is not None
    producer._client.dropped = True

    with pytest.raises(TransientError, match="Purged"):
        await producer.send([record(topic, b"late")])
