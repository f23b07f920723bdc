"""A group that works on a timer."""

from __future__ import annotations

import asyncio
import logging
import time

from workers.runtime import metrics
from workers.runtime.errors import TransientError, path_of
from workers.runtime.kafka.producer import Producer
from workers.runtime.outputs import of_events
from workers.runtime.stage import Every, Ticking
from workers.runtime.table import Group
from workers.runtime.wire import Encoder

log = logging.getLogger(__name__)


class Timer:
    """A group that works on a timer."""

    def __init__(self, group: Group, agent: Ticking, producer: Producer) -> None:
        assert isinstance(group.reads, Every)
        self.name = group.name
        self._seconds = group.reads.seconds
        self._agent = agent
        self._encode = Encoder(group.stages[0].writes)
        self._producer = producer
        self._failures = metrics.TICK_FAILURES.labels(self.name)

    async def run(self) -> None:
        """Tick until cancelled. A failed tick is logged, counted and tried again at the next one."""
        while True:
            started = time.perf_counter()
            more = False
            try:
                more = await self.tick()
            except TransientError as error:
                self._failures.inc()
                log.warning("%s: %s; trying again in %g s", self.name, error, self._seconds)
            except Exception as error:
                self._failures.inc()
                where = f"{type(error).__name__} at {path_of(error)}"
                log.error(
                    "%s: tick failed, %s; trying again in %g s", self.name, where, self._seconds
                )  # its words may quote an order
                log.debug("%s: that failure", self.name, exc_info=True)
            taken = time.perf_counter() - started
            metrics.TICK_SECONDS.labels(self.name).observe(taken)
            await asyncio.sleep(0 if more else max(0.0, self._seconds - taken))

    async def tick(self) -> bool:
        """One run: do what is due, send the events, tell the agent that they are safe. Whether there is more to do."""
        events = await self._agent.tick()
        if events:
            await of_events(self.name, events, self._encode).send(self._producer)
        return bool(await self._agent.confirmed())
