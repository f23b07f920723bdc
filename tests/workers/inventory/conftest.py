"""The ledger's tests run on a Redis in cluster mode that owns all slots: a script that mixes slots fails there."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as blocking
from redis.asyncio import Redis

from ops.testbed.local_stack.redis_server import RedisServer
from tests import redis_servers
from tests.redis_servers import default_executable
from workers.inventory.ledger import Ledger


@pytest.fixture(scope="session")
def cluster_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_servers.cluster_node(Path(tmp_path_factory.mktemp("redis-cluster")), default_executable()) as server:
        _own_all_slots(server.url)
        yield server


@pytest.fixture
async def redis(cluster_node: RedisServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(cluster_node.url, decode_responses=False) as client:
        await client.flushall()
        yield client


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis)


def _own_all_slots(url: str) -> None:
    with blocking.Redis.from_url(url, decode_responses=True) as client:
        cluster: Any = client.execute_command  # untyped
        cluster("CLUSTER ADDSLOTS", *range(16384))
        deadline = time.monotonic() + 20
        while cluster("CLUSTER INFO")["cluster_state"] != "ok":
            assert time.monotonic() < deadline, "the Redis node does not take over its slots"
            time.sleep(0.01)
