"""Records as Kafka hands them out, for tests of the book without a broker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.record import encode
from schemas.topics import Topic
from tests.builders import NOON

PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Message:
    """What of a confluent_kafka.Message the book asks for."""

    of: str
    number: int
    place: int
    payload: bytes
    at: datetime = NOON
    key: str = ""

    def topic(self) -> str:
        return self.of

    def partition(self) -> int:
        return self.number

    def offset(self) -> int:
        return self.place

    def timestamp(self) -> tuple[int, int]:
        return 1, int(self.at.timestamp() * 1000)

    def value(self) -> bytes:
        return self.payload


class Topics:
    """Gives each record its place, as a producer does: of one key in one partition, in their order."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._ends: dict[tuple[str, int], int] = {}

    def add(self, topic: Topic, key: str, value: Any, at: datetime = NOON, member: str = "") -> None:
        """`value`: a record, or bytes as they are."""
        name = topic.of(member) if member else topic.name
        number = sum(key.encode()) % PARTITIONS
        place = self._ends.get((name, number), 0)
        self._ends[name, number] = place + 1
        payload = value if isinstance(value, bytes) else encode(value)
        self.messages.append(Message(name, number, place, payload, at, key))

    def by_partition(self) -> Iterable[list[Message]]:
        """The records of each partition, ascending."""
        found: dict[tuple[str, int], list[Message]] = {}
        for message in self.messages:
            found.setdefault((message.of, message.number), []).append(message)
        return found.values()
