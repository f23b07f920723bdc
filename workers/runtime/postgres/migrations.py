"""Bringing the tables of a schema to this version of the code: numbered files of SQL, each applied once."""

from __future__ import annotations

from importlib import resources

import psycopg
from psycopg import sql

from schemas.text import Text
from workers.runtime.errors import Misconfigured
from workers.runtime.postgres.database import Database

_LOCK = 0x0DE5C


class NewerTables(Misconfigured):
    """The tables were made by a newer version of this code."""


def known(package: str) -> list[tuple[int, str]]:
    """The files of a package, `0001_what_it_does.sql`: number and name, ascending."""
    names = sorted(each.name for each in resources.files(package).iterdir() if each.name.endswith(".sql"))
    return [(int(name.partition("_")[0]), name) for name in names]


def migrate(database: Database, package: str) -> list[int]:
    """Apply the files that were not applied yet, all or none, one process at a time. Their numbers.

    Raises NewerTables, TransientError.
    """
    files, applied = known(package), []
    with database.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK, database.schema))
        done = _numbers(connection, database)
        if done and max(done) > files[-1][0]:
            error = NewerTables(
                f"the tables of {database.schema} are of version {max(done)}, this code: {files[-1][0]}"
            )
            error.code = "newer-tables"
            error.advice = Text("run the newer version of orderfleet", "请使用较新版本的 orderfleet")
            raise error
        for number, name in files:
            if number not in done:
                connection.execute(resources.files(package).joinpath(name).read_bytes())
                connection.execute("INSERT INTO migrations (number, name) VALUES (%s, %s)", (number, name))
                applied.append(number)
    return applied


def _numbers(connection: psycopg.Connection[tuple[object, ...]], database: Database) -> set[int]:
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(database.identifier()))
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations ("
        "number int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    return {int(str(number)) for (number,) in connection.execute("SELECT number FROM migrations").fetchall()}
