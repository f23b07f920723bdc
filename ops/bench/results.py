"""From runs to figures: medians, cost per 1,000 orders, ratios, and whether all contenders said the same."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, Final

from ops.bench.contenders import Contender
from ops.bench.runs import Latency, Throughput

SERVERS: Final = ("broker", "redis")
MIB: Final = 1 << 20


def machine() -> dict[str, Any]:
    """Where it ran."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform(terse=True)}


def summary(contenders: Iterable[Contender], runs: Sequence[Throughput]) -> dict[str, Any]:
    """By contender: medians over its runs."""
    by_name: dict[str, list[Throughput]] = {}
    for run in runs:
        by_name.setdefault(run.contender, []).append(run)
    return {
        contender.name: {"title": contender.title, **_one(by_name[contender.name])}
        for contender in contenders
        if contender.name in by_name
    }


def _one(runs: Sequence[Throughput]) -> dict[str, Any]:
    cpu = _per_thousand(runs)
    own = {name: seconds for name, seconds in cpu.items() if name not in SERVERS}
    rates = [run.rate for run in runs]
    return {
        "orders_per_second": round(median(rates)),
        "orders_per_second_all": [round(rate) for rate in rates],
        "cpu_seconds_per_1000": {name: round(seconds, 4) for name, seconds in cpu.items()},
        "cpu_us_per_order": round(sum(own.values()) * 1000, 1),
        "cpu_us_per_order_all": [round(_own_cpu(run) / run.orders * 1e6, 1) for run in runs],
        "memory_mib": _peak_memory(runs),
        "redis_calls_per_order": round(median(run.cost.redis_calls / run.orders for run in runs), 2),
        "redis_us_per_call": round(median(run.cost.redis_seconds / run.cost.redis_calls for run in runs) * 1e6, 1),
    }


def _per_thousand(runs: Sequence[Throughput]) -> dict[str, float]:
    """CPU seconds per 1,000 orders by process, servers last."""
    names = sorted(runs[0].cost.cpu, key=lambda name: name in SERVERS)
    return {name: median(run.cost.cpu[name] / run.orders * 1000 for run in runs) for name in names}


def _own_cpu(run: Throughput) -> float:
    return sum(seconds for name, seconds in run.cost.cpu.items() if name not in SERVERS)


def _peak_memory(runs: Sequence[Throughput]) -> dict[str, int]:
    return {name: max(run.cost.memory[name] for run in runs) // MIB for name in runs[0].cost.memory}


def ratios(contenders: Mapping[str, Mapping[str, Any]], ours: str) -> dict[str, dict[str, float]]:
    """What we do of what the others do: orders a second, and CPU an order (theirs by ours: more is better)."""
    if ours not in contenders:
        return {}
    mine = contenders[ours]
    return {
        name: {
            "orders_per_second": round(mine["orders_per_second"] / other["orders_per_second"], 2),
            "cpu": round(other["cpu_us_per_order"] / mine["cpu_us_per_order"], 2),
        }
        for name, other in contenders.items()
        if name != ours
    }


def agreement(runs: Sequence[Throughput]) -> dict[str, Any]:
    """Whether every run told the warehouses the same and left the same counters."""
    return {
        "equal": len({(run.outputs, run.counters) for run in runs}) == 1,
        "by_contender": {run.contender: {"outputs": run.outputs, "counters": run.counters} for run in runs},
    }


def latencies(runs: Sequence[Latency]) -> list[dict[str, Any]]:
    """One row a contender and load, medians of its runs. "max" is the longest of all."""
    by_place: dict[tuple[str, float], list[Latency]] = {}
    for run in runs:
        by_place.setdefault((run.contender, run.load), []).append(run)
    return [
        {
            "contender": name,
            "load": load,
            "orders_per_second": round(each[0].rate),
            "orders": each[0].orders,
            "p50_ms": round(median(run.p50 for run in each), 1),
            "p99_ms": round(median(run.p99 for run in each), 1),
            "p99_ms_all": [round(run.p99, 1) for run in each],
            "max_ms": round(max(run.longest for run in each), 1),
        }
        for (name, load), each in by_place.items()
    ]
