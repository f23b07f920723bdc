"""Sends records to Kafka; one that Kafka never takes becomes a letter, and holds up none of the others."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from schemas.dead_letter import DeadLetter
from schemas.record import decode
from schemas.topics import ORDERS_QUARANTINED
from workers.intake.raw import STAGE
from workers.runtime.dead_letters import Unsent
from workers.runtime.errors import PermanentError
from workers.runtime.kafka.records import Record
from workers.runtime.outputs import Outputs, Sender, unsent


async def publish(producer: Sender, records: Sequence[Record]) -> None:
    """Return when Kafka has all records, or a letter in the place of each that it refuses: a topic may take less than
    it should. Raises TransientError: then any part of them may be stored.
    """
    outputs = Outputs()
    for record in records:
        if ORDERS_QUARANTINED.holds(record.topic):
            outputs.add(record, STAGE, *_subject(decode(DeadLetter, record.value)))
        else:
            outputs.add(record, STAGE, unsent(record, STAGE))
    await outputs.send(producer)


def _subject(letter: DeadLetter) -> tuple[Unsent, PermanentError]:
    """What a letter of ours is about, for a shorter one. It stands in no topic."""
    headers = tuple((name, value.encode()) for name, value in letter.headers.items())
    payload = base64.b64decode(letter.payload_base64)
    at = -1 if letter.at is None else int(letter.at.timestamp() * 1000)
    of = Unsent(letter.topic, letter.key.encode(), payload, letter.letter_id, headers, timestamp=at)
    return of, PermanentError(letter.reason, letter.failures)
