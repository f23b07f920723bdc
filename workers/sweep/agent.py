"""The sweep stage: any number of sweepers may run at once."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from workers.inventory.ledger import Ledger
from workers.inventory.records import Swept
from workers.runtime.settings import Settings

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 5.0
"""After this long a tick ends, for the worker to look up; with more to do the next begins at once."""

REST: Final = 0.5
"""Of the time a batch took."""

_APART: Final = 16


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
    """Expires due holds in batches, between which reservations get their turn; all warehouses get theirs, too."""

    def __init__(self, ledger: Ledger, now: Callable[[], float], batch: int) -> None:
        self._stock, self._holds = ledger.stock, ledger.holds
        self._now = now
        self._batch = batch

    async def tick(self) -> Sequence[Any]:
        """Sweep until nothing is due. The scripts themselves write the events, to the outbox."""
        end = time.monotonic() + TICK_SECONDS
        sweeps = [_WarehouseSweep(warehouse, self._batch) for warehouse in await self._stock.warehouses()]
        while sweeps and time.monotonic() < end:
            for sweep in sweeps:
                sweep.note(await self._sweep(sweep))
            sweeps = [sweep for sweep in sweeps if not sweep.done]
        return ()

    async def _sweep(self, sweep: _WarehouseSweep) -> Swept:
        """One batch, and a rest after a full one: however many sweepers there are, Redis has time for reservations."""
        started = time.monotonic()
        swept = await self._holds.sweep(sweep.warehouse_id, int(self._now() * 1000), self._batch, sweep.skip)
        if swept.looked_at == self._batch:
            await asyncio.sleep((time.monotonic() - started) * REST)
        return swept

    async def confirmed(self) -> None:
        """Nothing waits for this."""


class _WarehouseSweep:
    """How far the sweep of one warehouse has come.

    Sweepers that begin at the same end of a long list would race for the same holds: so each goes on at a place of its
    own, and comes back to the beginning, where the oldest are, until nothing is due there.
    """

    def __init__(self, warehouse_id: str, batch: int) -> None:
        self.warehouse_id = warehouse_id
        self.skip = 0
        self.done = False
        self._batch = batch
        self._corrupt = 0

    def note(self, swept: Swept) -> None:
        """Where to go on after this batch. Corrupt holds stay on the list: they are passed over."""
        from_the_start = self.skip == self._corrupt
        if from_the_start:
            self._corrupt += len(swept.corrupt)
            for error in swept.corrupt:
                log.error("sweep: a hold in %s is passed over: %s", self.warehouse_id, error)
        full = swept.looked_at == self._batch
        self.done = from_the_start and not full
        ahead = random.randrange(_APART) * self._batch if full else 0  # noqa: S311  # spreads sweepers, guards nothing
        self.skip = self._corrupt + ahead
