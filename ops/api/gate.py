"""Before everything else: what is too large or too slow is refused unread, and the caller's language is found.

A plain ASGI application around the app: no framework has parsed anything yet.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from ops.api.problems import LANGUAGE, problem
from schemas.text import Language, Text
from workers.runtime import metrics
from workers.runtime.errors import path_of

log = logging.getLogger(__name__)

MOST_BODY: Final = 256 << 10
MOST_QUERY: Final = 4 << 10
MOST_PATH: Final = 2 << 10
BODY_SECONDS: Final = 10.0

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_TOO_LARGE: Final = Text(f"the body is larger than {MOST_BODY >> 10} KiB", f"请求体超过 {MOST_BODY >> 10} KiB")
_TOO_LONG: Final = Text("the path or the query is too long", "路径或查询参数过长")
_TOO_SLOW: Final = Text("the body did not come in time", "请求体发送超时")
_SMALLER: Final = Text("ask for less at a time", "请分多次请求")
_ENCODED: Final = Text("bodies are taken as they are, without Content-Encoding", "不接受带 Content-Encoding 的请求体")


class Gate:
    """Wraps the app. `usual`: the language of those who ask for none."""

    def __init__(self, app: App, usual: Language) -> None:
        self._app, self._usual = app, usual

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One request, or the life of the app."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        language = scope[LANGUAGE] = preferred(headers.get(b"accept-language", b"").decode("latin-1"), self._usual)
        refusal = _refusal(scope, headers, language)
        body = b""
        if refusal is None:
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    body = await _body(receive)
            except TimeoutError:
                refusal = problem(language, 408, "body-too-slow", _TOO_SLOW)
            except _TooLarge:
                refusal = problem(language, 413, "body-too-large", _TOO_LARGE, _SMALLER)
            except ConnectionResetError:
                return
        if refusal is not None:
            refusal.headers["Connection"] = "close"  # what else it sends is not read
            await refusal(scope, receive, send)
            return
        await self._through(scope, body, receive, send)

    async def _through(self, scope: MutableMapping[str, Any], body: bytes, receive: Receive, send: Send) -> None:
        told, status, began = False, 0, time.perf_counter()

        async def replay() -> Message:
            nonlocal told
            if told:
                return await receive()
            told = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def safe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *_ALWAYS]
            await send(message)

        try:
            await self._app(scope, replay, safe)
        except Exception as error:  # noqa: BLE001  # it was answered with 500; its words may quote an order
            log.error("a mistake of ours at %s: %s at %s", scope["path"][:80], type(error).__name__, path_of(error))
        path = getattr(scope.get("route"), "path", "none")  # as it was declared: no order's uid is in it
        metrics.API_REQUESTS.labels(path, str(status)).inc()
        metrics.API_SECONDS.labels(path).observe(time.perf_counter() - began)


_ALWAYS: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


class _TooLarge(Exception):
    pass


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        part = message.get("body", b"")
        size += len(part)
        if size > MOST_BODY:
            raise _TooLarge
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def _refusal(scope: MutableMapping[str, Any], headers: dict[bytes, bytes], language: Language) -> Any:
    if len(scope["query_string"]) > MOST_QUERY or len(scope.get("raw_path") or scope["path"]) > MOST_PATH:
        return problem(language, 414, "query-too-long", _TOO_LONG, _SMALLER)
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length[:20]) > MOST_BODY:
        return problem(language, 413, "body-too-large", _TOO_LARGE, _SMALLER)
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        return problem(language, 415, "body-encoded", _ENCODED)
    return None


def preferred(accepted: str, usual: Language) -> Language:
    """The language of an Accept-Language header: zh or en, whichever it likes more."""
    best: tuple[float, Language] | None = None
    for part in accepted[:500].split(","):
        name, _, quality = part.strip().partition(";")
        word = name.strip().lower()[:2]
        try:
            liked = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            continue
        if word in ("zh", "en") and liked > 0 and (best is None or liked > best[0]):
            best = (liked, "zh" if word == "zh" else "en")
    return best[1] if best else usual
