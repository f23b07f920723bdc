"""The connections of the push receiver: how many there may be, how long each may be silent, whose turn it is.

aiohttp knows no time-out for a slow head and no limit of connections, and makes a handler for every connection that is
opened. Here a protocol stands between the transport and aiohttp's. It keeps what comes until the head is whole; only
then is there a handler. Heads that announce a large body wait for each other, so that a small push never waits for the
heads of a thousand large ones.
"""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, cast

from aiohttp import web

from schemas.text import Text
from workers.intake.head import head_end, is_odd, size_told
from workers.runtime import metrics

LINGER_SECONDS: Final = 1.0  # so that a refused caller can read why before its connection is gone

_FILES_FOR_OTHERS: Final = 200  # Kafka, Redis, the platforms
_FEWEST: Final = 16

NO_ROOM: Final = Text("too many large bodies at once; send it again", "大请求过多，请稍后重发")
_NO_ROOM: Final = json.dumps({"code": 503, "msg": f"{NO_ROOM.en} | {NO_ROOM.zh}"}).encode()
_NO_ROOM_ANSWER: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_NO_ROOM), _NO_ROOM)
)


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

    large_bytes: int = 128 << 10
    """Above this, or when it does not tell its size, a body is large."""

    large_at_once: int = 8
    """How many large ones are worked on, as far as they are first requests. What bodies may take is in BodyLimits."""

    large_waiting: int = 32
    """How many more may wait for that. What comes then is refused without more ado."""

    large_seconds: float = 3.0
    """How long they wait: platforms wait five seconds for an answer."""

    @property
    def allowed(self) -> int:
        """As many as wanted, but no more than this process may open files for."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return max(_FEWEST, min(self.connections, files - _FILES_FOR_OTHERS))


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
        self._by_transport: dict[asyncio.BaseTransport, Guarded] = {}
        self._phases: dict[_Phase, dict[Guarded, None]] = {phase: {} for phase in _Phase}
        self._large: dict[Guarded, None] = {}
        self._large_waiting: dict[Guarded, None] = {}

    def __len__(self) -> int:
        return len(self._by_transport)

    # -- what the handler tells

    def reading(self, request: web.Request) -> None:
        """The head has come, the body is being read."""
        self._move(request, _Phase.READING)

    def serving(self, request: web.Request) -> None:
        """The caller is who it says it is: it is not sent away any more."""
        self._move(request, _Phase.SERVING)

    def waiting(self, request: web.Request) -> None:
        """The request is answered; another may follow."""
        guarded = self._move(request, _Phase.WAITING)
        if guarded is not None:
            self._next_large(guarded)

    def _move(self, request: web.Request, phase: _Phase) -> Guarded | None:
        guarded = self._by_transport.get(request.transport) if request.transport is not None else None
        if guarded is not None:
            self._enter(guarded, phase)
        return guarded

    def _enter(self, guarded: Guarded, phase: _Phase) -> None:
        """Count it in `phase`, the youngest there."""
        self._phases[guarded.phase].pop(guarded, None)
        self._phases[phase][guarded] = None
        guarded.phase = phase
        guarded.since = asyncio.get_running_loop().time()
        guarded.watch(self.limits.idle_seconds if phase is _Phase.WAITING else None)

    # -- what a connection tells

    def add(self, guarded: Guarded, transport: asyncio.Transport) -> bool:
        """Let a new connection in, and another out when there are too many; False when there is none to let out."""
        if len(self) >= self._allowed and not self._make_room():
            return False
        self._by_transport[transport] = guarded
        self._enter(guarded, _Phase.WAITING)
        guarded.watch(self.limits.head_seconds)
        return True

    def remove(self, guarded: Guarded, transport: asyncio.BaseTransport) -> None:
        """It is gone."""
        guarded.watch(None)
        self._by_transport.pop(transport, None)
        self._phases[guarded.phase].pop(guarded, None)
        self._large_waiting.pop(guarded, None)
        self._next_large(guarded)

    def arrived(self, guarded: Guarded, size: int | None) -> None:
        """The head of its first request is whole; `size` of its body in bytes, None when it does not tell."""
        limits = self.limits
        if size is not None and size <= limits.large_bytes:
            guarded.hand_over()
        elif len(self._large) < limits.large_at_once:
            self._large[guarded] = None
            guarded.hand_over()
        elif len(self._large_waiting) < limits.large_waiting:
            self._large_waiting[guarded] = None
            self._enter(guarded, _Phase.READING)
            guarded.wait(limits.large_seconds)
        else:
            self.no_room(guarded)

    def no_room(self, guarded: Guarded) -> None:
        """Answer it with 503; it is the first to go from now on."""
        self._large_waiting.pop(guarded, None)
        metrics.INTAKE_WEBHOOKS.labels("unknown", "unknown", "503").inc()
        self._enter(guarded, _Phase.WAITING)
        guarded.refuse()

    def close(self) -> None:
        """Let those go of which aiohttp does not know yet, so it would not."""
        for guarded in list(self._by_transport.values()):
            guarded.leave()

    def _next_large(self, done: Guarded) -> None:
        """A large request is answered, or its caller is gone."""
        if done in self._large:
            del self._large[done]
            following = next(iter(self._large_waiting), None)
            if following is not None:
                del self._large_waiting[following]
                self._large[following] = None
                following.watch(None)
                following.hand_over()

    def _make_room(self) -> bool:
        now = asyncio.get_running_loop().time()
        for phase, patience in ((_Phase.WAITING, 0.0), (_Phase.READING, self.limits.grace_seconds)):
            oldest = next(iter(self._phases[phase]), None)
            if oldest is not None and now - oldest.since >= patience:
                oldest.drop("too-many")
                return True
        return False


class Guarded(asyncio.Protocol):
    """One connection, on its way to aiohttp's own protocol, which is made when the first head is whole."""

    def __init__(self, make: Callable[[], asyncio.Protocol], connections: Connections) -> None:
        self.phase = _Phase.WAITING
        self.since = 0.0
        self._make = make
        self._inner: asyncio.Protocol | None = None
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._early = bytearray()
        self._heard = False  # the head is whole, or nothing more is listened to

    # -- what its connection is told to do

    def watch(self, seconds: float | None) -> None:
        """Close it unless something else happens within `seconds`."""
        self._set_alarm(seconds, lambda: self.drop("too-slow"))

    def wait(self, seconds: float) -> None:
        """Read nothing more; refuse it unless it is handed over within `seconds`."""
        assert self._transport is not None
        self._transport.pause_reading()
        self._set_alarm(seconds, lambda: self._connections.no_room(self))

    def hand_over(self) -> None:
        """Have aiohttp go on with it."""
        assert self._transport is not None
        early, self._early = bytes(self._early), bytearray()
        self._heard = True
        self._inner = self._make()
        self._inner.connection_made(self._transport)
        self._transport.resume_reading()
        self._inner.data_received(early)

    def refuse(self) -> None:
        """Answer that there is no room, and close when the caller can have read it; the body is left where it is."""
        assert self._transport is not None
        self._early, self._heard = bytearray(), True
        self._transport.pause_reading()
        self._transport.write(_NO_ROOM_ANSWER)
        self._set_alarm(LINGER_SECONDS, self.leave)

    def leave(self) -> None:
        """Close it, unless aiohttp does."""
        if self._inner is None and self._transport is not None:
            self._transport.abort()

    def drop(self, reason: str) -> None:
        """Close it at once, whatever it was about to say."""
        metrics.INTAKE_DROPPED.labels(reason).inc()
        if self._transport is not None:
            self._connections.remove(self, self._transport)
            self._transport.abort()

    def _set_alarm(self, seconds: float | None, do: Callable[[], None]) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = None if seconds is None else asyncio.get_running_loop().call_later(seconds, do)

    # -- what its transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        if not self._connections.add(self, self._transport):
            metrics.INTAKE_DROPPED.labels("too-many").inc()
            self._heard = True
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if self._transport is not None:
            self._connections.remove(self, self._transport)
            self._transport = None
        if self._inner is not None:
            self._inner.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.data_received(data)
            return
        if self._heard:
            return
        known = len(self._early)
        self._early += data
        end = head_end(self._early, known)
        if end is not None:
            self._heard = True
            self._connections.arrived(self, size_told(self._early, end))
        elif is_odd(self._early):
            self.hand_over()

    def eof_received(self) -> bool | None:
        return None if self._inner is None else self._inner.eof_received()

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()
