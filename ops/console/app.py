"""The console as one ASGI application. One a process: NiceGUI keeps its own state in its modules."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

os.environ.setdefault("NICEGUI_STORAGE_PATH", tempfile.gettempdir())  # read when NiceGUI is imported; we keep nothing

from nicegui import Client, core, ui
from nicegui.language import Language as PageLanguage
from starlette.staticfiles import StaticFiles

from ops.console.asking import DeskCounter, trouble_of
from ops.console.forms import Forms, send_away
from ops.console.gate import Address, Gate
from ops.console.pages.page import PageRow
from ops.console.pages.table import PAGES
from ops.console.paper.routes import Paper
from ops.console.sessions import Sessions
from ops.console.shell import frame, trouble
from ops.console.visit import LANGUAGE, Visit, visit_of
from schemas.text import Language
from workers.admin.desk.desk import Desk
from workers.runtime import metrics
from workers.runtime.errors import TransientError

STATIC: Final = Path(__file__).parent / "static"
RECONNECT_SECONDS: Final = 30.0
"""So long a page whose connection broke is kept, with all that was typed into it."""

_LOOK_SECONDS: Final = 5.0
_MESSAGES: Final = 200


class _TheirPage(ui.page):
    """As ui.page, in the language of whoever asks for it."""

    def resolve_language(self) -> PageLanguage | None:
        return "zh-CN" if LANGUAGE.get() == "zh" else "en-US"


def make(desk: Desk, sessions: Sessions, address: Address, language: Language = "zh") -> Gate:
    """The application. `language`: of those who have not chosen one."""
    counter = DeskCounter(desk, sessions)
    app = FastAPI(
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=_living(sessions, counter)
    )
    app.include_router(Forms(desk, sessions, address).router)
    app.include_router(Paper(counter).router)
    app.add_api_route("/health", _health(desk, sessions))
    app.mount("/assets", StaticFiles(directory=STATIC))
    for row in PAGES:
        _TheirPage(row.path, response_timeout=30)(_shown(row, counter))
    _configure(app, address)
    return Gate(app, sessions, desk.users.actor, address, language)


def _notify(error: Exception) -> None:
    """Something that a page did by itself, or at a click, ended in an error that it does not show in its place."""
    told = trouble_of(error)
    with suppress(RuntimeError):  # it is of no page, or its page is gone
        ui.notify(visit_of(ui.context.client.request.scope).say(told.text), type="negative", position="top")


def _configure(app: FastAPI, address: Address) -> None:
    logging.getLogger("nicegui").setLevel(logging.CRITICAL)  # its tracebacks quote orders; `trouble_of` names the place
    core.app.on_exception(_notify)
    core.app.config.socket_io_js_transports = ["websocket"]  # the gate guards one kind of connection, not two
    core.sio.eio.cors_allowed_origins = []  # the gate looks at the origin: it knows about the proxy
    core.app.config.quasar_config["loadingBar"]["skipHijack"] = True
    prefix = address.prefix
    ui.add_head_html(
        f'<link rel="stylesheet" href="{prefix}/assets/console.css">'
        f'<link rel="stylesheet" href="{prefix}/assets/pages.css">'
        f'<script src="{prefix}/assets/console.js" defer></script>',
        shared=True,
    )
    ui.run_with(
        app,
        title="orderfleet",
        favicon=STATIC / "orderfleet.svg",
        tailwind=False,
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT_SECONDS,
        message_history_length=_MESSAGES,
        show_welcome_message=False,
    )


def _shown(row: PageRow, counter: DeskCounter) -> Callable[[Request], Awaitable[None]]:
    async def show(request: Request) -> None:
        visit = visit_of(request.scope)
        with frame(visit, row, PAGES):
            try:
                await row.page(counter, visit, request).build()
            except Exception as error:  # noqa: BLE001  # every error becomes words
                trouble(visit, trouble_of(error), again=ui.navigate.reload)

    return show


def _health(desk: Desk, sessions: Sessions) -> Callable[[], Awaitable[Response]]:
    async def health() -> Response:
        """Whether people can work: PostgreSQL and Redis answer. Takes no session, and tells nothing else."""
        try:
            await asyncio.to_thread(desk.answers)
        except TransientError:
            return JSONResponse({"status": "order book away"}, 503)
        if not await sessions.answers():
            return JSONResponse({"status": "redis away"}, 503)
        return JSONResponse({"status": "ok"})

    return health


def _living(sessions: Sessions, counter: DeskCounter) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        looking = asyncio.create_task(_look_after(sessions, counter), name="look after open pages")
        try:
            yield
        finally:
            looking.cancel()

    return lifespan


async def _look_after(sessions: Sessions, counter: DeskCounter) -> None:
    """Now and then: count open pages, and end those whose session is over or whose user is disabled, wherever."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        open_pages = [client for client in Client.instances.values() if client.has_socket_connection]
        metrics.CONSOLE_CLIENTS.set(len(open_pages))
        names = {visit.key: visit.actor.name for visit in map(_visit, open_pages) if visit.actor is not None}
        if names:
            gone = await counter.gone(set(names.values()))
            send_away(await sessions.ended(sorted(names)) | {key for key, name in names.items() if name in gone})


def _visit(client: Client) -> Visit:
    return visit_of(client.request.scope)
