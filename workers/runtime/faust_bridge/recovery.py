"""What follows a rebalance in Faust: going back to what is committed, then reading on. Here it never gives up halfway.

Faust gives the way back a time limit, mode tells its end as if the service had been stopped, and Faust then ends the
task that resumes a group after each rebalance. The worker keeps its partitions, beats on, and reads none of them until
it is started anew: it happens when the broker dies during a rebalance and is away for longer than one request may take.

These overrides hold for faust-streaming 0.15.3 with mode-streaming 0.7, as those of the transport do.
"""

from __future__ import annotations

import asyncio
from typing import Any

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery


class PatientRecovery(Recovery):  # type: ignore[misc]
    """Waits until the consumer has found its places, however long its broker is away.

    A consumer that answers nothing though a broker does is another matter: the worker watches for that.
    """

    async def _wait(self, coro: Any, timeout: object = None) -> None:
        """Wait for it, for the next rebalance or for the end of the service. Raises ConnectionError."""
        try:
            await super()._wait(coro)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self.should_stop or task is None or task.cancelling():
                raise
            # Else this task would end without a word, too. A crash is noticed.
            raise ConnectionError("the consumer dropped a request during a rebalance") from None


class PatientTables(TableManager):  # type: ignore[misc]
    """There are no tables, but Faust resumes a group through them."""

    _recovery: PatientRecovery | None

    @property
    def recovery(self) -> PatientRecovery:
        """What resumes the group after a rebalance."""
        if self._recovery is None:
            self._recovery = PatientRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        """Begin at once. Faust waits a second here, for tables that might still be declared."""
        await self._update_channels()
        await self.recovery.start()


__all__ = ["PatientRecovery", "PatientTables"]
