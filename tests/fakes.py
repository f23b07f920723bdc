"""Stand-ins for unit tests of pure logic. Everything with state of its own is tested against the real thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from workers.inventory.ledger import Ledger
from workers.runtime.errors import RecordsRefused, TransientError
from workers.runtime.kafka.producer import Producer
from workers.runtime.kafka.records import Record


@dataclass
class KafkaRecord:
    """What aiokafka hands over, as far as the runtime looks at it."""

    value: bytes | None
    key: bytes | None = b"taobao:shop:1"
    offset: int = 0
    topic: str = "orders.raw.taobao"
    partition: int = 0
    timestamp: int = 1_762_790_400_000
    timestamp_type: int = 0
    headers: Sequence[tuple[str, bytes | None]] = field(default_factory=tuple)


class FakeProducer(Producer):
    """Keeps what it is given; fails as often as it is told to, and takes no value beyond `most` bytes."""

    def __init__(self, failures: int = 0, most: Mapping[str, int] | None = None) -> None:
        super().__init__("nowhere:1")
        self.sent: list[Record] = []
        self._failures = failures
        self._most = most or {}

    async def send(self, records: Sequence[Record]) -> None:
        """Store the records, or raise TransientError; those that are too large are refused, the others stored."""
        if self._failures:
            self._failures -= 1
            raise TransientError("broker away")
        refused = {n: "MessageSizeTooLarge" for n, each in enumerate(records) if self._too_large(each)}
        self.sent.extend(each for n, each in enumerate(records) if n not in refused)
        if refused:
            raise RecordsRefused(refused)

    def _too_large(self, record: Record) -> bool:
        return len(record.value) > self._most.get(record.topic, 1 << 30)


class DyingLedger(Ledger):
    """A ledger whose caller dies at the given call, before or after it has its effect."""

    def __init__(self, redis: Redis, at: int, *, after: bool) -> None:
        super().__init__(redis)
        self._left = at
        self._after = after

    async def _run(self, calls: Any) -> Any:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise TransientError("died before")
        replies = await super()._run(calls)
        if self._left == 0:
            raise TransientError("died after")
        return replies
