"""Chunks run side by side and together, never two of one partition at a time, and none is kept that is done."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from weakref import finalize

from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.runtime.partition_scheduler import AT_ONCE, CHUNKS_HELD, PartitionScheduler

PATIENCE = 10.0
MOST = 4

Record = tuple[int, int]  # partition, offset


class Chunk(list[Record]):
    """Records of a chunk; a plain list cannot be watched."""


class Message:
    def __init__(self, ends: dict[TP, int]) -> None:
        self.ends = ends


class Event:
    """A chunk as Faust delivers it."""

    def __init__(self, records: Sequence[Record], done: list[Record]) -> None:
        self.value = Chunk(records)
        self.message = Message({TP("orders.planned", partition): offset for partition, offset in records})
        self.ack = lambda: done.extend(records)


@asynccontextmanager
async def lanes_that(
    run: Callable[[Any], Awaitable[None]], yields: Callable[[], bool] = lambda: False
) -> AsyncIterator[PartitionScheduler]:
    lanes = PartitionScheduler(run, MOST, yields)
    try:
        yield lanes
    finally:
        await lanes.close()


async def turns(number: int = 50) -> None:
    """Of the loop: enough for whoever need not wait."""
    for _ in range(number):
        await asyncio.sleep(0)


class Work:
    """Runs that end when they are told to; watches that they do not meet on a partition."""

    def __init__(self) -> None:
        self.runs: list[list[Record]] = []
        self.ended: list[Record] = []
        self._ends: dict[int, asyncio.Event] = defaultdict(asyncio.Event)
        self._at_work: set[int] = set()
        self.most_at_once = 0

    async def run(self, records: Sequence[Record]) -> None:
        number, partitions = len(self.runs), {partition for partition, _ in records}
        self.runs.append(list(records))
        assert not self._at_work & partitions, "two of one partition at a time"
        self._at_work |= partitions
        self.most_at_once = max(self.most_at_once, len(self.runs) - sum(end.is_set() for end in self._ends.values()))
        await self._ends[number].wait()
        self._at_work -= partitions
        self.ended += records

    def end(self, number: int) -> None:
        self._ends[number].set()


async def test_small_chunks_that_have_to_wait_run_together() -> None:
    work, done = Work(), list[Record]()
    async with asyncio.timeout(PATIENCE), lanes_that(work.run) as lanes:
        for offset in range(4):
            await lanes.put(Event([(0, offset)], done))
        await turns()
        assert work.runs == [[(0, 0)]]
        work.end(0)
        await turns()
        assert work.runs == [[(0, 0)], [(0, 1), (0, 2), (0, 3)]]
        assert done == [(0, 0)]


async def test_a_chunk_does_not_overtake_one_that_waits_for_a_partition_they_share() -> None:
    work, done = Work(), list[Record]()
    async with asyncio.timeout(PATIENCE), lanes_that(work.run) as lanes:
        for records in ([(0, 0)], [(0, 1), (1, 0)], [(1, 1)], [(2, 0)]):
            await lanes.put(Event(records, done))
        await turns()
        assert work.runs == [[(0, 0)], [(2, 0)]]
        work.end(0)
        await turns()
        assert work.runs[2:] == [[(0, 1), (1, 0), (1, 1)]]


async def test_while_there_is_more_urgent_work_one_chunk_runs_at_a_time_and_never_none() -> None:
    work, done, urgent = Work(), list[Record](), [True]
    async with asyncio.timeout(PATIENCE), lanes_that(work.run, lambda: urgent[0]) as lanes:
        for partition in range(AT_ONCE + 2):
            await lanes.put(Event([(partition, offset) for offset in range(MOST)], done))
        await turns()
        assert (len(work.runs), lanes.crowded) == (1, True)
        work.end(0)
        await turns()
        assert len(work.runs) == 2
        urgent[0] = False
        work.end(1)
        await turns()
        assert (len(work.runs), lanes.crowded) == (AT_ONCE + 2, False)


async def test_a_chunk_that_is_done_is_let_go_of_though_its_partition_brings_no_other() -> None:
    async def run(_: object) -> None:
        """Nothing to do."""

    async with asyncio.timeout(PATIENCE), lanes_that(run) as lanes:
        event = Event([(0, 0)], [])
        let_go = asyncio.Event()
        finalize(event.value, let_go.set)
        await lanes.put(event)
        del event
        await let_go.wait()


async def test_no_more_is_taken_in_than_may_be_held_however_many_partitions_there_are() -> None:
    work, full = Work(), CHUNKS_HELD
    async with asyncio.timeout(PATIENCE), lanes_that(work.run) as lanes:
        for partition in range(full):
            await lanes.put(Event([(partition, offset) for offset in range(MOST)], []))
        one_more = asyncio.create_task(lanes.put(Event([(full, 0)], [])))
        await turns()
        assert not one_more.done()
        assert len(work.runs) == AT_ONCE
        work.end(0)
        await one_more


@settings(deadline=None)  # a first import takes as long as it takes
@given(
    st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=MOST, unique=True), max_size=40),
    st.randoms(use_true_random=False),
)
async def test_whatever_comes_all_is_done_in_the_order_of_each_partition(chunks: list[list[int]], chance: Any) -> None:
    work, done, next_offset = Work(), list[Record](), defaultdict[int, int](int)
    events = []
    for partitions in chunks:
        records = [(partition, next_offset[partition]) for partition in partitions]
        for partition in partitions:
            next_offset[partition] += 1
        events.append(Event(records, done))

    async with asyncio.timeout(PATIENCE), lanes_that(work.run) as lanes:
        feeding = asyncio.create_task(feed(lanes, events))
        while not feeding.done() or len(done) < sum(next_offset.values()):
            await turns(3)
            if open_runs := [number for number in range(len(work.runs)) if not work._ends[number].is_set()]:
                work.end(chance.choice(open_runs))

    assert sorted(done) == sorted(work.ended) == sorted(record for event in events for record in event.value)
    for partition, count in next_offset.items():
        assert [offset for place, offset in work.ended if place == partition] == list(range(count))
    assert work.most_at_once <= AT_ONCE
    assert all(len(records) <= MOST for records in work.runs)


async def feed(lanes: PartitionScheduler, events: list[Event]) -> None:
    for event in events:
        await lanes.put(event)
