"""The book's PostgreSQL: connecting, its schema, and what its errors mean."""

from __future__ import annotations

from importlib import resources
from typing import Any, Final

import psycopg
from psycopg import sql
from pydantic import SecretStr

from workers.runtime.errors import Misconfigured
from workers.runtime.postgres.database import is_refused_data, postgres_errors

Connection = psycopg.Connection[Any]

SCHEMA: Final = "book"
"""Where the tables are. A rebuild fills others beside them, and takes their name when it is done."""

NEXT: Final = "book_next"
LOCKS: Final = 0x0B00C
"""The class of the book's advisory locks. Those of the ones who write are numbered from 0."""

_MIGRATING, REBUILDING = -1, -2

_PATIENCE: Final = (
    "-c statement_timeout=60s -c lock_timeout=30s -c idle_in_transaction_session_timeout=60s -c timezone=UTC"
)


class NewerBook(Misconfigured):
    """The tables were made by a newer version of this code."""


def connect(url: SecretStr, *, schema: str = SCHEMA, role: str = "book") -> Connection:
    """A connection that finds the tables of the book. Raises TransientError; no error quotes the address.

    A dead server is noticed within seconds: nobody waits for an answer that will not come.
    """
    with told():
        connection = psycopg.connect(
            url.get_secret_value(),
            connect_timeout=5,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=15_000,
            application_name=f"orderfleet {role}",
            options=_PATIENCE,
        )
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
        connection.commit()
    return connection


told: Final = postgres_errors
"""Errors of PostgreSQL become TransientError, in words that quote no value. Bad data passes as it is."""


def is_bad_data(error: BaseException) -> bool:
    """Whether it is the fault of a value that was to be written, and no retry helps."""
    return isinstance(error, UnicodeError | OverflowError) or is_refused_data(error)


# -- locks ---------------------------------------------------------------------------------------------------------


def try_lock(connection: Connection, number: int) -> bool:
    """Take one of the book's locks for as long as this connection lives. False when another has it."""
    [(got,)] = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCKS, number)).fetchall()
    connection.commit()
    return bool(got)


# -- the schema ----------------------------------------------------------------------------------------------------


def known_versions() -> list[tuple[int, str]]:
    """The numbered files of the schema: number, name."""
    names = sorted(each.name for each in resources.files(f"{__package__}.schema").iterdir())
    return [(int(name.split("_", 1)[0]), name) for name in names if name.endswith(".sql")]


def version_of(connection: Connection, schema: str = SCHEMA) -> int:
    """The number of the last file that was applied; 0 where there is no book."""
    [(there,)] = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{schema}.book",)).fetchall()
    if not there:
        return 0
    found = connection.execute(sql.SQL("SELECT version FROM {}.book").format(sql.Identifier(schema))).fetchone()
    return int(found[0]) if found else 0


def migrate(connection: Connection, schema: str = SCHEMA) -> list[int]:
    """Bring the tables to this version of the code. The numbers of the files that were applied, none when all were.

    All or none, and one process at a time. Raises NewerBook, TransientError.
    """
    with told(), connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCKS, _MIGRATING))
        versions, version = known_versions(), version_of(connection, schema)
        if version > versions[-1][0]:
            raise NewerBook(
                f"the order book is of version {version}, this code knows {versions[-1][0]}: run the newer one, or "
                "make the book again with `orderfleet book rebuild`"
            )
        connection.execute("SET LOCAL statement_timeout = 0")
        name, applied = sql.Identifier(schema), []
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
        connection.execute(sql.SQL("SET LOCAL search_path = {}").format(name))
        for number, file in versions:
            if number > version:
                text = resources.files(f"{__package__}.schema").joinpath(file).read_text(encoding="utf-8")
                connection.execute(text)
                connection.execute("UPDATE book SET version = %s", (number,))
                applied.append(number)
    return applied


def drop(connection: Connection, schema: str) -> None:
    """Throw a book away. Raises TransientError."""
    with told(), connection.transaction():
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
