"""How much is needed for how many orders a second, from a benchmark's report: python -m ops.bench.capacity report.json

Prints the tables of ops/docs/capacity.md; with `--write` puts them there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Final

from ops.bench.contenders import ONE_PROCESS

PAGE: Final = Path(__file__).parents[1] / "docs" / "capacity.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
RATES: Final = (1_000, 10_000, 100_000, 583_000)
BUSY: Final = 0.6
"""How busy a core, a shard or a link may be in the worst minute: the rest is for catching up after a fault."""

PLANNED_SHARE: Final = 0.6  # bytes of a planned order, of those of the raw one
ROUTED_SHARE: Final = 0.25
COPIES: Final = 3
_PARTITIONS_PER_WORKER: Final = 2
_FEWEST_PARTITIONS: Final = 24


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one order, all stages: CPU in microseconds, bytes uncompressed."""

    worker_us: float
    redis_us: float
    broker_us: float
    raw_bytes: int

    @classmethod
    def of(cls, report: dict[str, Any]) -> Costs:
        """What a report of `make bench` says of the fleet in one process."""
        ours = report["contenders"][ONE_PROCESS]
        spent = ours["cpu_seconds_per_1000"]
        return cls(
            ours["cpu_us_per_order"], spent["redis"] * 1000, spent["broker"] * 1000, report["work"]["mean_bytes"]
        )

    @property
    def bytes_on_wire(self) -> float:
        """Written once, copied to the other brokers, and read once: raw, planned and routed."""
        return self.raw_bytes * (1 + PLANNED_SHARE + ROUTED_SHARE) * (COPIES + 1)


@dataclass(frozen=True, slots=True)
class Need:
    """For one rate."""

    rate: int
    workers: int  # processes, a core each
    partitions: int  # of every topic of the order path
    redis_shards: int
    broker_cores: int
    gigabit: float


def need(costs: Costs, rate: int) -> Need:
    """What `rate` orders a second take."""
    workers = _units(costs.worker_us, rate)
    partitions = max(_FEWEST_PARTITIONS, ceil(workers * _PARTITIONS_PER_WORKER / 12) * 12)
    return Need(
        rate,
        workers,
        partitions,
        _units(costs.redis_us, rate),
        _units(costs.broker_us, rate),
        round(costs.bytes_on_wire * rate * 8 / 1e9 / BUSY, 2),
    )


def _units(microseconds: float, rate: int) -> int:
    return max(1, ceil(microseconds * rate / 1e6 / BUSY))


def tables(report: dict[str, Any]) -> str:
    """As Markdown."""
    return "\n".join(_lines(report))


def _lines(report: dict[str, Any]) -> Iterator[str]:
    costs, machine = Costs.of(report), report["machine"]
    yield f"Measured on {machine['cores']} cores, {report['kafka']} Kafka, Python {machine['python']}:"
    yield ""
    yield "| one order, all stages | |"
    yield "|---|---|"
    yield f"| worker CPU | {costs.worker_us:.0f} µs |"
    yield f"| Redis CPU | {costs.redis_us:.0f} µs |"
    yield f"| broker CPU | {costs.broker_us:.0f} µs |"
    yield f"| raw bytes | {costs.raw_bytes:,} |"
    yield f"| bytes on the network, {COPIES} copies | {costs.bytes_on_wire:,.0f} |"
    yield ""
    yield "| orders/s | workers = cores | partitions | Redis shards | broker cores | network, Gbit/s |"
    yield "|---:|---:|---:|---:|---:|---:|"
    for rate in RATES:
        row = need(costs, rate)
        yield (
            f"| {row.rate:,} | {row.workers:,} | {row.partitions:,} | {row.redis_shards:,} | {row.broker_cores:,} "
            f"| {row.gigabit:,} |"
        )


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(prog="python -m ops.bench.capacity", description=__doc__)
    asked.add_argument("report", type=Path, help="what `make bench ARGS='--json report.json'` wrote")
    asked.add_argument("--write", action="store_true", help="put the tables into ops/docs/capacity.md")
    options = asked.parse_args()
    figures = tables(json.loads(options.report.read_text("utf-8")))
    if not options.write:
        print(figures)
        return
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{figures}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
