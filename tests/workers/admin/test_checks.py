"""What is found wrong with servers, one thing at a time, and nothing where all is well."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.record import changed
from schemas.topics import TOPICS, Topic
from workers.admin.checks import findings_of, refuses
from workers.admin.facts import Facts, KafkaFacts, RedisFacts, TopicFacts
from workers.admin.findings import Severity, Wanted
from workers.admin.redis_checks import epoch_finding

WANTED = Wanted(orders=100_000, partitions=24, replication=3)
REDIS = RedisFacts(
    version="7.0.15",
    mode="standalone",
    role="master",
    append_only=True,
    append_fsync="always",
    writes_its_disk=True,
    used_memory=100 << 20,
    max_memory=2 << 30,
    machine_memory=16 << 30,
    eviction_policy="noeviction",
    seconds_ahead=0.01,
)


def topic_facts(topic: Topic) -> TopicFacts:
    forever = topic.compacted or topic.retention.days > 10_000
    settings = {
        "retention.ms": "-1" if forever else str(int(topic.retention.total_seconds() * 1000)),
        "retention.bytes": "-1",
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "max.message.bytes": str(topic.max_message_bytes),
        "min.insync.replicas": "2",
        "unclean.leader.election.enable": "false",
    }
    name = topic.of("hangzhou") if topic.per else topic.name
    return TopicFacts(name=name, family=topic.base, partitions=24, replication=3, settings=settings)


KAFKA = KafkaFacts(brokers=3, topics=tuple(topic_facts(topic) for topic in TOPICS))


def codes(redis: RedisFacts | None = REDIS, kafka: KafkaFacts | None = KAFKA) -> list[str]:
    return [one.code for one in findings_of(Facts(redis=redis, kafka=kafka), WANTED)]


def test_nothing_is_found_where_all_is_well() -> None:
    assert codes() == []


def test_a_server_that_is_away_is_not_judged() -> None:
    assert codes(None, None) == []


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("redis-cluster", {"mode": "cluster"}),
        ("redis-sentinel", {"mode": "sentinel"}),
        ("redis-version", {"version": "6.0.16"}),
        ("redis-replica", {"role": "slave"}),
        ("redis-aof-off", {"append_only": False}),
        ("redis-fsync", {"append_fsync": "everysec"}),
        ("redis-fsync", {"append_fsync": "no"}),
        ("redis-disk", {"writes_its_disk": False}),
        ("redis-evicts", {"eviction_policy": "allkeys-lru"}),
        ("redis-memory", {"max_memory": 300 << 20}),
        ("redis-memory", {"max_memory": 0, "machine_memory": 256 << 20}),
        ("clock-skew", {"seconds_ahead": -3.0}),
    ],
)
def test_each_thing_about_redis_is_found_alone(code: str, change: dict[str, Any]) -> None:
    assert codes(changed(REDIS, **change)) == [code]


@pytest.mark.parametrize(
    "change",
    [
        {"version": "6.2.14"},
        {"version": "9.1.2"},
        {"version": "unstable"},  # one that does not say its number
        {"append_fsync": ""},  # a managed one that does not let anybody ask
        {"max_memory": 0, "eviction_policy": "allkeys-lru"},  # it evicts nothing without a limit
    ],
)
def test_what_will_do_is_left_alone(change: dict[str, Any]) -> None:
    assert codes(changed(REDIS, **change)) == []


@pytest.mark.parametrize(
    ("code", "setting"),
    [
        ("retention", {"retention.ms": "86400000"}),
        ("retention-bytes", {"retention.bytes": "1000000"}),
        ("cleanup-policy", {"cleanup.policy": "compact,delete"}),
        ("message-size", {"max.message.bytes": "1000"}),
        ("min-insync", {"min.insync.replicas": "1"}),
        ("unclean-election", {"unclean.leader.election.enable": "true"}),
    ],
)
def test_each_setting_of_a_topic_is_found_alone(code: str, setting: dict[str, str]) -> None:
    planned, *_ = (one for one in KAFKA.topics if one.family == "orders.planned")
    other = changed(planned, settings=planned.settings | setting)
    kafka = changed(KAFKA, topics=tuple(other if one is planned else one for one in KAFKA.topics))
    [found] = findings_of(Facts(redis=REDIS, kafka=kafka), WANTED)
    assert found.code == code
    assert "orders.planned" in found.problem.en
    assert "orders.planned" in found.problem.zh


@pytest.mark.parametrize(("code", "change"), [("partitions", {"partitions": 12}), ("replication", {"replication": 1})])
def test_what_differs_between_topics_is_found(code: str, change: dict[str, int]) -> None:
    kafka = changed(KAFKA, topics=(changed(KAFKA.topics[0], **change), *KAFKA.topics[1:]))
    assert codes(kafka=kafka) == [code]


def test_one_broker_can_keep_but_one_copy() -> None:
    wanted = Wanted(orders=1, partitions=24, replication=1)
    alone = changed(KAFKA, brokers=1, topics=tuple(changed(one, replication=1) for one in KAFKA.topics))
    assert findings_of(Facts(redis=REDIS, kafka=alone), wanted) == []


def test_missing_topics_are_named_but_those_that_only_some_installations_need() -> None:
    kafka = changed(KAFKA, topics=tuple(one for one in KAFKA.topics if one.family != "inventory.epochs"))
    assert codes(kafka=kafka) == ["topics-missing"]
    kafka = changed(KAFKA, topics=tuple(one for one in KAFKA.topics if one.family != "orders.tagged"))
    assert codes(kafka=kafka) == []


def test_strict_refuses_what_otherwise_warns() -> None:
    found = findings_of(Facts(redis=changed(REDIS, append_only=False, version="5.0")), WANTED)
    assert [one.code for one in refuses(found, strict=False)] == ["redis-version"]
    assert len(refuses(found, strict=True)) == 2


@pytest.mark.parametrize(
    ("kafka", "redis", "events", "found"),
    [
        ("", "", False, False),  # nothing was ever done
        ("a", "a", True, False),
        ("", "a", True, False),  # Kafka learns of it at the next start
        ("a", "", True, True),
        ("a", "b", True, True),
        ("", "", True, True),
    ],
)
def test_an_emptied_redis_is_a_reason_to_refuse(kafka: str, redis: str, events: bool, found: bool) -> None:
    finding = epoch_finding(kafka, redis, events)
    assert (finding is not None) == found
    if finding is not None:
        assert finding.severity is Severity.REFUSES
