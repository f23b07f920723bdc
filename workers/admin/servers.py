"""Asking Redis for an operator: a client that fails fast, and words for a server that is away or refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from schemas.text import Text
from workers.admin.errors import InvalidRequest
from workers.inventory.epoch import EpochLog, read_epoch, settle_epoch
from workers.inventory.ledger import Ledger
from workers.inventory.records import CorruptLedger
from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Cluster
from workers.runtime.redis.connections import connect
from workers.runtime.redis.epoch import EpochGuard
from workers.runtime.settings import Settings

CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 10.0


@asynccontextmanager
async def opened_ledger(settings: Settings, *, writes: bool = False) -> AsyncIterator[Ledger]:
    """The stock ledger. `writes`: only where it was not emptied, or somebody has settled that.

    Raises TransientError, RedisError, and what `redis_client` raises.
    """
    guard = EpochGuard() if writes else None
    redis = redis_client(settings, guard)
    try:
        if guard is not None:
            # Kafka is asked only where Redis says nothing: to count must be possible while Kafka is away.
            guard.expect(await read_epoch(redis) or await settle_epoch(redis, EpochLog(settings.cluster)))
        yield Ledger(redis)
    finally:
        await redis.aclose()


def redis_client(settings: Settings, guard: EpochGuard | None = None) -> Redis:
    """A client that fails fast. Raises InvalidRequest when the address is no address."""
    try:
        return connect(
            settings.redis_url.get_secret_value(),
            guard,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise InvalidRequest(
            Text(
                "the setting ORDERFLEET_REDIS_URL is not usable: write redis://HOST:PORT/DB, rediss:// or unix://",
                "配置项 ORDERFLEET_REDIS_URL 不可用：请写 redis://主机:端口/库号、rediss:// 或 unix://",
            )
        ) from None


def redis_away(settings: Settings, error: TransientError) -> Text:
    """Redis does not answer, or refuses: at which address, and what to do."""
    where = _without_password(settings.redis_url.get_secret_value())
    if error.advice is not None and error.code.isupper():
        word, advice = error.code, error.advice
        return Text(
            f"Redis at {where} refused ({word}): {advice.en}",
            f"位于 {where} 的 Redis 拒绝了请求（{word}）：{advice.zh}",
        )
    return Text(
        f"Redis at {where} does not answer ({error}); is it running, and is ORDERFLEET_REDIS_URL right?",
        f"位于 {where} 的 Redis 没有应答（{error}）；请检查它是否在运行、ORDERFLEET_REDIS_URL 是否正确",
    )


def redis_refused(settings: Settings, error: RedisError) -> Text:
    """Redis answers, but not to us: its error word, never its whole sentence, which may quote data."""
    where = _without_password(settings.redis_url.get_secret_value())
    word = str(error).partition(" ")[0].rstrip(":")
    return Text(
        f"Redis at {where} refused ({word}); check the user's rights and the server's version (6.2 or newer)",
        f"位于 {where} 的 Redis 拒绝了请求（{word}）；请检查用户权限和服务器版本（6.2 及以上）",
    )


def corrupt(error: CorruptLedger) -> Text:
    """Somebody else wrote to the ledger's keys."""
    keys = ", ".join(failure.where for failure in error.failures)
    return Text(
        f"{keys} in Redis is not what the ledger left there; nothing else may write to this Redis database. "
        "orderfleet stock audit lists all such keys",
        f"Redis 中的 {keys} 不是账本写入的内容；其他程序不得写入该库。orderfleet stock audit 可列出所有此类键",
    )


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname:
        return parts.path or "?"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname}{port}{parts.path}"


def kafka_away(settings: Settings, error: Exception) -> Text:
    """Kafka does not answer, at which address, and what to check."""
    names = ", ".join(_way_in(settings.cluster))
    return Text(
        f"Kafka at {settings.kafka} does not answer ({error}); is it running, and is this right: {names}?",
        f"位于 {settings.kafka} 的 Kafka 没有应答（{error}）；请检查它是否在运行，以及以下配置是否正确：{names}",
    )


def _way_in(cluster: Cluster) -> Iterator[str]:
    """The settings that decide whether Kafka lets us in. Its libraries do not say why it hung up."""
    yield "ORDERFLEET_KAFKA"
    yield "ORDERFLEET_KAFKA_SECURITY"
    if cluster.encrypted:
        yield from ("ORDERFLEET_KAFKA_CA_FILE", "ORDERFLEET_KAFKA_CHECK_HOSTNAME")
    if cluster.requires_auth:
        yield from ("ORDERFLEET_KAFKA_MECHANISM", "ORDERFLEET_KAFKA_USERNAME", "ORDERFLEET_KAFKA_PASSWORD")
