"""Time in the simulated world: orders are placed at a rate and live their stories."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from ops.testbed.simulators.generator import SHARES, Generator, Life, open_sale
from ops.testbed.simulators.sale import Sale
from ops.testbed.simulators.store import Store
from ops.testbed.simulators.stories import Step, shown

TICK_SECONDS = 0.02

Steps = tuple[tuple[float, Step], ...]


class World:
    """All shops and what happens in them. `advance` is called with the time; nothing in here reads a clock."""

    def __init__(self, generator: Generator, target: int, rate: float) -> None:
        self.stores = {channel: Store() for channel in SHARES}
        self.target = target
        self.steps_done = 0
        self.sales: list[Sale] = []
        self._lives = iter(generator)
        self._rate = rate
        self._started: float | None = None
        self._last = 0
        self._due: list[tuple[float, int, Sale, Steps]] = []
        self._ticket = count()

    @property
    def finished(self) -> bool:
        """Every order is placed and has lived its story to the end."""
        return len(self.sales) >= self.target and not self._due

    def advance(self, now: float) -> None:
        """Bring the world to `now`: place what is due, then take the steps that are due."""
        if self._started is None:
            self._started = now
        self._last = max(self._last, int(now))
        placed = min(self.target, int((now - self._started) * self._rate) + 1)
        while len(self.sales) < placed:
            self._place(next(self._lives), now)
        while self._due and self._due[0][0] <= now:
            due, _, sale, steps = heapq.heappop(self._due)
            self._change(sale, steps, due)

    def settle(self, now: float) -> float:
        """Live through everything at once, in the world's own time. Returns the time when all was done."""
        while not self.finished:
            self.advance(now)
            now += 1.0
        return now

    def progress(self) -> dict[str, Any]:
        """How far the run is. `steps_left` counts the open steps of placed orders."""
        return {
            "placed": len(self.sales),
            "target": self.target,
            "steps_done": self.steps_done,
            "steps_left": sum(len(steps) for _, _, _, steps in self._due),
            "finished": self.finished,
        }

    def truth(self) -> Iterator[dict[str, Any]]:
        """Of every placed order: what the buyer is still to get, and where it must end up."""
        return map(truth_of, self.sales)

    def _place(self, life: Life, now: float) -> None:
        sale = open_sale(life, self._last)
        self.sales.append(sale)
        self._show(sale)
        self._plan(sale, life.steps, now)

    def _plan(self, sale: Sale, steps: Steps, since: float) -> None:
        if steps:
            heapq.heappush(self._due, (since + steps[0][0], next(self._ticket), sale, steps))

    def _change(self, sale: Sale, steps: Steps, due: float) -> None:
        sale.modified_at = self._last
        sale.revision += 1
        sale.steps_left -= 1
        steps[0][1].change(sale, self._last)
        self.steps_done += 1
        self._show(sale)
        self._plan(sale, steps[1:], due)

    def _show(self, sale: Sale) -> None:
        if shown(sale):
            self.stores[sale.channel].put(sale)


def truth_of(sale: Sale) -> dict[str, Any]:
    """One line of the truth. Times in unix seconds; `final` says that the story is over."""
    return {
        "channel": sale.channel,
        "shop_id": sale.shop_id,
        "platform_order_id": sale.order_id,
        "story": sale.story,
        "modified_at": sale.modified_at,
        "final": not sale.steps_left,
        "skus": sale.wanted(),
        "expected": list(sale.expected),
    }


async def run(world: World, clock: Callable[[], float]) -> None:
    """Let the world live in real time until it is finished."""
    while not world.finished:
        world.advance(clock())
        await asyncio.sleep(TICK_SECONDS)
