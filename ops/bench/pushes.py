"""What strangers can do to the receiver of pushes, and what honest pushes and polling notice of it.

Starts a broker, a Redis, simulated platforms, `orderfleet poll` and `orderfleet receive`, each a process. Then come
strangers: forged large bodies with signatures of the right form; and after those, all at once, as many again,
connections that send a part of a head or a head and no body, and bodies that come byte by byte. Meanwhile signed pushes
go in, each on a connection of its own. Prints the receiver's peak of memory (as the kernel counted it), the times of
the signed pushes, and the rounds of polling. Needs Linux.

    python -m ops.bench.pushes
    python -m ops.bench.pushes --quick
    python -m ops.bench.pushes --together    one process that polls and receives
    python -m ops.bench.pushes --json
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer
import uvloop
import yaml
from prometheus_client.parser import text_string_to_metric_families

from channel_adapters.hmac_header import base64_hmac
from channel_adapters.woocommerce.signature import SIGNATURE_HEADER
from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.child import Child, fleet_environment
from ops.testbed.local_stack.ports import LOOPBACK, free_port
from ops.testbed.local_stack.redis_server import RedisServer
from ops.testbed.simulators.shops import simulated_shop
from workers.runtime.kafka.topics import create_topics, wanted_topics
from workers.runtime.tasks import end_tasks

MOST_MEMORY: Final = 300 << 20
MOST_SECONDS: Final = 1.0

_CHANNEL: Final = "woocommerce"
_CHUNK: Final = bytes(64 << 10)
_BEFORE_SECONDS: Final = 3.0  # to see how it is without strangers
_EVERY_SECONDS: Final = 0.1  # a signed push
_DRIP_SECONDS: Final = 0.5
_PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Attack:
    """How many strangers come at once."""

    forged: int = 300
    forged_bytes: int = 9_000_000
    silent: int = 1_100
    """Connections that send a part of a head, or a head and no body, in turns."""
    slow: int = 64
    seconds: float = 15.0
    """How long it goes on at most, and at least until the forged bodies are answered."""


QUICK: Final = Attack(forged=30, silent=600, slow=16, seconds=3.0)


@dataclass(slots=True)
class Outcome:
    """What was seen. Sizes in bytes, times in seconds."""

    memory_before: int = 0
    memory_peak: int = 0
    pushes: list[float] = field(default_factory=list)
    """How long each signed push took until it was answered with 200."""
    refused_pushes: Counter[str] = field(default_factory=Counter)
    """Signed pushes that were answered otherwise, or not at all."""
    forged_alone: Counter[str] = field(default_factory=Counter)
    """What the forged bodies were answered while there were no other strangers."""
    forged: Counter[str] = field(default_factory=Counter)
    """What they were answered among all the others."""
    dropped: dict[str, float] = field(default_factory=dict)
    """Connections that the receiver closed, by reason."""
    rounds_before: float = 0.0
    """Rounds of polling a second."""
    rounds_during: float = 0.0
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether honest callers and polling noticed nothing that matters."""
        return not self.wrong

    @property
    def wrong(self) -> list[str]:
        """Each a sentence."""
        slowest = max(self.pushes, default=0.0)
        found = {
            f"the memory rose to {self.memory_peak / 1e6:.0f} MB": self.memory_peak > MOST_MEMORY,
            f"a signed push took {slowest:.2f} s": slowest > MOST_SECONDS,
            "no signed push was answered": not self.pushes,
            f"signed pushes were refused: {dict(self.refused_pushes)}": bool(self.refused_pushes),
            "forged pushes were taken": bool(self.forged["200"] or self.forged_alone["200"]),
            f"polling went on at {self.rounds_during:.2f} rounds a second, before {self.rounds_before:.2f}": (
                self.rounds_during < self.rounds_before / 2
            ),
        }
        return [sentence for sentence, is_so in found.items() if is_so]


def main(
    quick: Annotated[bool, typer.Option(help="Fewer strangers, a few seconds.")] = False,
    together: Annotated[bool, typer.Option(help="One process that polls and receives.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, for machines.")] = False,
) -> None:
    """Attack the receiver of pushes."""
    with tempfile.TemporaryDirectory(prefix="orderfleet-bench-") as folder:
        outcome = measure(Path(folder), QUICK if quick else Attack(), together=together)
    if as_json:
        sys.stdout.write(json.dumps(asdict(outcome) | {"good": outcome.good, "wrong": outcome.wrong}) + "\n")
    else:
        _print(outcome)
    raise typer.Exit(0 if outcome.good else 1)


def measure(folder: Path, attack: Attack, *, together: bool = False) -> Outcome:
    """Start everything, attack, and end everything."""
    with ExitStack() as stack:
        broker, redis = stack.enter_context(Broker(folder)), stack.enter_context(RedisServer(folder))
        create_topics(broker.address, wanted_topics(channels=(_CHANNEL,), warehouses=(), partitions=1, replication=1))
        children = _Children(folder, broker, redis)
        stack.callback(children.stop)
        children.start(together=together)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_attacked(children, attack))


class _Children:
    """The processes of the fleet, and the platforms that they poll."""

    def __init__(self, folder: Path, broker: Broker, redis: RedisServer) -> None:
        self._folder = folder
        self._servers = (broker.address, redis.url)
        self._running: list[Child] = []
        self.receiver: Child | None = None
        self.receiver_metrics = self.poller_metrics = 0
        self.secret = ""
        self.path = ""

    def start(self, *, together: bool) -> None:
        platforms = [sys.executable, "-m", "ops.testbed.simulators", "--port", "0", "--orders", "2000", "--rate", "20"]
        port = self._child("platforms", platforms, {}, says="port").port
        shops = self._shops(f"http://{LOOPBACK}:{port}")
        self.receiver_metrics = free_port()
        receiving = {"ORDERFLEET_WEBHOOK_PORT": "0", "ORDERFLEET_METRICS_PORT": str(self.receiver_metrics)}
        if together:
            self.poller_metrics = self.receiver_metrics
            self.receiver = self._child("both", _cli("poll", shops), receiving, says="webhook_port")
            return
        self.poller_metrics = free_port()
        polling = {"ORDERFLEET_METRICS_PORT": str(self.poller_metrics)}
        self._child("poller", _cli("poll", shops), polling, says="metrics_port")
        self.receiver = self._child("receiver", _cli("receive", shops), receiving, says="webhook_port")

    def _child(self, name: str, command: list[str], extra: dict[str, str], says: str) -> Child:
        child = Child(name, command, self._folder, fleet_environment(*self._servers, 1, extra), says=says)
        self._running.append(child)
        child.start()
        child.wait_ready()
        return child

    def _shops(self, base_url: str) -> Path:
        shop = simulated_shop(_CHANNEL, base_url)
        assert shop.webhook_secret is not None
        self.secret, self.path = shop.webhook_secret.get_secret_value(), f"/webhooks/{_CHANNEL}/{shop.shop_id}"
        row = shop.model_dump(mode="json")
        for name in ("app_secret", "access_token", "webhook_secret"):
            row[name] = getattr(shop, name).get_secret_value()
        file = self._folder / "shops.yaml"
        file.write_text(yaml.safe_dump([row]), encoding="utf-8")
        return file

    def stop(self) -> None:
        for child in reversed(self._running):
            child.stop()


def _cli(command: str, shops: Path) -> list[str]:
    return [sys.executable, "-m", "ops.cli", command, "--shops", str(shops), "--json"]


async def _attacked(children: _Children, attack: Attack) -> Outcome:
    assert children.receiver is not None
    receiver, outcome = children.receiver, Outcome()
    assert receiver.port is not None
    target = _Target(receiver.port, children.path)
    async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE) as http:
        rounds = _Rounds(http, children.poller_metrics)
        pushing = asyncio.create_task(_Honest(target, children.secret, outcome).push_on())
        outcome.rounds_before = await rounds.a_second(asyncio.sleep(_BEFORE_SECONDS))
        outcome.memory_before = _status(receiver.pid, "VmRSS")
        began = time.perf_counter()
        outcome.rounds_during = await rounds.a_second(_attack(target, attack, outcome))
        outcome.seconds = time.perf_counter() - began
        await end_tasks([pushing])
        outcome.memory_peak = _status(receiver.pid, "VmHWM")
        outcome.dropped = await _dropped(http, children.receiver_metrics)
    return outcome


async def _attack(target: _Target, attack: Attack, outcome: Outcome) -> None:
    """The forged bodies by themselves, which the limit of connections does not stop; then all at once."""
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as strangers:
        alone = replace(attack, silent=0, slow=0)
        outcome.forged_alone = await loop.run_in_executor(strangers, _come, target, alone)
        outcome.forged = await loop.run_in_executor(strangers, _come, target, attack)


class _Rounds:
    """How often the shop is polled, as the poller's own metrics say."""

    def __init__(self, http: httpx.AsyncClient, port: int) -> None:
        self._http = http
        self._port = port

    async def a_second(self, meanwhile: Coroutine[Any, Any, None]) -> float:
        """Good rounds a second while something else goes on."""
        began, before = time.perf_counter(), await self._count()
        await meanwhile
        return (await self._count() - before) / (time.perf_counter() - began)

    async def _count(self) -> float:
        samples = await _samples(self._http, self._port, "orders_intake_rounds")
        return sum(value for labels, value in samples if labels.get("outcome") == "ok")


class _Honest:
    """A platform that pushes orders and signs them."""

    def __init__(self, target: _Target, secret: str, outcome: Outcome) -> None:
        self._target = target
        self._secret = secret
        self._outcome = outcome
        self._number = 900_000_000

    async def push_on(self) -> None:
        """Until cancelled."""
        while True:
            began = time.perf_counter()
            try:
                answer = await asyncio.wait_for(self._push(), _PATIENCE)
            except (OSError, TimeoutError) as error:
                answer = type(error).__name__
            if answer == "200":
                self._outcome.pushes.append(time.perf_counter() - began)
            else:
                self._outcome.refused_pushes[answer] += 1
            await asyncio.sleep(_EVERY_SECONDS)

    async def _push(self) -> str:
        self._number += 1
        order = {"id": self._number, "status": "processing", "currency": "CNY", "line_items": []}
        body = json.dumps(order | {"date_modified_gmt": "2026-11-11T00:00:00"}).encode()
        async with _connected(self._target) as (reader, writer):
            writer.write(_head(self._target.path, len(body), base64_hmac(body, self._secret)) + body)
            return _status_of(await reader.readline())


@dataclass(frozen=True, slots=True)
class _Target:
    """Where pushes go."""

    port: int
    path: str


def _come(target: _Target, attack: Attack) -> Counter[str]:
    """Strangers in a process of their own: who measures must not wait for them. Gives how the forged were answered."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Strangers(target, attack).come())


class _Strangers:
    """Everybody who should not be able to disturb."""

    def __init__(self, target: _Target, attack: Attack) -> None:
        self._target = target
        self._attack = attack
        self._answers: Counter[str] = Counter()
        self._signature = base64_hmac(b"", "a secret that nobody has")

    async def come(self) -> Counter[str]:
        """All at once; who is sent away does not come again."""
        attack, deadline = self._attack, time.perf_counter() + self._attack.seconds
        forged = [asyncio.create_task(self._forge()) for _ in range(attack.forged)]
        others = [asyncio.create_task(self._silent(bool(number % 2))) for number in range(attack.silent)]
        others += [asyncio.create_task(self._slow()) for _ in range(attack.slow)]
        await asyncio.wait(forged, timeout=4 * _PATIENCE)
        if others:
            await asyncio.wait(others, timeout=max(0.0, deadline - time.perf_counter()))
        await end_tasks([*forged, *others])
        return self._answers

    async def _forge(self) -> None:
        answer = "closed"
        with suppress(OSError):
            async with _connected(self._target) as (reader, writer):
                sending = asyncio.create_task(self._send(writer))
                try:
                    answer = _status_of(await reader.readline())
                finally:
                    await end_tasks([sending])
        self._answers[answer] += 1

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        size = self._attack.forged_bytes
        with suppress(OSError):
            writer.write(_head(self._target.path, size, self._signature))
            for sent in range(0, size, len(_CHUNK)):
                writer.write(_CHUNK[: size - sent])
                await writer.drain()

    async def _silent(self, whole_head: bool) -> None:
        head = _head(self._target.path, 9_000_000, self._signature)
        with suppress(OSError):
            async with _connected(self._target) as (reader, writer):
                writer.write(head if whole_head else head[:-20])
                await reader.read()

    async def _slow(self) -> None:
        with suppress(OSError):
            async with _connected(self._target) as (reader, writer):
                writer.write(_head(self._target.path, 100_000, self._signature))
                while not reader.at_eof():
                    writer.write(b" ")
                    await writer.drain()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(1), _DRIP_SECONDS)


@asynccontextmanager
async def _connected(target: _Target) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(LOOPBACK, target.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def _head(path: str, length: int, signature: str) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {LOOPBACK}",
        f"{SIGNATURE_HEADER}: {signature}",
        "X-WC-Webhook-Topic: order.updated",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    )
    return "\r\n".join((*lines, "", "")).encode()


def _status_of(line: bytes) -> str:
    words = line.split()
    return words[1].decode("ascii", "replace") if len(words) > 1 else "closed"


async def _samples(http: httpx.AsyncClient, port: int, name: str) -> list[tuple[dict[str, str], float]]:
    text = (await http.get(f"http://{LOOPBACK}:{port}/metrics")).text
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"{name}_total"
    ]


async def _dropped(http: httpx.AsyncClient, port: int) -> dict[str, float]:
    samples = await _samples(http, port, "orders_intake_push_connections_dropped")
    return {labels["reason"]: value for labels, value in samples}


def _status(pid: int, name: str) -> int:
    """Bytes, from the kernel's own books; VmHWM is the most that a process ever had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) << 10
    raise LookupError(name)


def _print(outcome: Outcome) -> None:
    pushes = outcome.pushes or [0.0]
    memory = f"{outcome.memory_before / 1e6:.0f} MB before, {outcome.memory_peak / 1e6:.0f} MB at most"
    times = f"median {statistics.median(pushes) * 1000:.0f} ms, slowest {max(pushes) * 1000:.0f} ms"
    lines = (
        f"memory of the receiver   {memory}",
        f"signed pushes            {len(outcome.pushes)} answered, {times}",
        f"... and refused          {dict(outcome.refused_pushes) or 'none'}",
        f"forged pushes            {dict(outcome.forged_alone)} alone, {dict(outcome.forged)} among all",
        f"connections dropped      {outcome.dropped}",
        f"rounds of polling        {outcome.rounds_before:.2f} a second before, {outcome.rounds_during:.2f} meanwhile",
        f"it went on for           {outcome.seconds:.1f} s",
        *(f"NOT GOOD                 {sentence}" for sentence in outcome.wrong),
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    typer.run(main)
