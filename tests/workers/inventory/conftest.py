"""The ledger's tests run on a Redis in cluster mode that owns all slots: a script that mixes slots fails there."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from ops.local_stack.redis_server import RedisServer
from workers.inventory.ledger import Ledger


@pytest.fixture(scope="session")
def cluster_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    folder = Path(tmp_path_factory.mktemp("redis-cluster"))
    executable = os.environ.get("ORDERFLEET_TEST_REDIS_SERVER")
    with RedisServer(folder, executable=executable, options=["--cluster-enabled", "yes"]) as running:
        yield running


@pytest.fixture
async def redis(cluster_node: RedisServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(cluster_node.url, decode_responses=False) as client:
        await _own_all_slots(client)
        await client.flushall()
        yield client


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis)


async def _own_all_slots(client: Redis) -> None:
    try:
        await client.execute_command("CLUSTER ADDSLOTS", *range(16384))  # type: ignore[no-untyped-call]
    except ResponseError as error:
        if "already busy" not in str(error):
            raise
    while b"cluster_state:ok" not in await client.execute_command("CLUSTER INFO"):  # type: ignore[no-untyped-call]
        pass
