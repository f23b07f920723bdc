"""Each pure step of an order's way, over 200 orders at a time: divide by 200 for one."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from channel_adapters.parsing import read_order
from channel_adapters.registry import CHANNELS
from channel_adapters.shop import Shop
from ops.bench.micro.conftest import Stations
from ops.bench.orders import PLACED_AT
from schemas.order import Order
from schemas.plan import PlannedOrder, TaggedOrder
from schemas.record import decode, encode
from workers.inventory.operations.claim import Claim, ClaimOutcome
from workers.inventory.operations.reserve import ReserveOutcome
from workers.inventory.records import Answer
from workers.reserve.decide import reservation_workflow
from workers.reserve.result import events_of
from workers.route.decide import decide as route
from workers.tag.decide import decide as tag


@pytest.mark.parametrize("channel", CHANNELS)
def test_reading_a_platform_order(benchmark: BenchmarkFixture, stations: Stations, channel: str) -> None:
    adapter = CHANNELS[channel].adapter
    mine = [each.value for each in stations.raw if each.topic.endswith(channel)]
    benchmark.extra_info["orders"] = len(mine)
    assert benchmark(lambda: [read_order(adapter, payload, Shop("bench")) for payload in mine])


def test_tagging(benchmark: BenchmarkFixture, stations: Stations) -> None:
    book = stations.book
    assert benchmark(lambda: [tag(order, book.catalogue, book.ruleset.tagging) for order in stations.orders])


def test_routing(benchmark: BenchmarkFixture, stations: Stations) -> None:
    assert benchmark(lambda: [route(each, stations.book.ruleset, PLACED_AT) for each in stations.tagged])


def test_the_course_of_a_reservation(benchmark: BenchmarkFixture, stations: Stations) -> None:
    assert benchmark(lambda: [_reserved(each) for each in stations.planned])


def _reserved(planned: PlannedOrder) -> Any:
    steps = reservation_workflow(planned, Claim(ClaimOutcome.CLAIMED, 1), {}, 1800)
    try:
        next(steps)
        steps.send([Answer(ReserveOutcome.RESERVED)])
    except StopIteration as stop:
        return events_of(planned, stop.value.result)
    raise AssertionError("an order in stock is placed in one step")


@pytest.mark.parametrize("model", [Order, TaggedOrder, PlannedOrder], ids=lambda model: model.__name__)
def test_encoding_a_hand_over(benchmark: BenchmarkFixture, stations: Stations, model: type[Any]) -> None:
    values = _of(stations, model)
    assert benchmark(lambda: [encode(value) for value in values])


@pytest.mark.parametrize("model", [Order, TaggedOrder, PlannedOrder], ids=lambda model: model.__name__)
def test_decoding_a_hand_over(benchmark: BenchmarkFixture, stations: Stations, model: type[Any]) -> None:
    payloads = [encode(value) for value in _of(stations, model)]
    assert benchmark(lambda: [decode(model, payload) for payload in payloads])


def _of(stations: Stations, model: type[Any]) -> Any:
    return {Order: stations.orders, TaggedOrder: stations.tagged, PlannedOrder: stations.planned}[model]
