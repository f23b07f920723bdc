"""An order is told, cancelled and then unpaid again: what a warehouse may be packing is freed by no deadline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.fulfillment import FulfillmentInstruction, InstructionKind
from schemas.order import Order
from schemas.plan import Disposition, OnShort
from tests.builders import a_cancelled_order, a_line, a_wms_event, an_order, an_unpaid_order
from tests.workers.fulfill.house import BJ, HZ, NUT, House
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count, OrderState

R1, R2, R3, R4 = "r1", "r2", "r3", "r4"
LATER_MS = 10**13


@pytest.fixture
async def house(redis: Redis) -> House:
    house = House(redis)
    await house.stock(HZ, nut=10, tea=10)
    return house


async def unpaid_again(
    house: House, *, accepted: bool = False, units: int = 2
) -> tuple[FulfillmentInstruction, FulfillmentInstruction]:
    """What its warehouse was told: to ship two, and to stop; it has not answered that."""
    [told] = await house.place(an_order(lines=(a_line(quantity=2),)), HZ, revision=R1)
    if accepted:
        await house.answer(a_wms_event(told, "accepted", "taken over"))
    [cancel] = await house.place(a_cancelled_order(), HZ, revision=R2, disposition=Disposition.RELEASE)
    assert cancel.kind is InstructionKind.CANCEL
    assert await house.place(unpaid(units), HZ, revision=R3) == []
    return told, cancel


def unpaid(units: int) -> Order:
    return an_unpaid_order(lines=(a_line(quantity=units),))


async def swept(house: House) -> int:
    """Long after every deadline."""
    return (await house.ledger.holds.sweep(HZ, LATER_MS, 100)).expired


async def free(house: House) -> int:
    return (await house.level()).available_to_promise


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("units", [1, 2, 3])
async def test_what_a_warehouse_may_be_packing_is_freed_by_no_deadline_before_it_answers(
    house: House, accepted: bool, units: int
) -> None:
    told, _ = await unpaid_again(house, accepted=accepted, units=units)
    assert await swept(house) == 0
    assert await free(house) == 10 - max(2, units)
    await house.answer(a_wms_event(told, "shipped"))
    level = await house.level()
    assert level.on_hand == 8
    assert level.available_to_promise >= 7


@pytest.mark.parametrize("accepted", [False, True])
async def test_once_it_has_stopped_the_units_are_a_hold_until_the_deadline(house: House, accepted: bool) -> None:
    _, cancel = await unpaid_again(house, accepted=accepted)
    await house.answer(a_wms_event(cancel, "cancelled"), a_wms_event(cancel, "cancelled"))
    level = await house.level()
    assert (level.held, level.committed, level.allocated) == (2, 0, 0)
    assert await swept(house) == 1
    assert await free(house) == 10
    assert (await house.ledger.orders.where_is(unpaid(2).uid)).state is OrderState.EXPIRED


async def test_units_wait_on_when_it_is_unpaid_once_more_and_again_when_it_is_reviewed(house: House) -> None:
    _, cancel = await unpaid_again(house)
    assert await house.place(unpaid(2), HZ, revision=R4) == []
    assert await house.place(unpaid(2), HZ, revision="r5", disposition=Disposition.REVIEW) == []
    assert await swept(house) == 0
    await house.answer(a_wms_event(cancel, "cancelled"))
    assert await swept(house) == 1


async def test_an_order_that_is_paid_before_the_answer_is_told_anew(house: House) -> None:
    _, cancel = await unpaid_again(house)
    [anew] = await house.place(an_order(lines=(a_line(quantity=2),)), HZ, revision=R4)
    assert anew.kind is InstructionKind.FULFIL
    await house.answer(a_wms_event(cancel, "cancelled"), a_wms_event(anew, "shipped"))
    assert await swept(house) == 0
    level = await house.level()
    assert (level.on_hand, level.available_to_promise) == (8, 8)


async def test_an_order_that_is_cancelled_again_waits_for_the_same_answer(house: House) -> None:
    _, cancel = await unpaid_again(house)
    assert await house.place(a_cancelled_order(), HZ, revision=R4, disposition=Disposition.RELEASE) == []
    assert await free(house) == 8
    await house.answer(a_wms_event(cancel, "cancelled"))
    assert await free(house) == 10


async def test_a_hold_that_nobody_was_told_of_is_swept_as_ever(house: House) -> None:
    await house.place(unpaid(2), HZ, revision=R1)
    await house.place(unpaid(3), HZ, revision=R2)
    assert await swept(house) == 1
    assert await free(house) == 10


class Snatching(Ledger):
    """A ledger in which somebody else counts Beijing's shelf empty just before this order is given units there."""

    async def _run(self, calls: Sequence[Any]) -> list[Any]:
        beijing = f"reservation:{{{BJ}}}"
        if any(str(call.keys[0]).startswith(beijing) and call.script.name == "reserve.lua" for call in calls):
            self.snatched = getattr(self, "snatched", -1) + 1
            if self.snatched == 1:  # the first asks for all of it, the second for its share
                await Ledger(self._redis).stock.set_counts(BJ, {NUT: Count(on_hand=0)}, LATER_MS)
        return await super()._run(calls)


async def test_units_stay_with_a_warehouse_that_has_not_answered_when_a_split_comes_to_nothing(redis: Redis) -> None:
    house = House(redis)
    await house.stock(HZ, nut=3)
    await house.stock(BJ, nut=3)
    [_] = await house.place(an_order(lines=(a_line(quantity=2),)), HZ, revision=R1)
    [cancel] = await house.place(a_cancelled_order(), HZ, revision=R2, disposition=Disposition.RELEASE)
    plain, house.ledger = house.ledger, Snatching(redis)
    lines = (a_line(quantity=3), a_line(NUT, quantity=2, line_id="2"))
    await house.place(an_order(lines=lines), HZ, BJ, revision=R3, on_short=OnShort.SPLIT)
    house.ledger = plain
    assert await free(house) <= 1
    await house.answer(a_wms_event(cancel, "cancelled"))
    assert await free(house) == 3
