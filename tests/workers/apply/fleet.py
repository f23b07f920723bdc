"""The stages that an order passes, in one process, on a real Redis: what Kafka would carry, lists carry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis

from schemas.decision import Decided, Decision, DecisionKind
from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEvent
from schemas.order import Order
from schemas.plan import Backorder, DeferredOrder, PlannedOrder, ReturnedOrder, ReviewOrder, TransferRequest
from tests.builders import NOON, a_wms_event
from tests.workers.rules.examples import example_catalogue, ruleset_of
from workers.apply.agent import ApplyAgent
from workers.fulfill.agent import FulfillAgent
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count, OrderSnapshot
from workers.reserve.agent import ReserveAgent
from workers.route.agent import route
from workers.rules.provider import FixedRules
from workers.rules.ruleset import Rulebook, Ruleset
from workers.runtime.stage import Delivery
from workers.tag.agent import tag
from workers.uphold.agent import uphold_again, uphold_new

HZ, BJ = "hangzhou", "beijing"
NUT, COOKIES = "NUT-BOX-500", "COOKIE-TIN-400"
TO_HANGZHOU = "{id: everything, priority: 9, when: {always: true}, then: {assign: [hangzhou, beijing]}}"


class Fleet:
    """All topics, as lists; every event goes on until nothing moves. `rules` may be changed at any time."""

    def __init__(self, redis: Redis, rules: Ruleset | None = None) -> None:
        self.redis = redis
        self.ledger = Ledger(redis)
        self.archive = self
        self.now = lambda: NOON.timestamp()
        self.rules = FixedRules(Rulebook(rules or ruleset_of(TO_HANGZHOU), example_catalogue()))
        self.planned: list[PlannedOrder] = []
        self.reads = 0
        self.decided: list[Decided] = []
        self.told: list[FulfillmentInstruction] = []
        self.reviewed: list[ReviewOrder] = []
        self.backordered: list[Backorder] = []
        self.deferred: list[DeferredOrder] = []
        self._sent: defaultdict[str, int] = defaultdict(int)

    async def read(self, places: Sequence[tuple[int, int]]) -> list[PlannedOrder | None]:
        """The archive of planned orders."""
        self.reads += 1
        return [self.planned[offset] for _, offset in places]

    async def stocked(self, units: int = 100, *warehouses: str, sku: str = NUT) -> None:
        """So many units, in each of these warehouses (default: Hangzhou)."""
        for warehouse in warehouses or (HZ,):
            await self.ledger.stock.set_counts(warehouse, {sku: Count(on_hand=units)})

    # -- what comes in

    async def platform(self, *orders: Order) -> None:
        """The platform describes orders; all goes its way."""
        for order in orders:
            await self.carry(await self.plan_new(order))

    async def plan_new(self, order: Order) -> list[Any]:
        """An order from its platform, up to what route says: nothing of it has reached the reserve stage."""
        return await self._plan(uphold_new(self), order)

    async def plan_again(self, returned: ReturnedOrder) -> list[Any]:
        """An order that comes back, up to what route says."""
        return await self._plan(uphold_again(self), returned)

    async def decide(self, *decisions: Decision) -> list[Decided]:
        """People decide; all goes its way. The answers."""
        before = len(self.decided)
        for decision in decisions:
            await self.carry(await self.apply(decision))
        return self.decided[before:]

    async def apply(self, decision: Decision, agent: ApplyAgent | None = None) -> list[Any]:
        """What the apply stage says; nothing of it has gone on."""
        [said] = await self.apply_all([decision], agent)
        return said

    async def apply_all(self, decisions: Sequence[Decision], agent: ApplyAgent | None = None) -> list[list[Any]]:
        """The same of many that come in one chunk."""
        deliveries = [
            Delivery(one, key=one.order_uid.encode(), timestamp_ms=int(NOON.timestamp() * 1000)) for one in decisions
        ]
        outcomes = await (agent or ApplyAgent(self.ledger, self, self.rules)).handle(deliveries)
        assert all(isinstance(outcome, Sequence) for outcome in outcomes), outcomes
        return [list(outcome) for outcome in outcomes if isinstance(outcome, Sequence)]

    async def answers(self, *events: WmsEvent) -> None:
        """A warehouse answers; all goes its way."""
        agent = FulfillAgent(self.ledger, self)
        for event in events:
            [outcome] = await agent.handle([Delivery(event, key=event.order_uid.encode(), timestamp_ms=0)])
            assert isinstance(outcome, Sequence), outcome
            await self.carry(list(outcome))

    async def last_told(self, kind: str, **fields: Any) -> None:
        """The warehouse that was told last answers."""
        self._sent["answers"] += 1
        await self.answers(a_wms_event(self.told[-1], kind, f"m{self._sent['answers']}", **fields))

    # -- how it goes on

    async def carry(self, events: Sequence[Any]) -> None:
        """Let events go on until nothing moves."""
        events = list(events)
        while events:
            event = events.pop(0)
            match event:
                case PlannedOrder():
                    events += await self.reserve(event)
                case ReturnedOrder():
                    events += await self._plan(uphold_again(self), event)
                case Decided():
                    self.decided.append(event)
                case FulfillmentInstruction():
                    self.told.append(event)
                case ReviewOrder():
                    self.reviewed.append(event)
                case Backorder():
                    self.backordered.append(event)
                case DeferredOrder():
                    self.deferred.append(event)
                case TransferRequest():
                    pass

    async def reserve(self, planned: PlannedOrder) -> list[Any]:
        """What the reserve stage says to a planned order, which stands in its topic from now on."""
        self.planned.append(planned)
        delivery = Delivery(
            planned,
            key=planned.order.uid.encode(),
            offset=len(self.planned) - 1,
            timestamp_ms=int(NOON.timestamp() * 1000),
        )
        [outcome] = await ReserveAgent(self.ledger, 60).handle([delivery])
        assert isinstance(outcome, Sequence), outcome
        return list(outcome)

    async def _plan(self, upholding: Any, value: Any) -> list[Any]:
        delivery: Delivery[Any] = Delivery(value, key=b"k", timestamp_ms=int(NOON.timestamp() * 1000))
        agents: tuple[Any, ...] = (upholding, tag(self), route(self))
        for agent in agents:
            [outcome] = await agent.handle([delivery])
            assert isinstance(outcome, Sequence), outcome
            delivery = delivery.carrying(outcome[0])
        return list(outcome)

    # -- what is

    async def state(self, uid: str) -> OrderSnapshot:
        """The order in the ledger."""
        return await self.ledger.orders.where_is(uid)

    async def plan(self, uid: str) -> PlannedOrder:
        """The planned order that is in force."""
        [place] = await self.ledger.orders.sources([uid])
        assert place is not None
        return self.planned[place[1]]

    def kinds(self) -> list[InstructionKind]:
        """What warehouses were told, in short."""
        return [each.kind for each in self.told]

    async def is_sound(self) -> None:
        """Nothing is promised twice."""
        assert (await self.ledger.stock.audit()).findings == ()


def a_decision(order: Order, kind: DecisionKind, number: int = 1, **fields: Any) -> Decision:
    """By somebody who looked at this order as it is."""
    given: dict[str, Any] = {"who": "li.na", "why": "a test", "at": NOON + timedelta(minutes=5), "seen": order.revision}
    return Decision(decision_id=f"d{number}", order_uid=order.uid, kind=kind, **{**given, **fields})


def touched(order: Order, seconds: int = 60, **fields: Any) -> Order:
    """The platform describes the order anew, under a newer modify time."""
    from dataclasses import replace

    from schemas.revision import revision_of

    later = replace(order, modified_at=order.modified_at + timedelta(seconds=seconds), **fields)
    return replace(later, revision=revision_of(later))
