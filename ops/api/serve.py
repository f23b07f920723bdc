"""Serving the application until SIGTERM."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from ops.api.app import make
from workers.admin.desk.desk import opened_desk
from workers.runtime.settings import Settings

_LEAVE_SECONDS: Final = 5  # for requests that are being answered
_MOST_CONNECTIONS: Final = 200


class _Server(uvicorn.Server):
    """Says when it takes requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave on SIGTERM and Ctrl-C. Unlike uvicorn, it does not send itself the signal again at the end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()


def serve(settings: Settings, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Answer requests until SIGTERM or Ctrl-C; those that are being answered have five seconds then.

    `ready` is told the port. Raises InvalidRequest, TransientError, and OSError when it cannot listen there.
    """
    with opened_desk(settings, role="api") as desk, _listening(host, port) as listener:
        app = make(desk, each_second=settings.api_requests_per_second, language=settings.lang or "en")
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # an order's uid is in its path
            server_header=False,
            proxy_headers=False,  # anybody can write them
            lifespan="off",
            ws="none",
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_LEAVE_SECONDS,
            limit_concurrency=_MOST_CONNECTIONS,
            h11_max_incomplete_event_size=16 << 10,
        )
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        leave = threading.Event()
        for name, work in (("jobs", desk.jobs.run_until), ("figures", desk.figures.refresh_until)):
            threading.Thread(target=work, args=(leave,), name=name, daemon=True).start()
        _Server(config, lambda: ready(listener.getsockname()[1])).run(sockets=[listener])
        leave.set()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener
