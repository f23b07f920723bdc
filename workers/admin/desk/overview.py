"""How orders stand now, by shop and stage, and how the day went: figures of the order book, counted when asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from schemas.record import record
from workers.admin.desk.access import Actor, Deed
from workers.admin.desk.deeds import Deeds
from workers.admin.desk.filters import Conditions
from workers.runtime.postgres.database import Database

WAITING: Final = ("review", "backordered", "transfer", "deferred", "planned", "part-shipped", "unknown")
"""Stages in which an order waits for something: all such orders are counted, however old."""

DAY: Final = timedelta(hours=24)


@record
class StageCount:
    """Orders of a shop in a stage. `oldest`: when the oldest was placed."""

    shop: str  # channel:shop
    stage: str
    orders: int
    oldest: datetime | None


@record
class HourCount:
    """What happened within an hour to orders that were placed within the last day."""

    hour: datetime
    placed: int
    routed: int
    shipped: int


@record
class Overview:
    """`waiting`: all that wait for something. `day`: all stages, of orders placed within the last 24 hours."""

    at: datetime  # when it was counted
    waiting: list[StageCount]
    day: list[StageCount]
    hours: list[HourCount]  # the last 24, the oldest first


class OverviewDesk:
    """Reads the book. Raises NotAllowed, TransientError."""

    def __init__(self, database: Database, deeds: Deeds) -> None:
        self._database, self._deeds = database, deeds

    def of(self, actor: Actor) -> Overview:
        """Of the shops that the actor sees, of one moment."""
        with self._deeds.doing(actor, Deed.ORDERS_FIND, subject="overview"):
            at = datetime.now(UTC)
            conditions = Conditions(actor)
            values = {**conditions.values, "waiting": list(WAITING), "since": at - DAY}
            with self._database.transaction() as connection:
                self._database.snapshot(connection)

                def rows(query: str) -> list[tuple[Any, ...]]:
                    return connection.execute(query.format(conditions=conditions).encode(), values).fetchall()

                waiting, day, hours = rows(_WAITING), rows(_DAY), rows(_HOURS)
            return Overview(
                at=at,
                waiting=[_stage(row) for row in waiting],
                day=[_stage(row) for row in day],
                hours=_filled([HourCount(hour=h, placed=p, routed=r, shipped=s) for h, p, r, s in hours], at),
            )


def _stage(row: tuple[Any, ...]) -> StageCount:
    shop, stage, orders, oldest = row
    return StageCount(shop=shop, stage=stage, orders=orders, oldest=oldest)


def _filled(found: list[HourCount], at: datetime) -> list[HourCount]:
    """Hours in which nothing happened, too."""
    by_hour = {each.hour: each for each in found}
    last = at.replace(minute=0, second=0, microsecond=0)
    hours = [last - timedelta(hours=back) for back in range(23, -1, -1)]
    return [by_hour.get(hour, HourCount(hour=hour, placed=0, routed=0, shipped=0)) for hour in hours]


# The stages are written out, so that PostgreSQL finds the index of those that wait.
_STAGES: Final = ", ".join(f"'{stage}'" for stage in WAITING)
_WAITING: Final = (
    f"SELECT channel || ':' || shop_id, stage, count(*), min(placed_at) FROM book.orders WHERE stage IN ({_STAGES}) "  # noqa: S608
    "AND {conditions} GROUP BY 1, 2 ORDER BY 1, 2"
)
_DAY: Final = (
    "SELECT channel || ':' || shop_id, stage, count(*), min(placed_at) FROM book.orders WHERE placed_at >= %(since)s "
    "AND {conditions} GROUP BY 1, 2 ORDER BY 1, 2"
)
_HOURS: Final = """
WITH day AS MATERIALIZED (
  SELECT placed_at, routed_at, shipped_at FROM book.orders WHERE placed_at >= %(since)s AND {conditions}
), moments AS (
  SELECT placed_at AS at, 1 AS placed, 0 AS routed, 0 AS shipped FROM day
  UNION ALL SELECT routed_at, 0, 1, 0 FROM day WHERE routed_at IS NOT NULL
  UNION ALL SELECT shipped_at, 0, 0, 1 FROM day WHERE shipped_at IS NOT NULL
)
SELECT date_trunc('hour', at), sum(placed)::int, sum(routed)::int, sum(shipped)::int FROM moments GROUP BY 1 ORDER BY 1
"""
