"""Does an order cost the same whatever there is of workers, partitions and backlog? python -m ops.bench.scaling --help

The backlog is written before any worker starts, so that its length is what it says. The embedded broker keeps all of it
in memory, about 5 kB an order before and as much again after: beyond a few 100,000 orders give `--kafka apache`, which
keeps it on disk. 20,000 orders are made; a longer backlog has them again and again under other order numbers.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from ops.bench.ground import APACHE, EMBEDDED, Ground, Grounds
from ops.bench.meter import Meter
from ops.bench.orders import copied
from ops.bench.outputs import Stalled, Written
from ops.bench.plain_kafka import PlainProducer
from ops.bench.results import MIB, SERVERS
from ops.testbed.local_stack.child import Child, worker

PATIENCE: Final = 90.0
_BATCH: Final = 10_000
_FIRST_LOOK_SECONDS: Final = 0.05
_LOOK_SECONDS: Final = 0.2
_WARM: Final = 0.1  # share of the backlog after which a worker's memory should grow no more


@dataclass(frozen=True, slots=True)
class Setting:
    """One arrangement."""

    workers: int
    partitions: int
    backlog: int


@dataclass(frozen=True, slots=True)
class Row:
    """What it came to, over the whole backlog: as the first stages run ahead of the last, no part of it stands for all.

    `first_seconds`: from starting the first worker to its first output.
    """

    workers: int
    partitions: int
    backlog: int
    orders_per_second: int
    cpu_us_per_order: float
    redis_us_per_order: float
    memory_mib: int
    memory_growth_mib: int
    first_seconds: float


def settings(most: int, workers: Sequence[int], partitions: Sequence[int]) -> list[Setting]:
    """One thing changes at a time; the backlog grows tenfold until `most`."""
    base = min(20_000, most)
    asked = [Setting(number, 24, base) for number in workers] + [Setting(1, number, base) for number in partitions]
    size = 10_000
    while size < most:
        asked.append(Setting(1, 24, size))
        size *= 10
    return list(dict.fromkeys([*asked, Setting(1, 24, most)]))


def measure(grounds: Grounds, setting: Setting) -> Row:
    """Write the backlog, start the workers, and watch them work it off."""
    with grounds.fresh(setting.partitions) as ground:
        write_backlog(ground, setting.backlog)
        children = [
            worker(f"worker-{number}", "normalize,reserve", ground.folder, ground.environment())
            for number in range(setting.workers)
        ]
        try:
            return _watch(ground, setting, children, Written(ground.kafka, ground.partitions))
        finally:
            for child in children:
                child.stop()


def write_backlog(ground: Ground, size: int) -> None:
    """Orders, as many as asked for; in memory are those that were made, and one batch."""
    producer, orders = PlainProducer(ground.kafka), islice(copied(), size)
    while batch := list(islice(orders, _BATCH)):
        producer.send(batch)
        producer.confirm()


def _watch(ground: Ground, setting: Setting, children: Sequence[Child], outputs: Written) -> Row:
    started = time.time()
    for child in children:
        child.start()
    for child in children:
        child.wait_ready()
    meter = Meter(ground, children)
    count_until(outputs, 1, _FIRST_LOOK_SECONDS)
    first = time.time()
    count_until(outputs, int(setting.backlog * _WARM), _LOOK_SECONDS)
    meter.sample()
    before = max(child.memory[-1] for child in children)
    count_until(outputs, setting.backlog, _LOOK_SECONDS, meter.sample)
    took, cost, orders = time.time() - first, meter.read(), setting.backlog
    own = sum(seconds for name, seconds in cost.cpu.items() if name not in SERVERS)
    most = max(cost.memory.values())
    return Row(
        setting.workers,
        setting.partitions,
        setting.backlog,
        round(orders / took),
        round(own / orders * 1e6, 1),
        round(cost.redis_seconds / orders * 1e6, 1),
        most // MIB,
        (most - before) // MIB,
        round(first - started, 1),
    )


def count_until(outputs: Written, enough: int, pause: float, meanwhile: Callable[[], None] = lambda: None) -> int:
    """Look every so often until so many outputs are written. How many there are then. Raises Stalled."""
    seen, moved = outputs.count(), time.monotonic()
    while seen < enough:
        time.sleep(pause)
        meanwhile()
        before, seen = seen, outputs.count()
        if seen > before:
            moved = time.monotonic()
        elif time.monotonic() - moved > PATIENCE:
            raise Stalled(f"{seen:,} of {enough:,} orders came out, then none for {PATIENCE:g} s")
    return seen


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(
        prog="python -m ops.bench.scaling", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--backlog", type=int, default=100_000, help="the longest; 5,000,000 needs --kafka apache")
    asked.add_argument("--workers", default="1,2", help="how many at once (default: 1,2)")
    asked.add_argument("--partitions", default="4,16,64", help="of every topic (default: 4,16,64)")
    asked.add_argument("--kafka", choices=(EMBEDDED, APACHE), default=EMBEDDED)
    asked.add_argument("--json", type=Path, help="write the figures here")
    options = asked.parse_args()
    workers, partitions = ([int(each) for each in text.split(",")] for text in (options.workers, options.partitions))
    rows = []
    print("workers partitions   backlog orders/s us CPU/order us Redis/order   MiB  grew first s")
    with tempfile.TemporaryDirectory(prefix="orderfleet-scaling-") as folder:
        grounds = Grounds(Path(folder), kafka=options.kafka)
        for setting in settings(options.backlog, workers, partitions):
            row = measure(grounds, setting)
            rows.append(row)
            print(
                f"{row.workers:7} {row.partitions:10} {row.backlog:9,} {row.orders_per_second:8,} "
                f"{row.cpu_us_per_order:12} {row.redis_us_per_order:14} {row.memory_mib:5} {row.memory_growth_mib:5} "
                f"{row.first_seconds:7}",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
