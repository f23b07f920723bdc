"""Reading the book's rows as they are."""

from __future__ import annotations

from typing import Any, Final

import psycopg

TABLES: Final = (
    "orders",
    "order_details",
    "shipments",
    "warehouses",
    "transfers",
    "timeline",
    "dead_letters",
    "decisions",
    "skipped",
)
"""All that a book holds but its places."""


class Look:
    """Of one book."""

    def __init__(self, connection: psycopg.Connection[dict[str, Any]], schema: str = "book") -> None:
        self._connection = connection
        self._schema = schema

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All of a table, in a fixed order."""
        text = f"SELECT * FROM {self._schema}.{table} AS row ORDER BY row::text"
        return self._connection.execute(text).fetchall()

    def order(self, uid: str) -> dict[str, Any]:
        """One row of orders. Fails where there is none."""
        [row] = [row for row in self.rows("orders") if row["uid"] == uid]
        return row

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """The whole book."""
        return {table: self.rows(table) for table in TABLES}
