"""Weigh the rules that matched: hold beats defer beats force beats assign, whatever their priorities."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from schemas.order import Order
from schemas.plan import Candidate, OnShort, RuleMatch
from schemas.record import record
from workers.rules import wording
from workers.rules.facts import final_part_unpaid, ships_later
from workers.rules.ruleset import Defer, Rule, Until


@record
class Verdict:
    """What the rules say together. `deferred` is the sentence that says why, "" when the order is due."""

    candidates: tuple[Candidate, ...]
    matches: tuple[RuleMatch, ...]
    on_short: OnShort
    hold_codes: tuple[str, ...]
    deferred: str
    not_before: datetime | None
    tags: tuple[str, ...]


class _Winners:
    """Of each kind of action, the first rule that matched; the order they are asked in decides among equals."""

    __slots__ = ("defer", "force", "hold", "short")

    def __init__(self, matched: Sequence[Rule], order: Order, at: datetime) -> None:
        self.hold: Rule | None = None
        self.defer: Rule | None = None
        self.force: Rule | None = None
        self.short: Rule | None = None
        for rule in matched:
            if rule.force:
                self.force = self.force or rule
            elif rule.hold:
                self.hold = self.hold or rule
            elif rule.defer is not None and _waits(rule.defer, order, at):
                self.defer = self.defer or rule
            if rule.on_short is not None:
                self.short = self.short or rule


def weigh(matched: Sequence[Rule], order: Order, at: datetime, review_codes: Sequence[str]) -> Verdict:
    """`matched` in the order in which rules are asked; `review_codes` ask for a person whatever the rules say."""
    winners = _Winners(matched, order, at)
    force, defer, short = winners.force, winners.defer, winners.short
    if force is not None:
        candidates: tuple[Candidate, ...] = (Candidate(warehouse_id=force.force, rule=force.rule_id, forced=True),)
    else:
        candidates = _assigned(matched)
    stopped = _stopped(winners, order, review_codes)
    deferred, not_before = _deferral(defer, order)
    return Verdict(
        candidates=candidates,
        matches=_traced(matched, winners, order, at, candidates, stopped),
        on_short=short.on_short if short is not None and short.on_short is not None else OnShort.NEXT,
        hold_codes=(*review_codes, *[rule.rule_id for rule in matched if rule.hold]),
        deferred=deferred,
        not_before=not_before,
        tags=tuple([tag for rule in matched for tag in rule.add_tags]),
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


def _deferral(defer: Rule | None, order: Order) -> tuple[str, datetime | None]:
    """The sentence that says why the order waits, and until when. None: until the platform says so."""
    if defer is None or defer.defer is None:
        return (wording.FINAL_UNPAID() if final_part_unpaid(order) else ""), None
    if defer.defer.until is Until.FINAL_PAYMENT:
        return wording.DEFERRED(rule=defer.rule_id), None
    presale_date = order.presale.ship_not_before if order.presale is not None else None
    time = defer.defer.time if defer.defer.until is Until.TIME else presale_date
    told = time.isoformat(timespec="minutes") if time is not None else ""
    return wording.DEFERRED_TIME(rule=defer.rule_id, time=told), time


# -- the trace -------------------------------------------------------------------------------------------------------


def _stopped(winners: _Winners, order: Order, review_codes: Sequence[str]) -> str:
    """Why no candidate is used, "" when they are."""
    if winners.hold is not None:
        return wording.OVERRULED_HOLD(rule=winners.hold.rule_id)
    if review_codes:
        return wording.OVERRULED_REVIEW(codes=", ".join(review_codes))
    if winners.defer is not None:
        return wording.OVERRULED_DEFER(rule=winners.defer.rule_id)
    return wording.OVERRULED_PRESALE() if final_part_unpaid(order) else ""


def _traced(
    matched: Sequence[Rule],
    winners: _Winners,
    order: Order,
    at: datetime,
    candidates: tuple[Candidate, ...],
    stopped: str,
) -> tuple[RuleMatch, ...]:
    places = {candidate.warehouse_id: number for number, candidate in enumerate(candidates, start=1)}
    matches = []
    for rule in matched:
        if rule.assign or rule.force:
            effect = stopped or _effect_of_choice(rule, winners, candidates, places)
        elif rule.hold:
            effect = wording.HOLDS()
        elif rule.defer is not None:
            effect = _effect_of_defer(rule, winners, stopped, due=not _waits(rule.defer, order, at))
        else:
            effect = ""
        if rule.on_short is not None or rule.add_tags:
            effect = "; ".join([part for part in (effect, *_other_effects(rule, winners)) if part])
        matches.append(RuleMatch(rule=rule.rule_id, priority=rule.priority, action=rule.action, effect=effect))
    return tuple(matches)


def _effect_of_choice(rule: Rule, winners: _Winners, candidates: tuple[Candidate, ...], places: dict[str, int]) -> str:
    force = winners.force
    if force is rule:
        return wording.ONLY_CANDIDATE()
    if force is not None and rule.force == force.force:
        return wording.AGREES(rule=force.rule_id)
    if force is not None:
        return wording.OVERRULED_FORCE(rule=force.rule_id)
    told = []
    for warehouse_id in rule.assign:
        number = places[warehouse_id]
        own = candidates[number - 1].rule == rule.rule_id
        told.append(wording.CANDIDATE(number=number) if own else wording.ALREADY(number=number))
    return "; ".join(told)


def _effect_of_defer(rule: Rule, winners: _Winners, stopped: str, *, due: bool) -> str:
    if due:
        return wording.DUE()
    return wording.DEFERS() if stopped == wording.OVERRULED_DEFER(rule=rule.rule_id) else stopped


def _other_effects(rule: Rule, winners: _Winners) -> tuple[str, str]:
    short = ""
    if rule.on_short is not None and winners.short is not None:
        first = winners.short is rule
        short = wording.SHORT(what=rule.on_short) if first else wording.OVERRULED_SHORT(rule=winners.short.rule_id)
    return short, wording.ADDS_TAG(tags=", ".join(rule.add_tags)) if rule.add_tags else ""
