"""What happens becomes notices: dead letters by kind, and what buyers have paid for and is not there."""

from __future__ import annotations

from schemas.dead_letter import DeadLetter
from schemas.order import PaymentStatus
from schemas.plan import Backorder
from schemas.record import changed
from tests.builders import NOON, a_plan, a_planned_order, an_order
from workers.watch.decide import of_backorder, of_letter


def a_letter(reason: str, offset: int) -> DeadLetter:
    return DeadLetter(
        letter_id=f"orders.raw.jd/0/{offset}",
        stage="normalize",
        reason=reason,
        failures=(),
        topic="orders.raw.jd",
        partition=0,
        offset=offset,
        key="jd:main:1",
        headers={},
        payload_base64="",
    )


def test_letters_of_one_stage_and_reason_are_one_matter() -> None:
    one, same, other = (
        of_letter(letter, NOON) for letter in (a_letter("bug", 1), a_letter("bug", 2), a_letter("bad-money", 3))
    )
    assert one.key == same.key == "dead-letters/normalize/bug"
    assert other.key != one.key
    assert "jd:main:1" not in repr(one)


def test_only_what_is_paid_for_and_not_there_is_told_by_sku() -> None:
    paid = Backorder(planned=a_planned_order(an_order("1"), a_plan()), missing={"TEA": 2, "NUT": 1})
    assert [one.key for one in of_backorder(paid, NOON)] == ["paid-backorders/NUT", "paid-backorders/TEA"]
    order = changed(an_order("1"), payment=PaymentStatus.UNPAID)
    unpaid = Backorder(planned=a_planned_order(order, a_plan()), missing={"TEA": 2})
    assert of_backorder(unpaid, NOON) == []
