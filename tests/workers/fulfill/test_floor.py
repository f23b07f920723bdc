"""A shop that changes its mind, and warehouses that do whatever they may: no unit is lost, or promised twice.

What is on the shelves and what the warehouses are going to pack is kept apart from the ledger, and held against it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEvent
from schemas.order import Line, LineStatus, Order, OrderStatus
from schemas.plan import Disposition, OnShort, PlannedOrder, ReviewOrder
from tests.builders import a_line, a_plan, a_planned_order, a_wms_event, an_order
from tests.fakes import DyingLedger
from tests.workers.fulfill.house import BJ, HZ, NUT, TEA, House
from workers.fulfill.agent import FulfillAgent
from workers.reserve.agent import ReserveAgent
from workers.runtime.errors import PermanentError, TransientError
from workers.runtime.stage import Delivery

STOCK = 20
RESERVE, REVIEW, IGNORE, RELEASE = Disposition.RESERVE, Disposition.REVIEW, Disposition.IGNORE, Disposition.RELEASE
Units = Counter[str]


class Floor:
    """One warehouse and one order: what it has read, what it is going to ship, what has left."""

    def __init__(self, name: str, random: Random) -> None:
        self.name, self.random = name, random
        self.inbox: list[FulfillmentInstruction] = []
        self.told: FulfillmentInstruction | None = None
        self.wants, self.gone, self.lost = Units(), Units(), Units()
        self.said: list[WmsEvent] = []

    @property
    def rest(self) -> Units:
        """What it is going to ship."""
        return self.wants - self.gone if self.told is not None else Units()

    def may_ship(self) -> Units:
        """What it may ship, should it follow any of what it has yet to read. What has left is never packed again."""
        if self.gone and not self.rest:
            return Units()
        works = self.told is not None
        most = Units(self.wants) if works else Units()
        for one in self.inbox:
            works = works or one.kind is InstructionKind.FULFIL
            most |= units_of(one) if works else Units()
        return most - self.gone

    def act(self) -> None:
        """Something that the contract allows."""
        if self.inbox and self.random.random() < 0.6:
            self.read(self.inbox.pop(0))
        elif self.told is not None and self.rest:
            self.random.choice([self.accept, self.ship, self.ship_part, self.give_back])()

    def finish(self) -> None:
        """Read all, ship all."""
        while self.inbox:
            self.read(self.inbox.pop(0))
        if self.told is not None and self.rest:
            self.ship()

    def read(self, one: FulfillmentInstruction) -> None:
        match one.kind:
            case InstructionKind.FULFIL:
                if not self.rest and self.gone:
                    return  # what has left is never packed again
                self.told, self.wants = one, units_of(one)
            case InstructionKind.CHANGE:
                follows = self.told is not None and bool(self.rest) and not self.gone - units_of(one)
                if follows and self.random.random() < 0.5:
                    self.told, self.wants = one, units_of(one)
                    self.say(one, "accepted")
                else:
                    self.say(one, "rejected", reason="other")
            case InstructionKind.CANCEL:
                if (self.told is not None and not self.rest) or (self.rest and self.random.random() < 0.4):
                    self.say(one, "rejected", reason="other")
                else:
                    self.told = None
                    self.say(one, "cancelled")

    def accept(self) -> None:
        self.say(self.told, self.random.choice(["accepted", "picked"]))

    def ship(self) -> None:
        named = self.gone or self.random.random() < 0.5
        quantities = dict(self.rest) if named else {}
        self.say(self.told, "shipped", quantities=quantities)
        self.gone = self.gone + self.rest

    def ship_part(self) -> None:
        sku = self.random.choice(sorted(self.rest))
        self.say(self.told, "shipped", quantities={sku: 1})
        self.gone[sku] += 1

    def give_back(self) -> None:
        way = self.random.choice(["damaged", "some damaged", "other", "cancelled"])
        if way == "cancelled":
            self.say(self.told, "cancelled")
        elif way == "some damaged":
            sku = self.random.choice(sorted(self.rest))
            self.say(self.told, "short", reason="damaged", quantities={sku: 1})
            self.lost[sku] += 1
        else:
            self.say(self.told, "short", reason=way)
            if way == "damaged":
                self.lost += self.rest
        self.told = None

    def say(self, told: FulfillmentInstruction | None, kind: str, **fields: Any) -> None:
        assert told is not None
        self.said.append(a_wms_event(told, kind, f"{self.name}-{len(self.said)}-{self.random.random()}", **fields))


def units_of(told: FulfillmentInstruction) -> Units:
    units = Units()
    for pick in (*told.purchased, *told.gifts):
        units[pick.sku] += pick.quantity
    return units


class World:
    """Everything that is under way."""

    def __init__(self, redis: Redis, house: House, seed: int, deaths: float) -> None:
        self.redis, self.house, self.random, self.deaths = redis, house, Random(seed), deaths
        self.floors = {name: Floor(name, self.random) for name in (HZ, BJ)}
        self.events: list[WmsEvent] = []
        self.delivered: list[WmsEvent] = []
        self.planned: list[PlannedOrder] = []
        self.revision, self.last = 0, RESERVE
        self.log: list[tuple[Any, ...]] = []  # what happened, for who must find out why
        self.most: Units = Units()
        self.reviews: list[ReviewOrder] = []
        self.waits = False
        self.known = {name: Units() for name in self.floors}  # what was damaged, as far as it was heard
        self.lines: dict[str, int] = {}

    async def run(self, steps: int = 30) -> None:
        self.shop_says(RESERVE)
        for _ in range(steps):
            await self.step()
            await self.check()
        while self.planned or self.events or any(floor.inbox or floor.rest for floor in self.floors.values()):
            await self.reserve_all()
            for floor in self.floors.values():
                floor.finish()
            self.collect()
            while self.events:
                await self.answer(self.events.pop(0))
                await self.reserve_all()
            await self.check()

    async def step(self) -> None:
        chance = self.random.random()
        if chance < 0.2:
            self.shop_says(self.random.choice([RESERVE, RESERVE, RESERVE, REVIEW, IGNORE, RELEASE]))
        elif chance < 0.5 and self.planned:
            await self.reserve(self.planned.pop(0))
        elif chance < 0.75:
            self.random.choice(list(self.floors.values())).act()
            self.collect()
        elif self.events:
            await self.answer(self.events.pop(0))
        elif self.delivered and chance > 0.95:
            await self.answer(self.random.choice(self.delivered))

    def collect(self) -> None:
        for floor in self.floors.values():
            for event in floor.said:
                self.events.append(event)
                self.log.append(
                    ("says", floor.name, event.kind.value, event.instruction_id[-40:], event.quantities, event.reason)
                )
            floor.said = []

    def shop_says(self, disposition: Disposition) -> None:
        self.revision += 1
        self.lines = {sku: self.random.choice((0, 1, 1, 2, 3)) for sku in (NUT, TEA)}
        if not any(self.lines.values()):
            self.lines[NUT] = 1
        self.most |= Units(self.lines)
        order = self._order(disposition)
        split = self.random.choice([OnShort.NEXT, OnShort.SPLIT])
        self.last = disposition
        self.reviews = []
        self.planned.append(a_planned_order(order, a_plan(HZ, BJ, disposition=disposition, on_short=split)))

    def _order(self, disposition: Disposition) -> Order:
        lines: list[Line] = []
        for number, (sku, units) in enumerate(self.lines.items(), start=1):
            line = a_line(sku, max(units, 1), line_id=str(number))
            if units:
                done = disposition is IGNORE
                lines.append(replace(line, status=LineStatus.SHIPPED) if done else line)
            elif self.random.random() < 0.5:
                lines.append(replace(line, status=LineStatus.CANCELLED))
        status = {IGNORE: OrderStatus.SHIPPED, RELEASE: OrderStatus.CANCELLED}.get(disposition, OrderStatus.TO_SHIP)
        if disposition is RELEASE and self.random.random() < 0.3:
            lines = []
        order = an_order(lines=tuple(lines), status=status)
        return replace(order, revision=f"{self.revision:015d}.0000.aaaaaaaaaaaa")

    async def reserve_all(self) -> None:
        while self.planned:
            await self.reserve(self.planned.pop(0))

    async def reserve(self, planned: PlannedOrder) -> None:
        delivery = self.house.topic.append(planned)
        self.log.append(
            (
                "plan",
                planned.order.revision,
                planned.plan.disposition.value,
                [(line.sku, line.quantity, line.status.value) for line in planned.order.lines],
                planned.plan.gave_up,
                planned.plan.on_short.value,
            )
        )
        if self.random.random() < self.deaths:
            try:
                await ReserveAgent(self.dying(6), 60).handle([delivery])
            except TransientError:
                self.log.append(("died",))
                if self.random.random() < 0.5 and self.events:
                    await self.answer(self.events.pop(0))
        for _ in range(3):
            try:
                [outcome] = await ReserveAgent(self.house.ledger, 60).handle([delivery])
                break
            except TransientError:
                continue
        assert not isinstance(outcome, PermanentError), outcome
        for event in outcome:
            if isinstance(event, FulfillmentInstruction):
                self.log.append(("told", event.warehouse_id, event.kind.value, event.revision, dict(units_of(event))))
                self.floors[event.warehouse_id].inbox.append(event)
            elif isinstance(event, ReviewOrder):
                self.reviews.append(event)
            else:
                self.waits = True

    async def answer(self, event: WmsEvent) -> None:
        delivery = Delivery(event, key=event.order_uid.encode())
        ledger = self.house.ledger
        if self.random.random() < self.deaths:
            try:
                await FulfillAgent(self.dying(5), self.house.topic).handle([delivery])
            except TransientError:
                self.log.append(("died answering",))
        try:
            [outcome] = await FulfillAgent(ledger, self.house.topic).handle([delivery])
        except TransientError:
            self.events.insert(0, event)
            return
        self.log.append(("heard", event.message_id, event.kind.value, outcome))
        assert not isinstance(outcome, PermanentError), (outcome, event)
        self.delivered.append(event)
        if not self.events:
            self.known = {name: Units(floor.lost) for name, floor in self.floors.items()}
        self.planned += [one for one in outcome if isinstance(one, PlannedOrder)]
        self.reviews += [one for one in outcome if isinstance(one, ReviewOrder)]

    def dying(self, calls: int) -> DyingLedger:
        return DyingLedger(self.redis, self.random.randint(1, calls), after=self.random.random() < 0.5)

    async def check(self) -> None:
        """What may be sold is there, and no warehouse is going to ship it."""
        assert (await self.house.ledger.stock.audit()).findings == (), self.log
        for name, floor in self.floors.items():
            for sku in (NUT, TEA):
                [level] = await self.house.ledger.stock.levels(name, [sku])
                there = STOCK - floor.gone[sku] - self.known[name][sku]
                free = there - floor.may_ship()[sku]
                assert level.available_to_promise <= free, (name, sku, level, self.log)


async def a_world(redis: Redis, seed: int, deaths: float) -> World:
    house = House(redis)
    for warehouse in (HZ, BJ):
        await house.stock(warehouse, nut=STOCK, tea=STOCK)
    return World(redis, house, seed, deaths)


async def in_the_end(world: World) -> None:
    for name, floor in world.floors.items():
        for sku in (NUT, TEA):
            level = await world.house.level(name, sku)
            assert level.on_hand == STOCK - floor.gone[sku] - floor.lost[sku], (
                name,
                sku,
                level,
                floor.gone,
                floor.lost,
            )
            reserved = level.held + level.committed + level.allocated
            if not world.reviews and not world.waits and world.last is not REVIEW:
                assert reserved == 0, (sku, level, world.log)
    for sku in (NUT, TEA):
        gone = sum(floor.gone[sku] for floor in world.floors.values())
        assert gone <= world.most[sku], (sku, gone, world.log)


@pytest.mark.parametrize("deaths", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(6))
async def test_no_unit_is_lost_promised_twice_or_kept_for_nobody(redis: Redis, seed: int, deaths: float) -> None:
    world = await a_world(redis, seed, deaths)
    await world.run()
    await in_the_end(world)
