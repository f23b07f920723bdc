"""How many, by reason, shop and age, and how much a minute: what charts and headings of pages show.

As in workers/book/queries.py: plain functions over a connection. Counts look at all that they count: keep an answer for
some seconds where many ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from psycopg import sql
from psycopg.errors import QueryCanceled

from schemas.record import record
from workers.book.conditions import Condition, of_shops, seen_shops, together
from workers.book.database import Connection, told
from workers.book.queries import OrderFilter, is_by_id, order_conditions, rows_of

AGES: Final = (timedelta(hours=1), timedelta(hours=4), timedelta(days=1), timedelta(days=3))
"""Up to which orders in review are counted together; what is older is the last group."""

MOST_MINUTES: Final = 1440


@record
class OrderCount:
    """How many orders match. `is_all`: False: there are more, or so many could be counted in time."""

    orders: int
    is_all: bool


@record
class ReviewCounts:
    """How many orders wait for a person. One with several reasons counts for each of them."""

    orders: int
    by_code: dict[str, int]
    by_shop: dict[str, int]  # channel:shop
    by_age: tuple[int, ...]  # not older than each of AGES, and the rest
    oldest: datetime | None


@record
class MinuteFigures:
    """What happened in one minute."""

    minute: datetime
    placed: int
    routed: int
    shipped: int


def count_orders(
    connection: Connection,
    wanted: OrderFilter,
    *,
    shops: Sequence[str] | None = None,
    most: int = 10_000,
    seconds: float = 2.0,
) -> OrderCount:
    """How many orders match, counted up to `most`, and for so long: an answer that nobody waits for is none."""
    seen = seen_shops(wanted.shops, shops)
    conditions = (
        order_conditions(wanted) if is_by_id(wanted) else [*order_conditions(wanted), ("o.placed_at IS NOT NULL", [])]
    )
    where, values = together([*conditions, *([] if seen is None else [of_shops(seen)])])
    text = f"SELECT count(*) AS orders FROM (SELECT FROM orders AS o WHERE {where} LIMIT %s) AS o"
    try:
        with told(), connection.transaction():
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (f"{int(seconds * 1000)}ms",))
            try:
                [(found,)] = connection.execute(sql.SQL(text), [*values, most + 1]).fetchall()
            except QueryCanceled:
                raise _TooLong from None
    except _TooLong:
        return OrderCount(orders=0, is_all=False)
    return OrderCount(orders=min(found, most), is_all=found <= most)


class _TooLong(Exception):
    """Counting takes longer than anybody waits."""


def review_counts(connection: Connection, now: datetime, *, shops: Sequence[str] | None = None) -> ReviewCounts:
    """What waits, in all the ways in which it is counted: one look at the index of what waits."""
    given: list[Condition] = [("o.stage = 'review' AND o.review_at IS NOT NULL", [])]
    where, values = together(given if shops is None else [*given, of_shops(shops)])
    limits = [now - age for age in AGES]
    rows = rows_of(
        connection,
        "SELECT o.channel || ':' || o.shop_id AS shop, o.review_codes AS codes, "
        "width_bucket(o.review_at, %s::timestamptz[]) AS age, count(*) AS orders, min(o.review_at) AS oldest "
        f"FROM orders AS o WHERE {where} GROUP BY 1, 2, 3",
        [sorted(limits), *values],
    )
    by_code: dict[str, int] = {}
    by_shop: dict[str, int] = {}
    by_age = [0] * (len(AGES) + 1)
    for row in rows:
        by_shop[row["shop"]] = by_shop.get(row["shop"], 0) + row["orders"]
        by_age[len(AGES) - row["age"]] += row["orders"]
        for code in row["codes"] or ():
            by_code[code] = by_code.get(code, 0) + row["orders"]
    return ReviewCounts(
        orders=sum(by_age),
        by_code=_most_first(by_code),
        by_shop=_most_first(by_shop),
        by_age=tuple(by_age),
        oldest=min((row["oldest"] for row in rows), default=None),
    )


def _most_first(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def per_minute(
    connection: Connection, since: datetime, until: datetime, *, shops: Sequence[str] | None = None
) -> tuple[MinuteFigures, ...]:
    """How many orders were placed, routed and shipped in each minute from `since` on, until before `until`.

    Minutes in which nothing happened are left out. Raises ValueError for more than a day.
    """
    if until - since > timedelta(minutes=MOST_MINUTES):
        raise ValueError(f"at most {MOST_MINUTES} minutes")
    seen: list[Condition] = [] if shops is None else [of_shops(shops)]
    parts: list[str] = []
    values: list[object] = []
    for name in ("placed", "routed", "shipped"):
        where, its = together([(f"o.{name}_at >= %s AND o.{name}_at < %s", [since, until]), *seen])
        parts.append(
            f"SELECT date_trunc('minute', o.{name}_at) AS minute, '{name}' AS what, count(*) AS orders "
            f"FROM orders AS o WHERE {where} GROUP BY 1"
        )
        values += its
    found: dict[datetime, dict[str, int]] = {}
    for row in rows_of(connection, " UNION ALL ".join(parts), values):
        found.setdefault(row["minute"], {})[row["what"]] = row["orders"]
    return tuple(
        MinuteFigures(minute=minute, **{"placed": 0, "routed": 0, "shipped": 0, **told})
        for minute, told in sorted(found.items())
    )
