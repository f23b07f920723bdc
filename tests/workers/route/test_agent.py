"""The two stages as the runtime calls them, chained: what goes in, what comes out, and when rules change."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.order import Order
from schemas.plan import DeferredOrder, Disposition, PlannedOrder, ReviewOrder, TaggedOrder, UpheldOrder
from tests.builders import NOON, a_presale_order, an_order, lines
from tests.workers.rules.examples import example_catalogue, example_ruleset, ruleset_of
from workers.route.agent import route
from workers.rules.provider import FixedRules, RulesProvider
from workers.rules.ruleset import Rulebook
from workers.runtime.stage import Delivery, Outcome
from workers.tag.agent import tag


@dataclass
class FakeServices:
    rules: RulesProvider


def delivery(order: Order, at: float) -> Delivery[UpheldOrder]:
    return Delivery(UpheldOrder(order=order), key=order.uid.encode(), timestamp_ms=int(at * 1000))


async def through_both(services: FakeServices, *orders: Order, at: float = NOON.timestamp()) -> list[Outcome]:
    batch = [delivery(order, at) for order in orders]
    tagged = []
    for given, outcome in zip(batch, await tag(services).handle(batch), strict=True):
        assert not isinstance(outcome, Exception)
        (event,) = outcome
        assert isinstance(event, TaggedOrder)
        tagged.append(given.carrying(event))
    return list(await route(services).handle(tagged))


async def test_every_order_comes_out_once_and_in_order() -> None:
    services = FakeServices(FixedRules(Rulebook(example_ruleset(), example_catalogue())))
    outcomes = await through_both(services, an_order("1"), an_order("2", lines=lines("NO-SUCH")), a_presale_order("3"))
    kinds = [[type(event) for event in outcome] for outcome in outcomes if not isinstance(outcome, Exception)]
    assert kinds == [[PlannedOrder], [PlannedOrder, ReviewOrder], [PlannedOrder, DeferredOrder]]


async def test_the_decision_is_made_as_of_the_messages_own_time() -> None:
    services = FakeServices(FixedRules(Rulebook(example_ruleset(), example_catalogue())))
    order = a_presale_order(final_paid=True, ship_not_before=NOON)
    found = []
    for at in (NOON.timestamp() - 1, NOON.timestamp()):
        (outcome,) = await through_both(services, order, at=at)
        assert not isinstance(outcome, Exception)
        found.append(outcome[0].plan.disposition)
    assert found == [Disposition.DEFER, Disposition.RESERVE]


async def test_a_changed_rulebook_counts_from_the_next_order_on() -> None:
    class Changing:
        book = Rulebook(example_ruleset(), example_catalogue())

        def current(self) -> Rulebook:
            return self.book

    rules = Changing()
    agents = FakeServices(rules)
    routing = route(agents)
    tagged = TaggedOrder(order=an_order())
    given: Delivery[TaggedOrder] = Delivery(tagged, key=b"k", timestamp_ms=0)
    rulesets = []
    for _ in range(2):
        (outcome,) = await routing.handle([given])
        assert not isinstance(outcome, Exception)
        rulesets.append(outcome[0].plan.ruleset)
        other = ruleset_of("{id: a, priority: 1, when: {always: true}, then: {assign: beijing}}")
        rules.book = Rulebook(other, example_catalogue())
    assert rulesets == ["seller-example@2026.1", "test@1"]
