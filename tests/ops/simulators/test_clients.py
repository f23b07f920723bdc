"""The fleet's own clients against the simulated platforms, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count

import httpx
import pytest
from pydantic import SecretStr

from channel_adapters.contract import (
    ChannelClient,
    ChannelRefused,
    ChannelUnavailable,
    RawOrder,
    Window,
)
from channel_adapters.registry import CHANNELS
from ops.simulators.catalogue import Catalogue
from ops.simulators.faults import Fault, Faults
from ops.simulators.generator import SHARES, Generator
from ops.simulators.server import Simulator, listening
from ops.simulators.shops import simulated_shop
from ops.simulators.stories import shown
from ops.simulators.world import World
from tests.ops.simulators.conftest import START, Quiet, a_quiet_world


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def client_of(channel: str, base_url: str, http: httpx.AsyncClient, now: datetime) -> ChannelClient:
    return CHANNELS[channel].make_client(simulated_shop(channel, base_url), http, lambda: now)


async def rows_of(client: ChannelClient, window: Window) -> list[RawOrder]:
    return [row async for page in client.orders_modified(window) for row in page]


@pytest.fixture(scope="module")
def small(catalogue: Catalogue) -> Quiet:
    """Few enough orders to fetch each Taobao trade by itself."""
    return a_quiet_world(catalogue, orders=400)


@pytest.mark.parametrize("channel", SHARES)
async def test_a_client_gets_every_shown_order_as_it_is_now(
    small: Quiet, http: httpx.AsyncClient, channel: str
) -> None:
    async with listening(small.simulator()) as port:
        client = client_of(channel, f"http://127.0.0.1:{port}", http, small.now())
        rows = await rows_of(client, Window(moment(START), small.now()))
    read = {}
    for row in rows:
        read[row.platform_order_id] = row.modified_at
    expected = {s.order_id: moment(s.modified_at) for s in small.sales(channel) if shown(s)}
    assert read == expected


@pytest.mark.parametrize("channel", SHARES)
async def test_a_client_with_a_wrong_secret_is_refused(small: Quiet, http: httpx.AsyncClient, channel: str) -> None:
    async with listening(small.simulator()) as port:
        wrong = simulated_shop(channel, f"http://127.0.0.1:{port}").model_copy(
            update={"app_secret": SecretStr("demo-wrong"), "access_token": SecretStr("demo-wrong")}
        )
        client = CHANNELS[channel].make_client(wrong, http, small.now)
        with pytest.raises(ChannelRefused) as refused:
            await rows_of(client, Window(moment(START), small.now()))
    assert "demo-wrong" not in str(refused.value)


class OneFault(Faults):
    """The first call fails in one way, all others succeed."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self._first: Iterator[Fault | None] = iter((fault,))

    def strike(self) -> Fault | None:
        return next(self._first, None)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("channel", SHARES)
async def test_a_client_takes_a_fault_for_what_it_is_and_then_goes_on(
    small: Quiet, http: httpx.AsyncClient, channel: str, fault: Fault
) -> None:
    async with listening(small.simulator(OneFault(fault))) as port:
        client = client_of(channel, f"http://127.0.0.1:{port}", http, small.now())
        window = Window(moment(START), moment(START + 3))
        with pytest.raises(ChannelUnavailable):
            await rows_of(client, window)
        assert await rows_of(client, window)


@pytest.mark.parametrize("channel", SHARES)
async def test_a_poller_sees_the_last_state_of_every_order_of_a_living_world(
    catalogue: Catalogue, http: httpx.AsyncClient, channel: str
) -> None:
    world = World(Generator(23, catalogue), target=300, rate=30.0)
    time = START
    simulator = Simulator(world, lambda: time)
    seen: dict[str, datetime | None] = {}
    async with listening(simulator) as port:
        client = CHANNELS[channel].make_client(
            simulated_shop(channel, f"http://127.0.0.1:{port}"), http, lambda: moment(time)
        )
        for _ in count():
            done = world.finished
            time += 2
            async for page in client.orders_modified(Window(moment(time - 6), moment(time))):
                seen.update((row.platform_order_id, row.modified_at) for row in page)
                world.advance(time := time + 0.1)  # it goes on while we read
            world.advance(time)
            if done:
                break
    assert seen == {s.order_id: moment(s.modified_at) for s in world.sales if s.channel == channel and shown(s)}


async def test_faults_strike_at_their_rate_and_repeat() -> None:
    one, again = Faults(0.1, seed=5), Faults(0.1, seed=5)
    strikes = [one.strike() for _ in range(2000)]
    assert strikes == [again.strike() for _ in range(2000)]
    assert 150 < sum(strike is not None for strike in strikes) < 250
    assert set(strikes) == {None, Fault.LIMITED, Fault.BROKEN}
    with pytest.raises(ValueError, match="fault rate"):
        Faults(1.0)


class CountingFaults(Faults):
    """Faults that know how often they struck."""

    struck = 0

    def strike(self) -> Fault | None:
        fault = super().strike()
        self.struck += fault is not None
        return fault


async def test_a_faulty_platform_gives_all_its_orders_in_the_end(small: Quiet, http: httpx.AsyncClient) -> None:
    faults = CountingFaults(0.2, seed=3)
    async with listening(small.simulator(faults)) as port:
        shop = simulated_shop("pinduoduo", f"http://127.0.0.1:{port}").model_copy(update={"page_size": 20})
        client = CHANNELS["pinduoduo"].make_client(shop, http, small.now)
        rows: list[RawOrder] = []
        while not rows:
            with suppress(ChannelUnavailable):
                rows = await rows_of(client, Window(moment(START), small.now()))
    assert {row.platform_order_id for row in rows} == {s.order_id for s in small.sales("pinduoduo") if shown(s)}
    assert faults.struck
