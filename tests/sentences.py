"""What plans, flags and rule matches say to people, in English: tests compare sentences, so that they can be read."""

from __future__ import annotations

from schemas.codes import render, render_all
from schemas.plan import Flag, PlannedOrder, RoutingPlan, RuleMatch


def reason_of(of: PlannedOrder | RoutingPlan) -> str:
    """Why it is planned so."""
    plan = of.plan if isinstance(of, PlannedOrder) else of
    return render(plan.explanation, "en", plan.reason)


def message_of(flag: Flag) -> str:
    """What the flag says."""
    return render(flag.explanation, "en", flag.message)


def effect_of(match: RuleMatch) -> str:
    """What became of the rule."""
    return render_all(match.effects, "en", match.effect)
