"""Users: who comes in, and who is kept out."""

from __future__ import annotations

import threading

import pytest

from tests.workers.admin.desk.conftest import PASSWORD
from workers.admin.desk.access import Actor, ActorKind, Role
from workers.admin.desk.desk import Desk
from workers.admin.desk.users import MOST_FAILURES
from workers.admin.errors import InvalidRequest, NotAllowed, NotFound, OperatorError, Rejected, Unknown


def test_a_user_signs_in_with_their_role_and_shops(desk: Desk, admin: Actor) -> None:
    desk.users.add(admin, "li", Role.OPERATOR, PASSWORD, ["taobao:main"])
    actor = desk.users.sign_in("Li", PASSWORD, "10.0.0.1")
    assert actor == Actor(ActorKind.USER, "li", Role.OPERATOR, "10.0.0.1", frozenset({"taobao:main"}))


@pytest.mark.parametrize(("name", "password"), [("li", "wrong"), ("nobody", PASSWORD), ("li\0", PASSWORD), ("", "")])
def test_a_wrong_name_and_a_wrong_password_look_alike(desk: Desk, admin: Actor, name: str, password: str) -> None:
    desk.users.add(admin, "li", Role.VIEWER, PASSWORD)
    with pytest.raises(Unknown) as refused:
        desk.users.sign_in(name, password, "10.0.0.1")
    assert refused.value.code == "not-signed-in"


def test_a_disabled_user_stays_out_until_enabled_again(desk: Desk, admin: Actor) -> None:
    desk.users.add(admin, "li", Role.VIEWER, PASSWORD)
    desk.users.disable(admin, "li")
    with pytest.raises(Unknown):
        desk.users.sign_in("li", PASSWORD, "")
    with pytest.raises(Unknown):
        desk.users.actor("li", "")
    desk.users.disable(admin, "li", False)
    assert desk.users.sign_in("li", PASSWORD, "").role is Role.VIEWER


def test_after_many_failures_even_the_right_password_must_wait(desk: Desk, admin: Actor) -> None:
    desk.users.add(admin, "li", Role.VIEWER, PASSWORD)
    for _ in range(MOST_FAILURES):
        with pytest.raises(Unknown):
            desk.users.sign_in("li", "wrong", "")
    with pytest.raises(Unknown):
        desk.users.sign_in("li", PASSWORD, "")


@pytest.mark.parametrize(
    "password", ["", "Short-7", "alllowercase", "has-the-name-Li7", "x" * 300, "12345678901", "Li-horse-battery-7"]
)
def test_an_easy_password_is_refused(desk: Desk, admin: Actor, password: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        desk.users.add(admin, "li", Role.VIEWER, password)
    assert refused.value.code == "password-too-easy"
    assert password == "" or password not in str(refused.value)


def test_the_password_itself_is_nowhere(desk: Desk, admin: Actor, book_url: str) -> None:
    import psycopg

    desk.users.add(admin, "li", Role.VIEWER, PASSWORD)
    with psycopg.connect(book_url) as connection:
        [(kept,)] = connection.execute("SELECT password_hash FROM desk.users").fetchall()
        rows = connection.execute("SELECT * FROM desk.audit").fetchall()
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in str(rows) + kept


@pytest.mark.parametrize("name", ["", "x", "Li", "a b", "x" * 41, "li\0", "-li"])
def test_a_name_that_is_none_is_refused(desk: Desk, admin: Actor, name: str) -> None:
    with pytest.raises(InvalidRequest):
        desk.users.add(admin, name, Role.VIEWER, PASSWORD)


def test_a_name_is_given_once(desk: Desk, admin: Actor) -> None:
    desk.users.add(admin, "li", Role.VIEWER, PASSWORD)
    with pytest.raises(Rejected) as refused:
        desk.users.add(admin, "li", Role.ADMIN, PASSWORD)
    assert refused.value.code == "name-taken"


def test_changes_are_seen_at_the_next_request(desk: Desk, admin: Actor) -> None:
    desk.users.add(admin, "li", Role.VIEWER, PASSWORD)
    desk.users.set_role(admin, "li", Role.LEAD)
    desk.users.set_shops(admin, "li", ["jd:main"])
    found = desk.users.actor("li", "")
    assert (found.role, found.shops) == (Role.LEAD, frozenset({"jd:main"}))
    desk.users.set_password(admin, "li", "Another-horse-8")
    desk.users.sign_in("li", "Another-horse-8", "")
    with pytest.raises(Unknown):
        desk.users.sign_in("li", PASSWORD, "")


def test_a_user_who_is_not_there_is_not_changed(desk: Desk, admin: Actor) -> None:
    with pytest.raises(NotFound) as refused:
        desk.users.set_role(admin, "li", Role.LEAD)
    assert refused.value.code == "unknown-user"


def test_only_an_admin_makes_users(desk: Desk, admin: Actor) -> None:
    desk.users.add(admin, "li", Role.LEAD, PASSWORD)
    lead = desk.users.actor("li", "")
    for attempt in (
        lambda: desk.users.add(lead, "wu", Role.VIEWER, PASSWORD),
        lambda: desk.users.set_role(lead, "li", Role.ADMIN),
        lambda: desk.users.list(lead),
    ):
        with pytest.raises(NotAllowed) as refused:
            attempt()
        assert refused.value.code == "role-too-low"
    assert [user.name for user in desk.users.list(admin)] == ["li"]


def test_the_last_admin_stays_when_two_end_each_other_at_once(desk: Desk, admin: Actor) -> None:
    for name in ("wang", "zhao"):
        desk.users.add(admin, name, Role.ADMIN, PASSWORD)
    refused: list[OperatorError] = []
    start = threading.Barrier(2)

    def end(name: str) -> None:
        start.wait(10)
        try:
            desk.users.disable(admin, name)
        except OperatorError as error:
            refused.append(error)

    threads = [threading.Thread(target=end, args=(name,)) for name in ("wang", "zhao")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [error.code for error in refused] == ["last-admin"]
    assert sum(not user.disabled for user in desk.users.list(admin)) == 1
