"""The restock stage: any number of them may run at once; each order is let through by one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol

from schemas.plan import PlannedOrder, ReviewOrder
from workers.inventory.archive import Archive
from workers.inventory.ledger import Ledger
from workers.inventory.waiting import Waiting
from workers.restock.decide import StockAllocator, is_the_one, word_of
from workers.runtime import metrics

log = logging.getLogger(__name__)

LEASE_MS: Final = 10_000
TRIED_MS: Final = 30_000
MOST_A_TICK: Final = 500


class Services(Protocol):
    """What this stage needs of the process."""

    @property
    def ledger(self) -> Ledger:
        """Where the stock is, and who waits for it."""
        ...

    @property
    def archive(self) -> Archive:
        """Where the planned orders are."""
        ...

    @property
    def now(self) -> Callable[[], float]:
        """Seconds since 1970."""
        ...


def restock(services: Services) -> RestockAgent:
    """The agent."""
    return RestockAgent(services.ledger, services.archive, services.now)


Chosen = list[tuple[Waiting, tuple[str, ...]]]
"""Orders that can be filled, with the warehouses their units were set aside in."""


class RestockAgent:
    """Looks for stock that waiting orders need, and sends those on that can be filled, as a next try of their revision.

    It reserves nothing: an order goes the way of all orders. Until that is done its units count as set aside, so that
    no younger order of the list is sent after them.
    """

    def __init__(self, ledger: Ledger, archive: Archive, now: Callable[[], float]) -> None:
        self._stock = ledger.stock
        self._list = ledger.waiting
        self._archive = archive
        self._now = now
        self._sent: list[Waiting] = []
        self._reviewed: list[Waiting] = []
        self._tidied = 0

    async def tick(self) -> Sequence[PlannedOrder | ReviewOrder]:
        """The orders to try again now, oldest first."""
        self._sent, self._reviewed = [], []
        await self._measure()
        await self._tidy()
        wants = await self._list.wants()
        if not wants:
            return ()
        allocator = StockAllocator(dict(zip(wants, await self._stock.available(wants), strict=True)))
        if allocator.is_empty:
            return ()
        return await self._words(await self._mine(await self._choose(allocator)))

    async def _measure(self) -> None:
        count, oldest_ms = await self._list.figures()
        metrics.WAITING.set(count)
        metrics.WAITING_AGE.set(max(0.0, self._now() - oldest_ms / 1000) if count else 0)

    async def _tidy(self) -> None:
        """Look at a part of the list, another at each tick, for what a crash left on it."""
        self._tidied, entries = await self._list.some(self._tidied)
        await self._drop(entries, await self._list.is_over(entries))

    async def _drop(self, entries: Sequence[Waiting], over: Sequence[bool | None]) -> None:
        gone = [entry for entry, is_gone in zip(entries, over, strict=True) if is_gone]
        await self._list.leave([(entry.order_uid, entry.revision) for entry in gone])

    async def _choose(self, allocator: StockAllocator) -> Chosen:
        """Offer the stock to the whole list, oldest first; who is on the way already keeps what it was sent for."""
        on_the_way = await self._list.in_hand()
        chosen: Chosen = []
        async for page in self._list.oldest_first():
            served = [(entry, allocator.allocate(entry)) for entry in page]
            filled = [(entry, where) for entry, where in served if where and entry.order_uid not in on_the_way]
            chosen += filled
            if allocator.is_empty or len(chosen) >= MOST_A_TICK:
                break
        return chosen[:MOST_A_TICK]

    async def _mine(self, chosen: Chosen) -> Chosen:
        """Those that really wait and that no other timer has taken. What waits for nothing any more is taken off."""
        entries = [entry for entry, _ in chosen]
        over = await self._list.is_over(entries)
        await self._drop(entries, over)
        still = [choice for choice, gone in zip(chosen, over, strict=True) if gone is False]
        taken = {entry.order_uid for entry in await self._list.take([entry for entry, _ in still], LEASE_MS)}
        return [choice for choice in still if choice[0].order_uid in taken]

    async def _words(self, mine: Chosen) -> list[PlannedOrder | ReviewOrder]:
        events: list[PlannedOrder | ReviewOrder] = []
        lost: list[Waiting] = []
        orders = await self._archive.read([entry.place for entry, _ in mine]) if mine else []
        for (entry, warehouses), planned in zip(mine, orders, strict=True):
            if planned is None or not is_the_one(planned, entry):
                lost.append(entry)
                continue
            event = word_of(entry, warehouses, planned)
            (self._reviewed if isinstance(event, ReviewOrder) else self._sent).append(entry)
            events.append(event)
        if lost:
            await self._set_apart(lost)
        return events

    async def _set_apart(self, lost: Sequence[Waiting]) -> None:
        """They stay on the list, where a person sees them, but no stock is set aside for them any more."""
        await self._list.put([replace(entry, warehouses=(), gave_up=(), source="") for entry in lost])
        metrics.RESTOCK_LOST.inc(len(lost))
        log.error(
            "restock: stock came for %d waiting orders that are no longer in orders.planned, one is %s; have their "
            "shops polled again (orderfleet poll --help), and see orderfleet backorders list",
            len(lost),
            lost[0].order_uid,
        )

    async def confirmed(self) -> None:
        """Kafka has them. Until the reserve stage has answered, they are not sent again."""
        await self._list.keep(self._sent, TRIED_MS)
        await self._list.leave([(entry.order_uid, entry.revision) for entry in self._reviewed])
        metrics.RESTOCKED.inc(len(self._sent))
        self._sent, self._reviewed = [], []
