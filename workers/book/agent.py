"""The stage that keeps the order book: reads what happened from its own places, and writes rows and places together.

One process writes at a time, or one for each share of the partitions (ORDERFLEET_BOOK_SHARES): the right to write is a
lock of the very connection that writes, so that whoever lost it cannot write. Others stand by.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import psycopg
from pydantic import SecretStr, ValidationError

from schemas.namespace import prefixed, unprefixed
from schemas.topics import Topic
from workers.book import database, retention
from workers.book.database import Connection
from workers.book.excerpts import excerpt_reader
from workers.book.facts import Fact, Place, Projection, as_datetime, since_1970
from workers.book.projections import PROJECTIONS
from workers.book.writer import Writer, cleaned
from workers.runtime import metrics
from workers.runtime.errors import TransientError
from workers.runtime.settings import Settings
from workers.runtime.stage import NotOurTurn, Partition

log = logging.getLogger(__name__)

_UNREADABLE: Final = "unreadable"
_REFUSED: Final = "refused"
_TIDY_SECONDS: Final = 60.0


class Services(Protocol):
    """What it needs of the process."""

    @property
    def settings(self) -> Settings:
        """For the address of the book."""
        ...


def book(services: Services) -> BookKeeper:
    """The agent of the stage."""
    known = services.settings
    return BookKeeper(known.book_url, known.book_shares, keep=timedelta(days=known.book_days))


class BookKeeper:
    """Writes the share of the partitions that it finds free."""

    def __init__(
        self,
        url: SecretStr,
        shares: int,
        schema: str = database.SCHEMA,
        *,
        first_lock: int = 0,
        anew: bool = False,
        keep: timedelta = timedelta.max,
    ) -> None:
        """`first_lock`: the number of the first share's. `anew`: whatever is in the schema is thrown away first.

        `keep`: how long an order stays after it was placed.
        """
        self._keep = keep
        self._url = url
        self._first_lock = first_lock
        self._anew = anew
        self._shares = shares
        self._share = 0
        self._schema = schema
        self._up = metrics.BOOK_UP
        self._up.set(0)

    def takes(self, partition: Partition) -> bool:
        """All partitions of one number go together: all that happens to an order is in those of one number."""
        return partition[1] % self._shares == self._share

    @contextmanager
    def session(self) -> Iterator[BookSession]:
        """Raises NotOurTurn when all shares are taken; TransientError when PostgreSQL is away."""
        with database.connect(self._url, schema=self._schema) as connection:
            try:
                with database.told():
                    self._up.set(1)
                    self._share = self._free_share(connection)
                    if self._anew:
                        database.drop(connection, self._schema)
                    database.migrate(connection, self._schema)
                    session = BookSession(connection, self._keep)
                yield session
            except TransientError:
                self._up.set(0)
                raise

    def _free_share(self, connection: Connection) -> int:
        for number in range(self._shares):
            if database.try_lock(connection, self._first_lock + number):
                return number
        raise NotOurTurn


class _Record:
    """One record, and the facts in it. `reason`: why the book cannot take it."""

    __slots__ = ("facts", "partition", "place", "reason")

    def __init__(self, partition: Partition, place: Place, facts: Sequence[Fact], reason: str = "") -> None:
        self.partition = partition
        self.place = place
        self.facts = facts
        self.reason = reason


class BookSession:
    """The book as one connection writes it. Raises TransientError when PostgreSQL is away."""

    def __init__(self, connection: Connection, keep: timedelta = timedelta.max) -> None:
        self.connection = connection
        self._keep = keep
        self._tidied = float("-inf")
        self._writer = Writer(connection)
        self._topics = _Topics()

    def places(self) -> Mapping[Partition, int]:
        """As they stand in the book."""
        with database.told(), self.connection.transaction():
            self._writer.still_ours()
            rows = self.connection.execute("SELECT topic, partition, next_offset FROM places").fetchall()
        return {(prefixed(topic), number): offset for topic, number, offset in rows}

    def forget(self, partition: Partition) -> None:
        """Its topic is read from its beginning, whatever was read of it before."""
        with database.told(), self.connection.transaction():
            self._writer.still_ours()
            self.connection.execute("DELETE FROM places WHERE topic = %s AND partition = %s", _unprefixed(partition))

    def idle(self) -> None:
        """Raises TransientError when the connection is gone."""
        with database.told(), self.connection.transaction():
            self._writer.still_ours()
        self._tidy()

    def write(self, records: Sequence[Any]) -> None:
        """All of it, in one transaction; what is bad is left out, and noted."""
        self._write([self._topics.read(record) for record in records])
        self._tidy()

    def _tidy(self) -> None:
        """Now and then, give up a batch of what is old; the next one soon, when there is more."""
        if self._keep == timedelta.max or time.monotonic() - self._tidied < _TIDY_SECONDS:
            return
        with database.told(), self.connection.transaction():
            self._writer.still_ours()
            gone = retention.give_up(self.connection, datetime.now(UTC) - self._keep)
        self._tidied = time.monotonic() - (_TIDY_SECONDS - 1 if gone == retention.BATCH else 0)

    def _write(self, records: Sequence[_Record], *, clean: bool = False) -> None:
        try:
            with database.told(), self.connection.transaction():
                self._writer.still_ours()
                self._put(records, clean=clean)
        except (psycopg.Error, UnicodeError, OverflowError) as error:
            if not database.is_bad_data(error):
                raise
            self._write_in_parts(records, error, clean=clean)

    def _write_in_parts(self, records: Sequence[_Record], error: Exception, *, clean: bool) -> None:
        """Find the record at fault; it is cleaned, or left out when that does not help."""
        if len(records) > 1:
            middle = len(records) // 2
            self._write(records[:middle])
            self._write(records[middle:])
        elif not clean:
            self._write(records, clean=True)
        else:
            log.error("book: %s: PostgreSQL refuses it: %s", _words(records[0]), type(error).__name__)
            bad = records[0]
            self._write([_Record(bad.partition, bad.place, (), _REFUSED)])

    def _put(self, records: Sequence[_Record], *, clean: bool) -> None:
        facts = [fact for record in records for fact in record.facts]
        self._writer.write([(aspect, cleaned(row)) for aspect, row in facts] if clean else facts)
        for record in records:
            if record.reason:
                metrics.BOOK_SKIPPED.labels(record.place.topic).inc()
                self._writer.skip(
                    _unprefixed(record.partition), record.place.offset, record.reason, as_datetime(record.place.at)
                )
        places = {each.partition: each.place.offset + 1 for each in records}
        self._writer.move({_unprefixed(partition): offset for partition, offset in places.items()})


class _Topics:
    """Which projection reads the records of a topic, by its full name."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Topic, Any, Projection]] = {}

    def read(self, message: Any) -> _Record:
        """What a record says."""
        name = message.topic()
        topic, read, project = self._known.get(name) or self._of(name)
        partition, offset = message.partition(), message.offset()
        place = Place(topic.base, partition, offset, since_1970(message.timestamp()[1]))
        try:
            return _Record((name, partition), place, project(read(message.value() or b""), place))
        except ValidationError:
            reason = _UNREADABLE
        except ValueError as error:
            reason = _UNREADABLE
            log.debug("book: %s/%d/%d: %s", name, partition, offset, error)
        return _Record((name, partition), place, (), reason)

    def _of(self, name: str) -> tuple[Topic, Any, Projection]:
        for topic, project in PROJECTIONS.items():
            if topic.holds(name):
                assert topic.model is not None
                self._known[name] = topic, excerpt_reader(topic.model), project
                return self._known[name]
        raise LookupError(f"no projection reads {name}")


def _unprefixed(partition: Partition) -> Partition:
    return unprefixed(partition[0]), partition[1]


def _words(record: _Record) -> str:
    return f"{record.partition[0]}/{record.partition[1]}/{record.place.offset}"
