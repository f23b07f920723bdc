"""What Redis is told late, or twice, after the order went on: none of it may take effect any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis

from ops.testbed.local_stack.redis_server import RedisServer
from schemas.plan import Backorder
from tests.builders import a_plan, a_planned_order, an_order
from workers.inventory.ledger import Ledger
from workers.inventory.operations import reserve
from workers.inventory.operations.claim import Claim
from workers.inventory.operations.reserve import Reserve
from workers.inventory.operations.settle import Settlement, SettleOutcome
from workers.inventory.records import Count, OrderState, ReservationState
from workers.reserve.agent import ReserveAgent
from workers.runtime.errors import TransientError
from workers.runtime.stage import Delivery
from workers.sweep.agent import SweepAgent

HZ, NUT = "hangzhou", "NUT-BOX-500"
RESERVE = reserve.SCRIPT.digest.encode()
PATIENCE = 10


class Detour:
    """A road to Redis on which the first reservation gets stuck until it `arrives`, whoever waits for its answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stuck = False
        self._goes_on, self._answered = asyncio.Event(), asyncio.Event()
        self._roads: list[asyncio.Task[None]] = []

    async def arrives(self) -> None:
        self._goes_on.set()
        await asyncio.wait_for(self._answered.wait(), PATIENCE)

    def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._roads.append(asyncio.create_task(self._road(reader, writer)))

    async def _road(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            await asyncio.gather(self._there(reader, to_redis), self._back(from_redis, writer))
        finally:
            for end in (writer, to_redis):
                end.close()
                with suppress(ConnectionError):
                    await end.wait_closed()

    async def _there(self, reader: asyncio.StreamReader, to_redis: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            if RESERVE in data and not self._stuck:
                self._stuck = True
                await self._goes_on.wait()
            to_redis.write(data)

    async def _back(self, from_redis: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await from_redis.read(1 << 16):
            if self._goes_on.is_set():
                self._answered.set()
            elif not writer.is_closing():
                writer.write(data)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        async with await asyncio.start_server(self._connect, "127.0.0.1", 0) as server:
            yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
            for road in self._roads:
                road.cancel()
            await asyncio.gather(*self._roads, return_exceptions=True)


async def handled(agent: ReserveAgent) -> object:
    """As the runtime does: again and again, until it is done."""
    order = a_planned_order(an_order(), a_plan(HZ))
    while True:
        with suppress(TransientError):
            [outcome] = await agent.handle([Delivery(order, key=order.order.uid.encode())])
            return outcome


async def test_a_reservation_that_arrives_when_the_order_went_without_it_takes_nothing(
    redis: Redis, redis_server: RedisServer
) -> None:
    """Its worker has waited in vain for the answer: it claims the order anew, and does not ask under the old number."""
    ledger, detour = Ledger(redis), Detour(redis_server.port)
    await ledger.stock.set_counts(HZ, {NUT: Count(on_hand=0)})
    await ledger.orders.apply(
        [Reserve(HZ, "another", "r1", 1, ReservationState.COMMITTED, {NUT: 1}, 0)]
    )  # loads the script
    async with detour.open() as url, Redis.from_url(url, socket_timeout=0.2) as client:
        outcome = await handled(ReserveAgent(Ledger(client), 60))
        assert isinstance(outcome, list)
        assert [type(event) for event in outcome] == [Backorder]
        await ledger.stock.set_counts(HZ, {NUT: Count(on_hand=1)})
        await detour.arrives()
    [level] = await ledger.stock.levels(HZ)
    assert (level.committed, level.available_to_promise) == (0, 1)


async def test_an_ending_that_is_told_again_takes_back_nothing_that_happened_since(redis: Redis) -> None:
    ledger, uid = Ledger(redis), an_order().uid
    await ledger.stock.set_counts(HZ, {NUT: Count(on_hand=5)})
    [claim] = await ledger.orders.claim([(uid, "r1", [HZ])])
    assert isinstance(claim, Claim)
    await ledger.orders.apply([Reserve(HZ, uid, "r1", claim.fence + 1, ReservationState.HELD, {NUT: 1}, deadline_ms=1)])
    end = Settlement(uid, "r1", claim.fence, OrderState.HELD, {HZ: {NUT: 1}}, {}, b"", "0:7")
    assert await ledger.orders.settle([end]) == [SettleOutcome.SETTLED]
    await SweepAgent(ledger, lambda: 4e9, 100).tick()
    assert await ledger.orders.settle([end]) == [SettleOutcome.SETTLED]
    assert (await ledger.orders.where_is(uid)).state is OrderState.EXPIRED
