"""Which waiting orders are let through: the oldest that can be filled first, never two on the same units."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.plan import MOST_RETURNS, Disposition, OnShort, PlannedOrder, ReviewOrder
from schemas.record import encode
from schemas.revision import MOST_OWN_TRIES, retry_of, tries_of
from tests.builders import a_gift, a_line, a_plan, a_planned_order, an_order
from tests.sentences import reason_of
from workers.inventory.waiting import Waiting, waiting_of
from workers.restock.decide import StockAllocator, is_the_one, word_of

HZ, BJ, GZ = "hangzhou", "beijing", "guangzhou"
NUT, TEA = "NUT-BOX-500", "TEA-LONGJING-250"


def an_entry(units: int = 1, *warehouses: str, sku: str = NUT, **plan: object) -> Waiting:
    order = an_order(lines=(a_line(sku, units),))
    return waiting_of(a_planned_order(order, a_plan(*(warehouses or (HZ,)), **plan)), "3:7")  # type: ignore[arg-type]


def tried(planned: PlannedOrder, times: int) -> PlannedOrder:
    revision = planned.order.revision
    for _ in range(times):
        revision = retry_of(revision)
    return replace(planned, order=replace(planned.order, revision=revision))


def test_the_oldest_get_what_is_there_and_the_rest_go_on_waiting() -> None:
    allocator = StockAllocator({(HZ, NUT): 5})
    assert [allocator.allocate(an_entry(units)) for units in (2, 3, 1)] == [(HZ,), (HZ,), ()]
    assert allocator.is_empty


def test_a_younger_order_passes_an_older_one_that_cannot_be_filled() -> None:
    allocator = StockAllocator({(HZ, NUT): 5})
    assert [allocator.allocate(an_entry(units)) for units in (6, 5)] == [(), (HZ,)]


def test_an_older_order_at_its_second_candidate_leaves_nothing_there_for_a_younger_one() -> None:
    allocator = StockAllocator({(BJ, NUT): 2})
    assert [allocator.allocate(an_entry(2, HZ, BJ)), allocator.allocate(an_entry(1, BJ))] == [(BJ,), ()]


def test_all_of_an_order_must_be_in_one_warehouse_unless_it_may_be_split() -> None:
    order = an_order(lines=(a_line(), a_line(TEA, line_id="2"), a_gift(bound_to=("2",))))
    there = {(HZ, NUT): 1, (BJ, TEA): 1, (BJ, "GIFT-DRIPPER"): 1}
    whole = waiting_of(a_planned_order(order, a_plan(HZ, BJ)), "0:0")
    split = waiting_of(a_planned_order(order, a_plan(HZ, BJ, on_short=OnShort.SPLIT)), "0:0")
    assert StockAllocator(there).allocate(whole) == ()
    allocator = StockAllocator(there)
    assert set(allocator.allocate(split)) == {HZ, BJ}
    assert allocator.is_empty


def test_a_gift_is_not_torn_from_its_main_line() -> None:
    order = an_order(lines=(a_line(), a_line(TEA, line_id="2"), a_gift(bound_to=("2",))))
    split = waiting_of(a_planned_order(order, a_plan(HZ, BJ, on_short=OnShort.SPLIT)), "0:0")
    assert StockAllocator({(HZ, NUT): 1, (HZ, "GIFT-DRIPPER"): 1, (BJ, TEA): 1}).allocate(split) == ()


def test_a_warehouse_that_gave_the_order_back_is_asked_last() -> None:
    entry = an_entry(1, HZ, BJ, gave_up=(HZ,))
    assert StockAllocator({(HZ, NUT): 1, (BJ, NUT): 1}).allocate(entry) == (BJ,)
    assert StockAllocator({(HZ, NUT): 1}).allocate(entry) == (HZ,)


def test_what_a_count_found_to_be_less_than_nothing_is_nothing() -> None:
    assert StockAllocator({(HZ, NUT): -3}).is_empty


def test_the_next_try_is_newer_and_may_go_anywhere_again() -> None:
    planned = a_planned_order(an_order(), a_plan(HZ, BJ, gave_up=(HZ,)))
    entry = waiting_of(planned, "0:0")
    event = word_of(entry, (BJ,), planned)
    assert isinstance(event, PlannedOrder)
    assert (event.order.revision, event.plan.gave_up) == (retry_of(planned.order.revision), ())
    assert encode(word_of(entry, (BJ,), planned)) == encode(event)


@pytest.mark.parametrize(("tries", "gave_up"), [(MOST_OWN_TRIES, ()), (MOST_RETURNS, (HZ,))])
def test_an_order_that_was_tried_too_often_becomes_a_case_for_a_person(tries: int, gave_up: tuple[str, ...]) -> None:
    planned = tried(a_planned_order(an_order(), a_plan(HZ, gave_up=gave_up, returns=MOST_RETURNS)), tries)
    event = word_of(waiting_of(planned, "0:0"), (HZ,), planned)
    assert isinstance(event, ReviewOrder)
    assert event.planned.plan.disposition is Disposition.REVIEW
    assert event.planned.order.revision == planned.order.revision
    assert str(tries) in reason_of(event.planned)


def test_an_order_that_only_waited_long_goes_to_a_warehouse_that_gave_it_back_once() -> None:
    planned = tried(a_planned_order(an_order(), a_plan(HZ, gave_up=(HZ,), returns=1)), 40)
    event = word_of(waiting_of(planned, "0:0"), (HZ,), planned)
    assert isinstance(event, PlannedOrder)
    assert event.plan.returns == 1


def test_returns_of_one_warehouse_do_not_keep_an_order_from_another() -> None:
    planned = tried(a_planned_order(an_order(), a_plan(HZ, BJ, gave_up=(HZ,), returns=MOST_RETURNS)), MOST_RETURNS)
    event = word_of(waiting_of(planned, "0:0"), (BJ,), planned)
    assert isinstance(event, PlannedOrder)
    assert tries_of(event.order.revision) == MOST_RETURNS + 1


def test_what_stands_at_the_place_of_an_entry_must_be_its_order() -> None:
    planned = a_planned_order()
    entry = waiting_of(planned, "0:0")
    assert is_the_one(planned, entry)
    assert not is_the_one(None, entry)
    assert not is_the_one(a_planned_order(an_order("other")), entry)
    assert not is_the_one(tried(planned, 1), entry)
