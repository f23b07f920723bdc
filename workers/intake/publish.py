"""Sends records to Kafka; one that Kafka never takes becomes a letter, and holds up none of the others."""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from schemas.dead_letter import DeadLetter, Failure
from schemas.record import decode
from schemas.topics import ORDERS_QUARANTINED
from workers.intake.raw import STAGE, Sender
from workers.runtime import metrics
from workers.runtime.dead_letters import SMALL_BYTES, letter_record
from workers.runtime.errors import PermanentError, RecordsRefused, TransientError
from workers.runtime.kafka.records import Record
from workers.runtime.outputs import unsent
from workers.runtime.wire import Encoder

logger = logging.getLogger(__name__)

REFUSED: Final = "refused-by-kafka"

_as_record = Encoder([ORDERS_QUARANTINED])


async def publish(producer: Sender, records: Sequence[Record]) -> None:
    """Return when Kafka has all records, or a letter in the place of each that it refuses: a topic may take less than
    it should. Raises TransientError: then any part of them may be stored.
    """
    if not records:
        return
    try:
        await producer.send(records)
    except RecordsRefused as refusal:
        letters = [_instead_of(records[place], why) for place, why in sorted(refusal.why.items())]
        await _send_letters(producer, letters)
        metrics.DEAD_LETTERS.labels(STAGE, REFUSED).inc(len(letters))
        logger.error(
            "Kafka refuses %d of %d records (%s): kept as dead letters, the rest goes on; check max.message.bytes"
            " | Kafka 拒收 %d 条消息，已存入死信，其余继续；请检查主题的 max.message.bytes",
            len(letters), len(records), ", ".join(sorted(set(refusal.why.values()))), len(letters),
        )  # fmt: skip


async def _send_letters(producer: Sender, letters: Sequence[Record]) -> None:
    try:
        await producer.send(letters)
    except RecordsRefused as refusal:
        raise TransientError(
            f"{ORDERS_QUARANTINED} takes no dead letter ({', '.join(sorted(set(refusal.why.values())))}); "
            "check its max.message.bytes"
        ) from None


def _instead_of(record: Record, why: str) -> Record:
    """The letter about a record. It stands in no topic, so the platform must be asked for what is cut."""
    if ORDERS_QUARANTINED.holds(record.topic):
        return _shorter(record)
    failure = Failure(
        attempt=STAGE,
        where=record.topic,
        problem=f"Kafka does not take it for {record.topic}: {why}; ask the platform for it by its id",
        problem_zh=f"Kafka 不接受发往 {record.topic} 的该消息：{why}；请按订单号向平台查询",
    )
    return letter_record(unsent(record, STAGE), STAGE, PermanentError(REFUSED, [failure]), SMALL_BYTES)


def _shorter(record: Record) -> Record:
    """A letter that is too large itself, with the beginning of what it is about."""
    letter = decode(DeadLetter, record.value)
    payload = base64.b64decode(letter.payload_base64)
    begins = base64.b64encode(payload[:SMALL_BYTES]).decode()
    return _as_record(replace(letter, payload_base64=begins, cut=True, payload_bytes=len(payload)))
