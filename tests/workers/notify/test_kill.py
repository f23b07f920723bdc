"""The process that tells is killed while it sends: nobody is left untold, and a kill costs one mail at most."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from ops.testbed.local_stack.redis_server import RedisServer
from schemas.codes import NoticeCode
from schemas.notice import Notice
from tests.kafka import wait_until
from tests.workers.notify.builders import Clock, a_notice, delivered
from tests.workers.notify.mail import MailServer
from workers.notify.agent import NotifyAgent
from workers.notify.store import NoticeStore

PROJECT = Path(__file__).parents[3]
KILLS = 4


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


class Fleet:
    """Notify in this process, tell in others."""

    def __init__(self, redis: Redis, server: RedisServer, mail: MailServer) -> None:
        self._redis, self._server, self._mail = redis, server, mail
        self.store = NoticeStore(redis)
        clock = Clock()
        clock.at = datetime.now(UTC)
        self._notify = NotifyAgent(self.store, clock)
        self._offset = 0
        self.processes: list[subprocess.Popen[bytes]] = []

    async def hears(self, *notices: Notice) -> None:
        await self._notify.handle(delivered(*notices, start=self._offset))
        self._offset += len(notices)

    async def starts(self) -> subprocess.Popen[bytes]:
        """Another one that tells; the turn of the one before has run out."""
        await self._redis.delete("turn:{notices}")
        words = [sys.executable, "-m", "tests.workers.notify.telling_process", self._server.url, self._mail.url()]
        process = await asyncio.to_thread(lambda: subprocess.Popen(words, cwd=PROJECT, stdout=subprocess.PIPE))
        self.processes.append(process)
        assert process.stdout is not None
        assert b"ready" in await asyncio.to_thread(process.stdout.readline)
        return process

    async def until_mailed(self, count: int) -> None:
        await asyncio.to_thread(wait_until, lambda: len(self._mail.mails) >= count, 60, "the mail")

    async def until_known(self, keys: set[str], *, standing: bool) -> None:
        """Until it is noted that this was told of all of them."""
        async with asyncio.timeout(60):
            while True:
                told = (await self.store.standing()).told.get("ops", {})
                if all(key in told and told[key].standing is standing and not told[key].pending for key in keys):
                    return
                await asyncio.sleep(0.02)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait(10)


@pytest.fixture
def fleet(redis: Redis, redis_server: RedisServer, mail: MailServer) -> Iterator[Fleet]:
    running = Fleet(redis, redis_server, mail)
    yield running
    for process in running.processes:
        running.kill(process)
        assert process.stdout is not None
        process.stdout.close()


def mails_by_key(mail: MailServer, word: str) -> Counter[str]:
    return Counter(line.split("SKU-")[1].split()[0].rstrip(";,.") for line in lines(mail, word))


def lines(mail: MailServer, word: str) -> list[str]:
    return [line for one in mail.mails for line in one.body.splitlines() if f"{word}]" in line]


def a_matter(number: int, **changes: object) -> Notice:
    told = NoticeCode.PAID_BACKORDERS(sku=f"SKU-{number}")
    return a_notice(f"paid-backorders/{number}", **{"explanation": told, "at": datetime.now(UTC), **changes})


async def test_a_process_that_is_killed_while_it_sends_leaves_nobody_untold(fleet: Fleet, mail: MailServer) -> None:
    for number in range(KILLS):
        process = await fleet.starts()
        before = len(mail.mails)
        await fleet.hears(a_matter(number))
        await fleet.until_mailed(before + 1)
        fleet.kill(process)  # at once: it may not have noted that the mail is sent
    everything = {f"paid-backorders/{number}" for number in range(KILLS)}
    await fleet.starts()
    await fleet.until_known(everything, standing=True)
    raised = mails_by_key(mail, "new")
    assert set(raised) == {str(number) for number in range(KILLS)}
    assert sum("new" in one.subject for one in mail.mails) <= 2 * KILLS, "a kill costs one mail at most"
    await fleet.hears(*(a_matter(n, raised=False, at=datetime.now(UTC) + timedelta(seconds=1)) for n in range(KILLS)))
    await fleet.until_known(everything, standing=False)
    assert mails_by_key(mail, "over") == Counter(str(number) for number in range(KILLS))


async def test_of_several_processes_at_once_one_tells(fleet: Fleet, mail: MailServer) -> None:
    for _ in range(2):
        await fleet.starts()
    await fleet.hears(*(a_matter(number) for number in range(20)))
    await fleet.until_known({f"paid-backorders/{number}" for number in range(20)}, standing=True)
    assert mails_by_key(mail, "new") == Counter(str(number) for number in range(20))
