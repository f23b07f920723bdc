"""One worker process: how the readers, timers and followers of its groups start, fail and leave."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import signal
import time
from collections.abc import Callable, Sequence
from typing import Final

from workers.runtime.errors import TransientError
from workers.runtime.following import FollowerThread
from workers.runtime.kafka.producer import Producer
from workers.runtime.reader import STUCK_SECONDS, Reader
from workers.runtime.stage_runner import exit_uncommitted
from workers.runtime.tasks import end_tasks
from workers.runtime.timer import Timer

log = logging.getLogger(__name__)

EXIT_CRASHED: Final = 1
EXIT_STUCK: Final = 71

_LEAVE_SECONDS: Final = 8.0  # of the ten we promise from SIGTERM to the end
_LAST_SECONDS: Final = 9.5  # the same, when the event loop stands still
_JOIN_SECONDS: Final = 60.0  # from a broker's first answer; several rebalances and a change of the coordinator fit in
_SUSPICIOUS_SECONDS: Final = 5.0
_DEAF_SECONDS: Final = 20.0


class Worker:
    """Everything one process runs, from start to SIGTERM."""

    def __init__(
        self,
        readers: Sequence[Reader],
        timers: Sequence[Timer],
        producer: Producer,
        *,
        followers: Sequence[FollowerThread] = (),
        patience: float = 120,
    ) -> None:
        self._readers = readers
        self._timers = timers
        self._followers = followers
        self._producer = producer
        self._patience = patience
        self._stop = asyncio.Event()
        self._deaf_since: dict[str, float] = {}

    async def run(self, ready: Callable[[], None] = lambda: None) -> int:
        """Run until SIGTERM or SIGINT, or until something ends on its own. The process's exit code.

        Raises TransientError when no broker answers for `patience` seconds.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._begin_to_leave)
        awake = asyncio.create_task(self._stay_awake(), name="stay awake")
        self._producer.start()
        for follower in self._followers:
            follower.start()
        ticking = [asyncio.create_task(timer.run(), name=timer.name) for timer in self._timers]
        try:
            if await self._started():
                ready()
            return await self._watch()
        finally:
            self._begin_to_leave()
            await end_tasks([*ticking, awake])
            await self._leave()
            faulthandler.cancel_dump_traceback_later()

    async def _stay_awake(self) -> None:
        """End the process when its event loop stands still, where nothing else could.

        Its heartbeats would stop, and others would be given its work; but it would go on as soon as it could. What all
        threads are at is written to stderr then.
        """
        while not self._stop.is_set():
            faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)
            await asyncio.sleep(1.0)

    def _begin_to_leave(self) -> None:
        if not self._stop.is_set():
            self._stop.set()
            faulthandler.dump_traceback_later(_LAST_SECONDS, exit=True)

    async def _started(self) -> bool:
        """Join all groups; False when told to leave before. To join takes long when a broker goes away meanwhile."""
        joining = asyncio.create_task(self._join(), name="joining")
        told = asyncio.create_task(self._stop.wait(), name="told to leave")
        await asyncio.wait({joining, told}, return_when=asyncio.FIRST_COMPLETED)
        started = joining.done() and not self._stop.is_set()
        if joining.done():
            joining.result()
        await end_tasks([joining, told])
        return started

    async def _join(self) -> None:
        if self._readers:
            await self.until_kafka_answers()
        if self._stop.is_set():
            return
        too_late = asyncio.get_running_loop().call_later(_JOIN_SECONDS, self._give_up_joining)
        try:
            await asyncio.gather(*(reader.start() for reader in self._readers))
        finally:
            too_late.cancel()

    def _give_up_joining(self) -> None:
        """A group may wait for ever for a member that is gone, as those of the embedded broker sometimes do."""
        log.error("could not join its groups in %g s; leaving so that a fresh start takes over", _JOIN_SECONDS)
        exit_uncommitted(EXIT_STUCK)

    async def until_kafka_answers(self) -> None:
        """Wait for a broker, and log why none answers. A consumer gives up at the first one that is away.

        Raises TransientError when its patience ends.
        """
        deadline = time.monotonic() + self._patience
        while not self._stop.is_set() and not await self._producer.reaches_kafka():
            if time.monotonic() > deadline:
                raise TransientError(f"no Kafka broker answered for {self._patience:g} s")
            log.warning("no Kafka broker answers; waiting for one")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 0.5)

    async def _watch(self) -> int:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 1.0)
            for reader in self._readers:
                if reader.crashed and not self._stop.is_set():
                    log.error("%s: its consumer ended; leaving so that a fresh start takes over", reader.name)
                    return EXIT_CRASHED
                if await self._is_unresponsive(reader):
                    log.error("%s: its consumer answers no more though Kafka does; leaving", reader.name)
                    exit_uncommitted(EXIT_STUCK)
                if not reader.measure():
                    log.error(
                        "%s: has work or a rebalance and committed nothing for %g s; leaving",
                        reader.name,
                        STUCK_SECONDS,
                    )
                    exit_uncommitted(EXIT_STUCK)
        return 0

    async def _is_unresponsive(self, reader: Reader) -> bool:
        """Whether its consumer answers nothing for longer than any request may take, and all the time a broker does.

        aiokafka may wait for ever for an answer that was lost with a broker; its heartbeats go on, and nobody else is
        given its partitions.
        """
        if reader.oldest_call_age < _SUSPICIOUS_SECONDS or not await self._producer.reaches_kafka():
            self._deaf_since.pop(reader.name, None)
            return False
        since = self._deaf_since.setdefault(reader.name, time.monotonic())
        return time.monotonic() - since > _DEAF_SECONDS

    async def _leave(self) -> None:
        """Leave the groups, or without them when time is up: Faust loses a cancellation, and goes on waiting."""
        leaving = asyncio.create_task(self._leave_groups(), name="leaving")
        await asyncio.wait({leaving}, timeout=_LEAVE_SECONDS)
        if not leaving.done():
            log.error("could not leave in %g s (is the broker away?); what is unfinished comes again", _LEAVE_SECONDS)
            exit_uncommitted(EXIT_CRASHED)
        leaving.result()

    async def _leave_groups(self) -> None:
        leaving = [reader.stop() for reader in self._readers], [follower.stop() for follower in self._followers]
        await asyncio.gather(*leaving[0], *leaving[1])
        await self._producer.close()
