"""Whether Redis will do. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.text import Text
from workers.admin.facts import RedisFacts
from workers.admin.findings import Finding, Severity, Wanted
from workers.runtime.redis.epoch import EpochLost

OLDEST_REDIS: Final = (6, 2)
MOST_SKEW_SECONDS: Final = 1.0
BYTES_PER_ORDER: Final = 2_500
"""Of Redis's memory, for an order that it remembers: reserved, with two lines, it takes 1,450 (Valkey 9) to 1,930
(Redis 6.2); what warehouses answer comes to that."""

_FULL_FROM: Final = 0.9


def redis_findings(facts: RedisFacts, wanted: Wanted) -> Iterator[Finding]:
    """All that is not as it should be."""
    yield from _kind(facts)
    if facts.mode == "sentinel":
        return
    yield from _server(facts)
    yield from _durable(facts)
    yield from _room(facts, wanted)
    yield from _clock(facts)


def _kind(facts: RedisFacts) -> Iterator[Finding]:
    if facts.mode == "cluster":
        yield _finding(
            "redis-cluster",
            Severity.REFUSES,
            Text(
                "this is a node of a Redis Cluster: an order's changes would lie on several nodes, and one client "
                "cannot write them together",
                "这是 Redis Cluster 的节点：一个订单的数据会分布在多个节点上，无法原子写入",
            ),
            Text(
                "let ORDERFLEET_REDIS_URL lead to a Redis with cluster-enabled no",
                "请让 ORDERFLEET_REDIS_URL 指向 cluster-enabled no 的 Redis",
            ),
        )
    if facts.mode == "sentinel":
        yield _finding(
            "redis-sentinel",
            Severity.REFUSES,
            Text("this is a Sentinel, which keeps no data", "这是 Sentinel，不存放数据"),
            Text(
                "let ORDERFLEET_REDIS_URL lead to the primary itself, or to a proxy or a name that follows it",
                "请让 ORDERFLEET_REDIS_URL 指向主节点，或跟随主节点的代理或域名",
            ),
        )


def _server(facts: RedisFacts) -> Iterator[Finding]:
    if _version(facts.version) < OLDEST_REDIS:
        yield _finding(
            "redis-version",
            Severity.REFUSES,
            Text(f"Redis {facts.version} lacks commands that are needed", f"Redis {facts.version} 缺少所需的命令"),
            Text("install Redis 6.2 or newer, or Valkey", "请安装 Redis 6.2 或更新版本，或 Valkey"),
        )
    if facts.role not in ("master", ""):
        yield _finding(
            "redis-replica",
            Severity.WARNS,
            Text("this is a replica: it refuses every change", "这是只读副本：会拒绝所有修改"),
            Text("let ORDERFLEET_REDIS_URL lead to the primary", "请让 ORDERFLEET_REDIS_URL 指向主节点"),
        )


def _clock(facts: RedisFacts) -> Iterator[Finding]:
    if abs(facts.seconds_ahead) > MOST_SKEW_SECONDS:
        yield _finding(
            "clock-skew",
            Severity.WARNS,
            Text(
                f"the clocks of Redis and of this machine are {abs(facts.seconds_ahead):.1f} s apart: payment "
                "deadlines and counts would be taken at the wrong time",
                f"Redis 与本机的时钟相差 {abs(facts.seconds_ahead):.1f} 秒：付款期限和盘点时间会出错",
            ),
            Text("run NTP on both", "请在两台机器上启用 NTP"),
        )


def _durable(facts: RedisFacts) -> Iterator[Finding]:
    if not facts.append_only:
        yield _finding(
            "redis-aof-off",
            Severity.WARNS,
            Text(
                "its append-only file is off: after a restart the stock is gone, or as old as the last snapshot",
                "未开启 AOF：重启后库存会丢失，或退回到上次快照",
            ),
            Text(
                "redis-cli CONFIG SET appendonly yes, and appendonly yes in its configuration",
                "请执行 redis-cli CONFIG SET appendonly yes，并在配置文件中设置 appendonly yes",
            ),
        )
    elif facts.append_fsync not in ("always", ""):
        lost = "up to a second of changes" if facts.append_fsync == "everysec" else "up to half a minute of changes"
        gone = "最多一秒的变更" if facts.append_fsync == "everysec" else "最多半分钟的变更"
        yield _finding(
            "redis-fsync",
            Severity.WARNS,
            Text(
                f"appendfsync is {facts.append_fsync}: {lost} are lost with the machine's power",
                f"appendfsync 为 {facts.append_fsync}：断电会丢失{gone}",
            ),
            Text(
                "set appendfsync always: batches keep it fast (ops/docs/decisions/0006)",
                "请设置 appendfsync always：批量写入保证其速度（ops/docs/decisions/0006）",
            ),
        )
    if not facts.writes_its_disk:
        yield _finding(
            "redis-disk",
            Severity.WARNS,
            Text("it could not write its file the last time: it may refuse changes", "最近一次写盘失败：可能拒绝修改"),
            Text("see its log, make room on its disk", "请查看其日志并清理磁盘空间"),
        )


def _room(facts: RedisFacts, wanted: Wanted) -> Iterator[Finding]:
    if facts.max_memory and facts.eviction_policy not in ("noeviction", ""):
        yield _finding(
            "redis-evicts",
            Severity.WARNS,
            Text(
                f"maxmemory-policy is {facts.eviction_policy}: when it is full it forgets stock and orders in silence",
                f"maxmemory-policy 为 {facts.eviction_policy}：内存满时会悄悄丢弃库存和订单数据",
            ),
            Text(
                "redis-cli CONFIG SET maxmemory-policy noeviction, and the same in its configuration",
                "请执行 redis-cli CONFIG SET maxmemory-policy noeviction，并写入配置文件",
            ),
        )
    limit = facts.max_memory or facts.machine_memory
    needed = wanted.orders * BYTES_PER_ORDER
    if limit and facts.used_memory + needed > _FULL_FROM * limit:
        holds = max(0, int(_FULL_FROM * limit) - facts.used_memory) // BYTES_PER_ORDER
        yield _finding(
            "redis-memory",
            Severity.WARNS,
            Text(
                f"of {_size(limit)}, {_size(facts.used_memory)} are in use: there is room for {holds:,} more orders, "
                f"{wanted.orders:,} are expected",
                f"共 {_size(limit)}，已用 {_size(facts.used_memory)}：还可容纳约 {holds:,} 个订单，"
                f"预计 {wanted.orders:,} 个",
            ),
            Text(
                "give it more memory (maxmemory), or correct ORDERFLEET_EXPECTED_ORDERS",
                "请增大内存（maxmemory），或修改 ORDERFLEET_EXPECTED_ORDERS",
            ),
        )


def _version(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(".")[:2] if part.isdigit()]
    return tuple(numbers) if numbers else OLDEST_REDIS  # one that does not say is not judged by it


def _size(size: int) -> str:
    return f"{size / (1 << 30):.1f} GB" if size >= 1 << 30 else f"{size >> 20} MB"


def epoch_finding(in_kafka: str, in_redis: str, has_events: bool) -> Finding | None:
    """Whether Redis is the one that Kafka tells of; "" = it has no epoch. `has_events`: of stock, in Kafka."""
    nothing_is_known = not in_kafka and (in_redis or not has_events)
    if nothing_is_known or (in_redis and in_redis == in_kafka):
        return None
    advice = EpochLost.of(in_redis).advice
    assert advice is not None
    problem = (
        Text("its epoch is another than Kafka's", "纪元编号与 Kafka 不一致")
        if in_redis
        else Text("it lacks the epoch that Kafka knows", "缺少 Kafka 所记录的纪元编号")
    )
    return _finding("redis-emptied", Severity.REFUSES, problem, advice)


def _finding(code: str, severity: Severity, problem: Text, advice: Text) -> Finding:
    return Finding(code=code, server="redis", severity=severity, problem=problem, advice=advice)
