"""Plain pages with forms: sign-in, sign-out, the language. They need no script and no socket."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from hashlib import sha256
from html import escape
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from nicegui import Client

from ops.console.gate import COOKIE, LANGUAGE_COOKIE, Address
from ops.console.sessions import LONGEST_SECONDS, Sessions
from ops.console.visit import VISIT, Visit, visit_of
from schemas.text import Text
from workers.admin.desk.desk import Desk
from workers.admin.errors import Unknown
from workers.runtime.errors import TransientError

SEED_COOKIE: Final = "orderfleet_form"
_SEED_SECONDS: Final = 3600
_LANGUAGE_SECONDS: Final = 365 * 86400
_AT_ONCE: Final = 2
"""Passwords that are compared at once: each takes 64 MiB."""

_TITLE: Final = Text("Sign in", "登录")
_NAME: Final = Text("User name", "用户名")
_PASSWORD: Final = Text("Password", "密码")
_BUTTON: Final = Text("Sign in", "登录")
_ABOUT: Final = Text("Orders, review and stock of your shops", "店铺订单、审核与库存")
_HELP: Final = Text(
    "No user yet? An admin makes one: orderfleet users add", "还没有用户？请管理员创建：orderfleet users add"
)
EXPIRED: Final = Text("this form is too old: try again", "页面已过期：请重新登录")
_AWAY: Final = Text(
    "nobody can be signed in just now: PostgreSQL or Redis does not answer. Orders flow on meanwhile",
    "暂时无法登录：PostgreSQL 或 Redis 没有应答。订单仍在正常流转",
)
_WRONG: Final = {"expired": EXPIRED, "away": _AWAY}


def form_token(visit: Visit) -> str:
    """What only our own pages know of a session: without it a form is not taken."""
    return sha256(f"form:{visit.key}".encode()).hexdigest()


def is_ours(visit: Visit, token: str) -> bool:
    """Whether a form came from a page of this session."""
    return secrets.compare_digest(token.encode(), form_token(visit).encode())


class Forms:
    """The routes."""

    def __init__(self, desk: Desk, sessions: Sessions, address: Address) -> None:
        self._desk, self._sessions, self._address = desk, sessions, address
        self._passwords = asyncio.Semaphore(_AT_ONCE)
        self.router = APIRouter()
        self.router.add_api_route("/sign-in", self.ask, methods=["GET"])
        self.router.add_api_route("/sign-in", self.sign_in, methods=["POST"])
        self.router.add_api_route("/sign-out", self.sign_out, methods=["POST"])
        self.router.add_api_route("/language", self.language, methods=["POST"])

    async def ask(self, request: Request, then: str = "/", wrong: str = "") -> Response:
        """The form."""
        visit, seed = visit_of(request.scope), secrets.token_urlsafe(16)
        answer = HTMLResponse(_page(visit, checked(then), _WRONG.get(wrong), _seal(seed)))
        self._cookie(answer, SEED_COOKIE, seed, _SEED_SECONDS, strict=True)
        return answer

    async def sign_in(
        self,
        request: Request,
        name: Annotated[str, Form(max_length=300)] = "",
        password: Annotated[str, Form(max_length=1000)] = "",
        token: Annotated[str, Form(max_length=100)] = "",
        then: Annotated[str, Form(max_length=2000)] = "/",
    ) -> Response:
        """Let somebody in, or say alike why not, whatever was wrong."""
        visit, seed, back = visit_of(request.scope), request.cookies.get(SEED_COOKIE, ""), checked(then)
        if not seed or not secrets.compare_digest(token.encode(), _seal(seed).encode()):
            return self._again(visit, back, "expired")
        try:
            async with self._passwords:
                actor = await asyncio.to_thread(self._desk.users.sign_in, name, password, visit.origin)
            opened = await self._sessions.open(actor.name)
        except Unknown as error:
            return HTMLResponse(_page(visit, back, error.text, _seal(seed)), 401)
        except TransientError:
            return self._again(visit, back, "away")
        answer = RedirectResponse(f"{visit.prefix}{back}", 303)
        self._cookie(answer, COOKIE, opened, int(LONGEST_SECONDS))
        self._drop(answer, SEED_COOKIE)
        return answer

    async def sign_out(self, request: Request, token: Annotated[str, Form(max_length=100)] = "") -> Response:
        """End the session, in all its windows."""
        visit = visit_of(request.scope)
        if not is_ours(visit, token):
            return PlainTextResponse(visit.say(EXPIRED), 403)
        with suppress(TransientError):  # it is over here; Redis ends it for idleness
            await self._sessions.close(visit.key)
        send_away({visit.key})
        answer = RedirectResponse(f"{visit.prefix}/sign-in", 303)
        self._drop(answer, COOKIE)
        return answer

    async def language(
        self,
        request: Request,
        to: Annotated[str, Form(max_length=10)] = "",
        back: Annotated[str, Form(max_length=2000)] = "/",
    ) -> Response:
        """Remember which language somebody reads."""
        answer = RedirectResponse(f"{visit_of(request.scope).prefix}{checked(back)}", 303)
        self._cookie(answer, LANGUAGE_COOKIE, "en" if to == "en" else "zh", _LANGUAGE_SECONDS)
        return answer

    def _again(self, visit: Visit, then: str, wrong: str) -> Response:
        return RedirectResponse(f"{visit.prefix}/sign-in?wrong={wrong}&then={quote(then, safe='')}", 303)

    def _cookie(self, answer: Response, name: str, value: str, seconds: int, *, strict: bool = False) -> None:
        answer.set_cookie(
            name,
            value,
            max_age=seconds,
            path=self._address.prefix or "/",
            secure=self._address.secure,
            httponly=True,
            samesite="strict" if strict else "lax",
        )

    def _drop(self, answer: Response, name: str) -> None:
        answer.delete_cookie(name, path=self._address.prefix or "/", secure=self._address.secure, httponly=True)


def checked(then: str) -> str:
    """A path of ours to go on to, "/" for anything else: nobody is sent elsewhere from here."""
    plain = then.startswith("/") and not then.startswith(("//", "/\\")) and then.isprintable() and "\\" not in then
    return then if plain else "/"


def send_away(keys: set[str]) -> None:
    """End the open pages of these sessions. Their sockets would live on otherwise."""
    for client in list(Client.instances.values()):
        if client.request.scope[VISIT].key in keys:
            client.run_javascript("location.reload()")


def _seal(seed: str) -> str:
    return sha256(f"sign-in:{seed}".encode()).hexdigest()


def _page(visit: Visit, then: str, wrong: Text | None, token: str) -> str:
    prefix, other = escape(visit.prefix), "en" if visit.language == "zh" else "zh"
    alert = f'<p role="alert" class="of-problem">{escape(visit.say(wrong))}</p>' if wrong is not None else ""
    return f"""<!doctype html>
<html lang="{"zh-CN" if visit.language == "zh" else "en"}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(visit.say(_TITLE))} · orderfleet</title>
<link rel="icon" href="{prefix}/assets/orderfleet.svg"><link rel="stylesheet" href="{prefix}/assets/sign-in.css"></head>
<body><main>
<form method="post" action="{prefix}/sign-in">
<h1>orderfleet</h1><p class="of-muted">{escape(visit.say(_ABOUT))}</p>{alert}
<label>{escape(visit.say(_NAME))}<input name="name" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus required maxlength="300"></label>
<label>{escape(visit.say(_PASSWORD))}<input name="password" type="password" autocomplete="current-password" required maxlength="1000"></label>
<input type="hidden" name="token" value="{token}"><input type="hidden" name="then" value="{escape(then)}">
<button>{escape(visit.say(_BUTTON))}</button>
<p class="of-muted of-small">{escape(visit.say(_HELP))}</p>
</form>
<form method="post" action="{prefix}/language"><input type="hidden" name="to" value="{other}">
<input type="hidden" name="back" value="/sign-in?then={escape(quote(then, safe=""))}">
<button class="of-quiet" lang="{other}">{"English" if other == "en" else "中文"}</button></form>
</main></body></html>"""
