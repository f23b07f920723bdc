"""Makes the stock ledger again from Kafka: inventory events for the stock, the order path for the orders' pointers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

from redis.asyncio import Redis

from schemas.plan import Disposition, PlannedOrder
from schemas.record import changed, record
from schemas.revision import retry_of
from schemas.topics import ORDERS_PLANNED, Topic
from workers.inventory.archive import Place, PlannedArchive
from workers.inventory.keys import decisions_key, order_key, warehouses_key
from workers.inventory.ledger import Ledger
from workers.inventory.retention import REMEMBER_MS
from workers.inventory.waiting import WAITS, waiting_of
from workers.rebuild.contents import WAITING_FAMILIES, Content, contents_of, read_contents, write_contents
from workers.rebuild.order_history import Planned
from workers.rebuild.order_state import is_lost, needs_stock, pointer_of, same_pointer
from workers.rebuild.replay import Record
from workers.rebuild.sources import Sources
from workers.runtime.kafka.cluster import Cluster, Kafka
from workers.runtime.kafka.producer import Producer
from workers.runtime.wire import Encoder

_SAMPLE: Final = 20
_PAGE: Final = 1000


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
    """What Kafka says the ledger must hold. Read its sources first; then `contents` and what follows from them.

    Raises TransientError when Kafka or Redis is away.
    """

    def __init__(self, kafka: Kafka, redis: Redis, sources: Sources) -> None:
        self._cluster = Cluster.of(kafka)
        self._redis = redis
        self._now_ms = int(time.time() * 1000)
        self.replay = sources.replay
        self.trails = sources.trails
        self.decisions = sources.decisions
        self._records: dict[str, dict[str, Record]] | None = None

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
        for order_uid, answers in self.decisions.answers():
            if (expires_ms := answers.at_ms + REMEMBER_MS) > self._now_ms:
                yield Content(decisions_key(order_uid), answers.by_id, expires_ms)
        if self.replay.warehouses:
            yield Content(warehouses_key(), sorted(self.replay.warehouses))

    def pointers(self) -> Iterator[Content]:
        """The orders' pointers."""
        nothing: dict[str, Record] = {}
        for order_uid in self.records.keys() | self.trails.orders.keys():
            pointer = pointer_of(self.trails.of(order_uid), self.records.get(order_uid, nothing), REMEMBER_MS)
            if pointer is not None and (not pointer.expires_ms or pointer.expires_ms > self._now_ms):
                fields = pointer.fields | self.decisions.pointer_fields(order_uid)
                yield Content(order_key(order_uid), fields, pointer.expires_ms)

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
        await send(self._cluster, ORDERS_PLANNED, retried)

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


async def send(kafka: Kafka, topic: Topic, values: Iterable[Any]) -> None:
    """Write these to a topic, confirmed. Raises TransientError."""
    producer, encoder = Producer(kafka), Encoder([topic])
    producer.start()
    try:
        await producer.send([encoder(value) for value in values])
    finally:
        await producer.close()
