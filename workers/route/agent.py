"""The route stage: no I/O of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from schemas.plan import DeferredOrder, PlannedOrder, ReviewOrder, TaggedOrder
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
        return events_of(decide(delivery.value, rules.current().ruleset, at))

    return EachOf(route_one)
