"""The book made again from Kafka, beside the one that people read, which it replaces at the end in one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from confluent_kafka import KafkaError, Message
from psycopg import sql
from pydantic import SecretStr

from schemas.record import record
from workers.book import database
from workers.book.agent import BookKeeper, BookSession
from workers.book.database import NEXT, SCHEMA, Connection
from workers.book.reading import ends_of_topics, opened_reader
from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Cluster
from workers.runtime.kafka.librdkafka import Reader
from workers.runtime.stage import NotOurTurn, Partition

_CHUNK: Final = 2000
_MOMENT: Final = 0.2
_SILENT_SECONDS: Final = 30.0
_OLD: Final = "book_old"

Progress = Callable[[int, int], None]
"""(records read, records there were when it began)."""


class AlreadyRebuilding(Exception):
    """Another process makes the book again at this moment."""


@record
class Rebuilt:
    """What a rebuild did."""

    records: int
    orders: int
    orders_before: int  # in the book that was replaced: it may have held some that no topic tells of any more
    skipped: int
    seconds: float


def rebuild(cluster: Cluster, url: SecretStr, progress: Progress) -> Rebuilt:
    """Make the book again. The stage goes on writing the old one meanwhile, and the new one afterwards.

    Whatever ends it before the last step changes nothing for readers. Raises AlreadyRebuilding, TransientError.
    """
    started = time.monotonic()
    keeper = BookKeeper(url, 1, NEXT, first_lock=database.REBUILDING, anew=True)
    try:
        with keeper.session() as session, opened_reader(cluster) as reader:
            records = _read_all(reader, session, progress)
    except NotOurTurn:
        raise AlreadyRebuilding from None
    with database.connect(url) as connection, database.told():
        before = _orders(connection, SCHEMA)
        after, skipped = _orders(connection, NEXT), _count(connection, NEXT, "skipped")
        _replace(connection)
    return Rebuilt(
        records=records,
        orders=after,
        orders_before=before,
        skipped=skipped,
        seconds=time.monotonic() - started,
    )


def _read_all(reader: Reader, session: BookSession, progress: Progress) -> int:
    """To where the topics end. How many records it was.

    A broker may tell an end that is not the last one: where nothing more comes, there is nothing more.
    """
    ends = ends_of_topics(reader)
    reader.assign(ends)
    total, taken = sum(ends.values()), 0
    heard = told = time.monotonic()
    messages: list[Message] = []
    while messages or not _reached(ends, reader.positions):
        messages = [each for each in reader.read(_CHUNK, _MOMENT) if _is_record(each)]
        now = time.monotonic()
        if messages:
            session.write(messages)
            taken, heard = taken + len(messages), now
        elif now - heard > _SILENT_SECONDS:
            raise TransientError(f"Kafka: no answer for {_SILENT_SECONDS:g} s")
        if now - told > 1:
            progress(taken, total)
            told = now
    progress(taken, total)
    return taken


def _is_record(message: Message) -> bool:
    error = message.error()
    if error is not None and (error.fatal() or error.code() == KafkaError._AUTO_OFFSET_RESET):
        raise TransientError(f"Kafka: {error.str()}")
    return error is None


def _reached(ends: Mapping[Partition, int], positions: Mapping[Partition, int]) -> bool:
    """An empty partition is at its end from the beginning."""
    return all(positions.get(partition, 0) >= end for partition, end in ends.items())


def _replace(connection: Connection) -> None:
    """The new book takes the old one's name. Whoever writes to the old one notices: `Writer.still_ours`."""
    with connection.transaction():
        connection.execute(f"DROP SCHEMA IF EXISTS {_OLD} CASCADE")
        if database.version_of(connection, SCHEMA):
            connection.execute(f"LOCK TABLE {SCHEMA}.book IN ACCESS EXCLUSIVE MODE")
            connection.execute(f"ALTER SCHEMA {SCHEMA} RENAME TO {_OLD}")
        connection.execute(f"ALTER SCHEMA {NEXT} RENAME TO {SCHEMA}")
    with connection.transaction():
        connection.execute(f"DROP SCHEMA IF EXISTS {_OLD} CASCADE")


def _orders(connection: Connection, schema: str) -> int:
    return _count(connection, schema, "orders") if database.version_of(connection, schema) else 0


def _count(connection: Connection, schema: str, table: str) -> int:
    text = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
    [(found,)] = connection.execute(text).fetchall()
    return int(found)
