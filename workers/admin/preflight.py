"""What a process asks its servers before it works: the same as `orderfleet doctor`, told in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from redis.asyncio import Redis

from schemas.text import Text
from workers.admin.checks import findings_of, refuses
from workers.admin.facts import Facts, gather_facts, redis_facts
from workers.admin.findings import Finding, Wanted
from workers.runtime.errors import TransientError
from workers.runtime.settings import Settings

log = logging.getLogger(__name__)


class Unfit(Exception):
    """The servers will not do: see `findings`. Its text names each, with what to do."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        self.text = Text(
            "not started: " + "; ".join(f"{one.code}: {one.problem.en}; {one.advice.en}" for one in findings),
            "未启动：" + "；".join(f"{one.code}：{one.problem.zh}；{one.advice.zh}" for one in findings),
        )
        super().__init__(self.text.en)


def wanted_of(settings: Settings) -> Wanted:
    """What this installation asks of its servers."""
    return Wanted(orders=settings.expected_orders, partitions=settings.partitions, replication=settings.replication)


async def preflight(settings: Settings, redis: Redis) -> None:
    """Tell in the log what is not as it should be; raises Unfit where that is a reason not to start.

    Redis alone is waited for, some milliseconds, unless the settings are strict: then Kafka is, too. What is away
    cannot be judged; whoever needs it waits for it.
    """
    if settings.strict:
        _judge(settings, await gather_facts(redis, settings.cluster))
        return
    try:
        _judge(settings, Facts(redis=await redis_facts(redis)))
    except TransientError as error:
        log.warning("cannot tell whether Redis will do: %s", error)


def _judge(settings: Settings, facts: Facts) -> None:
    found = findings_of(facts, wanted_of(settings))
    for one in found:
        log.warning("%s: %s: %s", one.code, one.problem.en, one.advice.en)
    if refused := refuses(found, strict=settings.strict):
        raise Unfit(refused)


async def look_at_kafka(settings: Settings, redis: Redis) -> None:
    """What `preflight` left out, while the process works already. Never raises."""
    facts = await gather_facts(redis, settings.cluster)
    for one in findings_of(Facts(kafka=facts.kafka), wanted_of(settings)):
        log.warning("%s: %s: %s", one.code, one.problem.en, one.advice.en)


def begin_to_look_at_kafka(settings: Settings, redis: Redis) -> asyncio.Task[None] | None:
    """The same as a task, which is to be ended; None where it was done before."""
    if settings.strict:
        return None
    return asyncio.create_task(look_at_kafka(settings, redis), name="look at Kafka")
