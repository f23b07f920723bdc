"""The stock ledger in Redis: the only caller of its operations, in parts by who calls them.

Every change is one script, so every change is atomic; every method takes a batch and costs one round trip. All of them
raise TransientError when Redis is away; then some of the batch may have taken effect, and doing it again is safe.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any

from redis.asyncio import Redis

from workers.inventory.ledger.decisions import DecisionLedger
from workers.inventory.ledger.holds import HoldLedger
from workers.inventory.ledger.orders import OrderLedger
from workers.inventory.ledger.outbox import OutboxLedger
from workers.inventory.ledger.stock import StockLedger
from workers.inventory.ledger.warehouses import WarehouseLedger
from workers.inventory.operations.shared.context import CallContext
from workers.inventory.retention import REMEMBER_MS
from workers.inventory.waiting import WaitingList
from workers.runtime.redis.scripts import ScriptCall, run_scripts


class Ledger:
    """Counters, reservations and order pointers of all warehouses.

    `remember_seconds`: how long ended orders and tombstones are kept, so that late messages about them change nothing.
    It must be longer than the topics' retention and the longest outage together.
    """

    def __init__(self, redis: Redis, *, remember_seconds: float = REMEMBER_MS / 1000) -> None:
        self._redis = redis
        context = CallContext(int(remember_seconds * 1000))
        self.orders = OrderLedger(redis, self._run, context)
        self.warehouses = WarehouseLedger(redis, self._run)
        self.stock = StockLedger(redis, self._run, context)
        self.holds = HoldLedger(redis, self._run, context)
        self.decisions = DecisionLedger(redis, self._run, context)
        self.outbox = OutboxLedger(redis, self._run)
        self.waiting = WaitingList(redis, self._run)

    def _run(self, calls: Sequence[ScriptCall]) -> Awaitable[list[Any]]:
        return run_scripts(self._redis, calls)
