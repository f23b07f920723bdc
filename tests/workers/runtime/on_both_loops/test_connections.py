"""A worker's pool: nobody gets a connection that another has, or one that is closed or has a reply left in it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MaxConnectionsError

from ops.testbed.local_stack.redis_server import RedisServer
from workers.runtime.redis.connections import connect
from workers.runtime.redis.pipeline import run_pipeline
from workers.runtime.tasks import end_tasks

TASKS = 20
TURNS = 40


@pytest.fixture
async def client(redis_server: RedisServer) -> AsyncIterator[Redis]:
    """A client with the worker's pool, of one connection."""
    async with connect(redis_server.url, max_connections=1) as client:
        yield client


def _pool(client: Redis) -> Any:
    return client.connection_pool


async def test_one_connection_serves_again_and_again(client: Redis) -> None:
    assert len({await client.client_id() for _ in range(10)}) == 1


async def test_a_connection_that_the_server_closed_is_replaced(client: Redis, redis: Redis) -> None:
    closed = await client.client_id()
    await redis.client_kill_filter(_id=str(closed))
    async with asyncio.timeout(10):
        while not await _is_hung_up(client):  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.001)
    assert await client.client_id() != closed


async def _is_hung_up(client: Redis) -> bool:
    [connection] = _pool(client)._available_connections
    return bool(await connection.can_read())


async def test_a_connection_with_a_reply_left_in_it_is_replaced(client: Redis) -> None:
    connection = await _pool(client).get_connection()
    await connection.send_command("ECHO", "for nobody")
    async with asyncio.timeout(10):
        while not await connection.can_read():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.001)
    await _pool(client).release(connection)
    assert await client.echo("for us") == b"for us"


async def test_a_connection_that_is_marked_is_made_anew_when_it_is_given_back(client: Redis) -> None:
    before = await client.client_id()
    connection = await _pool(client).get_connection()
    connection.mark_for_reconnect()
    await _pool(client).release(connection)
    assert await client.client_id() != before


async def test_more_than_the_most_are_refused_and_none_is_lost_by_it(client: Redis) -> None:
    taken = await _pool(client).get_connection()
    with pytest.raises(MaxConnectionsError):
        await _pool(client).get_connection()
    await _pool(client).release(taken)
    assert await client.ping()


async def test_a_server_that_is_away_costs_no_connection(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    async with connect(server.url, max_connections=1, retry=Retry(NoBackoff(), 0)) as client:
        for _ in range(3):
            with pytest.raises(RedisConnectionError):
                await client.ping()
        with server:
            assert await client.ping()


async def test_many_at_once_each_get_their_own_replies_while_connections_break(
    redis_server: RedisServer, redis: Redis
) -> None:
    dice = random.Random(11)
    async with connect(redis_server.url, max_connections=TASKS, retry=Retry(NoBackoff(), 50)) as client:

        async def ask(name: int) -> None:
            turn = 0
            while turn < TURNS:
                words = [f"{name}-{turn}-{number}".encode() for number in range(dice.choice((1, 3, 40)))]
                with suppress(RedisConnectionError):  # cut before it was handed out: then the caller has to try again
                    assert await run_pipeline(client, [("ECHO", word) for word in words]) == words
                    assert await client.echo(f"{name}-{turn}") == f"{name}-{turn}".encode()
                    turn += 1

        async def kill() -> None:
            while not all(task.done() for task in asking):
                one = dice.choice(await redis.client_list(_type="normal"))
                if one["cmd"] != "client|list":
                    await redis.client_kill_filter(_id=one["id"])

        asking = [asyncio.create_task(ask(name)) for name in range(TASKS)]
        killing = asyncio.create_task(kill())
        done, late = await asyncio.wait([*asking, killing], timeout=60)
        await end_tasks(late)
        assert not late
        for task in done:
            task.result()
        assert len(_pool(client)._available_connections) <= TASKS
        assert not _pool(client)._in_use_connections
