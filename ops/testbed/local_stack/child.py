"""Processes of the fleet on this machine, started, asked how they are, and ended."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from ops.testbed.local_stack.process import spawn, stop
from schemas.namespace import prefix

START_SECONDS: Final = 60.0
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
METRICS_PORT: Final = "metrics_port"


class Child:
    """One process of the fleet that says when it is ready."""

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, env: Mapping[str, str], says: str = METRICS_PORT
    ) -> None:
        """`says`: which port its first line names, a line of JSON by which it says that it is ready."""
        self.name = name
        self._says = says
        self._command = command
        self.log = folder / f"{name}.log"
        self._env = env
        self.starts = 0
        self.port: int | None = None
        self.memory: list[int] = []  # bytes resident, as sampled
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start without waiting."""
        self.starts += 1
        self.port = None
        self._process = spawn(self._command, log=self.log, env=self._env, stdout=subprocess.PIPE)

    def wait_ready(self) -> None:
        """Wait for its line of JSON. Raises RuntimeError that names its log."""
        if not self.ready(START_SECONDS):
            raise RuntimeError(f"{self.name} did not start; its log is {self.log}:\n{self.last_words()}")

    def ready(self, seconds: float = 0) -> bool:
        """Whether it has said that it is ready, waiting at most so long."""
        said = self._process.stdout if self._process is not None else None
        if self.port is None and said is not None and not said.closed:
            readable, _, _ = select.select([said], [], [], seconds)
            line = said.readline() if readable else b""
            if line.strip():
                self.port = json.loads(line)[self._says]
        return self.port is not None and self.running

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:]) if self.log.exists() else ""

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL, as a machine that loses power."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._hang_up()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still alive."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    @property
    def pid(self) -> int:
        """Its process id, once it was started."""
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it lives."""
        return self._process.poll() if self._process is not None else None

    def stop(self) -> None:
        """Ask it to leave."""
        if self._process is not None:
            stop(self._process, patience=12)
            self._hang_up()

    def _hang_up(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()

    def sample(self) -> int:
        """Its memory now, in bytes; also kept."""
        if not self.running:
            return 0
        assert self._process is not None
        try:
            resident: int = psutil.Process(self._process.pid).memory_info().rss
        except psutil.NoSuchProcess:
            return 0
        self.memory.append(resident)
        return resident

    def metrics(self, http: httpx.Client) -> dict[str, float]:
        """Its metrics, labels left out: samples of one name are added up. Empty while it does not answer."""
        if self.port is None or not self.running:
            return {}
        try:
            text = http.get(f"http://127.0.0.1:{self.port}/metrics").text
        except httpx.TransportError:
            return {}
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
        return sums


def simulated_wms(kafka: str, folder: Path, env: Mapping[str, str], options: Mapping[str, object]) -> Child:
    """The simulated WMS; `options` as on its command line."""
    command = [sys.executable, "-m", "ops.testbed.simulators.wms", "--kafka", kafka, "--prefix", prefix()]
    command += [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return Child("wms", command, folder, env, says="port")


def worker(name: str, stages: str, folder: Path, env: Mapping[str, str]) -> Child:
    """A worker process that runs these stages, comma separated."""
    command = [sys.executable, "-m", "ops.cli", "worker", "--json", "--stages", stages]
    return Child(name, command, folder, env)


def fleet_environment(kafka: str, redis_url: str, partitions: int, others: Mapping[str, str]) -> dict[str, str]:
    """What processes of the fleet are told. They talk to this machine only: no proxy stands between."""
    return {
        **{name: value for name, value in os.environ.items() if name.lower() not in _PROXIES},
        "ORDERFLEET_KAFKA": kafka,
        "ORDERFLEET_REDIS_URL": redis_url,
        "ORDERFLEET_PREFIX": prefix(),
        "ORDERFLEET_PARTITIONS": str(partitions),
        "ORDERFLEET_METRICS_PORT": "0",
        **others,
    }
