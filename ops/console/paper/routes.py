"""Routes for paper. What is on it is a look at remarks: the desk writes each down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from ops.console.asking import DeskCounter, Trouble
from ops.console.forms import EXPIRED, form_token, is_ours
from ops.console.paper.pick_list import Printing, page
from ops.console.visit import Visit, visit_of

_LONGEST = 40_000


class Paper:
    """The routes."""

    def __init__(self, counter: DeskCounter) -> None:
        self._counter = counter
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
        if not is_ours(visit, token):
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
        if not is_ours(visit, token):
            return PlainTextResponse(visit.say(EXPIRED), 403)
        try:
            await self._counter.answer(visit, lambda desk, actor: desk.prints.sent(actor, orders.split()))
        except Trouble as error:
            return PlainTextResponse(visit.say(error.text), 503 if error.away else 403)
        return Response(status_code=204)

    async def _pick_list(self, visit: Visit, orders: Sequence[str]) -> Response:
        try:
            found, before = await self._counter.answer(
                visit, lambda desk, actor: (desk.picking.of(actor, orders), desk.prints.before(actor, orders))
            )
        except Trouble as error:
            return HTMLResponse(refused(visit, error), 503 if error.away else 403)
        who = visit.actor.name if visit.actor is not None else ""
        printing = Printing(visit.language, visit.prefix, form_token(visit), who, datetime.now(UTC), before)
        return HTMLResponse(page(found, printing))


def refused(visit: Visit, error: Trouble) -> str:
    """The page that says why there is no list."""
    told = "<br>".join(escape(visit.say(text)) for text in (error.text, error.todo) if text is not None)
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>orderfleet</title>'
        f'<link rel="stylesheet" href="{escape(visit.prefix)}/assets/paper.css"></head>'
        f'<body><main><p class="alert" role="alert">{told}</p></main></body></html>'
    )
