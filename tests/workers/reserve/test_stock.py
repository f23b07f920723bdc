"""What becomes of the stock of planned orders, on a real Redis: once, in one warehouse, never more than there is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.codes import HoldCode
from schemas.fulfillment import FulfillmentInstruction, InstructionKind
from schemas.order import Line, Order
from schemas.plan import Backorder, Disposition, OnShort, PlannedOrder, TransferRequest
from schemas.record import encode
from schemas.revision import retry_of
from tests.builders import (
    a_cancelled_order,
    a_gift,
    a_line,
    a_plan,
    a_planned_order,
    a_ship_to,
    an_order,
    an_unpaid_order,
)
from tests.fakes import DyingLedger
from workers.inventory.ledger import Ledger
from workers.inventory.operations.allocate import Allocate
from workers.inventory.operations.withdraw import Withdraw, WithdrawOutcome
from workers.inventory.records import Answer, Count, OrderState
from workers.relay.agent import RelayAgent
from workers.reserve.agent import ReserveAgent
from workers.runtime.errors import TransientError
from workers.runtime.stage import Delivery
from workers.sweep.agent import SweepAgent

HZ, BJ = "hangzhou", "beijing"
NUT, TEA = "NUT-BOX-500", "TEA-LONGJING-250"


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis)


@pytest.fixture
def agent(ledger: Ledger) -> ReserveAgent:
    return ReserveAgent(ledger, hold_seconds=60)


async def stocked(ledger: Ledger, warehouse: str, **units: int) -> None:
    names = {"nut": NUT, "tea": TEA, "gift": "GIFT-DRIPPER"}
    await ledger.stock.set_counts(warehouse, {names[name]: Count(on_hand=count) for name, count in units.items()})


def planned(order: Order, *warehouses: str, revision: str = "", **plan: Any) -> PlannedOrder:
    named = replace(order, revision=revision) if revision else order
    return a_planned_order(named, a_plan(*(warehouses or (HZ,)), **plan))


async def handled(agent: ReserveAgent, *orders: PlannedOrder) -> list[list[Any]]:
    outcomes = await agent.handle([Delivery(one, key=one.order.uid.encode()) for one in orders])
    assert all(isinstance(outcome, Sequence) for outcome in outcomes), outcomes
    return [list(outcome) for outcome in outcomes if isinstance(outcome, Sequence)]


async def counters(ledger: Ledger, warehouse: str = HZ, sku: str = NUT) -> tuple[int, int, int]:
    [level] = await ledger.stock.levels(warehouse, [sku])
    assert level.available_to_promise >= 0
    assert (await ledger.stock.audit()).findings == ()
    return level.held, level.committed, level.available_to_promise


async def test_a_paid_order_is_committed_and_told_to_its_warehouse(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=10, gift=5)
    order = an_order(lines=(a_line(quantity=2), a_gift(bound_to=("1",))))
    [[told]] = await handled(agent, planned(order))
    assert isinstance(told, FulfillmentInstruction)
    assert (told.kind, told.warehouse_id) == (InstructionKind.FULFIL, HZ)
    assert [(line.sku, line.quantity) for line in told.purchased] == [(NUT, 2)]
    assert [(line.sku, line.quantity) for line in told.gifts] == [("GIFT-DRIPPER", 1)]
    assert await counters(ledger) == (0, 2, 8)


async def test_an_unpaid_order_is_held_then_committed_when_it_is_paid(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=10)
    assert await handled(agent, planned(an_unpaid_order(), revision="r1")) == [[]]
    assert await counters(ledger) == (1, 0, 9)
    [[told]] = await handled(agent, planned(an_order(), revision="r2"))
    assert told.kind is InstructionKind.FULFIL
    assert await counters(ledger) == (0, 1, 9)


async def test_a_repeat_says_the_same_bytes_and_takes_nothing(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=10)
    first = await handled(agent, planned(an_order()))
    again = await handled(agent, planned(an_order()))
    assert [encode(event) for event in first[0]] == [encode(event) for event in again[0]]
    assert await counters(ledger) == (0, 1, 9)


async def test_an_older_revision_after_a_newer_one_changes_nothing(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=10)
    await handled(agent, planned(an_order(), revision="r2"))
    assert await handled(agent, planned(an_unpaid_order(), revision="r1")) == [[]]
    assert await counters(ledger) == (0, 1, 9)


def cancelled(revision: str = "r2") -> PlannedOrder:
    return planned(a_cancelled_order(), revision=revision, disposition=Disposition.RELEASE)


async def withdrawn(ledger: Ledger, revision: str, warehouse: str = HZ) -> WithdrawOutcome:
    [answer] = await ledger.orders.apply([Withdraw(warehouse, an_order().uid, revision)])
    assert isinstance(answer, Answer)
    assert isinstance(answer.outcome, WithdrawOutcome)
    return answer.outcome


async def test_a_cancelled_order_keeps_its_units_until_the_warehouse_says_that_it_does_not_ship_them(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    await stocked(ledger, HZ, nut=10)
    await handled(agent, planned(an_order(), revision="r1"))
    [[told]] = await handled(agent, cancelled())
    assert (told.kind, told.warehouse_id, told.purchased) == (InstructionKind.CANCEL, HZ, ())
    assert await counters(ledger) == (0, 1, 9)
    assert await withdrawn(ledger, "r2") is WithdrawOutcome.RELEASED
    assert await counters(ledger) == (0, 0, 10)


async def test_a_cancelled_hold_goes_back_at_once(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=10)
    await handled(agent, planned(an_unpaid_order(), revision="r1"))
    assert await handled(agent, cancelled()) == [[]]
    assert await counters(ledger) == (0, 0, 10)


async def test_where_no_wms_ever_answers_a_cancellation_gives_the_stock_back_at_once(ledger: Ledger) -> None:
    agent = ReserveAgent(ledger, 60, silent=[HZ])
    await stocked(ledger, HZ, nut=10)
    await handled(agent, planned(an_order(), revision="r1"))
    [[told]] = await handled(agent, cancelled())
    assert told.kind is InstructionKind.CANCEL
    assert await counters(ledger) == (0, 0, 10)


async def test_where_no_wms_ever_answers_the_platforms_word_takes_what_it_shipped_off_on_hand(ledger: Ledger) -> None:
    agent = ReserveAgent(ledger, 60, silent=[HZ])
    await ledger.stock.set_counts(HZ, {NUT: Count(on_hand=10)}, at_ms=1)
    await handled(agent, planned(an_order(), revision="r1"))
    await handled(agent, planned(an_order(), revision="r2", disposition=Disposition.IGNORE))
    assert await counters(ledger) == (0, 0, 9)
    [level] = await ledger.stock.levels(HZ, [NUT])
    assert level.on_hand == 9


async def test_all_revisions_of_one_order_in_one_batch_end_as_the_last_says(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    await stocked(ledger, HZ, nut=10)
    held, paid, gone = await handled(
        agent,
        planned(an_unpaid_order(), revision="r1"),
        planned(an_order(), revision="r2"),
        planned(a_cancelled_order(), revision="r3", disposition=Disposition.RELEASE),
    )
    assert [len(held), paid[0].kind, gone[0].kind] == [0, InstructionKind.FULFIL, InstructionKind.CANCEL]
    assert await withdrawn(ledger, "r3") is WithdrawOutcome.RELEASED
    assert await counters(ledger) == (0, 0, 10)


async def test_the_second_candidate_ships_what_the_first_is_short_of(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=1)
    await stocked(ledger, BJ, nut=5)
    [[told]] = await handled(agent, planned(an_order(lines=(a_line(quantity=2),)), HZ, BJ))
    assert told.warehouse_id == BJ
    assert await counters(ledger, HZ) == (0, 0, 1)


async def test_a_short_order_is_backordered_with_what_is_missing(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=1)
    [[event]] = await handled(agent, planned(an_order(lines=(a_line(quantity=3),))))
    assert isinstance(event, Backorder)
    assert event.missing == {NUT: 2}
    assert await counters(ledger) == (0, 0, 1)


async def test_a_short_order_asks_for_a_transfer_where_its_rule_says_so(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=1)
    [[event]] = await handled(agent, planned(an_order(lines=(a_line(quantity=3),)), on_short=OnShort.TRANSFER))
    assert isinstance(event, TransferRequest)
    assert (event.to_warehouse, event.quantities) == (HZ, {NUT: 2})


async def test_a_split_keeps_the_gift_beside_its_main_line(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=5)
    await stocked(ledger, BJ, tea=5, gift=5)
    order = an_order(lines=(a_line(), a_line(TEA, line_id="2"), a_gift(bound_to=("2",))))
    [parcels] = await handled(agent, planned(order, HZ, BJ, on_short=OnShort.SPLIT))
    shipped = {told.warehouse_id: [line.sku for line in (*told.purchased, *told.gifts)] for told in parcels}
    assert shipped == {HZ: [NUT], BJ: [TEA, "GIFT-DRIPPER"]}
    assert sorted((told.parcel, told.parcels) for told in parcels) == [(1, 2), (2, 2)]


async def test_a_held_order_that_moves_leaves_its_old_warehouse(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=5)
    await stocked(ledger, BJ, nut=5)
    await handled(agent, planned(an_unpaid_order(), HZ, revision="r1"))
    assert await handled(agent, planned(an_unpaid_order(), BJ, revision="r2")) == [[]]
    assert await counters(ledger, HZ) == (0, 0, 5)
    assert await counters(ledger, BJ) == (1, 0, 4)


async def test_an_order_that_a_warehouse_was_told_of_stays_there_whatever_the_rules_say_now(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    await stocked(ledger, HZ, nut=5)
    await stocked(ledger, BJ, nut=5)
    await handled(agent, planned(an_order(), HZ, revision="r1"))
    moved = an_order(ship_to=a_ship_to(province="北京"))
    [[told]] = await handled(agent, planned(moved, BJ, revision="r2"))
    assert (told.kind, told.warehouse_id) == (InstructionKind.CHANGE, HZ)
    assert await counters(ledger, HZ) == (0, 1, 4)
    assert await counters(ledger, BJ) == (0, 0, 5)


async def test_a_partly_refunded_order_changes_where_it_is(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=5, tea=5)
    both = (a_line(), a_line(TEA, line_id="2"))
    await handled(agent, planned(an_order(lines=both), revision="r1"))
    [[told]] = await handled(agent, planned(an_order(lines=both[:1]), revision="r2"))
    assert (told.kind, [line.sku for line in told.purchased]) == (InstructionKind.CHANGE, [NUT])
    assert await counters(ledger, sku=TEA) == (0, 1, 4)  # it may have left already: the warehouse is to say


async def test_where_no_wms_ever_answers_a_change_gives_back_what_it_leaves_out_at_once(ledger: Ledger) -> None:
    agent = ReserveAgent(ledger, 60, silent=[HZ])
    await stocked(ledger, HZ, nut=5, tea=5)
    both = (a_line(), a_line(TEA, line_id="2"))
    await handled(agent, planned(an_order(lines=both), revision="r1"))
    await handled(agent, planned(an_order(lines=both[:1]), revision="r2"))
    assert await counters(ledger, sku=TEA) == (0, 0, 5)


async def test_a_change_that_asks_for_more_than_there_is_leaves_the_warehouse_with_what_it_has(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    await stocked(ledger, HZ, nut=2)
    await handled(agent, planned(an_order(), revision="r1"))
    [[event]] = await handled(agent, planned(an_order(lines=(a_line(quantity=3),)), revision="r2"))
    assert isinstance(event, Backorder)
    assert event.missing == {NUT: 1}
    assert await counters(ledger) == (0, 1, 1)


async def test_a_split_order_is_changed_in_the_parcel_that_changed(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=5)
    await stocked(ledger, BJ, tea=5)
    lines = (a_line(), a_line(TEA, line_id="2", quantity=2))
    await handled(agent, planned(an_order(lines=lines), HZ, BJ, revision="r1", on_short=OnShort.SPLIT))
    fewer = (lines[0], a_line(TEA, line_id="2", quantity=1))
    [[told]] = await handled(agent, planned(an_order(lines=fewer), HZ, BJ, revision="r2", on_short=OnShort.SPLIT))
    assert (told.kind, told.warehouse_id, told.parcel, told.parcels) == (InstructionKind.CHANGE, BJ, 1, 2)
    assert await counters(ledger, BJ, TEA) == (0, 2, 3)  # until the warehouse says that it follows


async def test_an_order_that_its_warehouse_gave_back_is_placed_elsewhere_and_not_there_again(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    await stocked(ledger, HZ, nut=5)
    await stocked(ledger, BJ, nut=5)
    await handled(agent, planned(an_order(), HZ, BJ, revision="r1"))
    [[told]] = await handled(agent, planned(an_order(), HZ, BJ, revision=retry_of("r1"), gave_up=(HZ,)))
    assert (told.kind, told.warehouse_id) == (InstructionKind.FULFIL, BJ)
    assert await counters(ledger, HZ) == (0, 0, 5)
    assert await counters(ledger, BJ) == (0, 1, 4)


async def test_a_payment_after_the_hold_was_swept_is_backordered_with_word_to_tell_the_buyer(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    await stocked(ledger, HZ, nut=1)
    await handled(agent, planned(an_unpaid_order(), revision="r1"))
    await SweepAgent(ledger, lambda: 4e9, 100).tick()
    await handled(agent, planned(an_order("other"), revision="r1"))
    [[event]] = await handled(agent, planned(an_order(), revision="r2"))
    assert isinstance(event, Backorder)
    assert event.after_expiry


async def test_an_order_under_review_waits_with_its_units_when_its_warehouse_has_stopped(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    await stocked(ledger, HZ, nut=5)
    await handled(agent, planned(an_order(), revision="r1"))
    await ledger.orders.apply([Allocate(HZ, an_order().uid)])
    [[told]] = await handled(agent, planned(an_order(), revision="r2", disposition=Disposition.REVIEW))
    assert told.kind is InstructionKind.CANCEL
    assert await withdrawn(ledger, "r2") is WithdrawOutcome.KEPT
    assert await counters(ledger) == (0, 1, 4)
    [[told]] = await handled(agent, planned(an_order(), revision="r3"))
    assert told.kind is InstructionKind.FULFIL


def owing(*lines: Line, revision: str = "r2") -> PlannedOrder:
    """Changed after it was paid; the buyer owes the difference."""
    codes = (HoldCode.BALANCE_OPEN,)
    return planned(an_order(lines=lines), revision=revision, disposition=Disposition.REVIEW, hold_codes=codes)


async def test_what_was_added_to_a_paid_order_is_kept_with_the_rest_until_the_difference_is_paid(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    await stocked(ledger, HZ, nut=5, tea=5)
    lines = (a_line(quantity=2), a_line(TEA, line_id="2", quantity=3))
    await handled(agent, planned(an_order(), revision="r1"))
    [[told]] = await handled(agent, owing(*lines))
    assert told.kind is InstructionKind.CANCEL
    assert (await counters(ledger), await counters(ledger, sku=TEA)) == ((0, 2, 3), (0, 3, 2))
    assert await withdrawn(ledger, "r2") is WithdrawOutcome.KEPT
    assert await handled(agent, owing(*lines, revision="r3")) == [[]]
    assert (await counters(ledger), await counters(ledger, sku=TEA)) == ((0, 2, 3), (0, 3, 2))
    [[told]] = await handled(agent, planned(an_order(lines=lines), revision="r4"))
    assert [(line.sku, line.quantity) for line in told.purchased] == [(NUT, 2), (TEA, 3)]
    assert (await counters(ledger), await counters(ledger, sku=TEA)) == ((0, 2, 3), (0, 3, 2))


async def test_when_a_part_of_what_was_added_is_not_there_the_order_keeps_what_it_has(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    await stocked(ledger, HZ, nut=5, tea=2)
    await handled(agent, planned(an_order(), revision="r1"))
    [[told]] = await handled(agent, owing(a_line(quantity=2), a_line(TEA, line_id="2", quantity=3)))
    assert told.kind is InstructionKind.CANCEL
    assert (await counters(ledger), await counters(ledger, sku=TEA)) == ((0, 1, 4), (0, 0, 2))
    assert await withdrawn(ledger, "r2") is WithdrawOutcome.KEPT
    assert await handled(agent, planned(a_cancelled_order(), revision="r3", disposition=Disposition.RELEASE)) == [[]]
    assert await counters(ledger) == (0, 0, 5)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 5))
async def test_a_worker_that_dies_while_it_adds_adds_once(
    ledger: Ledger, agent: ReserveAgent, redis: Redis, step: int, *, after: bool
) -> None:
    await stocked(ledger, HZ, nut=5, tea=5)
    await handled(agent, planned(an_order(), revision="r1"))
    added = owing(a_line(), a_line(TEA, line_id="2", quantity=3))
    with suppress(TransientError):
        await handled(ReserveAgent(DyingLedger(redis, step, after=after), 60), added)
    [[told]] = await handled(agent, added)
    assert told.kind is InstructionKind.CANCEL
    assert (await counters(ledger), await counters(ledger, sku=TEA)) == ((0, 1, 4), (0, 3, 2))


async def test_two_orders_that_add_the_last_units_do_not_both_get_them(ledger: Ledger) -> None:
    await stocked(ledger, HZ, nut=5, tea=3)
    adding = []
    for number in range(2):
        order, agent = an_order(f"100{number}"), ReserveAgent(ledger, hold_seconds=60)
        await handled(agent, planned(order, revision="r1"))
        more = owing(a_line(), a_line(TEA, line_id="2", quantity=3))
        adding.append(handled(agent, replace(more, order=replace(more.order, uid=order.uid))))
    await asyncio.gather(*adding)
    assert (await counters(ledger), await counters(ledger, sku=TEA)) == ((0, 2, 3), (0, 3, 0))


async def test_a_review_keeps_the_hold_and_a_payment_makes_it_safe_from_the_sweeper(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    await stocked(ledger, HZ, nut=5)
    await handled(agent, planned(an_unpaid_order(), revision="r1"))
    await handled(agent, planned(an_order(), revision="r2", disposition=Disposition.REVIEW))
    await SweepAgent(ledger, lambda: 4e9, 100).tick()
    assert await counters(ledger) == (0, 1, 4)


async def test_sweepers_race_for_a_due_hold_and_a_late_payment_tries_again(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=1)
    await handled(agent, planned(an_unpaid_order(), revision="r1"))
    await SweepAgent(ledger, lambda: 0.0, 100).tick()
    assert await counters(ledger) == (1, 0, 0)
    await asyncio.gather(*(SweepAgent(ledger, lambda: 4e9, 100).tick() for _ in range(5)))
    assert await counters(ledger) == (0, 0, 1)
    assert (await ledger.orders.where_is(an_order().uid)).state is OrderState.EXPIRED
    [[told]] = await handled(agent, planned(an_order(), revision="r2"))
    assert told.kind is InstructionKind.FULFIL


async def test_a_hundred_orders_race_for_thirty_units_and_thirty_win(redis: Redis, ledger: Ledger) -> None:
    await stocked(ledger, HZ, nut=30)
    agents = [ReserveAgent(Ledger(redis), 60) for _ in range(10)]
    orders = [planned(an_order(str(number))) for number in range(100)]
    outcomes = await asyncio.gather(*(handled(agents[n % 10], one) for n, one in enumerate(orders)))
    won = sum(isinstance(event, FulfillmentInstruction) for [events] in outcomes for event in events)
    assert won == 30
    assert await counters(ledger) == (0, 30, 0)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 8))
async def test_a_death_between_any_two_steps_leaves_one_warehouse_and_right_counters(
    redis: Redis, ledger: Ledger, agent: ReserveAgent, step: int, after: bool
) -> None:
    await stocked(ledger, HZ, nut=1)
    await stocked(ledger, BJ, nut=5)
    order = planned(an_order(lines=(a_line(quantity=2),)), HZ, BJ)
    try:
        await handled(ReserveAgent(DyingLedger(redis, step, after=after), 60), order)
    except TransientError:
        await stocked(ledger, HZ, nut=10)  # what the first candidate lacked has come: it must not take it twice
    [events] = await handled(agent, order)
    told = [event for event in events if event.kind is not InstructionKind.CANCEL]
    assert len(told) == 1
    committed = {warehouse: (await counters(ledger, warehouse))[1] for warehouse in (HZ, BJ)}
    assert committed == {HZ: 0, BJ: 0} | {told[0].warehouse_id: 2}


async def test_the_relay_says_the_same_until_it_is_confirmed(ledger: Ledger, agent: ReserveAgent) -> None:
    await stocked(ledger, HZ, nut=5)
    await handled(agent, planned(an_order()))
    relay = RelayAgent(ledger)
    first = await relay.tick()
    assert [event.kind.value for event in first] == ["counted", "committed"]
    assert await relay.tick() == first
    await relay.confirmed()
    assert await relay.tick() == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(1, 8))
async def test_a_death_within_a_batch_of_two_revisions_loses_no_instruction(
    redis: Redis, ledger: Ledger, agent: ReserveAgent, step: int, after: bool
) -> None:
    await stocked(ledger, HZ, nut=5)
    batch = [planned(an_order(), revision="r1"), planned(an_order(), revision="r2")]
    with suppress(TransientError):  # step 7 comes after all of it: Redis has both, Kafka has none
        await handled(ReserveAgent(DyingLedger(redis, step, after=after), 60), *batch)
    first, second = await handled(agent, *batch)
    assert [(told.kind, told.warehouse_id, told.revision) for told in first] == [(InstructionKind.FULFIL, HZ, "r1")]
    assert second == []  # the same lines for the same receiver: nothing new to tell
    assert await counters(ledger) == (0, 1, 4)


async def test_an_older_revision_says_again_what_it_said_after_a_newer_one_came(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    await stocked(ledger, HZ, nut=5)
    paid = planned(an_order(), revision="r1")
    gone = planned(a_cancelled_order(), revision="r2", disposition=Disposition.RELEASE)
    said = await handled(agent, paid, gone)
    again = [*await handled(agent, paid), *await handled(agent, gone)]  # delivered again, in batches cut elsewhere
    assert [encode(events) for events in again] == [encode(events) for events in said]
    assert await counters(ledger) == (0, 1, 4)
