"""Writes facts to the book: for each sheet of a chunk one binary COPY into a temporary table and one guarded upsert."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from psycopg import sql

from workers.book.aspect import Row
from workers.book.aspects import SHEETS
from workers.book.database import Connection
from workers.book.facts import Fact
from workers.book.folding import folded
from workers.book.statements import Statements
from workers.runtime import metrics
from workers.runtime.errors import TransientError
from workers.runtime.stage import Partition

_BIGGEST: Final = 2**63 - 1


class Writer:
    """Of one connection, whose temporary tables it makes. All methods belong into one transaction of the caller."""

    def __init__(self, connection: Connection) -> None:
        """Raises psycopg.Error."""
        self._connection = connection
        self._statements = {sheet: Statements(sheet) for sheet in SHEETS}
        self._written = {sheet: metrics.BOOK_ROWS.labels(sheet.table) for sheet in SHEETS}
        connection.execute("SET synchronous_commit = off")  # what a crash takes away is read again, as its places are
        for setting in ("enable_hashjoin", "enable_mergejoin"):  # a chunk looks up its rows: never all of a table
            connection.execute(sql.SQL("SET {} = off").format(sql.Identifier(setting)))
        for each in self._statements.values():
            connection.execute(each.make.encode())
        [(self._generation,)] = connection.execute("SELECT generation FROM book").fetchall()
        connection.commit()

    def still_ours(self) -> None:
        """Keep a rebuild from replacing this book until the transaction ends. Raises TransientError when one did."""
        found = self._connection.execute("SELECT generation FROM book FOR SHARE").fetchone()
        if found is None or found[0] != self._generation:
            raise TransientError("the book was made anew meanwhile")

    def write(self, facts: Iterable[Fact]) -> None:
        """Raises psycopg.Error, UnicodeError or OverflowError, then nothing of it may stay."""
        by_sheet = folded(facts)
        for sheet in SHEETS:  # always in this order
            for number, rows in enumerate(by_sheet.get(sheet, ())):
                self._put(self._statements[sheet], rows, again=number > 0)
                self._written[sheet].inc(len(rows))

    def _put(self, statements: Statements, rows: Sequence[list[Any]], *, again: bool) -> None:
        """`again`: rows of this transaction are there still; its end takes them away."""
        for place in statements.arrays:
            for row in rows:
                if (value := row[place]) is not None:
                    row[place] = text_array(value)
        with self._connection.cursor() as cursor:
            if again:
                cursor.execute(statements.empty.encode())
            with cursor.copy(statements.copy.encode()) as copy:
                copy.set_types(statements.types)
                for row in rows:
                    copy.write_row(row)
            for text in (statements.upsert, *statements.then):
                cursor.execute(text.encode(), prepare=True)

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

_TEXT: Final = 25  # the number of PostgreSQL's type
_EMPTY_ARRAY: Final = struct.pack("!iiI", 0, 0, _TEXT)
_array_of = struct.Struct("!iiIii").pack
_length = struct.Struct("!i").pack


def text_array(values: Sequence[str]) -> bytes:
    """As PostgreSQL reads an array of texts: many times as fast as the driver writes it. Raises UnicodeError."""
    if not values:
        return _EMPTY_ARRAY
    parts = [_array_of(1, 0, _TEXT, len(values), 1)]
    for value in values:
        data = value.encode()
        parts += (_length(len(data)), data)
    return b"".join(parts)


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
