"""A worker whose consumer hangs: it notices, and it leaves in time."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import Any, Final

import pytest

from workers.runtime import worker as module
from workers.runtime.worker import Worker

PATIENCE: Final = 30.0


class HangingReader:
    """Its consumer answers nothing, and to leave takes it for ever, cancelled or not."""

    name = "normalize"
    oldest_call_age = 60.0

    def __init__(self) -> None:
        self.let_go = asyncio.Event()

    async def stop(self) -> None:
        while not self.let_go.is_set():
            try:
                await self.let_go.wait()
            except asyncio.CancelledError:
                continue


class WaitingReader(HangingReader):
    """Its group never lets it in."""

    async def start(self) -> None:
        await self.let_go.wait()


class Kafka:
    """Stands for the producer."""

    def __init__(self, *, answers: bool) -> None:
        self.answers = answers

    async def reaches_kafka(self) -> bool:
        return self.answers


class Left(BaseException):
    """Instead of the end of the process."""


def a_worker(reader: HangingReader, *, answers: bool = True) -> Worker:
    readers: Any = [reader]
    producer: Any = Kafka(answers=answers)
    return Worker(readers, [], producer)


async def test_a_worker_leaves_in_time_though_its_consumer_ignores_that_it_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def leave(code: int) -> None:
        raise Left(code)

    monkeypatch.setattr(module, "exit_uncommitted", leave)
    monkeypatch.setattr(module, "_LEAVE_SECONDS", 0.05)
    reader = HangingReader()
    with pytest.raises(Left):
        await asyncio.wait_for(a_worker(reader)._leave(), 20)
    reader.let_go.set()


async def test_a_worker_that_a_group_does_not_let_in_leaves_so_that_another_may_try(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    left = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(module, "exit_uncommitted", left.set_result)
    monkeypatch.setattr(module, "_JOIN_SECONDS", 0.05)
    reader = WaitingReader()
    joining = asyncio.create_task(a_worker(reader)._join())
    assert await asyncio.wait_for(left, PATIENCE) == module.EXIT_STUCK
    assert "could not join its groups in 0.05 s" in caplog.text
    reader.let_go.set()
    await joining


async def test_a_consumer_that_answers_nothing_while_kafka_does_is_deaf_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader: Any = HangingReader()
    worker = a_worker(reader)
    assert not await worker._is_unresponsive(reader), "it is given some time"
    monkeypatch.setattr(module, "_DEAF_SECONDS", 0.0)
    assert await worker._is_unresponsive(reader)
    reader.oldest_call_age = 0.3
    assert not await worker._is_unresponsive(reader)


async def test_a_consumer_that_waits_for_a_broker_is_not_deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DEAF_SECONDS", 0.0)
    reader: Any = HangingReader()
    worker = a_worker(reader, answers=False)
    assert not await worker._is_unresponsive(reader)
    assert not await worker._is_unresponsive(reader)


STANDING_STILL = """
import asyncio, sys, threading
from workers.runtime import worker
from workers.runtime.worker import Worker

worker.STUCK_SECONDS, worker._LAST_SECONDS = 3.0, 0.5


class Reader:
    name, crashed, oldest_call_age = "normalize", False, 0.0

    async def start(self):
        if "start" in sys.argv:
            threading.Event().wait()

    async def stop(self):
        threading.Event().wait()

    def measure(self):
        print("measured", flush=True)
        return True


class Producer:
    def start(self): ...

    async def reaches_kafka(self):
        return True


asyncio.run(Worker([Reader()], [], Producer()).run(lambda: print("ready", flush=True)))
"""


@pytest.mark.parametrize("where", ["start", "stop"])
def test_a_worker_whose_event_loop_stands_still_ends_and_says_where(where: str) -> None:
    """As when something waits without letting others have their turn."""
    command = [sys.executable, "-c", STANDING_STILL, where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if where == "stop":
            assert "measured\n" in iter(process.stdout.readline, "")
            process.send_signal(signal.SIGTERM)
        try:
            _, said = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 1
    assert f"in {where}" in said
