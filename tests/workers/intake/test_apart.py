"""Large bodies among small ones: nobody waits for the work on somebody else's nine megabytes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from channel_adapters.woocommerce.adapter import ADAPTER as WOOCOMMERCE
from tests.workers.intake.fakes import FakeKafka
from tests.workers.intake.test_webhook import ORDER, Caller, calling, shop, signed
from workers.intake.apart import LARGE_BYTES, Apart
from workers.intake.body import MemoryBudget
from workers.intake.lease import Leases
from workers.intake.push import PushIntake
from workers.intake.register import OpenOrders, RereadPolicy
from workers.intake.webhook import Endpoint, Webhooks

PATIENCE = 20.0
LARGE = ORDER[:-1] + b', "note": "' + b"x" * LARGE_BYTES + b'"}'


class Slow:
    """An adapter that stands still in one method over a large body, until it is told to go on."""

    def __init__(self, method: str) -> None:
        self._method = method
        self.begun, self.go = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        known = getattr(WOOCOMMERCE, name)
        if name != self._method:
            return known

        def slow(*args: Any) -> Any:
            if any(isinstance(each, bytes) and len(each) > LARGE_BYTES for each in args):
                self.begun.set()
                assert self.go.wait(PATIENCE), "the event loop stood still"
            return known(*args)

        return slow


@asynccontextmanager
async def taking(adapter: Any, kafka: FakeKafka, redis: Redis) -> AsyncIterator[Caller]:
    mall = shop("woocommerce", "mall")
    intake = PushIntake(
        producer=kafka, leases=Leases(redis), register=OpenOrders(redis, RereadPolicy()), rereads=[mall]
    )
    async with calling(Webhooks([Endpoint(mall, adapter)], intake=intake, redis=redis)) as caller:
        yield caller


@pytest.mark.parametrize("method", ["verify", "deleted_order", "open_envelope"])
async def test_a_small_push_does_not_wait_for_the_work_on_a_large_one(
    kafka: FakeKafka, redis: Redis, method: str
) -> None:
    slow = Slow(method)
    async with taking(slow, kafka, redis) as push:
        large = asyncio.create_task(push(LARGE, signed(LARGE)))
        async with asyncio.timeout(PATIENCE):
            assert await asyncio.to_thread(slow.begun.wait, PATIENCE)
            small = ORDER.replace(b"1001", b"1002")
            assert (await push(small, signed(small)))[0] == 200
            assert not large.done()
            slow.go.set()
            assert (await large)[0] == 200
    assert kafka.ids() == ["1002", "1001"]


async def test_small_work_is_done_at_once_and_large_work_one_at_a_time() -> None:
    apart, here = Apart(), threading.current_thread()
    assert await apart.work(LARGE_BYTES, threading.current_thread) is here
    others = await asyncio.gather(*(apart.work(LARGE_BYTES + 1, threading.current_thread) for _ in range(4)))
    assert len(set(others)) == 1
    assert others[0] is not here


async def test_who_comes_when_too_much_is_waited_for_is_refused_at_once() -> None:
    budget = MemoryBudget(10, queue=10)
    began = asyncio.get_running_loop().time()
    async with budget.reserve(10, wait_seconds=PATIENCE):
        waiting = asyncio.create_task(_held(budget, 10))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await _held(budget, 1)
        assert not waiting.done()
    await waiting
    await _held(budget, 10)
    assert asyncio.get_running_loop().time() - began < PATIENCE / 2


async def _held(budget: MemoryBudget, size: int) -> None:
    async with budget.reserve(size, wait_seconds=PATIENCE):
        pass
