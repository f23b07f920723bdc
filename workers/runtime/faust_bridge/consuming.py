"""aiokafka's consumer in the worker's own event loop, where Faust's driver gives it a thread.

A thread has to wait for Python's lock each time it comes back from the system: up to five milliseconds while the worker
computes, for every partition it unpacks and every part of an answer. That was a third of the time from raw to routed on
a busy worker. Here all take turns in one loop, whose stages give way every few milliseconds.
Decision: ops/docs/decisions/0016-consumers-in-the-workers-loop.md.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from workers.runtime.faust_bridge.fetching import fetch_quickly
from workers.runtime.faust_bridge.reconnecting import renew_silent_connections
from workers.runtime.tasks import end_tasks

_FETCH_BYTES: Final = 4 << 20
"""Most that one answer of a broker holds: some thousands of orders. aiokafka would take 50 MB, and unpack them."""

_END_SECONDS: Final = 2.0


class _Turn:
    """Stands in for mode's WorkerThread: what a thread would run is a task."""

    def __init__(self, service: Any) -> None:
        self._service = service
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, inside the running loop."""
        self._task = asyncio.create_task(self._service._serve(), name="serve the consumer")
        self._task.add_done_callback(_looked_at)  # the service tells of its failure itself

    def stop(self) -> None:
        """Do nothing: to wait for the end here would keep the loop from coming to it. See `ended`."""

    async def ended(self) -> None:
        """Wait a while for the end."""
        if self._task not in (None, asyncio.current_task()):
            await asyncio.wait({self._task}, timeout=_END_SECONDS)


class LoopConsumer(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """What Faust takes for the consumer's thread. Fetches wait as long as we say, not 1.5 s, and cost less."""

    _assigned: tuple[Any, frozenset[TP]] = None, frozenset()

    def __init__(self, consumer: Any, *, loop: asyncio.AbstractEventLoop, **kwargs: Any) -> None:
        super().__init__(consumer, loop=loop, thread_loop=loop, Worker=_Turn, **kwargs)
        self._asked: dict[object, float] = {}

    async def call_thread(self, fun: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        """Have it done in its turn, to its end even if nobody waits for it any more, and know since when it is due."""
        call = object()
        self._asked[call] = time.monotonic()
        try:
            return await super().call_thread(fun, *args, **kwargs)
        finally:
            del self._asked[call]

    @property
    def oldest_call_age(self) -> float:
        """The age of the oldest call that has not returned."""
        now = time.monotonic()
        return now - min(self._asked.values(), default=now)

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = self.transport.fetch_wait_ms
        consumer._fetch_max_bytes = _FETCH_BYTES
        renew_silent_connections(consumer._client)
        return consumer

    async def on_start(self) -> None:
        """Connect; topics are subscribed to later."""
        await super().on_start()
        fetch_quickly(self._ensure_consumer()._fetcher)

    async def stop(self) -> None:
        """Leave the group and end what was begun here."""
        await super().stop()
        if self._thread is not None:
            await self._thread.ended()

    async def _default_stop_futures(self) -> None:
        """mode waits without end for each to take its cancellation, and with it stands the whole process."""
        await end_tasks(self._futures)
        self._futures.clear()

    async def _gather_remaining_tasks(self) -> None:
        """Leave them alone: mode would end all tasks of the loop, the worker's too."""

    def assignment(self) -> frozenset[TP]:
        """The partitions assigned now. The driver makes the set anew for each partition that it commits."""
        source, assigned = self._assigned
        current = self._ensure_consumer().assignment()
        if current is not source:
            assigned = frozenset(TP(*tp) for tp in current)
            self._assigned = current, assigned
        return assigned


def _looked_at(done: asyncio.Future[Any]) -> None:
    """asyncio complains of a failure that nobody looks at."""
    if not done.cancelled():
        done.exception()
