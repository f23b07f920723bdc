"""The demo's processes: broker, Redis, simulators, pollers, workers, sweeper. All of them end when the demo ends."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psutil
import yaml
from prometheus_client.parser import text_string_to_metric_families

from channel_adapters.registry import CHANNELS
from ops.local_stack.broker import Broker
from ops.local_stack.process import spawn, stop
from ops.local_stack.redis_server import RedisServer
from ops.local_stack.topics import create_topics, wanted_topics
from ops.simulators.shops import simulated_shops

START_SECONDS = 60.0
_SECRET_FIELDS = ("app_secret", "access_token", "webhook_secret")


class Child:
    """One process of the fleet that says when it is ready."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, env: Mapping[str, str]) -> None:
        self.name = name
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

    def wait_ready(self, what: str) -> None:
        """Wait for its line of JSON; `what` names the port in it. Raises RuntimeError that names its log."""
        assert self._process is not None
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        line = self._process.stdout.readline() if readable else b""
        if not line.strip():
            raise RuntimeError(f"{self.name} did not start; its log is {self.log}:\n{self.last_words()}")
        self.port = json.loads(line)[what]

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

    def stop(self) -> None:
        """Ask it to leave."""
        if self._process is not None:
            stop(self._process, patience=12)

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


class Stack:
    """Everything the demo runs on. Use it as a context manager: leaving it leaves nothing behind."""

    def __init__(self, folder: Path, *, jobs: Sequence[str], partitions: int, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.broker = Broker(folder)
        self.redis = RedisServer(folder)
        self.partitions = partitions
        self._extra = dict(environment)
        self._exit = ExitStack()
        self._jobs = jobs  # the stages of each worker
        self.workers: list[Child] = []
        self.others: list[Child] = []
        self.simulators: Child | None = None

    @property
    def env(self) -> dict[str, str]:
        """What the processes are told."""
        return {
            **os.environ,
            "ORDERFLEET_KAFKA": self.broker.address,
            "ORDERFLEET_REDIS_URL": self.redis.url,
            "ORDERFLEET_PARTITIONS": str(self.partitions),
            "ORDERFLEET_METRICS_PORT": "0",
            **self._extra,
        }

    def start_servers(self, warehouses: Sequence[str]) -> None:
        """Broker, Redis and topics."""
        self._exit.enter_context(self.broker)
        self._exit.enter_context(self.redis)
        names = tuple(CHANNELS)
        create_topics(
            self.broker.address,
            wanted_topics(channels=names, warehouses=warehouses, partitions=self.partitions, replication=1),
        )

    def start_fleet(self) -> None:
        """Workers and the sweeper; returns when all are ready."""
        command = [sys.executable, "-m", "ops.cli", "worker", "--json", "--stages"]
        for number, stages in enumerate(self._jobs, start=1):
            self.workers.append(Child(f"worker-{number}", [*command, stages], self.folder, self.env))
        sweeper = Child("sweeper", [*command, "sweep,relay"], self.folder, self.env)
        self.others.append(sweeper)
        for child in (*self.workers, sweeper):
            self._exit.callback(child.stop)
            child.start()
        for child in (*self.workers, sweeper):
            child.wait_ready("metrics_port")

    def start_shops(self, options: Sequence[str]) -> None:
        """The simulated platforms and the pollers."""
        self.simulators = Child(
            "platforms", [sys.executable, "-m", "ops.simulators", "--port", "0", *options], self.folder, self.env
        )
        self._exit.callback(self.simulators.stop)
        self.simulators.start()
        self.simulators.wait_ready("port")
        shops = self.folder / "shops.yaml"
        shops.write_text(yaml.safe_dump(_shops(f"http://127.0.0.1:{self.simulators.port}")), encoding="utf-8")
        poller = Child(
            "poller", [sys.executable, "-m", "ops.cli", "poll", "--shops", str(shops)], self.folder, self.env
        )
        self.others.append(poller)
        self._exit.callback(poller.stop)
        poller.start()

    def revive(self) -> list[str]:
        """Start again what died; the names."""
        dead = [child for child in (*self.workers, *self.others) if not child.running]
        for child in dead:
            child.start()
            if child.name != "poller":
                child.wait_ready("metrics_port")
        return [child.name for child in dead]

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()


def _shops(base_url: str) -> list[dict[str, Any]]:
    """The simulated shops as a file says them; their secrets are made up."""
    rows = []
    for shop in simulated_shops(base_url):
        row = shop.model_dump(mode="json", exclude=set(_SECRET_FIELDS))
        row |= {name: getattr(shop, name).get_secret_value() for name in _SECRET_FIELDS}
        rows.append(row | {"overlap_seconds": 6.0, "poll_seconds": 2.0})
    return rows
