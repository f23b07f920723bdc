"""The order book is held to the books of a run, order by order."""

from __future__ import annotations

from ops.testbed.oracle.accounts import Books
from ops.testbed.oracle.book import caught_up, disagreements
from schemas.codes import PlanReason
from schemas.fulfillment import FulfillmentInstruction, WmsEvent, WmsEventKind
from schemas.plan import Backorder, Disposition, PlannedOrder, to_review
from schemas.record import changed, encode
from schemas.revision import retry_of
from tests.builders import a_plan, a_planned_order, a_wms_event, an_order
from tests.workers.book.stories import an_instruction
from workers.reserve.result import pick_line

IGNORED = a_planned_order(an_order("1"), a_plan(disposition=Disposition.IGNORE))
HELD_UP = a_planned_order(an_order("2"), a_plan(disposition=Disposition.REVIEW))


def told_of(planned: PlannedOrder) -> FulfillmentInstruction:
    """The instruction to ship all of it."""
    return changed(an_instruction(planned), purchased=tuple(pick_line(line) for line in planned.order.lines))


def has_left(instruction: FulfillmentInstruction) -> WmsEvent:
    """The warehouse's answer that all of it was shipped."""
    units = {line.sku: line.quantity for line in instruction.purchased}
    return a_wms_event(instruction, WmsEventKind.SHIPPED, quantities=units)


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


def test_an_order_that_wants_more_than_has_left_waits() -> None:
    told = a_planned_order(an_order("3"))
    again = changed(told, order=changed(told.order, revision=retry_of(told.order.revision)))
    instruction, found, uid = told_of(told), Books(), told.order.uid
    left = has_left(instruction)
    found.add("orders.planned", uid, told.order.revision, encode(told))
    found.add("orders.routed.hangzhou", uid, instruction.instruction_id, encode(instruction))
    found.add("wms.events", uid, left.message_id, encode(left))
    found.add("orders.planned", uid, again.order.revision, encode(again))
    assert disagreements(found, {uid: "shipped"}) == []
    assert disagreements(found, {uid: "backordered"}) != []
    found.add("orders.backordered", uid, again.order.revision, encode(Backorder(planned=again, missing={})))
    assert disagreements(found, {uid: "backordered"}) == []
    assert disagreements(found, {uid: "shipped"}) != []


def test_an_order_that_goes_on_while_it_is_looked_at_is_no_disagreement() -> None:
    """It waited for stock when all was quiet, and was shipped before the order book was asked."""
    waits = a_planned_order(an_order("3"))
    again = changed(waits, order=changed(waits.order, revision=retry_of(waits.order.revision)))
    instruction, uid = told_of(again), waits.order.uid
    left = has_left(instruction)
    found = Books()
    found.add("orders.planned", uid, waits.order.revision, encode(waits))
    found.add("orders.backordered", uid, waits.order.revision, encode(Backorder(planned=waits, missing={})))
    later = iter(
        [
            ("orders.planned", again.order.revision, encode(again)),
            ("orders.routed.hangzhou", instruction.instruction_id, encode(instruction)),
            ("wms.events", left.message_id, encode(left)),
        ]
    )

    def read() -> None:
        for topic, dedupe, value in later:
            found.add(topic, uid, dedupe, value)
            return

    assert caught_up(found, read, lambda: {uid: "shipped"}, 60) == (1, [])


def test_a_book_that_stays_wrong_is_told_of() -> None:
    wrong = {IGNORED.order.uid: "planned", HELD_UP.order.uid: "review"}
    assert caught_up(books(), lambda: None, lambda: wrong, 0) == (2, ["taobao:tea-house:1: planned, and is ignored"])
