"""Everything that happens to stock, at random from a seed, through the real agent and the real ledger."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from itertools import count

from redis.asyncio import Redis

from schemas.order import Line, LineStatus, Order
from schemas.plan import Disposition, OnShort, PlannedOrder
from schemas.record import changed
from schemas.revision import revision_of
from tests.builders import NOON, a_line, a_plan, a_planned_order, an_order, an_unpaid_order
from workers.inventory.ledger import Ledger
from workers.inventory.operations.allocate import Allocate
from workers.inventory.operations.ship import Ship
from workers.inventory.operations.short import Lost, Short
from workers.inventory.operations.steps import Step
from workers.inventory.operations.transfer import Transfer, TransferAction
from workers.inventory.operations.withdraw import Withdraw
from workers.inventory.records import Count
from workers.inventory.retention import MOVED_MS
from workers.reserve.agent import ReserveAgent
from workers.runtime.stage import Delivery

WAREHOUSES = ("hangzhou", "beijing", "shanghai-cold")
SKUS = ("COFFEE-1KG", "MUG-350", '茶/叶 "特级"', "A[*]?", "BOX\\1")
NOON_MS = int(NOON.timestamp() * 1000)


class Traffic:
    """Orders and warehouses at work. `planned` keeps every planned order in the order of its handling."""

    def __init__(self, redis: Redis, seed: int, prefix: str = "") -> None:
        self.ledger = Ledger(redis)
        self.agent = ReserveAgent(self.ledger, 1800)
        self.planned: list[PlannedOrder] = []
        self.events: list[object] = []  # what the agent said
        self._random = random.Random(seed)
        self._prefix = prefix or f"{seed}-"
        self._numbers = count(1)
        self._messages = count(1)
        self._orders: dict[str, Order] = {}
        self._minute = count(1)

    async def stock(self, units: int = 40) -> None:
        """Count everything once."""
        for warehouse in WAREHOUSES:
            counts = {sku: Count(on_hand=units, safety=self._random.choice((0, 0, 2))) for sku in SKUS}
            await self.ledger.stock.set_counts(warehouse, counts, NOON_MS)

    async def run(self, steps: int) -> None:
        """So many random steps."""
        ways = (self._order, self._order, self._order, self._revise, self._revise, self._wms, self._wms, self._wms)
        rare = (self._sweep, self._transfer, self._count)
        for _ in range(steps):
            way = self._random.choice(rare if self._random.random() < 0.15 else ways)
            await way()
            await asyncio.sleep(0)

    async def handle(self, *planned: PlannedOrder) -> None:
        """Let the agent handle these, as read from `orders.planned` one after the other."""
        deliveries = []
        for one in planned:
            offset = len(self.planned)
            self.planned.append(one)
            deliveries.append(Delivery(one, key=one.order.uid.encode(), partition=0, offset=offset))
        for outcome in await self.agent.handle(deliveries):
            assert not isinstance(outcome, Exception)
            self.events += outcome

    # -- orders

    async def _order(self) -> None:
        make = self._random.choice((an_order, an_order, an_unpaid_order))
        order = make(f"{self._prefix}{next(self._numbers)}", lines=self._lines())
        self._orders[order.uid] = order
        await self.handle(self._plan(order))

    def _plan(self, order: Order, disposition: Disposition = Disposition.RESERVE) -> PlannedOrder:
        on_short = self._random.choice((OnShort.NEXT, OnShort.SPLIT, OnShort.SPLIT, OnShort.TRANSFER))
        warehouses = self._random.sample(WAREHOUSES, self._random.choice((1, 2, 3)))
        return a_planned_order(order, a_plan(*warehouses, disposition=disposition, on_short=on_short))

    def _lines(self) -> tuple[Line, ...]:
        skus = self._random.sample(SKUS, self._random.choice((1, 1, 2, 3)))
        return tuple(a_line(sku, self._random.randint(1, 6), line_id=str(n)) for n, sku in enumerate(skus, start=1))

    async def _revise(self) -> None:
        if not self._orders:
            return
        uid = self._random.choice(list(self._orders))
        order = self._orders[uid]
        at = order.modified_at + timedelta(minutes=next(self._minute))
        what = self._random.choice(("paid", "lines", "cancel", "cancel", "review", "ignore"))
        disposition = {
            "cancel": Disposition.RELEASE,
            "review": Disposition.REVIEW,
            "ignore": Disposition.IGNORE,
        }.get(what, Disposition.RESERVE)
        if what == "paid":
            order = an_order(order.platform_order_id, lines=order.lines, modified_at=at)
        elif what == "lines":
            lines = (*order.lines[:-1], changed(order.lines[-1], status=LineStatus.CANCELLED), *self._lines()[:1])
            order = changed(order, lines=tuple(changed(line, line_id=str(n)) for n, line in enumerate(lines)))
        order = changed(order, modified_at=at)
        order = changed(order, revision=revision_of(order))
        self._orders[uid] = order
        await self.handle(self._plan(order, disposition))

    # -- warehouses

    async def _wms(self) -> None:
        if not self._orders:
            return
        uid = self._random.choice(list(self._orders))
        seen = await self.ledger.orders.where_is(uid)
        for held in seen.reservations:
            [await self.ledger.orders.apply([step]) for step in self._answers(uid, held.warehouse_id, held.quantities)]

    def _answers(self, uid: str, warehouse: str, units: dict[str, int]) -> list[Step]:
        message, at_ms = f"m/{self._prefix}{next(self._messages)}", NOON_MS + self._random.randint(0, 2 * MOVED_MS)
        part = {sku: self._random.randint(1, had) for sku, had in units.items() if had and self._random.random() < 0.6}
        revision = self._orders[uid].revision
        whole, some = Ship(warehouse, uid, message, at_ms), Ship(warehouse, uid, message, at_ms, part)
        about = revision if at_ms % 3 else "0"  # what was told anew since
        short = Short(warehouse, uid, message, at_ms, about, self._random.choice(list(Lost)), part, told=units or None)
        ways: list[list[Step]] = [
            [Allocate(warehouse, uid)],
            [Allocate(warehouse, uid), whole],
            [Allocate(warehouse, uid), some, some],
            [short],
            [Withdraw(warehouse, uid, revision)],
        ]
        return self._random.choice(ways)

    # -- the rest

    async def _sweep(self) -> None:
        warehouse = self._random.choice(WAREHOUSES)
        now = NOON_MS + self._random.choice((0, 3600_000))
        await self.ledger.holds.expire(await self.ledger.holds.due(warehouse, now, 3), now)

    async def _transfer(self) -> None:
        giver, getter = self._random.sample(WAREHOUSES, 2)
        transfer_id = f"{self._prefix}{next(self._messages)}"
        units = {sku: self._random.randint(1, 5) for sku in self._random.sample(SKUS, 2)}
        at_ms = NOON_MS + self._random.randint(0, 2 * MOVED_MS)
        actions = [(giver, TransferAction.RESERVE), (giver, TransferAction.SEND), (getter, TransferAction.RECEIVE)]
        if self._random.random() < 0.3:
            actions[1:] = [(giver, TransferAction.CANCEL)]
        for warehouse, action in actions[: self._random.randint(1, 3)]:
            await self.ledger.stock.transfer([Transfer(warehouse, transfer_id, action, at_ms, units)])

    async def _count(self) -> None:
        counts = {sku: Count(on_hand=self._random.randint(20, 60)) for sku in self._random.sample(SKUS, 2)}
        at_ms = self._random.choice((None, NOON_MS + self._random.randint(0, MOVED_MS)))
        await self.ledger.stock.set_counts(self._random.choice(WAREHOUSES), counts, at_ms)
