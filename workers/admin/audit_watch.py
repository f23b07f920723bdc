"""The stock audit, again and again: what it finds becomes metrics, and notices by kind of finding."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.codes import NoticeCode
from schemas.notice import FLEET, Notice, NoticeSeverity
from schemas.topics import NOTICES
from workers.inventory.report import AuditReport, FindingKind
from workers.rebuild.stock_audit import RunAudit, measure
from workers.runtime import metrics
from workers.runtime.errors import TransientError
from workers.runtime.kafka.producer import Producer
from workers.runtime.outputs import Sender, of_events
from workers.runtime.settings import Settings
from workers.runtime.wire import Encoder
from workers.watch.overdue import moment_of

log = logging.getLogger(__name__)

AGAIN: Final = timedelta(hours=1)
"""What stands is said again after so long: what people were told is forgotten with a Redis that was emptied."""

UNKNOWN: Final = timedelta(minutes=10)
"""An audit that could not be made for so long is told of."""

_STAGE: Final = "audit"
_SEND_SECONDS: Final = 5.0
_ENCODE: Final = Encoder([NOTICES])


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


class AuditNotices:
    """What people were told of audits by this process. One that begins says all, that something is over, too."""

    def __init__(self, now: datetime) -> None:
        self._told: dict[FindingKind, int] = {}
        self._told_at = now - AGAIN
        self._last_audit = now
        self._away = True  # another process may have said so

    def of_report(self, report: AuditReport, now: datetime) -> list[Notice]:
        """What is to be told of this audit. Not noted before `sent`."""
        found = Counter(finding.kind for finding in report.findings)
        everything = now - self._told_at >= AGAIN
        notices = [
            _of_kind(kind, found[kind], kind in self._told, now)
            for kind in FindingKind
            if everything or found[kind] != self._told.get(kind, 0)
        ]
        if self._away:
            notices.append(_away(now, now, raised=False))
        return notices

    def sent(self, report: AuditReport, now: datetime) -> None:
        """Kafka has what is to be told of this audit."""
        if now - self._told_at >= AGAIN:
            self._told_at = now
        self._told = dict(Counter(finding.kind for finding in report.findings))
        self._last_audit, self._away = now, False

    def of_failure(self, now: datetime) -> list[Notice]:
        """What is to be told when no audit can be made."""
        return [_away(self._last_audit, now, raised=True)] if now - self._last_audit >= UNKNOWN else []

    def failure_sent(self) -> None:
        """Kafka has it."""
        self._away = True


def _of_kind(kind: FindingKind, count: int, again: bool, now: datetime) -> Notice:
    oversold = kind is FindingKind.NEGATIVE_AVAILABLE
    return Notice(
        key=f"audit/{kind}",
        explanation=NoticeCode.AUDIT_FINDINGS(count=count, kind=kind.value),
        severity=NoticeSeverity.WARNING if oversold else NoticeSeverity.CRITICAL,
        scope=FLEET,
        raised=count > 0,
        at=now,
        count=0 if again else 1,
    )


def _away(since: datetime, now: datetime, *, raised: bool) -> Notice:
    return Notice(
        key="audit-away/stock",
        explanation=NoticeCode.AUDIT_AWAY(since=moment_of(since)),
        severity=NoticeSeverity.WARNING,
        scope=FLEET,
        raised=raised,
        at=now,
        count=0,
    )


class AuditWatch:
    """Audits that measure and tell. `producer` None: nobody is told."""

    def __init__(self, producer: Sender | None, now: Callable[[], datetime] = utc_now) -> None:
        self._producer, self._now = producer, now
        self._notices = AuditNotices(now())

    async def round(self, run: RunAudit) -> AuditReport:
        """One audit. Raises TransientError when it cannot be made; what cannot be sent of it is said with the next."""
        started = time.monotonic()
        report = await run()
        measure(report, time.monotonic() - started)
        now = self._now()
        if await self._sent(self._notices.of_report(report, now)):
            self._notices.sent(report, now)
        return report

    async def failed(self) -> None:
        """An audit could not be made: count it, and tell of it when that goes on."""
        metrics.AUDIT_FAILURES.inc()
        notices = self._notices.of_failure(self._now())
        if await self._sent(notices) and notices:
            self._notices.failure_sent()

    async def _sent(self, notices: Sequence[Notice]) -> bool:
        """Whether Kafka has them. It may be away, or without the topic: no audit waits for that."""
        if self._producer is None or not notices:
            return True
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await of_events(_STAGE, notices, _ENCODE).send(self._producer)
        except (TransientError, TimeoutError) as error:
            log.warning("audit: %d notices are not sent: %s", len(notices), error or "no answer in time")
            return False
        return True


@asynccontextmanager
async def opened_audit_watch(settings: Settings, *, with_kafka: bool) -> AsyncIterator[AuditWatch]:
    """Closed again in any case."""
    if not with_kafka:
        yield AuditWatch(None)
        return
    producer = Producer(settings.cluster)
    producer.start()
    try:
        yield AuditWatch(producer)
    finally:
        await producer.close()
