"""What a warehouse was told to ship and nobody wants any more: it is told to leave it out, and the units come back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from schemas.codes import HoldCode
from schemas.fulfillment import FulfillmentInstruction, InstructionKind
from schemas.order import LineStatus, Order, OrderStatus
from schemas.plan import Backorder, Disposition, OnShort, ReviewOrder
from tests.builders import a_line, a_wms_event, an_order, lines
from tests.workers.fulfill.house import BJ, HZ, NUT, TEA, House

SHIPPED, CANCELLED = LineStatus.SHIPPED, LineStatus.CANCELLED


@pytest.fixture
async def house(redis: Redis) -> House:
    house = House(redis)
    await house.stock(HZ, nut=10, tea=10)
    await house.stock(BJ, nut=10, tea=10)
    return house


async def told_both(house: House) -> FulfillmentInstruction:
    await house.place(an_order(lines=lines(NUT, TEA)), HZ, revision="r1")
    return house.told[-1]


def shipped_without_tea(units: int = 0) -> Order:
    """The shop says: the nuts have shipped, and of the tea this much is still wanted."""
    nut, tea = lines(NUT, TEA)
    tea = replace(tea, status=SHIPPED, quantity=units) if units else replace(tea, status=CANCELLED)
    return an_order(lines=(replace(nut, status=SHIPPED), tea), status=OrderStatus.SHIPPED)


async def ignored(house: House, order: Order, revision: str = "r2") -> list[FulfillmentInstruction]:
    return await house.place(order, revision=revision, disposition=Disposition.IGNORE)


async def taken(house: House, sku: str) -> tuple[int, int]:
    level = await house.level(sku=sku)
    return level.committed + level.allocated, level.on_hand


@pytest.mark.parametrize("left_before", [True, False])
async def test_what_was_refunded_when_the_rest_shipped_is_left_out(house: House, left_before: bool) -> None:
    told = await told_both(house)
    nuts = a_wms_event(told, "shipped", "nuts", quantities={NUT: 1})
    if left_before:
        await house.answer(nuts)
    [change] = await ignored(house, shipped_without_tea())
    assert (change.kind, [pick.sku for pick in change.purchased]) == (InstructionKind.CHANGE, [NUT])
    assert (await taken(house, TEA)) == (1, 10), "it may be on its way until the warehouse has answered"
    await house.answer(a_wms_event(change, "accepted"))
    assert (await taken(house, TEA)) == (0, 10)
    if not left_before:
        await house.answer(nuts)
    assert (await taken(house, NUT)) == (0, 9)


async def test_a_line_of_which_fewer_are_wanted_is_shipped_with_fewer(house: House) -> None:
    order = an_order(lines=(a_line(NUT, 3),))
    await house.place(order, HZ, revision="r1")
    [line] = order.lines
    [change] = await ignored(
        house, replace(order, lines=(replace(line, status=SHIPPED, quantity=2),), status=OrderStatus.SHIPPED)
    )
    assert [pick.quantity for pick in change.purchased] == [2]
    await house.answer(a_wms_event(change, "shipped"))
    assert (await taken(house, NUT)) == (0, 8)


async def test_a_warehouse_that_refuses_ships_it_and_a_person_is_asked(house: House) -> None:
    told = await told_both(house)
    [change] = await ignored(house, shipped_without_tea())
    [[review]] = await house.answer(a_wms_event(change, "rejected", reason="other"))
    assert review.planned.plan.hold_codes == (HoldCode.WMS_CHANGE_REFUSED,)
    assert (await taken(house, TEA)) == (1, 10)
    await house.answer(a_wms_event(told, "shipped"))
    assert (await taken(house, TEA)) == (0, 9)


async def test_a_warehouse_of_which_nothing_is_wanted_is_told_to_stop(house: House) -> None:
    nut, tea = lines(NUT, TEA)
    await house.stock(HZ, nut=10, tea=0)
    await house.stock(BJ, nut=0, tea=10)
    both = await house.place(an_order(lines=(nut, tea)), HZ, BJ, revision="r1", on_short=OnShort.SPLIT)
    assert sorted(one.warehouse_id for one in both) == [BJ, HZ]
    [cancel] = await ignored(house, shipped_without_tea())
    assert (cancel.kind, cancel.warehouse_id) == (InstructionKind.CANCEL, BJ)
    await house.answer(a_wms_event(cancel, "cancelled"))
    assert (await house.level(BJ, TEA)).committed == 0
    assert (await taken(house, NUT)) == (1, 10)


async def test_it_is_told_once_and_a_repeat_says_it_in_the_same_words(house: House) -> None:
    await told_both(house)
    once = await ignored(house, shipped_without_tea())
    assert await ignored(house, shipped_without_tea()) == once
    assert await ignored(house, shipped_without_tea(), "r3") == []


async def test_what_has_left_whole_is_nobodys_business(house: House) -> None:
    told = await told_both(house)
    await house.answer(a_wms_event(told, "shipped"))
    assert await ignored(house, shipped_without_tea()) == []


async def test_an_order_that_just_shipped_is_no_news_to_the_warehouse(house: House) -> None:
    await told_both(house)
    assert await ignored(house, shipped_without_tea(units=1)) == []


async def test_a_line_that_was_deleted_when_the_rest_shipped_is_left_out(house: House) -> None:
    await told_both(house)
    nut, _ = shipped_without_tea().lines
    [change] = await ignored(house, an_order(lines=(nut,), status=OrderStatus.SHIPPED))
    assert (change.kind, [pick.sku for pick in change.purchased]) == (InstructionKind.CHANGE, [NUT])


@pytest.mark.parametrize("sku", ["", "NUT-BOX-500-NEW"])
async def test_a_line_whose_sku_was_changed_is_still_shipped(house: House, sku: str) -> None:
    await told_both(house)
    nut, tea = shipped_without_tea(units=1).lines
    assert await ignored(house, an_order(lines=(replace(nut, sku=sku), tea), status=OrderStatus.SHIPPED)) == []


async def test_what_was_refunded_is_left_out_after_another_change_was_refused(house: House) -> None:
    await told_both(house)
    [change] = await house.place(an_order(lines=lines(NUT, TEA), buyer_remark="ring twice"), HZ, revision="r2")
    await house.answer(a_wms_event(change, "rejected", reason="other"))
    [change] = await ignored(house, shipped_without_tea(), "r3")
    assert [pick.sku for pick in change.purchased] == [NUT]


async def test_a_warehouse_is_told_of_no_more_than_is_kept_for_it(house: House) -> None:
    await told_both(house)
    nut, tea = shipped_without_tea().lines
    [change] = await ignored(house, an_order(lines=(replace(nut, quantity=3), tea), status=OrderStatus.SHIPPED))
    assert [pick.quantity for pick in change.purchased] == [3]
    assert (await taken(house, NUT)) == (3, 10)


async def test_where_more_of_another_line_is_not_there_it_ships_as_it_was_told(house: House) -> None:
    await told_both(house)
    nut, tea = shipped_without_tea().lines
    [short] = await ignored(house, an_order(lines=(replace(nut, quantity=30), tea), status=OrderStatus.SHIPPED))
    assert isinstance(short, Backorder)
    assert (await taken(house, NUT)) == (1, 10)


@pytest.mark.parametrize("answered_first", [True, False])
async def test_what_was_kept_for_a_person_goes_back_when_it_has_shipped_by_hand(
    house: House, answered_first: bool
) -> None:
    await told_both(house)
    [stop] = await house.place(an_order(lines=lines(NUT, TEA)), revision="r2", disposition=Disposition.REVIEW)
    stopped = a_wms_event(stop, "cancelled")
    if answered_first:
        await house.answer(stopped)
    assert await ignored(house, shipped_without_tea(), "r3") == []
    assert (await taken(house, NUT)) == ((0, 10) if answered_first else (1, 10))
    await house.answer(stopped)
    assert (await taken(house, NUT)) == (0, 10)


@pytest.mark.parametrize(("kind", "reason"), [("cancelled", ""), ("short", "damaged"), ("rejected", "other")])
async def test_a_person_hears_of_what_comes_back_though_the_shop_says_that_it_has_shipped(
    house: House, kind: str, reason: str
) -> None:
    told = await told_both(house)
    assert await ignored(house, shipped_without_tea(units=1)) == []
    [[again, review]] = await house.answer(a_wms_event(told, kind, reason=reason))
    assert review.planned.plan.hold_codes == (HoldCode.WMS_GAVE_UP,)
    await house.reserve(again)
    assert await ignored(house, shipped_without_tea(units=1), "r3") == []
    assert (await taken(house, TEA))[0] == 0, "the shop says once more that it has shipped"


# -- told to stop, and to ship again --------------------------------------------------------------------------------


async def test_what_a_warehouse_was_told_first_is_kept_until_it_says_what_it_ships(house: House) -> None:
    first = await told_both(house)
    [stop] = await house.place(an_order(lines=lines(NUT, TEA)), revision="r2", disposition=Disposition.RELEASE)
    [anew] = await house.place(an_order(lines=lines(NUT)), HZ, revision="r3")
    assert (await taken(house, TEA)) == (1, 10), "the parcel with both may be on its way"
    await house.answer(a_wms_event(first, "shipped"), a_wms_event(stop, "rejected", reason="other"))
    assert (await taken(house, TEA)) == (0, 9)
    assert (anew.kind, await taken(house, NUT)) == (InstructionKind.FULFIL, (0, 9))


async def test_what_it_leaves_out_then_is_free_once_it_follows(house: House) -> None:
    await told_both(house)
    [stop] = await house.place(an_order(lines=lines(NUT, TEA)), revision="r2", disposition=Disposition.RELEASE)
    [anew] = await house.place(an_order(lines=lines(NUT)), HZ, revision="r3")
    await house.answer(a_wms_event(stop, "cancelled"), a_wms_event(anew, "accepted"))
    assert (await taken(house, TEA), await taken(house, NUT)) == ((0, 10), (1, 10))


async def test_what_a_change_added_goes_back_when_the_warehouse_refuses_to_stop(house: House) -> None:
    first = await told_both(house)
    [change] = await house.place(an_order(lines=(a_line(NUT, 3), a_line(TEA, line_id="2"))), HZ, revision="r2")
    [stop] = await house.place(an_order(lines=lines(NUT)), revision="r3", disposition=Disposition.RELEASE)
    no = [a_wms_event(one, "rejected", reason="other") for one in (change, stop)]
    await house.answer(a_wms_event(first, "shipped"), *no)
    assert (await taken(house, NUT)) == (0, 9)


async def test_what_is_not_short_of_an_order_that_nobody_wants_goes_back(house: House) -> None:
    told = await told_both(house)
    [stop] = await house.place(an_order(lines=lines(NUT)), revision="r2", disposition=Disposition.RELEASE)
    no = a_wms_event(stop, "rejected", reason="other")
    await house.answer(no, a_wms_event(told, "short", reason="damaged", quantities={TEA: 1}))
    assert (await taken(house, TEA), await taken(house, NUT)) == ((0, 9), (0, 10))


# -- changes that come too late --------------------------------------------------------------------------------------


async def changed_after_it_left(house: House, *units: int) -> list[FulfillmentInstruction]:
    """One unit has left; then the shop wants so many, one revision after the other."""
    [told] = await house.place(an_order(lines=(a_line(NUT),)), HZ, revision="r1")
    await house.answer(a_wms_event(told, "shipped"))
    changes = []
    for number, count in enumerate(units, start=2):
        changes += await house.place(an_order(lines=(a_line(NUT, count),)), HZ, revision=f"r{number}")
    return changes


@pytest.mark.parametrize("turn", [1, -1])
async def test_what_a_refused_change_added_goes_back_when_it_is_wanted_no_more(house: House, turn: int) -> None:
    changes = await changed_after_it_left(house, 2, 1)
    said = await house.answer(*[a_wms_event(one, "rejected", reason="other") for one in changes[::turn]])
    reviews = [event for outcome in said for event in outcome]
    assert {code for one in reviews for code in one.planned.plan.hold_codes} == {HoldCode.WMS_CHANGE_REFUSED}
    assert (await taken(house, NUT)) == (0, 9)


async def test_what_the_shop_still_wants_is_kept_for_a_person(house: House) -> None:
    [change] = await changed_after_it_left(house, 2)
    [[review]] = await house.answer(a_wms_event(change, "rejected", reason="other"))
    assert isinstance(review, ReviewOrder)
    assert (await taken(house, NUT)) == (1, 9)


async def test_what_a_warehouse_ships_as_it_was_told_before_stays_reserved(house: House) -> None:
    """It was told of three, refuses to ship only one, and has not said that any left."""
    [told] = await house.place(an_order(lines=(a_line(NUT, 3),)), HZ, revision="r1")
    [change] = await house.place(an_order(lines=(a_line(NUT),)), HZ, revision="r2")
    await house.answer(a_wms_event(change, "rejected", reason="other"))
    assert (await taken(house, NUT)) == (3, 10)
    await house.answer(a_wms_event(told, "shipped"))
    assert (await taken(house, NUT)) == (0, 7)
