"""What was set aside: orders.quarantined. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.dead_letter import DeadLetter
from schemas.ids import OrderUid
from schemas.namespace import unprefixed
from workers.book.aspects import LETTER
from workers.book.facts import Fact, Place, happened, json, utc


def quarantined(said: DeadLetter, place: Place) -> Sequence[Fact]:
    """Of orders.quarantined. Neither the payload nor the headers are kept: an operator reads them in Kafka."""
    uid = _order(said.key)
    failures = [
        {"attempt": each.attempt, "where": each.where, "explanation": each.explanation} for each in said.failures
    ]
    row = (
        said.letter_id,
        place.offset,
        place.at,
        said.stage,
        said.reason,
        uid,
        unprefixed(said.topic),
        said.partition,
        said.offset,
        utc(said.at),
        said.attempts,
        json(failures),
    )
    facts: list[Fact] = [(LETTER, row)]
    if uid is not None:
        facts.append(happened(uid, "dead-letter", said.letter_id, place.at, (said.stage, said.reason)))
    return facts


def _order(key: str) -> str | None:
    """Which order it is about; None for a key that is none's."""
    try:
        OrderUid.parse(key)
    except ValueError:
        return None
    return key
