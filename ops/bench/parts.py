"""One chunk of orders from raw to routed, part by part as the worker takes it, each part timed by itself."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from cProfile import Profile
from statistics import median
from typing import Any, Final, TypeVar

from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from ops.bench.orders import PLACED_AT
from schemas.plan import PlannedOrder
from schemas.record import encode
from schemas.topics import (
    ORDERS_BACKORDERED,
    ORDERS_PLANNED,
    ORDERS_RAW,
    ORDERS_ROUTED,
    TRANSFERS_REQUESTED,
)
from topology import Services
from workers.inventory.operations.claim import Claim
from workers.inventory.operations.settle import Settlement
from workers.normalize.agent import normalize
from workers.reserve.claimed import WorkflowResult
from workers.reserve.decide import reservation_workflow
from workers.reserve.result import Result, events_of
from workers.route.agent import route
from workers.runtime.errors import PermanentError
from workers.runtime.kafka.producer import Producer
from workers.runtime.kafka.records import Record
from workers.runtime.stage import Delivery
from workers.runtime.wire import Decoder, Encoder
from workers.tag.agent import tag
from workers.uphold.agent import uphold_new

T = TypeVar("T")

_SNAPPY: Final = 2
_PLAIN_ISOLATION: Final = 0


class Clock:
    """CPU of this process, by part; each piece of work also passes the profiler, when there is one."""

    def __init__(self, repeats: int = 3, functions: Profile | None = None) -> None:
        self._repeats = repeats
        self._functions = functions
        self._seconds: dict[str, list[float]] = {}

    def pure(self, part: str, work: Callable[[], T]) -> T:
        """Run what has no effect: several times, and the least is kept."""
        least = float("inf")
        for _ in range(self._repeats):
            with self._looking():
                started = time.process_time()
                result = work()
                least = min(least, time.process_time() - started)
        self._note(part, least)
        return result

    async def once(self, part: str, work: Awaitable[T]) -> T:
        """Run what can only be done once."""
        with self._looking():
            started = time.process_time()
            result = await work
            self._note(part, time.process_time() - started)
        return result

    @contextmanager
    def _looking(self) -> Iterator[None]:
        if self._functions is None:
            yield
            return
        self._functions.enable()
        yield
        self._functions.disable()

    def _note(self, part: str, seconds: float) -> None:
        self._seconds.setdefault(part, []).append(seconds)

    def microseconds(self, orders: int) -> dict[str, float]:
        """Per order, the median over all chunks of that many orders, by part in the order of the way."""
        return {part: median(each) / orders * 1e6 for part, each in self._seconds.items()}


class Way:
    """The whole way, with real Redis and a real broker to write to."""

    def __init__(self, services: Services, producer: Producer, clock: Clock) -> None:
        self._clock = clock
        self._producer = producer
        self._ledger = services.ledger
        self._hold_seconds = services.settings.hold_seconds
        self._normalize, self._uphold = normalize(services), uphold_new(services)
        self._tag, self._route = tag(services), route(services)
        self._raw, self._planned = Decoder(ORDERS_RAW), Decoder(ORDERS_PLANNED)
        self._write_planned = Encoder([ORDERS_PLANNED])
        self._write_routed = Encoder([ORDERS_ROUTED, ORDERS_BACKORDERED, TRANSFERS_REQUESTED])

    async def walk(self, chunk: Sequence[Record]) -> None:
        """Take one chunk all the way."""
        planned = await self._plan(chunk)
        await self._reserve(planned)

    async def _plan(self, chunk: Sequence[Record]) -> list[Record]:
        clock = self._clock
        fetched = clock.pure("1 fetch raw (aiokafka)", Fetch(chunk))
        deliveries = clock.pure("2 decode raw", lambda: [_read(self._raw, record) for record in fetched])
        orders = await self._stage("3 normalize", self._normalize, deliveries)
        outcomes = await clock.once("4 uphold (redis)", self._uphold.handle(orders))
        upheld = [each.carrying(outcome[0]) for each, outcome in zip(orders, outcomes, strict=True)]  # type: ignore[index]
        tagged = await self._stage("5 tag", self._tag, upheld)
        planned = await self._stage("6 route", self._route, tagged)
        records = clock.pure("7 encode planned", lambda: [self._write_planned(each.value) for each in planned])
        await clock.once("8 send planned (aiokafka)", self._producer.send(records))
        return records

    async def _stage(self, part: str, agent: Any, batch: Sequence[Delivery[Any]]) -> list[Delivery[Any]]:
        """These agents never wait; now and then they let others have their turn, and there are none."""

        def handle() -> list[Any]:
            handling = agent.handle(batch)
            try:
                while handling.send(None) is None:
                    pass
            except StopIteration as stop:
                return list(stop.value)
            raise RuntimeError(f"{part} waited for something")

        outcomes = self._clock.pure(part, handle)
        return [each.carrying(event) for each, (event, *_) in zip(batch, outcomes, strict=True)]

    async def _reserve(self, records: Sequence[Record]) -> None:
        clock, ledger = self._clock, self._ledger
        fetched = clock.pure("9 fetch planned (aiokafka)", Fetch(records))
        deliveries = clock.pure("10 decode planned", lambda: [_read(self._planned, record) for record in fetched])
        orders: list[PlannedOrder] = [each.value for each in deliveries]
        asked = [(o.order.uid, o.order.revision, [c.warehouse_id for c in o.plan.candidates]) for o in orders]
        claims = await clock.once("11 claim (redis)", ledger.orders.claim(asked))
        endings = await self._walk_all(orders, [claim for claim in claims if isinstance(claim, Claim)])
        settlements = clock.pure("14 settlement", lambda: [_settlement(o, c, e) for o, c, e in endings])
        await clock.once("15 settle (redis)", ledger.orders.settle(settlements))
        events = clock.pure("16 instructions", lambda: [e for o, _, end in endings for e in events_of(o, end.result)])
        routed = clock.pure("17 encode routed", lambda: [self._write_routed(event) for event in events])
        await clock.once("18 send routed (aiokafka)", self._producer.send(routed))

    async def _walk_all(
        self, orders: Sequence[PlannedOrder], claims: Sequence[Claim]
    ) -> list[tuple[PlannedOrder, Claim, WorkflowResult]]:
        """As the reserve agent does it: one round trip for all orders at each pace."""
        clock, ledger = self._clock, self._ledger
        pairs = list(zip(orders, claims, strict=True))
        workflows = [reservation_workflow(order, claim, {}, self._hold_seconds) for order, claim in pairs]
        steps = [next(each) for each in workflows]
        clock.pure("12 course", lambda: [next(reservation_workflow(o, c, {}, self._hold_seconds)) for o, c in pairs])
        answers = await clock.once("13 take (redis)", ledger.orders.apply([step for each in steps for step in each]))
        endings = []
        for (order, claim), each, answer in zip(pairs, workflows, answers, strict=True):
            try:
                each.send([answer])  # type: ignore[list-item]
            except StopIteration as stop:
                endings.append((order, claim, stop.value))
        return endings


class Fetch:
    """What aiokafka does with the bytes of fetches: one compressed batch a topic in, their records out."""

    def __init__(self, records: Sequence[Record]) -> None:
        topics = dict.fromkeys(record.topic for record in records)
        self._batches = [(TopicPartition(topic, 0), _packed(records, topic)) for topic in topics]

    def __call__(self) -> list[Any]:
        """The ConsumerRecords, topic by topic."""
        return [
            record
            for tp, batch in self._batches
            for record in PartitionRecords(tp, MemoryRecords(batch), [], 0, None, None, True, _PLAIN_ISOLATION)
        ]


def _read(decode: Decoder, record: Any) -> Delivery[Any]:
    read = decode(record)
    if isinstance(read, PermanentError):
        raise read
    return read


def _packed(records: Sequence[Record], topic: str) -> bytes:
    """A batch as producers write it (format 2, snappy, not transactional)."""
    builder = DefaultRecordBatchBuilder(2, _SNAPPY, 0, -1, -1, -1, 64 << 20)
    at = int(PLACED_AT.timestamp() * 1000)
    mine = (record for record in records if record.topic == topic)
    for offset, record in enumerate(mine):
        builder.append(offset, at, record.key, record.value, record.headers)
    return bytes(builder.build())


def _settlement(planned: PlannedOrder, claim: Claim, ending: WorkflowResult) -> Settlement:
    order, result = planned.order, ending.result
    said = b"" if result == Result() else encode(result)
    return Settlement(order.uid, order.revision, claim.fence, ending.state, ending.holdings, ending.routed, said, "0:0")
