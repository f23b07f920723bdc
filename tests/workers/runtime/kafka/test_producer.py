"""All that is sent is stored, in order and where its key belongs; a client that cannot go on is replaced."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from confluent_kafka import Message

from ops.testbed.local_stack.broker import Broker
from ops.testbed.torture.proxy import Proxy
from tests.kafka import TopicReader, create_topics, put, unique
from workers.runtime.errors import RecordsRefused, TransientError
from workers.runtime.kafka import producer as module
from workers.runtime.kafka.producer import Producer
from workers.runtime.kafka.records import Record

PARTITIONS = 8
PATIENCE = 30.0


@pytest.fixture
async def producer(broker: Broker) -> AsyncIterator[Producer]:
    made = Producer(broker.address)
    made.start()
    yield made
    await made.close()


@pytest.fixture
def topic(broker: Broker) -> str:
    name = unique("sent")
    create_topics(broker.address, [name], PARTITIONS)
    return name


@pytest.fixture
def way(broker: Broker) -> Iterator[Proxy]:
    """To the broker, for the first look for it; what comes after goes straight to where the broker says it is."""
    with Proxy(broker.port) as made:
        yield made


def read(broker: Broker, topic: str, count: int) -> list[Message]:
    """All that stands in a topic, at least so many."""
    reader = TopicReader(broker.address, [topic], PARTITIONS)
    try:
        return reader.until(lambda came: len(came) >= count)
    finally:
        reader.close()


def record(topic: str, number: int, value: bytes = b"") -> Record:
    key = b"taobao:shop:%d" % (number % 50)
    return Record(topic, key, value or b"%d" % number, [("dedupe", b"%d" % number), ("trace", b"")])


def values_by_key(messages: list[Message]) -> dict[bytes, list[int]]:
    found: dict[bytes, list[int]] = {}
    for message in messages:
        found.setdefault(message.key() or b"", []).append(int(message.value() or b"0"))
    return found


async def test_records_stand_where_other_clients_would_put_them_in_order_with_their_headers(
    broker: Broker, producer: Producer, topic: str
) -> None:
    await producer.send([record(topic, number) for number in range(500)])

    messages = read(broker, topic, 500)
    assert len(messages) == 500
    assert all(values == sorted(values) for values in values_by_key(messages).values())
    assert {tuple(each.headers() or ()) for each in messages} == {
        (("dedupe", b"%d" % number), ("trace", b"")) for number in range(500)
    }
    twin = unique("sent")
    create_topics(broker.address, [twin], PARTITIONS)
    put(broker.address, twin, [(record(twin, number).key, b"x") for number in range(50)])
    assert {m.key(): m.partition() for m in messages} == {m.key(): m.partition() for m in read(broker, twin, 50)}


async def test_several_senders_at_once_are_each_told_when_theirs_is_stored(
    broker: Broker, producer: Producer, topic: str
) -> None:
    async def sender(start: int) -> None:
        for number in range(start, start + 20):
            await producer.send([record(topic, number), record(topic, 1000 + number)])

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(sender(start) for start in range(0, 400, 20)))

    numbers = [int(message.value() or b"0") for message in read(broker, topic, 800)]
    assert sorted(numbers) == sorted([*range(400), *range(1000, 1400)])


async def test_more_than_a_request_holds_of_one_partition_is_stored_in_order(
    broker: Broker, producer: Producer, topic: str
) -> None:
    values = [b"%d" % number + bytes(400_000) for number in range(7)]

    await producer.send([record(topic, 1, value) for value in values])

    assert [message.value() for message in read(broker, topic, 7)] == values


async def test_what_nobody_takes_is_refused_and_costs_the_others_nothing(
    broker: Broker, producer: Producer, topic: str
) -> None:
    await producer.send([record(topic, 1)])
    before = producer._client

    with pytest.raises(RecordsRefused, match="MessageSizeTooLarge") as refusal:
        await producer.send([record(topic, 2), record(topic, 3, bytes(21 << 20)), record(topic, 4)])

    assert list(refusal.value.why) == [1]
    assert producer._client is before
    assert sorted(int(message.value() or b"0") for message in read(broker, topic, 3)) == [1, 2, 4]


async def test_a_broker_that_is_away_at_first_is_waited_for(broker: Broker, way: Proxy, topic: str) -> None:
    way.refuse()
    producer = Producer(f"127.0.0.1:{way.port}")
    producer.start()
    assert not await producer.reaches_kafka()
    sending = asyncio.create_task(producer.send([record(topic, 1)]))

    way.admit()

    async with asyncio.timeout(PATIENCE):
        await sending
        assert await producer.reaches_kafka()
    assert len(read(broker, topic, 1)) == 1
    await producer.close()


@pytest.mark.parametrize("turns", range(0, 240, 10))
async def test_one_that_is_closed_while_it_connects_leaves_nothing_open(broker: Broker, turns: int) -> None:
    """What is left open is told by a warning, and warnings are errors here."""
    producer = Producer(broker.address)
    producer.start()
    for _ in range(turns):
        await asyncio.sleep(0)

    await producer.close()

    del producer
    gc.collect()


async def test_a_connection_that_died_before_a_topic_was_heard_of_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic that is new to a client needs an answer that is not about records."""
    monkeypatch.setattr(module, "_ANSWER_MS", 300)
    with Proxy() as way, Broker(tmp_path, advertised=way.port) as broker:
        way.target = broker.port
        known, heard_of = unique("known"), unique("new")
        create_topics(broker.address, [known], PARTITIONS)
        producer = Producer(broker.address)
        producer.start()
        await producer.send([record(known, 1)])
        create_topics(broker.address, [heard_of], PARTITIONS)

        way.strand()

        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(TransientError):
                    await producer.send([record(heard_of, 1)])
                    break
        assert read(broker, heard_of, 1)
        await producer.close()


async def test_what_is_not_confirmed_in_time_is_left_to_the_sender_and_a_new_client(
    broker: Broker, way: Proxy, topic: str
) -> None:
    way.refuse()
    producer = Producer(f"127.0.0.1:{way.port}", delivery_timeout=0.2)
    producer.start()
    before = producer._client

    with pytest.raises(TransientError, match=r"within 0.2 s"):
        await producer.send([record(topic, 1)])
    assert producer._client is not before

    way.admit()
    producer._delivery_timeout = PATIENCE
    await producer.send([record(topic, 1)])
    assert len(read(broker, topic, 1)) == 1
    await producer.close()


async def test_a_client_whose_numbers_the_broker_does_not_accept_is_replaced(
    broker: Broker, producer: Producer, topic: str
) -> None:
    await producer.send([record(topic, number) for number in range(50)])
    client = producer._client
    assert client is not None
    for partition in range(PARTITIONS):
        client.kafka._txn_manager.increment_sequence_number(TopicPartition(topic, partition), 1000)

    with pytest.raises(TransientError, match="did not confirm"):
        await producer.send([record(topic, 50)])
    await producer.send([record(topic, 50)])

    assert producer._client is not client
    assert {int(message.value() or b"0") for message in read(broker, topic, 51)} == set(range(51))


async def test_whoever_waits_for_a_client_that_is_dropped_is_told_so(producer: Producer, topic: str) -> None:
    await producer.send([record(topic, 1)])
    client = producer._client
    assert client is not None
    sending = asyncio.create_task(producer.send([record(topic, 2)]))
    while not client.kafka._message_accumulator._batches:  # noqa: ASYNC110  # nobody tells
        await asyncio.sleep(0)

    producer._begin_anew(client)

    with pytest.raises(TransientError, match="given up"):
        await sending
    await producer.send([record(topic, 2)])
