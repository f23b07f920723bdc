"""Audits tell people of each kind of finding once, that it is over, and that no audit can be made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from schemas.notice import Notice
from schemas.record import decode
from schemas.text import Text
from tests.builders import NOON
from workers.admin.audit_watch import AGAIN, UNKNOWN, AuditWatch
from workers.inventory.report import AuditReport, Finding, FindingKind
from workers.runtime.errors import TransientError
from workers.runtime.kafka.records import Record


class Kafka:
    """Takes records, unless it is away."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.away = False

    async def send(self, records: Sequence[Record]) -> None:
        if self.away:
            raise TransientError("away")
        self.notices += [decode(Notice, record.value) for record in records]

    def news(self) -> list[tuple[str, bool, int]]:
        found = [(one.key, one.raised, int(one.explanation.args.get("count", 0))) for one in self.notices]
        self.notices.clear()
        return found


class Watched:
    """An audit whose findings are set by hand."""

    def __init__(self) -> None:
        self.kafka, self.at, self.kinds = Kafka(), NOON, list[FindingKind]()
        self.watch = AuditWatch(self.kafka, lambda: self.at)

    async def _run(self) -> AuditReport:
        found = tuple(Finding(kind=kind, warehouse_id="hangzhou", message=Text("x", "x")) for kind in self.kinds)
        return AuditReport(warehouses=1, skus=1, reservations=1, findings=found)

    async def round(self, *kinds: FindingKind, after: timedelta = timedelta(minutes=1)) -> list[tuple[str, bool, int]]:
        self.at, self.kinds = self.at + after, list(kinds)
        await self.watch.round(self._run)
        return self.kafka.news()


DRIFT, NEGATIVE = FindingKind.COUNTER_DRIFT, FindingKind.NEGATIVE_AVAILABLE


async def test_a_process_that_begins_says_what_is_over_too() -> None:
    watched = Watched()
    said: Any = await watched.round(DRIFT)
    assert {key for key, raised, _ in said if raised} == {"audit/counter-drift"}
    over = {key for key, raised, _ in said if not raised}
    assert over == {"audit-away/stock"} | {f"audit/{kind}" for kind in FindingKind if kind is not DRIFT}


async def test_what_changes_is_told_and_what_stays_is_not() -> None:
    watched = Watched()
    await watched.round(DRIFT)
    assert await watched.round(DRIFT) == []
    assert await watched.round(DRIFT, DRIFT, NEGATIVE) == [
        ("audit/counter-drift", True, 2),
        ("audit/negative-available", True, 1),
    ]
    assert await watched.round(NEGATIVE) == [("audit/counter-drift", False, 0)]
    assert len(await watched.round(NEGATIVE, after=AGAIN)) == len(FindingKind)


async def test_what_kafka_did_not_take_is_said_with_the_next_audit() -> None:
    watched = Watched()
    await watched.round()
    watched.kafka.away = True
    assert await watched.round(DRIFT) == []
    watched.kafka.away = False
    assert await watched.round(DRIFT) == [("audit/counter-drift", True, 1)]


async def test_that_no_audit_can_be_made_is_told_after_a_while_and_is_over_with_the_next() -> None:
    watched = Watched()
    await watched.round()
    await watched.watch.failed()
    assert watched.kafka.news() == []
    watched.at += UNKNOWN
    await watched.watch.failed()
    assert watched.kafka.news() == [("audit-away/stock", True, 0)]
    assert await watched.round() == [("audit-away/stock", False, 0)]
