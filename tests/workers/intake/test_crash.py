"""kill -9 of a real poller process, on a real broker and a real Redis."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from redis.asyncio import Redis

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.process import spawn
from ops.testbed.local_stack.redis_server import RedisServer
from tests.kafka import TopicReader, create_topics, unique
from tests.workers.intake.crashing_poller import ORDERS
from workers.intake.cursor import Cursors
from workers.intake.store import ShopKey

ROOT = Path(__file__).parents[3]


def start(mode: str, broker: Broker, redis_server: RedisServer, channel: str, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.workers.intake.crashing_poller", broker.address, str(redis_server.port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return spawn([*command, channel, mode], log=log, env=environment, stdout=subprocess.PIPE)


async def test_a_poller_killed_before_it_moved_the_cursor_loses_nothing(
    broker: Broker, redis_server: RedisServer, redis: Redis, tmp_path: Path
) -> None:
    channel, log = unique("crash"), tmp_path / "poller.log"
    create_topics(broker.address, [f"orders.raw.{channel}"])
    first = start("hang", broker, redis_server, channel, log)
    assert first.stdout is not None
    said = first.stdout.readline()
    first.kill()
    first.wait()
    first.stdout.close()
    assert said == b"published\n", log.read_text()
    assert await Cursors(redis).read(ShopKey(channel, "main")) is None

    second = start("go", broker, redis_server, channel, log)
    second.communicate(timeout=30)
    assert second.returncode == 0, log.read_text()

    reader = TopicReader(broker.address, [f"orders.raw.{channel}"])
    messages = reader.until(lambda seen: len(seen) >= 2 * ORDERS)
    reader.close()
    counts = Counter(message.key() for message in messages)
    assert counts == {f"{channel}:main:{number}".encode(): 2 for number in range(ORDERS)}
    assert await Cursors(redis).read(ShopKey(channel, "main")) is not None
