"""Platform and warehouses tell of the same orders late, twice, out of order: stock adds up, nothing ships twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from redis.asyncio import Redis

from ops.testbed.simulators.wms.fate import Mishaps
from ops.testbed.simulators.wms.house import Houses
from schemas.fulfillment import FulfillmentInstruction, WmsEvent, WmsEventKind
from schemas.order import OrderStatus, PaymentStatus
from schemas.plan import Disposition, PlannedOrder
from tests.builders import a_line, a_plan, a_planned_order, an_order, an_unpaid_order
from tests.workers.fulfill.house import BJ, HZ, NUT, SH, TEA, House
from workers.runtime.errors import PermanentError

MISHAPS = Mishaps(not_there=0, damaged=0, address=0.1, other=0.25, parts=0.3, part_only=0, twice=0.3, out_of_order=0.3)
DAMAGES = replace(MISHAPS, damaged=0.2, parts=0.5, part_only=0.5)
STOCK = 500


def story(number: int, random: Random) -> list[PlannedOrder]:
    """Unpaid, paid, the same again twice, partly refunded, cancelled: as many of these as come to pass."""
    lines = (a_line(quantity=2), a_line(TEA, line_id="2"))
    plan = a_plan(HZ, BJ, SH)
    uid = str(number)
    states = [
        (an_unpaid_order(uid, lines=lines), plan),
        (an_order(uid, lines=lines), plan),
        (an_order(uid, lines=lines), plan),
        (an_order(uid, lines=lines), plan),
        (an_order(uid, lines=lines[:1]), plan),
        (
            an_order(uid, lines=lines, status=OrderStatus.CANCELLED, payment=PaymentStatus.REFUNDED),
            a_plan(HZ, disposition=Disposition.RELEASE),
        ),
    ]
    ends = random.choice((2, 3, 4, 5, 6))
    return [
        a_planned_order(_named(order, f"{stamp:015d}.0000.aaaaaaaaaaaa"), way)
        for stamp, (order, way) in enumerate(states[:ends], start=1)
    ]


def _named(order: Any, revision: str) -> Any:
    return replace(order, revision=revision)


class World:
    """What is under way between platform, fleet and warehouses; each step delivers one of it."""

    def __init__(self, house: House, seed: int, orders: int, mishaps: Mishaps = MISHAPS) -> None:
        self.house = house
        self.random = Random(seed)
        self.warehouses = Houses(seed, mishaps)
        self.planned = [one for number in range(orders) for one in story(number, self.random)]
        self.answers: list[WmsEvent] = []
        self.said: dict[str, WmsEvent] = {}
        self.now = 1e9
        self._told = 0

    async def run(self) -> None:
        while self.planned or self.answers or self.warehouses.waiting:
            self.now += self.random.random()
            for event in self.warehouses.due(self.now):
                self.said[event.message_id] = event
                self.answers.append(event)
            if self.planned and self.random.random() < 0.5:
                await self._plan(self._soon(self.planned))
            elif self.answers:
                await self._answer(self._soon(self.answers))

    def _soon(self, queue: list[Any]) -> Any:
        """Mostly the oldest; now and then any, and now and then it will come again."""
        place = self.random.randrange(len(queue)) if self.random.random() < 0.3 else 0
        return queue[place] if self.random.random() < 0.15 else queue.pop(place)

    async def _plan(self, planned: PlannedOrder) -> None:
        for event in await self.house.reserve(planned):
            if isinstance(event, FulfillmentInstruction):
                self.warehouses.take(event, self.now)

    async def _answer(self, event: WmsEvent) -> None:
        [outcome] = await self.house.answer(event)
        assert not isinstance(outcome, PermanentError), outcome
        self.planned += [one for one in outcome if isinstance(one, PlannedOrder)]


class InOrder(World):
    """What a warehouse says of one order comes in its order, as Kafka keeps it: what left is told before the rest."""

    def _soon(self, queue: list[Any]) -> Any:
        if queue is not self.answers:
            return super()._soon(queue)
        uid = self.random.choice(queue).order_uid
        return queue.pop(next(place for place, event in enumerate(queue) if event.order_uid == uid))


def shipped_by(world: World) -> list[WmsEvent]:
    """What has left, each once."""
    return [event for event in world.said.values() if event.kind is WmsEventKind.SHIPPED]


def most_shipped(left: list[WmsEvent]) -> dict[str, int]:
    """By SKU, the most units that left for one order."""
    units: Counter[tuple[str, str]] = Counter()
    for event in left:
        units.update({(event.order_uid, sku): count for sku, count in event.quantities.items()})
    return {sku: max(count for (_, each), count in units.items() if each == sku) for sku in (NUT, TEA)}


async def in_three_houses(redis: Redis) -> House:
    house = House(redis)
    for warehouse in (HZ, BJ, SH):
        await house.stock(warehouse, nut=STOCK, tea=STOCK)
    return house


@pytest.mark.parametrize("seed", range(20))
async def test_however_it_is_shuffled_stock_adds_up_and_no_unit_ships_twice(redis: Redis, seed: int) -> None:
    house = await in_three_houses(redis)
    world = World(house, seed, orders=12)
    await world.run()

    left = shipped_by(world)
    for warehouse in (HZ, BJ, SH):
        gone: Counter[str] = Counter()
        for event in left:
            if event.warehouse_id == warehouse:
                gone.update(event.quantities)
        for sku in (NUT, TEA):
            level = await house.level(warehouse, sku)
            assert level.on_hand == STOCK - gone[sku]
            assert level.available_to_promise >= 0
    assert most_shipped(left) == {NUT: 2, TEA: 1}
    assert len(left) > 3


@pytest.mark.parametrize("seed", range(20))
async def test_what_a_warehouse_gives_back_in_part_does_not_ship_twice(redis: Redis, seed: int) -> None:
    world = InOrder(await in_three_houses(redis), seed, 12, DAMAGES)
    await world.run()
    left = shipped_by(world)
    assert most_shipped(left) == {NUT: 2, TEA: 1}
    assert len(left) > 3
