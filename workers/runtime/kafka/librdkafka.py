"""Clients on librdkafka that outlive their brokers: a reader that keeps its place, a writer that does not give up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

log = logging.getLogger(__name__)

STEADY: Final = {"metadata.recovery.strategy": "none"}
"""Keep what is known of the brokers while none of them answers.

librdkafka 2.10 and later otherwise begins anew from the bootstrap addresses whenever no broker is connected: many times
a second while the only one restarts, and it may not deliver for minutes after that.
"""

CONFIRMED: Final = {
    "enable.idempotence": True,
    "acks": "all",
    "max.in.flight.requests.per.connection": 1,
    "partitioner": "murmur2_random",  # as the Java clients and aiokafka hash keys
}
"""A delivery report that can be believed, and records in order.

With more than one request on its way, a broker that refuses the first and takes the second makes librdkafka report both
as delivered (ops/docs/decisions/0010). One alone is as fast: a broker answers the requests of a connection one by one.
"""

_HOPELESS: Final = (KafkaError._MSG_TIMED_OUT, KafkaError._FATAL)

Partition = tuple[str, int]  # topic, number


def is_hopeless(error: KafkaError) -> bool:
    """Whether the producer that says so may never deliver anything again, even when the broker is long back."""
    return error.fatal() or error.code() in _HOPELESS


def is_stored(message: Message) -> bool:
    """Whether a record that was reported as delivered has a place in its topic: see ops/docs/decisions/0010."""
    offset = message.offset()
    return offset is not None and offset >= 0


def ends_of(consumer: Consumer, partitions: Iterable[Partition], seconds: float) -> dict[Partition, int]:
    """One past the last record of each, as its leader knows it. Raises KafkaException.

    Reading may find an end before that one: a broker that has just begun to lead a partition does not yet know how far
    it goes. Asked for the end, it says so, and is asked again.
    """
    found = {}
    for partition in partitions:
        marks = consumer.get_watermark_offsets(TopicPartition(*partition), timeout=seconds)
        if marks is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{partition[0]}/{partition[1]}: no end is told"))
        found[partition] = marks[1]
    return found


_SILENT_SECONDS: Final = 3.0
_STUCK_SECONDS: Final = 10.0


class Reader:
    """Reads partitions, from their beginning or a given place, in no group, and skips nothing.

    It remembers by itself what comes next.

    When a broker dies and comes back, librdkafka may take a partition for truncated and go on at one of its ends, or
    stop to fetch it without a word and for good. Here, a partition of which nothing came for some seconds is asked for
    again at the record that comes next; that costs no request where nothing is new. Where not even its end is told
    then, a new client takes over.
    """

    def __init__(self, config: Mapping[str, Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._config = {
            **STEADY,
            **config,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
        }
        self._consumer = Consumer(self._config, logger=log)
        self._clock = clock
        self._checked = clock()
        self._heard: set[Partition] = set()  # since the last check
        self._asked: set[Partition] = set()  # at the last check, because they were silent
        self._misplaced: set[Partition] = set()  # a place was lost, and nothing came since
        self._next: dict[Partition, int] = {}  # the offset of the record that comes next

    @property
    def positions(self) -> dict[Partition, int]:
        """The offset of the record that comes next, for each partition of which anything was heard."""
        return {partition: offset for partition, offset in self._next.items() if offset >= 0}

    def partitions_of(self, topic: str, seconds: float) -> int:
        """How many; 0 when there is no such topic. Raises KafkaException."""
        found = self._consumer.list_topics(timeout=seconds).topics.get(topic)
        return len(found.partitions) if found is not None else 0

    def partitions(self, seconds: float) -> dict[str, int]:
        """How many each topic has. Raises KafkaException."""
        return {name: len(each.partitions) for name, each in self._consumer.list_topics(timeout=seconds).topics.items()}

    def topics(self, seconds: float) -> list[str]:
        """All there are. Raises KafkaException."""
        return sorted(self._consumer.list_topics(timeout=seconds).topics)

    def ends(self, partitions: Iterable[Partition], seconds: float) -> dict[Partition, int]:
        """One past the last record of each: see `ends_of`. Raises KafkaException."""
        return ends_of(self._consumer, partitions, seconds)

    def known_ends(self) -> dict[Partition, int]:
        """One past the last record of each, as the brokers said when they last sent records: costs no request."""
        found = {}
        for partition in self._next:
            marks = self._consumer.get_watermark_offsets(TopicPartition(*partition), cached=True)
            if marks is not None and marks[1] >= 0:
                found[partition] = marks[1]
        return found

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Read these from their beginning, and none else. Raises KafkaException."""
        self.assign_at(dict.fromkeys(partitions, OFFSET_BEGINNING))

    def assign_at(self, places: Mapping[Partition, int]) -> None:
        """Read these, each from the offset of the record that comes next, and none else. Raises KafkaException."""
        self._next = dict(places)
        self._misplaced.clear()
        self._asked.clear()
        self._consumer.assign(self._places(self._next))
        self._check_later()

    def read(self, most: int, seconds: float) -> list[Message]:
        """What came: records, errors, and now and then where a partition ends (_PARTITION_EOF). Raises KafkaException.

        An error _AUTO_OFFSET_RESET says that the record that comes next is no longer there.
        """
        messages = [each for each in self._consumer.consume(most, seconds) if self._note(each)]
        if self._clock() - self._checked > _SILENT_SECONDS:
            self._ask_again()
        return messages

    def _note(self, message: Message) -> bool:
        """Remember how far it came. False for what is of no interest to whoever reads."""
        partition, offset = (message.topic() or "", message.partition() or 0), message.offset() or 0
        error = message.error()
        if error is None:
            self._next[partition] = offset + 1
        elif error.code() == KafkaError._PARTITION_EOF:
            self._next[partition] = offset
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            log.warning("%s/%d: lost its place at %d: %s", *partition, self._next[partition], error.str())
            return self._is_gone(partition)
        else:
            return True
        self._heard.add(partition)
        self._misplaced.discard(partition)
        return True

    def _is_gone(self, partition: Partition) -> bool:
        """The first time it may be a mistake: it is asked for again."""
        gone = partition in self._misplaced
        self._misplaced.add(partition)
        return gone

    def _ask_again(self) -> None:
        silent = self._next.keys() - self._heard
        if stuck := silent & self._asked:
            self._begin_anew(stuck)
        elif silent:
            places = self._places(silent)
            self._consumer.incremental_unassign(places)
            self._consumer.incremental_assign(places)
        self._asked = silent
        self._check_later()

    def _begin_anew(self, stuck: Collection[Partition]) -> None:
        """Whoever asks for a partition is told of a record or of its end, unless its broker is away."""
        log.info(
            "nothing is heard of %d partitions, such as %s/%d: reading on with a new client", len(stuck), *min(stuck)
        )
        self._consumer.close()
        self._consumer = Consumer(self._config, logger=log)
        self._consumer.assign(self._places(self._next))

    def _check_later(self) -> None:
        self._heard.clear()
        self._checked = self._clock()

    def _places(self, partitions: Iterable[Partition]) -> list[TopicPartition]:
        return [TopicPartition(*each, self._next[each]) for each in partitions]

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()


class _Unconfirmed(NamedTuple):
    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    report: Callable[[KafkaError | None, Message], None]


class Writer:
    """Sends records and keeps each until it is confirmed or refused, however long the broker is away. One thread's.

    When a broker comes back, librdkafka may go on delivering nothing. Here, a client that confirmed nothing for ten
    seconds is replaced, and what is not confirmed is sent again, in order: a record may stand there twice.
    """

    def __init__(self, config: Mapping[str, Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._config = {**STEADY, **CONFIRMED, **config}
        self._clock = clock
        self._unconfirmed: dict[int, _Unconfirmed] = {}  # oldest first
        self._sent = 0
        self._heard = clock()  # when something was confirmed, or nothing was waited for
        self._hopeless = False
        self._client = Producer(self._config, logger=log)

    def send(
        self,
        topic: str,
        key: bytes,
        value: bytes,
        headers: Sequence[tuple[str, bytes]],
        report: Callable[[KafkaError | None, Message], None],
    ) -> None:
        """Take it and return. `report` is called once, by `poll` or `flush`: with an error when Kafka refuses it."""
        if not self._unconfirmed:
            self._heard = self._clock()
        self._sent += 1
        self._unconfirmed[self._sent] = _Unconfirmed(topic, key, value, headers, report)
        self._produce(self._client, self._sent)

    def poll(self, seconds: float) -> None:
        """Hear what became of what was sent, waiting at most so long for the first of it."""
        self._client.poll(seconds)
        if self._unconfirmed and (self._hopeless or self._clock() - self._heard > _STUCK_SECONDS):
            self._begin_anew()

    def flush(self, seconds: float) -> int:
        """Wait at most so long until all is confirmed. How many are not."""
        deadline = self._clock() + seconds
        while self._unconfirmed and (left := deadline - self._clock()) > 0:
            self.poll(min(left, 0.1))
        return len(self._unconfirmed)

    def _produce(self, client: Producer, number: int) -> None:
        def reported(error: KafkaError | None, message: Message) -> None:
            if client is self._client:
                self._hear(number, error, message)

        record = self._unconfirmed[number]
        while True:
            try:
                client.produce(
                    record.topic, record.value, record.key, headers=list(record.headers), on_delivery=reported
                )
            except BufferError:
                client.poll(0.05)
            except KafkaException as error:  # after a fatal error it takes nothing more
                self._hopeless = True
                log.info("a record for %s is kept for a new client: %s", record.topic, error)
                return
            else:
                return

    def _hear(self, number: int, error: KafkaError | None, message: Message) -> None:
        if not is_stored(message) if error is None else is_hopeless(error):
            self._hopeless = True
            return
        self._heard = self._clock()
        self._unconfirmed.pop(number).report(error, message)

    def _begin_anew(self) -> None:
        log.info("%d records were not confirmed in time: sending them again with a new client", len(self._unconfirmed))
        old, self._client = self._client, Producer(self._config, logger=log)
        old.purge()
        old.flush(1)  # what it still reports is of no interest: all is sent again
        self._heard, self._hopeless = self._clock(), False
        for number in list(self._unconfirmed):
            self._produce(self._client, number)
