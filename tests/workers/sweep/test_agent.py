"""Due holds are given back, all of them and each once, by however many sweepers, whatever stands in the way."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from schemas.inventory import InventoryEventKind
from tests.builders import NOON, a_line, a_plan, a_planned_order, an_unpaid_order
from workers.inventory.keys import reservation_key
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count, OrderState
from workers.reserve.agent import ReserveAgent
from workers.runtime.stage import Delivery
from workers.sweep.agent import SweepAgent

HZ, BJ = "hangzhou", "beijing"
NUT = "NUT-BOX-500"
DUE = NOON + timedelta(minutes=30)


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis)


async def hold(ledger: Ledger, numbers: range, warehouse: str = HZ) -> None:
    """An order each for two units, which may be paid until half past twelve."""
    await ledger.stock.set_counts(warehouse, {NUT: Count(on_hand=1000)})
    orders = [an_unpaid_order(str(number), lines=(a_line(quantity=2),)) for number in numbers]
    await ReserveAgent(ledger, 60).handle(
        [Delivery(a_planned_order(order, a_plan(warehouse)), key=b"") for order in orders]
    )


def a_sweeper(ledger: Ledger, *, late: timedelta = timedelta(0), batch: int = 10) -> SweepAgent:
    return SweepAgent(ledger, lambda: (DUE + late).timestamp(), batch)


async def held(ledger: Ledger, warehouse: str = HZ) -> int:
    [level] = await ledger.stock.levels(warehouse, [NUT])
    return level.held


async def test_a_hold_is_given_back_at_its_deadline_and_not_before(ledger: Ledger) -> None:
    await hold(ledger, range(1))
    await a_sweeper(ledger, late=-timedelta(milliseconds=1)).tick()
    assert await held(ledger) == 2
    await a_sweeper(ledger).tick()
    assert await held(ledger) == 0
    assert (await ledger.orders.where_is(an_unpaid_order("0").uid)).state is OrderState.EXPIRED


@pytest.mark.parametrize("batch", [1, 7, 10, 60, 1000])
async def test_one_tick_gives_back_all_that_is_due_in_every_warehouse(ledger: Ledger, batch: int) -> None:
    await hold(ledger, range(60))
    await hold(ledger, range(100, 105), BJ)
    await a_sweeper(ledger, batch=batch).tick()
    assert (await held(ledger), await held(ledger, BJ)) == (0, 0)
    assert (await ledger.stock.audit()).findings == ()


async def test_any_number_of_sweepers_at_once_give_each_hold_back_once_with_an_event(
    ledger: Ledger, redis: Redis
) -> None:
    await hold(ledger, range(150))
    await asyncio.gather(*(a_sweeper(Ledger(redis), batch=20).tick() for _ in range(6)))
    assert await held(ledger) == 0
    events, _ = await ledger.outbox.read(HZ, 1000)
    expired = [event.order_uid for event in events if event.kind is InventoryEventKind.EXPIRED]
    assert len(expired) == len(set(expired)) == 150
    assert sum(change.held for event in events for change in event.changes) == 0
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert (await ledger.stock.audit()).findings == ()


async def test_holds_that_somebody_else_wrote_to_are_passed_over(ledger: Ledger, redis: Redis) -> None:
    await hold(ledger, range(30))
    for number in range(12):  # more than a batch, and the first on the list
        key = reservation_key(HZ, an_unpaid_order(str(number)).uid)
        if number % 2:
            await redis.hset(key, "lines", "{")
        else:
            await redis.delete(key)
            await redis.set(key, "x")
    await a_sweeper(ledger).tick()
    assert await held(ledger) == 24


async def test_reservations_and_sweepers_race_and_the_counters_stay_right(ledger: Ledger, redis: Redis) -> None:
    await hold(ledger, range(100))
    await asyncio.gather(
        *(a_sweeper(Ledger(redis), batch=15).tick() for _ in range(3)),
        *(hold(Ledger(redis), range(start, start + 10)) for start in range(0, 200, 10)),
    )
    assert (await ledger.stock.audit()).findings == ()
