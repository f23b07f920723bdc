"""Writes facts to the book: binary COPY into a temporary table, then one guarded upsert, for each aspect of a chunk."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import sql

from workers.book.aspects import ASPECTS, JSON, Aspect, Row
from workers.book.database import Connection, is_bad_data
from workers.book.facts import Fact
from workers.runtime import metrics
from workers.runtime.errors import TransientError
from workers.runtime.stage import Partition

log = logging.getLogger(__name__)

_BIGGEST: Final = 2**63 - 1


class Writer:
    """Of one connection, whose temporary tables it makes. All methods belong into one transaction of the caller."""

    def __init__(self, connection: Connection) -> None:
        """Raises psycopg.Error."""
        self._connection = connection
        self._statements = {aspect: _Statements(aspect) for aspect in ASPECTS}
        connection.execute("SET synchronous_commit = off")  # what a crash takes away is read again, as its places are
        for setting in ("enable_hashjoin", "enable_mergejoin"):  # a chunk looks up its rows: never all of a table
            connection.execute(sql.SQL("SET {} = off").format(sql.Identifier(setting)))
        for each in self._statements.values():
            connection.execute(each.make)
        [(self._generation,)] = connection.execute("SELECT generation FROM book").fetchall()
        connection.commit()

    def still_ours(self) -> None:
        """Keep a rebuild from replacing this book until the transaction ends. Raises TransientError when one did."""
        found = self._connection.execute("SELECT generation FROM book FOR SHARE").fetchone()
        if found is None or found[0] != self._generation:
            raise TransientError("the book was made anew meanwhile")

    def write(self, facts: Iterable[Fact]) -> None:
        """Raises psycopg.Error, UnicodeError or OverflowError, then nothing of it may stay."""
        by_aspect: dict[Aspect, list[Row]] = {}
        for aspect, row in facts:
            by_aspect.setdefault(aspect, []).append(row)
        for aspect in ASPECTS:  # always in this order
            for portion in aspect.portions(by_aspect.get(aspect, ())):
                self._put(self._statements[aspect], portion)

    def _put(self, statements: _Statements, rows: Sequence[Row]) -> None:
        with self._connection.cursor() as cursor:
            with cursor.copy(statements.copy) as copy:
                copy.set_types(statements.types)
                for row in rows:
                    copy.write_row(row)
            cursor.execute(statements.upsert)
            if statements.then is not None:
                cursor.execute(statements.then)
            cursor.execute(statements.empty)
        statements.written.inc(len(rows))

    def move(self, places: Mapping[Partition, int]) -> None:
        """Remember how far each partition was read. A place never goes back."""
        topics, numbers, offsets = zip(*((*each, offset) for each, offset in sorted(places.items())), strict=True)
        self._connection.execute(_MOVE, (list(topics), list(numbers), list(offsets)))

    def skip(self, partition: Partition, offset: int, reason: str, at: datetime) -> None:
        """Note a record that the book cannot take."""
        self._connection.execute(_SKIP, (*partition, offset, reason, at))


_MOVE: Final = (
    "INSERT INTO places AS o (topic, partition, next_offset) SELECT * FROM unnest(%s::text[], %s::int[], %s::int8[]) "
    "ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset, read_at = now() "
    "WHERE excluded.next_offset > o.next_offset"
)
_SKIP: Final = "INSERT INTO skipped VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"


class _Statements:
    """The SQL of one aspect."""

    def __init__(self, aspect: Aspect) -> None:
        table, at_hand = sql.Identifier(aspect.table), sql.Identifier("pg_temp", f"in_{aspect.name}")
        names = [sql.Identifier(name) for name in aspect.columns]
        kinds = ["text" if kind == JSON else kind for kind in aspect.columns.values()]
        columns = sql.SQL(", ").join(names)
        self.types = kinds
        self.written = metrics.BOOK_ROWS.labels(aspect.table)
        self.make = sql.SQL("CREATE TEMPORARY TABLE {} ({})").format(
            sql.Identifier(f"in_{aspect.name}"),
            sql.SQL(", ").join(
                sql.SQL("{} {}").format(name, _raw(kind + _collation(kind)))
                for name, kind in zip(names, kinds, strict=True)
            ),
        )
        self.copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(at_hand, columns)
        self.then = sql.SQL(_text(aspect.then)).format(at_hand=at_hand) if aspect.then else None
        self.empty = sql.SQL("TRUNCATE {}").format(at_hand)
        self.upsert = sql.SQL(
            "INSERT INTO {table} AS o ({columns}) SELECT {values} FROM {at_hand} AS n {only} "
            "ON CONFLICT ({key}) {update}"
        ).format(
            table=table,
            columns=columns,
            values=sql.SQL(", ").join(
                sql.SQL("{}::jsonb" if kind == JSON else "{}").format(sql.Identifier(name))
                for name, kind in aspect.columns.items()
            ),
            at_hand=at_hand,
            only=_raw(f"WHERE {aspect.only or 'true'}"),
            key=sql.SQL(", ").join(map(sql.Identifier, aspect.key)),
            update=_update(aspect),
        )


def _update(aspect: Aspect) -> sql.Composable:
    sets = [
        sql.SQL("{} = {}").format(sql.Identifier(name), _raw(aspect.sets.get(name, f"excluded.{name}")))
        for name in aspect.columns
        if name not in aspect.key
    ]
    sets += [
        sql.SQL("{} = {}").format(sql.Identifier(name), _raw(text))
        for name, text in aspect.sets.items()
        if name not in aspect.columns
    ]
    return sql.SQL("DO UPDATE SET {} WHERE {}").format(sql.SQL(", ").join(sets), _raw(aspect.where))


def _raw(text: str) -> sql.SQL:
    """SQL of our own tables of aspects, which no input reaches."""
    return sql.SQL(_text(text))


def _text(text: str) -> LiteralString:
    return text


def _collation(kind: str) -> str:
    return ' COLLATE "C"' if kind.startswith("text") else ""


def cleaned(row: Row) -> Row:
    """The same with what PostgreSQL cannot hold replaced: the character 0, halves of pairs, and huge numbers."""
    return tuple(_clean(value) for value in row)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").replace("\\u0000", "\\ufffd").encode(errors="replace").decode()
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return min(max(value, -_BIGGEST), _BIGGEST)
    return value


__all__ = ["Writer", "cleaned", "is_bad_data"]
