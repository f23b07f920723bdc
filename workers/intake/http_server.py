"""The HTTP server of the push receiver: it may stand in the open internet behind a proxy, so every wait has an end."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from workers.intake.connections import LINGER_SECONDS, Connections, Guarded
from workers.runtime import metrics

logger = logging.getLogger(__name__)

_BACKLOG: Final = 1024
_MOST_HEADERS: Final = 100
_MOST_HEADER_BYTES: Final = 8190
_BUFFER_BYTES: Final = 16 << 10  # of a body, before its reader asks for it
_LINGER_BYTES: Final = 128 << 10
_SHUTDOWN_SECONDS: Final = 10.0


async def hang_up(request: web.Request, response: web.Response) -> None:
    """Answer a request whose body is not wanted, and wait until the caller can have read the answer.

    A short rest of a body is read, so that the connection ends in peace. A long one is left where it is: to throw away
    what hundreds of callers send would take all the time there is.
    """
    response.force_close()
    with suppress(ConnectionError, TimeoutError, web.RequestPayloadError):
        await response.prepare(request)
        await response.write_eof()
        if request.content_length is None or request.content_length > _LINGER_BYTES:
            request.protocol.pause_reading()
            await asyncio.sleep(LINGER_SECONDS)
            return
        async with asyncio.timeout(LINGER_SECONDS):
            while not request.content.is_eof():
                await request.content.readany()


class _Quiet(logging.Filter):
    """What callers send is no error of ours. What is one is told by its place: its message may quote a body."""

    def filter(self, line: logging.LogRecord) -> bool:
        error = line.exc_info[1] if isinstance(line.exc_info, tuple) else None
        line.exc_info, line.exc_text = None, None
        if isinstance(error, HttpProcessingError | ConnectionError):
            metrics.INTAKE_DROPPED.labels("bad-request").inc()
            return False
        if error is not None:
            frames = traceback.extract_tb(error.__traceback__)[-2:]
            place = " > ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in frames)
            line.msg, line.args = "a push broke: %s at %s", (type(error).__name__, place)
        return True


_aiohttp_logger = logging.getLogger(f"{__name__}.aiohttp")
_aiohttp_logger.addFilter(_Quiet())


@asynccontextmanager
async def listening(app: web.Application, connections: Connections, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve within the limits; gives the port. Leaving lets requests under way finish. Raises OSError when it is taken.

    Bodies come as they are: one that is compressed is a small body that may become a large one, and no platform sends
    any.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_aiohttp_logger,
        shutdown_timeout=_SHUTDOWN_SECONDS,
        keepalive_timeout=connections.limits.idle_seconds,
        lingering_time=0,  # see `hang_up`: aiohttp would read on for so long, as fast as the caller sends
        max_line_size=_MOST_HEADER_BYTES,
        max_field_size=_MOST_HEADER_BYTES,
        max_headers=_MOST_HEADERS,
        read_bufsize=_BUFFER_BYTES,
        auto_decompress=False,
    )
    await runner.setup()
    try:
        make = runner.server
        assert make is not None
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Guarded(make, connections), host, port, backlog=_BACKLOG)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            connections.close()
    finally:
        await runner.cleanup()
