"""`orderfleet doctor` on real servers, and what a worker does about what it finds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.redis_server import RedisServer
from schemas.namespace import use_prefix
from tests.kafka import unique
from tests.ops.cli.conftest import Program, Run, nobody_listens
from tests.redis_servers import SERVERS, cluster_node, executable_of
from workers.runtime.kafka.topics import create_topics, wanted_topics
from workers.runtime.redis.epoch import epoch_key


@pytest.fixture
def servers(broker: Broker, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Servers with the topics of a fleet of its own."""
    prefix = unique("doctor")[:29].rstrip("-")
    monkeypatch.setenv("ORDERFLEET_PREFIX", prefix)
    monkeypatch.setenv("ORDERFLEET_KAFKA", broker.address)
    monkeypatch.setenv("ORDERFLEET_PARTITIONS", "1")
    use_prefix(prefix)
    wanted = wanted_topics(channels=["taobao"], warehouses=["hangzhou"], partitions=1, replication=1)
    create_topics(broker.address, wanted)
    with Redis.from_url(redis_url) as client:
        client.set(epoch_key(), "x")
    return redis_url


@pytest.fixture(autouse=True)
def no_prefix_is_left() -> Iterator[None]:
    yield
    use_prefix("")


def codes(run: Run) -> tuple[int, list[str]]:
    result = run("doctor", "--json")
    assert result.stdout, result.stderr
    return result.exit_code, [one["code"] for one in json.loads(result.stdout)["findings"]]


def test_findings_warn_unless_strict(servers: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert codes(run) == (0, ["redis-aof-off"])
    table = run("doctor").stdout
    assert "appendonly yes" in table
    monkeypatch.setenv("ORDERFLEET_STRICT", "true")
    assert codes(run) == (1, ["redis-aof-off"])


def test_what_was_mended_is_found_no_more(
    broker: Broker, servers: str, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with RedisServer(tmp_path, append_only=True, options=("--appendfsync", "always")) as redis:
        monkeypatch.setenv("ORDERFLEET_REDIS_URL", redis.url)
        monkeypatch.setenv("ORDERFLEET_STRICT", "true")
        assert codes(run) == (0, [])
        with Redis.from_url(redis.url) as client:
            client.config_set("maxmemory", "100mb")
            client.config_set("maxmemory-policy", "allkeys-lru")
        monkeypatch.setenv("ORDERFLEET_EXPECTED_ORDERS", "1000000")
        assert codes(run) == (1, ["redis-evicts", "redis-memory"])


@pytest.mark.parametrize("name", SERVERS)
def test_a_cluster_is_refused_by_name_on_every_server(
    servers: str, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    with cluster_node(tmp_path, executable_of(name)) as redis:
        monkeypatch.setenv("ORDERFLEET_REDIS_URL", redis.url)
        code, found = codes(run)
    assert (code, "redis-cluster" in found) == (1, True)


def test_servers_that_are_away_are_named(servers: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERFLEET_REDIS_URL", f"redis://{nobody_listens()}/0")
    result = run("doctor")
    assert result.exit_code == 3
    assert "redis does not answer" in result.stderr


def test_a_strict_worker_says_why_it_does_not_start(servers: str, broker: Broker, program: Program) -> None:
    settings = {"ORDERFLEET_KAFKA": broker.address, "ORDERFLEET_REDIS_URL": servers, "ORDERFLEET_STRICT": "true"}
    done = program("worker", "--stages", "relay", **settings)
    assert done.returncode == 1
    assert b"redis-aof-off" in done.stderr
    assert b"appendonly yes" in done.stderr
