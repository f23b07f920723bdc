"""Between records and messages: decoding what a stage reads, encoding what it writes, and the dead letter."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final

from pydantic import ValidationError

from schemas.dead_letter import DeadLetter, Failure
from schemas.record import encode, reader
from schemas.topics import Topic
from workers.runtime.errors import PermanentError
from workers.runtime.records import Record
from workers.runtime.stage import Delivery

DEDUPE_HEADER: Final = "dedupe-key"
"""Carried by every record we write: the same value under the same key means the same effect, once."""


class Decoder:
    """From raw records to deliveries of one topic's model."""

    def __init__(self, topic: Topic) -> None:
        self._read: Callable[[bytes], Any] = bytes if topic.model is None else reader(topic.model)

    def __call__(self, record: Any) -> Delivery[Any] | PermanentError:
        """One aiokafka ConsumerRecord. A record that does not fit its model becomes a PermanentError."""
        try:
            value = self._read(record.value or b"")
        except ValidationError as error:
            return PermanentError("unreadable", [_failure(detail) for detail in _details(error)])
        return delivery(record, value)


def delivery(record: Any, value: Any) -> Delivery[Any]:
    """What a stage sees of a ConsumerRecord."""
    return Delivery(
        value,
        key=record.key or b"",
        headers=record.headers,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
    )


def _details(error: ValidationError) -> Sequence[Any]:
    return error.errors(include_url=False, include_context=False, include_input=False)[:5]


def _failure(detail: Any) -> Failure:
    return Failure(attempt="decode", where=".".join(str(part) for part in detail["loc"]), problem=detail["type"])


class Encoder:
    """From events to records, for the topics one stage may write. The event's type names the topic."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._routes = {topic.model: _Route(topic) for topic in topics}

    def writes(self, event: Any) -> bool:
        """Whether this event leaves the stage for a topic; otherwise it is handed to the next stage."""
        return type(event) in self._routes

    def __call__(self, event: Any) -> Record:
        """The record of one event: its topic, key, wire form, and the header that tells a repeat."""
        return self._routes[type(event)].record(event)


class _Route:
    __slots__ = ("_identity", "_key", "_member", "_name")

    def __init__(self, topic: Topic) -> None:
        self._name = topic.name
        self._key = attrgetter(topic.key)
        self._identity = attrgetter(topic.identity)
        self._member = attrgetter(topic.per) if topic.per else None

    def topic(self, event: Any) -> str:
        return self._name if self._member is None else f"{self._name}.{self._member(event)}"

    def record(self, event: Any) -> Record:
        identity = self._identity(event).encode()
        return Record(self.topic(event), self._key(event).encode(), encode(event), [(DEDUPE_HEADER, identity)])


def dead_letter(record: Any, stage: str, error: PermanentError) -> DeadLetter:
    """The letter that keeps a record whole. Deterministic: the same record gives the same letter."""
    headers = {name: value.decode(errors="replace") for name, value in record.headers}
    return DeadLetter(
        letter_id=f"{record.topic}/{record.partition}/{record.offset}",
        stage=stage,
        reason=error.reason,
        failures=error.failures,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=(record.key or b"").decode(errors="replace"),
        headers=headers,
        payload_base64=base64.b64encode(record.value or b"").decode(),
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        attempts=int(headers.get("attempts", "1")) if headers.get("attempts", "1").isdigit() else 1,
    )
