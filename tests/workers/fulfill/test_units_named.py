"""A warehouse that names no units means those of the instruction it answers: it may not have read a later change."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from schemas.fulfillment import FulfillmentInstruction
from tests.builders import a_line, a_wms_event, an_order
from tests.workers.fulfill.house import BJ, HZ, NUT, TEA, House
from workers.runtime.errors import PermanentError


@pytest.fixture
async def house(redis: Redis) -> House:
    house = House(redis)
    await house.stock(HZ, nut=10, tea=10)
    await house.stock(BJ, nut=10, tea=10)
    return house


async def wanting(house: House, *units: int) -> list[FulfillmentInstruction]:
    """So many nuts are wanted, one revision after the other."""
    told = []
    for number, count in enumerate(units, start=1):
        told += await house.place(an_order(lines=(a_line(NUT, count),)), HZ, revision=f"r{number}")
    return told


async def reserved(house: House, sku: str = NUT) -> tuple[int, int]:
    level = await house.level(sku=sku)
    return level.on_hand, level.committed + level.allocated


async def test_what_a_change_adds_has_not_left_with_the_parcel_before_it(house: House) -> None:
    first, _ = await wanting(house, 1, 2)
    await house.answer(a_wms_event(first, "shipped"))
    assert await reserved(house) == (9, 1)


async def test_a_line_that_a_change_adds_has_not_left_with_the_parcel_before_it(house: House) -> None:
    [first] = await wanting(house, 1)
    await house.place(an_order(lines=(a_line(NUT), a_line(TEA, line_id="2"))), HZ, revision="r2")
    await house.answer(a_wms_event(first, "shipped"))
    assert (await reserved(house), await reserved(house, TEA)) == ((9, 0), (10, 1))


async def test_the_rest_of_a_parcel_is_what_has_not_left_of_it(house: House) -> None:
    first, _ = await wanting(house, 3, 5)
    await house.answer(a_wms_event(first, "shipped", "one", quantities={NUT: 1}), a_wms_event(first, "shipped", "rest"))
    assert await reserved(house) == (7, 2)


async def test_the_same_parcel_said_again_takes_nothing_that_was_added(house: House) -> None:
    [first] = await wanting(house, 1)
    await house.answer(a_wms_event(first, "shipped"))
    await house.place(an_order(lines=(a_line(NUT, 2),)), HZ, revision="r2")
    [said] = await house.answer(a_wms_event(first, "shipped", "again"))
    assert isinstance(said, PermanentError)
    assert said.reason == "more-than-told"
    assert await reserved(house) == (9, 1)


async def test_a_change_that_is_followed_ships_whole(house: House) -> None:
    _, change = await wanting(house, 1, 3)
    await house.answer(a_wms_event(change, "accepted"), a_wms_event(change, "shipped"))
    assert await reserved(house) == (7, 0)


@pytest.mark.parametrize("kind", ["short", "rejected"])
async def test_no_more_is_damaged_than_was_told(house: House, kind: str) -> None:
    first, change = await wanting(house, 1, 2)
    no = a_wms_event(change, "rejected", "no", reason="other")
    _, [again] = await house.answer(a_wms_event(first, kind, reason="damaged"), no)
    await house.reserve(again)
    assert await reserved(house) == (9, 0)


# -- what a refused change leaves standing ---------------------------------------------------------------------------


async def test_a_change_that_is_followed_after_a_later_one_was_refused_ships_what_it_asked_for(house: House) -> None:
    _, fewer, fewest = await wanting(house, 3, 2, 1)
    await house.answer(a_wms_event(fewest, "rejected", reason="other"), a_wms_event(fewer, "shipped"))
    assert await reserved(house) == (8, 0)


async def test_a_change_that_is_followed_after_an_earlier_one_was_refused_frees_the_rest(house: House) -> None:
    _, fewer, fewest = await wanting(house, 3, 2, 1)
    await house.answer(a_wms_event(fewer, "rejected", reason="other"), a_wms_event(fewest, "accepted"))
    assert await reserved(house) == (10, 1)


async def test_what_the_shop_still_wants_is_kept_in_whatever_order_changes_are_refused(house: House) -> None:
    _, more, fewer = await wanting(house, 1, 3, 2)
    await house.answer(*[a_wms_event(one, "rejected", reason="other") for one in (fewer, more)])
    assert await reserved(house) == (10, 2)


async def test_what_a_followed_change_left_out_does_not_come_back_when_later_ones_are_refused(house: House) -> None:
    first, fewer = await wanting(house, 2, 1)
    assert first.kind == "fulfil"
    await house.answer(a_wms_event(fewer, "accepted"))
    for number, count in ((3, 2), (4, 1)):
        [change] = await house.place(an_order(lines=(a_line(NUT, count),)), HZ, revision=f"r{number}")
        await house.answer(a_wms_event(change, "rejected", reason="other"))
    assert await reserved(house) == (10, 1)
