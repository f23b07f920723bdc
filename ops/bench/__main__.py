"""Measure the fleet beside a bare loop, Quix Streams and plain Faust, on the same work, in turns. `make bench`

  python -m ops.bench                            everything: two hours or so on two cores
  python -m ops.bench --quick                    a few hundred orders: does it run, and do all say the same?
  python -m ops.bench --only orderfleet,bare-loop --repeats 5
  python -m ops.bench --kafka apache             Apache Kafka instead of the embedded broker

Every run has a new broker, a new Redis and a warm-up. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from ops.bench import printing, results
from ops.bench.chart import speed_chart
from ops.bench.contenders import ONE_PROCESS, Contender, available, chosen
from ops.bench.ground import APACHE, EMBEDDED, Grounds
from ops.bench.orders import Pool, mean_bytes
from ops.bench.runs import Latency, Throughput, fed_orders, latency, sustained, throughput
from ops.bench.seller import SKUS, WAREHOUSES
from workers.runtime.kafka.records import Record


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    contenders: Sequence[Contender]
    orders: int
    warmup: int
    repeats: int
    loads: Sequence[float]
    latency_seconds: float
    partitions: int
    kafka: str


QUICK = {"orders": 400, "warmup": 100, "repeats": 1, "loads": "", "partitions": 4}


def measure(plan: Plan, folder: Path) -> dict[str, Any]:
    """Run everything, contenders in turns. The report."""
    pool = Pool()
    warmup, work = pool.first(plan.warmup), pool.first(plan.warmup + plan.orders)[plan.warmup :]
    grounds = Grounds(folder, kafka=plan.kafka, partitions=plan.partitions)
    runs = list(_in_turns(plan, grounds, warmup, work))
    contenders = results.summary(plan.contenders, runs)
    late = list(_latencies(plan, grounds, pool, contenders))
    return {
        "machine": results.machine(),
        "kafka": plan.kafka,
        "work": {
            "orders": plan.orders,
            "mean_bytes": round(mean_bytes(work)),
            "skus": SKUS,
            "warehouses": len(WAREHOUSES),
            "partitions": plan.partitions,
            "repeats": plan.repeats,
        },
        "contenders": contenders,
        "ratios": results.ratios(contenders, ONE_PROCESS),
        "latency": results.latencies(late),
        "agreement": results.agreement(runs),
    }


def _in_turns(plan: Plan, grounds: Grounds, warmup: Sequence[Record], work: Sequence[Record]) -> Iterator[Throughput]:
    for number, contender in product(range(plan.repeats), plan.contenders):
        run = throughput(grounds, contender, warmup, work)
        _tell(f"{_turn(plan, number)} {contender.title}: {run.rate:,.0f} orders/s")
        yield run


def _latencies(plan: Plan, grounds: Grounds, pool: Pool, contenders: dict[str, Any]) -> Iterator[Latency]:
    """At shares of what each contender itself can do while it is fed: feeding takes its part of the machine, too."""
    warmup = pool.first(plan.warmup)
    able = _able(plan, grounds, pool, contenders) if plan.loads else {}
    for number, contender, load in product(range(plan.repeats), plan.contenders, plan.loads):
        rate = load * able[contender.name]
        run = latency(grounds, contender, warmup, _due(plan, pool, rate), load, rate)
        _tell(f"{_turn(plan, number)} {contender.title} at {load:.0%}: p50 {run.p50:.0f} ms, p99 {run.p99:.0f} ms")
        yield run


def _able(plan: Plan, grounds: Grounds, pool: Pool, contenders: dict[str, Any]) -> dict[str, float]:
    """Orders a second that come out of each while it is fed more than it can do, the median of its runs."""
    warmup = pool.first(plan.warmup)
    rates: dict[str, list[float]] = {}
    for number, contender in product(range(plan.repeats), plan.contenders):
        backlog = contenders[contender.name]["orders_per_second"]
        rate = sustained(grounds, contender, warmup, _due(plan, pool, backlog), backlog)
        _tell(f"{_turn(plan, number)} {contender.title}: {rate:,.0f} orders/s while it is fed")
        rates.setdefault(contender.name, []).append(rate)
    able = {name: median(each) for name, each in rates.items()}
    for name, rate in able.items():
        contenders[name]["orders_per_second_fed"] = round(rate)
    return able


def _turn(plan: Plan, number: int) -> str:
    return f"{number + 1}/{plan.repeats}"


def _due(plan: Plan, pool: Pool, rate: float) -> Sequence[Record]:
    """What is fed in one run."""
    return pool.first(plan.warmup + fed_orders(rate, plan.latency_seconds))[plan.warmup :]


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def plan_of(arguments: Sequence[str]) -> tuple[Plan, argparse.Namespace]:
    """Read the command line."""
    asked = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--orders", type=int, default=40_000, help="in each backlog (default: 40,000)")
    asked.add_argument("--warmup", type=int, default=2_000, help="orders before each measurement (default: 2,000)")
    asked.add_argument("--repeats", type=int, default=5, help="runs of each contender (default: 5)")
    asked.add_argument(
        "--loads", default="25,50,80", help="percent of what it can do while fed, for latency; empty: none"
    )
    asked.add_argument("--latency-seconds", type=float, default=15.0, help="of feeding that count (default: 15)")
    asked.add_argument("--partitions", type=int, default=8, help="of every topic (default: 8)")
    asked.add_argument("--only", default="", help="contenders by name, comma separated (default: all there are)")
    asked.add_argument("--kafka", choices=(EMBEDDED, APACHE), default=EMBEDDED)
    asked.add_argument("--quick", action="store_true", help="a small run that only shows that all is well")
    asked.add_argument("--json", type=Path, help="write the report here")
    asked.add_argument("--chart", type=Path, help="write the chart (SVG) here")
    options = asked.parse_args(arguments)
    if options.quick:
        vars(options).update(QUICK)
    names = [name for name in options.only.split(",") if name]
    plan = Plan(
        contenders=chosen(names) if names else available(_tell),
        orders=options.orders,
        warmup=options.warmup,
        repeats=options.repeats,
        loads=[int(load) / 100 for load in options.loads.split(",") if load],
        latency_seconds=options.latency_seconds,
        partitions=options.partitions,
        kafka=options.kafka,
    )
    return plan, options


def main(arguments: Sequence[str]) -> int:
    """The command. 1 when the contenders do not agree."""
    plan, options = plan_of(arguments)
    with tempfile.TemporaryDirectory(prefix="orderfleet-bench-") as folder:
        report = measure(plan, Path(folder))
    printing.print_report(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if options.chart:
        options.chart.write_text(speed_chart(report["contenders"], report["machine"]["cores"]), encoding="utf-8")
    return 0 if report["agreement"]["equal"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
