"""The receiver of alerts with all that it needs: Kafka, recipients, and a Redis to be asked whether it is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from schemas.namespace import prefixed
from workers.admin.direct_notices import DirectNotices
from workers.admin.errors import InvalidRequest
from workers.admin.servers import redis_client
from workers.intake.alert_receiver import AlertReceiver
from workers.notify.recipients import BrokenRecipients, Recipients, load_recipients
from workers.runtime.kafka.producer import Producer
from workers.runtime.settings import Settings

_REDIS_SECONDS: Final = 2.0


@asynccontextmanager
async def opened_receiver(settings: Settings) -> AsyncIterator[AlertReceiver]:
    """Closed again in any case. Raises InvalidRequest: the file of recipients, or an address, cannot be used."""

    def load() -> Recipients:
        return load_recipients(settings.notices_file, settings.notices_urls)

    try:
        load()
    except BrokenRecipients as error:
        raise InvalidRequest(error.text) from None
    async with redis_client(settings) as redis:
        producer = Producer(settings.cluster)
        producer.start()
        try:
            yield AlertReceiver(producer, settings.alerts_token, DirectNotices(load, lambda: answers(redis)))
        finally:
            await producer.close()


async def answers(redis: Redis) -> bool:
    """Whether it takes a write now: one that is full, read-only or loading is as good as away."""
    try:
        async with asyncio.timeout(_REDIS_SECONDS):
            await redis.set(prefixed("asked:{notices}"), b"1", px=60_000)
    except (RedisError, OSError, TimeoutError, RuntimeError):
        return False
    return True
