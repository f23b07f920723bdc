"""What a stage sends: its records, and dead letters for what cannot be written or is never taken by Kafka."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from schemas.codes import LetterProblem
from schemas.dead_letter import Failure
from schemas.topics import ORDERS_QUARANTINED
from workers.runtime import metrics
from workers.runtime.dead_letters import SMALL_BYTES, Unsent, last_resort, letter_id, letter_record
from workers.runtime.errors import PermanentError, RecordsRefused, TransientError, bug
from workers.runtime.kafka.records import Record
from workers.runtime.wire import DEDUPE_HEADER, Encoder

log = logging.getLogger(__name__)


class Sender(Protocol):
    """Sends records to Kafka, confirmed. `workers.runtime.kafka.producer.Producer` is one."""

    async def send(self, records: Sequence[Record]) -> None:
        """Return when all are confirmed. Raises TransientError: then any part of them may be stored.

        Raises RecordsRefused when Kafka never takes some of them: then all others are stored.
        """
        ...


class Outputs:
    """What is to be sent, in its order, and of each record what it was made of: a record read, or Unsent."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._origins: list[tuple[str, Any, PermanentError | None]] = []

    def add(self, record: Record, stage: str, origin: Any, error: PermanentError | None = None) -> None:
        """`error`: with a dead letter, what it is about."""
        self.records.append(record)
        self._origins.append((stage, origin, error))

    def set_aside(self, stage: str, origin: Any, error: PermanentError) -> None:
        """Have a dead letter sent about a record."""
        metrics.DEAD_LETTERS.labels(stage, error.reason).inc()
        log.warning("%s: set aside %s: %s", stage, letter_id(origin), error)
        self.add(letter_record(origin, stage, error), stage, origin, error)

    def cut_back(self, count: int) -> None:
        """Send no more than the first so many."""
        del self.records[count:], self._origins[count:]

    async def send(self, producer: Sender) -> None:
        """Return when all is stored, or a letter in its place. Raises TransientError."""
        outputs = self
        while outputs.records:
            try:
                await producer.send(outputs.records)
            except RecordsRefused as refusal:
                log.error(
                    "%s: kept as dead letters, the rest goes on; if too large, check max.message.bytes"
                    " | 已存入死信，其余继续；若消息过大，请检查主题的 max.message.bytes",
                    refusal,
                )
                outputs = outputs._instead_of(refusal.why)
            else:
                return

    def _instead_of(self, refused: Mapping[int, str]) -> Outputs:
        """Letters, and shorter letters in place of letters: one about a record, however many of its outputs."""
        instead = Outputs()
        told: set[str] = set()
        for number, why in refused.items():
            stage, origin, error = self._origins[number]
            if error is not None:
                instead._add_shorter(self.records[number], stage, origin, error, why)
            elif letter_id(origin) not in told:
                told.add(letter_id(origin))
                instead.set_aside(stage, origin, _refused(stage, self.records[number].topic, why))
        return instead

    def _add_shorter(self, letter: Record, stage: str, origin: Any, error: PermanentError, why: str) -> None:
        shorter = letter_record(origin, stage, error, SMALL_BYTES)
        if len(shorter.value) >= len(letter.value):
            shorter = last_resort(origin, stage)
        if len(shorter.value) >= len(letter.value):
            raise TransientError(f"{ORDERS_QUARANTINED} takes no dead letter ({why}); check its max.message.bytes")
        self.add(shorter, stage, origin, error)


def of_events(stage: str, events: Sequence[Any], encode: Encoder) -> Outputs:
    """The outputs of a stage that works on a timer: there is no record that its events were made of."""
    outputs = Outputs()
    for event in events:
        try:
            record = encode(event)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one, the others are sent
            name = type(event).__name__
            outputs.set_aside(stage, Unsent(name, b"", b"", f"{name}/{stage}/unwritable"), unwritable(stage, error))
        else:
            outputs.add(record, stage, unsent(record, stage))
    return outputs


def unsent(record: Record, stage: str) -> Unsent:
    """A record as the origin of the letter about it."""
    identity = dict(record.headers).get(DEDUPE_HEADER, b"").decode(errors="replace")
    return Unsent(record.topic, record.key, record.value, f"{record.topic}/{stage}/{identity}", tuple(record.headers))


def unwritable(stage: str, error: BaseException) -> PermanentError:
    """Why an event cannot be written: it is too large, or holds what JSON cannot."""
    return error if isinstance(error, PermanentError) else bug(stage, error)


def _refused(stage: str, topic: str, why: str) -> PermanentError:
    told = LetterProblem.OUTPUT_REFUSED(topic=topic, why=why)
    return PermanentError("refused-by-kafka", [Failure(attempt=stage, where=topic, explanation=told)])
