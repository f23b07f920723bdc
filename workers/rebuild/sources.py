"""Everything that tells what the stock ledger must hold, read once: events, outboxes, and the way of the orders."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from pydantic import ValidationError
from redis.asyncio import Redis

from schemas.fulfillment import WmsEvent
from schemas.record import decode, encode
from schemas.topics import (
    INVENTORY_EVENTS,
    ORDERS_BACKORDERED,
    ORDERS_DECIDED,
    ORDERS_DECISIONS,
    ORDERS_PLANNED,
    ORDERS_REVIEW,
    ORDERS_ROUTED,
    TRANSFERS_REQUESTED,
    WMS_EVENTS,
)
from workers.fulfill.reading import read
from workers.inventory.keys import outbox_key
from workers.inventory.retention import MOVED_MS, REMEMBER_MS
from workers.inventory.snapshot import Snapshots
from workers.rebuild.decision_history import DecisionTrails
from workers.rebuild.event_log import ANSWER_SECONDS, TopicLog, reader_config
from workers.rebuild.order_history import Trails
from workers.rebuild.quiet import fulfill_group, reserve_group
from workers.rebuild.replay import Replay
from workers.runtime.errors import PermanentError, TransientError
from workers.runtime.kafka.cluster import Cluster, Kafka
from workers.runtime.kafka.topics import admin_of

Progress = Callable[[str, int], None]
"""Told now and then what is read and how many records of it there were."""


class Sources:
    """What Kafka and the outboxes tell. `read` first. Raises TransientError when Kafka or Redis is away."""

    def __init__(self, kafka: Kafka, redis: Redis, progress: Progress, *, emptied: bool = False) -> None:
        """`emptied`: what is in the outboxes was made on a ledger without stock, and is left out."""
        self._cluster = Cluster.of(kafka)
        self._redis = redis
        self._progress = progress
        self._emptied = emptied
        self.replay = Replay(REMEMBER_MS, MOVED_MS)
        self._committed: dict[int, int] = {}
        self._answered: dict[int, int] = {}
        self.decisions = DecisionTrails()
        self.trails = Trails(
            lambda partition, offset: offset < self._committed.get(partition, -1), self.decisions.is_void
        )

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
        self._read_topic(ORDERS_DECISIONS.name, lambda message: self.decisions.decision(message.value() or b""))
        self._read_topic(ORDERS_DECIDED.name, self._take_decided)
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

    def _take_decided(self, message: Message) -> None:
        self.decisions.decided(message.value() or b"", message.timestamp()[1])

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
