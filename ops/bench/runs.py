"""One run of one contender: how much it does when it has all it can take, or how late it is at a given rate."""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

import uvloop

from ops.bench.contenders import Contender
from ops.bench.ground import Ground, Grounds
from ops.bench.meter import Cost, Meter, counters
from ops.bench.outputs import Outputs
from ops.bench.plain_kafka import PlainProducer
from ops.testbed.local_stack.child import Child
from workers.runtime.kafka.producer import Producer
from workers.runtime.kafka.records import Record

PATIENCE: Final = 60.0
WARM_SECONDS: Final = 15.0
"""So long, orders trickle in before any count: a broker on Java still compiles what it has long compiled elsewhere."""
TRICKLE: Final = 0.25  # of the rate at which orders count
_SETTLE_SECONDS: Final = 3.0  # at that rate, before they do
_STEP_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class Throughput:
    """A backlog worked off."""

    contender: str
    orders: int
    seconds: float  # from when the backlog was there until the last output was written
    cost: Cost
    outputs: str  # fingerprints
    counters: str

    @property
    def rate(self) -> float:
        """Orders a second."""
        return self.orders / self.seconds


@dataclass(frozen=True, slots=True)
class Latency:
    """Orders fed at a steady rate: milliseconds from when an order was due in its raw topic until it was routed."""

    contender: str
    load: float  # share of what the contender can do while it is fed
    rate: float
    orders: int
    p50: float
    p99: float
    longest: float


class Pitch:
    """A contender at work on a ground, warmed up."""

    def __init__(self, ground: Ground, children: Sequence[Child], outputs: Outputs) -> None:
        self.ground = ground
        self.children = children
        self.outputs = outputs
        self.producer = PlainProducer(ground.kafka)

    def feed(self, records: Sequence[Record]) -> None:
        """Write all at once."""
        self.producer.send(records, _now_ms())
        self.producer.confirm()

    def drain(self, records: Sequence[Record], meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until every order is out."""
        self.outputs.until({record.key.decode() for record in records}, PATIENCE, meanwhile)

    def signal(self, number: signal.Signals) -> None:
        """To all of its processes."""
        for child in self.children:
            child.signal(number)


@contextmanager
def pitch(grounds: Grounds, contender: Contender, warmup: Sequence[Record]) -> Iterator[Pitch]:
    """Fresh servers, the contender started on them, and the warm-up done."""
    with grounds.fresh() as ground:
        children = contender.processes(ground)
        outputs = Outputs(ground.kafka, ground.partitions)
        try:
            for child in children:
                child.start()
            for child in children:
                child.wait_ready()
            made = Pitch(ground, children, outputs)
            made.feed(warmup)
            made.drain(warmup)
            yield made
        finally:
            for child in children:
                child.stop()
            outputs.close()


def throughput(grounds: Grounds, contender: Contender, warmup: Sequence[Record], work: Sequence[Record]) -> Throughput:
    """Lay the whole work down while the contender is stopped, then let it go."""
    with pitch(grounds, contender, warmup) as at:
        at.signal(signal.SIGSTOP)
        at.feed(work)
        meter = Meter(at.ground, at.children)
        gc.collect()
        started = _now_ms()
        at.signal(signal.SIGCONT)
        at.drain(work, meter.sample)
        cost = meter.read()
        last = max(at.outputs.out_at[record.key.decode()] for record in work)
        return Throughput(
            contender.name,
            len(work),
            (last - started) / 1000,
            cost,
            at.outputs.fingerprint(),
            counters(at.ground),
        )


def fed_orders(rate: float, seconds: float) -> int:
    """How many orders a run takes that feeds `rate` orders a second, of which those of `seconds` count."""
    return int(rate * (WARM_SECONDS * TRICKLE + _SETTLE_SECONDS + seconds))


def sustained(
    grounds: Grounds, contender: Contender, warmup: Sequence[Record], work: Sequence[Record], rate: float
) -> float:
    """Orders a second that come out while `rate`, more than it can do, are fed on the same machine."""
    with pitch(grounds, contender, warmup) as at:
        due_at = uvloop.run(_feed(at, work, rate))
        begin, end = min(due_at.values()), max(due_at.values())
        came = sum(begin <= at.outputs.out_at[record.key.decode()] < end for record in work)
    return came * 1000 / (end - begin)


def latency(
    grounds: Grounds, contender: Contender, warmup: Sequence[Record], work: Sequence[Record], load: float, rate: float
) -> Latency:
    """Feed the work at `rate` orders a second. An order counts from when it was due, however late it was written."""
    with pitch(grounds, contender, warmup) as at:
        due_at = uvloop.run(_feed(at, work, rate))
        late = [max(0.0, at.outputs.out_at[uid] - due) for uid, due in due_at.items()]
    cuts = quantiles(late, n=100, method="inclusive")
    return Latency(contender.name, load, rate, len(late), cuts[49], cuts[98], max(late))


async def _feed(at: Pitch, work: Sequence[Record], rate: float) -> dict[str, float]:
    """Feed a trickle, then `rate` orders a second, and wait until all are out.

    When each of those that count was due, ms since 1970. Raises TransientError, Stalled.
    """
    trickle = int(rate * TRICKLE * WARM_SECONDS)
    producer = Producer(at.ground.kafka)
    producer.start()
    await _pace(producer, work[:trickle], rate * TRICKLE)
    due_at = await _pace(producer, work[trickle:], rate)
    await producer.close()
    at.drain(work)
    counts_from = min(due_at.values()) + _SETTLE_SECONDS * 1000
    return {uid: due for uid, due in due_at.items() if due >= counts_from}


async def _pace(producer: Producer, work: Sequence[Record], rate: float) -> dict[str, float]:
    """Write each order when it is due, with what else is due by then, as the poller does."""
    start = time.time() + 0.05
    sent, sending = 0, set[asyncio.Task[None]]()
    while sent < len(work):
        due = min(len(work), max(0, int((time.time() - start) * rate) + 1))
        if due > sent:
            sending.add(asyncio.create_task(producer.send(work[sent:due])))
            sent = due
        await asyncio.sleep(_STEP_SECONDS)
    await asyncio.gather(*sending)
    return {record.key.decode(): (start + number / rate) * 1000 for number, record in enumerate(work)}


def _now_ms() -> int:
    return int(time.time() * 1000)
