"""Reserve and fulfill on a real Redis, with `orders.planned` as a list: what one says the other hears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from redis.asyncio import Redis

from schemas.fulfillment import FulfillmentInstruction, WmsEvent
from schemas.order import Order
from schemas.plan import PlannedOrder
from tests.builders import a_plan, a_planned_order
from workers.fulfill.agent import FulfillAgent
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count, StockLevel
from workers.reserve.agent import ReserveAgent
from workers.runtime.errors import PermanentError
from workers.runtime.stage import Delivery

HZ, BJ, SH = "hangzhou", "beijing", "shanghai"
NUT, TEA = "NUT-BOX-500", "TEA-LONGJING-250"


class PlannedTopic:
    """`orders.planned` in memory: one partition."""

    def __init__(self) -> None:
        self.records: list[PlannedOrder] = []

    def append(self, planned: PlannedOrder) -> Delivery[PlannedOrder]:
        """The record, delivered."""
        self.records.append(planned)
        return Delivery(planned, key=planned.order.uid.encode(), offset=len(self.records) - 1)

    async def read(self, places: Sequence[tuple[int, int]]) -> list[PlannedOrder | None]:
        """As the archive reads."""
        return [self.records[offset] if offset < len(self.records) else None for _, offset in places]


class House:
    """The two stages. `reserve` and `answer` return what they say; nothing is handed on by itself."""

    def __init__(self, redis: Redis, ledger: Ledger | None = None) -> None:
        self.ledger = ledger or Ledger(redis)
        self.topic = PlannedTopic()
        self.told: list[FulfillmentInstruction] = []
        self._redis = redis

    async def stock(self, warehouse: str, **units: int) -> None:
        """Count stock as of long ago, so that what happens to it later counts."""
        names = {"nut": NUT, "tea": TEA}
        counts = {names[name]: Count(on_hand=count) for name, count in units.items()}
        await self.ledger.stock.set_counts(warehouse, counts, at_ms=1)

    async def reserve(self, *planned: PlannedOrder) -> list[Any]:
        """Put planned orders on the topic and reserve them; instructions are kept in `told`, too."""
        deliveries = [self.topic.append(one) for one in planned]
        events: list[Any] = []
        for outcome in await ReserveAgent(self.ledger, 60).handle(deliveries):
            assert not isinstance(outcome, PermanentError), outcome
            events.extend(outcome)
        self.told += [event for event in events if isinstance(event, FulfillmentInstruction)]
        return events

    async def place(self, order: Order, *warehouses: str, revision: str, **plan: Any) -> list[Any]:
        """Reserve an order with these candidates."""
        named = a_planned_order(_revised(order, revision), a_plan(*(warehouses or (HZ,)), **plan))
        return await self.reserve(named)

    async def answer(self, *events: WmsEvent, ledger: Ledger | None = None, short_limit: int = -1) -> list[Any]:
        """What fulfill says to these answers, one outcome for each."""
        agent = FulfillAgent(ledger or self.ledger, self.topic, short_limit)
        return list(await agent.handle([Delivery(event, key=event.order_uid.encode()) for event in events]))

    async def level(self, warehouse: str = HZ, sku: str = NUT) -> StockLevel:
        """The counters, after an audit that must find nothing."""
        assert (await self.ledger.stock.audit()).findings == ()
        [level] = await self.ledger.stock.levels(warehouse, [sku])
        return level


def _revised(order: Order, revision: str) -> Order:
    return replace(order, revision=revision)
