"""Whether Kafka's topics will do. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from schemas.text import Text
from schemas.topics import FOREVER, TOPICS, Topic
from workers.admin.facts import KafkaFacts, TopicFacts
from workers.admin.findings import Finding, Severity, Wanted


def kafka_findings(facts: KafkaFacts, wanted: Wanted) -> Iterator[Finding]:
    """All that is not as it should be: what is missing, how long it is kept, its partitions, its copies."""
    by_family: dict[str, list[TopicFacts]] = {}
    for one in facts.topics:
        by_family.setdefault(one.family, []).append(one)
    missing = [str(topic) for topic in TOPICS if topic.base not in by_family and not topic.handover]
    if missing:
        yield _topics(
            "topics-missing",
            Text("there is no topic", "缺少主题"),
            missing,
            Text("orderfleet topics create", "请执行 orderfleet topics create"),
        )
    yield from _kept(by_family)
    yield from _partitions(facts, wanted)
    yield from _copies(facts, wanted)


_APPLY: Final = Text("orderfleet topics create --apply-settings", "请执行 orderfleet topics create --apply-settings")
_SETTINGS: Final[tuple[tuple[str, Callable[[Mapping[str, str], Topic], bool], Text, Text], ...]] = (
    (
        "retention",
        lambda settings, topic: not topic.compacted and _ends_before(settings.get("retention.ms", ""), topic),
        Text("is kept for too short a time", "保留时间过短"),
        _APPLY,
    ),
    (
        "retention-bytes",
        lambda settings, _topic: int(settings.get("retention.bytes") or -1) >= 0,
        Text("is cut by size (retention.bytes), whatever its age", "按大小截断（retention.bytes），与时间无关"),
        Text("set retention.bytes to -1", "请将 retention.bytes 设为 -1"),
    ),
    (
        "cleanup-policy",
        lambda settings, topic: settings.get("cleanup.policy", "") not in ("", _policy(topic)),
        Text("has another cleanup.policy than it needs", "的 cleanup.policy 不符合要求"),
        _APPLY,
    ),
    (
        "message-size",
        lambda settings, topic: 0 < int(settings.get("max.message.bytes") or 0) < topic.max_message_bytes,
        Text("takes smaller messages than may come", "允许的消息过小"),
        _APPLY,
    ),
)
"""Code, whether it is so of a topic's settings, what is so, and what to do."""


def _kept(by_family: Mapping[str, Sequence[TopicFacts]]) -> Iterator[Finding]:
    """Retention, compaction and sizes."""
    rows = [(one, topic) for topic in TOPICS for one in by_family.get(topic.base, ())]
    for code, is_so, what, advice in _SETTINGS:
        names = [one.name for one, topic in rows if is_so(one.settings, topic)]
        if names:
            yield _topics(code, what, names, advice)


def _policy(topic: Topic) -> str:
    return "compact" if topic.compacted else "delete"


def _ends_before(retention_ms: str, topic: Topic) -> bool:
    if not retention_ms or int(retention_ms) < 0:
        return False
    return topic.retention == FOREVER or int(retention_ms) < topic.retention.total_seconds() * 1000


def _partitions(facts: KafkaFacts, wanted: Wanted) -> Iterator[Finding]:
    differ = len({one.partitions for one in facts.topics}) > 1
    other = [f"{one.name} ({one.partitions})" for one in facts.topics if one.partitions != wanted.partitions]
    if other:
        how = Text(
            f"has not the {wanted.partitions} partitions of the setting{'; they differ' if differ else ''}",
            f"的分区数不是配置的 {wanted.partitions}{'，且彼此不同' if differ else ''}",
        )
        advice = Text(
            "set ORDERFLEET_PARTITIONS to what is there; more partitions would move orders out of their order",
            "请将 ORDERFLEET_PARTITIONS 改为实际值；增加分区会使订单乱序",
        )
        yield _topics("partitions", how, other, advice)


def _copies(facts: KafkaFacts, wanted: Wanted) -> Iterator[Finding]:
    least = wanted.replication if wanted.replication > 1 else min(3, facts.brokers)
    few = [one.name for one in facts.topics if one.replication < least]
    if few:
        what = Text(
            f"has fewer than {least} copies on {facts.brokers} brokers: what it holds is lost with a disk",
            f"的副本数少于 {least}（共 {facts.brokers} 个节点）：磁盘损坏会丢失数据",
        )
        advice = Text(
            "set ORDERFLEET_REPLICATION, and add copies with kafka-reassign-partitions.sh",
            "请设置 ORDERFLEET_REPLICATION，并用 kafka-reassign-partitions.sh 增加副本",
        )
        yield _topics("replication", what, few, advice)
    copied = [one for one in facts.topics if one.replication > 1]
    alone = [one.name for one in copied if one.settings.get("min.insync.replicas", "2") in ("0", "1")]
    if alone:
        what = Text(
            "counts as written when one broker has it (min.insync.replicas 1)",
            "只需一个节点写入即视为成功（min.insync.replicas 为 1）",
        )
        advice = Text("set min.insync.replicas to 2 on these topics", "请将这些主题的 min.insync.replicas 设为 2")
        yield _topics("min-insync", what, alone, advice)
    unclean = [one.name for one in copied if one.settings.get("unclean.leader.election.enable") == "true"]
    if unclean:
        what = Text(
            "may be led by a broker that lacks its last records (unclean leader election)",
            "可能由缺少最新数据的节点担任主副本（unclean leader election）",
        )
        advice = Text(
            "set unclean.leader.election.enable to false on these topics",
            "请将这些主题的 unclean.leader.election.enable 设为 false",
        )
        yield _topics("unclean-election", what, unclean, advice)


def _topics(code: str, what: Text, names: Sequence[str], advice: Text) -> Finding:
    shown = ", ".join(names[:3]) + (f" +{len(names) - 3}" if len(names) > 3 else "")
    problem = Text(f"{what.en}: {shown}", f"{what.zh}：{shown}")
    return Finding(code=code, server="kafka", severity=Severity.WARNS, problem=problem, advice=advice)
