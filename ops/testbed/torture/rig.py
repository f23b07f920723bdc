"""Everything a run stands on: brokers and Redis behind proxies, the fleet's processes, and a supervisor for them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Final

from redis import Redis
from redis.exceptions import RedisError

import topology
from channel_adapters.registry import CHANNELS
from ops.testbed.local_stack.apache_kafka import ApacheKafka, KafkaNode
from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.child import Child, fleet_environment, simulated_wms, worker
from ops.testbed.local_stack.ports import LOOPBACK
from ops.testbed.local_stack.process import spawn
from ops.testbed.local_stack.redis_server import RedisServer
from ops.testbed.simulators.wms.fate import Mishaps
from ops.testbed.torture.faults import Kafka
from ops.testbed.torture.proof import Stock
from ops.testbed.torture.proxy import Proxy
from schemas.topics import ORDERS_QUARANTINED, Topic
from workers.runtime.kafka.topics import create_topics, wanted_topics
from workers.runtime.reader import topic_names
from workers.runtime.stage import Every, Following
from workers.runtime.table import groups

PARTITIONS: Final = 8
WORKERS: Final = 2
TIMERS: Final = 2

_REDIS_OPTIONS: Final = (
    "--appendfsync",
    "always",
    "--aof-use-rdb-preamble",
    "no",
)  # it answers while it loads commands
_REVIVE_PAUSE: Final = 0.5
_WMS_SEED: Final = 11  # the same in all rounds, so that one of them alone draws the same fates
_MISHAPS: Final = Mishaps(
    not_there=0.02,
    damaged=0.05,
    address=0.02,
    other=0.04,
    parts=0.2,
    part_only=0.03,
    twice=0.15,
    out_of_order=0.15,
    impossible=0.1,
)
_WMS_PACE: Final = 0.15  # shipped in a third of a second
_SAY_LATER: Final = 0.2
_ENVIRONMENT: Final = {
    "ORDERFLEET_SESSION_SECONDS": "2",
    "ORDERFLEET_HOLD_SECONDS": "15",
    "ORDERFLEET_LOG_LEVEL": "WARNING",
}


class Rig:
    """Use it as a context manager: leaving it leaves nothing behind. `folder` keeps all logs."""

    def __init__(self, kafka: Kafka, folder: Path, warehouses: Sequence[str], redis: str | None = None) -> None:
        """`redis`: the program of another Redis than the embedded one."""
        self.kafka = kafka
        self.folder = folder
        self.warehouses = tuple(warehouses)
        self.silent = tuple(sorted(warehouses)[::2])  # whose WMS never answers; of the others, units wait for it
        self.redis = RedisServer(folder, append_only=True, executable=redis, options=_REDIS_OPTIONS)
        self.stock = Stock(self.redis.url, self.warehouses)
        self.redis_proxy = Proxy(self.redis.port)
        self.broker_proxies = tuple(Proxy() for _ in range(kafka.nodes))
        self.workers: list[Child] = []
        self.timers: list[Child] = []
        self.wms: Child
        self.busy: set[str] = set()  # names of what a fault has in hand: nobody else may touch it
        self.revived: Counter[str] = Counter()  # processes that ended by themselves, by name and exit code
        self.slowest_leave = 0.0  # seconds from SIGTERM to the end of a worker
        self.rebuilt_wrong: list[str] = []  # what a rebuild of the stock did not bring back as it was
        self.deferred: dict[str, str] = {}  # orders that waited for their time when Redis was emptied: uid -> revision
        self.relay: Child  # by itself, started only while the fleet is away
        self._joined = 0
        self._revived_at: dict[str, float] = {}
        self._exit = ExitStack()
        self.broker: Broker | ApacheKafka

    def start(self) -> None:
        """Start servers and fleet; returns when all are ready. Raises RuntimeError."""
        for proxy in (self.redis_proxy, *self.broker_proxies):
            self._exit.enter_context(proxy)
        self.broker = self._broker()
        self._exit.enter_context(self.broker)
        self._exit.enter_context(self.redis)
        wanted = wanted_topics(
            channels=tuple(CHANNELS),
            warehouses=self.warehouses,
            partitions=PARTITIONS,
            replication=self.broker.replication,
        )
        create_topics(self.broker.address, wanted)
        self._start_fleet()

    def _broker(self) -> Broker | ApacheKafka:
        ports = [proxy.port for proxy in self.broker_proxies]
        if self.kafka is Kafka.EMBEDDED:
            embedded = Broker(self.folder, advertised=ports[0])
            self.broker_proxies[0].target = embedded.port
            return embedded
        apache = ApacheKafka(self.folder, advertised=ports, nodes=self.kafka.nodes)
        for proxy, node in zip(self.broker_proxies, apache.nodes, strict=True):
            proxy.target = node.port
        return apache

    def _start_fleet(self) -> None:
        readers, timers = fleet_jobs()
        self.workers = [self._child(f"worker-{number}", readers) for number in range(1, WORKERS + 1)]
        self.timers = [self._child(f"timers-{number}", timers) for number in range(1, TIMERS + 1)]
        self.relay = self._child("relay", "relay")
        self.wms = self._warehouses_that_answer()
        for child in self._children:
            child.start()
        for child in self._children:
            child.wait_ready()

    def shorten_redis_file(self) -> None:
        """By itself, Redis does so when its file has doubled since it was last started: here it never lives so long.

        Else every restart would load all that was ever done, longer each time. Goes on beside what comes next.
        """
        with Redis.from_url(self.redis.url) as redis, suppress(RedisError):
            redis.bgrewriteaof()

    @property
    def fleet(self) -> tuple[Child, ...]:
        """All that writes to the ledger."""
        return (*self.workers, *self.timers)

    @property
    def _children(self) -> tuple[Child, ...]:
        return (*self.fleet, self.wms)

    def _warehouses_that_answer(self) -> Child:
        answering = [warehouse for warehouse in self.warehouses if warehouse not in self.silent]
        options = {
            "warehouses": ",".join(answering),
            "seed": _WMS_SEED,
            "pace": _WMS_PACE,
            "say-later": _SAY_LATER,
            **{name.replace("_", "-"): share for name, share in asdict(_MISHAPS).items()},
        }
        child = simulated_wms(self.broker.address, self.folder, os.environ, options)
        self._exit.callback(child.stop)
        return child

    def _child(self, name: str, stages: str) -> Child:
        child = worker(name, stages, self.folder, self._environment())
        self._exit.callback(child.stop)
        return child

    def _environment(self) -> dict[str, str]:
        redis = f"redis://{LOOPBACK}:{self.redis_proxy.port}/0"
        told = {**_ENVIRONMENT, "ORDERFLEET_SILENT_WAREHOUSES": ",".join(self.silent)}
        return fleet_environment(self.broker.address, redis, PARTITIONS, told)

    @property
    def operator_log(self) -> Path:
        """What commands complained of."""
        return self.folder / "operator.log"

    def operator(self, words: Sequence[str], printed: Path) -> subprocess.Popen[bytes]:
        """One command of `orderfleet`, begun; what it prints goes to a file."""
        command = [sys.executable, "-m", "ops.cli", *words]
        with printed.open("wb") as out:
            return spawn(command, log=self.operator_log, env=self._environment(), stdout=out.fileno())

    def another_worker(self) -> Child:
        """One that joins the others; started, not yet ready, and not supervised."""
        self._joined += 1
        child = self._child(f"joined-{self._joined}", fleet_jobs()[0])
        child.start()
        return child

    @property
    def nodes(self) -> tuple[KafkaNode, ...]:
        """The brokers that can be restarted."""
        return self.broker.nodes if isinstance(self.broker, ApacheKafka) else ()

    def supervise(self) -> None:
        """Start again what ended by itself, as a supervisor would, without waiting."""
        for child in self._children:
            if child.running or child.name in self.busy:
                continue
            if time.monotonic() - self._revived_at.get(child.name, 0) > _REVIVE_PAUSE:
                self._revived_at[child.name] = time.monotonic()
                self.revived[f"{child.name} exit {child.exit_code}"] += 1
                child.start()

    def fleet_ready(self) -> bool:
        """Whether all processes are alive and have said that they are ready."""
        return all(child.ready() for child in self._children)

    def is_free(self, name: str) -> bool:
        """Whether no fault has it in hand."""
        return name not in self.busy

    @contextmanager
    def holding(self, name: str) -> Iterator[None]:
        """Keep everybody else, the supervisor too, from touching something."""
        self.busy.add(name)
        try:
            yield
        finally:
            self.busy.discard(name)

    def __enter__(self) -> Rig:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()


def fleet_jobs() -> tuple[str, str]:
    """The stages that read topics, and those that run on a timer, as `--stages` takes them."""
    readers: list[str] = []
    timers: list[str] = []
    for group in groups(topology.STAGES):
        if isinstance(group.reads, Following):
            continue
        names = timers if isinstance(group.reads, Every) else readers
        names += [stage.name for stage in group.stages]
    return ",".join(readers), ",".join(timers)


def read_topics() -> list[str]:
    """Every topic that some worker reads, but the one of dead letters: there it is read what became of odd records."""
    reads = [group.reads for group in groups(topology.STAGES) if isinstance(group.reads, Topic)]
    reads = [topic for topic in reads if topic is not ORDERS_QUARANTINED]
    return [name for topic in reads for name in topic_names(topic, tuple(CHANNELS))]
