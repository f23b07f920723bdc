"""The order book is held to the books of a run, order by order."""

from __future__ import annotations

from ops.testbed.oracle.accounts import Books
from ops.testbed.oracle.book import disagreements
from schemas.codes import PlanReason
from schemas.plan import Disposition, to_review
from schemas.record import encode
from tests.builders import a_plan, a_planned_order, an_order

IGNORED = a_planned_order(an_order("1"), a_plan(disposition=Disposition.IGNORE))
HELD_UP = a_planned_order(an_order("2"), a_plan(disposition=Disposition.REVIEW))


def books() -> Books:
    found = Books()
    for planned in (IGNORED, HELD_UP):
        found.add("orders.planned", planned.order.uid, planned.order.revision, encode(planned))
    review = to_review(HELD_UP, "sku-unknown", PlanReason.NO_RULE())
    found.add("orders.review", HELD_UP.order.uid, HELD_UP.order.revision, encode(review))
    return found


def test_a_book_that_has_each_order_where_it_is() -> None:
    assert disagreements(books(), {IGNORED.order.uid: "done", HELD_UP.order.uid: "review"}) == []


def test_an_order_in_another_stage_one_that_is_missing_and_one_that_nobody_knows() -> None:
    found = disagreements(books(), {IGNORED.order.uid: "planned", "taobao:tea-house:9": "routed"})
    assert found == [
        "taobao:tea-house:1: planned, and is ignored",
        "taobao:tea-house:2: not in the order book, and is review",
        "taobao:tea-house:9: routed, and is unknown",
    ]
