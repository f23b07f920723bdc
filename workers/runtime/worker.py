"""One worker process: the Faust apps of its groups, its timers, and how all of them start, fail and leave."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import faust
from faust.auth import Credentials, SASLCredentials, SSLCredentials
from faust.types import TP

from schemas.namespace import unprefixed
from schemas.topics import Topic
from workers.runtime import metrics
from workers.runtime.errors import TransientError, path_of
from workers.runtime.faust_bridge.patching import patch_aiokafka
from workers.runtime.faust_bridge.recovery import PatientTables
from workers.runtime.faust_bridge.transport import ChunkConsumer, ChunkTransport
from workers.runtime.following import FollowerThread
from workers.runtime.kafka.cluster import Cluster
from workers.runtime.kafka.producer import Producer
from workers.runtime.outputs import of_events
from workers.runtime.partition_scheduler import CHUNKS_HELD, PartitionScheduler
from workers.runtime.settings import Settings
from workers.runtime.stage import Every, Ticking
from workers.runtime.stage_runner import StageRunner, exit_uncommitted
from workers.runtime.table import Group, group_id
from workers.runtime.tasks import end_tasks
from workers.runtime.wire import Encoder

log = logging.getLogger(__name__)

EXIT_CRASHED: Final = 1
EXIT_STUCK: Final = 71

_LEAVE_SECONDS: Final = 8.0  # of the ten we promise from SIGTERM to the end
_LAST_SECONDS: Final = 9.5  # the same, when the event loop stands still
_STUCK_SECONDS: Final = 60.0
_JOIN_SECONDS: Final = 60.0  # from a broker's first answer; several rebalances and a change of the coordinator fit in
_SUSPICIOUS_SECONDS: Final = 5.0
_DEAF_SECONDS: Final = 20.0


def build_app(group: Group, topics: Sequence[str], settings: Settings) -> faust.App:
    """The Faust app of one group that reads topics: chunk transport, raw values, and nothing that commits early."""
    rebalance = max(12, 2 * settings.session_seconds)
    app = faust.App(
        group_id(group.name),
        broker=";".join(f"kafka://{address.strip()}" for address in settings.kafka.split(",")),
        broker_credentials=_credentials(settings.cluster),
        store="memory://",
        datadir=str(Path(tempfile.gettempdir()) / f"{group_id(group.name)}-{os.getuid()}"),  # must be; stays empty
        autodiscover=False,
        web_enabled=False,
        value_serializer="raw",
        key_serializer="raw",
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        TableManager=PatientTables,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=1 << 20,
        broker_max_poll_records=CHUNKS_HELD * settings.chunk_records,
        broker_session_timeout=settings.session_seconds,
        broker_heartbeat_interval=max(0.3, settings.session_seconds / 6),
        broker_rebalance_timeout=rebalance,
        broker_request_timeout=rebalance + 3,  # joining may take all of a rebalance; a dead connection takes this long
        broker_commit_interval=settings.commit_seconds,
        broker_max_poll_interval=300,
        stream_buffer_maxsize=2,
        stream_wait_empty=True,
        producer_threaded=False,
        stream_publish_on_commit=False,
    )
    app.transport = ChunkTransport(app, chunk_records=settings.chunk_records, fetch_wait_ms=settings.fetch_wait_ms)
    return app


def _credentials(cluster: Cluster) -> Credentials | None:
    context = cluster.ssl_context() if cluster.encrypted else None
    if cluster.requires_auth:
        return SASLCredentials(
            username=cluster.username,
            password=cluster.password.get_secret_value(),
            mechanism=cluster.mechanism,
            ssl_context=context,
        )
    return None if context is None else SSLCredentials(context)


class Reader:
    """A group that reads topics: its Faust app with one agent."""

    def __init__(self, group: Group, topics: Sequence[str], shell: StageRunner, settings: Settings) -> None:
        self.name = group.name
        self.group = group
        self.app = build_app(group, topics, settings)
        self.yields_to: Sequence[Reader] = ()
        self._shell = shell
        self._scheduler: PartitionScheduler | None = None
        self._moved: tuple[float, dict[TP, int | None]] = (time.monotonic(), {})
        self._topics = tuple(topics)
        inbound = self.app.topic(*topics, key_type=bytes, value_type=bytes)

        async def consume(stream: Any) -> None:
            self._scheduler = lanes = PartitionScheduler(shell.run, settings.chunk_records, self._yields)
            try:
                async for event in stream.noack().events():
                    await lanes.put(event)
            finally:
                await lanes.close()

        self.app.agent(inbound, name=group.name)(consume)

    @property
    def only_computes(self) -> bool:
        """Whether it waits for hardly anything but Kafka: its agents say so themselves, `gives_way`."""
        return self._shell.only_computes

    def _yields(self) -> bool:
        return any(reader._scheduler is not None and reader._scheduler.crowded for reader in self.yields_to)

    async def start(self) -> None:
        """Join the group. Raises when the broker is away: the process is to be restarted."""
        patch_aiokafka()
        self.app.finalize()
        await self.app.start()

    async def stop(self) -> None:
        """Finish what is in hand, commit and leave the group."""
        await self.app.stop()

    @property
    def crashed(self) -> bool:
        """Whether the app ended on its own."""
        return bool(self.app.crashed or self.app.should_stop)

    @property
    def oldest_call_age(self) -> float:
        """How long its consumer has been at work on the oldest of what it was asked, such as to fetch or commit."""
        consumer = self.app.consumer
        assert isinstance(consumer, ChunkConsumer)
        return consumer.oldest_call_age

    def measure(self) -> bool:
        """Export the backlog. False when it is stuck: for a minute no commit has moved, though there is a backlog.

        While the consumer rests, as it does during a rebalance, it does not know of any.
        """
        consumer = self.app.consumer
        assert isinstance(consumer, ChunkConsumer)
        backlog = consumer.backlog()
        by_topic = dict.fromkeys(self._topics, 0)  # 0: all its partitions went to other workers
        for tp, lag in backlog.items():
            by_topic[tp.topic] += lag
        for topic, lag in by_topic.items():
            metrics.BACKLOG.labels(self.name, unprefixed(topic)).set(lag)
        committed = {tp: consumer.committed(tp) for tp in backlog}
        since, before = self._moved
        if committed != before or (consumer.flow_active and not any(backlog.values())):
            self._moved = (time.monotonic(), committed)
            return True
        return time.monotonic() - since < _STUCK_SECONDS


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
            faulthandler.dump_traceback_later(_STUCK_SECONDS, exit=True)
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
                        _STUCK_SECONDS,
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


def set_backpressure_priority(readers: Sequence[Reader]) -> None:
    """Groups that only compute give way to those that read what they write.

    Else they keep the processor to themselves, and most of a long backlog is planned before much of it is routed.
    """
    for reader in readers:
        if reader.only_computes:
            written = {topic for stage in reader.group.stages for topic in stage.writes}
            reader.yields_to = [other for other in readers if other.group.reads in written]


def topic_names(topic: Topic, members: Sequence[str]) -> list[str]:
    """The names behind a table's topic: one, or one per member of its family."""
    return [topic.of(member) for member in members] if topic.per else [topic.name]
