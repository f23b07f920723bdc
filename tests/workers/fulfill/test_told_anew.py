"""An order is cancelled and ordered anew, and its warehouse ships the first instruction: somebody hears of the rest."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEvent
from schemas.order import Order
from schemas.plan import Disposition, PlannedOrder, ReviewOrder
from schemas.record import encode
from schemas.revision import retry_of
from tests.builders import a_cancelled_order, a_line, a_wms_event, an_order
from tests.fakes import DyingLedger
from tests.workers.fulfill.house import HZ, NUT, TEA, House
from workers.runtime.errors import TransientError

R1, R2, R3, R4 = "r1", "r2", "r3", "r4"


@pytest.fixture
async def house(redis: Redis) -> House:
    house = House(redis)
    await house.stock(HZ, nut=10, tea=10)
    return house


def asking(nuts: int, tea: int = 0) -> Order:
    lines = (a_line(quantity=nuts), *((a_line(TEA, line_id="2", quantity=tea),) if tea else ()))
    return an_order(lines=lines)


async def cancelled(house: House, first: int) -> tuple[FulfillmentInstruction, FulfillmentInstruction]:
    [told] = await house.place(asking(first), HZ, revision=R1)
    [cancel] = await house.place(a_cancelled_order(), HZ, revision=R2, disposition=Disposition.RELEASE)
    return told, cancel


async def told_anew(house: House, first: int = 1, again: int = 3) -> list[FulfillmentInstruction]:
    """The order, its cancellation that is not answered yet, and the order once more."""
    told, cancel = await cancelled(house, first)
    [anew] = await house.place(asking(again), HZ, revision=R3)
    assert (anew.kind, anew.revision) == (InstructionKind.FULFIL, R3)
    return [told, cancel, anew]


def left(told: FulfillmentInstruction, message: str = "m1", **units: int) -> WmsEvent:
    return a_wms_event(told, "shipped", message, quantities={NUT: units["nut"]} if units else {})


def refused(cancel: FulfillmentInstruction) -> WmsEvent:
    return a_wms_event(cancel, "rejected", "no", reason="other")


def said(outcomes: list[Any]) -> list[Any]:
    return [event for outcome in outcomes for event in outcome]


async def a_person_sees(house: House, again: PlannedOrder, **missing: int) -> None:
    """That no warehouse ships the rest; which waits for what the person does."""
    assert isinstance(again, PlannedOrder)
    assert (again.order.revision, again.plan.gave_up) == (retry_of(R3), (HZ,))
    [review] = await house.reserve(again)
    assert isinstance(review, ReviewOrder)
    names = {"nut": NUT, "tea": TEA}
    assert review.missing == {names[name]: units for name, units in missing.items()}
    assert review.planned.plan.hold_codes == ("partly-shipped",)


async def reserved(house: House) -> int:
    levels = [await house.level(sku=sku) for sku in (NUT, TEA)]
    return sum(level.held + level.committed + level.allocated for level in levels)


async def test_what_an_order_wanted_more_when_it_was_told_anew_comes_before_a_person(house: House) -> None:
    told, cancel, _ = await told_anew(house)
    [again] = said(await house.answer(left(told), refused(cancel)))
    await a_person_sees(house, again, nut=2)
    assert (await house.level()).on_hand == 9
    assert await house.place(a_cancelled_order(), revision=R4, disposition=Disposition.RELEASE) == []
    assert await reserved(house) == 0


async def test_it_is_the_same_when_the_news_comes_before_the_order_is_told_anew(house: House) -> None:
    told, cancel = await cancelled(house, 1)
    assert said(await house.answer(left(told), refused(cancel))) == []
    [review] = await house.place(asking(3), HZ, revision=R3)
    assert (review.missing, review.planned.plan.hold_codes) == ({NUT: 2}, ("partly-shipped",))


async def test_what_is_wanted_besides_is_named(house: House) -> None:
    told, _ = await cancelled(house, 1)
    [_] = await house.place(asking(1, tea=2), HZ, revision=R3)
    [again] = said(await house.answer(left(told)))
    await a_person_sees(house, again, tea=2)


async def test_repeats_say_the_same_until_the_order_has_moved_on(house: House) -> None:
    told, cancel, _ = await told_anew(house)
    first, repeated = await house.answer(left(told), left(told))
    assert [encode(one) for one in repeated] == [encode(one) for one in first]
    await house.reserve(first[0])
    assert said(await house.answer(left(told), refused(cancel), left(told))) == []
    assert (await house.level()).on_hand == 9


async def test_two_parcels_ask_once_with_the_second(house: House) -> None:
    told, *_ = await told_anew(house, first=2, again=3)
    assert said(await house.answer(left(told, "m1", nut=1))) == []
    [again] = said(await house.answer(left(told, "m2", nut=1)))
    await a_person_sees(house, again, nut=1)


@pytest.mark.parametrize("way", ["cancelled", "short"])
async def test_a_part_has_left_and_the_warehouse_stops(house: House, way: str) -> None:
    told, cancel, _ = await told_anew(house, first=2, again=3)
    over = a_wms_event(cancel, "cancelled", "m2") if way == "cancelled" else a_wms_event(told, "short", reason="other")
    [again] = said(await house.answer(left(told, "m1", nut=1), over))
    await a_person_sees(house, again, nut=2)


async def test_a_warehouse_that_stopped_before_anything_left_packs_the_order_anew(house: House) -> None:
    _, cancel, anew = await told_anew(house)
    assert said(await house.answer(a_wms_event(cancel, "cancelled"), a_wms_event(anew, "shipped"))) == []
    assert (await house.level()).on_hand == 7
    assert await reserved(house) == 0


async def test_a_warehouse_that_goes_on_with_the_newer_order_is_let_go_on(house: House) -> None:
    """A part had left, and it packs the rest as it was told anew: a repeat about that part ends nothing."""
    told, cancel, anew = await told_anew(house, first=2, again=4)
    part, more = left(told, "m1", nut=1), left(anew, "m2", nut=1)
    assert said(await house.answer(part, refused(cancel), more, part, part)) == []
    assert said(await house.answer(left(anew, "m3", nut=2))) == []
    assert (await house.level()).on_hand == 6
    assert await reserved(house) == 0


async def test_units_that_nobody_wants_any_more_go_back(house: House) -> None:
    [told] = await house.place(asking(1), HZ, revision="r0")
    await house.place(asking(2), HZ, revision=R1)  # a change that the warehouse may follow
    await house.place(a_cancelled_order(), HZ, revision=R2, disposition=Disposition.RELEASE)
    await house.place(asking(1), HZ, revision=R3)
    [again] = said(await house.answer(left(told)))
    assert await house.reserve(again) == []
    assert await reserved(house) == 0


async def test_an_order_that_its_shop_says_has_shipped_keeps_nothing(house: House) -> None:
    told, *_ = await told_anew(house)
    await house.place(asking(3), revision=R4, disposition=Disposition.IGNORE)
    [again] = said(await house.answer(left(told)))
    assert again.plan.disposition is Disposition.IGNORE
    assert await house.reserve(again) == []
    assert await reserved(house) == 0


async def test_a_change_that_is_told_meanwhile_is_void_too(house: House) -> None:
    told, cancel, _ = await told_anew(house)
    [change] = await house.place(asking(4), HZ, revision=R4)
    assert change.kind is InstructionKind.CHANGE
    no = a_wms_event(change, "rejected", "no change", reason="other")
    [again] = said(await house.answer(left(told), refused(cancel), no))
    assert again.order.revision == retry_of(R4)
    [review] = await house.reserve(again)
    assert review.missing == {NUT: 3}


async def test_an_order_that_is_at_work_meanwhile_starts_over_and_finds_what_has_left(house: House) -> None:
    told, *_ = await told_anew(house)
    await house.ledger.orders.claim([(an_order().uid, R4, [HZ])])  # somebody has begun, and read what was told
    assert await house.answer(left(told)) == [()]
    [review] = await house.place(asking(3), HZ, revision=R4)
    assert review.missing == {NUT: 2}


async def test_after_a_newer_cancellation_nothing_is_asked(house: House) -> None:
    told, cancel, _ = await told_anew(house)
    [stop] = await house.place(a_cancelled_order(), HZ, revision=R4, disposition=Disposition.RELEASE)
    assert said(await house.answer(left(told), refused(cancel), a_wms_event(stop, "cancelled"))) == []
    assert await reserved(house) == 0


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 5))
async def test_a_death_at_any_step_loses_nothing_and_says_it_in_the_same_bytes(
    redis: Redis, house: House, step: int, after: bool
) -> None:
    told, *_ = await told_anew(house)
    with suppress(TransientError):
        await house.answer(left(told), ledger=DyingLedger(redis, step, after=after))
    first = said(await house.answer(left(told)))
    assert [encode(one) for one in said(await house.answer(left(told)))] == [encode(one) for one in first]
    await a_person_sees(house, first[0], nut=2)
