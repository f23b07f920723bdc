"""Replies go to the commands they belong to, whatever happens to the connection in between."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, NoScriptError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ops.testbed.local_stack.redis_server import RedisServer
from tests.workers.runtime.on_both_loops.encrypting import encrypting
from workers.runtime.redis.connections import connect
from workers.runtime.redis.pipeline import Command, run_pipeline

MANY = 3000
LONG = 30_000_000
WAIT_FOR_EVER: Command = ("BLPOP", "nothing-comes-here", 0)


class Way(NamedTuple):
    """One way to a Redis, and the plain one. `process`: the server's id."""

    plain: str
    process: int
    url: str
    options: Mapping[str, Any] = {}


@pytest.fixture(params=["tcp", "tls", "unix"])
async def way(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Way]:
    """Each of the ways there are, to a Redis without data."""
    socket = tmp_path / "redis.sock"
    with RedisServer(tmp_path, options=["--unixsocket", str(socket)]) as server:
        process = server.pid
        assert process is not None
        if request.param == "tls":
            authority = trustme.CA()
            trusted = tmp_path / "ca.pem"
            authority.cert_pem.write_to_path(str(trusted))
            async with encrypting(authority, server.port) as port:
                yield Way(server.url, process, f"rediss://127.0.0.1:{port}/0", {"ssl_ca_certs": str(trusted)})
        else:
            yield Way(server.url, process, server.url if request.param == "tcp" else f"unix://{socket}")


@pytest.fixture
async def redis(way: Way) -> AsyncIterator[Redis]:
    """Another client of the same Redis."""
    async with Redis.from_url(way.plain) as client:
        yield client


@pytest.fixture
async def single(way: Way) -> AsyncIterator[Redis]:
    """A client with one connection: whatever is left on it, the next command meets."""
    async with _client(way, tries=2) as client:
        yield client


def _client(way: Way, *, tries: int, **options: Any) -> Redis:
    return connect(way.url, max_connections=1, retry=Retry(NoBackoff(), tries - 1), **way.options, **options)


async def _own_id(client: Redis) -> int:
    return int(await client.client_id())


def _cut(client_id: int) -> Command:
    """Closes the connection of that number once it is answered, and no other."""
    return ("CLIENT", "KILL", "ID", client_id, "SKIPME", "no")


async def test_replies_are_what_the_clients_own_pipeline_gives(single: Redis) -> None:
    commands: list[Command] = [
        ("SET", "订单", b"\x00\xff\r\n"),
        ("GET", "订单"),
        ("GET", "no-such-key"),
        ("INCR", "订单"),
        ("EVALSHA", "0" * 40, 0),
        ("EVAL", "return {1, {'two', {}}, redis.error_reply('WORD said so')}", 0),
        ("INCRBY", "count", 2**40),
        ("ECHO", ""),
    ]
    pipeline = single.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    expected = await pipeline.execute(raise_on_error=False)
    await single.flushall()
    replies = await run_pipeline(single, commands)
    assert [_comparable(reply) for reply in replies] == [_comparable(reply) for reply in [b"OK", *expected[1:]]]
    assert type(replies[4]) is NoScriptError


def _comparable(reply: Any) -> Any:
    if isinstance(reply, list):
        return [_comparable(each) for each in reply]
    return (type(reply), str(reply)) if isinstance(reply, Exception) else reply


async def test_replies_longer_than_one_read_stand_in_their_order(single: Redis) -> None:
    words = [f"{number}".encode() * 100 for number in range(MANY)]
    assert await run_pipeline(single, [("ECHO", word) for word in words]) == words


async def test_commands_longer_than_what_is_taken_at_once_arrive_whole(single: Redis) -> None:
    long: list[Command] = [("ECHO", bytes([65 + number]) * LONG) for number in range(3)]
    assert await run_pipeline(single, long) == [word for _, word in long]


async def test_a_ping_that_is_due_does_not_take_a_commands_reply(single: Redis) -> None:
    words = [f"{number}".encode() for number in range(MANY)]
    await single.ping()
    [connection] = single.connection_pool._available_connections
    connection.health_check_interval = 0.000_001  # one is due before every write
    assert await run_pipeline(single, [("ECHO", word) for word in words]) == words
    assert await run_pipeline(single, [("ECHO", b"a" * LONG), ("ECHO", "b")]) == [b"a" * LONG, b"b"]


async def test_a_server_that_takes_nothing_in_is_not_waited_for_without_end(way: Way) -> None:
    async with _client(way, tries=1, socket_timeout=0.2) as client:
        await run_pipeline(client, [("SET", "busy", "soon")])
        os.kill(way.process, signal.SIGSTOP)
        try:
            with pytest.raises(RedisTimeoutError, match="no reply" if way.options else "writing"):  # a proxy takes all
                await run_pipeline(client, [("ECHO", b"a" * LONG), ("ECHO", "b")])
        finally:
            os.kill(way.process, signal.SIGCONT)
        assert await run_pipeline(client, [("ECHO", "c")]) == [b"c"]


async def test_an_error_is_the_reply_of_its_command_alone(single: Redis) -> None:
    first, error, last = await run_pipeline(single, [("ECHO", "a"), ("NO-SUCH-COMMAND",), ("ECHO", "b")])
    assert isinstance(error, ResponseError)
    assert (first, last) == (b"a", b"b")


async def test_a_connection_cut_in_the_middle_is_made_anew_and_all_is_done_again(single: Redis) -> None:
    cut = _cut(await _own_id(single))
    assert await run_pipeline(single, [("ECHO", "a"), cut, ("ECHO", "b")]) == [b"a", 0, b"b"]


async def test_a_connection_cut_while_later_commands_are_still_packed_is_made_anew_too(single: Redis) -> None:
    words: list[Command] = [("ECHO", f"{number}") for number in range(MANY)]
    replies = await run_pipeline(single, [_cut(await _own_id(single)), *words])
    assert replies == [0, *[f"{number}".encode() for number in range(MANY)]]


async def test_a_connection_cut_too_often_raises_and_leaves_a_clean_one(way: Way, redis: Redis) -> None:
    async with _client(way, tries=1) as client:
        cut = _cut(await _own_id(client))
        with pytest.raises(RedisConnectionError):
            await run_pipeline(client, [("ECHO", "a"), cut, ("ECHO", "b")])
        assert await run_pipeline(client, [("ECHO", "c")]) == [b"c"]


async def test_a_cancelled_pipeline_leaves_no_reply_to_the_next(single: Redis, redis: Redis) -> None:
    halfway = asyncio.create_task(run_pipeline(single, [("ECHO", "a"), WAIT_FOR_EVER, ("ECHO", "b")]))
    await _until_blocked(redis, 1)
    halfway.cancel()
    with pytest.raises(asyncio.CancelledError):
        await halfway
    assert await run_pipeline(single, [("ECHO", "c")]) == [b"c"]
    assert await single.echo("d") == b"d"
    await _until_blocked(redis, 0)


async def test_a_reply_that_takes_too_long_leaves_no_reply_to_the_next(way: Way, redis: Redis) -> None:
    async with _client(way, tries=1, socket_timeout=0.2) as client:
        with pytest.raises(RedisTimeoutError):
            await run_pipeline(client, [("ECHO", "a"), WAIT_FOR_EVER, ("ECHO", "b")])
        assert await run_pipeline(client, [("ECHO", "c")]) == [b"c"]


async def test_a_server_that_lets_nobody_in_raises_and_leaves_a_clean_connection(way: Way, redis: Redis) -> None:
    async with _client(way, tries=1) as client:
        loading: Command = ("EVAL", "return redis.error_reply('LOADING it is not there yet')", 0)
        with pytest.raises(BusyLoadingError):
            await run_pipeline(client, [("ECHO", "a"), loading, ("ECHO", "b")])
        assert await run_pipeline(client, [("ECHO", "c")]) == [b"c"]


async def _until_blocked(redis: Redis, count: int) -> None:
    async with asyncio.timeout(10):
        while (await redis.info("clients"))["blocked_clients"] != count:  # noqa: ASYNC110  # Redis tells nobody
            await asyncio.sleep(0.01)


async def test_what_the_server_says_unasked_is_nobodys_reply(way: Way, redis: Redis) -> None:
    async with _client(way, tries=1, protocol=3) as client:
        commands: list[Command] = [("CLIENT", "TRACKING", "ON"), ("GET", "a"), ("SET", "a", 1), ("GET", "a")]
        assert await run_pipeline(client, commands) == [b"OK", None, b"OK", b"1"]


async def test_replies_are_texts_where_the_client_is_told_so(way: Way, redis: Redis) -> None:
    async with _client(way, tries=1, decode_responses=True) as client:
        assert await run_pipeline(client, [("ECHO", "赠品"), ("ECHO", "b")]) == ["赠品", "b"]
