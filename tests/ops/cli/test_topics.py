"""Making and listing topics, on a real broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from ops.testbed.local_stack.broker import Broker
from schemas.topics import TOPICS
from tests.kafka import put
from tests.ops.cli.conftest import PROJECT, Run, nobody_listens


@pytest.fixture
def kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A broker without a single topic, which the commands are told about."""
    monkeypatch.chdir(PROJECT)
    with Broker(tmp_path) as running:
        monkeypatch.setenv("ORDERFLEET_KAFKA", running.address)
        monkeypatch.setenv("ORDERFLEET_PARTITIONS", "3")
        yield running.address


def config_of(kafka: str, topic: str) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    admin = AdminClient({"bootstrap.servers": kafka})  # lives until it has answered
    [answer] = admin.describe_configs([resource]).values()
    return {name: entry.value for name, entry in answer.result(10).items()}


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_everything_the_fleet_needs_is_created(kafka: str, run: Run) -> None:
    result = run("topics", "create")

    assert result.exit_code == 0, result.output
    topics = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=10).topics
    for channel in ("taobao", "pinduoduo", "douyin", "jd", "woocommerce", "shopify"):
        assert f"orders.raw.{channel}" in topics
    assert "orders.routed.hangzhou" in topics
    assert {topic.name for topic in TOPICS if not topic.per} <= set(topics)
    assert {len(topic.partitions) for topic in topics.values()} == {3}
    assert config_of(kafka, "orders.raw.taobao") == {"max.message.bytes": "12582912", "retention.ms": "2592000000"}
    assert config_of(kafka, "channels.control")["cleanup.policy"] == "compact"
    assert "orders.planned  created" in result.stdout


def test_creating_again_changes_nothing(kafka: str, run: Run) -> None:
    run("topics", "create", "--warehouse", "hangzhou")
    result = run("topics", "create", "--warehouse", "hangzhou", "--json")

    assert result.exit_code == 0
    assert {line["outcome"] for line in lines(result.stdout)} == {"exists"}


def test_a_new_warehouse_needs_one_new_topic(kafka: str, run: Run) -> None:
    run("topics", "create", "-w", "hangzhou")
    result = run("topics", "create", "-w", "hangzhou", "-w", "chengdu", "--json")

    created = [line["name"] for line in lines(result.stdout) if line["outcome"] == "created"]
    assert created == ["orders.routed.chengdu"]


def test_a_dry_run_creates_nothing(kafka: str, run: Run) -> None:
    result = run("topics", "create", "--dry-run")

    assert result.exit_code == 0
    assert "orders.planned  would be created" in result.stdout
    assert AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=10).topics == {}


def set_retention(kafka: str, topic: str, value: str) -> None:
    entry = ConfigEntry("retention.ms", value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(10)


def test_other_settings_are_told_and_changed_only_when_asked(kafka: str, run: Run) -> None:
    run("topics", "create", "-w", "hangzhou")
    set_retention(kafka, "orders.planned", "1000")

    told = run("topics", "create", "-w", "hangzhou")
    assert "orders.planned: retention.ms is 1000, 2592000000 is wanted" in told.stderr
    assert config_of(kafka, "orders.planned")["retention.ms"] == "1000"

    changed = run("topics", "create", "-w", "hangzhou", "--apply-settings")
    assert "orders.planned  settings changed" in changed.stdout
    assert config_of(kafka, "orders.planned")["retention.ms"] == "2592000000"


def test_another_number_of_partitions_is_told_and_left_as_it_is(kafka: str, run: Run) -> None:
    run("topics", "create", "-w", "hangzhou")
    result = run("topics", "create", "-w", "hangzhou", "--partitions", "6", "--apply-settings")

    assert result.exit_code == 0
    assert "orders.planned has 3 partitions, 6 are wanted" in result.stderr
    assert run("topics", "list", "-w", "hangzhou").exit_code == 0


def test_the_list_tells_what_each_topic_carries_and_holds(kafka: str, run: Run) -> None:
    run("topics", "create", "-w", "hangzhou")
    put(kafka, "orders.raw.taobao", [(b"taobao:main:%d" % n, b"{}") for n in range(1)])
    result = run("topics", "list", "-w", "hangzhou", "--json")

    assert result.exit_code == 0
    found = {str(line["name"]): line for line in lines(result.stdout)}
    assert found["orders.raw.taobao"] == {
        "name": "orders.raw.taobao",
        "missing": False,
        "carries": "platform bytes",
        "partitions": 3,
        "replication": 1,
        "records": 1,
        "retention_seconds": 30 * 86400,
        "differs": {},
    }
    assert found["orders.routed.hangzhou"]["carries"] == "FulfillmentInstruction"
    assert found["channels.control"]["retention_seconds"] is None


def test_missing_topics_are_told_with_the_way_to_make_them(kafka: str, run: Run) -> None:
    result = run("topics", "list", "-w", "hangzhou")

    assert result.exit_code == 1
    assert "missing" in result.stdout
    assert "orderfleet topics create" in result.stderr


def test_the_list_speaks_chinese(chinese: None, kafka: str, run: Run) -> None:
    result = run("topics", "list", "-w", "hangzhou")

    assert "缺少" in result.stdout
    assert "请执行：orderfleet topics create" in result.stderr


def test_kafka_away_is_said_with_its_address(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    address = nobody_listens()
    monkeypatch.setenv("ORDERFLEET_KAFKA", address)
    result = run("topics", "create", "-w", "hangzhou")

    assert result.exit_code == 3
    assert address in result.stderr


def test_a_warehouse_that_could_be_no_topic_is_refused(run: Run) -> None:
    result = run("topics", "create", "-w", "Hang Zhou")

    assert result.exit_code == 2
    assert "small letters, digits and hyphens" in result.stderr


def test_rules_that_cannot_be_read_are_told_with_the_way_around(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERFLEET_RULES_FILE", "/no/such/rules.yaml")
    result = run("topics", "create")

    assert result.exit_code == 2
    assert "--warehouse" in result.stderr


def test_what_kafka_refuses_is_told_with_its_words(kafka: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> list[str]:
        raise KafkaException(KafkaError(KafkaError.INVALID_REPLICATION_FACTOR, "replication factor 3 with 1 broker"))

    monkeypatch.setattr("workers.admin.topics.create_topics", refuse)
    result = run("topics", "create", "-w", "hangzhou", "--replication", "3")

    assert result.exit_code == 1
    assert "replication factor 3 with 1 broker" in result.stderr
    assert "check --replication" in result.stderr
