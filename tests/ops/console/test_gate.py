"""What the gate lets through, and sessions on a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from ops.console.forms import checked
from ops.console.gate import COOKIE, MOST_BODY, Address, Gate, Message, Receive, Scope, Send
from ops.console.sessions import GRACE_SECONDS, Sessions, key_of
from ops.console.visit import visit_of
from schemas.text import Text
from workers.admin.desk.access import Actor, ActorKind, Role
from workers.admin.errors import Unknown
from workers.runtime.errors import TransientError

OURS = "http://console.test"


def look_up(name: str, origin: str) -> Actor:
    """Who somebody is: `gone` was disabled since."""
    if name == "gone":
        raise Unknown(Text("sign in again", "请重新登录"), "not-signed-in")
    return Actor(ActorKind.USER, name, Role.OPERATOR, origin)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says who asks for which path; reads what it is sent."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        return
    while (await receive()).get("more_body"):
        pass
    actor = visit_of(scope).actor
    prefix = dict(scope["headers"]).get(b"x-forwarded-prefix", b"").decode()
    body = f"{actor.name if actor else '-'} {scope['path']} {prefix}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def sessions(redis: Redis) -> Sessions:
    return Sessions(redis, 600)


def client(sessions: Sessions, url: str = "") -> httpx.AsyncClient:
    gate: Any = Gate(app, sessions, look_up, Address(url))
    return httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url=OURS)


@pytest.fixture
async def li(sessions: Sessions) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is signed in."""
    async with client(sessions) as one:
        one.cookies.set(COOKIE, await sessions.open("li"))
        yield one


async def test_only_who_has_a_session_comes_in(sessions: Sessions, li: httpx.AsyncClient) -> None:
    assert (await li.get("/review")).text == "li /review "
    async with client(sessions) as nobody:
        for token in ("", "x", "a" * 5000, "é"):
            answer = await nobody.get("/review", headers={b"Cookie": f"{COOKIE}={token}".encode()})
            assert answer.status_code == 401
        answer = await nobody.get("/review?code=x", headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?then=%2Freview%3Fcode%3Dx")


async def test_who_was_disabled_since_is_out(sessions: Sessions) -> None:
    async with client(sessions) as one:
        one.cookies.set(COOKIE, await sessions.open("gone"))
        assert (await one.get("/review")).status_code == 401


async def test_forms_are_taken_from_our_own_pages_only(li: httpx.AsyncClient) -> None:
    for origin in (
        None,
        "null",
        "http://elsewhere.test",
        "https://console.test.elsewhere.test",
        "http://console.test:81",
    ):
        headers = {} if origin is None else {"Origin": origin}
        assert (await li.post("/sign-out", headers=headers)).status_code == 403
    assert (await li.post("/sign-out", headers={"Origin": OURS})).status_code == 200


async def test_what_is_too_large_is_refused(li: httpx.AsyncClient) -> None:
    ours = {"Origin": OURS}
    assert (await li.post("/x", content=b"x" * (MOST_BODY + 1), headers=ours)).status_code == 413

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * (MOST_BODY // 2)

    assert (await li.post("/x", content=parts(), headers=ours)).status_code == 413
    assert (await li.get("/" + "x" * 3000)).status_code == 414
    assert (await li.get("/", params={"q": "x" * 9000})).status_code == 414


async def test_every_answer_says_what_a_browser_may_do_with_it(li: httpx.AsyncClient) -> None:
    for path in ("/review", "/sign-in", "/nothing"):
        headers = (await li.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


async def test_behind_a_proxy_the_prefix_is_ours_and_not_the_callers(sessions: Sessions) -> None:
    async with client(sessions, "https://ops.example.com/orders") as one:
        one.cookies.set(COOKIE, await sessions.open("li"))
        for path in ("/orders/review", "/review"):  # a proxy cuts it off, or does not
            answer = await one.get(path, headers={"X-Forwarded-Prefix": "/evil"})
            assert answer.text == "li /review /orders"
        assert (await one.post("/x", headers={"Origin": OURS})).status_code == 403
        assert (await one.post("/x", headers={"Origin": "https://ops.example.com"})).status_code == 200


async def socket(sessions: Sessions, token: str, origin: str) -> list[Message]:
    """What a socket is told."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"console.test"), (b"origin", origin.encode()), (b"cookie", f"{COOKIE}={token}".encode())]
    scope = {
        "type": "websocket",
        "path": "/_nicegui_ws/",
        "query_string": b"",
        "headers": headers,
        "client": ("::1", 1),
    }
    await Gate(app, sessions, look_up, Address(""))(scope, receive, send)
    return sent


async def test_sockets_are_held_to_the_same(sessions: Sessions) -> None:
    token = await sessions.open("li")
    assert await socket(sessions, token, OURS) == [{"type": "websocket.accept"}]
    for other in ((token, "http://elsewhere.test"), (token, ""), ("x", OURS)):
        assert [each["type"] for each in await socket(sessions, *other)] == ["websocket.close"]


async def test_a_session_ends_for_idleness_and_when_it_is_closed(redis: Redis) -> None:
    sessions = Sessions(redis, 1)
    token = await sessions.open("li")
    keys = [key async for key in redis.scan_iter("*console-session*")]
    assert len(keys) == 1
    assert token.encode() not in keys[0]
    assert (await sessions.find(token)) is not None
    await redis.pexpire(keys[0], 1)
    while await redis.exists(keys[0]):
        pass
    assert await sessions.find(token) is None
    other = await sessions.open("li")
    assert await sessions.ended([key_of(token), key_of(other)]) == {key_of(token)}
    await sessions.close(key_of(other))
    assert await sessions.find(other) is None


async def test_while_redis_is_away_who_was_seen_goes_on_and_nobody_else() -> None:
    away = Redis(host="127.0.0.1", port=1)
    sessions = Sessions(away, 600)
    assert await sessions.find("unseen") is None
    with pytest.raises(TransientError):
        await sessions.open("li")
    assert await sessions.ended(["x"]) == set()
    assert not await sessions.answers()
    await away.aclose()
    assert GRACE_SECONDS < 3600


@pytest.mark.parametrize(
    ("then", "path"),
    [("/review?code=x", "/review?code=x"), ("//elsewhere", "/"), ("https://elsewhere", "/"), ("/\\elsewhere", "/"),
     ("", "/"), ("/a\r\nb", "/"), ("/a/\\b", "/")],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_after_the_sign_in(then: str, path: str) -> None:
    assert checked(then) == path
