"""The table of stages checks itself."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.topics import (
    INVENTORY_EVENTS,
    ORDERS_NORMALIZED,
    ORDERS_PLANNED,
    ORDERS_RAW,
    ORDERS_ROUTED,
    ORDERS_TAGGED,
    Topic,
)
from workers.runtime.stage import Chained, Every, Stage, chained, every
from workers.runtime.table import BrokenTable, check, durable, groups, resolve, select, to_mermaid


def stage(name: str, reads: Topic | Chained | Every, *writes: Topic) -> Stage[Any]:
    return Stage(name, reads=reads, writes=writes, agent=lambda _: None)


TABLE = (
    stage("normalize", ORDERS_RAW),
    stage("tag", chained(ORDERS_NORMALIZED)),
    stage("route", chained(ORDERS_TAGGED), ORDERS_PLANNED),
    stage("reserve", ORDERS_PLANNED, ORDERS_ROUTED),
    stage("relay", every(1), INVENTORY_EVENTS),
)
LEAVING = (ORDERS_ROUTED, INVENTORY_EVENTS)


def test_a_whole_table_passes() -> None:
    check(TABLE, entering=(ORDERS_RAW,), leaving=LEAVING)


def test_chained_rows_form_one_group_with_the_row_above() -> None:
    assert [[row.name for row in group.stages] for group in groups(TABLE)] == [
        ["normalize", "tag", "route"],
        ["reserve"],
        ["relay"],
    ]


def test_one_changed_row_gives_a_stage_a_topic_of_its_own() -> None:
    rows = (TABLE[0], stage("tag", ORDERS_NORMALIZED), *TABLE[2:])
    check(rows, entering=(ORDERS_RAW,), leaving=LEAVING)
    assert resolve(rows)[0].writes == (ORDERS_NORMALIZED,)
    assert [group.name for group in groups(rows)] == ["normalize", "tag", "reserve", "relay"]


def test_a_durable_table_lets_every_stage_run_alone() -> None:
    rows = durable(TABLE)
    check(rows, entering=(ORDERS_RAW,), leaving=LEAVING)
    assert [group.name for group in groups(rows)] == ["normalize", "tag", "route", "reserve", "relay"]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (TABLE[:3], "route writes orders.planned, which nothing reads"),
        ((*TABLE[:2], *TABLE[3:]), "reserve reads orders.planned, which nothing writes"),
        ((*TABLE, stage("relay", every(2))), "two stages are called relay"),
        (TABLE[1:], "tag is chained, and nothing stands above it"),
        ((*TABLE, stage("late", chained(ORDERS_TAGGED))), "late is chained to relay, which works on a timer"),
        ((*TABLE[:3], stage("reserve", ORDERS_PLANNED), TABLE[4]), "orders.routed.<warehouse> is listed as leaving"),
        ((*TABLE, stage("twice", ORDERS_PLANNED, ORDERS_ROUTED, ORDERS_ROUTED)), "two topics of one model"),
    ],
)
def test_loose_ends_are_named(rows: tuple[Stage[Any], ...], problem: str) -> None:
    with pytest.raises(BrokenTable, match=problem):
        check(rows, entering=(ORDERS_RAW,), leaving=LEAVING)


def test_stages_are_chosen_by_name() -> None:
    assert [group.name for group in select(TABLE, ["reserve"])] == ["reserve"]
    assert [group.name for group in select(TABLE, [])] == ["normalize", "reserve", "relay"]
    assert [group.name for group in select(TABLE, ["normalize"])] == ["normalize"]


def test_an_unknown_stage_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BrokenTable, match="no such stage: rout; there are normalize, tag"):
        select(TABLE, ["rout"])


def test_a_part_of_a_chain_is_refused_with_a_way_out() -> None:
    with pytest.raises(BrokenTable, match="--durable"):
        select(TABLE, ["tag"])


def test_the_drawing_shows_every_stage_and_topic() -> None:
    drawing = to_mermaid(TABLE)
    assert "normalize ==> tag" in drawing
    assert "reserve --> orders_routed" in drawing
    assert 'relay_timer(("every 1 s")) --> relay' in drawing
