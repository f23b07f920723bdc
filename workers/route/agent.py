"""The route and reroute stages: no I/O of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from schemas.plan import DeferredOrder, PlannedOrder, ReturnedOrder, ReviewOrder, TaggedOrder
from workers.route.decide import decide, events_of
from workers.rules.provider import RulesProvider
from workers.runtime.stage import Delivery, EachOf


class Services(Protocol):
    """What this stage needs of the process."""

    @property
    def rules(self) -> RulesProvider:
        """The catalogue and the rules in force."""
        ...


def route(services: Services) -> EachOf[TaggedOrder]:
    """The agent: every order in, its plan out; a copy for review or deferral where that is the plan.

    The decision is made as of the message's own time, so that a replay decides the same.
    """
    rules = services.rules

    def route_one(delivery: Delivery[TaggedOrder]) -> Sequence[PlannedOrder | ReviewOrder | DeferredOrder]:
        at = datetime.fromtimestamp(delivery.timestamp_ms / 1000, UTC)
        tagged = delivery.value
        return events_of(decide(tagged, rules.current().ruleset, at), tagged.tags)

    return EachOf(route_one)


def reroute(services: Services) -> EachOf[ReturnedOrder]:
    """The agent for orders that waited: the same decision, by today's rules, as of the time the order carries."""
    rules = services.rules

    def reroute_one(delivery: Delivery[ReturnedOrder]) -> Sequence[PlannedOrder | ReviewOrder | DeferredOrder]:
        tagged, at = delivery.value.tagged, delivery.value.at
        return events_of(decide(tagged, rules.current().ruleset, at), tagged.tags)

    return EachOf(reroute_one)
