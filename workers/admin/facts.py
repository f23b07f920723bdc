"""What is so of the servers that a fleet works with: asked here, judged in `checks`. Changes nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import field
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from schemas.record import record
from schemas.topics import TOPICS, Topic
from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Cluster, Kafka
from workers.runtime.redis.errors import redis_errors

ANSWER_SECONDS: Final = 5.0
_TOPIC_SETTINGS: Final = (
    "retention.ms",
    "retention.bytes",
    "cleanup.policy",
    "max.message.bytes",
    "min.insync.replicas",
    "unclean.leader.election.enable",
)
T = TypeVar("T")


@record
class RedisFacts:
    """One Redis. Bytes and seconds; "" where it does not say, as a managed one may not."""

    version: str
    mode: str  # standalone | cluster | sentinel
    role: str  # master | slave
    append_only: bool
    append_fsync: str
    writes_its_disk: bool  # the last write of its file went well
    used_memory: int
    max_memory: int  # 0 = no limit but the machine's
    machine_memory: int  # 0 = not told
    eviction_policy: str
    seconds_ahead: float  # of this machine's clock


@record
class TopicFacts:
    """One topic that is there."""

    name: str
    family: str  # its name in schemas/topics.py
    partitions: int
    replication: int
    settings: dict[str, str]


@record
class KafkaFacts:
    """One cluster, as far as this fleet uses it."""

    brokers: int
    topics: tuple[TopicFacts, ...]


@record
class Facts:
    """Of all servers. None where one does not answer; then `away` says which, and how that shows."""

    redis: RedisFacts | None = None
    kafka: KafkaFacts | None = None
    away: dict[str, str] = field(default_factory=dict)


async def gather_facts(redis: Redis, kafka: Kafka) -> Facts:
    """Ask all servers at once. A server that is away is a fact."""
    told = await asyncio.gather(redis_facts(redis), asyncio.to_thread(kafka_facts, kafka), return_exceptions=True)
    away: dict[str, str] = {}
    for name, one in zip(("redis", "kafka"), told, strict=True):
        if isinstance(one, TransientError | RedisError):
            away[name] = str(one) if isinstance(one, TransientError) else type(one).__name__
        elif isinstance(one, BaseException):
            raise one
    found_redis, found_kafka = told
    return Facts(
        redis=found_redis if isinstance(found_redis, RedisFacts) else None,
        kafka=found_kafka if isinstance(found_kafka, KafkaFacts) else None,
        away=away,
    )


# -- Redis ---------------------------------------------------------------------------------------------------------


async def redis_facts(redis: Redis) -> RedisFacts:
    """Raises TransientError when it does not answer."""
    with redis_errors():
        info: dict[str, Any] = await redis.info("all")
        before = time.time()
        seconds, micros = await redis.time()
        after = time.time()
    return RedisFacts(
        version=str(info.get("valkey_version") or info.get("redis_version", "")),
        mode=str(info.get("redis_mode") or info.get("server_mode") or "standalone"),
        role=str(info.get("role", "")),
        append_only=bool(info.get("aof_enabled")),
        append_fsync=await _configured(redis, "appendfsync"),
        writes_its_disk=info.get("aof_last_write_status", "ok") == "ok" == info.get("rdb_last_bgsave_status", "ok"),
        used_memory=int(info.get("used_memory", 0)),
        max_memory=int(info.get("maxmemory", 0)),
        machine_memory=int(info.get("total_system_memory", 0)),
        eviction_policy=str(info.get("maxmemory_policy", "")),
        seconds_ahead=seconds + micros / 1e6 - (before + after) / 2,
    )


async def _configured(redis: Redis, name: str) -> str:
    try:
        found: Any = await redis.config_get(name)
    except ResponseError:  # a managed Redis does not let anybody ask
        return ""
    value = next(iter(found.values()), "")
    return value.decode() if isinstance(value, bytes) else str(value)


# -- Kafka ---------------------------------------------------------------------------------------------------------


def kafka_facts(kafka: Kafka) -> KafkaFacts:
    """Raises TransientError when it does not answer."""
    admin = AdminClient({**Cluster.of(kafka).for_librdkafka(), "log_level": 0})
    try:
        metadata = admin.list_topics(timeout=ANSWER_SECONDS)
    except KafkaException as error:
        raise TransientError(error.args[0].str()) from error
    ours = {name: family for name in metadata.topics if (family := family_of(name)) is not None}
    settings = _settings(admin, list(ours))
    return KafkaFacts(
        brokers=len(metadata.brokers),
        topics=tuple(
            TopicFacts(
                name=name,
                family=family.base,
                partitions=len(metadata.topics[name].partitions),
                replication=min((len(one.replicas) for one in metadata.topics[name].partitions.values()), default=0),
                settings=settings.get(name, {}),
            )
            for name, family in sorted(ours.items())
        ),
    )


def family_of(name: str) -> Topic | None:
    """The row of schemas/topics.py that a topic belongs to; None when it is not this fleet's."""
    for topic in TOPICS:
        if name == topic.name or (topic.per and name.startswith(f"{topic.name}.")):
            return topic
    return None


def _settings(admin: AdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    asked = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in names])
    return {
        resource.name: {name: str(entry.value) for name, entry in _result(future).items() if name in _TOPIC_SETTINGS}
        for resource, future in asked.items()
    }


def _result(future: Future[dict[str, T]]) -> dict[str, T]:
    """Nothing where the broker does not let us ask."""
    try:
        return future.result(ANSWER_SECONDS)
    except (KafkaException, TimeoutError):
        return {}
