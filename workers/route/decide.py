"""Route one order: ask the rules, weigh what they say, and write down why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from schemas.codes import Explanation, HoldCode, PlanReason
from schemas.order import Line, LineKind, LineStatus, Order, OrderStatus, PaymentStatus, RefundStatus, lines_to_ship
from schemas.plan import (
    Candidate,
    DeferredOrder,
    Disposition,
    PlannedOrder,
    ReviewOrder,
    RoutingPlan,
    TaggedOrder,
)
from workers.route.people import as_people_decided, without_settled
from workers.route.rule_resolution import Resolution, RuleContext, resolve, situation_of
from workers.rules.facts import Facts
from workers.rules.ruleset import Ruleset


def decide(tagged: TaggedOrder, ruleset: Ruleset, at: datetime) -> PlannedOrder:
    """What happens to the order next, decided as of `at`. Pure."""
    order, upheld = tagged.order, tagged.upheld
    lines = lines_to_ship(order)
    finished = _finished(order, lines)
    if finished is not None:
        plan = RoutingPlan(disposition=finished.disposition, ruleset=ruleset.label, explanation=finished.explanation)
        return _planned(tagged, plan)
    facts = Facts(tagged, at, lines)
    matched = tuple([rule for rule in ruleset.rules if rule.holds(facts)])
    codes, let_through = _review_codes(tagged), ruleset.lets_through(order.uid)
    if upheld is not None:  # hardly ever: see decision 26
        matched, codes, let_through = without_settled(tagged, upheld, matched, codes, let_through=let_through)
    plan, added = _plan(ruleset, situation_of(matched, order, at, codes), let_through)
    return _planned(tagged, plan, added)


def _planned(tagged: TaggedOrder, plan: RoutingPlan, added: tuple[str, ...] = ()) -> PlannedOrder:
    tags = tuple(dict.fromkeys((*tagged.tags, *added))) if added else tagged.tags
    upheld = tagged.upheld
    if upheld is None:
        return PlannedOrder(order=tagged.order, plan=plan, tags=tags, flags=tagged.flags)
    plan = as_people_decided(tagged, upheld, plan)
    return PlannedOrder(order=tagged.order, plan=plan, tags=tags, flags=tagged.flags, decided=upheld.number)


def events_of(
    planned: PlannedOrder, tags: tuple[str, ...] = ()
) -> Sequence[PlannedOrder | ReviewOrder | DeferredOrder]:
    """The plan itself, always; with it a copy for those who review or wait. `tags`: those that rules did not add."""
    if planned.plan.disposition is Disposition.REVIEW:
        return planned, ReviewOrder(planned=planned)
    if planned.plan.disposition is Disposition.DEFER:
        return planned, DeferredOrder(planned=planned, not_before=planned.plan.not_before, tags=tags)
    return (planned,)


# -- orders that no rule is asked about ------------------------------------------------------------------------------


class _Finished(NamedTuple):
    disposition: Disposition
    explanation: Explanation


_CANCELLED = OrderStatus.CANCELLED
_GONE = (OrderStatus.SHIPPED, OrderStatus.COMPLETED)
_REFUNDED, _ON_HOLD = PaymentStatus.REFUNDED, OrderStatus.ON_HOLD
_NOT_OURS = (LineKind.SERVICE, LineKind.ELSEWHERE)
_OPEN, _REQUESTED = LineStatus.OPEN, RefundStatus.REQUESTED

_IS_CANCELLED = _Finished(Disposition.RELEASE, PlanReason.ORDER_CANCELLED())
_IS_REFUNDED = _Finished(Disposition.RELEASE, PlanReason.ORDER_REFUNDED())
_ELSEWHERE = _Finished(Disposition.RELEASE, PlanReason.SHIPPED_ELSEWHERE())
_NO_LINES = _Finished(Disposition.RELEASE, PlanReason.WITHOUT_LINES())
_ALL_GONE = _Finished(Disposition.RELEASE, PlanReason.ALL_LINES_GONE())
_IS_SHIPPED = _Finished(Disposition.IGNORE, PlanReason.ALREADY_SHIPPED())
_SERVICES = _Finished(Disposition.IGNORE, PlanReason.SERVICES_ONLY())
_NOTHING = _Finished(Disposition.IGNORE, PlanReason.NOTHING_LEFT())


def _finished(order: Order, to_ship: tuple[Line, ...]) -> _Finished | None:
    """Why there is nothing to route; None when there is."""
    if order.status is _CANCELLED:
        return _IS_CANCELLED
    if order.status in _GONE:
        return _IS_SHIPPED
    if order.payment is _REFUNDED:
        return _IS_REFUNDED
    if to_ship or (order.holds and not order.lines):  # a hold of what is not known is for a person
        return None
    return _nothing_to_ship(order)


def _nothing_to_ship(order: Order) -> _Finished:
    if not order.lines:
        return _NO_LINES
    goods = [line for line in order.lines if line.kind not in _NOT_OURS]
    if not goods:
        if any(line.kind is LineKind.ELSEWHERE and line.status is _OPEN for line in order.lines):
            return _ELSEWHERE
        cancelled = all(line.status is LineStatus.CANCELLED for line in order.lines)
        return _ALL_GONE if cancelled else _SERVICES
    return _NOTHING if any(line.status is LineStatus.SHIPPED for line in goods) else _ALL_GONE


def _review_codes(tagged: TaggedOrder) -> tuple[str, ...]:
    """Why a person must look at the order whatever the rules say."""
    order = tagged.order
    codes: list[str] = [flag.code for flag in tagged.flags if flag.blocks]
    codes += order.holds
    if order.status is _ON_HOLD and not order.holds:
        codes.append(HoldCode.PLATFORM_HOLD)
    for line in order.lines:
        if line.refund is _REQUESTED and line.status is _OPEN:
            codes.append(HoldCode.REFUND_REQUESTED)
            break
    return tuple(dict.fromkeys(codes)) if codes else ()


# -- from verdict to plan --------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def _plan(ruleset: Ruleset, situation: RuleContext, let_through: bool) -> tuple[RoutingPlan, tuple[str, ...]]:
    """The plan and the tags that rules add. Remembered: most orders of a day are in one of a few situations."""
    verdict = resolve(situation)
    disposition, explanation, codes = _disposition(ruleset, situation, verdict, let_through)
    goes = disposition is Disposition.RESERVE
    plan = RoutingPlan(
        disposition=disposition,
        ruleset=ruleset.label,
        explanation=explanation,
        candidates=verdict.candidates if goes else (),
        on_short=verdict.on_short,
        matches=verdict.matches,
        not_before=verdict.not_before if disposition is Disposition.DEFER else None,
        hold_codes=codes,
        suggested=() if goes else verdict.candidates,
    )
    return plan, verdict.tags


def _disposition(
    ruleset: Ruleset, situation: RuleContext, verdict: Resolution, let_through: bool
) -> tuple[Disposition, Explanation, tuple[str, ...]]:
    if verdict.hold_codes:
        codes = verdict.hold_codes
        return Disposition.REVIEW, PlanReason.PERSON_DECIDES(codes=", ".join(codes)), codes
    if verdict.deferred is not None:
        return Disposition.DEFER, verdict.deferred, ()
    if not verdict.candidates and situation.receiver_to_come:
        return Disposition.DEFER, PlanReason.RECEIVER_LATER(), ()
    if not verdict.candidates:
        return Disposition.REVIEW, PlanReason.NO_RULE(), (HoldCode.NO_RULE_MATCHED,)
    if not let_through:
        return Disposition.REVIEW, PlanReason.GRAY(percent=ruleset.auto_percent), (HoldCode.GRAY_ROLLOUT,)
    return Disposition.RESERVE, _why(verdict.candidates), ()


def _why(candidates: tuple[Candidate, ...]) -> Explanation:
    first = candidates[0]
    if first.forced:
        return PlanReason.FORCED(warehouse=first.warehouse_id, rule=first.rule)
    if len(candidates) == 1:
        return PlanReason.ONLY(warehouse=first.warehouse_id, rule=first.rule)
    others = ", ".join([candidate.warehouse_id for candidate in candidates[1:]])
    return PlanReason.FIRST_OF(warehouse=first.warehouse_id, rule=first.rule, others=others)
