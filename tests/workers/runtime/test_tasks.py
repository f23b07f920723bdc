"""A task ends though it missed the first cancellation, and one that never ends holds nobody up."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import pytest
from faust.types import TP

from workers.runtime.partition_scheduler import PartitionScheduler
from workers.runtime.tasks import end_tasks


async def deaf(times: int) -> None:
    """Lose so many cancellations, as `asyncio.wait_for` does when one comes with the answer."""
    for _ in range(times):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    await asyncio.Event().wait()


async def started(times: int) -> asyncio.Task[None]:
    task = asyncio.create_task(deaf(times), name=f"deaf to {times}")
    await asyncio.sleep(0)
    return task


async def test_a_cancellation_that_was_lost_is_sent_again() -> None:
    tasks = [await started(times) for times in (0, 1, 3)]
    await end_tasks(tasks, 30)
    assert all(task.cancelled() for task in tasks)


async def test_a_failure_on_the_way_out_is_nobodys_business() -> None:
    async def fails() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("gone")

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    await end_tasks([task], 30)
    assert task.done()


async def test_what_never_ends_is_named_and_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    task = await started(1000)
    with caplog.at_level(logging.ERROR):
        await end_tasks([task], 0.05)
    assert "deaf to 1000" in caplog.text
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)


async def test_a_chunk_at_work_that_lost_its_cancellation_does_not_keep_its_group_from_leaving() -> None:
    class Message:
        ends = {TP("orders.planned", 0): 0}  # noqa: RUF012

    class Event:
        message, value = Message(), ()

        def ack(self) -> None:
            raise AssertionError("it was never finished")

    begun = asyncio.Event()

    async def run(_: object) -> None:
        begun.set()
        await deaf(1)

    lanes = PartitionScheduler(run, chunk_records=1)
    await lanes.put(Event())
    await begun.wait()
    async with asyncio.timeout(30):
        await lanes.close()
