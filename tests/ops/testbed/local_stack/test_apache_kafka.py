"""A broker of ours keeps what it confirmed through stops and crashes, and a cluster outlives one of its nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.testbed.local_stack.apache_kafka import ApacheKafka
from ops.testbed.local_stack.kafka_jars import kafka_jars
from tests.kafka import TopicReader, create_topics, put


def values(address: str, count: int) -> list[bytes]:
    reader = TopicReader(address, ["kept"], partitions=1)
    found = reader.until(lambda messages: len(messages) >= count)
    reader.close()
    return [message.value() or b"" for message in found]


def test_one_node_keeps_what_it_confirmed_through_a_stop_and_a_crash(tmp_path: Path, jars: Path) -> None:
    with ApacheKafka(tmp_path, jars=jars) as kafka:
        [node] = kafka.nodes
        assert kafka.address == f"127.0.0.1:{node.port}"
        create_topics(kafka.address, ["kept"], partitions=1)
        put(kafka.address, "kept", [(b"k", b"first")])
        node.stop()
        assert not node.running
        node.start()
        put(kafka.address, "kept", [(b"k", b"second")])
        node.kill()
        assert not node.up()
        node.start()
        assert values(kafka.address, 2) == [b"first", b"second"]
    assert not node.running


def test_a_cluster_of_three_takes_and_gives_records_while_one_node_is_dead(tmp_path: Path, jars: Path) -> None:
    with ApacheKafka(tmp_path, nodes=3, jars=jars) as kafka:
        assert (len(kafka.address.split(",")), kafka.replication) == (3, 3)
        create_topics(kafka.address, ["kept"], partitions=1, replication=3)
        put(kafka.address, "kept", [(b"k", b"before")])
        kafka.nodes[0].kill()
        put(kafka.address, "kept", [(b"k", b"while")])
        assert values(kafka.address, 2) == [b"before", b"while"]
    assert not any(node.running for node in kafka.nodes)


def test_a_machine_without_maven_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="install maven"):
        kafka_jars(tmp_path / "jars")
