"""Which chunks run now, which wait, and which run together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from faust.types import TP

from workers.runtime.tasks import end_tasks

CHUNKS_HELD: Final = 6
"""At work or waiting for it; as many full ones, or more that are not full."""

AT_ONCE: Final = 3
"""While some wait for Redis and Kafka, another computes. With fewer, more chunks run together."""


class PartitionScheduler:
    """Runs chunks side by side, but those that share a partition one after the other, in the order they came.

    Chunks that had to wait run together: small ones become large ones as work piles up, so that a trickle is quick and
    a flood cheap.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Any]], Awaitable[None]],
        chunk_records: int,
        yields: Callable[[], bool] = lambda: False,
    ) -> None:
        """`yields`: whether there is more urgent work in this process now; then no more than one chunk begins."""
        self._run = run
        self._yields = yields
        self._most = chunk_records
        self._waiting: list[Any] = []
        self._held = 0  # records, waiting or at work
        self._room = asyncio.Event()
        self._room.set()
        self._busy: set[TP] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def crowded(self) -> bool:
        """Whether there is more to do than is done at once."""
        return bool(self._waiting)

    async def put(self, event: Any) -> None:
        """Take one chunk in; waits while there is enough to do. Not to be called twice at a time."""
        await self._room.wait()
        self._waiting.append(event)
        self._hold(len(event.value))
        self._begin()

    def _hold(self, records: int) -> None:
        """So many more are held; negative: fewer."""
        self._held += records
        if self._held < CHUNKS_HELD * self._most:
            self._room.set()
        else:
            self._room.clear()

    def _begin(self) -> None:
        most = 1 if self._yields() else AT_ONCE
        while len(self._tasks) < most and (events := self._next()):
            self._busy.update(*(event.message.ends for event in events))
            task = asyncio.create_task(self._work(events), name=f"{len(events)} chunks")
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _next(self) -> list[Any]:
        """What may run now, together. Nothing overtakes what came before it from the same partition."""
        taken: list[Any] = []
        left: list[Any] = []
        count, blocked = 0, set(self._busy)
        for event in self._waiting:
            places, size = event.message.ends.keys(), len(event.value)
            if blocked.isdisjoint(places) and (not taken or count + size <= self._most):
                taken.append(event)
                count += size
            else:
                left.append(event)
                blocked |= places
        self._waiting = left
        return taken

    async def _work(self, events: list[Any]) -> None:
        await self._run(events[0].value if len(events) == 1 else [record for each in events for record in each.value])
        for event in events:
            event.ack()
            self._busy -= event.message.ends.keys()
            self._hold(-len(event.value))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is None:
            self._begin()

    async def close(self) -> None:
        """Drop what is not done; it was never acknowledged."""
        self._waiting.clear()
        await end_tasks(self._tasks)
