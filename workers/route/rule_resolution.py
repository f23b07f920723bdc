"""Weigh the rules that matched: hold beats defer beats force beats assign, whatever their priorities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from schemas.codes import Explanation, PlanReason, RuleEffect
from schemas.order import Order
from schemas.plan import Candidate, OnShort, RuleMatch
from schemas.record import record
from workers.rules.facts import final_part_unpaid, receiver_to_come, ships_later
from workers.rules.ruleset import Defer, Rule, Until


class RuleContext(NamedTuple):
    """All that resolving depends on, so that one resolving serves every order in the same situation."""

    matched: tuple[Rule, ...]  # in the order in which rules are asked
    waiting: tuple[Rule, ...]  # of the matched ones, those that defer and whose time has not come
    review_codes: tuple[str, ...]  # ask for a person, whatever the rules say
    final_unpaid: bool
    ship_not_before: datetime | None
    receiver_to_come: bool


@record
class Resolution:
    """What the rules say together. `deferred` says why it waits, None when the order is due."""

    candidates: tuple[Candidate, ...]
    matches: tuple[RuleMatch, ...]
    on_short: OnShort
    hold_codes: tuple[str, ...]
    deferred: Explanation | None
    not_before: datetime | None
    tags: tuple[str, ...]


class _Winners:
    """Of each kind of action, the first rule that matched; the order they are asked in decides among equals."""

    __slots__ = ("defer", "force", "hold", "short")

    def __init__(self, situation: RuleContext) -> None:
        matched = situation.matched
        self.hold = next((rule for rule in matched if rule.hold), None)
        self.defer = next(iter(situation.waiting), None)
        self.force = next((rule for rule in matched if rule.force), None)
        self.short = next((rule for rule in matched if rule.on_short is not None), None)


def situation_of(matched: tuple[Rule, ...], order: Order, at: datetime, review_codes: tuple[str, ...]) -> RuleContext:
    """What matters of an order once its rules are known."""
    waiting = tuple([rule for rule in matched if rule.defer is not None and _waits(rule.defer, order, at)])
    presale = order.presale
    later = presale.ship_not_before if waiting and presale is not None else None
    return RuleContext(matched, waiting, review_codes, final_part_unpaid(order), later, receiver_to_come(order))


def resolve(situation: RuleContext) -> Resolution:
    """What the matched rules say together."""
    winners = _Winners(situation)
    force, short = winners.force, winners.short
    if force is not None:
        candidates: tuple[Candidate, ...] = (Candidate(warehouse_id=force.force, rule=force.rule_id, forced=True),)
    else:
        candidates = _assigned(situation.matched)
    deferred, not_before = _deferral(winners.defer, situation)
    return Resolution(
        candidates=candidates,
        matches=_traced(situation, winners, candidates),
        on_short=short.on_short if short is not None and short.on_short is not None else OnShort.NEXT,
        hold_codes=(*situation.review_codes, *[rule.rule_id for rule in situation.matched if rule.hold]),
        deferred=deferred,
        not_before=not_before,
        tags=tuple([tag for rule in situation.matched for tag in rule.add_tags]),
    )


def _assigned(matched: Sequence[Rule]) -> tuple[Candidate, ...]:
    """Every assigned warehouse once, in rule order."""
    found: dict[str, Candidate] = {}
    for rule in matched:
        for warehouse_id in rule.assign:
            if warehouse_id not in found:
                found[warehouse_id] = Candidate(warehouse_id=warehouse_id, rule=rule.rule_id)
    return tuple(found.values())


# -- waiting ---------------------------------------------------------------------------------------------------------


def _waits(defer: Defer, order: Order, at: datetime) -> bool:
    """Whether what a defer rule waits for is still to come."""
    if defer.until is Until.FINAL_PAYMENT:
        return final_part_unpaid(order)
    if defer.until is Until.SHIP_NOT_BEFORE:
        return ships_later(order, at)
    return defer.time is not None and at < defer.time


def _deferral(defer: Rule | None, situation: RuleContext) -> tuple[Explanation | None, datetime | None]:
    """Why the order waits, and until when. None: until the platform says so."""
    if defer is None or defer.defer is None:
        return (PlanReason.FINAL_UNPAID() if situation.final_unpaid else None), None
    if defer.defer.until is Until.FINAL_PAYMENT:
        return PlanReason.DEFERRED_UNTIL_PAID(rule=defer.rule_id), None
    time = defer.defer.time if defer.defer.until is Until.TIME else situation.ship_not_before
    told = time.isoformat(timespec="minutes") if time is not None else ""
    return PlanReason.DEFERRED_UNTIL(rule=defer.rule_id, time=told), time


# -- the trace -------------------------------------------------------------------------------------------------------


def _stopped(situation: RuleContext, winners: _Winners) -> Explanation | None:
    """Why no candidate is used, None when they are."""
    if winners.hold is not None:
        return RuleEffect.OVERRULED_BY_HOLD(rule=winners.hold.rule_id)
    if situation.review_codes:
        return RuleEffect.OVERRULED_BY_REVIEW(codes=", ".join(situation.review_codes))
    if winners.defer is not None:
        return RuleEffect.OVERRULED_BY_DEFER(rule=winners.defer.rule_id)
    return RuleEffect.OVERRULED_BY_PRESALE() if situation.final_unpaid else None


def _traced(situation: RuleContext, winners: _Winners, candidates: tuple[Candidate, ...]) -> tuple[RuleMatch, ...]:
    stopped = _stopped(situation, winners)
    return tuple(
        [
            RuleMatch(
                rule=rule.rule_id,
                priority=rule.priority,
                action=rule.action,
                effects=tuple(_effects(rule, situation, winners, candidates, stopped)),
            )
            for rule in situation.matched
        ]
    )


def _effects(
    rule: Rule,
    situation: RuleContext,
    winners: _Winners,
    candidates: tuple[Candidate, ...],
    stopped: Explanation | None,
) -> Iterator[Explanation]:
    if rule.force or (rule.assign and (stopped is not None or winners.force is not None)):
        yield stopped or _effect_of_force(rule, winners)
    elif rule.assign:
        yield from _effects_of_assign(rule, candidates)
    elif rule.hold:
        yield RuleEffect.HOLDS()
    elif rule.defer is not None:
        yield _effect_of_defer(rule, situation, stopped)
    if rule.on_short is not None and winners.short is not None:
        first = winners.short is rule
        yield (
            RuleEffect.ON_SHORT(what=rule.on_short.value)
            if first
            else RuleEffect.ON_SHORT_OVERRULED(rule=winners.short.rule_id)
        )
    if rule.add_tags:
        yield RuleEffect.ADDS_TAG(tags=", ".join(rule.add_tags))


def _effect_of_force(rule: Rule, winners: _Winners) -> Explanation:
    force = winners.force
    if force is None or force is rule:
        return RuleEffect.ONLY_CANDIDATE()
    if rule.force == force.force:
        return RuleEffect.AGREES(rule=force.rule_id)
    return RuleEffect.OVERRULED_BY_FORCE(rule=force.rule_id)


def _effects_of_assign(rule: Rule, candidates: tuple[Candidate, ...]) -> Iterator[Explanation]:
    places = {candidate.warehouse_id: number for number, candidate in enumerate(candidates, start=1)}
    for warehouse_id in rule.assign:
        number = places[warehouse_id]
        own = candidates[number - 1].rule == rule.rule_id
        yield RuleEffect.CANDIDATE(number=number) if own else RuleEffect.ALREADY_CANDIDATE(number=number)


def _effect_of_defer(rule: Rule, situation: RuleContext, stopped: Explanation | None) -> Explanation:
    if rule not in situation.waiting:
        return RuleEffect.ALREADY_DUE()
    if stopped is None or stopped == RuleEffect.OVERRULED_BY_DEFER(rule=rule.rule_id):
        return RuleEffect.DEFERS()
    return stopped
