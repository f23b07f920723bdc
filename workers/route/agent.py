"""The route stage, and the reroute stage, which is the same for what comes back: no I/O of their own."""

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

    The decision is made as of the message's own time, or of the time at which an order that waited is put back, so that
    a replay decides the same.
    """
    rules = services.rules

    def route_one(delivery: Delivery[TaggedOrder]) -> Sequence[PlannedOrder | ReviewOrder | DeferredOrder]:
        tagged = delivery.value
        at = tagged.upheld.at if tagged.upheld is not None else None
        at = at or datetime.fromtimestamp(delivery.timestamp_ms / 1000, UTC)
        return events_of(decide(tagged, rules.current().ruleset, at), tagged.tags)

    return EachOf(route_one)
