"""What people decided about an order, weighed with what the rules say of it. Pure. Decision 26."""

from __future__ import annotations

from typing import Final

from schemas.codes import HoldCode, PlanReason
from schemas.decision import Settled, Upheld
from schemas.order import OrderStatus
from schemas.plan import Candidate, Disposition, OnShort, RoutingPlan, TaggedOrder
from schemas.record import changed
from workers.decisions.standing import still_settles
from workers.rules.ruleset import Rule

BY_HAND: Final = "by-hand"
"""What stands in the place of a rule's name where a person chose the warehouse."""


def without_settled(
    tagged: TaggedOrder, upheld: Upheld, matched: tuple[Rule, ...], codes: tuple[str, ...], *, let_through: bool
) -> tuple[tuple[Rule, ...], tuple[str, ...], bool]:
    """What asks for a person, less what a person has settled for this very order, with what people ask for."""
    settled = _settled(tagged, upheld)
    if upheld.overtaken:
        codes = (*codes, HoldCode.CORRECTION_OVERTAKEN)
    if settled is not None:
        codes = tuple(code for code in codes if code not in settled.codes)
        matched = tuple(rule for rule in matched if not rule.hold or rule.rule_id not in settled.codes)
        let_through = let_through or HoldCode.GRAY_ROLLOUT in settled.codes
    if upheld.held:
        codes = (*codes, HoldCode.OPERATOR_HOLD)
    return matched, codes, let_through


def as_people_decided(tagged: TaggedOrder, upheld: Upheld, plan: RoutingPlan) -> RoutingPlan:
    """The plan with a person's cancellation, choice of warehouse and consent to several parcels."""
    if upheld.gave_up or upheld.returns:
        plan = changed(plan, gave_up=upheld.gave_up, returns=upheld.returns)
    if upheld.cancelled:
        return _cancelled(tagged, plan)
    settled = _settled(tagged, upheld)
    if settled is None:
        return plan
    if settled.split:
        plan = changed(plan, on_short=OnShort.SPLIT)
    return _assigned(plan, settled) if settled.warehouses else plan


def _settled(tagged: TaggedOrder, upheld: Upheld) -> Settled | None:
    settled = upheld.settled
    return settled if settled is not None and still_settles(settled, tagged.order) else None


def _cancelled(tagged: TaggedOrder, plan: RoutingPlan) -> RoutingPlan:
    """Whatever its platform says later. What its shop cancelled, too, is told in the shop's words."""
    if tagged.order.status is OrderStatus.CANCELLED:
        return plan
    return RoutingPlan(
        disposition=Disposition.RELEASE,
        ruleset=plan.ruleset,
        explanation=PlanReason.CANCELLED_BY_HAND(),
        matches=plan.matches,
    )


def _assigned(plan: RoutingPlan, settled: Settled) -> RoutingPlan:
    """A person's warehouses instead of the rules'; a plan that waits or still asks for a person suggests them."""
    chosen = tuple(Candidate(warehouse_id=one, rule=BY_HAND) for one in settled.warehouses)
    if plan.disposition is Disposition.REVIEW and set(plan.hold_codes) == {HoldCode.NO_RULE_MATCHED}:
        plan = changed(plan, disposition=Disposition.RESERVE, hold_codes=())
    if plan.disposition is Disposition.RESERVE:
        why = PlanReason.ASSIGNED_BY_HAND(warehouses=", ".join(settled.warehouses))
        return changed(plan, candidates=chosen, suggested=(), explanation=why)
    if plan.disposition in (Disposition.REVIEW, Disposition.DEFER):
        return changed(plan, suggested=chosen)
    return plan
