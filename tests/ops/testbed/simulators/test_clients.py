"""The fleet's own clients against the simulated platforms, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
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
    ReadsById,
    Window,
)
from channel_adapters.registry import CHANNELS
from ops.testbed.simulators.catalogue import Catalogue
from ops.testbed.simulators.faults import Fault, Faults
from ops.testbed.simulators.generator import SHARES, Generator
from ops.testbed.simulators.sale import Sale, Stage
from ops.testbed.simulators.server import Simulator, listening
from ops.testbed.simulators.shops import simulated_shop
from ops.testbed.simulators.store import Store
from ops.testbed.simulators.stories import refund_first_line, shown
from ops.testbed.simulators.world import World
from tests.ops.testbed.simulators.conftest import START, Quiet, a_quiet_world


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


# -- open orders, read again by id ---------------------------------------------------------------------------------

READ_BY_ID = ("woocommerce", "shopify")


@asynccontextmanager
async def reading(
    catalogue: Catalogue, http: httpx.AsyncClient, channel: str
) -> AsyncIterator[tuple[ReadsById, Store, list[Sale]]]:
    """A client, a shop of its own that may be changed, and its paid orders of several units."""
    world = a_quiet_world(catalogue, orders=300)
    async with listening(world.simulator()) as port:
        client = client_of(channel, f"http://127.0.0.1:{port}", http, world.now())
        assert isinstance(client, ReadsById)
        paid = [sale for sale in world.sales(channel) if sale.stage is Stage.PAID and sale.items[0].quantity > 1]
        yield client, world.world.stores[channel], paid


@pytest.mark.parametrize("channel", READ_BY_ID)
async def test_orders_are_read_by_id_as_they_are_listed(
    catalogue: Catalogue, http: httpx.AsyncClient, channel: str
) -> None:
    async with reading(catalogue, http, channel) as (client, _, [first, second, *_]):
        rows = await client.orders_by_id([first.order_id, second.order_id])
        assert {row.platform_order_id for row in rows} == {first.order_id, second.order_id}
        assert await client.order_by_id(first.order_id) == next(
            r for r in rows if r.platform_order_id == first.order_id
        )


@pytest.mark.parametrize("change", [refund_first_line, lambda sale, _now: setattr(sale.items[0], "quantity", 1)])
@pytest.mark.parametrize("channel", READ_BY_ID)
async def test_a_change_that_leaves_the_modify_time_alone_is_read_by_id(
    catalogue: Catalogue, http: httpx.AsyncClient, channel: str, change: Callable[[Sale, int], None]
) -> None:
    async with reading(catalogue, http, channel) as (client, store, [sale, *_]):
        [before] = await client.orders_by_id([sale.order_id])
        change(sale, sale.modified_at)
        store.amend(sale)
        [after] = await client.orders_by_id([sale.order_id])
    assert after.modified_at == before.modified_at
    assert after.payload != before.payload


@pytest.mark.parametrize("channel", READ_BY_ID)
async def test_a_deleted_order_is_in_no_list_and_not_found(
    catalogue: Catalogue, http: httpx.AsyncClient, channel: str
) -> None:
    async with reading(catalogue, http, channel) as (client, store, [gone, left, *_]):
        store.delete(gone.order_id)
        rows = await client.orders_by_id([gone.order_id, left.order_id])
        assert [row.platform_order_id for row in rows] == [left.order_id]
        assert await client.order_by_id(gone.order_id) is None


async def test_a_trashed_order_is_in_no_list_and_counts_as_gone(catalogue: Catalogue, http: httpx.AsyncClient) -> None:
    async with reading(catalogue, http, "woocommerce") as (client, store, [gone, left, *_]):
        store.trash(gone.order_id)
        rows = await client.orders_by_id([gone.order_id, left.order_id])
        assert [row.platform_order_id for row in rows] == [left.order_id]
        assert await client.order_by_id(gone.order_id) is None
        store.delete(gone.order_id)
        assert await client.order_by_id(gone.order_id) is None


@pytest.mark.parametrize("channel", READ_BY_ID)
async def test_a_shop_that_is_down_says_nothing_about_an_order(
    catalogue: Catalogue, http: httpx.AsyncClient, channel: str
) -> None:
    world = a_quiet_world(catalogue, orders=20)
    async with listening(world.simulator(OneFault(Fault.BROKEN))) as port:
        client = client_of(channel, f"http://127.0.0.1:{port}", http, world.now())
        assert isinstance(client, ReadsById)
        with pytest.raises(ChannelUnavailable):
            await client.order_by_id("1")
