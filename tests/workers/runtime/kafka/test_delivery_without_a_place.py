"""librdkafka calls a record delivered that is in no log (ops/docs/decisions/0010); neither of our two senders does.

Two requests for one partition are on their way, the broker refuses the first and takes the second: so answers one that
does not know the producer yet. librdkafka's own mock broker does that at will; it is inside the shared library.
"""

from __future__ import annotations

import ctypes
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import confluent_kafka
import pytest
from confluent_kafka import KafkaError, Message
from confluent_kafka import Producer as Librdkafka

from tests.kafka import TopicReader
from workers.runtime.kafka.librdkafka import Writer, is_stored
from workers.runtime.kafka.producer import Producer
from workers.runtime.kafka.records import Record

TOPIC = "t"
PRODUCE = 0  # the request's number in Kafka's protocol
A_REQUEST_EACH = 600_000  # bytes: of such records, librdkafka puts one into a request
VALUES = [b"first".ljust(A_REQUEST_EACH), b"second".ljust(A_REQUEST_EACH)]


class MockBroker:
    """The mock cluster of librdkafka, with one broker and one partition. See rdkafka_mock.h for its functions."""

    def __init__(self) -> None:
        folder = Path(confluent_kafka.__file__).parent.with_name("confluent_kafka.libs")
        self._kafka = ctypes.CDLL(str(next(folder.glob("librdkafka-*"))))
        self._kafka.rd_kafka_new.restype = ctypes.c_void_p
        self._kafka.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
        self._kafka.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        why = ctypes.create_string_buffer(512)
        self._client = ctypes.c_void_p(self._kafka.rd_kafka_new(0, None, why, len(why)))
        assert self._client, why.value
        self._cluster = ctypes.c_void_p(self._kafka.rd_kafka_mock_cluster_new(self._client, 1))
        assert not self._kafka.rd_kafka_mock_topic_create(self._cluster, TOPIC.encode(), 1, 1)
        self.address = self._kafka.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def refuse_the_first_and_take_the_second(self) -> None:
        """Of the next two requests to produce. The answers take long enough for both to be on their way."""
        answers = [KafkaError.NOT_LEADER_FOR_PARTITION, 1500, KafkaError.NO_ERROR, 1500]  # error, milliseconds, ...
        assert not self._kafka.rd_kafka_mock_broker_push_request_error_rtts(
            self._cluster, 1, ctypes.c_int16(PRODUCE), ctypes.c_size_t(2), *map(ctypes.c_int, answers)
        )

    def log(self, count: int) -> list[bytes | None]:
        """All that stands in the topic, at least so many."""
        reader = TopicReader(self.address, [TOPIC], partitions=1)
        try:
            return [message.value() for message in reader.until(lambda came: len(came) >= count)]
        finally:
            reader.close()

    def close(self) -> None:
        self._kafka.rd_kafka_mock_cluster_destroy(self._cluster)
        self._kafka.rd_kafka_destroy(self._client)


@pytest.fixture
def mock_broker() -> Iterator[MockBroker]:
    made = MockBroker()
    yield made
    made.close()


def test_librdkafka_itself_calls_a_record_delivered_that_is_nowhere(mock_broker: MockBroker) -> None:
    """When this goes red, the defect is mended: decision 0010 can be looked at again."""
    reports: list[tuple[KafkaError | None, bool]] = []
    mock_broker.refuse_the_first_and_take_the_second()
    client = Librdkafka({"bootstrap.servers": mock_broker.address, "enable.idempotence": True})

    def reported(error: KafkaError | None, message: Message) -> None:
        reports.append((error, is_stored(message)))

    for value in VALUES:
        client.produce(TOPIC, value, on_delivery=reported)

    assert client.flush(30) == 0
    assert reports == [(None, False), (None, True)]
    assert mock_broker.log(1) == VALUES[1:]


@pytest.fixture
async def producer(mock_broker: MockBroker) -> AsyncIterator[Producer]:
    made = Producer(mock_broker.address)
    yield made
    await made.close()


RECORDS = [Record(TOPIC, b"key", value, []) for value in VALUES]
SEVERAL = {"max.in.flight.requests.per.connection": 5}  # as librdkafka does when it is not told


async def test_the_workers_producer_stores_all_in_order(mock_broker: MockBroker, producer: Producer) -> None:
    producer.start()
    mock_broker.refuse_the_first_and_take_the_second()

    await producer.send(RECORDS)

    assert mock_broker.log(2) == VALUES


def sent_by_a_writer(mock_broker: MockBroker, settings: dict[str, int]) -> list[KafkaError | None]:
    """Send all values and wait until all are confirmed."""
    writer = Writer({"bootstrap.servers": mock_broker.address, **settings})
    mock_broker.refuse_the_first_and_take_the_second()
    confirmed: list[KafkaError | None] = []
    for value in VALUES:
        writer.send(TOPIC, b"key", value, [], lambda error, _: confirmed.append(error))
    assert writer.flush(30) == 0
    return confirmed


def test_the_writer_stores_all_in_order(mock_broker: MockBroker) -> None:
    assert sent_by_a_writer(mock_broker, {}) == [None, None]
    assert mock_broker.log(2) == VALUES


def test_were_it_told_more_than_there_is_the_writer_would_send_until_all_is_there(mock_broker: MockBroker) -> None:
    assert sent_by_a_writer(mock_broker, SEVERAL) == [None, None]
    stored = mock_broker.log(2)
    assert stored[0] == VALUES[1], "the mock broker refused nothing"
    assert set(stored) == set(VALUES)
