"""What people enter for the figures: wrong shipments, questions to customer service, targets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Final

from schemas.record import record
from schemas.text import Text
from workers.admin.desk.access import Actor, Deed, check_shop, shop_of
from workers.admin.desk.deeds import Deeds
from workers.admin.errors import InvalidRequest, NotFound
from workers.runtime.postgres.database import Connection, Database

WRONG_KINDS: Final = ("wrong-item", "missing-item", "wrong-quantity", "damaged", "wrong-address", "other")
MOST_ROWS: Final = 20_000
MOST_QUESTIONS: Final = 10_000_000


class Measure(StrEnum):
    """What may have a target: seconds, or a share from 0 to 1."""

    ROUTED_MEDIAN = "routed-median"
    ROUTED_P95 = "routed-p95"
    SHIPPED_MEDIAN = "shipped-median"
    SHIPPED_P95 = "shipped-p95"
    WRONG_SHARE = "wrong-share"
    QUESTION_SHARE = "question-share"


@record
class WrongShipment:
    """A shipment that a buyer reported as wrong. `warehouse`: where it came from; "": what the order book knows."""

    order_uid: str
    kind: str
    day: date
    warehouse: str = ""


@record
class SupportDay:
    """What customer service of a shop (channel:shop) counted on a day."""

    day: date
    shop: str
    questions: int
    about_orders: int


class Entered:
    """Writes them down. All methods raise NotAllowed, InvalidRequest, TransientError; all rows or none."""

    def __init__(self, database: Database, deeds: Deeds) -> None:
        self._database, self._deeds = database, deeds

    def add_wrong(self, actor: Actor, reports: Sequence[WrongShipment]) -> int:
        """Report wrong shipments. How many are new: of an order each kind counts once; one withdrawn may come back."""
        subject = reports[0].order_uid if len(reports) == 1 else f"{len(reports)} wrong shipments"
        with self._deeds.doing(actor, Deed.FIGURES_ENTER, subject=subject):
            _check_size(reports)
            for each in reports:
                check_shop(actor, shop_of(each.order_uid))
                if each.kind not in WRONG_KINDS:
                    known = ", ".join(WRONG_KINDS)
                    raise InvalidRequest(
                        Text(f"{each.kind}: write one of {known}", f"{each.kind}：可选 {known}"), "bad-kind"
                    )
            with self._database.transaction() as connection:
                return sum(
                    connection.execute(
                        _ADD_WRONG, (each.order_uid, each.kind, each.day, each.warehouse, actor.name, each.order_uid)
                    ).rowcount
                    for each in reports
                )

    def withdraw_wrong(self, actor: Actor, order_uid: str, kind: str) -> None:
        """It was none. Raises NotFound."""
        with self._deeds.doing(actor, Deed.FIGURES_ENTER, subject=order_uid, shop=shop_of(order_uid)):
            found = self._database.rows(
                "UPDATE wrong_shipments SET withdrawn_at = now(), withdrawn_by = %s "
                "WHERE order_uid = %s AND kind = %s AND withdrawn_at IS NULL RETURNING 1",
                (actor.name, order_uid, kind),
            )
            if not found:
                raise NotFound(
                    Text(f"no {kind} is reported of {order_uid}", f"{order_uid} 没有 {kind} 记录"), "unknown-report"
                )

    def set_support(self, actor: Actor, days: Sequence[SupportDay]) -> int:
        """Say what customer service counted; said again, the last word counts. How many days."""
        subject = days[0].shop if len(days) == 1 else f"{len(days)} days of support"
        with self._deeds.doing(actor, Deed.FIGURES_ENTER, subject=subject):
            _check_size(days)
            for each in days:
                check_shop(actor, shop_of(f"{each.shop}:x"))
                if not 0 <= each.about_orders <= each.questions <= MOST_QUESTIONS:
                    raise InvalidRequest(
                        Text(
                            f"{each.shop}, {each.day}: questions about orders are some of all questions",
                            f"{each.shop}，{each.day}：订单相关咨询数不能超过咨询总数",
                        ),
                        "bad-count",
                    )
            with self._database.transaction() as connection:
                for each in days:
                    connection.execute(
                        _SET_SUPPORT, (each.day, each.shop, each.questions, each.about_orders, actor.name)
                    )
            return len(days)

    def set_target(self, actor: Actor, measure: str, target: float | None) -> None:
        """Seconds, or a share from 0 to 1; None: none any more."""
        with self._deeds.doing(actor, Deed.FIGURES_TARGET, subject=measure, why=str(target)):
            if measure not in [one.value for one in Measure]:
                known = ", ".join(Measure)
                raise InvalidRequest(
                    Text(f"{measure}: write one of {known}", f"{measure}：可选 {known}"), "bad-measure"
                )
            if target is None:
                self._database.rows("DELETE FROM targets WHERE measure = %s", (measure,))
                return
            most = 1.0 if measure.endswith("share") else 10.0**9
            if not 0 <= target <= most:
                raise InvalidRequest(
                    Text(f"a target from 0 to {most:g}", f"目标值应在 0 到 {most:g} 之间"), "bad-target"
                )
            self._database.rows(_SET_TARGET, (measure, target, actor.name))

    # -- read by figures.py, within a deed of its own

    def wrong_counts(self, connection: Connection, **given: Any) -> dict[tuple[Any, ...], int]:
        """Reports that stand, by the dimensions asked for."""
        shop = "split_part(order_uid, ':', 1) || ':' || split_part(order_uid, ':', 2)"
        names, columns = _columns(given["dimensions"], {"day": "day", "shop": shop, "warehouse": "warehouse_id"})
        rows = connection.execute(
            f"SELECT {names}count(*) FROM wrong_shipments WHERE withdrawn_at IS NULL "  # noqa: S608
            "AND day BETWEEN %(begins)s AND %(ends)s "
            f"AND (%(shops)s::text[] IS NULL OR {shop} = ANY(%(shops)s)) "
            f"AND (%(warehouse)s::text IS NULL OR warehouse_id = %(warehouse)s) {columns}".encode(),
            given,
        ).fetchall()
        return {tuple(key): int(count) for *key, count in rows if count}

    def support_counts(self, connection: Connection, **given: Any) -> dict[tuple[Any, ...], tuple[int, int]]:
        """Questions, and those about orders; nothing by warehouse: customer service does not know it."""
        if "warehouse" in given["dimensions"] or given["warehouse"] is not None:
            return {}
        names, columns = _columns(given["dimensions"], {"day": "day", "shop": "shop"})
        rows = connection.execute(
            f"SELECT {names}sum(questions), sum(about_orders) FROM support_days "  # noqa: S608
            "WHERE day BETWEEN %(begins)s AND %(ends)s "
            f"AND (%(shops)s::text[] IS NULL OR shop = ANY(%(shops)s)) {columns}".encode(),
            given,
        ).fetchall()
        return {tuple(key): (int(asked), int(about)) for *key, asked, about in rows if asked is not None}

    def targets(self, connection: Connection) -> dict[str, float]:
        """By measure."""
        return dict(connection.execute("SELECT measure, target FROM targets ORDER BY measure").fetchall())


def _columns(dimensions: Sequence[str], known: dict[str, str]) -> tuple[str, str]:
    """What is selected before the counts, and by what it is grouped."""
    columns = [known[one] for one in dimensions]
    grouped = ", ".join(str(number) for number, _ in enumerate(columns, start=1))
    return "".join(f"{column}, " for column in columns), f"GROUP BY {grouped}" if grouped else ""


def _check_size(rows: Sequence[Any]) -> None:
    if not 1 <= len(rows) <= MOST_ROWS:
        raise InvalidRequest(Text(f"1 to {MOST_ROWS} rows at a time", f"每次 1 到 {MOST_ROWS} 行"), "too-many-rows")


_ADD_WRONG: Final = """
INSERT INTO wrong_shipments AS w (order_uid, kind, day, warehouse_id, who)
SELECT %s, %s, %s, coalesce(nullif(%s, ''), min(s.warehouse_id), ''), %s
FROM (SELECT 1) AS one LEFT JOIN book.shipments AS s ON s.order_uid = %s AND s.shipped_at IS NOT NULL
ON CONFLICT (order_uid, kind) DO UPDATE SET
  withdrawn_at = NULL, withdrawn_by = NULL, day = excluded.day, warehouse_id = excluded.warehouse_id,
  who = excluded.who, at = now()
WHERE w.withdrawn_at IS NOT NULL
"""
_SET_SUPPORT: Final = """
INSERT INTO support_days (day, shop, questions, about_orders, who) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (day, shop) DO UPDATE SET
  questions = excluded.questions, about_orders = excluded.about_orders, who = excluded.who, at = now()
"""
_SET_TARGET: Final = """
INSERT INTO targets (measure, target, who) VALUES (%s, %s, %s)
ON CONFLICT (measure) DO UPDATE SET target = excluded.target, who = excluded.who, at = now()
"""
