"""The console on loopback, as `orderfleet console` serves it, and a browser before it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect
from pydantic import SecretStr

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.postgres import PostgresServer
from ops.testbed.local_stack.redis_server import RedisServer
from tests.ops.console.fleet import Fleet
from tests.workers.admin.desk.books import fill, in_review
from workers.admin.desk.access import Role, at_terminal
from workers.admin.desk.desk import Desk, opened_desk
from workers.runtime.settings import Settings

PROJECT = Path(__file__).parents[3]
PASSWORD = "Right-horse-7"
ADMIN = at_terminal("root")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")

PATIENCE_MS = 60_000
"""A busy machine may need as long for a page."""
expect.set_options(timeout=PATIENCE_MS)

SignIn = Callable[..., Awaitable[Page]]


def add_people(desk: Desk) -> None:
    """A user of each role."""
    for role in Role:
        desk.users.add(ADMIN, f"a-{role}", role, PASSWORD)


def new_database(server: PostgresServer) -> str:
    """The address of an empty one, for all of these tests."""
    name = f"console_{secrets.token_hex(4)}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.url_of(name)


@pytest.fixture(scope="session")
def database(postgres_server: PostgresServer) -> str:
    """The address of a database for all of these tests, with orders in review."""
    url = new_database(postgres_server)
    fill(url, [in_review(str(number)) for number in range(60)])
    return url


@pytest.fixture(scope="session")
def environment(database: str, redis_server: RedisServer, broker: Broker) -> dict[str, str]:
    """What the console and its workers are told."""
    return {
        "ORDERFLEET_BOOK_URL": database,
        "ORDERFLEET_REDIS_URL": redis_server.url,
        "ORDERFLEET_KAFKA": broker.address,
    }


@pytest.fixture(scope="session")
def desk(database: str, redis_server: RedisServer, broker: Broker) -> Iterator[Desk]:
    """The desk that the console works at, and a user of each role."""
    settings = Settings(book_url=SecretStr(database), redis_url=SecretStr(redis_server.url), kafka=broker.address)
    with opened_desk(settings, role="test") as opened:
        add_people(opened)
        yield opened


def started(environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    """The program, and the address that it says it takes requests at."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ORDERFLEET_")}
    process = subprocess.Popen(
        [sys.executable, "-W", "error::DeprecationWarning:ops", "-m", "ops.cli", "console", "--port", "0", "--json"],
        cwd=PROJECT,
        env={**own, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(process.communicate(timeout=10)[1].decode())
    return process, f"http://127.0.0.1:{json.loads(line)['port']}"


def stopped(process: subprocess.Popen[bytes]) -> None:
    """It leaves when told to, and has said nothing of mistakes."""
    process.terminate()
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said.decode()
    assert b"mistake" not in said, said.decode()
    assert b"Traceback" not in said, said.decode()


@pytest.fixture(scope="session")
def console(environment: dict[str, str], desk: Desk) -> Iterator[str]:
    """Where the console answers."""
    assert desk is not None
    process, url = started(environment)
    try:
        yield url
    finally:
        stopped(process)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A browser; a laptop may have none."""
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "apt-get install chromium"
        pytest.skip("no Chromium on the PATH")
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def sign_in(browser: Browser, console: str) -> AsyncIterator[SignIn]:
    """Signs somebody in and opens a path. No page may ask anybody else, or make a mistake of its own."""
    async with visitors(browser, lambda: console) as signed_in:
        yield signed_in


@pytest.fixture(scope="session")
def fleet(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A whole fleet with orders in review, and people: one for all tests of a process, so that each takes its own."""
    with Fleet(tmp_path_factory.mktemp("fleet"), new_database(postgres_server)) as running:
        with running.desk() as desk:
            add_people(desk)
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def at_fleet(fleet: Fleet, browser: Browser) -> AsyncIterator[SignIn]:
    """As `sign_in`, at the console of the fleet."""
    async with visitors(browser, lambda: fleet.url) as signed_in:
        yield signed_in


@asynccontextmanager
async def visitors(browser: Browser, console: Callable[[], str]) -> AsyncIterator[SignIn]:
    """People with browsers of their own, whose pages ask nobody but the console and make no mistakes."""
    contexts, trouble = [], list[str]()

    async def signed_in(path: str = "/review", role: Role = Role.LEAD, language: str = "zh") -> Page:
        url = console()
        context = await browser.new_context(
            base_url=url, viewport={"width": 1280, "height": 720}, reduced_motion="reduce"
        )
        contexts.append(context)
        await context.add_cookies([{"name": "orderfleet_language", "value": language, "url": url}])
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: trouble.append(request.url) if _is_elsewhere(request.url, url) else None)
        await enter(page, path, role)
        return page

    yield signed_in
    for context in contexts:
        await context.close()
    # A console that was killed is missed by the pages that it had.
    assert [each for each in trouble if "ERR_CONNECTION_REFUSED" not in each and "WebSocket" not in each] == []


async def enter(page: Page, path: str, role: Role) -> None:
    """Open a path, and sign in where that is asked for."""
    await page.goto(path)
    if "/sign-in" in page.url:
        await page.fill("[name=name]", f"a-{role}")
        await page.fill("[name=password]", PASSWORD)
        await page.click("form[action$='/sign-in'] button")


def _is_elsewhere(url: str, console: str) -> bool:
    return not url.startswith((console, console.replace("http", "ws"), "data:", "blob:"))
