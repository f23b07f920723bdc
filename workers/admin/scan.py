"""Finding the records of one order in topics, without a consumer group and without changing anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Cluster, Kafka
from workers.runtime.kafka.librdkafka import ends_of
from workers.runtime.kafka.partitioning import partition_of
from workers.runtime.table import group_id

ANSWER_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 20.0
"""With no record and no end of a partition for this long, the broker is taken to be away."""

_SETTLE_SECONDS: Final = 0.2
_LATE_SECONDS: Final = 1.0
_BATCH: Final = 2000


@dataclass(frozen=True, slots=True)
class Found:
    """A record, and where it stands."""

    topic: str
    partition: int
    offset: int
    at: datetime
    key: bytes
    value: bytes

    @property
    def place(self) -> str:
        """`orders.planned/3@120`: topic, partition, offset."""
        return f"{self.topic}/{self.partition}@{self.offset}"


class Topics:
    """Reads topics of one Kafka. Use as a context manager; raises TransientError when Kafka is away."""

    def __init__(self, kafka: Kafka) -> None:
        self._cluster = Cluster.of(kafka)
        self._consumer = Consumer(
            {
                **self._cluster.for_librdkafka(),
                "group.id": group_id("cli"),  # demanded by the library; with assign() no group is joined
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "allow.auto.create.topics": False,
                "fetch.wait.max.ms": 20,
                "log_level": 0,
            }
        )
        self.partitions: Mapping[str, int] = {}

    def __enter__(self) -> Topics:
        try:
            topics = self._consumer.list_topics(timeout=ANSWER_SECONDS).topics
        except KafkaException as error:
            self._consumer.close()
            raise TransientError(error.args[0].str()) from error
        self.partitions = {name: len(topic.partitions) for name, topic in topics.items() if topic.partitions}
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def having_key(self, key: str, topics: Sequence[str], since: datetime | None = None) -> Iterator[Found]:
        """Every record of this key: reads only the partition of the key. Topics that do not exist hold nothing."""
        wanted = key.encode()
        places = [(name, partition_of(wanted, self.partitions[name])) for name in topics if name in self.partitions]
        return self._read(places, lambda found: found == wanted, since)

    def matching(self, matches: Callable[[bytes], bool], topic: str, since: datetime | None = None) -> Iterator[Found]:
        """Every record whose key matches: reads the whole topic."""
        return self._read([(topic, number) for number in range(self.partitions.get(topic, 0))], matches, since)

    def at(self, topic: str, partition: int, offset: int) -> Message | None:
        """The record that stands there; None where none stands any more."""
        if not 0 <= partition < self.partitions.get(topic, 0) or offset < 0:
            return None
        try:
            first, end = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_SECONDS)
            if not first <= offset < end:
                return None
            self._consumer.assign([TopicPartition(topic, partition, offset)])
            return self._next_from(offset)
        except KafkaException as error:
            raise TransientError(error.args[0].str()) from error
        finally:
            self._consumer.unassign()

    def _next_from(self, offset: int) -> Message | None:
        deadline = time.monotonic() + SILENCE_SECONDS
        while time.monotonic() < deadline:
            message = self._consumer.poll(_SETTLE_SECONDS)
            if message is None:
                continue
            error = message.error()
            if error is None:
                return message if message.offset() == offset else None
            if error.code() == KafkaError._PARTITION_EOF:
                return None
        raise TransientError(f"no answer for {SILENCE_SECONDS:g} s")

    def _read(
        self, places: Sequence[tuple[str, int]], matches: Callable[[bytes], bool], since: datetime | None
    ) -> Iterator[Found]:
        if not places:
            return
        least = int(since.timestamp() * 1000) if since else 0
        try:
            reading = _Reading(self._consumer, self._start(places, least))
            for message in reading.messages():
                key = message.key()
                if key is not None and matches(key) and message.timestamp()[1] >= least:
                    yield _found(message, key)
        except KafkaException as error:
            raise TransientError(error.args[0].str()) from error
        finally:
            self._consumer.unassign()

    def _start(self, places: Sequence[tuple[str, int]], least: int) -> list[TopicPartition]:
        if not least:
            return [TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in places]
        asked = [TopicPartition(topic, partition, least) for topic, partition in places]
        return list(self._consumer.offsets_for_times(asked, timeout=ANSWER_SECONDS))


class _Reading:
    """One pass over partitions, to where they ended when it began."""

    def __init__(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        self._consumer = consumer
        self._began = int(time.time() * 1000)
        self._ends = ends_of(consumer, [(place.topic, place.partition) for place in places], ANSWER_SECONDS)
        consumer.assign(places)

    def messages(self) -> Iterator[Message]:
        last_sign = time.monotonic()
        while self._ends:
            batch = self._consumer.consume(_BATCH, _SETTLE_SECONDS)
            if batch:
                last_sign = time.monotonic()
            elif time.monotonic() - last_sign > SILENCE_SECONDS:
                raise TransientError(f"no answer for {SILENCE_SECONDS:g} s")
            yield from self._records(batch)
        yield from self._late()

    def _late(self) -> Iterator[Message]:
        """The end that a broker tells may lie within its newest batch: take what is still on its way, for a moment."""
        deadline = time.monotonic() + _LATE_SECONDS
        while time.monotonic() < deadline and (batch := self._consumer.consume(_BATCH, _SETTLE_SECONDS)):
            yield from self._records(batch)

    def _records(self, batch: Sequence[Message]) -> Iterator[Message]:
        for message in batch:
            error = message.error()
            if error is None:
                self._note_progress(message)
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:
                self._note_end(message)
            elif error.fatal() or not error.retriable():
                raise KafkaException(error)

    def _note_end(self, message: Message) -> None:
        """An end that comes before the one the leader told of is none: it will be told again."""
        place = (message.topic() or "", message.partition() or 0)
        if (message.offset() or 0) >= self._ends.get(place, 0):
            self._ends.pop(place, None)

    def _note_progress(self, message: Message) -> None:
        """A partition that is written to faster than we read has no end: what came after we began is not awaited."""
        place = (message.topic() or "", message.partition() or 0)
        end = self._ends.get(place)
        if end is not None and message.offset() + 1 >= end and message.timestamp()[1] > self._began:
            del self._ends[place]


def _found(message: Message, key: bytes) -> Found:
    return Found(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        at=datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC),
        key=key,
        value=message.value() or b"",
    )
