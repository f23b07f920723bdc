"""Reads the bodies of requests within a budget of memory, whoever calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web


class BodyRefused(Exception):
    """A body that is not taken. `status` is the HTTP status that says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class BrokenOff(Exception):
    """The caller went away in the middle."""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Sizes in bytes, times in seconds."""

    most_bytes: int
    small_bytes: int = 128 << 10
    """Bodies up to this size are read at once: the limit of connections bounds what they take together."""

    budget_bytes: int = 48 << 20
    """What all larger bodies together may take; each takes its full size before its first byte is read."""

    queue_bytes: int = 96 << 20
    """What more may be asked for while the budget is given out: who comes after that is refused at once, so that a
    thousand callers who wait cannot all be refused in the same moment."""

    wait_seconds: float = 3.0
    """How long a larger body waits for its part of the budget: platforms wait five seconds for an answer."""

    read_seconds: float = 10.0
    stall_seconds: float = 3.0
    """The longest silence in the middle of a body."""


class MemoryBudget:
    """Bytes that are shared out first come, first served."""

    def __init__(self, total: int, queue: int) -> None:
        self._free = total
        self._most_asked_for = total + queue
        self._asked_for = 0  # what is given out, and what is waited for
        self._turn = asyncio.Lock()
        self._given_back = asyncio.Event()

    @asynccontextmanager
    async def reserve(self, size: int, *, wait_seconds: float) -> AsyncIterator[None]:
        """Hold `size` bytes. Raises TimeoutError when they are not free in time, or too many wait for theirs."""
        if self._asked_for + size > self._most_asked_for:
            raise TimeoutError
        self._asked_for += size
        try:
            async with self._taken(size, wait_seconds):
                yield
        finally:
            self._asked_for -= size

    @asynccontextmanager
    async def _taken(self, size: int, wait_seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(wait_seconds), self._turn:
            while self._free < size:
                self._given_back.clear()
                await self._given_back.wait()
            self._free -= size
        try:
            yield
        finally:
            self._free += size
            self._given_back.set()


class BodyReader:
    """Reads bodies within `limits`."""

    def __init__(self, limits: BodyLimits) -> None:
        self._limits = limits
        self._budget = MemoryBudget(max(limits.budget_bytes, limits.most_bytes), limits.queue_bytes)

    @asynccontextmanager
    async def body(self, request: web.Request) -> AsyncIterator[bytes]:
        """The whole body, for as long as it is needed; its place in the budget is free again after that.

        Raises BodyRefused: 413 too large, 408 too slow, 503 no room. Raises BrokenOff.
        """
        limits = self._limits
        length = request.content_length
        if (length or 0) > limits.most_bytes:
            raise BodyRefused(413)
        if length is not None and length <= limits.small_bytes:
            yield await self._read(request, length)
            return
        size = limits.most_bytes if length is None else length
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._budget.reserve(size, wait_seconds=limits.wait_seconds))
            except TimeoutError:
                raise BodyRefused(503) from None
            yield await self._read(request, size)

    async def _read(self, request: web.Request, most: int) -> bytes:
        try:
            async with asyncio.timeout(self._limits.read_seconds):
                return await self._chunks(request, most)
        except TimeoutError:
            raise BodyRefused(408) from None
        except (ConnectionError, web.RequestPayloadError):
            raise BrokenOff from None

    async def _chunks(self, request: web.Request, most: int) -> bytes:
        """aiohttp's own `read` would keep the body for as long as the request lives, which is until it is answered."""
        chunks: list[bytes] = []
        size = 0
        while True:
            async with asyncio.timeout(self._limits.stall_seconds):
                chunk = await request.content.readany()
            if not chunk:
                return b"".join(chunks)
            size += len(chunk)
            if size > most:
                raise BodyRefused(413)
            chunks.append(chunk)
