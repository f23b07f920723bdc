"""Asking Redis and Kafka for the desk, from whichever thread. A server that is away is told in words for people."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from schemas.text import Text, TextError
from workers.admin.scan import Topics
from workers.admin.servers import corrupt, kafka_away, opened_ledger, redis_away, redis_client, redis_refused
from workers.inventory.ledger import Ledger
from workers.inventory.records import CorruptLedger
from workers.runtime.errors import TransientError
from workers.runtime.settings import Settings

T = TypeVar("T")


class ServerAway(TextError):
    """Redis or Kafka does not answer, or not as it must. `code` says which."""

    def __init__(self, text: Text, code: str) -> None:
        super().__init__(text)
        self.code = code


def ask_ledger(settings: Settings, question: Callable[[Ledger], Awaitable[T]]) -> T:
    """What the stock ledger answers. Raises ServerAway, InvalidRequest. Not for a thread that runs an event loop."""

    async def asked() -> T:
        async with opened_ledger(settings) as ledger:
            return await question(ledger)

    try:
        return asyncio.run(asked())
    except TransientError as error:
        raise ServerAway(redis_away(settings, error), "redis-away") from None
    except RedisError as error:
        raise ServerAway(redis_refused(settings, error), "redis-away") from None
    except CorruptLedger as error:
        raise ServerAway(corrupt(error), "ledger-corrupt") from None


def ask_redis(settings: Settings, question: Callable[[Redis], Awaitable[T]]) -> T:
    """What Redis answers. Raises ServerAway, InvalidRequest. Not for a thread that runs an event loop."""

    async def asked() -> T:
        async with redis_client(settings) as redis:
            return await question(redis)

    try:
        return asyncio.run(asked())
    except TransientError as error:
        raise ServerAway(redis_away(settings, error), "redis-away") from None
    except RedisError as error:
        raise ServerAway(redis_refused(settings, error), "redis-away") from None


def ask_topics(settings: Settings, question: Callable[[Topics], T]) -> T:
    """What is found in Kafka. Raises ServerAway."""
    try:
        with Topics(settings.cluster) as topics:
            return question(topics)
    except TransientError as error:
        raise ServerAway(kafka_away(settings, error), "kafka-away") from None
