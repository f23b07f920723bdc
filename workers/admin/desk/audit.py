"""The list of all that was done at the desk, and of all that was refused. It is only ever added to."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from schemas.record import record
from workers.admin.desk.access import Actor, Deed
from workers.admin.desk.paging import Page, cut
from workers.runtime.postgres.database import Connection, Database

MOST_WHY: Final = 500
_FIELDS: Final = "number, at, deed_id, kind, actor, token_id, role, origin, deed, subject, why, outcome, code"


class Outcome(StrEnum):
    """How a deed stands."""

    BEGUN = "begun"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"  # a server was away, or a mistake of ours: it may have happened


@record
class AuditEntry:
    """One line of the list. A deed that changes something has two: when it began, and how it ended."""

    number: int
    at: datetime
    deed_id: UUID
    kind: str
    actor: str
    token_id: str | None
    role: str
    origin: str
    deed: str
    subject: str
    why: str
    outcome: str
    code: str


class Audit:
    """Writes the list and reads it. Raises TransientError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        actor: Actor,
        deed: Deed,
        outcome: Outcome,
        *,
        deed_id: UUID,
        subject: str = "",
        why: str = "",
        code: str = "",
    ) -> None:
        """Write a line down. It is stored when this returns."""
        with self._database.transaction() as connection:
            write(connection, actor, deed, outcome, deed_id=deed_id, subject=subject, why=why, code=code)

    def page(
        self,
        *,
        subject: str | None,
        actor: str | None,
        deeds: Collection[Deed] | None = None,
        outcome: Outcome | None = None,
        below: int | None,
        limit: int,
    ) -> Page[AuditEntry]:
        """The newest first, below a number."""
        found = self._database.rows(
            f"SELECT {_FIELDS} FROM audit WHERE (%(subject)s::text IS NULL OR subject = %(subject)s) "  # noqa: S608
            "AND (%(actor)s::text IS NULL OR actor = %(actor)s) AND (%(below)s::bigint IS NULL OR number < %(below)s) "
            "AND (%(deeds)s::text[] IS NULL OR deed = ANY(%(deeds)s)) "
            "AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s) ORDER BY number DESC LIMIT %(limit)s",
            {
                "subject": subject,
                "actor": actor,
                "deeds": None if deeds is None else sorted(deeds),
                "outcome": outcome,
                "below": below,
                "limit": limit + 1,
            },
        )
        return cut([_entry(row) for row in found], limit, lambda entry: entry.number)


def write(
    connection: Connection,
    actor: Actor,
    deed: Deed,
    outcome: Outcome,
    *,
    deed_id: UUID,
    subject: str = "",
    why: str = "",
    code: str = "",
) -> None:
    """Write a line down in a transaction that does something else, too."""
    name, origin = _printable(actor.name)[:100], _printable(actor.origin)[:100]
    about, reason = _printable(subject)[:400], _printable(why)[:MOST_WHY]
    connection.execute(
        "INSERT INTO audit (deed_id, kind, actor, token_id, role, origin, deed, subject, why, outcome, code) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (deed_id, actor.kind, name, actor.token_id, actor.role, origin, deed, about, reason, outcome, code),
    )


def _printable(text: str) -> str:
    """PostgreSQL takes no NUL."""
    return "".join(each if each.isprintable() else " " for each in text)


def _entry(row: tuple[Any, ...]) -> AuditEntry:
    return AuditEntry(**dict(zip(_FIELDS.split(", "), row, strict=True)))
