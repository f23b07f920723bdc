"""What has left a warehouse is not shipped again from another, whatever is planned later."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from schemas.fulfillment import FulfillmentInstruction, InstructionKind
from schemas.plan import OnShort
from tests.builders import a_line, a_wms_event, an_order
from tests.workers.fulfill.house import BJ, HZ, NUT, TEA, House

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
