"""Real servers for the tests: an embedded broker, Redis and PostgreSQL, started once a session."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from redis.asyncio import Redis

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.postgres import PostgresServer
from ops.testbed.local_stack.redis_server import RedisServer
from tests.order import long_first
from tests.postgres_servers import postgres_binaries
from tests.redis_servers import default_executable

# Where the environment forbids Python to keep what it compiled, each process of a run would compile all of it anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first; a run of some files is left as it was asked for."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes > 1:
        items[:] = long_first(items, processes, lambda item: item.nodeid.partition("::")[0])


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka-protocol broker in memory. Tests use topics and groups of their own."""
    with Broker(Path(tmp_path_factory.mktemp("broker"))) as running:
        yield running


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis; ORDERFLEET_TEST_REDIS_SERVER names another redis-server than the embedded one."""
    with RedisServer(Path(tmp_path_factory.mktemp("redis")), executable=default_executable()) as running:
        yield running


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    """A client of the session's Redis, which is empty when a test begins."""
    async with Redis.from_url(redis_server.url, decode_responses=False) as client:
        await client.flushall()
        yield client


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL; ORDERFLEET_TEST_POSTGRES names the folder of another one's programs than the embedded one's.

    Tests use databases of their own: see `book_url`.
    """
    with PostgresServer(Path(tmp_path_factory.mktemp("postgres")), binaries=postgres_binaries()) as running:
        yield running


_databases = count(1)


@pytest.fixture
def book_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty database, which is gone after the test."""
    name = f"book_{next(_databases)}"
    with psycopg.connect(postgres_server.url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield postgres_server.url_of(name)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
