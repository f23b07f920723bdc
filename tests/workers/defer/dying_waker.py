"""A wake process for the tests that dies (SIGKILL) after Kafka confirmed what it put back, before it gives it up."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from redis.asyncio import Redis

from schemas.topics import ORDERS_RETURNED
from workers.defer.agent import WakeAgent
from workers.defer.queue import DelayQueue
from workers.inventory.ledger import Ledger
from workers.runtime.kafka.producer import Producer
from workers.runtime.stage import Stage, every
from workers.runtime.table import groups
from workers.runtime.timer import Timer


class Dying(WakeAgent):
    """Never lives to hear that its orders are safe."""

    async def confirmed(self) -> None:
        """The end."""
        os.kill(os.getpid(), signal.SIGKILL)


async def run(kafka: str, redis_url: str, now: float, lease_ms: int) -> None:
    async with Redis.from_url(redis_url) as redis:
        agent = Dying(DelayQueue(redis), Ledger(redis).orders, lambda: now, lease_ms=lease_ms)
        [group] = groups([Stage("wake", reads=every(1), writes=(ORDERS_RETURNED,), agent=lambda _: agent)])
        producer = Producer(kafka)
        producer.start()
        await Timer(group, agent, producer).tick()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])))
