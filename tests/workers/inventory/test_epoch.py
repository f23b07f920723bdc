"""An emptied Redis is noticed before anything of what it answers counts, and by nobody who need not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from redis.asyncio import Redis

from ops.testbed.local_stack.redis_server import RedisServer
from schemas.epoch import EpochReason, StockEpoch
from tests.builders import a_line, a_plan, a_planned_order, an_order
from workers.defer.queue import DelayQueue
from workers.intake.lease import Leases
from workers.intake.store import ShopKey
from workers.inventory.epoch import EpochLog, Known, new_epoch, settle_epoch, write_epoch
from workers.inventory.keys import order_key
from workers.inventory.ledger import Ledger
from workers.inventory.operations.claim import Claim
from workers.inventory.records import Count
from workers.reserve.agent import ReserveAgent
from workers.runtime.errors import TransientError
from workers.runtime.redis.connections import connect
from workers.runtime.redis.epoch import RUNBOOK, EpochGuard, EpochLost, epoch_key
from workers.runtime.stage import Delivery


class FakeEpochs(EpochLog):
    """What Kafka knows, in memory."""

    def __init__(self) -> None:
        self.known = Known(None, has_topic=True)

    async def read(self) -> Known:
        return self.known

    async def write(self, epoch: StockEpoch) -> None:
        self.known = self.known._replace(epoch=epoch)


@pytest.fixture
def epochs() -> FakeEpochs:
    return FakeEpochs()


@pytest.fixture
async def guarded(redis: Redis, cluster_node: RedisServer, epochs: FakeEpochs) -> AsyncIterator[Redis]:
    """A client of a worker that has just begun, with some stock."""
    guard = EpochGuard(lambda: settle_epoch(client, epochs))
    client = connect(cluster_node.url, guard)
    async with client:
        guard.expect(await settle_epoch(client, epochs))
        await Ledger(client).stock.set_counts("hangzhou", {"TEA": Count(on_hand=5)})
        yield client


async def lost(work: Awaitable[Any]) -> EpochLost:
    with pytest.raises(EpochLost) as caught:
        await work
    return caught.value


async def test_a_fleet_begins_on_an_empty_redis_and_an_empty_kafka(guarded: Redis, epochs: FakeEpochs) -> None:
    assert epochs.known.epoch is not None
    assert await guarded.get(epoch_key()) == epochs.known.epoch.epoch_id.encode()
    [claim] = await Ledger(guarded).orders.claim([("order", "1", ["hangzhou"])])
    assert isinstance(claim, Claim)


async def test_it_costs_one_command_in_the_same_round_trip(guarded: Redis) -> None:
    ledger = Ledger(guarded)
    await ledger.orders.revisions(["a"])
    before = (await guarded.info("stats"))["total_commands_processed"]
    await ledger.orders.revisions(["a", "b", "c"])
    assert (await guarded.info("stats"))["total_commands_processed"] - before == 3 + 1 + 1  # the last is INFO itself


async def test_an_emptied_redis_stops_everybody_and_is_written_to_no_more(guarded: Redis, redis: Redis) -> None:
    await redis.flushall()
    order = an_order("1", lines=(a_line("TEA", 1),))
    planned = Delivery(a_planned_order(order, a_plan("hangzhou")), key=order.uid.encode())
    assert RUNBOOK in str(await lost(ReserveAgent(Ledger(guarded), 1800).handle([planned])))
    written = await redis.dbsize()  # by the batch that noticed it
    for _ in range(3):
        await lost(ReserveAgent(Ledger(guarded), 1800).handle([planned]))
    await lost(Ledger(guarded).warehouses.get_status([("order", "hangzhou", "1")]))
    await lost(DelayQueue(guarded).wake(1, 1, 1))
    await lost(Leases(guarded).acquire(ShopKey("taobao", "main")))
    assert await redis.dbsize() == written


async def test_who_had_to_wait_goes_on_when_the_stock_is_back(guarded: Redis, redis: Redis, epochs: FakeEpochs) -> None:
    await redis.flushall()
    ledger = Ledger(guarded)
    await lost(ledger.orders.revisions(["order"]))
    assert epochs.known.epoch is not None
    await write_epoch(redis, epochs.known.epoch.epoch_id)
    assert await ledger.orders.revisions(["order"]) == [""]


async def test_a_new_epoch_that_both_have_is_learned(guarded: Redis, redis: Redis, epochs: FakeEpochs) -> None:
    new = new_epoch(EpochReason.DECLARED_NEW)
    await write_epoch(redis, new.epoch_id)
    epochs.known = Known(new, has_topic=True)
    assert await Ledger(guarded).orders.revisions(["order"]) == [""]


async def test_another_redis_is_no_emptied_one(guarded: Redis, redis: Redis) -> None:
    await write_epoch(redis, "of-somebody-else")
    error = await lost(Ledger(guarded).orders.revisions(["order"]))
    assert "ORDERFLEET_REDIS_URL" in str(error)


async def test_an_emptied_redis_is_noticed_though_there_were_no_epochs_then(redis: Redis, epochs: FakeEpochs) -> None:
    epochs.known = Known(None, has_topic=True, has_events=True)
    await lost(settle_epoch(redis, epochs))
    await Ledger(redis).stock.set_counts("hangzhou", {"TEA": Count(on_hand=5)})
    assert await settle_epoch(redis, epochs)  # one that was filled before there were epochs is taken as it is


async def test_workers_that_begin_together_agree(redis: Redis, epochs: FakeEpochs) -> None:
    ids = await asyncio.gather(*(settle_epoch(redis, epochs) for _ in range(20)))
    assert len(set(ids)) == 1


async def test_shops_that_begin_together_ask_once(cluster_node: RedisServer, redis: Redis, epochs: FakeEpochs) -> None:
    asked = 0

    async def learn() -> str:
        nonlocal asked
        asked += 1
        return await settle_epoch(client, epochs)

    client = connect(cluster_node.url, EpochGuard(learn))
    async with client:
        leases = Leases(client)
        got = await asyncio.gather(*(leases.acquire(ShopKey("taobao", f"shop-{number}")) for number in range(20)))
    assert (None in got, asked) == (False, 1)


async def test_no_answer_of_an_emptied_redis_counts_in_a_race(
    guarded: Redis, redis: Redis, cluster_node: RedisServer
) -> None:
    """Ten tasks claim orders, batch by batch; somewhere in between Redis is emptied and filled with other keys."""
    ledger, counted, over = Ledger(guarded), [], asyncio.Event()

    async def work(number: int) -> None:
        for batch in range(200):
            orders = [(f"{number}-{batch}-{each}", "1", ["hangzhou"]) for each in range(5)]
            was_over = over.is_set()
            try:
                await ledger.orders.claim(orders)
            except TransientError:
                continue
            assert not was_over, "counted after it was emptied"
            counted.append([order_key(uid) for uid, *_ in orders])

    async def empty() -> None:
        while len(counted) < 300:  # noqa: ASYNC110  # the others tell by what they did
            await asyncio.sleep(0)
        async with Redis.from_url(cluster_node.url) as other:
            await other.flushall()
        over.set()

    async with asyncio.timeout(60):
        await asyncio.gather(empty(), *(work(number) for number in range(10)))
    assert 300 <= len(counted) < 2000
    assert await redis.get(epoch_key()) is None
    counted_keys = {key.encode() for keys in counted for key in keys}
    assert counted_keys.isdisjoint(await redis.keys("*")), "done on the emptied one, and counted"


class Machine(RuleBasedStateMachine):
    """Starts, losses, rebuilds and declarations in any order: work is done exactly while Redis has what Kafka knows."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.epochs = FakeEpochs()
        self.in_redis: str | None = None
        self.redis = Redis.from_url(self.url)
        self.ask(self.redis.flushall())
        self.guard: EpochGuard | None = None
        self.worker: Redis | None = None

    def ask(self, work: Awaitable[Any]) -> Any:
        async def asked() -> Any:
            return await work

        return self.runner.run(asked())

    @rule()
    def a_worker_starts(self) -> None:
        if self.worker is not None:
            self.ask(self.worker.aclose())
        self.guard = EpochGuard(lambda: settle_epoch(self.worker, self.epochs))  # type: ignore[arg-type]
        self.worker = connect(self.url, self.guard)
        known = self.epochs.known.epoch
        allowed = known is None or known.epoch_id == self.in_redis
        try:
            self.guard.expect(self.ask(settle_epoch(self.worker, self.epochs)))
        except EpochLost:
            assert not allowed
        else:
            assert allowed
            assert self.epochs.known.epoch is not None
            self.in_redis = self.epochs.known.epoch.epoch_id

    @rule()
    def redis_is_emptied(self) -> None:
        self.ask(self.redis.flushall())
        self.in_redis = None

    @precondition(lambda self: self.epochs.known.epoch is not None)
    @rule()
    def it_is_rebuilt(self) -> None:
        self.in_redis = self.epochs.known.epoch.epoch_id  # type: ignore[union-attr]
        self.ask(write_epoch(self.redis, self.in_redis))
        self.the_worker_asks_again()

    @rule()
    def a_new_one_is_declared(self) -> None:
        new = new_epoch(EpochReason.DECLARED_NEW)
        self.epochs.known = Known(new, has_topic=True)
        self.in_redis = new.epoch_id
        self.ask(write_epoch(self.redis, new.epoch_id))
        self.the_worker_asks_again()

    def the_worker_asks_again(self) -> None:
        """It does so now and then: let it be now."""
        if self.guard is not None:
            self.guard._learned = -5.0

    @precondition(lambda self: self.worker is not None)
    @rule()
    def the_worker_works(self) -> None:
        known = self.epochs.known.epoch
        right = known is not None and known.epoch_id == self.in_redis
        try:
            self.ask(Ledger(self.worker).orders.revisions(["order"]))  # type: ignore[arg-type]
        except EpochLost:
            assert not right
        else:
            assert right

    @invariant()
    def redis_has_what_we_think(self) -> None:
        found = self.ask(self.redis.get(epoch_key()))
        assert (found.decode() if found else None) == self.in_redis

    def teardown(self) -> None:
        if self.worker is not None:
            self.ask(self.worker.aclose())
        self.ask(self.redis.aclose())
        self.runner.close()


@pytest.fixture
def machine(cluster_node: RedisServer) -> type[Machine]:
    Machine.url = cluster_node.url
    return Machine


def test_epochs_in_any_order(machine: type[Machine]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=20, deadline=None))
