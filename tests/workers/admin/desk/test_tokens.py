"""Tokens: what they may, and when they end."""

from __future__ import annotations

import psycopg
import pytest

from tests.workers.admin.desk.conftest import PASSWORD
from workers.admin.desk.access import Actor, Role, Scope, allowed_scopes
from workers.admin.desk.desk import Desk
from workers.admin.errors import InvalidRequest, NotAllowed, NotFound, Unknown

READS = [Scope.ORDERS_READ, Scope.STOCK_READ]


@pytest.fixture
def token(desk: Desk, admin: Actor) -> str:
    desk.users.add(admin, "li", Role.OPERATOR, PASSWORD, ["jd:main"])
    return desk.tokens.create(admin, "li", READS, 30, "reports")[1].get_secret_value()


def test_a_token_is_its_user_with_its_scopes(desk: Desk, token: str) -> None:
    actor = desk.tokens.actor(token, "10.0.0.1")
    assert (actor.name, actor.role, actor.shops, actor.scopes) == (
        "li",
        Role.OPERATOR,
        frozenset({"jd:main"}),
        frozenset(READS),
    )


def test_it_can_do_no_more_than_its_user_can_now(desk: Desk, admin: Actor, token: str) -> None:
    desk.users.set_role(admin, "li", Role.VIEWER)
    assert desk.tokens.actor(token, "").role is Role.VIEWER
    desk.users.disable(admin, "li")
    with pytest.raises(Unknown):
        desk.tokens.actor(token, "")


def test_without_the_scope_it_is_refused_by_name(desk: Desk, token: str) -> None:
    actor = desk.tokens.actor(token, "")
    with pytest.raises(NotAllowed) as refused:
        desk.letters.list(actor, reason=None, channel=None, limit=10)
    assert refused.value.code == "scope-missing"
    assert "letters:read" in refused.value.text.en
    assert "letters:read" in refused.value.text.zh


def test_no_token_makes_users_or_tokens(desk: Desk, admin: Actor) -> None:
    desk.users.add(admin, "root", Role.ADMIN, PASSWORD)
    everything = sorted(allowed_scopes(Role.ADMIN))
    assert everything == sorted(Scope)
    _, token = desk.tokens.create(admin, "root", everything, 1, "all")
    actor = desk.tokens.actor(token.get_secret_value(), "")
    for attempt in (
        lambda: desk.users.add(actor, "wu", Role.ADMIN, PASSWORD),
        lambda: desk.tokens.create(actor, "root", READS, 1, "more"),
        lambda: desk.users.set_password(actor, "root", PASSWORD),
    ):
        with pytest.raises(NotAllowed) as refused:
            attempt()
        assert refused.value.code == "not-for-tokens"


def test_revoked_and_expired_tokens_are_refused(desk: Desk, admin: Actor, token: str, book_url: str) -> None:
    token_id = token.split("_")[1]
    with psycopg.connect(book_url) as connection:
        connection.execute("UPDATE desk.tokens SET expires_at = now()")
    with pytest.raises(Unknown):
        desk.tokens.actor(token, "")
    with psycopg.connect(book_url) as connection:
        connection.execute("UPDATE desk.tokens SET expires_at = now() + interval '1 day'")
    desk.tokens.actor(token, "")
    desk.tokens.revoke(admin, token_id)
    desk.tokens.revoke(admin, token_id)
    with pytest.raises(Unknown):
        desk.tokens.actor(token, "")


def test_what_only_looks_like_it_is_refused(desk: Desk, token: str) -> None:
    last = "x" if token[-1] != "x" else "y"
    lookalikes = [token[:-1] + last, token.upper(), "", token + "\0", f"of_{'a' * 12}_{'b' * 43}", token[1:], token * 9]
    for changed in lookalikes:
        with pytest.raises(Unknown) as refused:
            desk.tokens.actor(changed, "")
        assert refused.value.code == "token-refused"


def test_the_secret_is_not_kept(desk: Desk, admin: Actor, token: str, book_url: str) -> None:
    with psycopg.connect(book_url) as connection:
        rows = connection.execute("SELECT * FROM desk.tokens").fetchall()
        rows += connection.execute("SELECT * FROM desk.audit").fetchall()
    assert token.split("_", 2)[2] not in str(rows)
    assert [each.user for each in desk.tokens.list(admin)] == ["li"]


def test_its_use_is_noted(desk: Desk, admin: Actor, token: str) -> None:
    assert desk.tokens.list(admin)[0].used_at is None
    desk.tokens.actor(token, "")
    assert desk.tokens.list(admin)[0].used_at is not None


@pytest.mark.parametrize(
    ("scopes", "days", "label", "code"),
    [
        ([], 1, "x", "bad-scope"),
        ([Scope.LETTERS_RETRY], 1, "x", "bad-scope"),
        (READS, 0, "x", "bad-days"),
        (READS, 10_000, "x", "bad-days"),
        (READS, 1, " ", "bad-label"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(
    desk: Desk, admin: Actor, scopes: list[Scope], days: int, label: str, code: str
) -> None:
    desk.users.add(admin, "li", Role.OPERATOR, PASSWORD)
    with pytest.raises(InvalidRequest) as refused:
        desk.tokens.create(admin, "li", scopes, days, label)
    assert refused.value.code == code
    assert desk.tokens.list(admin) == []


def test_of_whom_it_would_be_must_be_there(desk: Desk, admin: Actor) -> None:
    with pytest.raises(NotFound):
        desk.tokens.create(admin, "nobody", READS, 1, "x")
    with pytest.raises(NotFound):
        desk.tokens.revoke(admin, "nothing\0")
