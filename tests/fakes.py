"""Stand-ins for unit tests of pure logic. Everything with state of its own is tested against the real thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from workers.inventory.ledger import Ledger
from workers.runtime.errors import TransientError
from workers.runtime.producer import Producer
from workers.runtime.records import Record


@dataclass
class KafkaRecord:
    """What aiokafka hands over, as far as the runtime looks at it."""

    value: bytes
    key: bytes = b"taobao:shop:1"
    offset: int = 0
    topic: str = "orders.raw.taobao"
    partition: int = 0
    timestamp: int = 1_762_790_400_000
    timestamp_type: int = 0
    headers: Sequence[tuple[str, bytes]] = field(default_factory=tuple)


class FakeProducer(Producer):
    """Keeps what it is given; fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__("nowhere:1")
        self.sent: list[Record] = []
        self._failures = failures

    async def send(self, records: Sequence[Record]) -> None:
        """Store the records, or raise TransientError."""
        if self._failures:
            self._failures -= 1
            raise TransientError("broker away")
        self.sent.extend(records)


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
