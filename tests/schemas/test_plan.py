"""An order set aside for a person says why, and where it could go."""

from __future__ import annotations

from schemas.codes import PlanReason
from schemas.plan import Candidate, Disposition, PlannedOrder, RoutingPlan, to_review
from tests.builders import an_order

BEST = Candidate(warehouse_id="hangzhou", rule="near")
NEXT = Candidate(warehouse_id="beijing", rule="near")


def a_planned(**plan: object) -> PlannedOrder:
    near = PlanReason.ONLY(warehouse="hangzhou", rule="near")
    whole = {"disposition": Disposition.RESERVE, "ruleset": "r@1", "explanation": near, "candidates": (BEST, NEXT)}
    return PlannedOrder(order=an_order(), plan=RoutingPlan(**{**whole, **plan}))  # type: ignore[arg-type]


def test_a_warehouse_that_gave_the_order_back_is_not_suggested() -> None:
    plan = to_review(a_planned(gave_up=("hangzhou",)), "wms-gave-up", PlanReason.NO_RULE()).planned.plan
    assert (plan.suggested, plan.candidates) == ((NEXT,), ())


def test_what_asked_for_a_person_before_is_said_beside_the_new_reason() -> None:
    left = PlanReason.REST_NOT_TOLD(rest="TEA x2")
    review = to_review(a_planned(hold_codes=("vip",), reason="near"), "partly-shipped", left, {"TEA": 2})
    plan = review.planned.plan
    assert (plan.disposition, plan.explanation, plan.reason) == (Disposition.REVIEW, left, "")
    assert plan.hold_codes == ("vip", "partly-shipped")
    assert review.missing == {"TEA": 2}
