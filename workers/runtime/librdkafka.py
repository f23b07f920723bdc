"""What every long-lived Kafka client of ours that is built on librdkafka is told, and a reader that keeps its place."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

log = logging.getLogger(__name__)

STEADY: Final = {"metadata.recovery.strategy": "none"}
"""Keep what is known of the brokers while none of them answers.

librdkafka 2.10 and later otherwise begins anew from the bootstrap addresses whenever no broker is connected: many times
a second while the only one restarts, and it may not deliver for minutes after that.
"""

Partition = tuple[str, int]  # topic, number

_SILENT_SECONDS: Final = 3.0


class Reader:
    """Reads partitions from their beginning, in no group, and skips nothing: it remembers by itself what comes next.

    When a broker dies and comes back, librdkafka may take a partition for truncated and go on at one of its ends, or
    stop to fetch it without a word. Here, a partition of which nothing came for some seconds is asked for again at the
    record that comes next; that costs no request where nothing is new.
    """

    def __init__(self, config: Mapping[str, Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._consumer = Consumer(
            {
                **STEADY,
                **config,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
            },
            logger=log,
        )
        self._clock = clock
        self._checked = clock()
        self._heard: set[Partition] = set()  # since the last check
        self._misplaced: set[Partition] = set()  # a place was lost, and nothing came since
        self._next: dict[Partition, int] = {}  # the offset of the record that comes next

    @property
    def positions(self) -> dict[Partition, int]:
        """The offset of the record that comes next, for each partition of which anything was heard."""
        return {partition: offset for partition, offset in self._next.items() if offset >= 0}

    def partitions_of(self, topic: str, seconds: float) -> int:
        """How many; 0 when there is no such topic. Raises KafkaException."""
        found = self._consumer.list_topics(timeout=seconds).topics.get(topic)
        return len(found.partitions) if found is not None else 0

    def topics(self, seconds: float) -> list[str]:
        """All there are. Raises KafkaException."""
        return sorted(self._consumer.list_topics(timeout=seconds).topics)

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Read these from their beginning, and none else. Raises KafkaException."""
        self._next = dict.fromkeys(partitions, OFFSET_BEGINNING)
        self._misplaced.clear()
        self._consumer.assign(self._places(self._next))
        self._check_later()

    def read(self, most: int, seconds: float) -> list[Message]:
        """What came: records, errors, and now and then where a partition ends (_PARTITION_EOF). Raises KafkaException.

        An error _AUTO_OFFSET_RESET says that the record that comes next is no longer there.
        """
        messages = [each for each in self._consumer.consume(most, seconds) if self._note(each)]
        if self._clock() - self._checked > _SILENT_SECONDS:
            self._ask_again()
        return messages

    def _note(self, message: Message) -> bool:
        """Remember how far it came. False for what is of no interest to whoever reads."""
        partition, offset = (message.topic() or "", message.partition() or 0), message.offset() or 0
        error = message.error()
        if error is None:
            self._next[partition] = offset + 1
        elif error.code() == KafkaError._PARTITION_EOF:
            self._next[partition] = offset
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            log.warning("%s/%d: lost its place at %d: %s", *partition, self._next[partition], error.str())
            return self._is_gone(partition)
        else:
            return True
        self._heard.add(partition)
        self._misplaced.discard(partition)
        return True

    def _is_gone(self, partition: Partition) -> bool:
        """The first time it may be a mistake: it is asked for again."""
        gone = partition in self._misplaced
        self._misplaced.add(partition)
        return gone

    def _ask_again(self) -> None:
        silent = self._places(self._next.keys() - self._heard)
        if silent:
            self._consumer.incremental_unassign(silent)
            self._consumer.incremental_assign(silent)
        self._check_later()

    def _check_later(self) -> None:
        self._heard.clear()
        self._checked = self._clock()

    def _places(self, partitions: Iterable[Partition]) -> list[TopicPartition]:
        return [TopicPartition(*each, self._next[each]) for each in partitions]

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
