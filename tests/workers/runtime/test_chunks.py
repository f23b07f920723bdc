"""What is fetched becomes few chunks, and what is acknowledged becomes commits without a gap."""

from __future__ import annotations

from typing import Any

import pytest
from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import KafkaRecord
from tests.workers.runtime.faust_bridge.test_seek import Thread, consumer
from workers.runtime.faust_bridge.transport import ChunkConsumer, ChunkMessage

CHUNK = 500


def fetched(counts: list[int], start: int = 0) -> dict[TP, list[Any]]:
    """So many records of each partition."""
    return {
        TP("inbound", partition): [
            KafkaRecord(b"", topic="inbound", partition=partition, offset=offset)
            for offset in range(start, start + count)
        ]
        for partition, count in enumerate(counts)
        if count
    }


def a_consumer() -> ChunkConsumer:
    return consumer(Thread({}))


async def delivered(made: ChunkConsumer, records: dict[TP, list[Any]]) -> list[ChunkMessage]:
    """The messages of one fetch."""

    async def next_records(_: float) -> tuple[dict[TP, list[Any]], None]:
        return records, None

    made._wait_next_records = next_records
    made.can_resume_flow.set()
    made.suspend_flow.clear()
    return [message async for _, message in made.getmany(1.0)]


@settings(deadline=None)  # a first import takes as long as it takes
@given(st.lists(st.integers(0, 3 * CHUNK), max_size=8))
async def test_every_record_is_in_one_chunk_after_all_before_it_of_its_partition(counts: list[int]) -> None:
    records = fetched(counts)
    messages = await delivered(a_consumer(), records)

    seen: dict[TP, list[int]] = {}
    for message in messages:
        assert 0 < len(message.value) <= CHUNK
        for record in message.value:
            seen.setdefault(TP(record.topic, record.partition), []).append(record.offset)
        assert message.ends == {TP(r.topic, r.partition): r.offset for r in message.value}
    assert seen == {tp: [record.offset for record in batch] for tp, batch in records.items()}


async def test_a_trickle_on_many_partitions_is_one_chunk() -> None:
    [message] = await delivered(a_consumer(), fetched([1] * 144))
    assert len(message.value) == len(message.ends) == 144


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_a_commit_passes_a_chunk_only_when_it_and_all_before_it_are_done(order: tuple[int, ...]) -> None:
    made, first = a_consumer(), TP("inbound", 0)
    messages = await delivered(made, fetched([3 * CHUNK]))
    done: set[int] = set()
    passed = 0
    for number in order:
        made.ack(messages[number])
        done.add(number)
        before, passed = passed, next(n for n in range(4) if n not in done)
        assert made._new_offset(first) == (passed * CHUNK if passed > before else None)


async def test_a_chunk_counts_as_done_for_each_of_its_partitions_and_once() -> None:
    made = a_consumer()
    [message] = await delivered(made, fetched([5, 0, 7]))
    assert made.ack(message)
    assert not made.ack(message)
    assert {tp: made._new_offset(tp) for tp in message.ends} == {TP("inbound", 0): 5, TP("inbound", 2): 7}
    assert made._new_offset(TP("inbound", 1)) is None
