"""The stock audit against the inventory events: Kafka's, and those that still wait in the outbox for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from typing import Final

from confluent_kafka import Message
from redis.asyncio import Redis

from schemas.record import encode
from workers.inventory import findings
from workers.inventory.keys import reservation_key, stock_key, transfer_key
from workers.inventory.ledger import Ledger
from workers.inventory.ownership import held_twice, in_several
from workers.inventory.report import AuditReport, Finding, FindingKind
from workers.inventory.retention import MOVED_MS, REMEMBER_MS
from workers.inventory.snapshot import PAGE, Page, Snapshots
from workers.rebuild.event_log import TopicLog
from workers.rebuild.replay import Replay, WarehouseReplay
from workers.rebuild.replay_audit import ReplayAudit, event_findings
from workers.runtime import metrics
from workers.runtime.kafka.cluster import Kafka

_MISSING_SECONDS: Final = 5.0
"""An event that is no longer in the outbox was confirmed by Kafka before: there it must be found within this time."""
_WAIT_SECONDS: Final = 0.2

RunAudit = Callable[[], Awaitable[AuditReport]]
TakePage = Callable[[str, list[str]], Awaitable[Page]]


@asynccontextmanager
async def opened_audit(redis: Redis, kafka: Kafka | None) -> AsyncIterator[RunAudit]:
    """One audit a call; `kafka` None: of Redis alone. Raises TransientError when one of them is away."""
    if kafka is None:
        yield Ledger(redis).stock.audit
        return
    await Ledger(redis).stock.warehouses()  # a Redis that is away is told of first
    with TopicLog(kafka) as log:
        yield ReplayedAudit(redis, log).run


def measure(report: AuditReport, seconds: float) -> None:
    """Make metrics of an audit that took so long."""
    kinds = [finding.kind for finding in report.findings]
    for kind in FindingKind:
        metrics.AUDIT_FINDINGS.labels(kind.value).set(kinds.count(kind))
    metrics.AUDIT_NEGATIVE.set(kinds.count(FindingKind.NEGATIVE_AVAILABLE))
    metrics.AUDIT_TIME.set_to_current_time()
    metrics.AUDIT_SECONDS.set(seconds)
    metrics.AUDIT_LAG.set(report.lag)


class ReplayedAudit:
    """Audits one Redis against one topic, as often as asked; the events are read only once."""

    def __init__(self, redis: Redis, log: TopicLog, now: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._log = log
        self._now = now
        self._ledger = Ledger(redis)
        self._snapshots = Snapshots(redis)
        self._replay = Replay(REMEMBER_MS, MOVED_MS)
        self._behind: dict[str, Finding] = {}

    async def run(self) -> AuditReport:
        """One audit. Raises TransientError when Redis or Kafka is away."""
        await self._catch_up()
        newest = {one.warehouse_id: one.newest for one in self._replay}
        audits: list[ReplayAudit] = []
        found: list[Finding] = []
        lag = 0
        for warehouse_id in sorted({*await self._ledger.stock.warehouses(), *self._replay.warehouses}):
            audit = await self._warehouse(warehouse_id)
            audits.append(audit)
            replay = self._replay.warehouse(warehouse_id)
            lag += max(0, replay.sequence - newest.get(warehouse_id, 0))
            found += [*audit.findings, *event_findings(replay)]
        found += self._behind.values()
        if self._replay.unreadable:
            found.append(findings.unreadable_events(self._replay.unreadable))
        found += await held_twice(self._redis, in_several({one.warehouse_id: _holders(one) for one in self._replay}))
        return AuditReport(
            warehouses=len(audits),
            skus=sum(audit.skus for audit in audits),
            reservations=sum(audit.reservations for audit in audits),
            findings=tuple(found),
            events=self._replay.events,
            lag=lag,
        )

    async def _catch_up(self) -> None:
        """Read on; from the beginning where the last audit found that something is missing."""
        if any(one.lost or one.conflicts for one in self._replay) or self._behind:
            self._replay = Replay(REMEMBER_MS, MOVED_MS)
            self._behind = {}
            await asyncio.to_thread(self._log.restart)
        for one in self._replay:
            one.advance()
        await asyncio.to_thread(self._log.read, self._take)
        for one in self._replay:
            one.advance()

    def _take(self, message: Message) -> None:
        self._replay.offer(message.value() or b"")

    async def _warehouse(self, warehouse_id: str) -> ReplayAudit:
        replay, snapshots = self._replay.warehouse(warehouse_id), self._snapshots
        audit = ReplayAudit(replay, int(self._now() * 1000))
        skus = await snapshots.names(stock_key(warehouse_id, "")) | replay.stock.keys() | replay.sums.keys()
        await self._pages(replay, skus, snapshots.stock, audit.stock)
        orders = await snapshots.names(reservation_key(warehouse_id, "")) | replay.records.keys()
        orders |= await snapshots.orders_with_deadline(warehouse_id)
        await self._pages(replay, orders, snapshots.records, audit.records)
        transfers = await snapshots.names(transfer_key(warehouse_id, "")) | replay.transfers.keys()
        await self._pages(replay, transfers, snapshots.transfers, audit.transfers)
        return audit

    async def _pages(
        self, replay: WarehouseReplay, names: Collection[str], take: TakePage, compare: Callable[[Page], None]
    ) -> None:
        """Each page with the replay brought to the event at which the page was taken."""
        for part in _parts(sorted(names)):
            page = await take(replay.warehouse_id, part)
            if await self._reach(replay, page.sequence):
                compare(page)

    async def _reach(self, replay: WarehouseReplay, number: int) -> bool:
        """Bring the replay to this event: what it lacks is in the outbox, or has come to Kafka meanwhile."""
        if number < replay.newest:
            behind = findings.redis_behind(replay.warehouse_id, number, replay.newest)
            self._behind[replay.warehouse_id] = behind
            return False
        if replay.advance(number):
            return True
        async for event in self._snapshots.outbox(replay.warehouse_id):
            self._replay.offer(encode(event))
        deadline = time.monotonic() + _MISSING_SECONDS
        while not replay.advance(number):
            if time.monotonic() > deadline:
                replay.skip_gap()
            await asyncio.to_thread(self._log.read_some, self._take, _WAIT_SECONDS)
        return True


def _parts(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), PAGE):
        yield names[start : start + PAGE]


def _holders(replay: WarehouseReplay) -> list[str]:
    return [uid for uid, record in replay.records.items() if record.is_live and record.stop != "release"]
