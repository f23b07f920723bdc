"""A desk on a PostgreSQL of its own, and people at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.redis_server import RedisServer
from workers.admin.desk.access import Actor, at_terminal
from workers.admin.desk.desk import Desk, opened_desk
from workers.runtime.settings import Settings

PASSWORD = "Right-horse-7"


@pytest.fixture
def settings(book_url: str, redis_server: RedisServer, broker: Broker) -> Settings:
    return Settings(book_url=SecretStr(book_url), redis_url=SecretStr(redis_server.url), kafka=broker.address)


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    with opened_desk(settings, role="test") as opened:
        yield opened


@pytest.fixture
def admin() -> Actor:
    return at_terminal("root")
