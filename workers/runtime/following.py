"""A stage that keeps its places itself: reads topics from there, in a thread, and writes what they say with them.

What it writes to may be away for hours. Then nothing is read, nothing else notices, and its backlog is told all the
same.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException

from schemas.namespace import unprefixed
from workers.runtime import metrics
from workers.runtime.errors import TransientError, path_of
from workers.runtime.kafka.cluster import Cluster
from workers.runtime.kafka.librdkafka import Reader
from workers.runtime.stage import Follower, Following, KeptPlaces, NotOurTurn, Partition
from workers.runtime.table import Group, group_id

log = logging.getLogger(__name__)

_ANSWER_SECONDS: Final = 5.0
_MOMENT: Final = 0.1  # what has come is written at once: a person may be waiting to see it
_TOPICS_SECONDS: Final = 15.0  # a warehouse that is new has a topic that is new
_MEASURE_SECONDS: Final = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_TURN_SECONDS: Final = 1.0


def _config(cluster: Cluster) -> dict[str, Any]:
    return {
        **cluster.for_librdkafka(),
        "group.id": group_id("following"),  # demanded by the library; with assign() no group is joined
        "allow.auto.create.topics": False,
        "fetch.wait.max.ms": 50,
        "queued.max.messages.kbytes": 16 << 10,
        "log_level": 0,
    }


class FollowerThread:
    """Runs the agent of one group that keeps its places itself."""

    def __init__(self, group: Group, agent: Follower, cluster: Cluster, most: int) -> None:
        """`most`: records that are written at once."""
        assert isinstance(group.reads, Following)
        self.name = group.name
        self._topics = group.reads.topics
        self._agent = agent
        self._cluster = cluster
        self._most = most
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=group.name, daemon=True)
        self._partitions: frozenset[Partition] = frozenset()
        self._positions: Mapping[Partition, int] = {}
        self._looked = self._measured = float("-inf")
        self._retries = metrics.RETRIES.labels(self.name)
        self._bugs = metrics.BUGS.labels(self.name)
        self._records = metrics.STAGE_RECORDS.labels(self.name)
        self._seconds = metrics.STAGE_SECONDS.labels(self.name)

    def start(self) -> None:
        """Begin. Whatever is away is waited for."""
        self._thread.start()

    async def stop(self) -> None:
        """Finish what is in hand and leave. Waits as long as that takes."""
        self._stop.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            reader = Reader(_config(self._cluster))  # a new one each time: what an old one holds may be past our place
            try:
                with self._agent.session() as session:
                    pause = _FIRST_PAUSE
                    self._follow(reader, session)
            except NotOurTurn:
                self._stop.wait(_TURN_SECONDS)
            except TransientError as error:
                self._retries.inc()
                log.warning("%s: %s; trying again in %.1f s", self.name, error, pause)
                self._rest(reader, pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except Exception as error:
                self._bugs.inc()
                kind, path = type(error).__name__, path_of(error)  # its words may quote an order
                log.error("%s: bug, %s at %s; trying again in %.1f s", self.name, kind, path, _LONGEST_PAUSE)
                log.debug("%s: that bug", self.name, exc_info=True)
                self._rest(reader, _LONGEST_PAUSE)
            finally:
                reader.close()

    def _rest(self, reader: Reader, seconds: float) -> None:
        """Wait, and tell meanwhile how much there is to do. Kafka may be what is away."""
        try:
            self._look_for_topics(reader)
            if self._due():
                self._measure(reader.ends(self._partitions, _ANSWER_SECONDS))
        except KafkaException as error:
            log.info("%s: how much there is to do is not known: %s", self.name, error.args[0].str())
        self._stop.wait(seconds)

    # -- reading

    def _follow(self, reader: Reader, session: KeptPlaces) -> None:
        try:
            self._look_for_topics(reader, anew=True)
            self._assign(reader, session.places())
            while not self._stop.is_set():
                if self._look_for_topics(reader):
                    self._assign(reader, {**session.places(), **reader.positions})
                self._step(reader, session)
        except KafkaException as error:
            raise TransientError(f"Kafka: {error.args[0].str()}") from error

    def _step(self, reader: Reader, session: KeptPlaces) -> None:
        records = []
        for message in reader.read(self._most, _MOMENT):
            trouble = message.error()
            if trouble is None:
                records.append(message)
            elif trouble.code() == KafkaError._AUTO_OFFSET_RESET:
                self._begin_again(reader, session, (message.topic() or "", message.partition() or 0))
            elif trouble.fatal():
                raise KafkaException(trouble)
        if records:
            started = time.perf_counter()
            session.write(records)
            self._seconds.observe(time.perf_counter() - started)
            self._records.inc(len(records))
        else:
            session.idle()
        self._positions = reader.positions
        if self._due():
            self._measure(reader.known_ends())

    def _begin_again(self, reader: Reader, session: KeptPlaces, partition: Partition) -> None:
        """What comes next is gone: its retention passed meanwhile, or the topic was made anew."""
        log.error("%s: %s/%d: the next record is gone; reading it from its beginning", self.name, *partition)
        session.forget(partition)
        self._assign(reader, {**session.places(), **reader.positions, partition: OFFSET_BEGINNING})

    def _assign(self, reader: Reader, places: Mapping[Partition, int]) -> None:
        reader.assign_at({each: places.get(each, OFFSET_BEGINNING) for each in sorted(self._partitions)})

    def _look_for_topics(self, reader: Reader, *, anew: bool = False) -> bool:
        """Whether there are others than before. A topic that is not there yet is looked for again."""
        if not anew and time.monotonic() - self._looked < _TOPICS_SECONDS:
            return False
        found = frozenset(each for each in self._found(reader) if self._agent.takes(each))
        changed, self._partitions = found != self._partitions, found
        self._looked = time.monotonic()
        return changed

    def _found(self, reader: Reader) -> Iterable[Partition]:
        for name, count in reader.partitions(_ANSWER_SECONDS).items():
            if any(topic.holds(name) for topic in self._topics):
                yield from ((name, number) for number in range(count))

    # -- telling

    def _due(self) -> bool:
        return time.monotonic() - self._measured > _MEASURE_SECONDS

    def _measure(self, ends: Mapping[Partition, int]) -> None:
        if not ends:
            return
        self._measured = time.monotonic()
        by_topic: dict[str, int] = {unprefixed(name): 0 for name, _ in self._partitions}
        for partition, end in ends.items():
            name = unprefixed(partition[0])
            by_topic[name] = by_topic.get(name, 0) + max(0, end - self._positions.get(partition, 0))
        for name, lag in by_topic.items():
            metrics.BACKLOG.labels(self.name, name).set(lag)
