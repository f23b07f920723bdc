"""What is broken or not on its shelf is so whatever became of the order that told of it: on-hand is less, once."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEvent
from schemas.plan import Disposition
from tests.builders import a_cancelled_order, a_line, a_wms_event, an_order
from tests.workers.fulfill.house import HZ, NUT, TEA, House
from workers.inventory.records import Count

R1, R2, R3 = "r1", "r2", "r3"


@pytest.fixture
async def house(redis: Redis) -> House:
    house = House(redis)
    await house.stock(HZ, nut=10, tea=10)
    return house


async def told_anew(house: House, first: int = 2, again: int = 3) -> FulfillmentInstruction:
    """The first instruction of an order that was cancelled, and ordered anew before its warehouse answered."""
    [told] = await house.place(an_order(lines=(a_line(quantity=first),)), HZ, revision=R1)
    [cancel] = await house.place(a_cancelled_order(), HZ, revision=R2, disposition=Disposition.RELEASE)
    assert cancel.kind is InstructionKind.CANCEL
    [anew] = await house.place(an_order(lines=(a_line(quantity=again),)), HZ, revision=R3)
    assert (anew.kind, anew.revision) == (InstructionKind.FULFIL, R3)
    assert isinstance(told, FulfillmentInstruction)
    return told


def damaged(told: FulfillmentInstruction, units: int, message: str = "m1") -> WmsEvent:
    return a_wms_event(told, "short", message, reason="damaged", quantities={NUT: units} if units else {})


async def figures(house: House) -> tuple[int, int, int]:
    level = await house.level()
    return level.on_hand, level.committed, level.available_to_promise


@pytest.mark.parametrize(("named", "left"), [(1, 9), (2, 8), (0, 8)])
async def test_units_found_damaged_for_an_order_that_was_ordered_anew_since_are_off_on_hand_once(
    house: House, named: int, left: int
) -> None:
    told = await told_anew(house)
    assert await house.answer(damaged(told, named), damaged(told, named)) == [(), ()]
    assert await house.answer(damaged(told, named)) == [()]
    assert await figures(house) == (left, 3, left - 3)


async def test_two_messages_tell_of_different_units(house: House) -> None:
    told = await told_anew(house)
    await house.answer(damaged(told, 1, "m1"), damaged(told, 1, "m2"))
    assert await figures(house) == (8, 3, 5)


async def test_what_had_left_is_not_damaged_too(house: House) -> None:
    told = await told_anew(house, first=2, again=3)
    await house.answer(a_wms_event(told, "shipped", "m0", quantities={NUT: 1}), damaged(told, 0))
    assert (await house.level()).on_hand == 8


async def test_units_found_damaged_are_off_on_hand_though_their_order_has_nothing_here_any_more(house: House) -> None:
    [told] = await house.place(an_order(lines=(a_line(quantity=2),)), HZ, revision=R1)
    [cancel] = await house.place(a_cancelled_order(), HZ, revision=R2, disposition=Disposition.RELEASE)
    await house.answer(a_wms_event(cancel, "cancelled"))
    assert await figures(house) == (10, 0, 10)
    assert await house.answer(damaged(told, 2), damaged(told, 2)) == [(), ()]
    assert await figures(house) == (8, 0, 8)


async def test_an_empty_shelf_promises_nothing_more_and_keeps_what_the_new_order_has(house: House) -> None:
    told = await told_anew(house)
    missing = a_wms_event(told, "short", reason="not-there", quantities={NUT: 1})
    assert await house.answer(missing, missing) == [(), ()]
    assert await figures(house) == (3, 3, 0)
    assert (await house.level(sku=TEA)).available_to_promise == 10


async def test_beyond_the_limit_one_missing_unit_writes_off_one_and_asks_for_a_count(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    told = await told_anew(house)
    missing = a_wms_event(told, "short", reason="not-there", quantities={NUT: 1})
    assert await house.answer(missing, missing, short_limit=5) == [(), ()]
    assert await figures(house) == (9, 3, 6)
    assert caplog.text.count("count the shelf") == 1


async def test_what_is_there_but_not_for_this_order_moves_no_stock(house: House) -> None:
    told = await told_anew(house)
    assert await house.answer(a_wms_event(told, "short", reason="other", quantities={NUT: 1})) == [()]
    assert await figures(house) == (10, 3, 7)


async def test_a_later_count_has_seen_what_was_damaged_before_it(house: House) -> None:
    told = await told_anew(house)
    late = damaged(told, 2)
    counted_at = int(late.at.timestamp() * 1000) + 1
    await house.ledger.stock.set_counts(HZ, {NUT: Count(on_hand=10)}, counted_at)
    await house.answer(late)
    assert await figures(house) == (10, 3, 7)


@pytest.mark.parametrize("units", [1, 0])
async def test_units_are_off_once_when_the_change_after_them_is_refused(house: House, units: int) -> None:
    [told] = await house.place(an_order(), HZ, revision=R1)
    [change] = await house.place(an_order(lines=(a_line(quantity=2),)), HZ, revision=R2)
    await house.answer(damaged(told, units))
    assert await figures(house) == (9, 2, 7)
    await house.answer(a_wms_event(change, "rejected", "no", reason="other"), damaged(told, units))
    kept = 1 if units else 0
    assert await figures(house) == (9, kept, 9 - kept)
