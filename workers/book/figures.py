"""How long orders took, day by day: histograms that are made of the orders, again and again while a day may change.

A day is the one on which orders were placed, in the zone that the seller lives in. Making a day again replaces it. Days
whose orders the book has given up stay as they were.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from workers.book.database import Connection

STEPS: Final = 8
"""Buckets for each doubling of the time: a figure is off by 4.4 % at most."""

CHANGING_DAYS: Final = 45
"""Within so many days orders are still shipped that were placed on a day: presales, backorders."""

FRESH: Final = timedelta(minutes=1)  # for yesterday and today
OLD: Final = timedelta(days=1)  # for the days before


def days_due(made: Mapping[date, datetime], first: date | None, now: datetime, zone: ZoneInfo, keep: int) -> list[date]:
    """Which days are to be made anew, oldest first. `first`: of the oldest order; `keep`: days that orders are kept."""
    if first is None:
        return []
    today = now.astimezone(zone).date()
    window = min(CHANGING_DAYS, max(1, keep - 1))
    start = max(first, today - timedelta(days=max(window, keep - 1)))
    due = []
    for number in range((today - start).days + 1):
        day = start + timedelta(days=number)
        last = made.get(day)
        patience = FRESH if number >= (today - start).days - 1 else OLD
        changes = (today - day).days <= window
        if last is None or (changes and now - last > patience):
            due.append(day)
    return due


def refresh(connection: Connection, now: datetime, zone: ZoneInfo, keep: int) -> int:
    """Make the days anew that may have changed. How many. Raises psycopg.Error; in transactions of its own."""
    with connection.transaction():
        connection.execute("SET LOCAL search_path = book")
        made = dict(connection.execute("SELECT day, made_at FROM figure_days").fetchall())
        [(oldest,)] = connection.execute("SELECT min(placed_at) FROM orders").fetchall()
    first = oldest.astimezone(zone).date() if oldest is not None else None
    due = days_due(made, first, now, zone, keep)
    for day in due:
        _make(connection, day, now, zone)
    if due:
        with connection.transaction():
            connection.execute("SET LOCAL search_path = book")
            connection.execute(_RULESETS, {"since": datetime(due[0].year, due[0].month, due[0].day, tzinfo=zone)})
    return len(due)


def _make(connection: Connection, day: date, now: datetime, zone: ZoneInfo) -> None:
    begins = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = day + timedelta(days=1)
    ends = datetime(after.year, after.month, after.day, tzinfo=zone)
    with connection.transaction():
        connection.execute("SET LOCAL search_path = book")
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('book.figures'), %s)", (day.toordinal(),))
        connection.execute("DELETE FROM figures WHERE day = %s", (day,))
        connection.execute(_DAY, {"day": day, "begins": begins, "ends": ends, "steps": STEPS})
        connection.execute(
            "INSERT INTO figure_days VALUES (%s, %s) ON CONFLICT (day) DO UPDATE SET made_at = excluded.made_at",
            (day, now),
        )


def quantile(histogram: Mapping[int, int], share: float) -> float | None:
    """Seconds within which this share of them was done; None of none. `histogram`: bucket -> orders."""
    total = sum(histogram.values())
    if not total:
        return None
    wanted, seen = max(1, math.ceil(share * total)), 0
    for bucket in sorted(histogram):
        seen += histogram[bucket]
        if seen >= wanted:
            return float(2 ** ((bucket + 0.5) / STEPS) - 1)
    raise AssertionError("all of them are in some bucket")


_RULESETS: Final = """
INSERT INTO rulesets SELECT ruleset, min(planned_at) FROM orders
WHERE ruleset IS NOT NULL AND planned_at IS NOT NULL AND placed_at >= %(since)s GROUP BY ruleset
ON CONFLICT (ruleset) DO UPDATE SET first_at = excluded.first_at WHERE excluded.first_at < rulesets.first_at
"""
_DAY: Final = """
WITH placed AS (
  SELECT uid, channel, shop_id, placed_at, CASE WHEN stage = 'shipped' THEN shipped_at END AS shipped_at
  FROM orders WHERE placed_at >= %(begins)s AND placed_at < %(ends)s
), told AS (
  SELECT order_uid AS uid, warehouse_id, min(at) AS at FROM timeline
  WHERE kind = 'told-fulfil' AND order_uid IN (SELECT uid FROM placed) GROUP BY 1, 2
), first AS (
  SELECT uid, min(at) AS at FROM told GROUP BY 1
), sent AS (
  SELECT s.order_uid AS uid, s.warehouse_id, s.shipped_at, t.at AS told_at
  FROM shipments AS s LEFT JOIN told AS t ON t.uid = s.order_uid AND t.warehouse_id = s.warehouse_id
  WHERE s.shipped_at IS NOT NULL AND s.order_uid IN (SELECT uid FROM placed)
), spans AS (
  SELECT uid, '' AS warehouse_id, 'placed' AS measure, interval '0' AS took FROM placed
  UNION ALL SELECT uid, '', 'routed', first.at - placed_at FROM placed JOIN first USING (uid)
  UNION ALL SELECT uid, warehouse_id, 'routed', told.at - placed_at FROM placed JOIN told USING (uid)
  UNION ALL SELECT uid, '', 'shipped', shipped_at - placed_at FROM placed WHERE shipped_at IS NOT NULL
  UNION ALL SELECT uid, sent.warehouse_id, 'shipped', sent.shipped_at - placed_at FROM placed JOIN sent USING (uid)
  UNION ALL SELECT uid, '', 'handled', shipped_at - first.at FROM placed JOIN first USING (uid)
    WHERE shipped_at IS NOT NULL
  UNION ALL SELECT uid, warehouse_id, 'handled', shipped_at - told_at FROM sent WHERE told_at IS NOT NULL
)
INSERT INTO figures
SELECT %(day)s, p.channel, p.shop_id, s.warehouse_id, s.measure,
  floor(%(steps)s * ln(1 + greatest(extract(epoch FROM s.took)::float8, 0)) / ln(2::float8))::smallint, count(*)
FROM spans AS s JOIN placed AS p USING (uid) GROUP BY 1, 2, 3, 4, 5, 6
"""


def histograms(
    connection: Connection,
    *,
    begins: date,
    ends: date,
    dimensions: tuple[str, ...],
    shops: list[str] | None,
    warehouse: str | None,
) -> dict[tuple[Any, ...], dict[str, dict[int, int]]]:
    """By the dimensions asked for (day, shop, warehouse), of each measure: bucket -> orders. Both days included.

    `shops`: channel:shop of each that is meant; None: all. `warehouse`: one; None: orders as a whole, or each
    warehouse where that is a dimension.
    """
    columns = [_COLUMNS[one] for one in dimensions]
    names = ", ".join([*columns, "measure", "bucket"])
    found = connection.execute(
        f"SELECT {names}, sum(orders) FROM book.figures WHERE day BETWEEN %(begins)s AND %(ends)s "  # noqa: S608
        "AND (%(shops)s::text[] IS NULL OR channel || ':' || shop_id = ANY(%(shops)s)) "
        "AND CASE WHEN %(warehouse)s::text IS NOT NULL THEN warehouse_id = %(warehouse)s "
        f"WHEN %(each)s THEN warehouse_id <> '' ELSE warehouse_id = '' END GROUP BY {names}".encode(),
        {"begins": begins, "ends": ends, "shops": shops, "warehouse": warehouse, "each": "warehouse" in dimensions},
    ).fetchall()
    told: dict[tuple[Any, ...], dict[str, dict[int, int]]] = {}
    for row in found:
        *key, measure, bucket, orders = row
        told.setdefault(tuple(key), {}).setdefault(measure, {})[bucket] = int(orders)
    return told


_COLUMNS: Final = {"day": "day", "shop": "channel || ':' || shop_id", "warehouse": "warehouse_id"}


def ruleset_days(connection: Connection, begins: datetime, ends: datetime) -> list[tuple[datetime, str]]:
    """When orders were first decided by rules that came into force in this time."""
    rows = connection.execute(
        "SELECT first_at, ruleset FROM book.rulesets WHERE first_at >= %s AND first_at < %s ORDER BY first_at, ruleset",
        (begins, ends),
    ).fetchall()
    return [(at, label) for at, label in rows]
