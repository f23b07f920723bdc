"""Makes the stock ledger again from Kafka: inventory events for the stock, the order path for the orders' pointers."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from pydantic import ValidationError
from redis.asyncio import Redis

from schemas.epoch import EpochReason
from schemas.fulfillment import WmsEvent
from schemas.inventory import InventoryEvent, InventoryEventKind
from schemas.plan import Disposition, PlannedOrder
from schemas.record import changed, decode, encode, record
from schemas.revision import retry_of
from schemas.topics import (
    INVENTORY_EPOCHS,
    INVENTORY_EVENTS,
    ORDERS_BACKORDERED,
    ORDERS_PLANNED,
    ORDERS_REVIEW,
    ORDERS_ROUTED,
    TRANSFERS_REQUESTED,
    WMS_EVENTS,
    Topic,
)
from workers.fulfill.reading import read
from workers.inventory.archive import Place, PlannedArchive
from workers.inventory.epoch import new_epoch, write_epoch
from workers.inventory.keys import order_key, outbox_key, sequence_key, warehouses_key
from workers.inventory.ledger import Ledger
from workers.inventory.retention import MOVED_MS, REMEMBER_MS
from workers.inventory.snapshot import Snapshots
from workers.inventory.waiting import WAITS, waiting_of
from workers.rebuild.contents import WAITING_FAMILIES, Content, contents_of, read_contents, write_contents
from workers.rebuild.event_log import ANSWER_SECONDS, TopicLog, reader_config
from workers.rebuild.order_history import Planned, Trails
from workers.rebuild.order_state import is_lost, needs_stock, pointer_of, same_pointer
from workers.rebuild.quiet import fulfill_group, reserve_group
from workers.rebuild.replay import Record, Replay
from workers.runtime.errors import PermanentError, TransientError
from workers.runtime.kafka.cluster import Cluster, Kafka
from workers.runtime.kafka.producer import Producer
from workers.runtime.kafka.topics import admin_of
from workers.runtime.wire import Encoder

_SAMPLE: Final = 20
_PAGE: Final = 1000

Progress = Callable[[str, int], None]
"""Told now and then what is read and how many records of it there were."""


@record
class LostOrder:
    """An order that the reserve stage had finished with, whose effect on stock is nowhere to be seen."""

    order_uid: str
    revision: str
    partition: int
    offset: int


@record
class Differences:
    """What is in Redis against what should be, by kind of key."""

    missing: dict[str, int]  # should be there and is not
    other: dict[str, int]  # is there with something else in it
    surplus: dict[str, int]  # is there and should not be
    sample: tuple[str, ...]  # some of the keys

    @property
    def is_none(self) -> bool:
        """The same to the byte."""
        return not (self.missing or self.other or self.surplus)


class Rebuild:
    """What Kafka says the ledger must hold. `read` first; then `contents` and what follows from them.

    Raises TransientError when Kafka or Redis is away.
    """

    def __init__(
        self,
        kafka: Kafka,
        redis: Redis,
        progress: Progress,
        now: Callable[[], float] = time.time,
        *,
        emptied: bool = False,
    ) -> None:
        """`emptied`: what is in the outboxes was made on a ledger without stock, and is left out."""
        self._cluster = Cluster.of(kafka)
        self._redis = redis
        self._progress = progress
        self._emptied = emptied
        self._now_ms = int(now() * 1000)
        self.replay = Replay(REMEMBER_MS, MOVED_MS)
        self._committed: dict[int, int] = {}
        self._answered: dict[int, int] = {}
        self.trails = Trails(lambda partition, offset: offset < self._committed.get(partition, -1))
        self._records: dict[str, dict[str, Record]] | None = None

    # -- reading

    async def read(self) -> None:
        """Read everything. Nothing is written."""
        await asyncio.to_thread(self._read_topic, INVENTORY_EVENTS.name, self._take_event)
        if not self._emptied:
            await self._read_outboxes()
        for one in self.replay:
            while not one.advance():
                one.skip_gap()
        self._committed = await asyncio.to_thread(self._committed_offsets, reserve_group(), ORDERS_PLANNED.name)
        self._answered = await asyncio.to_thread(self._committed_offsets, fulfill_group(), WMS_EVENTS.name)
        await asyncio.to_thread(self._read_order_path)

    def _take_event(self, message: Message) -> None:
        self.replay.offer(message.value() or b"")

    async def _read_outboxes(self) -> None:
        snapshots = Snapshots(self._redis)
        for warehouse_id in await snapshots.names(outbox_key("").removesuffix("}")):
            async for event in snapshots.outbox(warehouse_id.removesuffix("}")):
                self.replay.offer(encode(event))

    def _read_order_path(self) -> None:
        trails = self.trails
        self._read_topic(ORDERS_PLANNED.name, self._take_planned)
        for name in self._routed_topics():
            self._read_topic(name, lambda message: trails.instruction(message.value() or b""))
        self._read_topic(ORDERS_BACKORDERED.name, lambda message: trails.backorder(message.value() or b""))
        self._read_topic(TRANSFERS_REQUESTED.name, lambda message: trails.transfer(message.value() or b""))
        self._read_topic(ORDERS_REVIEW.name, lambda message: trails.review(message.value() or b""))
        self._read_topic(WMS_EVENTS.name, self._take_answer)

    def _take_planned(self, message: Message) -> None:
        at_ms = message.timestamp()[1]
        self.trails.planned(message.value() or b"", message.partition(), message.offset(), at_ms)

    def _take_answer(self, message: Message) -> None:
        """What the fulfill stage had not finished with comes again; what it had refused says nothing."""
        if message.offset() >= self._answered.get(message.partition(), 0):
            return
        try:
            answered = read(decode(WmsEvent, message.value() or b""), message.timestamp()[1])
        except (ValidationError, PermanentError):
            return
        self.trails.answer(*answered)

    def _read_topic(self, topic: str, take: Callable[[Message], None]) -> None:
        taken, told = 0, time.monotonic()

        def counted(message: Message) -> None:
            nonlocal taken, told
            take(message)
            taken += 1
            if not taken % 10_000 and time.monotonic() - told > 1:
                told = time.monotonic()
                self._progress(topic, taken)

        with TopicLog(self._cluster, topic) as log:
            log.read(counted)
        self._progress(topic, taken)

    def _routed_topics(self) -> list[str]:
        try:
            topics = admin_of(self._cluster).list_topics(timeout=ANSWER_SECONDS)
        except KafkaException as error:
            raise TransientError(error.args[0].str()) from error
        return sorted(name for name in topics.topics if name.startswith(f"{ORDERS_ROUTED.name}."))

    def _committed_offsets(self, group: str, name: str) -> dict[int, int]:
        """How far a stage has come in each partition of its topic."""
        consumer = Consumer({**reader_config(self._cluster), "group.id": group, "enable.auto.commit": False})
        try:
            topic = consumer.list_topics(timeout=ANSWER_SECONDS).topics.get(name)
            if topic is None or not topic.partitions:
                return {}
            places = [TopicPartition(name, number) for number in topic.partitions]
            return {
                place.partition: place.offset
                for place in consumer.committed(places, timeout=ANSWER_SECONDS)
                if place.offset >= 0
            }
        except KafkaException as error:
            raise TransientError(error.args[0].str()) from error
        finally:
            consumer.close()

    # -- what follows

    @property
    def records(self) -> dict[str, dict[str, Record]]:
        """What each order has, by warehouse; without what Redis would have forgotten by now."""
        if self._records is None:
            self._records = {}
            for one in self.replay:
                for order_uid, found in one.records.items():
                    if not one.is_forgotten(found, self._now_ms):
                        self._records.setdefault(order_uid, {})[one.warehouse_id] = found
        return self._records

    def contents(self) -> Iterator[Content]:
        """All keys that should be."""
        for one in self.replay:
            yield from contents_of(one, REMEMBER_MS, self._now_ms)
        yield from self.pointers()
        if self.replay.warehouses:
            yield Content(warehouses_key(), sorted(self.replay.warehouses))

    def pointers(self) -> Iterator[Content]:
        """The orders' pointers."""
        nothing: dict[str, Record] = {}
        for order_uid in self.records.keys() | self.trails.orders.keys():
            pointer = pointer_of(self.trails.of(order_uid), self.records.get(order_uid, nothing), REMEMBER_MS)
            if pointer is not None and (not pointer.expires_ms or pointer.expires_ms > self._now_ms):
                yield Content(order_key(order_uid), pointer.fields, pointer.expires_ms)

    async def compare(self) -> Differences:
        """What is in Redis against what should be."""
        wanted = {content.key: content for content in self.contents()}
        counts: dict[str, dict[str, int]] = {"missing": {}, "other": {}, "surplus": {}}
        sample: list[str] = []

        def note(kind: str, content: Content) -> None:
            counts[kind][content.family] = counts[kind].get(content.family, 0) + 1
            if len(sample) < _SAMPLE:
                sample.append(content.key)

        async for found in read_contents(self._redis):
            if found.family in WAITING_FAMILIES:
                continue  # who waits follows from the pointers; for how long still is nowhere told
            should = wanted.pop(found.key, None)
            if should is None:
                note("surplus", found)
            elif not _same(found, should):
                note("other", found)
        for should in wanted.values():
            note("missing", should)
        return Differences(**counts, sample=tuple(sample))

    async def write(self) -> int:
        """Write all keys. How many."""
        waiting: list[dict[str, str]] = []
        written = await write_contents(self._redis, _noting_waits(self.contents(), waiting))
        await self._write_waiting(waiting)
        return written

    async def _write_waiting(self, waiting: list[dict[str, str]]) -> None:
        """Put the orders that wait for stock back on their list. `waiting`: their pointers."""
        sources = [fields["source"] for fields in waiting if fields["phase"] == "settled" and fields["source"]]
        for start in range(0, len(sources), _PAGE):
            page = sources[start : start + _PAGE]
            found = await self._planned([_place(source) for source in page])
            entries = [waiting_of(each, source) for each, source in zip(found, page, strict=True) if each is not None]
            await Ledger(self._redis).waiting.put(entries)

    # -- orders whose last change was lost

    async def lost_orders(self) -> list[LostOrder]:
        """Orders that the stage had finished with and that have, wait for and ask for nothing."""
        nothing: dict[str, Record] = {}
        suspects = [
            (order_uid, trail.done)
            for order_uid, trail in sorted(self.trails.orders.items())
            if trail.done is not None and is_lost(trail, self.records.get(order_uid, nothing))
        ]
        found = await self._planned([(done.partition, done.offset) for _, done in suspects])
        return [
            _lost(order_uid, done)
            for (order_uid, done), planned in zip(suspects, found, strict=True)
            if done.disposition is not Disposition.RESERVE or planned is None or needs_stock(planned)
        ]

    async def requeue(self, lost: list[LostOrder]) -> None:
        """Put them back on `orders.planned` as the next try of their revision."""
        retried = []
        for planned in filter(None, await self._planned([(each.partition, each.offset) for each in lost])):
            order = changed(planned.order, revision=retry_of(planned.order.revision))
            retried.append(changed(planned, order=order))
        await _send(self._cluster, ORDERS_PLANNED, retried)

    async def _planned(self, places: list[Place]) -> list[PlannedOrder | None]:
        archive = PlannedArchive(self._cluster)
        try:
            return await archive.read(places)
        finally:
            await archive.close()


def _noting_waits(contents: Iterable[Content], waiting: list[dict[str, str]]) -> Iterator[Content]:
    for content in contents:
        if content.family == "order" and content.value.get("state") in WAITS:
            waiting.append(content.value)
        yield content


def _place(source: str) -> Place:
    partition, _, offset = source.partition(":")
    return int(partition), int(offset)


def _lost(order_uid: str, planned: Planned) -> LostOrder:
    place = {"partition": planned.partition, "offset": planned.offset}
    return LostOrder(order_uid=order_uid, revision=planned.revision, **place)


def _same(found: Content, should: Content) -> bool:
    if found.family == "order" and isinstance(found.value, dict):
        return same_pointer(found.value, should.value)
    return found.line() == should.line()


async def begin_anew(kafka: Kafka, redis: Redis) -> list[str]:
    """Begin with no stock: a new epoch, and an event in each warehouse that ends all that was told of it.

    The warehouses. Redis must hold nothing of the ledger. Raises TransientError.
    """
    newest: dict[str, int] = {}

    def take(message: Message) -> None:
        try:
            event = decode(InventoryEvent, message.value() or b"")
        except ValidationError:
            return
        newest[event.warehouse_id] = max(event.sequence, newest.get(event.warehouse_id, 0))

    await asyncio.to_thread(_read_all, kafka, INVENTORY_EVENTS.name, take)
    epoch = new_epoch(EpochReason.DECLARED_NEW)
    events = [
        InventoryEvent(
            event_id=f"{warehouse_id}/{sequence + 1}",
            sequence=sequence + 1,
            warehouse_id=warehouse_id,
            kind=InventoryEventKind.BEGAN_ANEW,
            at=epoch.at,
            changes=(),
        )
        for warehouse_id, sequence in sorted(newest.items())
    ]
    await _send(kafka, INVENTORY_EVENTS, events)
    await _send(kafka, INVENTORY_EPOCHS, [epoch])
    contents = [Content(sequence_key(event.warehouse_id), str(event.sequence)) for event in events]
    if newest:
        contents.append(Content(warehouses_key(), sorted(newest)))
    await write_contents(redis, contents)
    await write_epoch(redis, epoch.epoch_id)
    return sorted(newest)


def _read_all(kafka: Kafka, topic: str, take: Callable[[Message], None]) -> None:
    with TopicLog(kafka, topic) as log:
        log.read(take)


async def _send(kafka: Kafka, topic: Topic, values: Iterable[Any]) -> None:
    producer, encoder = Producer(kafka), Encoder([topic])
    producer.start()
    try:
        await producer.send([encoder(value) for value in values])
    finally:
        await producer.close()


async def back_up(redis: Redis, path: Path) -> int:
    """Write every key of the ledger to a new file that only its owner can read. How many. Raises OSError."""
    keys = 0
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123, ASYNC230  # nothing else runs
        async for content in read_contents(redis):
            file.write(content.backup() + b"\n")
            keys += 1
    return keys
