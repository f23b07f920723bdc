"""Waiting orders and stock that comes, on a real Redis: oldest first, once, through the way of all orders."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.fulfillment import FulfillmentInstruction
from schemas.plan import Backorder, Disposition, OnShort, PlannedOrder, ReviewOrder, TransferRequest
from schemas.revision import MOST_OWN_TRIES, retry_of, tries_of
from tests.builders import (
    NOON,
    a_cancelled_order,
    a_line,
    a_plan,
    a_planned_order,
    an_order,
    an_unpaid_order,
)
from tests.fakes import DyingLedger
from workers.inventory.keys import waiting_in_hand_key, waiting_wants_key
from workers.inventory.ledger import Ledger
from workers.inventory.operations.leave import LeaveOutcome
from workers.inventory.operations.transfer import Transfer, TransferAction, TransferOutcome
from workers.inventory.operations.wait import WaitOutcome
from workers.inventory.records import Count, OrderState
from workers.inventory.waiting import Waiting, waiting_of
from workers.reserve.agent import ReserveAgent
from workers.restock.agent import RestockAgent
from workers.runtime import metrics
from workers.runtime.errors import TransientError
from workers.runtime.stage import Delivery
from workers.sweep.agent import SweepAgent

HZ, BJ = "hangzhou", "beijing"
NUT, TEA = "NUT-BOX-500", "TEA-LONGJING-250"


class Log:
    """`orders.planned` as a list: what is put into it, the reserve stage gets, and the archive finds again."""

    def __init__(self) -> None:
        self.orders: list[PlannedOrder | None] = []

    def put(self, *planned: PlannedOrder) -> list[Delivery[PlannedOrder]]:
        start = len(self.orders)
        self.orders += planned
        return [
            Delivery(one, key=one.order.uid.encode(), partition=0, offset=start + number)
            for number, one in enumerate(planned)
        ]

    async def read(self, places: Sequence[tuple[int, int]]) -> list[PlannedOrder | None]:
        return [self.orders[offset] for _, offset in places]


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis)


@pytest.fixture
def log() -> Log:
    return Log()


async def stocked(ledger: Ledger, units: int, warehouse: str = HZ, sku: str = NUT) -> None:
    await ledger.stock.set_counts(warehouse, {sku: Count(on_hand=units)})


def ordered(number: int, units: int = 1, *warehouses: str, **plan: Any) -> PlannedOrder:
    """Order 1 is older than order 2."""
    placed_at = NOON + timedelta(minutes=number)
    order = an_order(str(number), placed_at=placed_at, lines=(a_line(quantity=units),))
    return a_planned_order(order, a_plan(*(warehouses or (HZ,)), **plan))


async def reserved(ledger: Ledger, log: Log, *planned: PlannedOrder) -> list[list[Any]]:
    outcomes = await ReserveAgent(ledger, 60).handle(log.put(*planned))
    assert all(isinstance(outcome, Sequence) for outcome in outcomes), outcomes
    return [list(outcome) for outcome in outcomes if isinstance(outcome, Sequence)]


def a_timer(ledger: Ledger, log: Log) -> RestockAgent:
    return RestockAgent(ledger, log, lambda: NOON.timestamp() + 3600)


async def restocked(ledger: Ledger, log: Log) -> list[Any]:
    """A tick whose events are safe."""
    timer = a_timer(ledger, log)
    events = list(await timer.tick())
    await timer.confirmed()
    return events


def numbers(events: Sequence[Any]) -> list[str]:
    return [event.order.platform_order_id for event in events]


async def waiting(ledger: Ledger) -> list[Waiting]:
    return [entry async for page in ledger.waiting.oldest_first() for entry in page]


async def let_pass(redis: Redis) -> None:
    """As if all pauses were over."""
    await redis.delete(waiting_in_hand_key())


async def is_sound(ledger: Ledger, redis: Redis) -> None:
    """Nothing is promised twice, and the index of the list is what its entries say."""
    assert (await ledger.stock.audit()).findings == ()
    wants: dict[bytes, int] = {}
    for entry in await waiting(ledger):
        for warehouse in (*entry.warehouses, *entry.gave_up):
            for sku in entry.needs:
                name = f"{warehouse}/{sku}".encode()
                wants[name] = wants.get(name, 0) + 1
    assert {name: int(count) for name, count in (await redis.hgetall(waiting_wants_key())).items()} == wants


async def test_a_backordered_order_waits_and_tells_what_for(ledger: Ledger, redis: Redis, log: Log) -> None:
    await reserved(ledger, log, ordered(0), ordered(1, 3, HZ, BJ))
    first, second = await waiting(ledger)
    assert (second.needs, second.warehouses, second.place) == ({NUT: 3}, (HZ, BJ), (0, 1))
    assert first.placed_at_ms < second.placed_at_ms
    assert await ledger.waiting.figures() == (2, int(NOON.timestamp() * 1000))
    await is_sound(ledger, redis)


async def test_an_order_that_finds_stock_never_stands_on_the_list(ledger: Ledger, log: Log) -> None:
    await stocked(ledger, 1)
    await reserved(ledger, log, ordered(1))
    assert await waiting(ledger) == []


async def test_stock_that_comes_goes_to_the_oldest_of_three(ledger: Ledger, redis: Redis, log: Log) -> None:
    await reserved(ledger, log, ordered(3, 2), ordered(1, 2), ordered(2, 2))
    assert await restocked(ledger, log) == []
    await stocked(ledger, 5)
    retries = await restocked(ledger, log)
    assert numbers(retries) == ["1", "2"]
    events = await reserved(ledger, log, *retries)
    assert all(isinstance(told, FulfillmentInstruction) for [told] in events)
    assert [entry.order_uid for entry in await waiting(ledger)] == [ordered(3).order.uid]
    await is_sound(ledger, redis)


async def test_what_is_on_its_way_keeps_its_units_from_younger_orders(ledger: Ledger, redis: Redis, log: Log) -> None:
    await reserved(ledger, log, ordered(1), ordered(2))
    await stocked(ledger, 1)
    retries = await restocked(ledger, log)
    assert numbers(retries) == ["1"]
    assert await restocked(ledger, log) == []  # the unit is still free, but it is order 1's
    await stocked(ledger, 2)
    assert numbers(await restocked(ledger, log)) == ["2"]


async def test_a_try_that_fails_waits_again_and_is_tried_again_later(ledger: Ledger, redis: Redis, log: Log) -> None:
    await reserved(ledger, log, ordered(1))
    await stocked(ledger, 1)
    retries = await restocked(ledger, log)
    await reserved(ledger, log, ordered(9))  # a new order was faster
    [[event]] = await reserved(ledger, log, *retries)
    assert isinstance(event, Backorder)
    [entry] = await waiting(ledger)
    assert tries_of(entry.revision) == 1
    await stocked(ledger, 2)
    assert await restocked(ledger, log) == []  # it pauses a little
    await let_pass(redis)
    [[told]] = await reserved(ledger, log, *await restocked(ledger, log))
    assert (told.order_uid, tries_of(told.revision)) == (entry.order_uid, 2)
    assert await waiting(ledger) == []
    await is_sound(ledger, redis)


async def test_a_cancelled_order_leaves_the_list(ledger: Ledger, redis: Redis, log: Log) -> None:
    await reserved(ledger, log, ordered(1))
    cancelled = a_planned_order(
        replace(a_cancelled_order("1"), revision="9"), a_plan(HZ, disposition=Disposition.RELEASE)
    )
    await reserved(ledger, log, cancelled)
    assert await waiting(ledger) == []
    await is_sound(ledger, redis)


async def test_a_cancellation_beats_a_try_that_is_on_its_way(ledger: Ledger, redis: Redis, log: Log) -> None:
    await reserved(ledger, log, ordered(1))
    await stocked(ledger, 1)
    retries = await restocked(ledger, log)
    cancelled = a_planned_order(
        replace(a_cancelled_order("1"), revision="9"), a_plan(HZ, disposition=Disposition.RELEASE)
    )
    await reserved(ledger, log, cancelled)
    assert await reserved(ledger, log, *retries) == [[]]
    [level] = await ledger.stock.levels(HZ, [NUT])
    assert level.available_to_promise == 1
    assert await waiting(ledger) == []


async def test_two_timers_at_once_let_an_order_through_once(ledger: Ledger, log: Log) -> None:
    await reserved(ledger, log, *(ordered(number) for number in range(20)))
    await stocked(ledger, 20)
    timers = [a_timer(ledger, log) for _ in range(4)]
    ticks = await asyncio.gather(*(timer.tick() for timer in timers))
    sent = sorted(numbers([event for tick in ticks for event in tick]))
    assert sent == sorted(str(number) for number in range(20))


async def test_a_timer_that_died_before_kafka_had_its_orders_says_the_same_again(
    ledger: Ledger, redis: Redis, log: Log
) -> None:
    await reserved(ledger, log, ordered(1))
    await stocked(ledger, 1)
    first: list[Any] = list(await a_timer(ledger, log).tick())
    assert await restocked(ledger, log) == []
    await let_pass(redis)
    again = await restocked(ledger, log)
    assert again == first
    said = await reserved(ledger, log, *first, *again)  # both reached Kafka after all
    assert said[0] == said[1]
    [level] = await ledger.stock.levels(HZ, [NUT])
    assert (level.committed, level.available_to_promise) == (1, 0)


async def test_an_order_that_may_be_split_is_let_through_when_two_warehouses_fill_it(
    ledger: Ledger, redis: Redis, log: Log
) -> None:
    order = an_order("1", lines=(a_line(), a_line(TEA, line_id="2")))
    await reserved(ledger, log, a_planned_order(order, a_plan(HZ, BJ, on_short=OnShort.SPLIT)))
    await stocked(ledger, 1)
    assert await restocked(ledger, log) == []
    await stocked(ledger, 1, BJ, TEA)
    [parcels] = await reserved(ledger, log, *await restocked(ledger, log))
    assert {told.warehouse_id for told in parcels} == {HZ, BJ}
    await is_sound(ledger, redis)


async def test_a_transfer_that_is_received_lets_the_order_through_that_awaits_it(
    ledger: Ledger, redis: Redis, log: Log
) -> None:
    await stocked(ledger, 1)
    await stocked(ledger, 9, BJ)
    planned = ordered(1, 3, HZ, on_short=OnShort.TRANSFER)
    [[request]] = await reserved(ledger, log, planned)
    assert isinstance(request, TransferRequest)
    for action, warehouse in (("reserve", BJ), ("send", BJ), ("receive", HZ)):
        assert await restocked(ledger, log) == []
        at_ms = int(NOON.timestamp() * 1000) * 2  # after the counts
        step = Transfer(warehouse, request.transfer_id, TransferAction(action), at_ms, request.quantities)
        assert await ledger.stock.transfer([step]) == [(TransferOutcome.DONE, {})]
    [[told]] = await reserved(ledger, log, *await restocked(ledger, log))
    assert (told.warehouse_id, told.order_uid) == (HZ, planned.order.uid)
    await is_sound(ledger, redis)


async def test_an_unpaid_order_that_waits_gets_its_hold(ledger: Ledger, log: Log) -> None:
    await reserved(ledger, log, a_planned_order(an_unpaid_order("1"), a_plan(HZ)))
    await stocked(ledger, 1)
    assert await reserved(ledger, log, *await restocked(ledger, log)) == [[]]
    [level] = await ledger.stock.levels(HZ, [NUT])
    assert (level.held, await waiting(ledger)) == (1, [])


async def test_tries_without_end_become_a_case_for_a_person(ledger: Ledger, redis: Redis, log: Log) -> None:
    planned = ordered(1)
    last = replace(planned, order=replace(planned.order, revision=f"{planned.order.revision}+{MOST_OWN_TRIES}"))
    await reserved(ledger, log, last)
    await stocked(ledger, 1)
    await let_pass(redis)
    [event] = await restocked(ledger, log)
    assert isinstance(event, ReviewOrder)
    assert await waiting(ledger) == []
    await is_sound(ledger, redis)


async def test_an_order_that_is_no_longer_kept_stays_in_sight_and_holds_nobody_up(
    ledger: Ledger, redis: Redis, log: Log
) -> None:
    await reserved(ledger, log, ordered(1), ordered(2))
    log.orders[0] = None
    await stocked(ledger, 1)
    before = metrics.RESTOCK_LOST._value.get()
    assert await restocked(ledger, log) == []
    assert metrics.RESTOCK_LOST._value.get() == before + 1
    assert numbers(await restocked(ledger, log)) == ["2"]
    assert [(entry.warehouses, entry.needs) for entry in await waiting(ledger)] == [((), {NUT: 1}), ((HZ,), {NUT: 1})]
    await is_sound(ledger, redis)


async def test_what_a_crash_left_on_the_list_is_taken_off_without_being_sent(
    ledger: Ledger, redis: Redis, log: Log
) -> None:
    await stocked(ledger, 3)
    planned = ordered(1)
    await reserved(ledger, log, planned)
    await ledger.waiting.put([waiting_of(planned, "0:0")])  # put there by one who died, or came late
    assert await restocked(ledger, log) == []
    assert await waiting(ledger) == []


async def test_an_older_entry_never_replaces_or_removes_a_newer_one(ledger: Ledger, redis: Redis) -> None:
    older = waiting_of(ordered(1), "0:0")
    newer = replace(older, revision=retry_of(older.revision), warehouses=(BJ,))
    assert await ledger.waiting.put([newer, older]) == [WaitOutcome.WAITING, WaitOutcome.STALE]
    assert await ledger.waiting.leave([(older.order_uid, older.revision)]) == [LeaveOutcome.STALE]
    assert await waiting(ledger) == [newer]
    await is_sound(ledger, redis)
    assert await ledger.waiting.leave([(older.order_uid, newer.revision)]) == [LeaveOutcome.LEFT]
    assert await ledger.waiting.leave([(older.order_uid, newer.revision)]) == [LeaveOutcome.ABSENT]
    await is_sound(ledger, redis)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 7))
async def test_a_death_between_any_two_steps_of_a_reservation_leaves_nobody_out(
    redis: Redis, ledger: Ledger, log: Log, step: int, after: bool
) -> None:
    planned = ordered(1)
    deliveries = log.put(planned)
    with suppress(TransientError):  # short: claim, ask, put on the list, settle
        await ReserveAgent(DyingLedger(redis, step, after=after), 60).handle(deliveries)
    await ReserveAgent(ledger, 60).handle(deliveries)
    assert [entry.revision for entry in await waiting(ledger)] == [planned.order.revision]
    await stocked(ledger, 1)
    deliveries = log.put(*await restocked(ledger, log))
    with suppress(TransientError):  # filled: claim, take, settle, off the list
        await ReserveAgent(DyingLedger(redis, step, after=after), 60).handle(deliveries)
    [[told]] = await ReserveAgent(ledger, 60).handle(deliveries)  # type: ignore[misc]
    assert isinstance(told, FulfillmentInstruction)
    await let_pass(redis)
    assert await restocked(ledger, log) == []
    assert await waiting(ledger) == []
    await is_sound(ledger, redis)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 5))
async def test_a_death_between_any_two_steps_of_a_timer_sends_an_order_on_all_the_same(
    redis: Redis, ledger: Ledger, log: Log, step: int, after: bool
) -> None:
    await reserved(ledger, log, ordered(1))
    await stocked(ledger, 1)
    dying = a_timer(DyingLedger(redis, step, after=after), log)
    sent: list[Any] = []
    with suppress(TransientError):
        sent += await dying.tick()
        await dying.confirmed()
    await let_pass(redis)
    sent += await restocked(ledger, log)
    assert sent
    said = await reserved(ledger, log, *sent)
    assert all(events == said[0] for events in said)
    [level] = await ledger.stock.levels(HZ, [NUT])
    assert (level.committed, await waiting(ledger)) == (1, [])
    await is_sound(ledger, redis)


async def test_stock_that_comes_while_new_orders_race_for_it_is_never_sold_twice(
    ledger: Ledger, redis: Redis, log: Log
) -> None:
    await reserved(ledger, log, *(ordered(number) for number in range(30)))

    async def arrive() -> None:
        for units in range(10, 41, 10):
            await ledger.stock.set_counts(HZ, {NUT: Count(on_hand=units)})
            await let_pass(redis)
            retries = await restocked(ledger, log)
            if retries:
                await reserved(Ledger(redis), log, *retries)

    async def sell(first: int) -> None:
        for number in range(first, first + 10):
            await reserved(Ledger(redis), log, ordered(number))

    await asyncio.gather(arrive(), arrive(), sell(100), sell(200))
    await let_pass(redis)
    while retries := await restocked(ledger, log):
        await reserved(ledger, log, *retries)
    [level] = await ledger.stock.levels(HZ, [NUT])
    assert (level.committed, level.available_to_promise) == (40, 0)
    assert len(await waiting(ledger)) == 10
    await is_sound(ledger, redis)


async def test_payments_after_the_hold_was_swept_are_counted_by_what_became_of_them(ledger: Ledger, log: Log) -> None:
    def count(outcome: str) -> float:
        return float(metrics.PAID_AFTER_EXPIRY.labels(outcome)._value.get())

    before = count("reserved"), count("backordered")
    await stocked(ledger, 2)
    held = [a_planned_order(an_unpaid_order(number), a_plan(HZ)) for number in ("1", "2")]
    await reserved(ledger, log, *held)
    await SweepAgent(ledger, lambda: 4e9, 100).tick()
    await reserved(ledger, log, ordered(9))
    for number in ("1", "2"):
        await reserved(ledger, log, a_planned_order(replace(an_order(number), revision="9"), a_plan(HZ)))
    assert (count("reserved") - before[0], count("backordered") - before[1]) == (1, 1)
    assert (await ledger.orders.where_is(an_order("2").uid)).state is OrderState.BACKORDERED
    assert len(await waiting(ledger)) == 1
