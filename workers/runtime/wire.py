"""Between records and messages: decoding what a stage reads, encoding what it writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final

from pydantic import ValidationError

from schemas import plain
from schemas.codes import Explanation, LetterProblem, PayloadProblem
from schemas.dead_letter import Failure
from schemas.record import encode, reader
from schemas.topics import Topic
from workers.runtime.errors import PermanentError, ends_the_process
from workers.runtime.kafka.records import Record
from workers.runtime.stage import Delivery

DEDUPE_HEADER: Final = "dedupe-key"
"""Carried by every record we write: the same value under the same key means the same effect, once."""


_FRAMING: Final = 8 << 10  # what Kafka, the key and our headers add to a value

FAR_FUTURE_MS: Final = 253_402_300_800_000  # the year 10000, which no datetime reaches


class Decoder:
    """From raw records to deliveries of one topic's model."""

    def __init__(self, topic: Topic) -> None:
        self._read: Callable[[bytes], Any] = bytes if topic.model is None else reader(topic.model)

    def __call__(self, record: Any) -> Delivery[Any] | PermanentError:
        """One aiokafka ConsumerRecord, whatever it holds. One that does not fit its model becomes a PermanentError."""
        if not 0 <= record.timestamp < FAR_FUTURE_MS:
            return _unreadable("timestamp", LetterProblem.TIMESTAMP_UNUSABLE())
        try:
            value = self._read(record.value or b"")
        except ValidationError as error:
            return PermanentError("unreadable", [_failure(detail) for detail in _details(error)])
        except BaseException as error:
            if ends_the_process(error):
                raise
            return _unreadable("", LetterProblem.CANNOT_BE_READ(error=type(error).__name__))
        return delivery(record, value)


def _unreadable(where: str, explanation: Explanation) -> PermanentError:
    return PermanentError("unreadable", [Failure(attempt="decode", where=where, explanation=explanation)])


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
    told = PayloadProblem.DOES_NOT_FIT(kind=detail["type"])
    return Failure(attempt="decode", where=plain.path(detail["loc"]), explanation=told)


class Encoder:
    """From events to records, for the topics one stage may write. The event's type names the topic."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._routes = {topic.model: _Route(topic) for topic in topics}

    def writes(self, event: Any) -> bool:
        """Whether this event leaves the stage for a topic; otherwise it is handed to the next stage."""
        return type(event) in self._routes

    def __call__(self, event: Any) -> Record:
        """The record of one event: its topic, key, wire form, and the header that tells a repeat.

        Raises PermanentError when it is larger than its topic takes.
        """
        return self._routes[type(event)].record(event)


class _Route:
    __slots__ = ("_identity", "_key", "_member", "_most", "_name")

    def __init__(self, topic: Topic) -> None:
        self._name = topic.name
        self._most = topic.max_message_bytes - _FRAMING
        self._key = attrgetter(topic.key)
        self._identity = attrgetter(topic.identity)
        self._member = attrgetter(topic.per) if topic.per else None

    def topic(self, event: Any) -> str:
        return self._name if self._member is None else f"{self._name}.{self._member(event)}"

    def record(self, event: Any) -> Record:
        identity, value = self._identity(event).encode(), encode(event)
        if len(value) > self._most:
            raise _too_large(self.topic(event), len(value), self._most)
        return Record(self.topic(event), self._key(event).encode(), value, [(DEDUPE_HEADER, identity)])


def _too_large(topic: str, size: int, most: int) -> PermanentError:
    told = LetterProblem.OUTPUT_OVER(topic=topic, size=size, most=most)
    return PermanentError("output-too-large", [Failure(attempt="encode", where=topic, explanation=told)])
