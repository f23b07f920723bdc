"""What becomes of stock and orders when warehouses answer, on a real Redis."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEvent
from schemas.plan import Backorder, Disposition, OnShort, PlannedOrder, ReviewOrder
from schemas.record import encode
from schemas.revision import MOST_OWN_TRIES, retry_of
from tests.builders import a_cancelled_order, a_line, a_wms_event, an_order
from tests.fakes import DyingLedger
from tests.sentences import reason_of
from tests.workers.fulfill.house import BJ, HZ, NUT, TEA, House
from workers.inventory.records import OrderState
from workers.runtime.errors import PermanentError, TransientError
from workers.runtime.metrics import COUNT_WANTED, SHIP_AFTER_RELEASE

R1, R2, R3 = "r1", "r2", "r3"


@pytest.fixture
async def house(redis: Redis) -> House:
    house = House(redis)
    await house.stock(HZ, nut=10, tea=10)
    await house.stock(BJ, nut=10, tea=10)
    return house


async def told(house: House, *warehouses: str, revision: str = R1, **plan: Any) -> FulfillmentInstruction:
    [instruction] = await house.place(an_order(), *(warehouses or (HZ, BJ)), revision=revision, **plan)
    assert isinstance(instruction, FulfillmentInstruction)
    return instruction


def wire(outcomes: list[Any]) -> list[list[bytes]]:
    return [[encode(event) for event in outcome] for outcome in outcomes]


# -- goods on their way


async def test_an_accepted_order_is_allocated_and_a_shipped_one_is_off_on_hand(house: House) -> None:
    instruction = await told(house)
    assert await house.answer(a_wms_event(instruction, "accepted"), a_wms_event(instruction, "picked")) == [(), ()]
    level = await house.level()
    assert (level.committed, level.allocated, level.on_hand) == (0, 1, 10)
    assert await house.answer(a_wms_event(instruction, "shipped")) == [()]
    level = await house.level()
    assert (level.allocated, level.on_hand, level.available_to_promise) == (0, 9, 9)


async def test_shipped_twice_late_and_before_accepted_takes_the_units_off_once(house: House) -> None:
    instruction = await told(house)
    shipped, accepted = a_wms_event(instruction, "shipped"), a_wms_event(instruction, "accepted")
    assert await house.answer(shipped, accepted, shipped) == [(), (), ()]
    assert await house.answer(shipped) == [()]
    assert (await house.level()).on_hand == 9


async def test_two_parcels_ship_what_they_name(house: House) -> None:
    [instruction] = await house.place(an_order(lines=(a_line(quantity=3),)), HZ, revision=R1)
    await house.answer(a_wms_event(instruction, "shipped", "m1", quantities={NUT: 1}))
    level = await house.level()
    assert (level.committed, level.on_hand) == (2, 9)
    await house.answer(a_wms_event(instruction, "shipped", "m2", quantities={NUT: 2}))
    level = await house.level()
    assert (level.committed, level.on_hand) == (0, 7)


# -- answers about more than was told


CANNOT_BE = {
    "more than told": lambda told: a_wms_event(told, "shipped", quantities={NUT: 50}),
    "another SKU": lambda told: a_wms_event(told, "shipped", quantities={NUT: 2, TEA: 1}),
    "short of more than told": lambda told: a_wms_event(told, "short", reason="not-there", quantities={NUT: 3}),
}
NEVER_TOLD = {
    "a revision that was never sent": lambda told: replace(told, instruction_id=told.instruction_id.replace(R1, R2)),
    "a change that was never sent": lambda told: replace(
        told, instruction_id=told.instruction_id.replace("fulfil", "change")
    ),
    "another warehouse": lambda told: replace(
        told, warehouse_id=BJ, instruction_id=told.instruction_id.replace(HZ, BJ)
    ),
}


async def two_told(house: House) -> FulfillmentInstruction:
    [instruction] = await house.place(an_order(lines=(a_line(quantity=2),)), HZ, revision=R1)
    return instruction  # type: ignore[no-any-return]


def refusal_of(outcome: Any) -> str:
    assert isinstance(outcome, PermanentError), outcome
    assert outcome.failures[0].tell("zh") != outcome.failures[0].tell("en")
    return outcome.reason


async def levels(house: House) -> list[tuple[int, int]]:
    found = [await house.level(where, sku) for where in (HZ, BJ) for sku in (NUT, TEA)]
    return [(level.on_hand, level.available_to_promise) for level in found]


@pytest.mark.parametrize("said", CANNOT_BE.values(), ids=CANNOT_BE)
async def test_an_answer_about_more_than_was_told_is_set_aside_and_moves_no_stock(house: House, said: Any) -> None:
    instruction = await two_told(house)
    before = await levels(house)
    [outcome] = await house.answer(said(instruction))
    assert refusal_of(outcome) == "more-than-told"
    assert await levels(house) == before
    assert await house.answer(a_wms_event(instruction, "shipped", "m2", quantities={NUT: 2})) == [()]
    assert (await house.level()).on_hand == 8


@pytest.mark.parametrize("kind", ["shipped", "accepted", "short", "cancelled"])
@pytest.mark.parametrize("altered", NEVER_TOLD.values(), ids=NEVER_TOLD)
async def test_an_answer_to_what_was_never_told_is_set_aside_and_moves_no_stock(
    house: House, altered: Any, kind: str
) -> None:
    instruction = await two_told(house)
    before = await levels(house)
    [outcome] = await house.answer(altered(a_wms_event(instruction, kind, reason="damaged")))
    assert refusal_of(outcome) == "never-told"
    assert await levels(house) == before


@pytest.mark.parametrize("units", [{NUT: 2}, {}], ids=["named", "all"])
async def test_one_parcel_under_two_message_ids_leaves_once(house: House, units: dict[str, int]) -> None:
    instruction = await two_told(house)
    first, second = (a_wms_event(instruction, "shipped", message, quantities=units) for message in ("n1", "n2"))
    taken, refused, again = await house.answer(first, second, first)
    assert (taken, refusal_of(refused), again) == ((), "more-than-told", ())
    assert await levels(house) == [(8, 8), (10, 10), (10, 10), (10, 10)]


async def test_parts_of_an_order_leave_until_all_of_it_has_and_no_more(house: House) -> None:
    instruction = await two_told(house)
    parts = [a_wms_event(instruction, "shipped", f"p{number}", quantities={NUT: 1}) for number in range(3)]
    assert [outcome if outcome == () else refusal_of(outcome) for outcome in await house.answer(*parts)] == [
        (),
        (),
        "more-than-told",
    ]
    assert (await house.level()).on_hand == 8


async def test_what_was_told_before_a_smaller_change_may_leave_after_it_was_accepted(house: House) -> None:
    """A race within the warehouse: the parcel as it was told at first stood packed."""
    first = await two_told(house)
    [change] = await house.place(an_order(), HZ, revision=R2)
    assert await house.answer(a_wms_event(change, "accepted")) == [()]
    assert await house.answer(a_wms_event(first, "shipped", quantities={NUT: 2})) == [()]
    assert (await house.level()).on_hand == 8


async def test_a_parcel_that_left_by_hand_after_the_order_was_given_back_counts_once(house: House) -> None:
    instruction = await two_told(house)
    await house.answer(a_wms_event(await cancelled(house), "cancelled"))
    first, second = (a_wms_event(instruction, "shipped", message, quantities={NUT: 2}) for message in ("n1", "n2"))
    taken, refused = await house.answer(first, second)
    assert (taken, refusal_of(refused)) == ((), "more-than-told")
    assert (await house.level()).on_hand == 8


@pytest.mark.parametrize(("limit", "left"), [(9, 0), (8, 0), (7, 9), (0, 9)])
async def test_a_fuller_shelf_than_the_limit_is_not_written_off_by_one_missing_unit(
    house: House, limit: int, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Ten are there, two are the order's, one of them is missing: eight more would be promised no more."""
    instruction = await two_told(house)
    before = COUNT_WANTED.labels(HZ)._value.get()
    event = a_wms_event(instruction, "short", reason="not-there", quantities={NUT: 1})
    [[again]] = await house.answer(event, short_limit=limit)
    assert isinstance(again, PlannedOrder)
    await house.answer(event, short_limit=limit)
    level = await house.level()
    assert level.on_hand == (left or 1)  # the order's other unit is not written off
    assert COUNT_WANTED.labels(HZ)._value.get() == before + (left > 0)
    assert ("did not find units of NUT-BOX-500, of which 8 more" in caplog.text) is (left > 0)


# -- orders that come back


@pytest.mark.parametrize(
    ("kind", "fields", "left"),
    [
        ("short", {"reason": "not-there"}, 0),  # nothing of it is promised until it is counted again
        ("short", {"reason": "damaged"}, 9),
        ("short", {"reason": "other"}, 10),
        ("rejected", {"reason": "not-there"}, 0),
        ("rejected", {"reason": "damaged"}, 9),
        ("rejected", {"reason": "other"}, 10),
        ("cancelled", {}, 10),
    ],
)
async def test_what_one_warehouse_gives_back_another_ships(
    house: House, kind: str, fields: dict[str, str], left: int
) -> None:
    given_back = a_wms_event(await told(house), kind, **fields)
    [[again]] = await house.answer(given_back)
    assert isinstance(again, PlannedOrder)
    assert (again.order.revision, again.plan.gave_up) == (retry_of(R1), (HZ,))
    assert "hangzhou gave the order back" in reason_of(again)
    [instruction] = await house.reserve(again)
    assert (instruction.kind, instruction.warehouse_id) == (InstructionKind.FULFIL, BJ)
    level = await house.level()
    assert (level.committed, level.allocated, level.on_hand) == (0, 0, left)
    assert (await house.level(BJ)).committed == 1


async def test_a_repeat_says_the_same_bytes_until_the_order_has_moved_on(house: House) -> None:
    for kind, reason in (("short", "not-there"), ("rejected", "other")):
        instruction = await told(house, revision=f"{kind}-1")
        event = a_wms_event(instruction, kind, reason=reason)
        first = await house.answer(event)
        assert wire(await house.answer(event, event)) == wire([first[0], first[0]])
        await house.reserve(first[0][0])
        assert await house.answer(event) == [()]
        house = await _emptied(house)


async def _emptied(house: House) -> House:
    await house.ledger._redis.flushall()
    fresh = House(house.ledger._redis)
    await fresh.stock(HZ, nut=10, tea=10)
    await fresh.stock(BJ, nut=10, tea=10)
    return fresh


async def test_one_message_per_missing_sku_counts_each_and_places_the_order_anew_once(house: House) -> None:
    order = an_order(lines=(a_line(), a_line(TEA, line_id="2")))
    [instruction] = await house.place(order, HZ, BJ, revision=R1)
    nut = a_wms_event(instruction, "short", "m1", reason="not-there", quantities={NUT: 1})
    tea = a_wms_event(instruction, "short", "m2", reason="not-there", quantities={TEA: 1})
    outcomes = await house.answer(nut, tea)
    assert wire(outcomes)[0] == wire(outcomes)[1]
    assert [(await house.level(sku=sku)).on_hand for sku in (NUT, TEA)] == [0, 0]


async def test_nothing_left_to_try_is_backordered(house: House) -> None:
    [[again]] = await house.answer(a_wms_event(await told(house, HZ), "short", reason="not-there"))
    [event] = await house.reserve(again)
    assert isinstance(event, Backorder)
    assert (await house.level()).committed == 0


async def test_after_nine_returns_a_person_decides(house: House) -> None:
    instruction = await told(house, revision="r1+009", returns=9)
    [[again, review]] = await house.answer(a_wms_event(instruction, "rejected", reason="other"))
    assert isinstance(review, ReviewOrder)
    assert (again.plan.disposition, again.plan.hold_codes) == (Disposition.REVIEW, ("wms-gave-up",))
    assert "9 times" in reason_of(again)
    assert await house.reserve(again) == []  # the warehouse knows already
    assert (await house.level()).committed == 1


async def test_an_order_that_waited_long_for_stock_is_placed_anew_when_a_warehouse_gives_it_back(house: House) -> None:
    instruction = await told(house, revision="r1+040")
    [[again]] = await house.answer(a_wms_event(instruction, "rejected", reason="other"))
    assert (again.plan.disposition, again.plan.returns) == (Disposition.RESERVE, 1)
    [instruction] = await house.reserve(again)
    assert instruction.warehouse_id == BJ


async def test_when_no_try_is_left_a_person_decides_all_the_same(house: House) -> None:
    instruction = await told(house, revision=f"r1+{MOST_OWN_TRIES}")
    [[review]] = await house.answer(a_wms_event(instruction, "rejected", reason="other"))
    assert isinstance(review, ReviewOrder)
    assert review.planned.plan.hold_codes == ("wms-gave-up",)


async def test_what_has_left_in_part_is_not_shipped_again_by_itself(house: House) -> None:
    [instruction] = await house.place(an_order(lines=(a_line(quantity=3),)), HZ, BJ, revision=R1)
    await house.answer(a_wms_event(instruction, "shipped", "m1", quantities={NUT: 1}))
    [[again, _]] = await house.answer(a_wms_event(instruction, "short", "m2", reason="damaged"))
    assert (again.plan.disposition, again.plan.hold_codes) == (Disposition.REVIEW, ("wms-partly-shipped",))
    await house.reserve(again)
    assert (await house.level(BJ)).committed == 0


async def test_a_bad_address_waits_for_a_person_with_its_stock(house: House) -> None:
    instruction = await told(house)
    [[again, review]] = await house.answer(a_wms_event(instruction, "rejected", reason="address"))
    assert (again.plan.disposition, again.plan.hold_codes) == (Disposition.REVIEW, ("wms-address",))
    assert review.planned == again
    assert await house.reserve(again) == []
    assert (await house.level()).committed == 1
    [instruction] = await house.place(an_order(), HZ, BJ, revision=R2)  # corrected
    assert (instruction.kind, instruction.warehouse_id) == (InstructionKind.FULFIL, HZ)


# -- cancelled and changed


async def cancelled(house: House) -> FulfillmentInstruction:
    [instruction] = await house.place(a_cancelled_order(), revision=R2, disposition=Disposition.RELEASE)
    assert instruction.kind is InstructionKind.CANCEL
    return instruction  # type: ignore[no-any-return]


async def test_a_cancellation_that_was_in_time_gives_the_units_back(house: House) -> None:
    await told(house)
    stop = await cancelled(house)
    assert (await house.level()).available_to_promise == 9
    assert await house.answer(a_wms_event(stop, "cancelled"), a_wms_event(stop, "cancelled")) == [(), ()]
    assert (await house.level()).available_to_promise == 10


async def test_a_cancellation_that_came_too_late_waits_for_the_shipment(house: House) -> None:
    instruction = await told(house)
    stop = await cancelled(house)
    assert await house.answer(a_wms_event(stop, "rejected", reason="other")) == [()]
    assert (await house.level()).available_to_promise == 9
    assert await house.answer(a_wms_event(instruction, "shipped")) == [()]
    level = await house.level()
    assert (level.on_hand, level.available_to_promise) == (9, 9)


async def test_goods_that_leave_after_they_were_given_back_are_counted(house: House) -> None:
    instruction = await told(house)
    await house.answer(a_wms_event(await cancelled(house), "cancelled"))
    before = SHIP_AFTER_RELEASE.labels(HZ)._value.get()
    assert await house.answer(a_wms_event(instruction, "shipped")) == [()]
    assert SHIP_AFTER_RELEASE.labels(HZ)._value.get() == before + 1
    assert (await house.level()).on_hand == 9


async def test_a_short_order_that_is_cancelled_meanwhile_is_not_placed_anew(house: House) -> None:
    instruction = await told(house)
    await cancelled(house)
    assert await house.answer(a_wms_event(instruction, "short", reason="damaged")) == [()]
    level = await house.level()
    assert (level.on_hand, level.available_to_promise) == (9, 9)


@pytest.mark.parametrize(("kind", "reason"), [("rejected", "other"), ("short", "damaged"), ("cancelled", "")])
async def test_a_late_word_on_what_a_change_replaced_frees_nothing_that_was_cancelled_since(
    house: House, kind: str, reason: str
) -> None:
    """The warehouse may be shipping what the change asks for: only its word on that, or on the cancellation, counts."""
    first = await told(house)
    [change] = await house.place(an_order(lines=(a_line(quantity=2),)), HZ, BJ, revision=R2)
    [stop] = await house.place(a_cancelled_order(), revision=R3, disposition=Disposition.RELEASE)
    assert await house.answer(a_wms_event(first, kind, "late", reason=reason)) == [()]
    level, broken = await house.level(), int(reason == "damaged")
    assert (level.on_hand, level.available_to_promise) == (10 - broken, 8 - broken)
    assert await house.answer(a_wms_event(stop, "rejected", "too late", reason="other")) == [()]
    assert await house.answer(a_wms_event(change, "shipped")) == [()]
    level = await house.level()
    assert (level.on_hand, level.available_to_promise) == (8 - broken, 8 - broken)


async def test_what_stood_when_a_change_was_refused_may_still_be_given_back_after_a_cancellation(house: House) -> None:
    first = await told(house)
    [change] = await house.place(an_order(lines=(a_line(quantity=2),)), HZ, BJ, revision=R2)
    [stop] = await house.place(a_cancelled_order(), revision=R3, disposition=Disposition.RELEASE)
    await house.answer(a_wms_event(change, "rejected", "no", reason="other"), a_wms_event(stop, "rejected", "no no"))
    await house.answer(a_wms_event(first, "short", reason="other"))
    assert (await house.level()).available_to_promise == 10


async def test_a_cancellation_is_answered_though_the_order_has_moved_on_since(house: House) -> None:
    await told(house)
    stop = await cancelled(house)
    assert await house.place(a_cancelled_order(), revision=R3, disposition=Disposition.RELEASE) == []
    await house.answer(a_wms_event(stop, "cancelled"))
    assert (await house.level()).available_to_promise == 10


async def test_the_answer_to_an_earlier_cancellation_frees_nothing_that_was_told_of_since(house: House) -> None:
    await told(house)
    [stop] = await house.place(an_order(), revision=R2, disposition=Disposition.REVIEW)
    [again] = await house.place(an_order(), HZ, revision=R3)
    [stop_again] = await house.place(a_cancelled_order(), revision="r4", disposition=Disposition.RELEASE)
    assert (stop.kind, again.kind, stop_again.kind) == ("cancel", "fulfil", "cancel")
    await house.answer(a_wms_event(stop, "cancelled", "m1"))
    assert (await house.level()).available_to_promise == 9
    await house.answer(a_wms_event(stop_again, "cancelled", "m2"))
    assert (await house.level()).available_to_promise == 10


async def part_refunded(house: House) -> tuple[FulfillmentInstruction, FulfillmentInstruction]:
    lines = (a_line(), a_line(TEA, line_id="2"))
    [first] = await house.place(an_order(lines=lines), HZ, revision=R1)
    [change] = await house.place(an_order(lines=lines[:1]), HZ, revision=R2)
    assert (await house.level(sku=TEA)).available_to_promise == 9  # it may be on its way
    return first, change


@pytest.mark.parametrize("kind", ["accepted", "picked", "shipped"])
async def test_what_a_change_leaves_out_is_free_once_the_warehouse_follows_it(house: House, kind: str) -> None:
    _, change = await part_refunded(house)
    follows = a_wms_event(change, kind)
    assert await house.answer(follows, follows) == [(), ()]
    assert (await house.level(sku=TEA)).available_to_promise == 10
    assert (await house.level(sku=NUT)).available_to_promise == 9
    await house.answer(a_wms_event(change, "shipped"))
    assert [(await house.level(sku=sku)).on_hand for sku in (NUT, TEA)] == [9, 10]


async def test_what_a_refused_change_left_out_ships_from_its_own_stock(house: House) -> None:
    first, change = await part_refunded(house)
    await house.answer(a_wms_event(change, "rejected", reason="other"))
    await house.answer(a_wms_event(first, "shipped", quantities={NUT: 1, TEA: 1}))
    level = await house.level(sku=TEA)
    assert (level.on_hand, level.available_to_promise, level.committed) == (9, 9, 0)


async def test_a_late_word_on_a_change_takes_no_stock_for_an_order_that_was_given_back(house: House) -> None:
    _, change = await part_refunded(house)
    await house.answer(a_wms_event(change, "short", reason="other"), a_wms_event(change, "accepted"))
    assert (await house.level(sku=NUT)).available_to_promise == 10


async def test_a_refused_change_goes_to_a_person_and_the_parcel_out_as_before(house: House) -> None:
    await told(house)
    [change] = await house.place(an_order(lines=(a_line(quantity=2),)), HZ, BJ, revision=R2)
    assert change.kind is InstructionKind.CHANGE
    refused = a_wms_event(change, "rejected", reason="other")
    [[review]] = await house.answer(refused)
    assert isinstance(review, ReviewOrder)
    assert review.planned.plan.hold_codes == ("wms-change-refused",)
    assert wire(await house.answer(refused)) == wire([[review]])


async def test_a_warehouse_that_refused_a_change_may_still_give_the_first_instruction_back(house: House) -> None:
    first = await told(house)
    [change] = await house.place(an_order(lines=(a_line(quantity=2),)), HZ, BJ, revision=R2)
    await house.answer(a_wms_event(change, "rejected", reason="other"))
    [[again]] = await house.answer(a_wms_event(first, "short", reason="damaged"))
    assert again.order.revision == retry_of(R2)


# -- orders that change while a warehouse answers


async def test_a_newer_revision_with_nothing_new_to_tell_is_answered_by_the_older_instruction(house: House) -> None:
    instruction = await told(house)
    assert await house.place(an_order(), HZ, BJ, revision=R2) == []  # only its modify time is new
    [[again]] = await house.answer(a_wms_event(instruction, "short", reason="not-there"))
    assert again.order.revision == retry_of(R2)
    [instruction] = await house.reserve(again)
    assert instruction.warehouse_id == BJ


async def test_a_newer_revision_that_overtakes_the_retry_places_the_order_anew_itself(house: House) -> None:
    instruction = await told(house)
    [[again]] = await house.answer(a_wms_event(instruction, "rejected", reason="other"))
    [anew] = await house.place(an_order(), BJ, HZ, revision=R2)
    assert (anew.kind, anew.revision) == (InstructionKind.FULFIL, R2)
    assert await house.reserve(again) == []
    live = await house.ledger.orders.where_is(an_order().uid)
    assert live.routed == (anew.warehouse_id,)


async def test_an_answer_to_what_was_replaced_since_says_nothing(house: House) -> None:
    first = await told(house)
    await house.place(an_order(lines=(a_line(quantity=2),)), HZ, BJ, revision=R2)
    assert await house.answer(a_wms_event(first, "short", reason="damaged")) == [()]
    assert (await house.level()).committed == 2


async def test_a_give_back_while_the_order_is_at_work_makes_that_work_start_over(house: House) -> None:
    instruction = await told(house)
    [claim] = await house.ledger.orders.claim(
        [(an_order().uid, R2, [HZ, BJ])]
    )  # somebody has begun, and read what was told
    assert await house.answer(a_wms_event(instruction, "rejected", reason="other")) == [()]
    [anew] = await house.place(an_order(), HZ, BJ, revision=R2)
    assert (anew.kind, anew.revision) == (InstructionKind.FULFIL, R2)
    assert claim is not None


async def test_one_parcel_of_a_split_order_that_comes_back_is_packed_with_the_other(house: House) -> None:
    await house.stock(HZ, nut=5, tea=0)
    await house.stock(BJ, nut=0, tea=5)
    lines = (a_line(), a_line(TEA, line_id="2"))
    parcels = await house.place(an_order(lines=lines), HZ, BJ, revision=R1, on_short=OnShort.SPLIT)
    assert sorted(parcel.warehouse_id for parcel in parcels) == [BJ, HZ]
    await house.stock(HZ, tea=5)
    tea = next(parcel for parcel in parcels if parcel.warehouse_id == BJ)
    [[again]] = await house.answer(a_wms_event(tea, "short", reason="not-there"))
    [change] = await house.reserve(again)
    assert (change.kind, change.warehouse_id) == (InstructionKind.CHANGE, HZ)


async def test_a_parcel_that_comes_back_when_the_other_has_left_goes_to_a_person_who_is_told_what_to_do(
    house: House,
) -> None:
    await house.stock(HZ, nut=5, tea=0)
    await house.stock(BJ, nut=0, tea=5)
    order = an_order(lines=(a_line(), a_line(TEA, line_id="2")))
    parcels = await house.place(order, HZ, BJ, revision=R1, on_short=OnShort.SPLIT)
    nut, tea = sorted(parcels, key=lambda parcel: parcel.warehouse_id != HZ)
    *_, [again, review] = await house.answer(
        a_wms_event(nut, "shipped"), a_wms_event(tea, "short", reason="not-there", quantities={TEA: 1})
    )
    assert isinstance(review, ReviewOrder)
    assert review.planned.plan.hold_codes == ("wms-partly-shipped",)
    assert "refund the rest in the shop, or ship it by hand" in reason_of(review.planned)
    assert {told.kind for told in await house.reserve(again)} <= {InstructionKind.CANCEL}
    assert [(await house.level(where, TEA)).committed for where in (HZ, BJ)] == [0, 0]


# -- what can never be processed


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        ("unknown-order", {"order_uid": "taobao:tea:none", "instruction_id": "taobao:tea:none@r/hangzhou/fulfil"}),
        ("unknown-warehouse", {"warehouse_id": "mars", "instruction_id": "taobao:tea-house:1001@r1/mars/fulfil"}),
        ("unknown-sku", {"quantities": {"NO-SUCH-SKU": 1}}),
        ("bad-message-id", {"message_id": "m" * 129}),
    ],
)
async def test_a_bad_answer_is_set_aside_and_the_others_go_on(
    house: House, reason: str, fields: dict[str, Any]
) -> None:
    instruction = await told(house)
    good = a_wms_event(instruction, "accepted")
    bad = {name: getattr(good, name) for name in WmsEvent.__slots__} | fields  # type: ignore[attr-defined]
    refused, done = await house.answer(WmsEvent(**bad), good)
    assert isinstance(refused, PermanentError)
    assert refused.reason == reason
    assert all(failure.tell("en") != failure.tell("zh") for failure in refused.failures)
    assert done == ()
    assert (await house.level()).allocated == 1


async def test_a_plan_that_is_no_longer_kept_is_said_so(house: House) -> None:
    instruction = await told(house)
    house.topic.records.clear()
    [error] = await house.answer(a_wms_event(instruction, "short", reason="damaged"))
    assert isinstance(error, PermanentError)
    assert error.reason == "planned-order-gone"


async def test_a_key_that_somebody_else_wrote_sets_its_answer_aside(house: House) -> None:
    instruction = await told(house)
    await house.ledger._redis.set(f"stock:{{{HZ}}}:{NUT}", "broken")
    [error] = await house.answer(a_wms_event(instruction, "accepted"))
    assert isinstance(error, PermanentError)
    assert error.reason == "corrupt-ledger"


# -- deaths


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 5))
@pytest.mark.parametrize("kind", ["short", "rejected", "cancelled"])
async def test_a_death_at_any_step_loses_no_retry_and_says_it_in_the_same_bytes(
    redis: Redis, house: House, step: int, after: bool, kind: str
) -> None:
    event = a_wms_event(await told(house), kind, reason="other")
    with suppress(TransientError):  # beyond the last step: Redis has all of it, Kafka has nothing
        await house.answer(event, ledger=DyingLedger(redis, step, after=after))
    [[again]] = await house.answer(event)
    assert (again.order.revision, again.plan.gave_up) == (retry_of(R1), (HZ,))
    [instruction] = await house.reserve(again)
    assert instruction.warehouse_id == BJ
    assert (await house.level()).committed == 0
    assert (await house.level(BJ)).committed == 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 4))
async def test_a_death_while_shipping_takes_the_units_off_once(
    redis: Redis, house: House, step: int, after: bool
) -> None:
    instruction = await told(house)
    events = [a_wms_event(instruction, kind) for kind in ("accepted", "shipped")]
    with suppress(TransientError):
        await house.answer(*events, ledger=DyingLedger(redis, step, after=after))
    await house.answer(*events)
    level = await house.level()
    assert (level.on_hand, level.allocated, level.committed) == (9, 0, 0)
    assert (await house.ledger.orders.where_is(an_order().uid)).state is OrderState.COMMITTED
