"""The proof goes red: for an order that holds too much, for events that do not add up, for a promise below zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from ops.testbed.local_stack.redis_server import RedisServer
from ops.testbed.oracle.accounts import Expected
from ops.testbed.torture.proof import Stock, changed_keys, misheld
from ops.testbed.torture.replay import Replay
from ops.testbed.torture.watch import StockWatch
from schemas.inventory import InventoryEvent, InventoryEventKind, StockChange
from tests.kafka import wait_until
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count, Reservation, ReservationState, StockLevel

UID = "taobao:shop:1"
PAID = Expected(UID, "paid-at-once", ("routed", "backordered"), {"MUG-350": 2})


def reservation(warehouse: str, units: int, state: str = ReservationState.COMMITTED, stop: str = "") -> Reservation:
    return Reservation(
        warehouse_id=warehouse,
        order_uid=UID,
        revision="r1",
        fence=1,
        state=state,
        stop=stop,
        quantities={"MUG-350": units},
    )


def event(sequence: int, **change: int) -> InventoryEvent:
    return InventoryEvent(
        event_id=f"hangzhou/{sequence}",
        sequence=sequence,
        warehouse_id="hangzhou",
        kind=InventoryEventKind.CHANGED,
        at=datetime(2026, 11, 11, tzinfo=UTC),
        changes=(StockChange(sku="MUG-350", **change),),
        order_uid=UID,
    )


def level(**counters: int) -> StockLevel:
    return StockLevel(warehouse_id="hangzhou", sku="MUG-350", **counters)


@pytest.mark.parametrize(
    ("place", "reservations", "right"),
    [
        ("routed", [reservation("hangzhou", 2)], True),
        ("routed", [reservation("hangzhou", 1), reservation("beijing", 1)], True),
        ("routed", [reservation("hangzhou", 2), reservation("beijing", 2, ReservationState.RELEASED)], True),
        ("routed", [reservation("hangzhou", 2), reservation("beijing", 2)], False),
        ("routed", [reservation("hangzhou", 1)], False),
        ("routed", [], False),
        ("backordered", [], True),
        ("backordered", [reservation("hangzhou", 2)], False),
        ("review", [reservation("hangzhou", 2)], True),
    ],
)
def test_an_order_holds_what_its_buyer_is_to_get_and_no_more(
    place: str, reservations: list[Reservation], right: bool
) -> None:
    assert (misheld([PAID], {UID: place}, reservations) == []) is right


def test_units_that_wait_for_a_warehouse_when_all_have_answered_are_found() -> None:
    assert misheld([PAID], {UID: "released"}, [reservation("hangzhou", 2, stop="release")])


def test_what_has_left_is_held_no_more() -> None:
    left, rest = {UID: {"MUG-350": 1}}, [reservation("beijing", 1)]
    assert misheld([PAID], {UID: "routed"}, rest, left) == []
    assert misheld([PAID], {UID: "routed"}, [reservation("beijing", 2)], left)
    assert misheld([PAID], {UID: "shipped"}, [], {UID: {"MUG-350": 2}}) == []
    assert misheld([PAID], {UID: "shipped"}, rest, {UID: {"MUG-350": 2}})


def test_a_backordered_order_keeps_what_a_warehouse_is_told_to_ship() -> None:
    one, told = [reservation("hangzhou", 1)], {UID: {"MUG-350": 1}}
    assert misheld([PAID], {UID: "backordered"}, one, told=told) == []
    assert misheld([PAID], {UID: "backordered"}, [], told=told)
    assert misheld([PAID], {UID: "backordered"}, [reservation("hangzhou", 2)], told=told)
    assert misheld([PAID], {UID: "backordered"}, [], {UID: {"MUG-350": 1}}, told) == []


def test_events_in_any_order_with_repeats_add_up_to_the_counters() -> None:
    replay = Replay()
    for one in (event(3, held=-2, committed=2), event(1, on_hand=5), event(2, held=2), event(2, held=2)):
        replay.add(one)
    assert replay.differences([level(on_hand=5, committed=2)]) == []
    assert (replay.missing(), replay.torn, replay.below_zero) == ([], [], {})


def test_a_counter_that_no_event_tells_of_is_found() -> None:
    replay = Replay()
    replay.add(event(1, on_hand=5))
    assert replay.differences([level(on_hand=5, held=1)]) == ["hangzhou/MUG-350: held is 1, its events add up to 0"]


def test_a_promise_below_zero_is_found_though_it_was_gone_at_the_end() -> None:
    replay = Replay()
    for one in (event(1, on_hand=1), event(2, committed=2), event(3, committed=-2)):
        replay.add(one)
    assert replay.below_zero == {"hangzhou/MUG-350": -1}


def test_a_unit_that_was_promised_and_is_broken_is_revealed_and_no_later_promise_is_excused_by_it() -> None:
    replay = Replay()
    broken = replace(event(3, on_hand=-1), kind=InventoryEventKind.LOST)
    for one in (event(1, on_hand=1), event(2, committed=1), broken):
        replay.add(one)
    assert (replay.below_zero, replay.revealed["hangzhou/MUG-350"]) == ({}, 1)
    replay.add(event(4, committed=1))
    assert replay.below_zero == {"hangzhou/MUG-350": -2}


def test_a_lost_event_is_found() -> None:
    replay = Replay()
    for one in (event(1, on_hand=1), event(3, committed=1)):
        replay.add(one)
    assert replay.missing() == ["hangzhou/2"]


def test_a_repeat_that_says_something_else_is_found() -> None:
    replay = Replay()
    for one in (event(1, on_hand=1), replace(event(1, on_hand=1), revision="r2")):
        replay.add(one)
    assert replay.torn == ["hangzhou/1"]


def test_a_rebuild_that_brings_back_something_else_is_found() -> None:
    before = {"stock:{hangzhou}:A": b"9", "stock:{hangzhou}:B": b"1", "sequence:{hangzhou}": b"4"}
    after = {"stock:{hangzhou}:A": b"9", "stock:{hangzhou}:B": b"2", "moved:{hangzhou}:B": b"1"}
    assert changed_keys(before, before) == []
    assert changed_keys(before, after) == [
        "moved:{hangzhou}:B was nothing, came back as 1",
        "sequence:{hangzhou} was 4, came back as nothing",
        "stock:{hangzhou}:B was 1, came back as 2",
    ]


def test_an_emptied_redis_has_no_contents_and_no_order_waits_for_its_time(redis_server: RedisServer) -> None:
    stock = Stock(redis_server.url, ["hangzhou"])
    stock.promise({"hangzhou": {"MUG-350": 3}})
    assert stock.contents().keys() >= {"stock:{hangzhou}:MUG-350", "sequence:{hangzhou}", "warehouses"}
    stock.empty()
    assert (stock.contents(), stock.deferred()) == ({}, {})


async def test_the_watch_sees_a_counter_that_is_below_zero_for_a_moment(
    redis: Redis, redis_server: RedisServer
) -> None:
    ledger = Ledger(redis)
    await ledger.stock.set_counts("hangzhou", {"MUG-350": Count(on_hand=3), "LAMP-DESK": Count(on_hand=3)})
    with StockWatch(redis_server.url, [("hangzhou", "MUG-350"), ("hangzhou", "LAMP-DESK")]) as watch:
        wait_until(lambda: watch.looks > 2)
        assert watch.below_zero == {}
        await redis.hincrby("stock:{hangzhou}:MUG-350", "committed", 5)
        wait_until(lambda: bool(watch.below_zero))
        await redis.hincrby("stock:{hangzhou}:MUG-350", "committed", -5)
    assert watch.below_zero == {"hangzhou/MUG-350": -2}


def test_what_a_change_leaves_out_is_held_no_more_when_the_warehouse_has_answered() -> None:
    assert misheld([PAID], {UID: "routed"}, [reservation("hangzhou", 3)])
