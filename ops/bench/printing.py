"""The figures as tables in the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table


def print_report(report: dict[str, Any]) -> None:
    """All of it."""
    console = Console()
    work = report["work"]
    console.print(
        f"{work['orders']:,} orders of all six channels, {work['mean_bytes']:,} bytes each, "
        f"{work['skus']:,} SKUs in {work['warehouses']} warehouses; {report['kafka']} Kafka, {work['partitions']} "
        f"partitions a topic; {report['machine']['cores']} cores for everything; median of {work['repeats']}"
    )
    console.print(_speed(report["contenders"]))
    console.print(_cpu(report["contenders"]))
    if report["latency"]:
        console.print(_latency(report["latency"]))
    if report["ratios"]:
        console.print(_ratios(report["ratios"]))
    equal = report["agreement"]["equal"]
    console.print("outputs and counters: equal in all runs" if equal else "outputs and counters DIFFER", style="bold")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def _speed(contenders: dict[str, Any]) -> Table:
    table = _table(
        "Backlog", "contender", "orders/s", "all runs", "while fed", "CPU us/order", "MiB", "Redis calls", "us/call"
    )
    for row in contenders.values():
        table.add_row(
            row["title"],
            f"{row['orders_per_second']:,}",
            " ".join(f"{rate:,}" for rate in row["orders_per_second_all"]),
            f"{row['orders_per_second_fed']:,}" if "orders_per_second_fed" in row else "",
            f"{row['cpu_us_per_order']:,}",
            " ".join(f"{mib:,}" for mib in row["memory_mib"].values()),
            str(row["redis_calls_per_order"]),
            str(row["redis_us_per_call"]),
        )
    return table


def _cpu(contenders: dict[str, Any]) -> Table:
    table = _table("CPU seconds per 1,000 orders", "contender", "process", "seconds")
    for row in contenders.values():
        for name, seconds in row["cpu_seconds_per_1000"].items():
            table.add_row(row["title"], name, f"{seconds:.3f}")
    return table


def _latency(rows: list[dict[str, Any]]) -> Table:
    table = _table(
        "Raw to routed, ms", "contender", "load", "orders/s", "orders", "p50", "p99", "max", "p99 of all runs"
    )
    for row in rows:
        figures = (row["orders_per_second"], row["orders"], row["p50_ms"], row["p99_ms"], row["max_ms"])
        every = " ".join(f"{p99:.0f}" for p99 in row["p99_ms_all"])
        table.add_row(row["contender"], f"{row['load']:.0%}", *(f"{figure:,}" for figure in figures), every)
    return table


def _ratios(ratios: dict[str, Any]) -> Table:
    table = _table("orderfleet in one process, against", "contender", "orders/s", "CPU per order")
    for name, row in ratios.items():
        table.add_row(name, f"{row['orders_per_second']} x", f"{row['cpu']} x")
    return table
