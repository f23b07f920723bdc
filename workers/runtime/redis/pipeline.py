"""Many Redis commands in one round trip, packed and read by hiredis.

redis-py's own pipeline works on every word and every reply in Python, which costs a worker more than all that it
decides about an order. Connections, logging in, encryption and retries stay redis-py's business; its time limits hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from hiredis import PushNotification, pack_command
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from workers.runtime.redis.epoch import EpochGuard

Command = tuple[str | bytes | int, ...]

_AT_FIRST: Final = 2
_AT_A_TIME: Final = 32
"""Commands that are packed before the server gets them: it works on those while the next are packed."""

_READ_BYTES: Final = 1 << 16


async def run_pipeline(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    """Run all; the replies stand in their order, a command's own error as a ResponseError.

    With a guard (see `connect`), Redis is asked behind the last command whether it is the one that is meant. Raises
    EpochLost when it is not: then nothing of what it answered counts.

    Like `Redis.pipeline(transaction=False)`, it starts over as often as the client's `retry` says when a connection
    breaks, and then raises what redis.exceptions has for that. Some commands may have taken effect by then.
    """
    guard: EpochGuard | None = getattr(redis.connection_pool, "guard", None)
    if guard is None:
        return await _run(redis, commands, None)
    if guard.in_doubt:
        [epoch] = await _run(redis, [guard.command], None)
        await guard.check(epoch)
    replies = await _run(redis, commands, guard.command)
    await guard.check(replies.pop())
    return replies


async def _run(redis: Redis, commands: Sequence[Command], last: Command | None) -> list[Any]:
    pool: Any = redis.connection_pool
    connection = await pool.get_connection()
    try:
        replies: list[Any] = await connection.retry.call_with_retry(
            lambda: _exchange(connection, commands, last), lambda _error: connection.disconnect(nowait=True)
        )
    finally:
        await pool.release(connection)
    return replies


async def _exchange(connection: Any, commands: Sequence[Command], last: Command | None) -> list[Any]:
    try:
        transport = await _ready(connection)
        count, start, end = len(commands), 0, _AT_FIRST
        while start < count:
            transport.write(packed(commands[start:end]))
            if transport.get_write_buffer_size():  # it takes no more: wait, and no longer than redis-py may
                await connection.send_packed_command([], check_health=False)
            start, end = end, end + _AT_A_TIME
        if last is not None:
            transport.write(packed([last]))
            count += 1
        return await _read(connection, count)
    except BaseException:
        # Whoever got this connection next would take the replies that are still to come for its own.
        await connection.disconnect(nowait=True)
        raise


async def _ready(connection: Any) -> Any:
    """Where to write straight to the server: redis-py's own way is a task and a time limit for each write.

    Only now may a ping be sent to see whether the server is well: later its reply would stand among the commands'.
    """
    if not connection.is_connected:  # this is not the first try
        await connection.connect()
    await connection.check_health()
    transport = connection._writer.transport
    transport.set_write_buffer_limits(0)  # else uvloop writes when it gets its turn
    return transport


def packed(commands: Sequence[Command]) -> bytes:
    """As they go over the wire."""
    return b"".join([pack_command(command) for command in commands])  # type: ignore[arg-type]  # its stub says one word


async def _read(connection: Any, count: int) -> list[Any]:
    """The replies to so many commands, in their order; an error reply is one of them, and is not raised."""
    parser, stream = connection._parser, connection._reader
    reader = parser._reader
    replies: list[Any] = []
    while len(replies) < count:
        reply = reader.gets()
        if reply is NOT_ENOUGH_DATA:
            reader.feed(await _arriving(stream, connection.socket_timeout))
        elif isinstance(reply, PushNotification):
            await parser.handle_push_response(reply)
        elif isinstance(reply, RedisConnectionError):
            raise reply  # the server lets nobody in, as while it loads
        else:
            replies.append(reply)
    return replies


async def _arriving(stream: asyncio.StreamReader, seconds: float | None) -> bytes:
    """What the server says next. A timer that is called off takes a third of the time of `asyncio.timeout`."""
    silence = asyncio.get_running_loop().call_later(seconds, _give_up, stream, seconds) if seconds else None
    try:
        arrived = await stream.read(_READ_BYTES)
    except OSError as error:
        raise RedisConnectionError(f"the connection broke: {type(error).__name__}") from error
    finally:
        if silence is not None:
            silence.cancel()
    if not arrived:
        raise RedisConnectionError("the server closed the connection")
    return arrived


def _give_up(stream: asyncio.StreamReader, seconds: float) -> None:
    stream.set_exception(RedisTimeoutError(f"no reply within {seconds:g} seconds"))
