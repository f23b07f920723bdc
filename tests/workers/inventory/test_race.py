"""Many processes want the same few units, change their minds and come again: every unit goes once, none too often."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ops.testbed.local_stack.redis_server import RedisServer
from tests.workers.inventory.racing_worker import ORDERS_EACH, TURNS, WAREHOUSE, WORKERS, Fate
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count, StockLevel

SKU = "NUT-BOX-500"
UNITS = 300
PATIENCE = 120


async def test_eight_processes_race_for_three_hundred_units(cluster_node: RedisServer, ledger: Ledger) -> None:
    await ledger.stock.set_counts(WAREHOUSE, {SKU: Count(on_hand=UNITS)})
    fates: dict[str, Fate] = {}
    async with racing(cluster_node.url) as workers, watching(ledger) as seen:
        for turn in TURNS:
            for answers in await asyncio.gather(*(told(worker, turn) for worker in workers)):
                both = {name for name in answers if turn == TURNS[0] and name in fates}
                assert {name: fates[name] for name in both} == {name: answers[name] for name in both}
                fates |= answers
            have = Counter(fates.values())
            level = await the_level(ledger)
            assert (level.held, level.committed) == (have["held"], have["committed"]), f"after {turn}"
            assert level.available_to_promise == UNITS - have["held"] - have["committed"]
    assert len(fates) == WORKERS * ORDERS_EACH
    assert Counter(fates.values()) == {"committed": UNITS, "short": WORKERS * ORDERS_EACH - UNITS}
    assert (await ledger.stock.audit()).findings == ()
    assert min(seen) == 0
    assert max(seen) > 0


@asynccontextmanager
async def racing(url: str) -> AsyncIterator[Sequence[Process]]:
    """The processes; each ends when its input does."""
    command = [sys.executable, "-m", "tests.workers.inventory.racing_worker", url]
    workers = [
        await asyncio.create_subprocess_exec(*command, str(number), stdin=PIPE, stdout=PIPE)
        for number in range(WORKERS)
    ]
    try:
        yield workers
    finally:
        for worker in workers:
            await worker.communicate(b"")


@asynccontextmanager
async def watching(ledger: Ledger) -> AsyncIterator[list[int]]:
    """What may be promised, read all the time until the end. Fails as soon as it is below zero."""
    seen: list[int] = []
    over = asyncio.Event()

    async def watch() -> None:
        while not over.is_set():
            level = await the_level(ledger)
            seen.append(level.available_to_promise)
            assert seen[-1] >= 0, level

    async with asyncio.TaskGroup() as group:
        group.create_task(watch())
        try:
            yield seen
        finally:
            over.set()


async def told(worker: Process, turn: str) -> dict[str, Fate]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{turn}\n".encode())
    async with asyncio.timeout(PATIENCE):
        answers: dict[str, Fate] = json.loads(await worker.stdout.readline())
    return answers


async def the_level(ledger: Ledger) -> StockLevel:
    [level] = await ledger.stock.levels(WAREHOUSE, [SKU])
    return level
