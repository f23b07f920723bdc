"""Doing the faults: each is a generator that says what it waits for, so that many can be under way at once."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial
from random import Random
from typing import Final

from aiokafka.errors import KafkaError
from redis import Redis
from redis.exceptions import RedisError

from ops.testbed.local_stack.child import Child
from ops.testbed.local_stack.redis_states import busy, full, replica
from ops.testbed.torture.accountant import Accountant
from ops.testbed.torture.faults import Fault, FaultKind
from ops.testbed.torture.odd_records import put_odd, some
from ops.testbed.torture.proxy import Proxy
from ops.testbed.torture.rebuilding import empty_and_rebuild
from ops.testbed.torture.rig import PARTITIONS, Rig, read_topics
from ops.testbed.torture.steps import Trouble, Wait, leave
from ops.testbed.torture.striking import strike
from workers.runtime.errors import TransientError

FLAP_SECONDS: Final = 0.03
ARRIVAL_SECONDS: Final = 0.2

_BALLAST_KEYS: Final = 20_000
_BALLAST_MS: Final = 600_000
_REFUSING: Final = {
    FaultKind.REDIS_FULL: full,
    FaultKind.REDIS_READ_ONLY: replica,
    FaultKind.REDIS_BUSY: busy,
}
_REDIS_ITSELF: Final = (FaultKind.REDIS_KILL, FaultKind.REDIS_RESTART, FaultKind.REDIS_LOADING, *_REFUSING)

REDIS: Final = "redis"
BROKER: Final = "broker"
WRITERS: Final = (FaultKind.WORKER_JOIN, FaultKind.STOCK_ARRIVES)  # to the ledger, besides the fleet


def trouble(fault: Fault, rig: Rig, books: Accountant) -> Trouble:
    """The fault, from its beginning until what it broke is whole again. Waits until nobody else breaks the same."""
    with ExitStack() as held:
        for name in _what_it_breaks(fault, rig):
            yield partial(rig.is_free, name)
            held.enter_context(rig.holding(name))
        match fault.kind:
            case FaultKind.WORKER_KILL | FaultKind.TIMERS_KILL | FaultKind.WMS_KILL:
                yield from _kill(_child(fault, rig), fault)
            case FaultKind.WORKER_STOP:
                yield from leave([_child(fault, rig)], rig)
                yield from _return([_child(fault, rig)], fault)
            case FaultKind.WORKER_JOIN:
                yield from _join(fault, rig)
            case FaultKind.WORKER_FREEZE:
                yield from _freeze(_child(fault, rig), fault)
            case kind if kind in _REDIS_ITSELF:
                yield from _redis(fault, rig, books)
            case FaultKind.REDIS_EMPTY | FaultKind.WORKER_STRIKE:
                yield from _whole_fleet(fault, rig, books)
            case FaultKind.BROKER_KILL | FaultKind.BROKER_RESTART:
                yield from _broker(fault, rig, books)
            case FaultKind.STOCK_ARRIVES | FaultKind.ODD_RECORDS:
                yield from _arrive(fault, rig) if fault.kind in WRITERS else _odd_records(fault, rig, books)
            case _:
                yield from _network(fault, _proxy(fault, rig), books)


def _what_it_breaks(fault: Fault, rig: Rig) -> Sequence[str]:
    """Whoever needs several things takes them in one order, the same for all: so nobody can wait for each other."""
    if fault.kind is FaultKind.WORKER_STRIKE:
        return (*(kind.name for kind in WRITERS), REDIS, *(child.name for child in rig.workers))
    if fault.kind is FaultKind.REDIS_EMPTY:
        return (*(kind.name for kind in WRITERS), REDIS, BROKER, *(child.name for child in rig.fleet))
    if fault.kind in WRITERS:
        return (fault.kind.name,)
    if fault.kind.name.startswith("REDIS"):
        return (REDIS,)
    if fault.kind.name.startswith("BROKER") or fault.kind is FaultKind.ODD_RECORDS:
        return (BROKER,)
    return (_child(fault, rig).name,)


def _child(fault: Fault, rig: Rig) -> Child:
    if fault.kind is FaultKind.WMS_KILL:
        return rig.wms
    children = rig.timers if fault.kind is FaultKind.TIMERS_KILL else rig.workers
    return children[fault.target % len(children)]


def _proxy(fault: Fault, rig: Rig) -> Proxy:
    if fault.kind.name.startswith("REDIS"):
        return rig.redis_proxy
    return rig.broker_proxies[fault.target % len(rig.broker_proxies)]


def _kill(child: Child, fault: Fault) -> Trouble:
    if child.running:
        child.kill()
    yield from _return([child], fault)


def _whole_fleet(fault: Fault, rig: Rig, books: Accountant) -> Trouble:
    if fault.kind is FaultKind.REDIS_EMPTY:
        yield from empty_and_rebuild(fault, rig, books)
    else:
        yield from strike(fault, rig)
        yield from _return(rig.workers, fault)


def _return(children: Sequence[Child], fault: Fault) -> Trouble:
    yield fault.seconds
    for child in children:
        child.start()
    yield lambda: all(child.ready() or not child.running for child in children)


def _join(fault: Fault, rig: Rig) -> Trouble:
    child = rig.another_worker()
    yield lambda: child.ready() or not child.running
    yield fault.seconds
    yield from leave([child], rig)


def _freeze(child: Child, fault: Fault) -> Trouble:
    """SIGSTOP: the others take its partitions, and then it wakes up and does not know."""
    child.signal(signal.SIGSTOP)
    yield fault.seconds
    child.signal(signal.SIGCONT)


def _redis(fault: Fault, rig: Rig, books: Accountant) -> Trouble:
    if fault.kind in _REFUSING:
        return _refuse(fault, rig, books)
    return _load(fault, rig, books) if fault.kind is FaultKind.REDIS_LOADING else _restart(fault, rig, books)


def _restart(fault: Fault, rig: Rig, books: Accountant) -> Trouble:
    began = time.time()
    if fault.kind is FaultKind.REDIS_KILL:
        rig.redis.kill()
    else:
        rig.redis.stop()
    yield fault.seconds
    rig.redis.start()
    books.returned(str(fault.kind), began)


def _refuse(fault: Fault, rig: Rig, books: Accountant) -> Trouble:
    """Redis is there and refuses: what it is asked for is to be asked for again, and is no bad order."""
    began = time.time()
    with Redis.from_url(rig.redis.url) as admin, _REFUSING[fault.kind](admin):
        yield fault.seconds
    books.returned(str(fault.kind), began)


def _load(fault: Fault, rig: Rig, books: Accountant) -> Trouble:
    """It comes back with so much to load that it takes as long as the fault, and answers meanwhile that it loads."""
    began = time.time()
    with Redis.from_url(rig.redis.url) as admin, admin.pipeline(transaction=False) as pipeline:
        for number in range(_BALLAST_KEYS):
            pipeline.set(f"ballast:{number}", "", px=_BALLAST_MS)
        pipeline.execute()
    rig.redis.kill()
    rig.redis.launch("--key-load-delay", str(int(fault.seconds * 1e6 / _BALLAST_KEYS)))
    yield rig.redis.answers
    books.returned(str(fault.kind), began)


def _broker(fault: Fault, rig: Rig, books: Accountant) -> Trouble:
    """With several brokers nothing has to return: the time counts from the fault itself."""
    node = rig.nodes[fault.target % len(rig.nodes)]
    began = time.time()
    if fault.kind is FaultKind.BROKER_KILL:
        node.kill()
    else:
        node.terminate()
    if len(rig.nodes) > 1:
        books.returned(str(fault.kind), began)
    yield lambda: not node.running
    yield fault.seconds
    node.launch()
    yield node.up
    if len(rig.nodes) == 1:
        books.returned(str(fault.kind), began)


def _arrive(fault: Fault, rig: Rig) -> Trouble:
    """A few units of some SKUs in every warehouse, again and again; not while Redis is away."""
    rng, over = Random(fault.target), time.monotonic() + fault.seconds  # noqa: S311  # repeatable on purpose
    while True:
        with suppress(RedisError, TransientError):
            rig.stock.arrive(rng)
        if time.monotonic() > over:
            return
        yield ARRIVAL_SECONDS


def _network(fault: Fault, proxy: Proxy, books: Accountant) -> Trouble:
    began = time.time()
    match fault.kind.name.partition("_")[2]:
        case "CUT":
            proxy.cut()
        case "FLAP":
            while time.time() < began + fault.seconds:
                proxy.cut()
                yield FLAP_SECONDS
        case "STRAND":
            proxy.strand()
        case "REFUSE":
            proxy.refuse()
            yield fault.seconds
            proxy.admit()
        case "STALL":
            proxy.stall()
            yield fault.seconds
            proxy.flow()
    books.returned(str(fault.kind), began)


class Troubles:
    """Begins each fault at its time and carries all of them on."""

    def __init__(self, faults: Sequence[Fault], rig: Rig, books: Accountant) -> None:
        self._began = time.monotonic()
        self._rig, self._books = rig, books
        self._coming = list(faults)
        self._going: list[tuple[Trouble, Wait]] = []

    @property
    def over(self) -> bool:
        """Whether every fault is past and mended."""
        return not self._coming and not self._going

    def advance(self) -> None:
        """Do what is due now. Never waits long."""
        now = time.monotonic()
        while self._coming and self._coming[0].at <= now - self._began:
            self._going.append((trouble(self._coming.pop(0), self._rig, self._books), now))
        going: list[tuple[Trouble, Wait]] = []
        for each, wait in self._going:
            if not _is_over(wait, now):
                going.append((each, wait))
                continue
            try:
                told = next(each)
            except StopIteration:
                continue
            going.append((each, told if callable(told) else now + told))
        self._going = going


def _is_over(wait: Wait, now: float) -> bool:
    """A number is here the time until which to wait."""
    return wait() if callable(wait) else now >= wait


def _odd_records(fault: Fault, rig: Rig, books: Accountant) -> Trouble:
    """Some on a partition of every topic that a worker reads, until Kafka has taken them."""
    rng = Random(str(fault))  # noqa: S311  # repeatable on purpose
    for topic in read_topics():
        partition, records = fault.target % PARTITIONS, some(rng, 4)
        with suppress(KafkaError):  # then they are not awaited; some may have been taken all the same
            offsets = asyncio.run(put_odd(rig.broker.address, topic, partition, records))
            books.odd.update(f"{topic}/{partition}/{offset}" for offset in offsets)
        yield 0.0
