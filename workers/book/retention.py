"""Giving up what is old: orders with all that belongs to them, a batch at a time, so that nobody waits for it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from workers.book.database import Connection

BATCH: Final = 1000
"""Orders that are given up in one transaction: a tenth of a second."""

_KEPT: Final = ("review", "backordered", "transfer", "deferred", "part-shipped")
"""Stages in which an order still waits for something: such an order stays, however old it is."""


def give_up(connection: Connection, before: datetime, most: int = BATCH) -> int:
    """Delete at most so many orders placed before then, and letters and transfers as old. How many orders it were.

    An order of which nobody said when it was placed is as old as the last thing that is known of it. Belongs into a
    transaction of the caller. Raises psycopg.Error.
    """
    uids = [uid for (uid,) in connection.execute(_OLD, (before, before, list(_KEPT), most)).fetchall()]
    for table, key in _OWN.items():
        connection.execute(f"DELETE FROM {table} WHERE {key} = ANY(%s)", (uids,))  # names of ours
    for table, (key, at) in _BY_TIME.items():
        connection.execute(
            f"DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM {table} WHERE {at} < %s ORDER BY {key} LIMIT %s)",
            (before, most),
        )
    return len(uids)


_OLD: Final = """
    SELECT uid FROM (
      (SELECT uid, stage FROM orders WHERE placed_at < %s ORDER BY placed_at)
      UNION ALL
      (SELECT uid, stage FROM orders
       WHERE placed_at IS NULL AND greatest(routed_at, shipped_at, transfer_at) < %s)
    ) AS old
    WHERE stage <> ALL(%s) LIMIT %s
"""
_OWN: Final = {
    "timeline": "order_uid",
    "shipments": "order_uid",
    "transfers": "order_uid",
    "decisions": "order_uid",
    "order_details": "uid",
    "orders": "uid",
}
_BY_TIME: Final = {
    "dead_letters": ("quarantined_at, letter_id", "quarantined_at"),
    "skipped": ("at", "at"),
}
