"""Is anybody writing to the stock ledger? Three signs, each of which is enough."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from confluent_kafka import ConsumerGroupState, KafkaException
from redis.asyncio import Redis

from schemas.text import Text
from workers.inventory.keys import relay_key, sequence_key
from workers.inventory.ledger import Ledger
from workers.rebuild.errors import WritersAtWork
from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Kafka
from workers.runtime.kafka.topics import admin_of
from workers.runtime.redis.errors import redis_errors
from workers.runtime.table import group_id

ANSWER_SECONDS: Final = 10.0
LOOK_SECONDS = 1.0
_IDLE: Final = (ConsumerGroupState.EMPTY, ConsumerGroupState.DEAD)


def reserve_group() -> str:
    """The consumer group of the stage that reserves stock."""
    return group_id("reserve")


def fulfill_group() -> str:
    """The consumer group of the stage that hears the warehouses."""
    return group_id("fulfill")


def apply_group() -> str:
    """The consumer group of the stage that applies what people decide: it writes to the orders' pointers."""
    return group_id("apply")


async def refuse_unless_quiet(kafka: Kafka, redis: Redis) -> None:
    """Raises WritersAtWork while workers write to the ledger; TransientError when a server is away."""
    if signs := await signs_of_writers(kafka, redis):
        raise WritersAtWork(signs)


async def signs_of_writers(kafka: Kafka, redis: Redis) -> list[Text]:
    """What shows that workers write, each sign with what to stop. Raises TransientError when a server is away."""
    warehouses = await Ledger(redis).stock.warehouses()
    before = await _sequences(redis, warehouses)
    signs = await asyncio.to_thread(_groups_at_work, kafka)
    signs += await _relays(redis, warehouses)
    await asyncio.sleep(LOOK_SECONDS)
    after = await _sequences(redis, warehouses)
    changed = [one for one, old, new in zip(warehouses, before, after, strict=True) if old != new]
    signs += [
        Text(
            f"the counters of {one} changed while we looked: something still writes to this Redis; find it with "
            "redis-cli CLIENT LIST",
            f"仓库 {one} 的计数在检查期间发生变化：仍有程序写入该 Redis；请用 redis-cli CLIENT LIST 查找",
        )
        for one in changed
    ]
    return signs


def _groups_at_work(kafka: Kafka) -> list[Text]:
    admin = admin_of(kafka)
    signs = []
    for name, asked in admin.describe_consumer_groups(
        [reserve_group(), fulfill_group(), apply_group()], request_timeout=ANSWER_SECONDS
    ).items():
        try:
            group: Any = asked.result(ANSWER_SECONDS + 1)
        except (KafkaException, TimeoutError) as error:
            raise TransientError(str(error)) from error
        if group.members or (group.state not in _IDLE and group.state is not ConsumerGroupState.UNKNOWN):
            stage = name.removeprefix(group_id(""))
            signs.append(
                Text(
                    f"the consumer group {name} is at work: stop the workers that run the stage {stage} "
                    "(docker compose stop, or SIGTERM) and wait some seconds",
                    f"消费组 {name} 正在运行：请停止运行 {stage} 环节的工作进程"
                    "（docker compose stop 或 SIGTERM）并稍候数秒",
                )
            )
    return signs


async def _relays(redis: Redis, warehouses: Sequence[str]) -> list[Text]:
    if not warehouses:
        return []
    with redis_errors():
        holders: Any = await redis.mget([relay_key(one) for one in warehouses])
    relayed = [one for one, holder in zip(warehouses, holders, strict=True) if holder]
    if not relayed:
        return []
    return [
        Text(
            f"a worker relays the events of {', '.join(relayed)}: stop the workers that run the stages sweep and "
            "relay, and wait the 10 s after which their lease ends",
            f"有工作进程正在转发 {'、'.join(relayed)} 的事件：请停止运行 sweep 和 relay 环节的工作进程，"
            "并等待 10 秒直到其租约结束",
        )
    ]


async def _sequences(redis: Redis, warehouses: Sequence[str]) -> list[bytes | None]:
    if not warehouses:
        return []
    with redis_errors():
        found: Any = await redis.mget([sequence_key(one) for one in warehouses])
    return found  # type: ignore[no-any-return]
