"""How fast due holds are given back, and what reservations feel of it meanwhile.

Starts a Redis and a broker of its own, fills the Redis with holds whose payment deadline has passed, starts sweepers
and a relay as worker processes, and goes on reserving new orders at a steady rate, as the reserve stage does.

    python -m ops.bench.sweep --holds 1000000
    python -m ops.bench.sweep --holds 100000 --sweepers 3 --rate 2000 --audit
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from redis.asyncio import Redis

from channel_adapters.registry import CHANNELS
from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.process import spawn, stop
from ops.testbed.local_stack.redis_server import RedisServer
from schemas.order import OrderStatus, PaymentStatus
from schemas.plan import Candidate, PlannedOrder
from schemas.record import decode
from workers.inventory.keys import deadlines_key, order_key, outbox_key, reservation_key, stock_key
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count
from workers.reserve.agent import ReserveAgent
from workers.runtime.kafka.topics import create_topics, wanted_topics
from workers.runtime.stage import Delivery

ROOT: Final = Path(__file__).parents[2]
EXAMPLE: Final = ROOT / "schemas" / "examples" / "orders.planned" / "reserve.json"
SCRIPT: Final = Path(__file__).with_name("fill_holds.lua")
PLENTY: Final = 100_000_000
COPIES_A_CALL: Final = 2000
QUIET_SECONDS: Final = 8.0


@dataclass
class Latencies:
    """Milliseconds that batches of reservations took."""

    taken: list[float] = field(default_factory=list)

    def tell(self) -> str:
        """Percentiles."""
        ordered = sorted(self.taken) or [0.0]
        p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99))
        return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {ordered[-1]:.1f} ms ({len(ordered)} batches)"


class Orders:
    """Unpaid orders, each for one unit of one SKU in one warehouse."""

    def __init__(self, warehouses: Sequence[str], skus: Sequence[str]) -> None:
        self._example = decode(PlannedOrder, EXAMPLE.read_bytes())
        self._warehouses = warehouses
        self._skus = skus

    def order(self, name: str, number: int, deadline: datetime) -> PlannedOrder:
        """Number n goes to warehouse n modulo all of them."""
        given = self._example.order
        line = replace(given.lines[0], sku=self._skus[number % len(self._skus)], quantity=1, bound_to=())
        order = replace(
            given,
            uid=f"taobao:bench:{name}{number}",
            platform_order_id=f"{name}{number}",
            lines=(line,),
            status=OrderStatus.AWAITING_PAYMENT,
            payment=PaymentStatus.UNPAID,
            pay_deadline=deadline,
        )
        warehouse = self._warehouses[number % len(self._warehouses)]
        plan = replace(self._example.plan, candidates=(Candidate(warehouse_id=warehouse, rule="bench"),))
        return replace(self._example, order=order, plan=plan)


async def fill(redis: Redis, orders: Orders, warehouses: Sequence[str], skus: Sequence[str], holds: int) -> None:
    """One real hold per warehouse and SKU, made by the reserve stage, and copies of each; all due, over a second."""
    ledger = Ledger(redis)
    for warehouse in warehouses:
        await ledger.stock.set_counts(warehouse, {sku: Count(on_hand=PLENTY) for sku in skus})
    due = datetime.now(UTC) - timedelta(seconds=60)
    kinds = [orders.order("due-", number, due) for number in range(len(warehouses) * len(skus))]
    await ReserveAgent(ledger, 60).handle([Delivery(one, key=b"") for one in kinds])
    copy = redis.register_script(SCRIPT.read_text(encoding="utf-8"))
    each = (holds - len(kinds)) // len(kinds)
    for one in kinds:
        uid, warehouse = one.order.uid, one.plan.candidates[0].warehouse_id
        keys = [reservation_key(warehouse, uid), order_key(uid), deadlines_key(warehouse)]
        keys.append(stock_key(warehouse, one.order.lines[0].sku))
        for start in range(0, each, COPIES_A_CALL):
            count = min(COPIES_A_CALL, each - start)
            await copy(
                keys=keys, args=[uid, f"{10_000_000 + start}", count, int(due.timestamp() * 1000) + start % 1000]
            )


class Load:
    """Reserves new orders at a steady rate until it is stopped. A batch that comes late is not made up for."""

    def __init__(self, ledger: Ledger, orders: Orders, rate: int) -> None:
        self._agent = ReserveAgent(ledger, 3600)
        self._orders = orders
        self._batch = max(1, rate // 100)
        self._pause = self._batch / rate
        self._number = 0
        self._stopped = asyncio.Event()
        self.latencies = Latencies()

    async def run(self) -> None:
        """Until `stop`."""
        deadline = datetime.now(UTC) + timedelta(hours=1)
        while not self._stopped.is_set():
            numbers = range(self._number, self._number + self._batch)
            self._number += self._batch
            batch = [Delivery(self._orders.order("new-", number, deadline), key=b"") for number in numbers]
            started = time.perf_counter()
            await self._agent.handle(batch)
            taken = time.perf_counter() - started
            self.latencies.taken.append(taken * 1000)
            await asyncio.sleep(max(0.0, self._pause - taken))

    def stop(self) -> None:
        """After the batch in hand."""
        self._stopped.set()


@asynccontextmanager
async def running(load: Load) -> AsyncIterator[None]:
    """The load, while this lasts."""
    task = asyncio.create_task(load.run())
    try:
        yield
    finally:
        load.stop()
        await task


class Watch:
    """What is due and what waits in the outboxes, over time."""

    def __init__(self, redis: Redis, warehouses: Sequence[str]) -> None:
        self._redis = redis
        self._warehouses = warehouses
        self.most_waiting = 0

    async def due(self) -> int:
        """Holds past their deadline."""
        now_ms = int(time.time() * 1000)
        counts: list[int] = [
            await self._redis.zcount(deadlines_key(warehouse), "-inf", now_ms) for warehouse in self._warehouses
        ]
        return sum(counts)

    async def unsent(self) -> int:
        """Events that Kafka does not have yet."""
        counts: list[int] = [await self._redis.xlen(outbox_key(warehouse)) for warehouse in self._warehouses]
        self.most_waiting = max(self.most_waiting, sum(counts))
        return sum(counts)

    async def until_swept(self) -> tuple[int, float]:
        """Holds and seconds, from the first that is given back to the last."""
        first = left = await self.due()
        while (left := await self.due()) == first:  # noqa: ASYNC110  # another process gives them back
            await asyncio.sleep(0.02)
        started, shown = time.perf_counter(), time.perf_counter()
        while left:
            await asyncio.sleep(0.1)
            left = await self.due()
            unsent = await self.unsent()
            if time.perf_counter() - shown > 5:
                shown = time.perf_counter()
                print(f"  {left:>9,} due, {unsent:>9,} events to send", flush=True)
        return first, time.perf_counter() - started

    async def until_sent(self) -> float:
        """Seconds until Kafka has every event."""
        started = time.perf_counter()
        while await self.unsent():  # noqa: ASYNC110  # another process sends them
            await asyncio.sleep(0.05)
        return time.perf_counter() - started


async def punctuality(redis: Redis, orders: Orders, places: Sequence[str], number: int) -> float:
    """Seconds from a deadline until the last of some holds that end then is given back."""
    deadline = datetime.now(UTC) + timedelta(seconds=1 + number * 0.23)  # at another moment of the sweepers' second
    ms = int(deadline.timestamp() * 1000)
    batch = [Delivery(orders.order(f"soon-{number}-", one, deadline), key=b"") for one in range(100)]
    await ReserveAgent(Ledger(redis), 3600).handle(batch)
    while any([await redis.zcount(deadlines_key(place), ms, ms) for place in places]):  # noqa: ASYNC110  # as above
        await asyncio.sleep(0.01)
    return time.time() - ms / 1000


class Fleet:
    """The worker processes."""

    def __init__(self, folder: Path, redis_url: str, kafka: str) -> None:
        self._folder = folder
        self._env = os.environ | {"ORDERFLEET_REDIS_URL": redis_url, "ORDERFLEET_KAFKA": kafka}
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *stages: str) -> None:
        """One worker with these stages."""
        log = self._folder / f"{'-'.join(stages)}-{len(self._running)}.log"
        command = [sys.executable, str(ROOT / "topology.py"), "worker", *stages]
        self._running.append(spawn(command, log=log, env=self._env))

    def stop(self) -> None:
        """All of them."""
        for process in self._running:
            stop(process)


def sweep(
    holds: Annotated[int, typer.Option(min=1000, help="Holds that are due.")] = 1_000_000,
    sweepers: Annotated[int, typer.Option(min=1, help="Worker processes that sweep.")] = 1,
    rate: Annotated[int, typer.Option(min=1, help="New orders reserved a second meanwhile.")] = 500,
    warehouses: Annotated[int, typer.Option(min=1, help="The holds are spread over so many.")] = 4,
    skus: Annotated[int, typer.Option(min=1, help="And over so many SKUs each.")] = 50,
    audit: Annotated[bool, typer.Option(help="Audit the stock before and after; slow.")] = False,
) -> None:
    """Measure the sweeper beside reservations."""
    places = [f"bench-{number}" for number in range(warehouses)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orderfleet-bench-")))
        broker = stack.enter_context(Broker(folder))
        server = stack.enter_context(RedisServer(folder))
        create_topics(
            broker.address,
            wanted_topics(channels=tuple(CHANNELS), warehouses=places, partitions=4, replication=1),
        )
        fleet = Fleet(folder, server.url, broker.address)
        stack.callback(fleet.stop)
        asyncio.run(
            _measure(fleet, server.url, places, [f"SKU-{n}" for n in range(skus)], holds, sweepers, rate, audit)
        )


async def _measure(
    fleet: Fleet, url: str, places: list[str], skus: list[str], holds: int, sweepers: int, rate: int, audit: bool
) -> None:
    async with Redis.from_url(url) as redis:
        orders = Orders(places, skus)
        load, watch = Load(Ledger(redis), orders, rate), Watch(redis, places)
        started = time.perf_counter()
        await fill(redis, orders, places, skus, holds)
        _tell(f"filled {await watch.due():,} due holds in {time.perf_counter() - started:.1f} s")
        await _audit(redis, audit)
        fleet.start("relay")
        async with running(load):
            await asyncio.sleep(QUIET_SECONDS)
            _tell(f"before the sweep: {load.latencies.tell()}")
            for _ in range(sweepers):
                fleet.start("sweep")
            load.latencies = Latencies()
            swept, seconds = await watch.until_swept()
            _tell(f"during the sweep: {load.latencies.tell()}")
        _tell(f"swept {swept:,} in {seconds:.1f} s: {swept / seconds:,.0f} a second, {sweepers} sweepers")
        late = await watch.until_sent()
        waits = [await punctuality(redis, orders, places, number) for number in range(5)]
        _tell(f"with little due: given back {max(waits):.2f} s after the deadline at the latest")
        _tell(f"relayed {late:.1f} s later; at most {watch.most_waiting:,} events waited")
        await _audit(redis, audit)


async def _audit(redis: Redis, wanted: bool) -> None:
    if wanted:
        report: Any = await Ledger(redis).stock.audit()
        _tell(f"audit: {report.reservations:,} reservations, {len(report.findings)} findings")
        if report.findings:
            raise typer.Exit(1)


def _tell(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    typer.run(sweep)
