"""Planned orders read again from where they stand in `orders.planned`: what the ledger knows by place, in full."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from pydantic import ValidationError

from schemas.namespace import prefixed
from schemas.plan import PlannedOrder
from schemas.record import decode
from schemas.topics import ORDERS_PLANNED
from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Cluster, Kafka
from workers.runtime.kafka.librdkafka import STEADY

log = logging.getLogger(__name__)

Place = tuple[int, int]  # partition, offset

_NEARBY: Final = 500  # records that are sooner read past than sought past
_PER_CALL: Final = 1000
_SILENCE: Final = 2.0  # seconds without a record, after which the ends of the partitions are asked for
_PAUSE: Final = 0.1
_AWAY: Final = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT)


class Archive(Protocol):
    """Where planned orders can be read again."""

    async def read(self, places: Sequence[Place]) -> list[PlannedOrder | None]:
        """The planned orders at these places of `orders.planned`, in their order; None where none stands any more."""
        ...


class PlannedArchive:
    """Reads single records by partition and offset. It joins no group and commits nothing.

    It connects when it is first read; `close` lets go. Memory: one batch, and what Kafka sends around its records.
    `patience_seconds`: how long one batch may take. A place beyond the end of its partition is believed to be one only
    after a third of it: whoever asks has been told of the record, and a broker that has just begun to lead a partition
    may not know yet how far it goes.
    """

    def __init__(self, kafka: Kafka, *, topic: str = "", patience_seconds: float = 30) -> None:
        self._config: dict[str, Any] = {
            **STEADY,
            **Cluster.of(kafka).for_librdkafka(),
            "group.id": prefixed("orderfleet-archive"),  # never joined: librdkafka wants a name
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 20,
            "fetch.message.max.bytes": 1 << 20,
            "queued.min.messages": 1,
            "queued.max.messages.kbytes": 4096,
            "log.connection.close": False,
        }
        self._topic = topic or ORDERS_PLANNED.name
        self._patience = patience_seconds
        self._consumer: Consumer | None = None
        self._one_at_a_time = asyncio.Lock()

    async def read(self, places: Sequence[Place]) -> list[PlannedOrder | None]:
        """The planned orders that stand at these places, in their order; None where none stands any more.

        Raises TransientError when Kafka is away.
        """
        if not places:
            return []
        async with self._one_at_a_time:
            found = await asyncio.to_thread(self._fetch, set(places))
        orders = {place: _planned(value, place) for place, value in found.items()}
        return [orders.get(place) for place in places]

    async def close(self) -> None:
        """Let go of the broker."""
        async with self._one_at_a_time:
            await asyncio.to_thread(self._drop_client)

    def _fetch(self, places: Iterable[Place]) -> dict[Place, bytes]:
        if self._consumer is None:
            self._consumer = Consumer(self._config, logger=log)
        search = _Search(places)
        try:
            self._look(search, self._consumer)
        except KafkaException as error:
            self._drop_client()
            raise TransientError(f"Kafka is away: {error.args[0].str()}") from None
        except TransientError:
            self._drop_client()
            raise
        self._consumer.unassign()
        return search.found

    def _drop_client(self) -> None:
        """The next one to ask gets a new client: one that has stopped to fetch may never do so again."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _look(self, search: _Search, consumer: Consumer) -> None:
        heard = started = time.monotonic()
        while search.wanted:
            self._assign(search.starts())
            messages = consumer.consume(_PER_CALL, 0.1)
            for message in messages:
                search.see(message)
            now = time.monotonic()
            settled = now - started > self._patience / 3
            if search.doubtful:
                self._drop_what_is_gone(search, consumer, search.doubtful, settled=settled)
                search.doubtful.clear()
                time.sleep(_PAUSE)  # what is still wanted there is asked for again
            if messages:
                heard = now
            elif now - heard > _SILENCE:  # not every broker says that an offset lies beyond the end
                self._drop_what_is_gone(search, consumer, search.wanted, settled=settled)
                heard = now
            if search.wanted and now - started > self._patience:
                raise TransientError(f"Kafka did not give {self._topic} within {self._patience:g} s")

    def _drop_what_is_gone(
        self, search: _Search, consumer: Consumer, partitions: Iterable[int], *, settled: bool
    ) -> None:
        for partition in list(partitions):
            ends = consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=_SILENCE)
            if ends is not None:
                search.keep_within(partition, ends[0], ends[1] if settled else None)

    def _assign(self, starts: Sequence[Place]) -> None:
        """Read on from new places; partitions that need none go on as they are."""
        if not starts:
            return
        assert self._consumer is not None
        parts = [TopicPartition(self._topic, partition, offset) for partition, offset in starts]
        self._consumer.incremental_unassign(
            [part for part in self._consumer.assignment() if part.partition in dict(starts)]
        )
        self._consumer.incremental_assign(parts)


class _Search:
    """What is still looked for in each partition, ascending, and how far the reading has come."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.wanted: dict[int, list[int]] = {}
        for partition, offset in sorted(places, reverse=True):
            self.wanted.setdefault(partition, []).append(offset)  # the next one stands last
        self.found: dict[Place, bytes] = {}
        self.doubtful: set[int] = set()  # partitions said to have no record at the place where reading began
        self._next: dict[int, int] = {}  # the offset that is read next

    def starts(self) -> list[Place]:
        """Where reading must begin anew: at what is wanted next, where that lies far ahead."""
        starts = []
        for partition, offsets in self.wanted.items():
            following = self._next.get(partition)
            if following is None or offsets[-1] - following > _NEARBY:
                self._next[partition] = offsets[-1]
                starts.append((partition, offsets[-1]))
        return starts

    def see(self, message: Message) -> None:
        """Take a record in. One beyond a wanted place tells that nothing stands there; the end before it does not."""
        partition, offset, error = message.partition(), message.offset(), message.error()
        if error is not None and error.code() in _AWAY:
            return  # the library tries again by itself, until our patience ends
        if partition is None or partition not in self.wanted:
            return
        offsets = self.wanted[partition]
        if error is not None:
            self._not_there(partition, error)
        elif offset is not None and offset >= self._next.get(partition, 0):
            self._next[partition] = offset + 1
            while offsets and offsets[-1] < offset:
                offsets.pop()
            if offsets and offsets[-1] == offset:
                self.found[partition, offsets.pop()] = message.value() or b""
        if not offsets:
            self.wanted.pop(partition, None)

    def keep_within(self, partition: int, oldest: int, end: int | None) -> None:
        """Nothing stands below `oldest`, and nothing at or beyond `end` when that is known."""
        offsets = self.wanted.get(partition, [])
        offsets[:] = [offset for offset in offsets if oldest <= offset and (end is None or offset < end)]
        if not offsets:
            self.wanted.pop(partition, None)

    def _not_there(self, partition: int, error: KafkaError) -> None:
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            # Below the oldest or beyond the newest record, or a mistake of the library after a broker came back.
            self._next.pop(partition, None)
            self.doubtful.add(partition)
        elif error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)


def _planned(value: bytes, place: Place) -> PlannedOrder | None:
    try:
        return decode(PlannedOrder, value)
    except ValidationError:
        log.warning("no planned order can be read at partition %d, offset %d", *place)
        return None
