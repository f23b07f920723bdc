"""A world that has lived all its stories, and the server in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest

from ops.testbed.simulators.catalogue import Catalogue, load_catalogue
from ops.testbed.simulators.faults import Faults
from ops.testbed.simulators.generator import Generator
from ops.testbed.simulators.sale import Sale
from ops.testbed.simulators.server import Simulator, listening
from ops.testbed.simulators.world import World

SINGLES_DAY = datetime(2026, 11, 11, 4, tzinfo=UTC)
START = SINGLES_DAY.timestamp()


@dataclass
class Quiet:
    """A world in which nothing happens any more, and the moment since when."""

    world: World
    ended: float

    def sales(self, channel: str) -> list[Sale]:
        """Every order of a channel, also those its platform does not show."""
        return [sale for sale in self.world.sales if sale.channel == channel]

    def clock(self) -> float:
        """Half a minute after the last change."""
        return self.ended + 30

    def now(self) -> datetime:
        """The same, as clients are told it."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def simulator(self, faults: Faults | None = None) -> Simulator:
        """The platforms in front of this world."""
        return Simulator(self.world, self.clock, faults)


def a_quiet_world(catalogue: Catalogue, seed: int = 11, orders: int = 1500) -> Quiet:
    """All orders placed within seconds, all stories over."""
    world = World(Generator(seed, catalogue), orders, rate=500.0)
    return Quiet(world, world.settle(START))


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The shipped example."""
    return load_catalogue()


@pytest.fixture(scope="session")
def quiet(catalogue: Catalogue) -> Quiet:
    """Enough orders for every story on every channel that has it. Not to be changed."""
    return a_quiet_world(catalogue, orders=6000)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client for the simulators."""
    async with httpx.AsyncClient(timeout=10) as client:
        yield client


@pytest.fixture
async def base_url(quiet: Quiet) -> AsyncIterator[str]:
    """Where the quiet world's platforms listen."""
    async with listening(quiet.simulator()) as port:
        yield f"http://127.0.0.1:{port}"


Clock = Callable[[], datetime]
