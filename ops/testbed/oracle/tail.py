"""Reads whole topics from their beginning, outside of any group, for the books."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from ops.testbed.oracle.accounts import Books
from schemas.namespace import unprefixed
from workers.runtime.kafka.librdkafka import Partition, Reader
from workers.runtime.wire import DEDUPE_HEADER


class TopicTail:
    """Reads all partitions of its topics."""

    def __init__(self, address: str, topics: Sequence[str], partitions: int) -> None:
        self._reader = Reader(
            {
                "bootstrap.servers": address,
                "group.id": "orderfleet-books",
                "fetch.wait.max.ms": 100,
                "socket.timeout.ms": 3000,
                "reconnect.backoff.ms": 20,
                "reconnect.backoff.max.ms": 200,
                "log_level": 0,
            }
        )
        self._address = address
        self._parts = [(name, number) for name in topics for number in range(partitions)]
        self._reader.assign(self._parts)

    @property
    def positions(self) -> dict[Partition, int]:
        """The next offset to read in each partition of which anything was heard."""
        return self._reader.positions

    def read(self, seconds: float, most: int = 5000) -> list[Message]:
        """What came in; waits at most so long for the first of it."""
        return [message for message in self._reader.read(most, seconds) if message.error() is None]

    def ends(self, seconds: float = 2.0) -> dict[tuple[str, int], int]:
        """Where each partition ends now, as its broker says. Raises KafkaException when one does not say.

        A client that has asked before goes on asking for the leader it knows, for minutes after there is another.
        """
        asked = {TopicPartition(*each): OffsetSpec.latest() for each in self._parts}
        admin = AdminClient({"bootstrap.servers": self._address, "socket.timeout.ms": 3000, "log_level": 0})
        told = admin.list_offsets(asked, request_timeout=seconds)
        return {(each.topic, each.partition): future.result(seconds).offset for each, future in told.items()}

    def read_into(self, books: Books, seconds: float) -> int:
        """Enter what came in into the books. How many records that were."""
        messages = self.read(seconds)
        for message in messages:
            enter(books, message)
        return len(messages)

    def close(self) -> None:
        """Let go of the broker."""
        self._reader.close()


def enter(books: Books, message: Message) -> None:
    """One record into the books."""
    headers = dict(message.headers() or ())
    dedupe = (headers.get(DEDUPE_HEADER) or b"").decode()
    books.add(unprefixed(message.topic() or ""), (message.key() or b"").decode(), dedupe, message.value() or b"")
