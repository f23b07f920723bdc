"""Many Redis commands in one round trip, packed and read by hiredis.

redis-py's own pipeline works on every word and every reply in Python, which costs a worker more than all that it
decides about an order. Connections, logging in, encryption, time limits and retries stay redis-py's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hiredis import PushNotification, pack_command
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

Command = tuple[str | bytes | int, ...]

_AT_A_TIME: Final = 32
"""Commands that are packed before the server gets them: it works on those while the next are packed."""


async def run_pipeline(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    """Run all; the replies stand in their order, a command's own error as a ResponseError.

    Like `Redis.pipeline(transaction=False)`, it starts over as often as the client's `retry` says when a connection
    breaks, and then raises what redis.exceptions has for that. Some commands may have taken effect by then.
    """
    pool: Any = redis.connection_pool
    connection = await pool.get_connection()
    try:
        replies: list[Any] = await connection.retry.call_with_retry(
            lambda: _exchange(connection, commands), lambda _error: connection.disconnect(nowait=True)
        )
    finally:
        await pool.release(connection)
    return replies


async def _exchange(connection: Any, commands: Sequence[Command]) -> list[Any]:
    try:
        transport = await _ready(connection)
        for start in range(0, len(commands), _AT_A_TIME):
            transport.write(packed(commands[start : start + _AT_A_TIME]))
            if transport.get_write_buffer_size():  # it takes no more: wait, and no longer than redis-py may
                await connection.send_packed_command([], check_health=False)
        return await _read(connection, len(commands))
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
    """What has arrived is taken straight from hiredis; redis-py waits for more, and for no longer than it may."""
    parser = connection._parser
    arrived = parser._reader.gets
    replies: list[Any] = []
    while len(replies) < count:
        reply = arrived()
        if reply is NOT_ENOUGH_DATA:
            reply = await _wait(connection)
        if isinstance(reply, PushNotification):
            await parser.handle_push_response(reply)
        elif isinstance(reply, RedisConnectionError):
            raise reply  # the server lets nobody in, as while it loads
        else:
            replies.append(reply)
    return replies


async def _wait(connection: Any) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
