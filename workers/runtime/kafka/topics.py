"""The topics an installation needs, and making those that are missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.topics import FOREVER, ORDERS_RAW, ORDERS_ROUTED, TOPICS, Topic
from workers.runtime.kafka.cluster import Cluster, Kafka


def admin_of(kafka: Kafka) -> AdminClient:
    """A client that asks about a cluster, and keeps to itself what it does not get through with."""
    return AdminClient({**Cluster.of(kafka).for_librdkafka(), "log_level": 0})


def wanted_topics(
    *, channels: Sequence[str], warehouses: Sequence[str], partitions: int, replication: int
) -> list[NewTopic]:
    """Every topic of the fleet: one raw topic per channel, one routed topic per warehouse, one of each other."""
    members = {ORDERS_RAW.name: channels, ORDERS_ROUTED.name: warehouses}
    return [
        NewTopic(name, partitions, replication, config=topic_config(topic))
        for topic in TOPICS
        for name in ([topic.of(member) for member in members[topic.name]] if topic.per else [topic.name])
    ]


def topic_config(topic: Topic) -> dict[str, str]:
    """What the broker must know about a topic."""
    config = {"max.message.bytes": str(topic.max_message_bytes)}
    if topic.compacted:
        config["cleanup.policy"] = "compact"
    forever = topic.retention == FOREVER
    config["retention.ms"] = "-1" if forever else str(topic.retention // timedelta(milliseconds=1))
    return config


def create_topics(kafka: str | AdminClient, wanted: Iterable[NewTopic], seconds: float = 30) -> list[str]:
    """Create those that are missing. The names of the new ones. Raises KafkaException."""
    topics = list(wanted)
    if not topics:
        return []
    admin = kafka if isinstance(kafka, AdminClient) else AdminClient({"bootstrap.servers": kafka, "log_level": 2})
    made = []
    for name, future in admin.create_topics(topics, request_timeout=seconds).items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        else:
            made.append(name)
    return made
