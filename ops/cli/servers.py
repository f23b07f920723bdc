"""Asking Redis and Kafka from a command. A server that is away ends the command with one clear line and exit code 3."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from ops.cli.output import ExitCode, fail
from workers.admin import servers
from workers.admin.errors import InvalidRequest, OperatorError
from workers.admin.servers import corrupt, kafka_away, opened_ledger, redis_away, redis_refused
from workers.inventory.ledger import Ledger
from workers.inventory.records import CorruptLedger
from workers.runtime.errors import Misconfigured, TransientError
from workers.runtime.settings import Settings

T = TypeVar("T")


def ask_ledger(settings: Settings, question: Callable[[Ledger], Awaitable[T]], *, writes: bool = False) -> T:
    """What the stock ledger answers. Ends the command when Redis is away, refuses, or holds what is not ours.

    `writes`: also when it was emptied, and nobody has settled that yet.
    """

    async def asked() -> T:
        async with opened_ledger(settings, writes=writes) as ledger:
            return await question(ledger)

    try:
        return asyncio.run(asked())
    except OperatorError as error:
        fail_with(error)
    except TransientError as error:
        fail_away(settings, error)
    except RedisError as error:
        fail(redis_refused(settings, error), ExitCode.AWAY)
    except CorruptLedger as error:
        fail(corrupt(error))


def ask_redis(settings: Settings, question: Callable[[Redis], Awaitable[T]]) -> T:
    """What Redis answers. Ends the command when it is away or refuses, or the answer is that it cannot be."""

    async def asked() -> T:
        async with redis_client(settings) as redis:
            return await question(redis)

    try:
        return asyncio.run(asked())
    except OperatorError as error:
        fail_with(error)
    except TransientError as error:
        fail(redis_away(settings, error), ExitCode.AWAY)
    except RedisError as error:
        fail(redis_refused(settings, error), ExitCode.AWAY)


def redis_client(settings: Settings) -> Redis:
    """A client that fails fast. Ends the command when the address is no address."""
    try:
        return servers.redis_client(settings)
    except InvalidRequest as error:
        fail_with(error)


def check_redis_address(settings: Settings) -> None:
    """End a command that asks Kafka first, when it could not go on with Redis: a wrong setting, whoever is away."""
    redis_client(settings)


def fail_with(error: OperatorError) -> NoReturn:
    """End the command: what was asked for is no question, is not there, or cannot be done."""
    fail(error.text, ExitCode.USAGE if isinstance(error, InvalidRequest) else ExitCode.BAD)


def fail_away(settings: Settings, error: TransientError) -> NoReturn:
    """End the command: the server that the error names does not answer."""
    if str(error).startswith("Redis"):
        fail_redis_away(settings, error)
    fail_kafka_away(settings, error)


def fail_redis_away(settings: Settings, error: TransientError) -> NoReturn:
    """End the command: Redis is away, or will not work for us as it or we are set up."""
    fail(redis_away(settings, error), ExitCode.USAGE if isinstance(error, Misconfigured) else ExitCode.AWAY)


def fail_kafka_away(settings: Settings, error: Exception) -> NoReturn:
    """End the command: Kafka is away."""
    fail(kafka_away(settings, error), ExitCode.AWAY)
