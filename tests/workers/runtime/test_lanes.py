"""Lanes hold few chunks, and none that is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from weakref import finalize

from faust.types import TP

from workers.runtime.worker import _CHUNKS_HELD, Lanes

PATIENCE = 10.0


class Chunk:
    """Stands in for the records of one partition: a list cannot be watched."""


class Event:
    """A chunk as Faust delivers it."""

    def __init__(self, partition: int, acknowledged: asyncio.Queue[int]) -> None:
        self.message = SimpleNamespace(tp=TP("orders.planned", partition))
        self.value = Chunk()
        self.ack = lambda: acknowledged.put_nowait(partition)


@asynccontextmanager
async def lanes_that(run: Callable[[Any], Awaitable[None]]) -> AsyncIterator[Lanes]:
    lanes = Lanes(run)
    try:
        yield lanes
    finally:
        await lanes.close()


async def test_a_chunk_that_is_done_is_let_go_of_though_its_partition_brings_no_other() -> None:
    acknowledged: asyncio.Queue[int] = asyncio.Queue()

    async def run(_: object) -> None:
        """Nothing to do."""

    async with asyncio.timeout(PATIENCE), lanes_that(run) as lanes:
        event = Event(0, acknowledged)
        let_go = asyncio.Event()
        finalize(event.value, let_go.set)
        await lanes.put(event)
        del event
        await let_go.wait()


async def test_no_more_chunks_are_taken_in_than_may_be_held_however_many_partitions_there_are() -> None:
    acknowledged: asyncio.Queue[int] = asyncio.Queue()
    let_go = asyncio.Semaphore(0)

    async def run(_: object) -> None:
        await let_go.acquire()

    async with asyncio.timeout(PATIENCE), lanes_that(run) as lanes:
        for partition in range(_CHUNKS_HELD):
            await lanes.put(Event(partition, acknowledged))
        for partition in range(_CHUNKS_HELD, 2 * _CHUNKS_HELD):
            one_more = asyncio.create_task(lanes.put(Event(partition, acknowledged)))
            for _ in range(50):  # turns of the loop: enough for whoever need not wait
                await asyncio.sleep(0)
            assert not one_more.done()
            let_go.release()
            await one_more
