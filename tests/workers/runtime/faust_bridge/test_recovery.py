"""After a rebalance a group reads on, however long the way back to its places takes."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped

import topology
from workers.runtime import reader as module
from workers.runtime.faust_bridge.recovery import PatientRecovery
from workers.runtime.reader import Reader
from workers.runtime.settings import Settings
from workers.runtime.table import groups

SOON = 0.01  # seconds: the time limit that Faust sets
LATE = 0.2


@pytest.fixture
async def reader() -> Reader:
    shell: Any = None
    return Reader(groups(topology.STAGES)[0], ["a-topic"], shell, Settings(kafka="127.0.0.1:1"))


@pytest.fixture
async def recovery(reader: Reader) -> PatientRecovery:
    made = reader.app.tables.recovery
    assert isinstance(made, PatientRecovery)
    return made


async def a_seek(found: list[str], seconds: float = LATE) -> None:
    await asyncio.sleep(seconds)
    found.append("its places")


async def test_faust_takes_a_slow_seek_for_the_end_of_the_service(recovery: PatientRecovery) -> None:
    """When this goes red, the defect is mended: our override may go."""
    with pytest.raises(ServiceStopped):
        await Recovery._wait(recovery, a_seek([]), timeout=SOON)


async def test_a_slow_seek_is_waited_for(recovery: PatientRecovery) -> None:
    found: list[str] = []

    await recovery._wait(a_seek(found), timeout=SOON)

    assert found == ["its places"]


async def test_a_group_is_joined_without_a_pause_for_tables_that_do_not_exist(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    async def note(what: str) -> None:
        done.append(what)

    tables = reader.app.tables
    monkeypatch.setattr(tables, "sleep", lambda seconds: note(f"slept {seconds} s"))
    monkeypatch.setattr(tables, "_update_channels", lambda: note("told who reads"))
    monkeypatch.setattr(tables.recovery, "start", lambda: note("resumed"))

    await tables.on_start()

    assert done == ["told who reads", "resumed"]


async def test_the_next_rebalance_ends_the_wait(recovery: PatientRecovery) -> None:
    found: list[str] = []
    recovery.signal_recovery_start.set()

    with pytest.raises(RebalanceAgain):
        await recovery._wait(a_seek(found, 60), timeout=SOON)

    assert found == []


async def test_a_seek_that_the_consumer_drops_is_an_error_that_is_noticed(recovery: PatientRecovery) -> None:
    async def dropped() -> None:
        raise asyncio.CancelledError

    with pytest.raises(ConnectionError, match="dropped a request"):
        await recovery._wait(dropped())


async def test_who_waits_can_be_cancelled(recovery: PatientRecovery) -> None:
    waiting = asyncio.create_task(recovery._wait(a_seek([], 60)))
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_rebalance_without_end_makes_a_worker_leave(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = reader.app.consumer
    monkeypatch.setattr(consumer, "backlog", dict)
    monkeypatch.setattr(module, "STUCK_SECONDS", 0.0)

    assert reader.measure(), "nothing to do is no reason to leave"
    consumer.stop_flow()
    reader._moved = (time.monotonic() - 1, {})
    assert not reader.measure()
    consumer.resume_flow()
    assert reader.measure()
