"""Capacity follows from the figures of a report."""

from __future__ import annotations

from ops.bench.capacity import BEGIN, END, PAGE, Costs, need, tables

REPORT = {
    "machine": {"cores": 2, "python": "3.11.7"},
    "kafka": "embedded",
    "work": {"mean_bytes": 4000},
    "contenders": {
        "orderfleet": {
            "cpu_us_per_order": 120.0,
            "cpu_seconds_per_1000": {"all stages": 0.12, "broker": 0.03, "redis": 0.06},
        }
    },
}


def test_each_part_is_at_most_sixty_percent_busy() -> None:
    needed = need(Costs.of(REPORT), 10_000)
    assert needed.workers == 2  # 1.2 cores of work
    assert needed.redis_shards == 1
    assert needed.partitions == 24


def test_ten_times_the_orders_need_ten_times_the_workers_and_partitions_for_all_of_them() -> None:
    needed = need(Costs.of(REPORT), 583_000)
    assert needed.workers == 117
    assert needed.partitions >= 2 * needed.workers
    assert needed.partitions % 12 == 0


def test_the_tables_have_a_row_for_every_rate() -> None:
    assert [line.split("|")[1].strip() for line in tables(REPORT).splitlines()[-4:]] == [
        "1,000",
        "10,000",
        "100,000",
        "583,000",
    ]


def test_the_page_has_a_place_for_the_tables() -> None:
    page = PAGE.read_text("utf-8")
    assert page.index(BEGIN) < page.index(END)
