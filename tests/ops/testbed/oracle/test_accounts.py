"""The books say where an order is from the topics alone, and call a wrong run wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations

import pytest

from ops.testbed.oracle.accounts import Books, Expected, judge
from schemas.codes import PlanReason
from schemas.fulfillment import FulfillmentInstruction, InstructionKind
from schemas.inventory import InventoryEvent, InventoryEventKind, StockChange
from schemas.plan import Disposition, PlannedOrder, RoutingPlan
from schemas.record import encode
from tests.builders import a_line, a_ship_to, a_wms_event, an_order
from workers.reserve.result import Instruction, Result, events_of

ORDER = replace(an_order(), revision="r1")
UID = ORDER.uid


def planned(disposition: Disposition = Disposition.RESERVE, revision: str = "r1") -> PlannedOrder:
    plan = RoutingPlan(disposition=disposition, ruleset="r@1", explanation=PlanReason.NO_RULE())
    return PlannedOrder(order=replace(ORDER, revision=revision), plan=plan)


def told(
    warehouse: str,
    kind: InstructionKind = InstructionKind.FULFIL,
    revision: str = "r1",
    parcel: int = 1,
    parcels: int = 1,
) -> FulfillmentInstruction:
    ordered = Result(told=(Instruction(warehouse_id=warehouse, kind=kind, parcel=parcel, parcels=parcels),))
    [event] = events_of(planned(revision=revision), ordered)
    assert isinstance(event, FulfillmentInstruction)
    return event


def stock(kind: InventoryEventKind, sequence: int = 1, revision: str = "r1", fence: int = 0) -> InventoryEvent:
    return InventoryEvent(
        event_id=f"hangzhou/{sequence}",
        sequence=sequence,
        warehouse_id="hangzhou",
        kind=kind,
        at=datetime(2026, 11, 11, tzinfo=UTC),
        changes=(),
        order_uid=UID,
        revision=revision,
        fence=fence,
    )


def books(*messages: PlannedOrder | FulfillmentInstruction | InventoryEvent) -> Books:
    kept = Books()
    for message in messages:
        match message:
            case PlannedOrder():
                kept.add("orders.planned", UID, message.order.revision, encode(message))
            case FulfillmentInstruction():
                topic = f"orders.routed.{message.warehouse_id}"
                kept.add(topic, UID, message.instruction_id, encode(message))
            case InventoryEvent():
                kept.add("inventory.events", message.warehouse_id, message.event_id, encode(message))
    return kept


@pytest.mark.parametrize(
    ("messages", "place"),
    [
        ((planned(), told("hangzhou")), "routed"),
        ((planned(), stock(InventoryEventKind.HELD)), "held"),
        ((planned(), stock(InventoryEventKind.HELD), stock(InventoryEventKind.EXPIRED, 2)), "expired"),
        ((planned(Disposition.REVIEW),), "review"),
        ((planned(Disposition.DEFER),), "deferred"),
        ((planned(Disposition.DEFER), planned(revision="r1+001"), told("hangzhou", revision="r1+001")), "routed"),
        ((planned(revision="r1+001"), told("hangzhou", revision="r1+001"), planned(Disposition.DEFER)), "routed"),
        ((planned(), told("hangzhou"), planned(Disposition.RELEASE, "r2")), "released"),
        ((planned(Disposition.RELEASE, "r2"), planned()), "released"),
        ((planned(),), "lost"),
    ],
)
def test_an_orders_place_follows_from_its_newest_revision(
    messages: tuple[PlannedOrder | FulfillmentInstruction | InventoryEvent, ...], place: str
) -> None:
    assert books(*messages).accounts[UID].place() == place


def test_which_of_two_warehouses_moved_stock_last_is_known_by_the_fence_in_whatever_order_it_is_read() -> None:
    first = replace(stock(InventoryEventKind.EXPIRED, 1, fence=1), event_id="guangzhou/1", warehouse_id="guangzhou")
    noted = replace(stock(InventoryEventKind.NOTED, 2, fence=3), event_id="guangzhou/2", warehouse_id="guangzhou")
    again = stock(InventoryEventKind.HELD, 1, fence=2)
    assert books(planned(), again, first, noted).accounts[UID].place() == "held"
    over = stock(InventoryEventKind.EXPIRED, 2, fence=2)
    assert books(planned(), again, over, first, noted).accounts[UID].place() == "expired"


@pytest.mark.parametrize("revision", ["r1+001", "r2"])
def test_an_order_planned_again_while_its_warehouse_ships_it_is_routed_only_if_nothing_changes(revision: str) -> None:
    again = planned(revision=revision)
    same = stock(InventoryEventKind.CHANGED, 1, revision=revision)
    assert books(planned(), told("hangzhou"), again, same).accounts[UID].place() == "routed"
    moved = replace(same, changes=(StockChange(sku="TEE-1", committed=1),))
    assert books(planned(), told("hangzhou"), again, moved).accounts[UID].place() == "held"
    for change in ({"lines": (a_line(quantity=2),)}, {"seller_memo": "gift"}, {"ship_to": a_ship_to(city="宁波市")}):
        other = replace(again, order=replace(again.order, **change))
        assert books(planned(), told("hangzhou"), other, same).accounts[UID].place() == "held", "it must be told"


def test_the_parcels_of_a_split_together_say_what_is_wanted() -> None:
    lines = (a_line(), a_line("TEA-80", line_id="2"))
    both = replace(planned(), order=replace(ORDER, lines=lines))
    parcels = [
        Instruction(warehouse_id=where, kind=InstructionKind.FULFIL, parcel=number, parcels=2, line_ids=(str(number),))
        for number, where in enumerate(("hangzhou", "beijing"), start=1)
    ]
    first, second = events_of(both, Result(told=tuple(parcels)))
    assert isinstance(first, FulfillmentInstruction)
    assert isinstance(second, FulfillmentInstruction)
    again = replace(both, order=replace(both.order, revision="r2"))
    same = stock(InventoryEventKind.CHANGED, 1, revision="r2")
    assert books(both, first, second, again, same).accounts[UID].place() == "routed"
    assert books(both, first, again, same).accounts[UID].place() == "held", "the other line was told to nobody"


def test_an_order_whose_missing_line_is_wanted_no_more_has_left() -> None:
    tea = a_line("TEA-80", line_id="2")
    whole = planned()
    both = replace(whole, order=replace(ORDER, lines=(a_line(), tea)))
    [parcel] = events_of(both, Result(told=(Instruction(warehouse_id="hangzhou", kind=InstructionKind.FULFIL),)))
    assert isinstance(parcel, FulfillmentInstruction)
    refunded = replace(tea, quantity=0)
    after = replace(both, order=replace(both.order, lines=(a_line(), refunded), revision="r2"))
    kept = books(both, parcel, after)
    kept.add("wms.events", UID, "1", encode(a_wms_event(parcel, "shipped", quantities={a_line().sku: 1})))
    assert kept.accounts[UID].place() == "lost", "it waits for the warehouse"
    kept.add("wms.events", UID, "2", encode(a_wms_event(parcel, "short", reason="damaged", quantities={tea.sku: 1})))
    assert kept.accounts[UID].place() == "shipped"


def test_a_repeat_is_counted_and_changes_nothing() -> None:
    kept = books(planned(), told("hangzhou"), told("hangzhou"))
    assert (kept.repeats, kept.routed["hangzhou"]) == (1, 1)


def test_an_order_at_two_warehouses_is_double_unless_it_was_taken_back() -> None:
    truth = [Expected(UID, "paid", ("routed",), {})]
    assert judge(books(planned(), told("hangzhou"), told("beijing")), truth).doubled == [UID]
    moved = books(planned(), told("hangzhou"), told("beijing"), told("hangzhou", InstructionKind.CANCEL, "r2"))
    assert judge(moved, truth).clean


def test_warehouses_share_an_order_by_different_parcels_of_one_split_in_whatever_order_that_is_read() -> None:
    before, given_back = told("hangzhou"), a_wms_event(told("hangzhou"), "short")
    split = [told("beijing", revision="r2", parcel=1, parcels=2), told("wuhan", revision="r2", parcel=2, parcels=2)]
    for messages in permutations((before, *split)):
        kept = books(planned(), *messages)
        assert kept.accounts[UID].doubled, "hangzhou was not told to stop"
        kept.add("wms.events", UID, "1", encode(given_back))
        assert not kept.accounts[UID].doubled
    twice = books(planned(), split[0], told("wuhan", revision="r2", parcel=1, parcels=2))
    assert twice.accounts[UID].doubled, "the same parcel at both"


def test_an_order_of_which_a_part_has_left_is_with_the_person_who_sees_to_the_rest() -> None:
    parcel, newer = told("hangzhou"), planned(revision="r2")
    kept = books(planned(), parcel, newer)
    kept.add("wms.events", UID, "1", encode(a_wms_event(parcel, "short", reason="damaged")))
    assert kept.accounts[UID].place() == "lost"
    [review] = events_of(newer, Result(partly_shipped=True, missing={"A": 1}))
    kept.add("orders.review", UID, "r2", encode(review))
    assert kept.accounts[UID].place() == "wms-review"


def test_a_run_that_lost_misplaced_or_invented_an_order_is_not_clean() -> None:
    here = books(planned(Disposition.REVIEW))
    assert judge(here, [Expected("taobao:tb:9", "paid", ("routed",), {}), Expected(UID, "x", ("review",), {})]).lost
    assert judge(here, [Expected(UID, "paid", ("routed",), {})]).misplaced == [f"{UID}: paid: review"]
    assert judge(here, []).unknown == [UID]


def test_a_gap_in_a_warehouses_events_is_seen() -> None:
    assert books(stock(InventoryEventKind.HELD, 1), stock(InventoryEventKind.EXPIRED, 3)).missing_events() == 1
