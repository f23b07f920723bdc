"""The stage tell as a process of its own, for tests that kill it: a Redis and a mail server are its arguments."""

from __future__ import annotations

import asyncio
import sys
import time

from pydantic import SecretStr
from redis.asyncio import Redis

from tests.workers.notify.builders import a_recipient
from workers.notify.agent import TellAgent
from workers.notify.recipients import Recipients
from workers.notify.store import NoticeStore


async def run(redis_url: str, mail_url: str) -> None:
    """Until it is killed."""
    everybody = Recipients(gather_seconds=0, recipients={"ops": a_recipient(url=SecretStr(mail_url))})
    async with Redis.from_url(redis_url) as redis:
        agent = TellAgent(NoticeStore(redis), lambda: everybody, time.time)
        print("ready", flush=True)  # noqa: T201  # whoever started it waits for that
        while True:
            await agent.tick()
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2]))
