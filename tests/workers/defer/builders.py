"""Deferred orders as the route stage writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.order import Order
from schemas.plan import DeferredOrder, Disposition, PlannedOrder
from tests.builders import a_plan, a_planned_order, a_presale_order, a_tagged_order
from tests.workers.rules.examples import example_catalogue, example_ruleset
from workers.route.decide import decide, events_of
from workers.runtime.stage import Delivery
from workers.tag.decide import decide as tag

DUE = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
DUE_MS = int(DUE.timestamp() * 1000)


def a_waiting_order(number: str = "1", due: datetime = DUE) -> Order:
    """Paid in full, and sold to ship from `due` on."""
    return a_presale_order(number, final_paid=True, ship_not_before=due)


def planned_and_deferred(order: Order, at: datetime) -> tuple[PlannedOrder, DeferredOrder]:
    """What the fleet makes of it by the example rules, decided at `at`."""
    ruleset = example_ruleset()
    tagged = tag(order, example_catalogue(), ruleset.tagging)
    planned, deferred = events_of(decide(tagged, ruleset, at), tagged.tags)
    assert isinstance(planned, PlannedOrder)
    assert isinstance(deferred, DeferredOrder)
    return planned, deferred


def a_deferred_order(number: str = "1", not_before: datetime | None = DUE, revision: str = "") -> DeferredOrder:
    """Without asking the rules."""
    order = a_waiting_order(number)
    if revision:
        order = a_presale_order(number, final_paid=True, ship_not_before=DUE, revision=revision)
    tagged = a_tagged_order(order, tags=("presale",))
    plan = a_plan(disposition=Disposition.DEFER, candidates=(), not_before=not_before)
    planned = a_planned_order(tagged.order, plan, tags=("presale", "by-a-rule"))
    return DeferredOrder(planned=planned, not_before=not_before, tags=tagged.tags)


def delivered(deferred: DeferredOrder, timestamp_ms: int = DUE_MS - 86_400_000) -> Delivery[DeferredOrder]:
    """As the defer stage gets it."""
    return Delivery(deferred, key=deferred.planned.order.uid.encode(), timestamp_ms=timestamp_ms)
