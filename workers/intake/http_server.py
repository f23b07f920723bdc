"""The HTTP server of the push receiver: it may stand in the open internet behind a proxy, so every wait has an end.

aiohttp knows no time-out for a slow head and no limit of connections. Both are kept here, by a protocol that stands
between the transport and aiohttp's and passes everything on.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from workers.runtime import metrics

logger = logging.getLogger(__name__)

_BACKLOG: Final = 1024
_MOST_HEADERS: Final = 100
_MOST_HEADER_BYTES: Final = 8190
_BUFFER_BYTES: Final = 16 << 10  # of a body, before its reader asks for it
_LINGER_SECONDS: Final = 1.0  # so that a refused caller can read why before its connection is gone
_LINGER_BYTES: Final = 128 << 10
_SHUTDOWN_SECONDS: Final = 10.0
_FILES_FOR_OTHERS: Final = 200  # Kafka, Redis, the platforms
_FEWEST: Final = 16


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What a caller may take of the server. Times in seconds."""

    connections: int = 500
    """At once. When one more comes, the one that has been silent for the longest has to go."""

    head_seconds: float = 5.0
    """For the head of the first request to arrive."""

    idle_seconds: float = 15.0
    """For the head of the next request on the same connection to arrive."""

    grace_seconds: float = 1.0
    """A body that takes longer than this may have to make room for a new connection."""

    @property
    def allowed(self) -> int:
        """As many as wanted, but no more than this process may open files for."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return max(_FEWEST, min(self.connections, files - _FILES_FOR_OTHERS))


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
            await asyncio.sleep(_LINGER_SECONDS)
            return
        async with asyncio.timeout(_LINGER_SECONDS):
            while not request.content.is_eof():
                await request.content.readany()


class _Phase(Enum):
    """What a connection is doing."""

    WAITING = "waiting"  # for the head of a request
    READING = "reading"  # a body that may be anybody's
    SERVING = "serving"  # a body whose signature is right


class Connections:
    """All connections of one server, the oldest of each phase first."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._allowed = limits.allowed
        self._by_transport: dict[asyncio.BaseTransport, _Guarded] = {}
        self._phases: dict[_Phase, dict[_Guarded, None]] = {phase: {} for phase in _Phase}

    def __len__(self) -> int:
        return len(self._by_transport)

    def reading(self, request: web.Request) -> None:
        """The head has come, the body is being read."""
        self._move(request, _Phase.READING)

    def serving(self, request: web.Request) -> None:
        """The caller is who it says it is: it is not sent away any more."""
        self._move(request, _Phase.SERVING)

    def waiting(self, request: web.Request) -> None:
        """The request is answered; another may follow."""
        self._move(request, _Phase.WAITING)

    def _move(self, request: web.Request, phase: _Phase) -> None:
        guarded = self._by_transport.get(request.transport) if request.transport is not None else None
        if guarded is not None:
            self.enter(guarded, phase)

    def enter(self, guarded: _Guarded, phase: _Phase) -> None:
        """Count it in `phase`, the youngest there."""
        self._phases[guarded.phase].pop(guarded, None)
        self._phases[phase][guarded] = None
        guarded.phase = phase
        guarded.since = asyncio.get_running_loop().time()
        guarded.watch(self.limits.idle_seconds if phase is _Phase.WAITING else None)

    def add(self, guarded: _Guarded, transport: asyncio.Transport) -> bool:
        """Let a new connection in, and another out when there are too many; False when there is none to let out."""
        if len(self) >= self._allowed and not self._make_room():
            return False
        self._by_transport[transport] = guarded
        self.enter(guarded, _Phase.WAITING)
        guarded.watch(self.limits.head_seconds)
        return True

    def remove(self, guarded: _Guarded, transport: asyncio.BaseTransport) -> None:
        """It is gone."""
        guarded.watch(None)
        self._by_transport.pop(transport, None)
        self._phases[guarded.phase].pop(guarded, None)

    def _make_room(self) -> bool:
        now = asyncio.get_running_loop().time()
        for phase, patience in ((_Phase.WAITING, 0.0), (_Phase.READING, self.limits.grace_seconds)):
            oldest = next(iter(self._phases[phase]), None)
            if oldest is not None and now - oldest.since >= patience:
                oldest.drop("too-many")
                return True
        return False


class _Guarded(asyncio.Protocol):
    """One connection, on its way to aiohttp's own protocol."""

    def __init__(self, inner: asyncio.Protocol, connections: Connections) -> None:
        self.phase = _Phase.WAITING
        self.since = 0.0
        self._inner = inner
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._refused = False

    def watch(self, seconds: float | None) -> None:
        """Close it unless something else happens within `seconds`."""
        if self._alarm is not None:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = None if seconds is None else loop.call_later(seconds, self.drop, "too-slow")

    def drop(self, reason: str) -> None:
        """Close it at once, whatever it was about to say."""
        metrics.INTAKE_DROPPED.labels(reason).inc()
        if self._transport is not None:
            self._connections.remove(self, self._transport)
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        if not self._connections.add(self, self._transport):
            metrics.INTAKE_DROPPED.labels("too-many").inc()
            self._refused = True
            self._transport.abort()
            return
        self._inner.connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._transport is not None:
            self._connections.remove(self, self._transport)
            self._transport = None
        if not self._refused:
            self._inner.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._refused else self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


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
        server = await loop.create_server(lambda: _Guarded(make(), connections), host, port, backlog=_BACKLOG)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
    finally:
        await runner.cleanup()
