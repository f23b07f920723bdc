"""The API on loopback, as `orderfleet api` serves it, and tokens for it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.postgres import PostgresServer
from ops.testbed.local_stack.redis_server import RedisServer
from workers.admin.desk.access import Role, Scope, allowed_scopes, at_terminal
from workers.admin.desk.desk import Desk, opened_desk
from workers.runtime.settings import Settings

PROJECT = Path(__file__).parents[3]
PASSWORD = "Right-horse-7"
ADMIN = at_terminal("root")

Client = Callable[..., httpx.Client]


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> str:
    """The address of a database for all tests of a file: making one takes longer than a test."""
    name = f"api_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_server.url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    return postgres_server.url_of(name)


@pytest.fixture(scope="module")
def desk(database: str, redis_server: RedisServer, broker: Broker) -> Iterator[Desk]:
    settings = Settings(book_url=SecretStr(database), redis_url=SecretStr(redis_server.url), kafka=broker.address)
    with opened_desk(settings, role="test") as opened:
        yield opened


def started(**environment: str) -> tuple[subprocess.Popen[bytes], int]:
    """The program, and the port that it says it takes requests at."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ORDERFLEET_")}
    process = subprocess.Popen(
        [sys.executable, "-W", "error::DeprecationWarning:ops", "-m", "ops.cli", "api", "--port", "0", "--json"],
        cwd=PROJECT,
        env={**own, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(process.communicate(timeout=10)[1].decode())
    return process, json.loads(line)["port"]


@pytest.fixture(scope="module")
def environment(database: str, redis_server: RedisServer, broker: Broker) -> dict[str, str]:
    return {
        "ORDERFLEET_BOOK_URL": database,
        "ORDERFLEET_REDIS_URL": redis_server.url,
        "ORDERFLEET_KAFKA": broker.address,
    }


@pytest.fixture(scope="module")
def port(environment: dict[str, str]) -> Iterator[int]:
    """Where the API answers."""
    process, port = started(**environment, ORDERFLEET_API_REQUESTS_PER_SECOND="1000")
    try:
        yield port
    finally:
        process.terminate()
        _, said = process.communicate(timeout=15)
    assert process.returncode == 0, said.decode()
    assert b"Traceback" not in said, said.decode()


@pytest.fixture
def client(port: int, desk: Desk) -> Iterator[Client]:
    """A client of a user with this role and a token with these scopes (none named: all that the role may have)."""
    made: list[httpx.Client] = []

    def make(role: Role = Role.ADMIN, *scopes: Scope, shops: list[str] | None = None) -> httpx.Client:
        name = f"{role}-{secrets.token_hex(4)}"
        desk.users.add(ADMIN, name, role, PASSWORD, shops)
        _, token = desk.tokens.create(ADMIN, name, scopes or sorted(allowed_scopes(role)), 1, "test")
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
        made.append(httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", headers=headers, timeout=60))
        return made[-1]

    yield make
    for each in made:
        each.close()


@contextmanager
def worker(environment: dict[str, str], stages: str) -> Iterator[None]:
    """Some stages, in a process of their own, on topics that are there."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ORDERFLEET_")}
    run = [sys.executable, "-m", "ops.cli"]
    env = {**own, **environment, "ORDERFLEET_PARTITIONS": "4"}
    subprocess.run([*run, "topics", "create"], cwd=PROJECT, env=env, check=True, capture_output=True, timeout=120)
    process = subprocess.Popen(
        [*run, "worker", "--stages", stages, "--json"],
        cwd=PROJECT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert b"ready" in line, process.communicate(timeout=30)[1].decode()
        yield
    finally:
        process.terminate()
        process.communicate(timeout=30)
