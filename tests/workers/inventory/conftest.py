"""The ledger's tests run on a Redis in cluster mode that owns all slots: a script that mixes slots fails there."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as blocking
from redis.asyncio import Redis

from ops.local_stack.ports import free_port
from ops.local_stack.redis_server import RedisServer
from tests.redis_servers import default_executable
from workers.inventory.ledger import Ledger

_BUS = 10_000  # the cluster bus listens so many ports higher
_OUTGOING = 32_768  # from here on, systems give ports to connections that go out


@pytest.fixture(scope="session")
def cluster_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    folder = Path(tmp_path_factory.mktemp("redis-cluster"))
    server = RedisServer(folder, executable=default_executable(), options=["--cluster-enabled", "yes"])
    while server.port + _BUS >= _OUTGOING:
        server.port = free_port()
    with server:
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
