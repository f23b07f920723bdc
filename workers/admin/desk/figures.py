"""The seller's figures: placed to routed to shipped, wrong shipments, questions about orders, targets, rule changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.record import record
from schemas.text import Text
from workers.admin.desk.access import Actor, Deed
from workers.admin.desk.deeds import Deeds
from workers.admin.desk.entered import Entered
from workers.admin.errors import InvalidRequest
from workers.book.figures import histograms, quantile, refresh, ruleset_days
from workers.runtime.errors import TransientError
from workers.runtime.postgres.database import Database
from workers.runtime.settings import Settings

log = logging.getLogger(__name__)

REFRESH_SECONDS: Final = 600.0
DIMENSIONS: Final = ("day", "shop", "warehouse")
MOST_DAYS: Final = 400


@record
class FigureRow:
    """Of orders placed on a day (of a shop, in a warehouse, as was asked). Seconds; None where there is nothing to say.

    `handled`: from the instruction to the warehouse until it shipped. `wrong`: shipments that buyers reported on these
    days, `wrong_share` of all that were shipped. `questions`: to customer service, `about_orders` of them about orders.
    """

    day: date | None
    shop: str | None
    warehouse: str | None
    placed: int
    routed: int
    routed_median: float | None
    routed_p95: float | None
    shipped: int
    shipped_median: float | None
    shipped_p95: float | None
    handled_median: float | None
    handled_p95: float | None
    wrong: int
    wrong_share: float | None
    questions: int
    about_orders: int
    question_share: float | None


@record
class RuleChange:
    """When orders were first decided by other rules."""

    at: datetime
    ruleset: str


@record
class Figures:
    """`made_at`: when the newest of these days was counted."""

    rows: list[FigureRow]
    total: FigureRow
    targets: dict[str, float]
    rule_changes: list[RuleChange]
    made_at: datetime | None


class FigureDesk:
    """Reads the book, and what people entered. Raises NotAllowed, InvalidRequest, TransientError."""

    def __init__(self, settings: Settings, database: Database, deeds: Deeds) -> None:
        self._settings, self._database, self._deeds = settings, database, deeds
        self.entered = Entered(database, deeds)

    @property
    def zone(self) -> ZoneInfo:
        """In which a day begins and ends. Raises InvalidRequest."""
        try:
            return ZoneInfo(self._settings.figures_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InvalidRequest(
                Text(
                    "ORDERFLEET_FIGURES_ZONE names no time zone of this machine: write Asia/Shanghai",
                    "ORDERFLEET_FIGURES_ZONE 不是本机已知的时区：请写 Asia/Shanghai",
                ),
                "unknown-zone",
            ) from None

    def refresh(self) -> int:
        """Count the days anew that may have changed. How many. Nobody's deed: it changes no figure but late ones."""
        with self._database.session() as connection:
            return refresh(connection, datetime.now(UTC), self.zone, int(self._settings.book_days))

    def refresh_until(self, told: threading.Event) -> None:
        """Count anew every ten minutes, until told to leave: a day is counted before its orders are given up."""
        while not told.is_set():
            try:
                self.refresh()
            except (TransientError, InvalidRequest) as error:
                log.warning("figures wait: %s", error)
            told.wait(REFRESH_SECONDS)

    def today(self) -> date:
        """As the seller's calendar has it."""
        return datetime.now(self.zone).date()

    def show(
        self,
        actor: Actor,
        *,
        begins: date,
        ends: date,
        by: Sequence[str] = ("day",),
        shop: str | None = None,
        warehouse: str | None = None,
    ) -> Figures:
        """Of orders placed from one day to another, both included, for each of the dimensions `by`, and of all."""
        with self._deeds.doing(actor, Deed.FIGURES_SHOW, subject=shop or warehouse or "", shop=shop):
            dimensions = _checked(begins, ends, by)
            self.refresh()
            shops = [shop] if shop is not None else None if actor.shops is None else sorted(actor.shops)
            given: dict[str, Any] = {"begins": begins, "ends": ends, "shops": shops, "warehouse": warehouse}
            with self._database.transaction() as connection:
                self._database.snapshot(connection)
                took = histograms(connection, dimensions=dimensions, **given)
                together = histograms(connection, dimensions=(), **given)
                wrong = self.entered.wrong_counts(connection, dimensions=dimensions, **given)
                support = self.entered.support_counts(connection, dimensions=dimensions, **given)
                first = datetime(begins.year, begins.month, begins.day, tzinfo=self.zone)
                changes = ruleset_days(connection, first, first + timedelta(days=(ends - begins).days + 1))
                targets = self.entered.targets(connection)
                [(made_at,)] = connection.execute(
                    "SELECT max(made_at) FROM book.figure_days WHERE day BETWEEN %s AND %s", (begins, ends)
                ).fetchall()
            keys = sorted(took.keys() | wrong.keys() | support.keys(), key=lambda key: [str(part) for part in key])
            rows = [
                _row(dict(zip(dimensions, key, strict=True)), took.get(key, {}), wrong.get(key, 0), support.get(key))
                for key in keys
            ]
            asked = [sum(pair[n] for pair in support.values()) for n in (0, 1)]
            total = _row({}, together.get((), {}), sum(wrong.values()), (asked[0], asked[1]))
            return Figures(
                rows=rows,
                total=total,
                targets=targets,
                rule_changes=[RuleChange(at=at, ruleset=label) for at, label in changes],
                made_at=made_at,
            )


def _checked(begins: date, ends: date, by: Sequence[str]) -> tuple[str, ...]:
    if not 0 <= (ends - begins).days < MOST_DAYS:
        raise InvalidRequest(
            Text(f"ask for 1 to {MOST_DAYS} days, the first one first", f"请查询 1 到 {MOST_DAYS} 天，起始日在前"),
            "bad-days",
        )
    strange = [one for one in by if one not in DIMENSIONS]
    if strange or len(set(by)) < len(by):
        known = ", ".join(DIMENSIONS)
        raise InvalidRequest(Text(f"by: any of {known}", f"by：可选 {known}"), "bad-dimension")
    return tuple(by)


def _row(
    key: Mapping[str, Any], took: Mapping[str, Mapping[int, int]], wrong: int, asked: tuple[int, int] | None
) -> FigureRow:
    routed, shipped, handled = (took.get(name, {}) for name in ("routed", "shipped", "handled"))
    sent = sum(shipped.values())
    questions, about = asked or (0, 0)
    return FigureRow(
        day=key.get("day"),
        shop=key.get("shop"),
        warehouse=key.get("warehouse"),
        placed=sum(took.get("placed", {}).values()),
        routed=sum(routed.values()),
        routed_median=quantile(routed, 0.5),
        routed_p95=quantile(routed, 0.95),
        shipped=sent,
        shipped_median=quantile(shipped, 0.5),
        shipped_p95=quantile(shipped, 0.95),
        handled_median=quantile(handled, 0.5),
        handled_p95=quantile(handled, 0.95),
        wrong=wrong,
        wrong_share=wrong / sent if sent else None,
        questions=questions,
        about_orders=about,
        question_share=about / questions if questions else None,
    )
