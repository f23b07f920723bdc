"""Apache Kafka in KRaft mode on this machine, without containers: one node or several, each a process of its own.

Unlike the embedded broker it keeps its data, so that it can be restarted, killed, and outlived by its clients.
"""

from __future__ import annotations

import base64
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.testbed.local_stack.kafka_jars import kafka_jars
from ops.testbed.local_stack.ports import LOOPBACK, free_port
from ops.testbed.local_stack.process import spawn
from ops.testbed.local_stack.ready import brokers_listed, wait_for
from ops.testbed.local_stack.server import ServerProcess, Startable

START_SECONDS = 180.0  # a few at once on a busy machine take long
STOP_SECONDS = 15.0
_FORMAT_SECONDS = 60.0
_LOGGING = Path(__file__).with_name("kafka.log4j2.properties")
_HEAP_MB = 384  # enough for tests, several nodes side by side
_CALM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # no compiler and no collector that takes a core to itself


@dataclass(frozen=True, slots=True)
class Guard:
    """A door that lets in only its user. `protocol` as Kafka names it; `key_and_chain`: PEM.

    All doors of a cluster have the same user.
    """

    protocol: str
    username: str
    password: str
    key_and_chain: Path | None = None

    def properties(self, listener: str) -> dict[str, object]:
        """What a broker is configured with for it."""
        door = f"listener.name.{listener.lower()}"
        module = "org.apache.kafka.common.security"
        user = f'required username="{self.username}" password="{self.password}" user_{self.username}="{self.password}";'
        found: dict[str, object] = {
            f"{door}.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            f"{door}.plain.sasl.jaas.config": f"{module}.plain.PlainLoginModule {user}",
            f"{door}.scram-sha-256.sasl.jaas.config": f"{module}.scram.ScramLoginModule required;",
            f"{door}.scram-sha-512.sasl.jaas.config": f"{module}.scram.ScramLoginModule required;",
        }
        if self.key_and_chain is not None:
            found |= {f"{door}.ssl.keystore.type": "PEM", f"{door}.ssl.keystore.location": self.key_and_chain}
        return found

    def users(self) -> list[str]:
        """Options of the tool that formats a node, which keeps the users of SCRAM."""
        known = f"[name={self.username},password={self.password}]"
        return [word for kind in ("256", "512") for word in ("--add-scram", f"SCRAM-SHA-{kind}={known}")]


class KafkaNode(ServerProcess):
    """One broker and controller. Its data folder survives `stop` and `kill`."""

    stop_seconds = STOP_SECONDS

    def __init__(
        self,
        number: int,
        folder: Path,
        jars: Path,
        advertised: int | None,
        heap_mb: int,
        guards: Mapping[str, Guard],
    ) -> None:
        super().__init__()
        self.number = number
        self._memory = f"-Xms{heap_mb // 3}m", f"-Xmx{heap_mb}m"
        self.folder = folder
        self.port = free_port()
        self.brokers_port, self.controller_port = free_port(), free_port()
        self.guarded_ports = {listener: free_port() for listener in guards}
        self._guards = guards
        self.advertised = advertised or self.port
        self._classpath = f"{jars}/*"

    @property
    def name(self) -> str:
        """How it is called in reports."""
        return f"broker-{self.number}"

    @property
    def address(self) -> str:
        """What clients connect to: `127.0.0.1:PORT`."""
        return f"{LOOPBACK}:{self.advertised}"

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self.folder / "broker.log"

    def prepare(self, cluster_id: str, properties: dict[str, object]) -> None:
        """Write its configuration and format its data folder. Raises RuntimeError."""
        self.folder.mkdir(parents=True)
        lines = (f"{name}={value}\n" for name, value in (self._properties() | properties).items())
        self._config.write_text("".join(lines), encoding="utf-8")
        command = ["java", "-cp", self._classpath, "kafka.tools.StorageTool", "format"]
        command += ["-t", cluster_id, "-c", str(self._config), *self._users()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_SECONDS, check=False)
        if done.returncode:
            raise RuntimeError(f"{self.name} could not be formatted:\n{(done.stdout + done.stderr)[-2000:]}")

    def _users(self) -> list[str]:
        return next((guard.users() for guard in self._guards.values()), [])

    @property
    def _config(self) -> Path:
        return self.folder / "server.properties"

    def _properties(self) -> dict[str, object]:
        """A listener for clients, one among brokers, one of the controller; only the first is advertised elsewhere."""
        told = {"CLIENTS": self.advertised, "BROKERS": self.brokers_port, **self.guarded_ports}
        ours = {**told, "CLIENTS": self.port, "CONTROLLER": self.controller_port}
        protocols = dict.fromkeys(ours, "PLAINTEXT")
        guarded: dict[str, object] = {}
        for listener, guard in self._guards.items():
            protocols[listener] = guard.protocol
            guarded |= guard.properties(listener)
        return {
            **guarded,
            "node.id": self.number,
            "process.roles": "broker,controller",
            "listeners": _listeners(ours),
            "advertised.listeners": _listeners(told),
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "BROKERS",
            "log.dirs": self.folder / "data",
        }

    def launch(self) -> None:
        """Start it without waiting."""
        # Its libraries unpack themselves; one that is killed would leave them in the machine's folder for such things.
        told = (f"-Dlog4j2.configurationFile={_LOGGING}", f"-Djava.io.tmpdir={self.folder}")
        command = ["java", *self._memory, *_CALM, *told, "-cp", self._classpath]
        self._process = spawn([*command, "kafka.Kafka", str(self._config)], log=self.log)

    def up(self) -> bool:
        """Whether it answers clients."""
        return self.running and brokers_listed(f"{LOOPBACK}:{self.port}") > 0

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError when it does not within three minutes."""
        self.launch()
        if not wait_for(self.up, START_SECONDS, lambda: self.running):
            raise RuntimeError(f"{self.name} did not start; see {self.log}")

    def terminate(self) -> None:
        """Ask it to leave, without waiting."""
        if self._process is not None:
            self._process.terminate()


class ApacheKafka(Startable):
    """A cluster on free loopback ports. Use it as a context manager.

    Several nodes keep every record on each of up to three of them and confirm it when two have it. `advertised`: ports
    that clients are told instead of the nodes' own, one a node, for whoever stands between. `guards`: further doors, by
    the names of their listeners.
    """

    def __init__(
        self,
        folder: Path,
        *,
        nodes: int = 1,
        jars: Path | None = None,
        advertised: Sequence[int] = (),
        heap_mb: int = _HEAP_MB,
        guards: Mapping[str, Guard] | None = None,
    ) -> None:
        self._copies = min(3, nodes)
        found = kafka_jars(jars)
        self.nodes = tuple(
            KafkaNode(number, folder / f"kafka-{number}", found, told, heap_mb, guards or {})
            for number, told in enumerate(advertised or [None] * nodes, start=1)
        )
        self._formatted = False

    @property
    def address(self) -> str:
        """What clients connect to: all brokers, comma separated."""
        return ",".join(node.address for node in self.nodes)

    def guarded_address(self, listener: str) -> str:
        """The same at one of its further doors."""
        return ",".join(f"{LOOPBACK}:{node.guarded_ports[listener]}" for node in self.nodes)

    @property
    def replication(self) -> int:
        """How many copies a topic of it may have."""
        return self._copies

    def start(self) -> None:
        """Start all nodes and wait until each lists all of them. Raises RuntimeError."""
        if not self._formatted:
            self._prepare()
        for node in self.nodes:
            node.launch()
        if not wait_for(self._all_listed, START_SECONDS, lambda: all(node.running for node in self.nodes)):
            self.stop()
            raise RuntimeError(f"Apache Kafka did not start; see {self.nodes[0].log}")

    def _prepare(self) -> None:
        cluster = _cluster_id()
        for node in self.nodes:
            node.prepare(cluster, self._shared_properties())
        self._formatted = True

    def _shared_properties(self) -> dict[str, object]:
        """For a small machine and quick tests: few internal partitions, short sessions, and no wait before a group."""
        copies, enough = self._copies, max(1, self._copies - 1)
        voters = ",".join(f"{node.number}@{LOOPBACK}:{node.controller_port}" for node in self.nodes)
        return {
            "controller.quorum.voters": voters,
            "log.segment.bytes": 64 << 20,
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "broker.heartbeat.interval.ms": 1000,
            "broker.session.timeout.ms": 3000,
            "offsets.topic.num.partitions": 4,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.num.partitions": 4,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": enough,
            "default.replication.factor": copies,
            "min.insync.replicas": enough,
        }

    def _all_listed(self) -> bool:
        return all(brokers_listed(f"{LOOPBACK}:{node.port}") == len(self.nodes) for node in self.nodes)

    def stop(self) -> None:
        """Stop all nodes; what they hold stays in their folders.

        All are told before any is waited for: the last ones would wait in vain for a quorum.
        """
        for node in self.nodes:
            node.terminate()
        for node in self.nodes:
            node.stop()

    def kill(self) -> None:
        """End all nodes at once."""
        for node in self.nodes:
            node.kill()


def _cluster_id() -> str:
    """A random one. It must not begin with a dash: the tool that formats the folders would take it for an option."""
    while (made := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[:22]).startswith("-"):
        pass
    return made


def _listeners(ports: dict[str, int]) -> str:
    return ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in ports.items())
