"""A group that reads topics: its Faust app, and what a worker asks it for."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import faust
from faust.auth import Credentials, SASLCredentials, SSLCredentials
from faust.types import TP

from schemas.namespace import unprefixed
from schemas.topics import Topic
from workers.runtime import metrics
from workers.runtime.faust_bridge.patching import patch_aiokafka
from workers.runtime.faust_bridge.recovery import PatientTables
from workers.runtime.faust_bridge.transport import ChunkConsumer, ChunkTransport
from workers.runtime.kafka.cluster import Cluster
from workers.runtime.partition_scheduler import CHUNKS_HELD, PartitionScheduler
from workers.runtime.settings import Settings
from workers.runtime.stage_runner import StageRunner
from workers.runtime.table import Group, group_id

STUCK_SECONDS: Final = 60.0
"""A worker that gets nothing done for so long, though there is work, leaves."""


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
        return time.monotonic() - since < STUCK_SECONDS


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
