"""What the ledger is asked when an order was changed after it was paid, and for all other reviews nothing more."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.codes import HoldCode
from schemas.plan import Disposition, PlannedOrder
from tests.builders import a_line, a_plan, a_planned_order, an_order
from workers.inventory.operations.claim import Claim, ClaimOutcome
from workers.inventory.operations.reserve import Reserve, ReserveOutcome, Taking
from workers.inventory.records import Answer, Holdings
from workers.reserve.claimed import WorkflowResult
from workers.reserve.decide import reservation_workflow

HZ, BJ = "hangzhou", "beijing"
NUT, TEA = "NUT-BOX-500", "TEA-LONGJING-250"
Asked = list[tuple[str, Taking, Mapping[str, int]]]


def under_review(*codes: str) -> PlannedOrder:
    lines = (a_line(quantity=2), a_line(TEA, 3, line_id="2"))
    plan = a_plan(disposition=Disposition.REVIEW, candidates=(), hold_codes=codes)
    return a_planned_order(an_order(lines=lines), plan)


def walked(planned: PlannedOrder, holdings: Holdings, short: tuple[str, ...] = ()) -> tuple[Asked, WorkflowResult]:
    """Every step that is asked, one a round trip, and the end. Nothing can be added in the warehouses `short`."""
    asked: Asked = []
    steps = reservation_workflow(planned, Claim(ClaimOutcome.CLAIMED, holdings=holdings), holdings, 60)
    answers: list[Answer] | None = None
    while True:
        try:
            [step] = next(steps) if answers is None else steps.send(answers)
        except StopIteration as stop:
            return asked, stop.value
        assert isinstance(step, Reserve)
        asked.append((step.warehouse_id, step.taking, dict(step.quantities)))
        enough = step.taking is not Taking.GROW or step.warehouse_id not in short
        answers = [Answer(ReserveOutcome.RESERVED if enough else ReserveOutcome.INSUFFICIENT)]


def test_a_review_for_any_other_reason_costs_no_more_than_before() -> None:
    asked, ending = walked(under_review(HoldCode.REFUND_REQUESTED), {HZ: {NUT: 2}})
    assert asked == [(HZ, Taking.KEEP, {NUT: 2})]
    assert ending.holdings == {HZ: {NUT: 2}}


def test_what_was_added_is_taken_where_the_rest_is() -> None:
    asked, ending = walked(under_review(HoldCode.BALANCE_OPEN), {HZ: {NUT: 1}})
    assert asked == [(HZ, Taking.GROW, {NUT: 2, TEA: 3}), (HZ, Taking.KEEP, {NUT: 2, TEA: 3})]
    assert ending.holdings == {HZ: {NUT: 2, TEA: 3}}


def test_an_order_that_has_it_all_asks_for_nothing_more() -> None:
    asked, _ = walked(under_review(HoldCode.BALANCE_OPEN), {HZ: {NUT: 2, TEA: 3}})
    assert asked == [(HZ, Taking.KEEP, {NUT: 2, TEA: 3})]


def test_an_order_in_two_parcels_adds_in_the_first_that_has_it_all() -> None:
    asked, ending = walked(under_review(HoldCode.BALANCE_OPEN), {HZ: {NUT: 2}, BJ: {TEA: 1}}, short=(HZ,))
    assert asked[:2] == [(HZ, Taking.GROW, {NUT: 2, TEA: 2}), (BJ, Taking.GROW, {TEA: 3})]
    assert ending.holdings == {HZ: {NUT: 2}, BJ: {TEA: 3}}


def test_where_it_is_short_the_order_keeps_what_it_has() -> None:
    _, ending = walked(under_review(HoldCode.BALANCE_OPEN), {HZ: {NUT: 2}}, short=(HZ,))
    assert ending.holdings == {HZ: {NUT: 2}}


def test_an_order_without_stock_takes_none() -> None:
    assert walked(under_review(HoldCode.BALANCE_OPEN), {})[0] == []
