"""Running `orderfleet` in this process and as a program of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from typer.testing import CliRunner, Result

from ops.cli import output
from ops.cli.main import app
from ops.testbed.local_stack.ports import free_port
from ops.testbed.local_stack.redis_server import RedisServer
from workers.inventory.ledger import Ledger
from workers.runtime.redis.epoch import epoch_key

PROJECT = Path(__file__).parents[3]
PAYLOADS = PROJECT / "tests" / "channel_adapters"

Run = Callable[..., Result]
Program = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test begins with the default language and no settings of this machine."""
    for name in [name for name in os.environ if name.startswith("ORDERFLEET_")]:
        monkeypatch.delenv(name)
    output.language.cache_clear()
    yield
    output.language.cache_clear()


@pytest.fixture
def chinese(english: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages in Chinese. Help is made when the commands are imported and stays as it was."""
    monkeypatch.setenv("ORDERFLEET_LANG", "zh")


@pytest.fixture
def run() -> Run:
    """Run a command in this process."""

    def invoke(*arguments: object, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(app, [str(each) for each in arguments], input=stdin)

    return invoke


@pytest.fixture
def program() -> Program:
    """Run the real entry point as a program of its own."""

    def invoke(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("ORDERFLEET_")}
        return subprocess.run(
            [sys.executable, "-m", "ops.cli", *(str(each) for each in arguments)],
            cwd=PROJECT,
            env={**own, "PYTHONUTF8": "1", "PYTHONWARNINGS": "default", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )

    return invoke


def payload(channel: str, begins: str) -> bytes:
    """A recorded payload of a channel, by the beginning of its file name."""
    return payload_file(channel, begins).read_bytes()


def payload_file(channel: str, begins: str) -> Path:
    """The file of a recorded payload."""
    [found] = (PAYLOADS / channel / "payloads").glob(f"{begins}*.json")
    return found


# -- servers -------------------------------------------------------------------------------------------------------


@pytest.fixture
def redis_url(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty Redis, which the commands are told about."""
    with Redis.from_url(redis_server.url) as client:
        client.flushall()
        client.set(epoch_key(), "of-the-test")  # else Kafka would be asked for it
    monkeypatch.setenv("ORDERFLEET_REDIS_URL", redis_server.url)
    return redis_server.url


AskLedger = Callable[[Callable[[Ledger], Awaitable[Any]]], Any]


@pytest.fixture
def ask_ledger(redis_url: str) -> AskLedger:
    """Do something with the ledger that the commands look at."""

    def ask(question: Callable[[Ledger], Awaitable[Any]]) -> Any:
        async def asked() -> Any:
            async with AsyncRedis.from_url(redis_url) as client:
                return await question(Ledger(client))

        return asyncio.run(asked())

    return ask


def nobody_listens() -> str:
    """An address at which no server is."""
    return f"127.0.0.1:{free_port()}"
