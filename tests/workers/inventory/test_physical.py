"""What leaves, comes in, is missing or counted late: on-hand units say what is there, in whatever order news comes."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from workers.inventory.ledger import Ledger
from workers.inventory.operations.allocate import Allocate, AllocateOutcome
from workers.inventory.operations.release import Giving, Release, ReleaseOutcome
from workers.inventory.operations.reserve import Reserve, ReserveOutcome
from workers.inventory.operations.ship import Ship, ShipOutcome
from workers.inventory.operations.short import Lost, Short, ShortOutcome
from workers.inventory.operations.steps import Step
from workers.inventory.operations.transfer import Transfer, TransferAction, TransferOutcome
from workers.inventory.operations.withdraw import Withdraw, WithdrawOutcome
from workers.inventory.records import Answer, Count, ReservationState, StockLevel

HZ, BJ = "hangzhou", "beijing"
NUT, TEA = "NUT-BOX-500", "TEA-LONGJING-250"
ORDER = "taobao:shop:1"


async def take(ledger: Ledger, units: dict[str, int], revision: str = "r1", fence: int = 1) -> Any:
    return await did(ledger, Reserve(HZ, ORDER, revision, fence, ReservationState.COMMITTED, units))


async def did(ledger: Ledger, step: Step) -> Any:
    [answer] = await ledger.orders.apply([step])
    assert isinstance(answer, Answer), answer
    return answer.outcome


async def level(ledger: Ledger, sku: str = NUT, warehouse: str = HZ) -> StockLevel:
    [found] = await ledger.stock.levels(warehouse, [sku])
    assert (await ledger.stock.audit()).is_clean
    return found


def ship(message: str, units: dict[str, int] | None = None, at_ms: int = 100) -> Ship:
    return Ship(HZ, ORDER, message, at_ms, units or {})


def short(message: str, lost: Lost, units: dict[str, int] | None = None, revision: str = "r1") -> Short:
    return Short(HZ, ORDER, message, 100, revision, lost, units or {})


async def stocked(ledger: Ledger, units: int = 10, at_ms: int = 50) -> None:
    await ledger.stock.set_counts(HZ, {NUT: Count(on_hand=units), TEA: Count(on_hand=units)}, at_ms)


# -- taking over and shipping


async def test_what_the_wms_took_over_is_allocated_once(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 2})
    assert await did(ledger, Allocate(HZ, ORDER)) is AllocateOutcome.ALLOCATED
    assert await did(ledger, Allocate(HZ, ORDER)) is AllocateOutcome.ALREADY
    found = await level(ledger)
    assert (found.committed, found.allocated, found.on_hand) == (0, 2, 10)


async def test_a_shipment_takes_the_units_off_and_the_same_message_does_nothing_more(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 2})
    await did(ledger, Allocate(HZ, ORDER))
    assert await did(ledger, ship("m1")) is ShipOutcome.SHIPPED
    assert await did(ledger, ship("m1")) is ShipOutcome.REPEAT
    found = await level(ledger)
    assert (found.allocated, found.on_hand, found.available_to_promise) == (0, 8, 8)


async def test_a_shipment_told_of_before_the_wms_took_the_order_over_is_a_shipment(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 2})
    assert await did(ledger, ship("m1")) is ShipOutcome.SHIPPED
    assert await did(ledger, Allocate(HZ, ORDER)) is AllocateOutcome.NOTHING_HELD
    assert (await level(ledger)).on_hand == 8


async def test_an_order_that_leaves_in_two_parts_is_shipped_with_the_second(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 3, TEA: 1})
    assert await did(ledger, ship("m1", {NUT: 2})) is ShipOutcome.PARTLY
    assert (await level(ledger)).committed == 1
    assert await did(ledger, ship("m2", {NUT: 1, TEA: 1})) is ShipOutcome.SHIPPED
    assert [(await level(ledger, sku)).on_hand for sku in (NUT, TEA)] == [7, 9]


async def test_a_later_revision_does_not_take_again_what_has_shipped(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 3})
    await did(ledger, ship("m1", {NUT: 2}))
    assert await take(ledger, {NUT: 3}, "r2", 2) is ReserveOutcome.RESERVED
    assert (await level(ledger)).committed == 1
    await did(ledger, ship("m2"))
    assert await take(ledger, {NUT: 3}, "r3", 3) is ReserveOutcome.SHIPPED
    found = await level(ledger)
    assert (found.committed, found.on_hand) == (0, 7)


async def test_a_revision_that_wants_no_more_than_has_shipped_gives_the_rest_back(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 3})
    await did(ledger, ship("m1", {NUT: 2}))
    assert await take(ledger, {NUT: 2}, "r2", 2) is ReserveOutcome.SHIPPED
    found = await level(ledger)
    assert (found.committed, found.on_hand, found.available_to_promise) == (0, 8, 8)


async def test_what_shipped_although_it_was_given_back_is_off_on_hand_and_told(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 2})
    await did(ledger, Release(HZ, ORDER, "r2", 2, [NUT]))
    assert await did(ledger, ship("m1")) is ShipOutcome.AFTER_RELEASE
    assert (await level(ledger)).on_hand == 8


async def test_a_shipment_of_an_order_that_was_never_here_needs_its_units_named(ledger: Ledger) -> None:
    await stocked(ledger)
    assert await did(ledger, ship("m1")) is ShipOutcome.NOTHING_KNOWN
    assert await did(ledger, ship("m1", {NUT: 1})) is ShipOutcome.AFTER_RELEASE
    assert (await level(ledger)).on_hand == 9


# -- giving up, and the WMS's answer


async def test_units_that_a_wms_was_told_of_wait_for_its_answer(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 2})
    assert await did(ledger, Release(HZ, ORDER, "r2", 2, [NUT], Giving.ASK)) is ReleaseOutcome.WAITING
    assert (await level(ledger)).available_to_promise == 8
    assert await did(ledger, Withdraw(HZ, ORDER, "r2")) is WithdrawOutcome.RELEASED
    assert (await level(ledger)).available_to_promise == 10


async def test_a_parcel_that_was_quicker_than_its_cancellation_is_shipped(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 2})
    await did(ledger, Release(HZ, ORDER, "r2", 2, [NUT], Giving.ASK))
    assert await did(ledger, ship("m1")) is ShipOutcome.SHIPPED
    assert await did(ledger, Withdraw(HZ, ORDER, "r2")) is WithdrawOutcome.NOTHING_HELD
    assert (await level(ledger)).on_hand == 8


async def test_an_answer_to_an_older_instruction_changes_nothing(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 2})
    await take(ledger, {NUT: 1}, "r2", 2)
    assert await did(ledger, Withdraw(HZ, ORDER, "r1")) is WithdrawOutcome.STALE
    assert await did(ledger, short("m1", Lost.UNITS, revision="r1")) is ShortOutcome.STALE
    assert await did(ledger, Withdraw(HZ, ORDER, "r2")) is WithdrawOutcome.GIVEN_UP
    assert (await level(ledger)).committed == 1


# -- short


async def test_an_empty_shelf_promises_nothing_more_until_it_is_counted(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 2})
    assert await did(ledger, short("m1", Lost.SHELF)) is ShortOutcome.NOTED
    found = await level(ledger)
    assert (found.on_hand, found.committed, found.available_to_promise) == (0, 0, 0)


async def test_an_empty_shelf_leaves_what_other_orders_may_have_in_their_parcels(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 2})
    await did(ledger, Reserve(HZ, "taobao:shop:2", "r1", 1, ReservationState.COMMITTED, {NUT: 3}))
    await did(ledger, short("m1", Lost.SHELF))
    found = await level(ledger)
    assert (found.on_hand, found.committed, found.available_to_promise) == (3, 3, 0)


async def test_damaged_units_are_lost_and_the_others_stay_reserved(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 3})
    await did(ledger, short("m1", Lost.UNITS, {NUT: 1}))
    assert await did(ledger, short("m1", Lost.UNITS, {NUT: 1})) is ShortOutcome.REPEAT
    found = await level(ledger)
    assert (found.on_hand, found.committed, found.available_to_promise) == (9, 2, 7)


# -- counts as of a time


async def test_a_count_that_comes_late_has_what_left_since_applied_to_it(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 2})
    await did(ledger, ship("m1", at_ms=200))
    assert await ledger.stock.set_counts(HZ, {NUT: Count(on_hand=30)}, at_ms=150) == {NUT: 28}
    assert await ledger.stock.set_counts(HZ, {NUT: Count(on_hand=30)}, at_ms=250) == {NUT: 30}


async def test_a_shipment_that_is_told_after_a_later_count_is_in_that_count_already(ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 2})
    await ledger.stock.set_counts(HZ, {NUT: Count(on_hand=8)}, at_ms=300)
    assert await did(ledger, ship("m1", at_ms=200)) is ShipOutcome.SHIPPED
    found = await level(ledger)
    assert (found.on_hand, found.committed) == (8, 0)


async def test_an_older_count_after_a_newer_one_changes_nothing(ledger: Ledger) -> None:
    await stocked(ledger, at_ms=500)
    assert await ledger.stock.set_counts(HZ, {NUT: Count(on_hand=99)}, at_ms=400) == {NUT: 10}


# -- transfers


def moving(action: TransferAction, warehouse: str = HZ, units: int = 4) -> Transfer:
    return Transfer(warehouse, "t1", action, 100, {NUT: units})


async def transferred(ledger: Ledger, step: Transfer) -> TransferOutcome:
    [(outcome, _)] = await ledger.stock.transfer([step])
    return outcome


async def test_a_transfer_moves_units_once_from_one_warehouse_to_the_other(ledger: Ledger) -> None:
    await stocked(ledger)
    steps = [
        moving(TransferAction.RESERVE),
        moving(TransferAction.SEND),
        moving(TransferAction.RECEIVE, BJ),
    ]
    for step in steps:
        assert await transferred(ledger, step) is TransferOutcome.DONE
        assert await transferred(ledger, step) is TransferOutcome.ALREADY
    assert [(await level(ledger, NUT, where)).on_hand for where in (HZ, BJ)] == [6, 4]


async def test_units_set_aside_for_a_transfer_are_not_sold_and_go_back_when_it_is_cancelled(ledger: Ledger) -> None:
    await stocked(ledger)
    await transferred(ledger, moving(TransferAction.RESERVE))
    [found] = await ledger.stock.levels(HZ, [NUT])
    assert (found.transfer, found.available_to_promise) == (4, 6)
    await transferred(ledger, moving(TransferAction.CANCEL))
    assert await transferred(ledger, moving(TransferAction.SEND)) is TransferOutcome.REFUSED
    assert (await level(ledger)).available_to_promise == 10


async def test_a_transfer_of_more_than_is_there_says_what_could_be_had(ledger: Ledger) -> None:
    await stocked(ledger)
    assert await ledger.stock.transfer([moving(TransferAction.RESERVE, units=11)]) == [
        (TransferOutcome.INSUFFICIENT, {NUT: 10})
    ]


# -- the events tell it all


async def test_the_events_say_the_whole_record_after_each_change(redis: Redis, ledger: Ledger) -> None:
    await stocked(ledger)
    await take(ledger, {NUT: 3})
    await did(ledger, ship("m1", {NUT: 1}))
    await did(ledger, Release(HZ, ORDER, "r2", 2, [NUT], Giving.ASK))
    events, _ = await ledger.outbox.read(HZ, 100)
    assert [event.kind.value for event in events] == ["counted", "committed", "shipped", "noted"]
    last = events[-1]
    assert (last.lines, last.shipped, last.stop, last.state, last.fence) == (
        {NUT: 2},
        {NUT: 1},
        "release",
        "committed",
        2,
    )
    assert events[2].message_id == "m1"
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    assert set(events[0].counted) == {NUT, TEA}


async def test_a_transfer_sends_no_more_than_it_reserved_and_keeps_nothing_back(ledger: Ledger) -> None:
    await stocked(ledger)
    await transferred(ledger, moving(TransferAction.RESERVE))
    assert await transferred(ledger, moving(TransferAction.SEND, units=5)) is TransferOutcome.REFUSED
    assert await transferred(ledger, moving(TransferAction.SEND, units=3)) is TransferOutcome.DONE
    found = await level(ledger)
    assert (found.transfer, found.on_hand, found.available_to_promise) == (0, 7, 7)


async def test_one_message_about_two_orders_is_two_movements_for_a_late_count(ledger: Ledger) -> None:
    await stocked(ledger, at_ms=1)
    other = "taobao:shop:2"
    await take(ledger, {NUT: 2})
    await did(ledger, Reserve(HZ, other, "r1", 1, ReservationState.COMMITTED, {NUT: 2}))
    await ledger.orders.apply([ship("batch-7", at_ms=10), Ship(HZ, other, "batch-7", 10)])
    assert await ledger.stock.set_counts(HZ, {NUT: Count(on_hand=10)}, at_ms=5) == {NUT: 6}


async def test_what_a_later_count_has_seen_already_changes_nothing_and_says_so(ledger: Ledger) -> None:
    await stocked(ledger, at_ms=500)
    await transferred(ledger, moving(TransferAction.RECEIVE))
    events, _ = await ledger.outbox.read(HZ, 9)
    assert events[-1].changes == ()
