"""The relay stage: what a script did is published even if whoever called it is dead."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

from schemas.inventory import InventoryEvent
from workers.inventory.ledger import Ledger
from workers.inventory.operations.trim import TrimOutcome
from workers.runtime import metrics

log = logging.getLogger(__name__)

LEASE_MS: Final = 10_000
BATCH: Final = 1000


class Services(Protocol):
    """What this stage needs of the process."""

    @property
    def ledger(self) -> Ledger:
        """Where the outboxes are."""
        ...


def relay(services: Services) -> RelayAgent:
    """The agent."""
    return RelayAgent(services.ledger)


class RelayAgent:
    """Reads the outboxes that it has the lease of, and trims them once Kafka has their events."""

    def __init__(self, ledger: Ledger, batch: int = BATCH) -> None:
        self._stock, self._outbox = ledger.stock, ledger.outbox
        self._batch = batch
        self._read: dict[str, str] = {}
        self._is_behind = False
        self._kinds: Counter[tuple[str, str]] = Counter()

    async def tick(self) -> Sequence[InventoryEvent]:
        """The oldest events of each outbox. Until `confirmed`, the next tick gives the same again."""
        self._read.clear()
        self._is_behind = False
        events: list[InventoryEvent] = []
        for warehouse in await self._outbox.lease(await self._stock.warehouses(), LEASE_MS):
            found, end = await self._outbox.read(warehouse, self._batch)
            if found:
                events.extend(found)
                self._read[warehouse] = end
                self._is_behind |= len(found) == self._batch
        self._kinds = Counter((event.warehouse_id, event.kind.value) for event in events)
        return events

    async def confirmed(self) -> bool:
        """Kafka has the last tick's events: drop them here. True when an outbox held more than a tick reads."""
        if not self._read:
            return False
        for (warehouse, kind), count in self._kinds.items():
            metrics.INVENTORY_EVENTS.labels(warehouse, kind).inc(count)
        outcomes = await self._outbox.trim(self._read)
        for warehouse, outcome in zip(self._read, outcomes, strict=True):
            if outcome is TrimOutcome.TAKEN:
                log.info("relay: another worker took over the outbox of %s; its events may come twice", warehouse)
        self._read.clear()
        return self._is_behind
