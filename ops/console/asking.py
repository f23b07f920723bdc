"""The one way from a page to the desk: as whoever is signed in now, beside the event loop, errors in words."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from nicegui import Client

from ops.console.sessions import Sessions
from ops.console.visit import Visit, visit_of
from schemas.text import Text
from workers.admin.desk.access import Actor
from workers.admin.desk.asking import ServerAway
from workers.admin.desk.desk import Desk
from workers.admin.desk.users import NOT_SIGNED_IN
from workers.admin.errors import OperatorError, Unknown
from workers.runtime import metrics
from workers.runtime.errors import TransientError, path_of

log = logging.getLogger(__name__)
T = TypeVar("T")

AT_ONCE_SECONDS: Final = 0.2
"""So long nobody is told that they wait. A page that is being made is shown without its figures then."""

_THREADS: Final = 16

_BOOK_AWAY: Final = Text("the order book (PostgreSQL) does not answer", "订单台账（PostgreSQL）没有应答")
_BOOK_TODO: Final = Text(
    "orders flow on meanwhile, and nothing is lost; this page comes back by itself",
    "订单仍在正常流转，不会丢失；恢复后本页会自动刷新",
)
_AGAIN: Final = Text("repeat it in a few seconds", "请几秒后重试")
_SIGNED_OUT: Final = Text("you are signed out: sign in again", "您已退出：请重新登录")
_BUG: Final = Text("this is a mistake in orderfleet itself", "这是 orderfleet 自身的程序错误")
_REPORT: Final = Text(
    "report it with the time; the log of `orderfleet console` names the place",
    "请连同时间一起报告；`orderfleet console` 的日志中有出错位置",
)


class Trouble(Exception):
    """Why a page did not get what it asked for. `code`: one word for one reason; `away`: a server does not answer."""

    def __init__(self, text: Text, todo: Text | None, code: str, *, away: bool = False) -> None:
        super().__init__(text.en)
        self.text, self.todo, self.code, self.away = text, todo, code, away


class DeskCounter:
    """Where pages ask. One for all pages of a process."""

    def __init__(self, desk: Desk, sessions: Sessions) -> None:
        self._desk, self._sessions = desk, sessions
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="desk")

    async def ask(self, client: Client, question: Callable[[Desk, Actor], T], *, used: bool = True) -> T:
        """What the desk answers the visitor of an open page. Raises Trouble; sends away who is signed out.

        `used`: the visitor did something; False for what a page asks by itself, which keeps nobody signed in.
        """
        visit = visit_of(client.request.scope)
        if await self._sessions.check(visit.key, used=used) is None:
            client.run_javascript("location.reload()")  # to the sign-in, which brings them back here
            raise Trouble(_SIGNED_OUT, None, "signed-out")
        try:
            return await self._in_time(client, self.answer(visit, question))
        except Trouble as error:
            if error.code == NOT_SIGNED_IN:
                client.run_javascript("location.reload()")
            raise

    async def gone(self, names: Collection[str]) -> set[str]:
        """Those of these users who may not come in any more. None while the tables do not say."""
        with suppress(TransientError):
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._desk.users.gone, names)
        return set()

    async def _in_time(self, client: Client, work: Awaitable[T]) -> T:
        task = asyncio.ensure_future(work)
        await asyncio.wait([task], timeout=AT_ONCE_SECONDS)
        if task.done():
            return await task
        if not client.has_socket_connection:
            await client.connected()
        client.run_javascript("orderfleet.busy(1)")
        try:
            return await task
        finally:
            if not client.is_deleted:
                client.run_javascript("orderfleet.busy(-1)")

    async def answer(self, visit: Visit, question: Callable[[Desk, Actor], T]) -> T:
        """What the desk answers a visitor, as they stand now, whose session the gate has seen. Raises Trouble."""
        name = visit.actor.name if visit.actor is not None else ""

        def answered() -> T:
            return question(self._desk, self._desk.users.actor(name, visit.origin))

        began = time.perf_counter()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, answered)
        except Exception as error:  # noqa: BLE001  # every error becomes words
            raise trouble_of(error) from None
        finally:
            metrics.CONSOLE_SECONDS.observe(time.perf_counter() - began)


def trouble_of(error: Exception) -> Trouble:
    """An error in words for whoever asked; mistakes of ours are written to the log, without what they quote."""
    match error:
        case Trouble():
            return error
        case Unknown():
            return Trouble(_SIGNED_OUT, None, error.code)
        case OperatorError():
            return Trouble(error.text, error.advice, error.code)
        case ServerAway():
            return Trouble(error.text, _AGAIN, error.code, away=True)
        case TransientError():
            log.warning("a page waits: %s at %s", error, path_of(error))
            return Trouble(
                _BOOK_AWAY, error.advice if error.code.startswith("42") else _BOOK_TODO, "book-away", away=True
            )
        case _:
            log.error("a mistake of ours: %s at %s", type(error).__name__, path_of(error))
            return Trouble(_BUG, _REPORT, "bug")
