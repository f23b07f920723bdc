"""Reading all of `inventory.events`, from its beginning and then on, without a consumer group."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message

from schemas.topics import INVENTORY_EVENTS
from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Cluster, Kafka
from workers.runtime.kafka.librdkafka import Reader
from workers.runtime.table import group_id

ANSWER_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 20.0
"""With neither a record nor the end of a partition for this long, the broker is taken to be away."""

_BATCH: Final = 10_000
_MOMENT: Final = 0.02  # what has come is taken at once: a small topic must not cost the time of a full batch


def reader_config(kafka: Kafka) -> dict[str, Any]:
    """For a consumer that reads partitions it is told of, fast."""
    return {
        **Cluster.of(kafka).for_librdkafka(),
        "group.id": group_id("cli"),  # demanded by the library; with assign() no group is joined
        "allow.auto.create.topics": False,
        "fetch.wait.max.ms": 20,
        "fetch.message.max.bytes": 4 << 20,
        "queued.min.messages": 200_000,
        "log_level": 0,
    }


class TopicLog:
    """One topic, all partitions. Use it as a context manager. All methods raise TransientError when Kafka is away."""

    def __init__(self, kafka: Kafka, topic: str = "") -> None:
        self._topic = topic or INVENTORY_EVENTS.name
        self._reader = Reader(reader_config(kafka))
        self._without_end: dict[int, int] = {}  # by partition, the end that was told, until it is reached
        self.partitions = 0

    def __enter__(self) -> TopicLog:
        try:
            self.restart()
        except TransientError:
            self._reader.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def restart(self) -> None:
        """Begin again at the beginning. A topic that does not exist is an empty one."""
        try:
            self.partitions = self._reader.partitions_of(self._topic, ANSWER_SECONDS)
            places = [(self._topic, number) for number in range(self.partitions)]
            ends = self._reader.ends(places, ANSWER_SECONDS)
            self._without_end = {number: end for (_, number), end in ends.items()}
            self._reader.assign(places)
        except KafkaException as error:
            raise TransientError(error.args[0].str()) from error

    def read(self, take: Callable[[Message], None]) -> None:
        """Read on to where the topic ends: to the end that each partition had at the start, then what comes at once."""
        last_sign = time.monotonic()
        while self._without_end:
            if self.read_some(take):
                last_sign = time.monotonic()
            elif self._without_end and time.monotonic() - last_sign > SILENCE_SECONDS:
                raise TransientError(f"no answer for {SILENCE_SECONDS:g} s")
        self.read_some(take)

    def read_some(self, take: Callable[[Message], None], seconds: float = _MOMENT) -> int:
        """Read what comes within this time. How many records it was."""
        if not self.partitions:
            time.sleep(seconds)
            return 0
        try:
            messages = self._reader.read(_BATCH, seconds)
        except KafkaException as error:
            raise TransientError(error.args[0].str()) from error
        taken = 0
        for message in messages:
            trouble = message.error()
            if trouble is None:
                take(message)
                taken += 1
            else:
                self._note(message, trouble)
        return taken

    def _note(self, message: Message, error: KafkaError) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            number, end = message.partition() or 0, message.offset() or 0
            if end >= self._without_end.get(number, 0):
                self._without_end.pop(number, None)
        elif error.fatal() or not error.retriable():
            raise TransientError(error.str())
