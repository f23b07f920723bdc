"""The sweep stage: any number of sweepers may run at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from workers.inventory.ledger import Ledger
from workers.runtime.settings import Settings

_BATCHES_A_TICK = 20


class Services(Protocol):
    """What this stage needs of the process."""

    @property
    def settings(self) -> Settings:
        """How much is swept at once."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Where the stock is."""
        ...

    @property
    def now(self) -> Callable[[], float]:
        """Seconds since 1970."""
        ...


def sweep(services: Services) -> SweepAgent:
    """The agent."""
    return SweepAgent(services.ledger, services.now, services.settings.sweep_batch)


class SweepAgent:
    """Expires due holds, warehouse by warehouse, in batches between which reservations get their turn."""

    def __init__(self, ledger: Ledger, now: Callable[[], float], batch: int) -> None:
        self._ledger = ledger
        self._now = now
        self._batch = batch

    async def tick(self) -> Sequence[Any]:
        """Sweep what is due, bounded. The scripts themselves write the events, to the outbox."""
        now_ms = int(self._now() * 1000)
        for warehouse in await self._ledger.warehouses():
            for _ in range(_BATCHES_A_TICK):
                due = await self._ledger.due(warehouse, now_ms, self._batch)
                await self._ledger.expire(due, now_ms)
                if len(due) < self._batch:
                    break
        return ()

    async def confirmed(self) -> None:
        """Nothing waits for this."""
