"""Dead letters for records of any kind. Making one never raises: what cannot be told is cut, and says so.

A letter fits its topic. Where it would not, the payload is shortened; the letter says where the whole record stands,
and `orderfleet dead-letters retry` takes it from there.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from schemas.codes import LetterProblem
from schemas.dead_letter import DeadLetter, Failure
from schemas.plain import is_key
from schemas.record import changed
from schemas.topics import ORDERS_QUARANTINED
from workers.runtime.errors import PermanentError, ends_the_process, path_of
from workers.runtime.kafka.records import Record
from workers.runtime.wire import DEDUPE_HEADER, FAR_FUTURE_MS, Encoder

log = logging.getLogger(__name__)

ATTEMPTS_HEADER: Final = "attempts"
"""On a message that was put back: which attempt this is."""

SMALL_BYTES: Final = 32 << 10
"""What is left of a letter when its topic takes less than it should."""

_MOST_KEY: Final = 1_000
_MOST_VALUE: Final = 500
_OURS: Final = frozenset(
    {"shop", "source", "received-at", "event", "edition", "deleted-after", "retry-of", ATTEMPTS_HEADER, DEDUPE_HEADER}
)
"""Headers that a letter tells. Others may hold anything; retrying takes them from the topic."""
_MOST_FAILURES: Final = 10
_MOST_WORDS: Final = 600
_FRAMING: Final = 400_000  # the letter without its payload, at its largest: every character escaped or three bytes
_MOST_PAYLOAD: Final = (ORDERS_QUARANTINED.max_message_bytes - _FRAMING) * 3 // 4

_encode = Encoder([ORDERS_QUARANTINED])


@dataclass(frozen=True, slots=True)
class Unsent:
    """What was to be sent by a stage that works on a timer, and could not be: it stands nowhere."""

    topic: str
    key: bytes
    value: bytes
    letter_id: str
    headers: tuple[tuple[str, bytes | None], ...] = ()
    partition: int = -1
    offset: int = -1
    timestamp: int = -1


def letter_id(record: Any) -> str:
    """The same on every repeat: `<topic>/<partition>/<offset>` of what stands in a topic."""
    if isinstance(record, Unsent):
        return record.letter_id
    return f"{record.topic}/{record.partition}/{record.offset}"


def dead_letter(record: Any, stage: str, error: PermanentError, most_payload: int = _MOST_PAYLOAD) -> DeadLetter:
    """The letter about an aiokafka ConsumerRecord. Deterministic: the same record gives the same letter."""
    key, key_is_cut = _key(record.key)
    headers, headers_are_cut = _headers(record.headers)
    payload = record.value or b""
    return DeadLetter(
        letter_id=letter_id(record),
        stage=stage,
        reason=error.reason,
        failures=tuple(_short(each) for each in error.failures[:_MOST_FAILURES]),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=key,
        headers=headers,
        payload_base64=base64.b64encode(payload[:most_payload]).decode(),
        at=_moment(record.timestamp),
        attempts=_attempts(record.headers),
        cut=key_is_cut or headers_are_cut or len(payload) > most_payload,
        payload_bytes=-1 if record.value is None else len(payload),
    )


def letter_record(record: Any, stage: str, error: PermanentError, most_payload: int = _MOST_PAYLOAD) -> Record:
    """The letter as it is sent. Never raises for what the record or the error holds."""
    try:
        return _encode(dead_letter(record, stage, error, most_payload))
    except BaseException as trouble:
        if ends_the_process(trouble):
            raise
        what = f"{type(trouble).__name__} at {path_of(trouble)}"  # its words may quote an order
        log.error("%s: a letter with the position only, as no other could be made: %s", stage, what)
        return last_resort(record, stage)


def last_resort(record: Any, stage: str) -> Record:
    """A letter of a few hundred plain characters: where the record stands, and nothing out of it."""
    return _encode(
        DeadLetter(
            letter_id=letter_id(record),
            stage=stage,
            reason="letter-failed",
            failures=(Failure(attempt=stage, where="", explanation=LetterProblem.NO_MORE_TOLD()),),
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            key="",
            headers={},
            payload_base64="",
            cut=True,
        )
    )


def _key(value: bytes | None) -> tuple[str, bool]:
    """As text, and whether it is not exactly what was there. What is no id might be a name: a digest stands for it."""
    if value is None:
        return "", True
    text = value.decode(errors="replace")
    if len(text) <= _MOST_KEY and is_key(text):
        return text, False
    return f"digest:{blake2b(value, digest_size=12).hexdigest()}", True


def _headers(headers: Iterable[tuple[str, bytes | None]]) -> tuple[dict[str, str], bool]:
    """Ours, and whether there are others, or some that are not exactly told."""
    told: dict[str, str] = {}
    cut = False
    for name, value in headers:
        text = None if value is None or len(value) > _MOST_VALUE else value.decode(errors="replace")
        if text is None or name not in _OURS or name in told or not is_key(text.replace("@", "")):
            cut = True
        else:
            told[name] = text
    return told, cut


def _short(failure: Failure) -> Failure:
    told = failure.explanation
    if told is not None:
        args = {name: _plain(value) if isinstance(value, str) else value for name, value in told.args.items()}
        told = changed(told, args=args)
    return Failure(attempt=_plain(failure.attempt), where=_plain(failure.where), explanation=told)


def _plain(words: str) -> str:
    """JSON may hold half a surrogate pair, which has no UTF-8: it becomes a question mark."""
    kept = words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]}…"
    return kept.encode(errors="replace").decode()


def _attempts(headers: Iterable[tuple[str, bytes | None]]) -> int:
    told = next((value for name, value in headers if name == ATTEMPTS_HEADER), None)
    return int(told) if told is not None and told.isdigit() and len(told) < 4 else 1


def _moment(milliseconds: int) -> datetime | None:
    """None for what is no time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if 0 <= milliseconds < FAR_FUTURE_MS else None
