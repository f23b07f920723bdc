"""What has left a warehouse is not shipped again from another, whatever is planned later."""

from __future__ import annotations

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from schemas.fulfillment import FulfillmentInstruction, InstructionKind
from schemas.order import Order, OrderStatus, PaymentStatus
from schemas.plan import Disposition, OnShort, ReviewOrder
from schemas.record import encode
from tests.builders import a_line, a_plan, a_planned_order, a_wms_event, an_order, an_unpaid_order
from tests.sentences import reason_of
from tests.workers.fulfill.house import BJ, HZ, NUT, TEA, House
from workers.inventory.operations.claim import Claim
from workers.inventory.records import OrderState

BOTH = (a_line(), a_line(TEA, line_id="2"))


@pytest.fixture
def house(redis: Redis) -> House:
    return House(redis)


async def told_beijing(house: House) -> FulfillmentInstruction:
    """An order for which the best warehouse has no stock; when the next one was told, it has."""
    await house.stock(HZ, nut=0, tea=0)
    await house.stock(BJ, nut=5, tea=5)
    [told] = await house.place(an_order(lines=BOTH), HZ, BJ, revision="r1")
    assert isinstance(told, FulfillmentInstruction)
    assert told.warehouse_id == BJ
    await house.stock(HZ, nut=5, tea=5)
    return told


async def test_an_order_that_has_left_is_told_to_nobody_however_often_it_is_changed(house: House) -> None:
    told = await told_beijing(house)
    await house.answer(a_wms_event(told, "shipped"))
    for revision in ("r2", "r3", "r4"):
        assert await house.place(an_order(lines=BOTH), HZ, BJ, revision=revision) == []
    assert [(await house.level(HZ, sku)).committed for sku in (NUT, TEA)] == [0, 0]


async def test_a_parcel_that_has_left_is_not_added_to_the_other_one(house: House) -> None:
    await house.stock(HZ, nut=5, tea=0)
    await house.stock(BJ, nut=0, tea=5)
    parcels = await house.place(an_order(lines=BOTH), HZ, BJ, revision="r1", on_short=OnShort.SPLIT)
    [nut] = [parcel for parcel in parcels if parcel.warehouse_id == HZ]
    await house.stock(BJ, nut=5)
    await house.answer(a_wms_event(nut, "shipped"))
    for revision in ("r2", "r3"):
        assert await house.place(an_order(lines=BOTH), HZ, BJ, revision=revision) == []
    more_tea = an_order(lines=(BOTH[0], a_line(TEA, line_id="2", quantity=2)))
    [change] = await house.place(more_tea, HZ, BJ, revision="r4")
    assert (change.kind, change.warehouse_id) == (InstructionKind.CHANGE, BJ)
    assert [(line.sku, line.quantity) for line in change.purchased] == [(TEA, 2)]
    assert (await house.level(BJ)).committed == 0


async def given_back_in_part(house: House, *, then: bool = True) -> None:
    """Beijing ships the tea, finds the nuts damaged, and a person is asked. `then`: the order reads so, too."""
    told = await told_beijing(house)
    _, [again, review] = await house.answer(
        a_wms_event(told, "shipped", "m1", quantities={TEA: 1}),
        a_wms_event(told, "short", "m2", reason="damaged", quantities={NUT: 1}),
    )
    assert isinstance(review, ReviewOrder)
    if then:
        assert await house.reserve(again) == []


@pytest.mark.parametrize("then", [True, False])
async def test_the_rest_of_what_left_in_part_waits_for_a_person_whatever_the_shop_says(
    house: House, then: bool
) -> None:
    await given_back_in_part(house, then=then)
    for revision in ("r2", "r3"):
        [review] = await house.place(an_order(lines=BOTH), HZ, BJ, revision=revision)
        assert isinstance(review, ReviewOrder)
        assert (review.planned.plan.disposition, review.missing) == (Disposition.REVIEW, {NUT: 1})
        assert review.planned.plan.hold_codes == ("partly-shipped",)
        assert f"{NUT} x1" in reason_of(review.planned)
        assert [(await house.level(where, NUT)).committed for where in (HZ, BJ)] == [0, 0]
        assert (await house.ledger.orders.where_is(review.planned.order.uid)).state is OrderState.PARTLY_SHIPPED


async def test_a_repeat_asks_the_person_in_the_same_words(house: House) -> None:
    await given_back_in_part(house)
    first = await house.place(an_order(lines=BOTH), HZ, BJ, revision="r2")
    assert await house.place(an_order(lines=BOTH), HZ, BJ, revision="r2") == first


async def test_when_the_rest_is_refunded_nothing_is_left_to_do(house: House) -> None:
    await given_back_in_part(house)
    for revision in ("r2", "r3"):
        assert await house.place(an_order(lines=BOTH[1:]), HZ, BJ, revision=revision) == []
        assert (await house.level(HZ, TEA)).committed == 0
    assert (await house.ledger.orders.where_is(an_order().uid)).state is OrderState.SHIPPED


async def test_the_same_goods_ordered_once_more_are_not_taken_for_those_that_left(house: House) -> None:
    await given_back_in_part(house)
    twice = an_order(lines=(BOTH[0], a_line(TEA, line_id="2", quantity=3)))
    [review] = await house.place(twice, HZ, BJ, revision="r2")
    assert review.missing == {NUT: 1, TEA: 2}


async def test_the_other_parcel_of_a_split_is_told_to_stop_when_the_rest_waits_for_a_person(house: House) -> None:
    await house.stock(HZ, nut=5, tea=0)
    await house.stock(BJ, nut=0, tea=5)
    lines = (a_line(quantity=2), a_line(TEA, line_id="2"))
    parcels = await house.place(an_order(lines=lines), HZ, BJ, revision="r1", on_short=OnShort.SPLIT)
    [nut] = [parcel for parcel in parcels if parcel.warehouse_id == HZ]
    await house.answer(
        a_wms_event(nut, "shipped", "m1", quantities={NUT: 1}),
        a_wms_event(nut, "short", "m2", reason="damaged", quantities={NUT: 1}),
    )
    stop, review = await house.place(an_order(lines=lines), HZ, BJ, revision="r2")
    assert (stop.kind, stop.warehouse_id) == (InstructionKind.CANCEL, BJ)
    assert review.missing == {NUT: 1}


async def test_a_warehouse_goes_on_with_its_parcel_when_only_what_the_other_shipped_is_wanted_besides(
    house: House,
) -> None:
    await house.stock(HZ, nut=5, tea=0)
    await house.stock(BJ, nut=0, tea=5)
    lines = (a_line(quantity=2), a_line(TEA, line_id="2"))
    parcels = await house.place(an_order(lines=lines), HZ, BJ, revision="r1", on_short=OnShort.SPLIT)
    [nut] = [parcel for parcel in parcels if parcel.warehouse_id == HZ]
    await house.stock(BJ, nut=5)
    await house.answer(
        a_wms_event(nut, "shipped", "m1", quantities={NUT: 1}),
        a_wms_event(nut, "short", "m2", reason="damaged", quantities={NUT: 1}),
    )
    refunded = an_order(lines=(a_line(quantity=1), a_line(TEA, line_id="2")))
    assert await house.place(refunded, HZ, BJ, revision="r2") == []
    assert ((await house.level(BJ, TEA)).committed, (await house.level(BJ, NUT)).committed) == (1, 0)


async def test_an_order_that_was_only_held_before_costs_no_look_at_what_left(house: House) -> None:
    await house.stock(HZ, nut=5)
    await house.place(an_unpaid_order(), HZ, revision="r1")
    [claim] = await house.ledger.orders.claim([(an_order().uid, "r2", [HZ])])
    assert isinstance(claim, Claim)
    assert claim.told == ()


# -- an order that has nothing to ship any more, and one that its shop deleted


def emptied(*, deleted: bool = False) -> Order:
    status, payment = (
        (OrderStatus.CANCELLED, PaymentStatus.UNPAID) if deleted else (OrderStatus.TO_SHIP, PaymentStatus.PAID)
    )
    return an_order(lines=(), status=status, payment=payment)


@pytest.mark.parametrize("reached", ["committed", "accepted", "part left"])
@pytest.mark.parametrize("deleted", [False, True])
async def test_a_warehouse_is_stopped_when_nothing_is_left_to_ship_and_its_stock_is_free_once_it_says_so(
    house: House, reached: str, *, deleted: bool
) -> None:
    await house.stock(HZ, nut=5, tea=5)
    [told] = await house.place(an_order(lines=BOTH), HZ, revision="r1")
    if reached == "accepted":
        await house.answer(a_wms_event(told, "accepted"))
    elif reached == "part left":
        await house.answer(a_wms_event(told, "shipped", quantities={TEA: 1}))

    stop, *reviews = await house.place(emptied(deleted=deleted), revision="r2", disposition=Disposition.RELEASE)
    assert (stop.kind, stop.warehouse_id) == (InstructionKind.CANCEL, HZ)
    assert [review.planned.plan.hold_codes for review in reviews] == [("deleted-after-told",)] * deleted
    assert (await house.level()).available_to_promise == 4

    assert await house.answer(a_wms_event(stop, "cancelled")) == [()]
    left = 5 - (reached == "part left")
    assert [(await house.level(sku=sku)).available_to_promise for sku in (NUT, TEA)] == [5, left]


async def test_a_deleted_order_that_has_left_comes_before_a_person_and_says_so_again(house: House) -> None:
    await house.stock(HZ, nut=5, tea=5)
    [told] = await house.place(an_order(lines=BOTH), HZ, revision="r1")
    await house.answer(a_wms_event(told, "shipped"))
    gone = a_planned_order(replace(emptied(deleted=True), revision="r2"), a_plan(HZ, disposition=Disposition.RELEASE))
    events = await house.reserve(gone)
    assert [event.planned.plan.hold_codes for event in events if isinstance(event, ReviewOrder)] == [
        ("deleted-after-told",)
    ]
    assert [encode(event) for event in await house.reserve(gone)] == [encode(event) for event in events]


async def test_a_deleted_order_of_which_nobody_was_told_is_given_back_without_a_word(house: House) -> None:
    await house.stock(HZ, nut=5)
    await house.place(an_unpaid_order(), HZ, revision="r1")
    assert await house.place(emptied(deleted=True), revision="r2", disposition=Disposition.RELEASE) == []
    assert (await house.level()).available_to_promise == 5
