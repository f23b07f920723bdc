"""All shops of a process: one poller each, none of which can disturb another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from workers.intake.poll import ShopPoller, where_it_broke

logger = logging.getLogger(__name__)

_RESTART_SECONDS = 30.0


async def poll_all(pollers: Iterable[ShopPoller], *, restart_seconds: float = _RESTART_SECONDS) -> None:
    """Run all pollers until cancelled; each gives its lease back on the way out.

    One that breaks, which only a bug can do, is started again after `restart_seconds`.
    """
    async with asyncio.TaskGroup() as group:
        for poller in pollers:
            group.create_task(_keep_running(poller, restart_seconds), name=f"poll {poller.shop}")


async def _keep_running(poller: ShopPoller, restart_seconds: float) -> None:
    while True:
        try:
            await poller.run()
        except Exception as error:  # noqa: BLE001  # whatever it is, the other shops go on
            logger.error("%s: poller broke, started again: %s", poller.shop, where_it_broke(error))
        await asyncio.sleep(restart_seconds)
