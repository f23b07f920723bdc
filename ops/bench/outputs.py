"""What came out of a run, read from the topics afterwards or while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from hashlib import blake2b
from typing import Final

from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from ops.bench.seller import WAREHOUSES
from schemas.topics import (
    ORDERS_BACKORDERED,
    ORDERS_DEFERRED,
    ORDERS_QUARANTINED,
    ORDERS_REVIEW,
    ORDERS_ROUTED,
    TRANSFERS_REQUESTED,
)
from workers.runtime.wire import DEDUPE_HEADER

ROUTED: Final = tuple(ORDERS_ROUTED.of(warehouse) for warehouse in WAREHOUSES)
FINAL_TOPICS: Final = (
    *ROUTED,
    *(topic.name for topic in (ORDERS_BACKORDERED, TRANSFERS_REQUESTED)),
    *(topic.name for topic in (ORDERS_REVIEW, ORDERS_DEFERRED, ORDERS_QUARANTINED)),
)
"""Every order of the benchmarks ends in one of these."""

_BATCH: Final = 10_000
_ANSWER_SECONDS: Final = 30.0


class Stalled(RuntimeError):
    """Nothing came out for too long."""


class Written:
    """How many messages the final topics hold, as the broker knows it: to read them would cost what is measured."""

    def __init__(self, kafka: str, partitions: int) -> None:
        self._admin = AdminClient({"bootstrap.servers": kafka, "log_level": 2})
        self._latest = {
            TopicPartition(name, number): OffsetSpec.latest() for name in FINAL_TOPICS for number in range(partitions)
        }

    def count(self) -> int:
        """So many now. Raises KafkaException."""
        asked = self._admin.list_offsets(self._latest, request_timeout=_ANSWER_SECONDS)
        return sum(each.result().offset for each in asked.values())


class Outputs:
    """Reads the final topics from their beginning."""

    def __init__(self, kafka: str, partitions: int) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": kafka,
                "group.id": "bench-outputs",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 500,
                "log_level": 2,
            }
        )
        self._consumer.assign(
            [TopicPartition(name, number, 0) for name in FINAL_TOPICS for number in range(partitions)]
        )
        self.out_at: dict[str, int] = {}  # order uid -> when its first output was written, ms since 1970
        self._said: dict[str, set[bytes]] = {}

    def read(self, seconds: float) -> int:
        """Take in what is there; waits at most so long for the first of it. How many messages that were."""
        messages = [message for message in self._consumer.consume(_BATCH, seconds) if message.error() is None]
        for message in messages:
            self._take(message)
        return len(messages)

    def _take(self, message: Message) -> None:
        uid = (message.key() or b"").decode()
        self.out_at.setdefault(uid, message.timestamp()[1])
        dedupe = dict(message.headers() or ()).get(DEDUPE_HEADER) or b""
        said = b"\0".join(((message.topic() or "").encode(), dedupe, message.value() or b""))
        self._said.setdefault(uid, set()).add(blake2b(said, digest_size=16).digest())

    def until(self, uids: Collection[str], patience: float, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Read on until each of these orders is out. Raises Stalled when nothing comes for `patience` seconds."""
        missing = set(uids) - self.out_at.keys()
        moved = time.monotonic()
        while missing:
            meanwhile()
            if self.read(0.2):
                missing -= self.out_at.keys()
                moved = time.monotonic()
            elif time.monotonic() - moved > patience:
                raise Stalled(f"{len(missing):,} of {len(uids):,} orders did not come out in {patience:g} s")

    def fingerprint(self) -> str:
        """The same for two runs that told every warehouse the same of every order, whatever the sequence."""
        whole = blake2b(digest_size=16)
        for uid in sorted(self._said):
            whole.update(uid.encode() + b"".join(sorted(self._said[uid])))
        return whole.hexdigest()

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
