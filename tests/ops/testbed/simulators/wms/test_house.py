"""The simulated WMS keeps the contract that it is there to exercise."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from ops.testbed.simulators.wms.fate import CALM, Mishaps, fate, units
from ops.testbed.simulators.wms.house import Houses
from schemas.fulfillment import FulfillmentInstruction, InstructionKind, PickLine, WmsEvent, WmsEventKind
from schemas.record import encode
from tests.builders import a_ship_to, an_order

START = 1_762_833_600.0
KINDS = WmsEventKind


def told(
    kind: str = "fulfil", revision: str = "r1", uid: str = "taobao:shop:1", quantity: int = 3
) -> FulfillmentInstruction:
    order = an_order()
    line = PickLine(line_id="1", sku="NUT", quantity=quantity, title="nuts")
    return FulfillmentInstruction(
        instruction_id=f"{uid}@{revision}/hangzhou/{kind}",
        kind=InstructionKind(kind),
        order_uid=uid,
        revision=revision,
        warehouse_id="hangzhou",
        channel="taobao",
        shop_id="shop",
        platform_order_id=uid.rpartition(":")[2],
        purchased=() if kind == "cancel" else (line,),
        gifts=(),
        ship_to=a_ship_to(),
        placed_at=order.placed_at,
    )  # fmt: skip


def all_said(houses: Houses) -> list[WmsEvent]:
    return list(houses.due(START + 1000))


def kinds(events: list[WmsEvent]) -> list[str]:
    return [event.kind.value for event in events]


def many(mishaps: Mishaps, orders: int = 400) -> list[WmsEvent]:
    houses = Houses(7, mishaps)
    for number in range(orders):
        houses.take(told(uid=f"taobao:shop:{number}"), START + number / 10)
    return all_said(houses)


def test_an_order_is_accepted_picked_and_shipped_whole() -> None:
    houses = Houses(7, CALM)
    houses.take(told(), START)
    events = all_said(houses)
    assert kinds(events) == ["accepted", "picked", "shipped"]
    assert events[2].quantities == {"NUT": 3}
    assert len({event.message_id for event in events}) == 3
    assert [event.at for event in events] == sorted(event.at for event in events)


def test_nothing_is_said_before_it_is_due() -> None:
    houses = Houses(7, CALM)
    houses.take(told(), START)
    assert list(houses.due(START)) == []
    assert houses.waiting == 3


def test_a_repeat_and_an_older_revision_are_dropped() -> None:
    houses = Houses(7, CALM)
    for revision in ("r2", "r2", "r1"):
        houses.take(told(revision=revision), START)
    assert len(all_said(houses)) == 3


def test_a_cancellation_before_the_goods_leave_stops_them() -> None:
    houses = Houses(7, CALM)
    houses.take(told(), START)
    houses.take(told("cancel", "r2"), START + 0.01)
    assert kinds(all_said(houses)) == ["cancelled"]


def test_a_cancellation_after_the_goods_left_is_refused() -> None:
    houses = Houses(7, CALM)
    houses.take(told(), START)
    houses.take(told("cancel", "r2"), START + 60)
    events = all_said(houses)
    assert kinds(events) == ["accepted", "picked", "shipped", "rejected"]
    assert events[-1].instruction_id.endswith("r2/hangzhou/cancel")


def test_an_order_never_heard_of_is_cancelled_all_the_same() -> None:
    houses = Houses(7, CALM)
    houses.take(told("cancel"), START)
    assert kinds(all_said(houses)) == ["cancelled"]


def test_a_change_replaces_what_is_not_packed_and_is_refused_when_it_has_left() -> None:
    for at, expected in (
        (0.01, ["accepted", "picked", "shipped"]),
        (60, ["accepted", "picked", "shipped", "rejected"]),
    ):
        houses = Houses(7, CALM)
        houses.take(told(), START)
        houses.take(told("change", "r2", quantity=1), START + at)
        events = all_said(houses)
        assert kinds(events) == expected
        assert ("r2" in events[2].instruction_id) == (at < 1)


@pytest.mark.parametrize("kind", ["change", "cancel"])
@pytest.mark.parametrize("number", range(4))
def test_in_the_very_millisecond_in_which_goods_leave_they_have_left_or_have_not(kind: str, number: int) -> None:
    uid = f"taobao:shop:{number}"
    alone = Houses(7, CALM)
    alone.take(told(uid=uid), START)
    left_at = all_said(alone)[2].at.timestamp()
    for milliseconds in (-1, 0, 1):
        houses = Houses(7, CALM)
        houses.take(told(uid=uid), START)
        houses.take(told(kind, "r2", uid=uid), round(left_at + milliseconds / 1000, 3))
        counts = Counter(kinds(all_said(houses)))
        assert counts["shipped"] + counts["cancelled"] == 1
        assert counts["rejected"] == (milliseconds >= 0)


def test_a_change_that_is_followed_is_never_rejected() -> None:
    houses = Houses(7, replace(CALM, other=1))
    houses.take(told(), START)
    houses.take(told("change", "r2"), START + 0.01)
    assert kinds(all_said(houses)) == ["accepted", "picked", "shipped"]


def test_what_was_said_to_have_left_stays_so_in_the_next_life() -> None:
    houses = Houses(7, CALM)
    houses.take(told(), START)
    shipped = all_said(houses)[2]
    again = Houses(7, CALM, said={shipped.message_id})
    again.take(told(), START)
    again.take(told("cancel", "r2"), START + 0.01)  # it came late the first time
    events = all_said(again)
    assert sorted(kinds(events)) == ["accepted", "picked", "rejected", "shipped"]
    assert shipped in events


@pytest.mark.parametrize("mishaps", [CALM, Mishaps()])
def test_another_life_says_the_same_bytes(mishaps: Mishaps) -> None:
    assert [encode(event) for event in many(mishaps)] == [encode(event) for event in many(mishaps)]


def test_all_units_are_accounted_for_in_one_or_two_parcels() -> None:
    events = many(replace(CALM, parts=0.5))
    shipped: Counter[str] = Counter()
    for event in events:
        if event.kind is KINDS.SHIPPED:
            shipped[event.order_uid] += sum(event.quantities.values())
    assert set(shipped.values()) == {3}
    assert Counter(kinds(events))["shipped"] > 500


def test_every_mishap_happens() -> None:
    shares = Mishaps(0.05, 0.05, 0.05, 0.05, 0.2, 0.1, 0.1, 0.1)
    events = many(shares)
    said = {(event.kind.value, event.reason) for event in events}
    assert said >= {("short", "not-there"), ("short", "damaged"), ("rejected", "address"), ("rejected", "other")}
    assert len(events) > len({event.message_id for event in events})
    accepted_last = {event.order_uid: event.kind is KINDS.ACCEPTED for event in events}
    assert any(accepted_last.values())


def test_a_parcel_that_was_given_back_ships_nothing_more() -> None:
    for number in range(300):
        instruction = told(uid=f"taobao:shop:{number}")
        acts = fate(instruction, 7, Mishaps(0.1, 0.1, 0.1, 0.1, 0.3, 0.3), 1.0)
        ends = [place for place, act in enumerate(acts) if act.ends]
        assert ends in ([], [len(acts) - 1])
        assert sum(sum(act.quantities.values()) for act in acts if act.kind is KINDS.SHIPPED) <= sum(
            units(instruction).values()
        )
