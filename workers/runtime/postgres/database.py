"""Connections to PostgreSQL, shared by the threads of a process, and what its errors mean."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool
from pydantic import SecretStr

from schemas.text import Text
from workers.runtime.errors import Misconfigured, TransientError

Connection = psycopg.Connection[TupleRow]

WAIT_SECONDS: Final = 5.0
"""For a connection, and for a server that does not answer: nobody waits long for what will not come."""

_PATIENCE: Final = "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
_KEEPALIVE: Final = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 15_000}
_BAD_DATA: Final = ("22", "23", "54", "P0")  # classes of SQLSTATE: the fault of what was asked
_REFUSING: Final = ("28", "3D", "42501")  # of who asks: a password, a database, a right

_LOST: Final = Text(
    "is PostgreSQL up, and ORDERFLEET_BOOK_URL right? Repeat it then",
    "PostgreSQL 是否在运行？ORDERFLEET_BOOK_URL 是否正确？恢复后请重试",
)


@contextmanager
def postgres_errors() -> Iterator[None]:
    """Errors of PostgreSQL become TransientError, in words that quote no value. Those of bad data pass as they are."""
    try:
        yield
    except psycopg.Error as error:
        if is_refused_data(error):
            raise
        raise _ours(error.sqlstate or "", type(error).__name__) from None


def is_refused_data(error: BaseException) -> bool:
    """Whether PostgreSQL says that a value was bad: no retry helps."""
    return isinstance(error, psycopg.Error) and (
        isinstance(error, psycopg.DataError) or (error.sqlstate or "").startswith(_BAD_DATA)
    )


_NO_TABLES: Final = Text(
    "the order book has no tables yet: run `orderfleet worker --stages book` on this database",
    "订单台账尚未建表：请在此数据库上运行 `orderfleet worker --stages book`",
)
_MISSING: Final = ("42P01", "42703", "3F000")  # a table, a column, a schema


def _ours(code: str, kind: str) -> TransientError:
    if code in _MISSING:
        missing = Misconfigured(f"PostgreSQL has not the tables that are asked for: {kind} {code}")
        missing.code, missing.advice = code, _NO_TABLES
        return missing
    if code.startswith(_REFUSING) or kind in ("InvalidPassword", "ProgrammingError"):
        found: TransientError = Misconfigured(
            f"PostgreSQL lets us not in, or not at our tables: {kind} {code}".rstrip()
        )
    else:
        found = TransientError(f"PostgreSQL is away or cannot go on: {kind} {code}".rstrip())
    found.code, found.advice = code or kind, _LOST
    return found


class Database:
    """One schema of a PostgreSQL. Use it as a context manager; any thread may take a transaction of it.

    It connects when it is first asked. A server that goes away and comes back is met with new connections.
    """

    def __init__(self, url: SecretStr, schema: str, *, role: str, connections: int = 8) -> None:
        """`role`: what the server's list of sessions shows of us."""
        logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # its lines quote the address; we say it ourselves
        self.schema = schema
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url.get_secret_value(),
            kwargs={
                "connect_timeout": int(WAIT_SECONDS),
                "application_name": f"orderfleet {role}",
                "options": f"{_PATIENCE} -c timezone=UTC -c search_path={schema}",
                **_KEEPALIVE,
            },
            min_size=0,
            max_size=connections,
            timeout=WAIT_SECONDS,
            reconnect_timeout=WAIT_SECONDS,
            check=ConnectionPool.check_connection,
            open=False,
        )

    def __enter__(self) -> Database:
        self._pool.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close(timeout=WAIT_SECONDS)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All that is done in it, or nothing. Raises TransientError."""
        with postgres_errors(), self._pool.connection() as connection:
            yield connection

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection of one's own whose statements each stand for themselves: for locks that outlive transactions."""
        with postgres_errors(), self._pool.connection() as connection:
            connection.autocommit = True
            try:
                yield connection
            finally:
                if not connection.closed:
                    connection.autocommit = False

    def rows(self, query: str, values: Any = None) -> list[Any]:
        """What one query finds, or has written. Raises TransientError."""
        with self.transaction() as connection:
            found = connection.execute(query.encode(), values)
            return found.fetchall() if found.description else []

    def snapshot(self, connection: Connection) -> None:
        """Have the transaction that just began see one moment, and write nothing."""
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def identifier(self) -> sql.Identifier:
        """The schema, to be put into a query."""
        return sql.Identifier(self.schema)
