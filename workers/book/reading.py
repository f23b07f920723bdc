"""What the book reads, in Kafka: which partitions there are, and how far they go. For commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import KafkaException

from workers.book.projections import PROJECTIONS
from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Cluster
from workers.runtime.kafka.librdkafka import Reader
from workers.runtime.stage import Partition
from workers.runtime.table import group_id

_ANSWER_SECONDS: Final = 5.0


@contextmanager
def opened_reader(cluster: Cluster) -> Iterator[Reader]:
    """A fast reader, in no group. What Kafka says inside becomes a TransientError."""
    settings: dict[str, Any] = {
        **cluster.for_librdkafka(),
        "group.id": group_id("cli"),  # demanded by the library; with assign() no group is joined
        "allow.auto.create.topics": False,
        "fetch.wait.max.ms": 20,
        "queued.max.messages.kbytes": 64 << 10,
        "log_level": 0,
    }
    reader = Reader(settings)
    try:
        yield reader
    except KafkaException as error:
        raise TransientError(f"Kafka: {error.args[0].str()}") from error
    finally:
        reader.close()


def ends_of_topics(reader: Reader) -> Mapping[Partition, int]:
    """One past the last record of each partition that the book reads. Raises KafkaException."""
    found = [
        (name, number)
        for name, count in reader.partitions(_ANSWER_SECONDS).items()
        if any(topic.holds(name) for topic in PROJECTIONS)
        for number in range(count)
    ]
    return reader.ends(found, _ANSWER_SECONDS)
