"""How aiokafka's consumer is asked in the worker's loop, and how it ends there. On a real broker: test_transport.py."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

import pytest
from faust.transport.drivers import aiokafka as driver

from workers.runtime.faust_bridge.consuming import LoopConsumer

PATIENCE: Final = 30.0


class _Client:
    """aiokafka's consumer as far as starting and stopping goes."""

    _fetcher = None

    def __init__(self) -> None:
        self.started_in: list[object] = []
        self.stopped = 0
        self.fails: Exception | None = None

    async def start(self) -> None:
        self.started_in.append(asyncio.get_running_loop())
        if self.fails is not None:
            raise self.fails

    async def stop(self) -> None:
        self.stopped += 1


class _Transport:
    app = None


class _Parent:
    transport = _Transport()


@pytest.fixture
def client() -> _Client:
    return _Client()


@pytest.fixture
async def consumer(client: _Client, monkeypatch: pytest.MonkeyPatch) -> Any:
    """All of it but aiokafka."""
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "__post_init__", lambda _: None)
    monkeypatch.setattr(LoopConsumer, "_create_consumer", lambda _, loop: client)
    monkeypatch.setattr("workers.runtime.faust_bridge.consuming.fetch_quickly", lambda _: None)
    async with asyncio.timeout(PATIENCE):
        yield LoopConsumer(_Parent(), loop=asyncio.get_running_loop())


async def test_it_serves_in_the_loop_that_starts_it_and_ends_before_stop_returns(
    client: _Client, consumer: Any
) -> None:
    """What mode would run in a thread is a task, and other tasks of the loop are left alone."""
    others = asyncio.create_task(asyncio.Event().wait())
    await consumer.start()
    assert client.started_in == [asyncio.get_running_loop()]
    await consumer.stop()
    assert client.stopped == 1
    assert consumer._thread._task.done()
    assert not others.done()
    others.cancel()


async def test_who_starts_it_hears_why_it_does_not_start(client: _Client, consumer: Any) -> None:
    client.fails = ConnectionError("nobody there")
    with pytest.raises(ConnectionError, match="nobody there"):
        await consumer.start()
    await consumer.stop()
    assert consumer._thread._task.done()


async def test_it_is_silent_for_as_long_as_it_owes_an_answer(consumer: Any) -> None:
    await consumer.start()
    answer = asyncio.Event()
    assert consumer.oldest_call_age == 0
    asked = asyncio.create_task(consumer.call_thread(answer.wait))
    await asyncio.sleep(0)
    assert consumer.oldest_call_age > 0
    answer.set()
    assert await asked is True
    assert consumer.oldest_call_age == 0
    await consumer.stop()


async def test_what_nobody_waits_for_any_more_is_done_all_the_same_and_before_what_comes_after(consumer: Any) -> None:
    """A commit that is under way is not cut off, and two at most are: Faust asks for the next when one takes long."""
    await consumer.start()
    done: list[int] = []
    begun, may = asyncio.Event(), asyncio.Event()

    async def commit(number: int) -> None:
        begun.set()
        await may.wait()
        done.append(number)

    asked = [asyncio.create_task(consumer.call_thread(commit, number)) for number in range(3)]
    await begun.wait()
    asked[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked[0]
    may.set()
    await asyncio.gather(*asked[1:])
    assert done == [0, 1, 2]
    await consumer.stop()


async def test_it_does_not_wait_for_what_ignores_that_it_is_cancelled(consumer: Any) -> None:
    let_go = asyncio.Event()

    async def stubborn() -> None:
        while not let_go.is_set():
            with suppress(asyncio.CancelledError):
                await let_go.wait()

    task = asyncio.create_task(stubborn())
    consumer._futures = {task}
    await asyncio.sleep(0)
    await consumer._default_stop_futures()
    assert not consumer._futures
    let_go.set()
    await task
