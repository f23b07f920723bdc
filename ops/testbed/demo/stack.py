"""The demo's processes: servers, simulators, pollers, workers, sweeper. All of them end when the demo ends."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml
from pydantic import SecretStr

from channel_adapters.registry import CHANNELS
from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.child import Child, fleet_environment, simulated_wms, worker
from ops.testbed.local_stack.postgres import PostgresServer
from ops.testbed.local_stack.redis_server import RedisServer
from ops.testbed.simulators.shops import simulated_shops
from workers.admin.desk.access import Role, at_terminal
from workers.admin.desk.desk import opened_desk
from workers.runtime.kafka.topics import create_topics, wanted_topics
from workers.runtime.settings import Settings

_SECRET_FIELDS = ("app_secret", "access_token", "webhook_secret")


@dataclass(frozen=True, slots=True)
class ConsoleAccess:
    """How people come into the console of a run."""

    user: str
    password: str
    url: str = ""


class Stack:
    """Everything the demo runs on. Use it as a context manager: leaving it leaves nothing behind."""

    def __init__(self, folder: Path, *, jobs: Sequence[str], partitions: int, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.broker = Broker(folder)
        self.redis = RedisServer(folder)
        self.postgres = PostgresServer(folder)
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
        others = {**self._extra, "ORDERFLEET_BOOK_URL": self.postgres.url}
        return fleet_environment(self.broker.address, self.redis.url, self.partitions, others)

    def start_servers(self, warehouses: Sequence[str]) -> None:
        """Broker, Redis, PostgreSQL and topics."""
        self._exit.enter_context(self.broker)
        self._exit.enter_context(self.redis)
        self._exit.enter_context(self.postgres)
        names = tuple(CHANNELS)
        create_topics(
            self.broker.address,
            wanted_topics(channels=names, warehouses=warehouses, partitions=self.partitions, replication=1),
        )

    def start_fleet(self) -> None:
        """Workers, the sweeper and who keeps the order book; returns when all are ready."""
        for number, stages in enumerate(self._jobs, start=1):
            self.workers.append(worker(f"worker-{number}", stages, self.folder, self.env))
        sweeper = worker("sweeper", "defer,wake,apply,reroute,retag,replan,restock,sweep,relay", self.folder, self.env)
        book = worker("book", "book", self.folder, self.env)
        self.others += [sweeper, book]
        for child in (*self.workers, *self.others):
            self._exit.callback(child.stop)
            child.start()
        for child in (*self.workers, *self.others):
            child.wait_ready()

    def start_console(self) -> ConsoleAccess:
        """The console, and a user with a password made for this run. The order book must be there."""
        access = ConsoleAccess(user="demo", password=secrets.token_urlsafe(15))
        settings = Settings(
            book_url=SecretStr(self.postgres.url), redis_url=SecretStr(self.redis.url), kafka=self.broker.address
        )
        with opened_desk(settings, role="demo", connections=1) as desk:
            desk.users.add(at_terminal("demo"), access.user, Role.ADMIN, access.password)
        command = [sys.executable, "-m", "ops.cli", "console", "--port", "0", "--json"]
        console = Child("console", command, self.folder, self.env, says="port")
        self.others.append(console)
        self._exit.callback(console.stop)
        console.start()
        console.wait_ready()
        return replace(access, url=f"http://127.0.0.1:{console.port}")

    def start_warehouses(self, seed: int) -> None:
        """The simulated WMS of all warehouses."""
        wms = simulated_wms(self.broker.address, self.folder, self.env, {"seed": seed})
        self.others.append(wms)
        self._exit.callback(wms.stop)
        wms.start()
        wms.wait_ready()

    def start_shops(self, options: Sequence[str]) -> None:
        """The simulated platforms and the pollers."""
        command = [sys.executable, "-m", "ops.testbed.simulators", "--port", "0", *options]
        self.simulators = Child("platforms", command, self.folder, self.env, says="port")
        self._exit.callback(self.simulators.stop)
        self.simulators.start()
        self.simulators.wait_ready()
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
                child.wait_ready()
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
