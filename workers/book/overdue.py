"""What takes too long, as the book has it: orders by shop, instructions by warehouse, and the book itself.

Asked now and then by the stage watch, which says what "too long" is: all of it within one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from confluent_kafka import KafkaException
from pydantic import SecretStr

from workers.book.reading import ends_of_topics, opened_reader
from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Cluster
from workers.runtime.postgres.database import Connection, Database

Rows = Sequence[tuple[str, int, datetime]]
"""Of each shop (channel/shop) or warehouse: how many, and the time of the oldest."""

Limit = tuple[float, Mapping[str, float]]
"""Seconds, and those of single shops (channel/shop)."""

_SCHEMA: Final = "book"


class OverdueOrders:
    """Asks the book from any thread. Raises TransientError when PostgreSQL is away, or has no book."""

    def __init__(self, database: Database, cluster: Cluster) -> None:
        self._database, self._cluster = database, cluster

    def ask(self, limits: Mapping[str, Limit], now: datetime) -> dict[str, Rows]:
        """For each of these names what is beyond its limit at `now`: see QUERIES."""
        with self._database.transaction() as connection:
            self._database.snapshot(connection)
            return {name: _rows(connection, QUERIES[name], limit, now) for name, limit in limits.items()}

    def behind(self, seconds: float, now: datetime) -> tuple[datetime, int] | None:
        """Since when nothing was written, and how many records wait; None when the book keeps up.

        Kafka is asked only when nothing was written for so long. Raises TransientError when it is away, too.
        """
        with self._database.transaction() as connection:
            [(written,)] = connection.execute("SELECT max(read_at) FROM places").fetchall()
            places = dict(_places(connection))
        if written is None or now - written < timedelta(seconds=seconds):
            return None
        try:
            with opened_reader(self._cluster) as reader:
                ends = ends_of_topics(reader)
        except KafkaException as error:
            raise TransientError(f"Kafka: {error.args[0].str()}") from error
        waiting = sum(max(0, end - places.get(partition, 0)) for partition, end in ends.items())
        return (written, waiting) if waiting else None

    def close(self) -> None:
        """Give the connections back."""
        self._database.__exit__()


def opened_overdue(url: SecretStr, cluster: Cluster) -> OverdueOrders:
    """Connects when it is first asked."""
    database = Database(url, _SCHEMA, role="watch", connections=1)
    database.__enter__()
    return OverdueOrders(database, cluster)


def _places(connection: Connection) -> list[tuple[tuple[str, int], int]]:
    found = connection.execute("SELECT topic, partition, next_offset FROM places").fetchall()
    return [((topic, number), offset) for topic, number, offset in found]


def _rows(connection: Connection, query: str, limit: Limit, now: datetime) -> Rows:
    usual, of_shops = limit
    values = {
        "now": now,
        "usual": usual,
        "shops": json.dumps(dict(of_shops)),
        "least": min([usual, *of_shops.values()]),
        "longest": max([usual, *of_shops.values()]),
    }
    found = connection.execute(query.encode(), values).fetchall()
    return [(str(place), int(count), oldest) for place, count, oldest in found]


_SHOP: Final = "o.channel || '/' || o.shop_id"
_SECONDS: Final = f"make_interval(secs => coalesce((%(shops)s::jsonb ->> ({_SHOP}))::float, %(usual)s::float))"
_LEAST: Final = "make_interval(secs => %(least)s::float)"
_LONGEST: Final = "make_interval(secs => %(longest)s::float)"
_BY_SHOP: Final = "GROUP BY o.channel, o.shop_id ORDER BY 1"
_UNPAID: Final = "coalesce(o.payment, '') IN ('unpaid', 'deposit-paid')"
_OPEN_STAGES: Final = "('review', 'backordered', 'transfer', 'deferred', 'planned', 'part-shipped', 'unknown')"


def _to_ship(condition: str) -> str:
    """Orders that are not out: those with a warehouse that has not shipped, and those that no warehouse was told of."""
    return f"""
        SELECT {_SHOP}, count(*), min(o.ship_by) FROM orders AS o JOIN (
            SELECT order_uid AS uid FROM shipments
            WHERE state IN ('sent', 'accepted', 'picked', 'short') AND ship_by < %(now)s + {_LONGEST}
          UNION SELECT uid FROM orders WHERE stage IN {_OPEN_STAGES} AND ship_by < %(now)s + {_LONGEST}
        ) AS late USING (uid)
        WHERE {condition} AND NOT {_UNPAID} AND o.stage NOT IN ('shipped', 'done', 'cancelled') {_BY_SHOP}
    """


QUERIES: Final[Mapping[str, str]] = {
    "review-waiting": f"""
        SELECT {_SHOP}, count(*), min(o.review_at) FROM orders AS o
        WHERE o.stage = 'review' AND o.review_at < %(now)s - {_LEAST} AND o.review_at < %(now)s - {_SECONDS} {_BY_SHOP}
    """,
    "ship-by-near": _to_ship(f"o.ship_by >= %(now)s AND o.ship_by < %(now)s + {_SECONDS}"),
    "ship-by-passed": _to_ship("o.ship_by < %(now)s"),
    "backorders-waiting": f"""
        SELECT {_SHOP}, count(*), min(coalesce(o.backordered_at, o.transfer_at)) FROM orders AS o
        WHERE o.stage IN ('backordered', 'transfer') AND NOT {_UNPAID}
          AND coalesce(o.backordered_at, o.transfer_at) < %(now)s - {_SECONDS} {_BY_SHOP}
    """,
    "warehouse-silent": """
        SELECT warehouse_id, count(*), min(routed_at) FROM shipments
        WHERE state IN ('sent', 'cancelling') AND routed_at < %(now)s - make_interval(secs => %(usual)s::float)
        GROUP BY warehouse_id ORDER BY 1
    """,
    "shop-drift": """
        SELECT split_part(order_uid, ':', 1) || '/' || split_part(order_uid, ':', 2), count(*), min(quarantined_at)
        FROM dead_letters
        WHERE quarantined_at > %(now)s - make_interval(secs => %(usual)s::float) AND order_uid IS NOT NULL
          AND stage IN ('normalize', 'intake')
        GROUP BY 1 ORDER BY 1
    """,
}
"""Each finds place, count and the oldest time. `ship-by-passed` and `shop-drift` count what is; others what is late."""
