"""A warehouse gives units back in the very moment in which it is told of a change: every order of their round trips."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import combinations
from typing import Any, Final

import pytest
from redis.asyncio import Redis

from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEvent
from schemas.order import Order
from schemas.plan import Disposition, PlannedOrder
from tests.builders import a_cancelled_order, a_line, a_wms_event, an_order
from tests.workers.fulfill.house import BJ, HZ, NUT, TEA, House
from workers.fulfill.decide import PATIENCE_MS
from workers.inventory.ledger import Ledger
from workers.inventory.ledger.warehouses import WarehouseLedger
from workers.inventory.operations.shared.context import RunScripts
from workers.runtime.errors import TransientError

R1, R2, R3 = "r1", "r2", "r3"
RESERVE_TRIPS, FULFILL_TRIPS = (
    3,
    5,
)  # claim, take, settle; look, take off, hear, remember or place anew, and one to spare


class SteppedWarehouseLedger(WarehouseLedger):
    """Its reading, too, waits."""

    def __init__(self, redis: Redis, run: RunScripts, wait: Callable[[], Awaitable[None]]) -> None:
        super().__init__(redis, run)
        self._wait = wait

    async def get_status(self, asked: Any) -> Any:
        await self._wait()
        return await super().get_status(asked)


class SteppedLedger(Ledger):
    """A ledger of which each round trip waits to be let through."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.warehouses = SteppedWarehouseLedger(redis, self._run, self._wait)
        self.at_gate = asyncio.Event()
        self._gate = asyncio.Semaphore(0)

    def let_through(self) -> None:
        self.at_gate.clear()
        self._gate.release()

    async def _wait(self) -> None:
        self.at_gate.set()
        await self._gate.acquire()

    async def _run(self, calls: Any) -> Any:
        await self._wait()
        return await super()._run(calls)


class Stepped:
    """One stage's work, a round trip at a time; when it cannot be done now, it begins again, as the stages do."""

    def __init__(self, ledger: SteppedLedger, work: Callable[[], Awaitable[Any]]) -> None:
        self.result: Any = None
        self._ledger = ledger
        self._task = asyncio.ensure_future(self._until_done(work))

    @property
    def done(self) -> bool:
        return self._task.done()

    async def step(self) -> None:
        await self._arrive()
        if not self.done:
            self._ledger.let_through()
            await self._arrive()
        if self.done:
            self.result = self._task.result()

    async def _arrive(self) -> None:
        gate = asyncio.ensure_future(self._ledger.at_gate.wait())
        await asyncio.wait({self._task, gate}, return_when=asyncio.FIRST_COMPLETED)
        gate.cancel()

    async def _until_done(self, work: Callable[[], Awaitable[Any]]) -> Any:
        while True:
            with suppress(TransientError):
                return await work()


async def interleaved(first_turns: Sequence[int], one: Stepped, other: Stepped) -> None:
    """`first_turns`: at which turns `one` goes; `other` goes at all others, and then whoever is not done."""
    for turn in range(RESERVE_TRIPS + FULFILL_TRIPS):
        await (one if turn in first_turns else other).step()
    for _ in range(100):
        if one.done and other.done:
            return
        await one.step()
        await other.step()
    raise AssertionError("they wait for each other")


EACH_GIVE_BACK = pytest.mark.parametrize(
    ("kind", "reason"),
    [("short", "not-there"), ("short", "damaged"), ("short", "other"), ("rejected", "other"), ("cancelled", "")],
)
TURNS: Final = list(combinations(range(RESERVE_TRIPS + FULFILL_TRIPS), RESERVE_TRIPS))


async def at_once(redis: Redis, turns: Sequence[int], plain: House, revised: Order, answer: WmsEvent) -> list[Any]:
    """What is said when the order's next revision is reserved while the answer is taken in."""
    planners, hearers = SteppedLedger(redis), SteppedLedger(redis)
    planner, hearer = House(redis, planners), House(redis, hearers)
    planner.topic = hearer.topic = plain.topic
    planning = Stepped(planners, lambda: planner.place(revised, HZ, BJ, revision=R3))
    hearing = Stepped(hearers, lambda: hearer.answer(answer))
    await interleaved(turns, planning, hearing)
    return [*planning.result, *hearing.result[0]]


async def fresh(redis: Redis, nuts: int) -> House:
    await redis.flushall()
    house = House(redis)
    for warehouse, units in ((HZ, nuts), (BJ, 5)):
        await house.stock(warehouse, nut=units, tea=units)
    return house


@pytest.mark.parametrize("follows", [True, False], ids=["follows", "refuses"])
@EACH_GIVE_BACK
async def test_units_that_are_given_back_are_not_sold_when_a_change_asks_for_them(
    redis: Redis, kind: str, reason: str, follows: bool
) -> None:
    for turns in TURNS:
        house = await fresh(redis, nuts=1)
        [told] = await house.place(an_order(lines=(a_line(), a_line(TEA, line_id="2"))), HZ, BJ, revision=R1)
        gone = a_wms_event(told, kind, "gone", reason=reason, quantities={NUT: 1} if kind == "short" else {})
        said = await at_once(redis, turns, house, an_order(lines=(a_line(),)), gone)
        await _nobody_was_sold_what_left(house, said, follows=follows, broken=int(reason == "damaged"))


async def test_units_that_a_change_adds_are_not_sold_when_the_one_before_it_is_followed(redis: Redis) -> None:
    for turns in TURNS:
        house = await fresh(redis, nuts=3)
        await house.place(an_order(lines=(a_line(),)), HZ, revision=R1)
        [change] = await house.place(an_order(lines=(a_line(quantity=2),)), HZ, revision=R2)
        accepted = a_wms_event(change, "accepted")
        said = await at_once(redis, turns, house, an_order(lines=(a_line(quantity=3),)), accepted)
        await _nobody_was_sold_what_left(house, said, follows=True)


async def _nobody_was_sold_what_left(
    house: House, said: list[Any], *, follows: bool, shipped: int = 0, broken: int = 0
) -> None:
    """A second order buys what is free; then the warehouses do what they are told, and name what leaves.

    `broken`: units that were promised again before their warehouse's word came that they are broken.
    """
    await house.place(an_order("2", lines=(a_line(),)), HZ, revision=R1)
    while said:
        event = said.pop(0)
        if isinstance(event, PlannedOrder):
            said += await house.reserve(event)
        elif not isinstance(event, FulfillmentInstruction):
            continue  # a person sees to it
        elif event.kind is InstructionKind.CHANGE and not follows:
            said += (await house.answer(a_wms_event(event, "rejected", "no", reason="other")))[0]
        elif event.kind is not InstructionKind.CANCEL:
            await house.answer(a_wms_event(event, "accepted", f"a {event.instruction_id}"))
            units = {line.sku: line.quantity for line in event.purchased}
            await house.answer(a_wms_event(event, "shipped", f"s {event.instruction_id}", quantities=units))
            shipped += 1
        assert (await house.ledger.stock.audit()).is_clean
        [level] = await house.ledger.stock.levels(HZ, [NUT])
        assert level.available_to_promise >= -broken
    assert shipped <= 1


@pytest.mark.parametrize("units", [1, 2])
async def test_goods_that_leave_while_a_change_is_at_work_leave_once(redis: Redis, units: int) -> None:
    for turns in TURNS:
        house = await fresh(redis, nuts=2)
        [told] = await house.place(an_order(), HZ, BJ, revision=R1)
        shipped = a_wms_event(told, "shipped", quantities={NUT: 1})
        said = await at_once(
            redis, turns, house, an_order(lines=(a_line(quantity=units),), seller_memo="hurry"), shipped
        )
        await _nobody_was_sold_what_left(house, said, follows=False, shipped=1)


@EACH_GIVE_BACK
async def test_units_that_are_given_back_late_are_not_sold_when_the_order_comes_to_life_again(
    redis: Redis, kind: str, reason: str
) -> None:
    for turns in TURNS:
        house = await fresh(redis, nuts=1)
        [told] = await house.place(an_order(), HZ, revision=R1)
        [cancel] = await house.place(a_cancelled_order(), HZ, revision=R2, disposition=Disposition.RELEASE)
        gone = a_wms_event(cancel if kind == "cancelled" else told, kind, "gone", reason=reason)
        said = await at_once(redis, turns, house, an_order(), gone)
        await _nobody_was_sold_what_left(house, said, follows=True, broken=int(reason == "damaged"))


async def test_a_claim_that_nobody_will_ever_settle_is_not_waited_for(redis: Redis, monkeypatch: Any) -> None:
    house = House(redis)
    await house.stock(HZ, nut=1, tea=1)
    [told] = await house.place(an_order(), HZ, revision=R1)
    await house.ledger.orders.claim([(an_order().uid, R2, [HZ])])
    short = a_wms_event(told, "short", reason="damaged")
    with pytest.raises(TransientError, match="decided anew"):
        await house.answer(short)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + PATIENCE_MS / 1000 + 1)
    await house.answer(short)
    assert (await house.level()).on_hand == 0
