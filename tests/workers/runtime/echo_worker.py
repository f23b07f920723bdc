"""A worker process for the tests: copies WmsEvents from one topic to another, slowly where it is told to."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any

from schemas.fulfillment import WmsEvent
from schemas.topics import FOREVER, Topic
from workers.runtime.kafka.producer import Producer
from workers.runtime.reader import Reader
from workers.runtime.settings import Settings
from workers.runtime.stage import Delivery, Stage
from workers.runtime.stage_runner import StageRunner
from workers.runtime.table import groups
from workers.runtime.worker import Worker


class Echo:
    """Hands back what it gets; a record whose reason is a number of milliseconds takes that long."""

    async def handle(self, batch: Sequence[Delivery[WmsEvent]]) -> Sequence[Sequence[Any]]:
        pause = max((int(delivery.value.reason or 0) for delivery in batch), default=0)
        await asyncio.sleep(pause / 1000)
        return [[delivery.value] for delivery in batch]


async def run(address: str, inbound: str, outbound: str, group: str) -> int:
    settings = Settings(kafka=address, session_seconds=2, chunk_records=50, commit_seconds=0.2)
    reads = Topic(inbound, WmsEvent, "order_uid", "message_id", FOREVER)
    writes = Topic(outbound, WmsEvent, "order_uid", "message_id", FOREVER)
    [only] = groups([Stage(group, reads=reads, writes=(writes,), agent=lambda _: Echo())])
    producer = Producer(address)
    reader = Reader(only, [inbound], StageRunner(only, [Echo()], producer, retry_seconds=30), settings)
    return await Worker([reader], [], producer).run(ready=lambda: print("ready", flush=True))  # noqa: T201


if __name__ == "__main__":
    code = asyncio.run(run(*sys.argv[1:5]))
    sys.stdout.flush()
    os._exit(code)
