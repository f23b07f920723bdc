"""The counters of all warehouses: counts, levels, transfers, and the audit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from redis.asyncio import Redis

from workers.inventory.keys import stock_key, transfer_key, warehouses_key
from workers.inventory.operations import count, transfer
from workers.inventory.operations.shared.context import CallContext, RunScripts
from workers.inventory.operations.transfer import Transfer, TransferOutcome
from workers.inventory.ownership import held_twice, in_several
from workers.inventory.reading import audit_warehouse, read_levels
from workers.inventory.records import Count, Quantities, StockLevel
from workers.inventory.report import AuditReport, Finding
from workers.runtime.redis.errors import redis_errors
from workers.runtime.redis.scripts import read_all

_COUNTS_PER_CALL: Final = 500
_AUDIT_PASSES: Final = 5


class StockLedger:
    """Counts and transfers change the counters; the rest only reads them."""

    def __init__(self, redis: Redis, run: RunScripts, context: CallContext) -> None:
        self._redis = redis
        self._run = run
        self._context = context

    async def warehouses(self) -> list[str]:
        """The ids of all warehouses that were ever counted, sorted."""
        with redis_errors():
            members: Any = await self._redis.smembers(warehouses_key())
        return sorted(member.decode() for member in members)

    async def set_counts(
        self, warehouse_id: str, counts: Mapping[str, Count], at_ms: int | None = None
    ) -> dict[str, int]:
        """Set on-hand units and safety stock. What may be promised of each SKU then; below zero calls for a person.

        `at_ms`: when it was counted, ms since 1970; None: now. What left or came in after that is applied to the count;
        a count older than one that was set before leaves on-hand units alone.
        """
        with redis_errors():
            await self._redis.sadd(warehouses_key(), warehouse_id)
        available: dict[str, int] = {}
        skus = list(counts)
        for start in range(0, len(skus), _COUNTS_PER_CALL):
            part = {sku: counts[sku] for sku in skus[start : start + _COUNTS_PER_CALL]}
            [reply] = await self._run([count.call(warehouse_id, part, at_ms, self._context)])
            available |= count.parse(part, reply)
        return available

    async def transfer(self, steps: Sequence[Transfer]) -> list[tuple[TransferOutcome, Quantities]]:
        """Take steps of transfers; with INSUFFICIENT what could be had of each SKU. Raises CorruptLedger."""
        with redis_errors():
            for warehouse_id in {step.warehouse_id for step in steps}:
                await self._redis.sadd(warehouses_key(), warehouse_id)
        replies = await self._run([transfer.call(step, self._context) for step in steps])
        return [transfer.parse(step, reply) for step, reply in zip(steps, replies, strict=True)]

    async def transfer_states(self, asked: Sequence[tuple[str, str]]) -> list[str]:
        """How (warehouse, transfer id) stand there: `reserved`, `sent`, `cancelled`, `received`; "": not begun."""
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for warehouse_id, transfer_id in asked:
                pipeline.hget(transfer_key(warehouse_id, transfer_id), "state")
            found: Any = await pipeline.execute()
        return [(state or b"").decode() for state in found]

    async def levels(self, warehouse_id: str, skus: Collection[str] | None = None) -> list[StockLevel]:
        """The counters of these SKUs, by default all of the warehouse, sorted by SKU. Raises CorruptLedger."""
        levels = [level async for level in read_levels(self._redis, warehouse_id, skus)]
        return sorted(levels, key=lambda level: level.sku)

    async def available(self, asked: Sequence[tuple[str, str]]) -> list[int]:
        """What may be promised of each (warehouse, SKU). Raises CorruptLedger."""
        found: dict[tuple[str, str], int] = {}
        by_warehouse: dict[str, set[str]] = {}
        for warehouse_id, sku in asked:
            by_warehouse.setdefault(warehouse_id, set()).add(sku)
        for warehouse_id, skus in by_warehouse.items():
            for level in await self.levels(warehouse_id, skus):
                found[warehouse_id, level.sku] = level.available_to_promise
        return [found[pair] for pair in asked]

    async def counted(self, asked: Sequence[tuple[str, str]]) -> list[bool]:
        """Whether each (warehouse, SKU) was ever counted."""
        found = await read_all(self._redis, [("EXISTS", stock_key(*pair)) for pair in asked])
        return [bool(number) for number in found]

    async def audit(self) -> AuditReport:
        """Compare all counters with the reservations they must be the sum of.

        On a live system numbers move while they are read: what is found is looked at again until nothing moved
        meanwhile, and where something always moves only what is found in every pass is reported.
        """
        warehouses = await self.warehouses()
        skus = reservations = 0
        findings: list[Finding] = []
        holders: dict[str, frozenset[str]] = {}
        for warehouse_id in warehouses:
            seen = await audit_warehouse(self._redis, warehouse_id)
            found = list(seen.findings)
            for _ in range(_AUDIT_PASSES - 1):
                if not found or seen.settled:
                    break
                seen = await audit_warehouse(self._redis, warehouse_id)
                found = list(seen.findings) if seen.settled else [each for each in found if each in seen.findings]
            skus += seen.skus
            reservations += seen.reservations
            findings += found
            holders[warehouse_id] = seen.holders
        findings += await held_twice(self._redis, in_several(holders))
        return AuditReport(warehouses=len(warehouses), skus=skus, reservations=reservations, findings=tuple(findings))
