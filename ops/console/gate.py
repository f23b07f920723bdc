"""Before everything else: who comes in. One ASGI layer guards pages, files and websockets; no page can forget it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from ops.console.sessions import Sessions
from ops.console.visit import LANGUAGE, VISIT, Visit, visit_of
from schemas.text import Language, Text
from workers.admin.desk.access import Actor
from workers.admin.errors import Unknown
from workers.runtime import metrics
from workers.runtime.errors import TransientError, path_of

log = logging.getLogger(__name__)

COOKIE: Final = "orderfleet_console"
LANGUAGE_COOKIE: Final = "orderfleet_language"
OPEN: Final = ("/sign-in", "/language", "/health", "/favicon.ico", "/assets/")
"""What needs no session."""

MOST_BODY: Final = 256 << 10
MOST_FILE: Final = 9 << 20
"""Of a stock sheet that a signed-in person drags into a page, with what surrounds it."""

MOST_QUERY: Final = 8 << 10
MOST_PATH: Final = 2 << 10
CSP: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "frame-ancestors 'none'; form-action 'self'"
)
"""Vue compiles its templates in the browser: it needs 'unsafe-eval'."""

_ALWAYS: Final = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_FORWARDED: Final = (b"forwarded", b"x-forwarded-prefix", b"x-forwarded-host", b"x-forwarded-proto")
"""What we were told by a setting is not taken from a request."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
LookUp = Callable[[str, str], Actor]
"""A user's name and address -> who they are now. Raises Unknown, TransientError. Not for the event loop's thread."""

_TOO_LARGE: Final = Text("this is too large", "内容过大")
_ELSEWHERE: Final = Text("this request comes from another page", "请求来自其他页面")
_SIGN_IN: Final = Text("sign in first", "请先登录")
_AWAY: Final = Text("the order book does not answer: try again in a moment", "订单台账暂无应答：请稍后再试")


class Address:
    """Where people open the console: what a setting says, or what they ask for when it says nothing."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.prefix = parts.path.rstrip("/")
        self.secure = parts.scheme == "https"
        self._origin = f"{parts.scheme}://{parts.netloc}" if url else ""

    def is_own(self, headers: Headers) -> bool:
        """Whether a request comes from one of our pages, as its browser says."""
        origin = headers.get("origin", "")
        if self._origin:
            return origin == self._origin
        return bool(origin) and urlsplit(origin).netloc == headers.get("host")


class Gate:
    """Wraps the app. `usual`: the language of those who have not chosen one."""

    def __init__(self, app: App, sessions: Sessions, look_up: LookUp, address: Address, usual: Language = "zh") -> None:
        self._app, self._sessions, self._look_up = app, sessions, look_up
        self._address, self._usual = address, usual

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, one socket, or the life of the app."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        self._place(scope)
        headers = Headers(scope=scope)
        refusal = await self._enter(scope, headers)
        if scope["type"] == "websocket":
            await self._socket(refusal, scope, receive, send)
        elif refusal is not None:
            _count(scope, refusal.status_code)
            await refusal(scope, receive, _adding(send, scope))
        else:
            await self._through(scope, receive, send)

    def _place(self, scope: Scope) -> None:
        """Take the prefix off the path, whether a proxy did so or not, and tell NiceGUI of it."""
        prefix = self._address.prefix
        path = scope["path"]
        if prefix and (path == prefix or path.startswith(f"{prefix}/")):
            scope["path"] = path[len(prefix) :] or "/"
            scope["raw_path"] = scope["path"].encode()
        kept = [(name, value) for name, value in scope["headers"] if name.lower() not in _FORWARDED]
        if prefix:
            kept.append((b"x-forwarded-prefix", prefix.encode()))
        scope["headers"] = kept

    async def _enter(self, scope: Scope, headers: Headers) -> Response | None:
        """Say who it is; why they do not come in, if they do not."""
        cookies = _cookies(headers)
        language: Language = "en" if cookies.get(LANGUAGE_COOKIE, self._usual) == "en" else "zh"
        LANGUAGE.set(language)
        origin = scope["client"][0] if scope.get("client") else "?"
        visit = scope[VISIT] = Visit(language, origin, self._address.prefix)
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if changes and not self._address.is_own(headers):
            return PlainTextResponse(visit.say(_ELSEWHERE), 403)
        if (too_large := _too_large(scope, headers)) is not None:
            return PlainTextResponse(visit.say(_TOO_LARGE), too_large)
        if _is_open(scope["path"]):
            return None
        session = await self._sessions.find(cookies.get(COOKIE, ""))
        if session is None:
            return _to_sign_in(scope, headers, visit)
        if _is_file(scope):
            return None
        try:
            actor = await asyncio.to_thread(self._look_up, session.name, origin)
        except Unknown:
            return _to_sign_in(scope, headers, visit)
        except TransientError:
            return PlainTextResponse(visit.say(_AWAY), 503, {"Retry-After": "5"})
        scope[VISIT] = Visit(language, origin, self._address.prefix, session.key, actor)
        return None

    async def _socket(self, refusal: Response | None, scope: Scope, receive: Receive, send: Send) -> None:
        if refusal is None:
            await self._app(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.close", "code": 1008})

    async def _through(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, answering = 0, _adding(send, scope)

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await answering(message)

        try:
            await self._app(scope, _limited(receive, _most_body(scope)), told)
        except _TooLarge:
            if not status:
                await PlainTextResponse(visit_of(scope).say(_TOO_LARGE), 413)(scope, receive, told)
        except Exception as error:  # noqa: BLE001  # it was answered with 500; its words may quote an order
            log.error("a mistake of ours: %s at %s", type(error).__name__, path_of(error))
        _count(scope, status)


def _is_open(path: str) -> bool:
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in OPEN)


class _TooLarge(Exception):
    pass


def _most_body(scope: Scope) -> int:
    """Files come to pages that are open, and nowhere else."""
    return MOST_FILE if scope["path"].startswith("/_nicegui/client/") else MOST_BODY


def _limited(receive: Receive, most: int) -> Receive:
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise _TooLarge
        return message

    return counted


def _adding(send: Send, scope: Scope) -> Send:
    """Send with the headers that every answer has."""
    is_file = _is_file(scope)

    async def adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            told = [*message.get("headers", ()), *_ALWAYS]
            if not is_file:
                told.append((b"cache-control", b"no-store"))
            message["headers"] = told
        await send(message)

    return adding


def _too_large(scope: Scope, headers: Headers) -> int | None:
    if len(scope["query_string"]) > MOST_QUERY or len(scope["path"]) > MOST_PATH:
        return 414
    length = headers.get("content-length", "0")
    return 413 if not length.isdigit() or int(length[:20]) > _most_body(scope) else None


def _to_sign_in(scope: Scope, headers: Headers, visit: Visit) -> Response:
    if scope["type"] == "websocket" or scope["method"] != "GET" or "text/html" not in headers.get("accept", ""):
        return PlainTextResponse(visit.say(_SIGN_IN), 401)
    query = scope["query_string"].decode("latin-1")
    wanted = scope["path"] + (f"?{query}" if query else "")
    back = f"?then={quote(wanted, safe='')}" if wanted != "/" else ""
    return RedirectResponse(f"{visit.prefix}/sign-in{back}", 303)


def _cookies(headers: Headers) -> dict[str, str]:
    try:
        jar = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def _count(scope: Scope, status: int) -> None:
    """By the path as it was declared: no order's uid is in it."""
    path = "file" if _is_file(scope) else getattr(scope.get("route"), "path", "none")
    metrics.CONSOLE_REQUESTS.labels(path, str(status)).inc()


def _is_file(scope: Scope) -> bool:
    return bool(scope["path"].startswith(("/_nicegui/", "/assets/")))
