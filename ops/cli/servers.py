"""Asking Redis and Kafka from a command. A server that is away ends the command with one clear line and exit code 3."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, NoReturn, TypeVar
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from ops.cli.output import ExitCode, fail
from schemas.text import Text
from workers.inventory.epoch import EpochLog, read_epoch, settle_epoch
from workers.inventory.ledger import Ledger
from workers.inventory.records import CorruptLedger
from workers.runtime.errors import Misconfigured, TransientError
from workers.runtime.kafka.cluster import Cluster
from workers.runtime.redis.connections import connect
from workers.runtime.redis.epoch import EpochGuard
from workers.runtime.settings import Settings

T = TypeVar("T")

CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 10.0


def ask_ledger(settings: Settings, question: Callable[[Ledger], Awaitable[T]], *, writes: bool = False) -> T:
    """What the stock ledger answers. Ends the command when Redis is away, refuses, or holds what is not ours.

    `writes`: also when it was emptied, and nobody has settled that yet.
    """
    try:
        return asyncio.run(asked(settings, question, writes=writes))
    except TransientError as error:
        if not str(error).startswith("Redis"):
            fail_kafka_away(settings, error)
        fail_redis_away(settings, error)
    except RedisError as error:
        fail(redis_refused(settings, error), ExitCode.AWAY)
    except CorruptLedger as error:
        fail(corrupt(error))


async def asked(settings: Settings, question: Callable[[Ledger], Awaitable[T]], *, writes: bool = False) -> T:
    """The same with its errors: TransientError, RedisError, CorruptLedger."""
    guard = EpochGuard() if writes else None
    redis = redis_client(settings, guard)
    try:
        if guard is not None:
            # Kafka is asked only where Redis says nothing: to count must be possible while Kafka is away.
            guard.expect(await read_epoch(redis) or await settle_epoch(redis, EpochLog(settings.cluster)))
        return await question(Ledger(redis))
    finally:
        await redis.aclose()


def redis_client(settings: Settings, guard: EpochGuard | None = None) -> Redis:
    """A client that fails fast. Ends the command when the address is no address."""
    try:
        return connect(
            settings.redis_url.get_secret_value(),
            guard,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        fail(
            Text(
                "the setting ORDERFLEET_REDIS_URL is not usable: write redis://HOST:PORT/DB, rediss:// or unix://",
                "配置项 ORDERFLEET_REDIS_URL 不可用：请写 redis://主机:端口/库号、rediss:// 或 unix://",
            ),
            ExitCode.USAGE,
        )


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


def fail_redis_away(settings: Settings, error: TransientError) -> NoReturn:
    """End the command: Redis is away, or will not work for us as it or we are set up."""
    fail(redis_away(settings, error), ExitCode.USAGE if isinstance(error, Misconfigured) else ExitCode.AWAY)


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


def fail_kafka_away(settings: Settings, error: Exception) -> NoReturn:
    """End the command: Kafka is away."""
    fail(kafka_away(settings, error), ExitCode.AWAY)
