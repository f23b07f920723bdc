"""The list of deeds: everything is in it, and nothing comes out of it again."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.workers.admin.desk.conftest import PASSWORD
from workers.admin.desk.access import Actor, ActorKind, Deed, Role
from workers.admin.desk.audit import Outcome
from workers.admin.desk.desk import Desk
from workers.admin.errors import InvalidRequest, NotAllowed
from workers.runtime.errors import TransientError


def lines(desk: Desk, admin: Actor, **only: Any) -> list[tuple[str, str, str]]:
    found = desk.audit(admin, limit=200, **only).items
    return [(each.deed, each.outcome, each.code) for each in reversed(found) if each.deed != "audit.list"]


def test_what_changes_something_is_told_before_and_after(desk: Desk, admin: Actor) -> None:
    desk.users.add(admin, "li", Role.VIEWER, PASSWORD)
    assert lines(desk, admin) == [("users.add", "begun", ""), ("users.add", "done", "")]
    first, second = desk.audit(admin, subject="li", limit=10).items
    assert first.deed_id == second.deed_id
    assert (first.actor, first.origin, first.subject, first.why) == ("terminal:root", "terminal", "li", "role viewer")


def test_refusals_are_in_it_with_their_code(desk: Desk, admin: Actor) -> None:
    viewer = Actor(ActorKind.USER, "wu", Role.VIEWER, "10.0.0.9")
    with pytest.raises(NotAllowed):
        desk.users.add(viewer, "li", Role.ADMIN, PASSWORD)
    with pytest.raises(InvalidRequest):
        desk.users.add(admin, "li", Role.ADMIN, "easy")
    assert lines(desk, admin) == [
        ("users.add", "refused", "role-too-low"),
        ("users.add", "begun", ""),
        ("users.add", "refused", "password-too-easy"),
    ]


@pytest.mark.parametrize(
    "statement", ["UPDATE desk.audit SET actor = 'x'", "DELETE FROM desk.audit", "TRUNCATE desk.audit"]
)
def test_it_is_never_rewritten(desk: Desk, admin: Actor, book_url: str, statement: str) -> None:
    desk.users.add(admin, "li", Role.VIEWER, PASSWORD)
    before = lines(desk, admin)
    with (
        psycopg.connect(book_url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="never rewritten"),
    ):
        connection.execute(statement.encode())
    assert lines(desk, admin) == before


def test_it_is_read_page_by_page(desk: Desk, admin: Actor) -> None:
    for number in range(5):
        desk.users.add(admin, f"user{number}", Role.VIEWER, PASSWORD)
    seen, cursor = [], None
    while True:
        page = desk.audit(admin, who="terminal:root", cursor=cursor, limit=3)
        seen += [each.number for each in page.items if each.deed == "users.add"]
        cursor = page.next
        if cursor is None or len(seen) >= 10:
            break
    assert len(seen) == len(set(seen)) == 10
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    "cursor", ["", "x", "W10", "bnVsbA", "eyJhIjoxfQ", "IjEi", "A" * 2000, "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", "é"]
)
def test_a_cursor_that_is_none_of_ours_is_refused(desk: Desk, admin: Actor, cursor: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        desk.audit(admin, cursor=cursor, limit=3)
    assert refused.value.code == "bad-cursor"


def test_what_cannot_be_written_down_does_not_happen(desk: Desk, admin: Actor, book_url: str) -> None:
    with psycopg.connect(book_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE desk.audit RENAME TO gone")
        with pytest.raises(TransientError):
            desk.users.add(admin, "li", Role.VIEWER, PASSWORD)
        connection.execute("ALTER TABLE desk.gone RENAME TO audit")
    assert desk.users.list(admin) == []


def test_is_asked_for_some_deeds_and_one_outcome(desk: Desk, admin: Actor) -> None:
    viewer = Actor(ActorKind.USER, "wu", Role.VIEWER, "10.0.0.9")
    desk.users.add(admin, "li", Role.VIEWER, PASSWORD)
    desk.users.list(admin)
    with pytest.raises(NotAllowed):
        desk.users.list(viewer)
    assert lines(desk, admin, deeds={Deed.USERS_LIST}) == [
        ("users.list", "done", ""),
        ("users.list", "refused", "role-too-low"),
    ]
    assert lines(desk, admin, deeds={Deed.USERS_LIST}, outcome=Outcome.REFUSED) == [
        ("users.list", "refused", "role-too-low")
    ]
    assert lines(desk, admin, deeds=frozenset()) == []
