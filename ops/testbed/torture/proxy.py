"""A TCP proxy that makes a network fail: between clients and one server, in a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Final

from ops.testbed.local_stack.ports import LOOPBACK

_ABORT: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset, as a machine that is gone


@dataclass(slots=True)
class Trap:
    """Springs on the first client that says `words` so often at once, and after it on all that say them at all.

    Their connections pass nothing on from then on, and are not closed. `heard`: whether the server still hears what
    they said, so that only the answer is lost.
    """

    words: bytes
    times: int
    heard: bool
    sprung: bool = False

    def springs(self, data: bytes) -> bool:
        """Whether a client has said it."""
        said = data.count(self.words) >= (1 if self.sprung else self.times)
        self.sprung = self.sprung or said
        return said


class _End(asyncio.Protocol):
    """One of the two ends of a connection."""

    def __init__(self, link: _Link) -> None:
        self.link = link
        self.other: _End | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.pause_reading()  # until the other end is there
        self.link.joined(self)

    def data_received(self, data: bytes) -> None:
        if self is self.link.client and not self.link.passes(data):
            return
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        self.link.crowded(self.other)

    def resume_writing(self) -> None:
        self.link.read(self.other)

    def connection_lost(self, error: Exception | None) -> None:
        self.link.lost()


class _Link:
    """One client's connection and the one to the server that stands behind it."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.held = False
        self._over = False
        self.client, self.server = _End(self), _End(self)
        self.client.other, self.server.other = self.server, self.client

    def joined(self, end: _End) -> None:
        if self._over:
            self.cut()
            return
        self._proxy.links.add(self)
        if end is self.client:
            self._proxy.keep(self._reach_server())
            return
        self.held = self._proxy.stalled
        self.read(self.client)
        self.read(self.server)

    async def _reach_server(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.server, LOOPBACK, self._proxy.target)
        except OSError:
            self.cut()

    def read(self, end: _End | None) -> None:
        """Let data of this end through, unless the link is stalled."""
        if end is not None and end.transport is not None and not self.held and not end.transport.is_closing():
            with contextlib.suppress(RuntimeError):  # it was reading already
                end.transport.resume_reading()

    def passes(self, data: bytes) -> bool:
        """Whether the server is to hear this. Springs a trap that was set for it."""
        trap = self._proxy.trap
        if trap is None or not trap.springs(data):
            return True
        self.stall()
        return trap.heard

    def crowded(self, end: _End | None) -> None:
        """The other end's client does not read fast enough: take nothing more of this end."""
        if end is not None and end.transport is not None:
            with contextlib.suppress(RuntimeError):
                end.transport.pause_reading()

    def stall(self) -> None:
        self.held = True
        self.crowded(self.client)
        self.crowded(self.server)

    def flow(self) -> None:
        self.held = False
        self.read(self.client)
        self.read(self.server)

    def cut(self) -> None:
        """Reset both ends."""
        self._over = True
        self._proxy.links.discard(self)
        for end in (self.client, self.server):
            if end.transport is not None:
                raw = end.transport.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
                end.transport.abort()

    def lost(self) -> None:
        """One end went: what was written to the other still goes out, then it is closed."""
        self._over = True
        self._proxy.links.discard(self)
        for end in (self.client, self.server):
            if end.transport is not None and not end.transport.is_closing():
                end.transport.close()


class Proxy:
    """Listens on a loopback port of its own and passes on to `target`, until it is told otherwise."""

    def __init__(self, target: int = 0) -> None:
        self.target = target
        self.port = 0
        self.stalled = False
        self.trap: Trap | None = None
        self.links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.AbstractServer | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def start(self) -> None:
        """Listen; the port is known and stays the same from here on."""
        self._thread.start()
        self._do(self._listen)

    async def _listen(self) -> None:
        if self._server is None:
            listening = await self._loop.create_server(lambda: _Link(self).client, LOOPBACK, self.port)
            self.port = listening.sockets[0].getsockname()[1]
            self._server = listening

    def cut(self) -> None:
        """Reset all connections; new ones are taken."""
        self._do(self._cut)

    async def _cut(self) -> None:
        for link in list(self.links):
            link.cut()

    def refuse(self) -> None:
        """Reset all connections and take no new ones, as a host on which nothing listens."""
        self._do(self._refuse)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    def admit(self) -> None:
        """Listen again after `refuse`."""
        self._do(self._listen)

    def stall(self) -> None:
        """Hold back all data both ways, on open connections and on new ones, without closing any."""
        self._do(self._stall)

    async def _stall(self) -> None:
        self.stalled = True
        await self._strand()

    def flow(self) -> None:
        """Let data through again after `stall`."""
        self._do(self._flow)

    async def _flow(self) -> None:
        self.stalled = False
        for link in self.links:
            link.flow()

    def strand(self) -> None:
        """Never pass anything on again on the connections that are open now, and do not close them.

        That is what a client sees when its server's machine, or a firewall between them, dies without a word.
        """
        self._do(self._strand)

    async def _strand(self) -> None:
        for link in self.links:
            link.stall()

    def set_trap(self, trap: Trap | None) -> None:
        """Lie in wait for what some client is going to say; None: no longer."""
        self._do(partial(self._set_trap, trap))

    async def _set_trap(self, trap: Trap | None) -> None:
        self.trap = trap

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the loop, and hold on to it until it is done."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _do(self, work: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            await work()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def close(self) -> None:
        """Reset everything and end the thread."""
        self._do(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        await self._refuse()
        await asyncio.gather(*self._tasks)
        await asyncio.sleep(0)  # what was aborted closes in the next turn of the loop
        await asyncio.sleep(0)

    def __enter__(self) -> Proxy:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
