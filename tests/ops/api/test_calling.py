"""Who is let in, what is refused and how, whatever is asked for."""

from __future__ import annotations

import signal
import socket
import time

import httpx
import psycopg
import pytest

from tests.ops.api.conftest import ADMIN, Client, started
from workers.admin.desk.access import Role, Scope
from workers.admin.desk.desk import Desk

PROBLEM = "application/problem+json"


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """The refusal, which must be one of these."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    told: dict[str, object] = answer.json()
    assert (told["code"], told["status"], told["type"]) == (code, status, f"urn:orderfleet:problem:{code}")
    assert told["detail"]
    return told


def test_a_token_says_who_it_is(client: Client) -> None:
    told = client(Role.OPERATOR, Scope.ORDERS_READ, Scope.STOCK_READ, shops=["jd:main"]).get("/me").json()
    assert (told["role"], told["shops"]) == ("operator", ["jd:main"])
    assert told["name"].startswith("operator-")
    assert told["scopes"] == ["orders:read", "stock:read"]
    assert "stock.show" in told["deeds"]
    assert "orders.release" not in told["deeds"]


def test_without_a_good_token_nobody_comes_in(port: int) -> None:
    for given in (None, "Bearer", "Bearer of_x", "Basic b2Y6eA==", f"Bearer of_{'a' * 12}_{'b' * 43}"):
        headers = {} if given is None else {"Authorization": given}
        answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/me", headers=headers)
        told = refused(answer, 401, "token-refused")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "orderfleet tokens create" in str(told["todo"])


def test_a_token_without_the_scope_is_told_which_one(client: Client) -> None:
    told = refused(client(Role.ADMIN, Scope.ORDERS_READ).get("/stock"), 403, "scope-missing")
    assert "stock:read" in str(told["detail"])


def test_a_role_that_is_too_low_is_told_so(client: Client, desk: Desk) -> None:
    lead = client(Role.LEAD)
    desk.users.set_role(ADMIN, lead.get("/me").json()["name"], Role.OPERATOR)
    refused(lead.get("/audit"), 403, "role-too-low")


def test_a_revoked_token_is_refused_at_once(client: Client, desk: Desk) -> None:
    one = client(Role.VIEWER)
    assert one.get("/me").status_code == 200
    desk.tokens.revoke(ADMIN, one.headers["authorization"].split("_")[1])
    refused(one.get("/me"), 401, "token-refused")


def test_refusals_speak_the_callers_language(client: Client) -> None:
    one = client(Role.VIEWER, Scope.ORDERS_READ)
    wanted = {"zh-CN,zh;q=0.9,en;q=0.8": "zh", "en": "en", "fr, zh;q=0.5, en;q=0.4": "zh", "fr": "en", "zh;q=x": "en"}
    for asked, language in wanted.items():
        answer = one.get("/stock", headers={"Accept-Language": asked})
        assert answer.headers["content-language"] == language
        assert ("权限" in answer.text) is (language == "zh")


def test_what_is_too_large_is_refused_unread(client: Client) -> None:
    one = client(Role.LEAD)
    refused(one.post("/dead-letters/retry", content=b"x" * (300 << 10)), 413, "body-too-large")
    refused(one.post("/dead-letters/retry", content=iter([b"x" * (200 << 10)] * 2)), 413, "body-too-large")
    refused(one.get("/stock", params={"sku": "x" * 5000}), 414, "query-too-long")
    refused(one.get("/stock/" + "x" * 3000), 414, "query-too-long")
    refused(one.post("/dead-letters/retry", content=b"{}", headers={"Content-Encoding": "gzip"}), 415, "body-encoded")


def test_a_body_that_is_none_is_refused_by_name(client: Client) -> None:
    one = client(Role.LEAD)
    bodies = [b"", b"{", b"[" * 100_000, b'{"letter_id": 1}', b"\xff", b"null", b'{"a": NaN}']
    bodies += [b'{"letter_id": "x", "why": "y", "more": 1}', b'{"letter_id": "x", "why": ""}']
    for body in bodies:
        answer = one.post("/dead-letters/retry", content=body, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, body[:20]
        assert answer.json()["code"] in ("unreadable-body", "invalid-request")


def test_no_value_is_quoted_in_a_refusal(client: Client) -> None:
    body = {"letter_id": "13800000000" * 100, "why": ["13800000000"]}
    told = refused(client(Role.LEAD).post("/dead-letters/retry", json=body), 422, "invalid-request")
    assert {"body.letter_id", "body.why"} == {each["where"] for each in told["errors"]}  # type: ignore[attr-defined]
    assert "13800000000" not in str(told)


def test_paths_and_methods_that_are_none(client: Client) -> None:
    refused(client().get("/nothing"), 404, "no-such-path")
    refused(client().delete("/stock"), 405, "method-not-allowed")


def test_a_token_that_asks_too_often_is_told_when_to_come_again(environment: dict[str, str], desk: Desk) -> None:
    desk.users.add(ADMIN, "li", Role.VIEWER, "Right-horse-7")
    tokens = [desk.tokens.create(ADMIN, "li", [Scope.STOCK_READ], 1, "t")[1].get_secret_value() for _ in range(2)]
    process, port = started(**environment, ORDERFLEET_API_REQUESTS_PER_SECOND="1")
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30) as one:
            answers = [one.get("/me", headers={"Authorization": f"Bearer {tokens[0]}"}) for _ in range(30)]
            late = next(each for each in answers if each.status_code == 429)
            refused(late, 429, "too-many-requests")
            assert 1 <= int(late.headers["retry-after"]) <= 3
            assert one.get("/me", headers={"Authorization": f"Bearer {tokens[1]}"}).status_code == 200
    finally:
        process.terminate()
        process.communicate(timeout=15)


def test_whoever_guesses_tokens_is_slowed_down(environment: dict[str, str]) -> None:
    process, port = started(**environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30) as one:
            codes = [one.get("/me").status_code for _ in range(40)]
    finally:
        process.terminate()
        process.communicate(timeout=15)
    assert codes[:30] == [401] * 30
    assert 429 in codes[30:]


def test_health_says_whether_postgresql_answers(port: int, database: str, desk: Desk) -> None:
    url = f"http://127.0.0.1:{port}/health"
    assert httpx.get(url).json() == {"status": "ok"}
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER TABLE desk.users RENAME TO gone")
        refused(httpx.get(url), 503, "server-away")
        connection.execute("ALTER TABLE desk.gone RENAME TO users")
    assert httpx.get(url).status_code == 200


def test_it_leaves_on_sigterm_though_a_caller_stays_silent(environment: dict[str, str]) -> None:
    process, port = started(**environment)
    with socket.create_connection(("127.0.0.1", port)) as silent:
        silent.sendall(b"POST /api/v1/dead-letters/retry HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=15)
    assert process.returncode == 0, said.decode()
    assert time.monotonic() - began < 10


def test_it_listens_on_this_machine_only(port: int) -> None:
    addresses = {row[4][0] for row in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {"127.0.0.1", "127.0.1.1"}:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((str(address), port), timeout=5)


def test_the_description_names_every_endpoint_and_what_it_needs(port: int) -> None:
    told = httpx.get(f"http://127.0.0.1:{port}/api/v1/openapi.json").json()
    for path, methods in told["paths"].items():
        for method, one in methods.items():
            assert one["summary"], (method, path)
            if path not in ("/health", "/api/v1/me"):
                assert "Scope: `" in one["description"], (method, path)
            if "204" in one["responses"]:  # says nothing when it is done
                continue
            done = one["responses"].get("200") or one["responses"]["202"]
            schema = done["content"]["application/json"]["schema"]
            assert schema, (method, path)
    scopes = {scope for scope in Scope if any(scope in str(one) for one in told["paths"].values())}
    assert scopes >= {Scope.STOCK_READ, Scope.LETTERS_READ, Scope.LETTERS_RETRY, Scope.AUDIT_READ}
