"""Routes for paper. What is on it is a look at remarks: the desk writes each down."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Annotated, TypeVar

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from ops.console.asking import Trouble, trouble_of
from ops.console.forms import EXPIRED, form_token
from ops.console.paper.pick_list import Printing, page
from ops.console.visit import Visit, visit_of
from workers.admin.desk.access import Actor
from workers.admin.desk.desk import Desk

T = TypeVar("T")
_LONGEST = 40_000


class Paper:
    """The routes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.router = APIRouter(prefix="/paper")
        self.router.add_api_route("/pick-list", self.one, methods=["GET"])
        self.router.add_api_route("/pick-list", self.many, methods=["POST"])
        self.router.add_api_route("/printed", self.printed, methods=["POST"])

    async def one(self, request: Request, order: Annotated[list[str], Query(max_length=20)]) -> Response:
        """The pick lists of a few orders, named in the address."""
        return await self._pick_list(visit_of(request.scope), order)

    async def many(
        self,
        request: Request,
        orders: Annotated[str, Form(max_length=_LONGEST)] = "",
        token: Annotated[str, Form(max_length=100)] = "",
    ) -> Response:
        """Those of a selection."""
        visit = visit_of(request.scope)
        if not _is_ours(visit, token):
            return PlainTextResponse(visit.say(EXPIRED), 403)
        return await self._pick_list(visit, orders.split())

    async def printed(
        self,
        request: Request,
        orders: Annotated[str, Form(max_length=_LONGEST)] = "",
        token: Annotated[str, Form(max_length=100)] = "",
    ) -> Response:
        """The page is about to print these: written down before it does."""
        visit = visit_of(request.scope)
        if not _is_ours(visit, token):
            return PlainTextResponse(visit.say(EXPIRED), 403)
        try:
            await self._ask(visit, lambda desk, actor: desk.prints.sent(actor, orders.split()))
        except Trouble as error:
            return PlainTextResponse(visit.say(error.text), 503 if error.away else 403)
        return Response(status_code=204)

    async def _pick_list(self, visit: Visit, orders: Sequence[str]) -> Response:
        try:
            found, before = await self._ask(
                visit, lambda desk, actor: (desk.picking.of(actor, orders), desk.prints.before(actor, orders))
            )
        except Trouble as error:
            told = visit.say(error.text) + (f"<br>{escape(visit.say(error.todo))}" if error.todo else "")
            return HTMLResponse(_refused(visit, told), 503 if error.away else 403)
        who = visit.actor.name if visit.actor is not None else ""
        printing = Printing(visit.language, visit.prefix, form_token(visit), who, datetime.now(UTC), before)
        return HTMLResponse(page(found, printing))

    async def _ask(self, visit: Visit, question: Callable[[Desk, Actor], T]) -> T:
        name = visit.actor.name if visit.actor is not None else ""

        def answered() -> T:
            return question(self._desk, self._desk.users.actor(name, visit.origin))

        try:
            return await asyncio.to_thread(answered)
        except Exception as error:  # noqa: BLE001  # every error becomes words
            raise trouble_of(error) from None


def _is_ours(visit: Visit, token: str) -> bool:
    return secrets.compare_digest(token.encode(), form_token(visit).encode())


def _refused(visit: Visit, told: str) -> str:
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>orderfleet</title>'
        f'<link rel="stylesheet" href="{escape(visit.prefix)}/assets/paper.css"></head>'
        f'<body><main><p class="alert" role="alert">{told}</p></main></body></html>'
    )
