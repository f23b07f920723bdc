"""`orderfleet users`, `tokens`, `orders`, `review list|show|bulk` on a real PostgreSQL."""

from __future__ import annotations

import json

import psycopg
import pytest

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.ports import free_port
from tests.ops.cli.conftest import Run
from tests.workers.admin.desk.books import fill, in_review

PASSWORD = b"Right-horse-7\n"


@pytest.fixture
def desk(book_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ORDERFLEET_BOOK_URL", book_url)
    return book_url


@pytest.mark.usefixtures("desk")
def test_the_first_admin_is_made_from_stdin_and_makes_a_token(run: Run) -> None:
    made = run("users", "add", "wang", "--role", "admin", stdin=PASSWORD)
    assert made.exit_code == 0, made.stderr
    [user] = map(json.loads, run("users", "list", "--json").stdout.splitlines())
    assert (user["name"], user["role"], user["shops"], user["disabled"]) == ("wang", "admin", None, False)
    token = run("tokens", "create", "--user", "wang", "--scope", "stock:read", "--label", "reports", "--json")
    told = json.loads(token.stdout)
    assert told["token"].startswith(f"of_{told['token_id']}_")
    assert run("tokens", "revoke", told["token_id"]).exit_code == 0
    listed = run("tokens", "list", "--json").stdout
    assert json.loads(listed)["revoked_at"]
    assert told["token"] not in listed


@pytest.mark.usefixtures("desk")
def test_refusals_are_named_and_have_exit_codes(run: Run) -> None:
    cases: list[tuple[list[str], bytes | None, int, str]] = [
        (["users", "add", "wang", "--role", "king"], PASSWORD, 2, "viewer, operator, lead, admin"),
        (["users", "add", "wang", "--role", "admin"], b"easy\n", 2, "too easy"),
        (["users", "add", "wang", "--role", "admin"], b"", 2, "too easy"),
        (["users", "disable", "nobody"], None, 1, "no user nobody"),
        (["tokens", "create", "--user", "nobody", "--scope", "stock:read", "--label", "x"], None, 1, "no user nobody"),
        (["tokens", "create", "--user", "x", "--scope", "all", "--label", "x"], None, 2, "orders:read"),
        (["tokens", "revoke", "x"], None, 1, "tokens list"),
        (["orders", "find"], None, 2, "--stages book"),
    ]
    for words, stdin, code, said in cases:
        result = run(*words, stdin=stdin)
        assert result.exit_code == code, (words, result.stderr)
        assert said in result.stderr, words


def test_without_an_address_or_a_server_it_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("users", "list")
    assert (result.exit_code, "ORDERFLEET_BOOK_URL" in result.stderr) == (2, True)
    monkeypatch.setenv("ORDERFLEET_BOOK_URL", f"postgresql://someone:secret@127.0.0.1:{free_port()}/x")
    result = run("users", "list")
    assert result.exit_code == 3
    assert "ORDERFLEET_BOOK_URL" in result.stderr
    assert "secret" not in result.stderr


def test_orders_are_found_and_shown(run: Run, desk: str) -> None:
    fill(desk, [in_review(str(number)) for number in range(3)])
    found = [json.loads(line) for line in run("orders", "find", "--stage", "review", "--json").stdout.splitlines()]
    assert {order["uid"] for order in found} == {f"taobao:tea-house:{number}" for number in range(3)}
    assert "taobao:tea-house:1" in run("orders", "find", "1").stdout
    shown = run("orders", "show", "taobao:tea-house:1")
    assert "no-rule" in shown.stdout
    assert run("orders", "show", "taobao:tea-house:9").exit_code == 1
    assert run("orders", "show", "9").exit_code == 2


@pytest.fixture
def servers(redis_url: str, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERFLEET_KAFKA", broker.address)


@pytest.mark.usefixtures("servers")
def test_an_order_in_review_is_shown_with_what_may_be_done(run: Run, desk: str) -> None:
    fill(desk, [in_review("1")])
    shown = json.loads(run("review", "show", "taobao:tea-house:1", "--json").stdout)
    assert shown["review"]["codes"] == ["no-rule"]
    codes = {each["kind"]: each["code"] for each in shown["choices"]["choices"]}
    assert codes["release"] == "unknown-order", "the ledger of this test does not know it"
    told = run("review", "show", "taobao:tea-house:1").stdout
    assert "NUT-BOX-500" in told
    assert "poll its shop again" in told
    assert run("review", "show", "taobao:tea-house:2").exit_code == 1


def test_what_waits_is_listed_and_the_look_is_written_down(run: Run, desk: str) -> None:
    fill(desk, [in_review(str(number)) for number in range(3)])
    fill(desk, [in_review("7", shop="main", channel="jd")], code="gift-missing")
    listed = [json.loads(line)["order"]["uid"] for line in run("review", "list", "--json").stdout.splitlines()]
    assert len(listed) == 4
    assert "jd:main:7" in run("review", "list", "--code", "gift-missing").stdout
    assert run("review", "list", "--shop", "jd:main", "--limit", "1").exit_code == 0
    with psycopg.connect(desk) as connection:
        rows = connection.execute("SELECT actor, outcome FROM desk.audit WHERE deed = 'review.list'").fetchall()
    assert len(rows) >= 3
    assert {(actor.partition(":")[0], outcome) for actor, outcome in rows} == {("terminal", "done")}


def test_what_happened_to_an_order_is_told_in_its_order(run: Run, desk: str) -> None:
    fill(desk, [in_review("1")])
    told = [json.loads(line) for line in run("orders", "timeline", "taobao:tea-house:1", "--json").stdout.splitlines()]
    assert {each["kind"] for each in told} == {"planned", "review"}
    assert run("orders", "timeline", "taobao:tea-house:2").exit_code == 1


def test_what_other_rules_decided_is_offered(run: Run, desk: str) -> None:
    fill(desk, [in_review(str(number)) for number in range(3)])
    found = json.loads(run("review", "offers", "--json").stdout)
    [offer] = found["items"]
    assert (offer["code"], offer["orders"], offer["kind"]) == ("no-rule", 3, "redecide")
    assert offer["filter"]["not_ruleset"] == found["ruleset"]
    assert "--old-rules" in run("review", "offers").stdout


@pytest.mark.usefixtures("servers")
def test_bulk_asks_first_and_is_refused_at_another_count(run: Run, desk: str) -> None:
    fill(desk, [in_review(str(number)) for number in range(3)])
    result = run("review", "bulk", "release", "--why", "x", "--count", "4")
    assert result.exit_code == 1
    assert "3 orders match now, not 4" in result.stderr
    result = run("review", "bulk", "redecide", "--why", "x", stdin=b"n\n")
    assert result.exit_code == 1
    assert "redecide 3 orders?" in result.stderr
    assert "nothing was done" in result.stderr
    assert run("review", "bulk", "redecide", "--why", "x", "--code", "none").exit_code == 1
    assert "unknown-order 3" in result.stderr, "what would become of them is told before"
    assert run("review", "bulk", "destroy", "--why", "x").exit_code == 2
    assert run("review", "bulk", "correct", "--why", "x").exit_code == 2
    assert run("review", "bulk", "release", "--why", "x", "--failed", "none").exit_code == 2
