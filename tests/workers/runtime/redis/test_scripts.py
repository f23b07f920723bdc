"""What Redis and the way to it may raise: an outage is waited for, a bug is not taken for one."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest
import uvloop
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, ReadOnlyError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from workers.runtime.errors import TransientError
from workers.runtime.redis.errors import redis_errors
from workers.runtime.redis.scripts import Each, read_all


@pytest.mark.parametrize(
    "error",
    [
        RedisConnectionError("Error 111 connecting"),
        BusyLoadingError("Redis is loading the dataset in memory"),
        ReadOnlyError("You can't write against a read only replica."),
        ResponseError("OOM command not allowed when used memory > 'maxmemory'."),
    ],
)
def test_an_outage_is_transient(error: Exception) -> None:
    with pytest.raises(TransientError), redis_errors():
        raise error


@pytest.mark.parametrize("error", [ResponseError("WRONGTYPE Operation against a key"), RuntimeError("no such thing")])
def test_a_bug_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)), redis_errors():
        raise error


def test_a_connection_that_is_reset_between_two_calls_is_transient() -> None:
    """The event loop of the workers says so in its own way, and the client hands that on."""

    async def write_to_a_dead_connection() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            taken, _ = listener.accept()
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            taken.close()
            with pytest.raises(ConnectionError):
                await reader.read(1)
            with redis_errors():
                writer.writelines([b"PING"])

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, pytest.raises(TransientError):
        runner.run(write_to_a_dead_connection())


async def test_reading_together_answers_in_order_and_asks_nothing_when_there_is_nothing_to_ask(redis: Redis) -> None:
    await redis.hset("shelf", mapping={"tea": "3", "silk": "5"})
    asked = [("HMGET", "shelf", "silk", "jade"), ("HMGET", "cellar", "tea")]
    assert await read_all(redis, asked) == [[b"5", None], [None]]
    assert await read_all(Redis(port=1), []) == []


async def test_one_wrong_key_among_those_that_are_read_together_is_not_overlooked(redis: Redis) -> None:
    await redis.set("text", "tea")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await read_all(redis, [("HMGET", "shelf", "tea"), ("HMGET", "text", "tea")])


def test_what_is_made_of_each_is_made_when_it_is_asked_for() -> None:
    made: list[int] = []

    def double(number: int) -> int:
        made.append(number)
        return 2 * number

    doubled = Each(double, range(10))
    assert (len(doubled), made) == (10, [])
    assert (doubled[2:4], doubled[-1], made) == ([4, 6], 18, [2, 3, 9])
    assert list(doubled) == list(range(0, 20, 2))
