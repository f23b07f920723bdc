"""What the book reads of a record is what the record says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from schemas.record import encode, reader
from schemas.topics import WMS_EVENTS
from tests.workers.book.stories import Story
from workers.book.excerpts import EXCERPTS, AnswerExcerpt, excerpt_reader
from workers.book.projections import PROJECTIONS


def pairs(whole: Any, excerpt: Any) -> Iterator[tuple[str, Any, Any]]:
    """Each field of the excerpt with that of the record, down to what holds no fields."""
    for name in excerpt.__struct_fields__:
        said, read = getattr(whole, name), getattr(excerpt, name)
        if isinstance(read, msgspec.Struct):
            yield from pairs(said, read)
        elif isinstance(read, tuple) and read and isinstance(read[0], msgspec.Struct):
            assert len(said) == len(read)
            for one, other in zip(said, read, strict=True):
                yield from pairs(one, other)
        else:
            yield name, said, read


@pytest.mark.parametrize("seed", range(3))
def test_each_field_is_that_of_the_record(seed: int) -> None:
    seen: set[type] = set()
    for message in Story(seed, orders=60).messages:
        [topic] = [topic for topic in PROJECTIONS if topic.holds(message.of)]
        assert topic.model is not None
        if topic.model not in EXCERPTS or message.payload == b"{":
            continue
        seen.add(topic.model)
        whole, excerpt = reader(topic.model)(message.payload), excerpt_reader(topic.model)(message.payload)
        for name, said, read in pairs(whole, excerpt):
            assert len(said) == len(read) if name == "changes" else said == read, name
    assert seen == set(EXCERPTS)


def test_every_field_is_one_of_the_record() -> None:
    for model, excerpt in EXCERPTS.items():
        assert set(excerpt.__struct_fields__) <= {each.name for each in fields(model)}  # type: ignore[attr-defined]


def test_what_does_not_fit_is_judged_as_a_whole_record() -> None:
    read = excerpt_reader(WMS_EVENTS.model)  # type: ignore[arg-type]
    said = read(
        b'{"message_id":"m","kind":"shipped","order_uid":"jd:main:1","warehouse_id":"w","instruction_id":"i",'
        b'"at":"2026-11-11 00:00:01Z"}'
    )
    assert isinstance(said, AnswerExcerpt)
    assert encode(said.at) == b'"2026-11-11T00:00:01Z"'
    with pytest.raises(ValidationError):
        read(b'{"message_id":"m"}')
