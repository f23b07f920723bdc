"""What the consumer's thread says it has, for as long as nothing is assigned anew."""

from __future__ import annotations

from types import SimpleNamespace

from aiokafka.structs import TopicPartition
from faust.types import TP

from workers.runtime.transport import ChunkThread


def test_the_assignment_is_made_once_and_follows_every_rebalance() -> None:
    before, after = frozenset({TopicPartition("in", 0), TopicPartition("in", 1)}), frozenset({TopicPartition("in", 1)})
    current = before
    thread = ChunkThread.__new__(ChunkThread)
    thread._consumer = SimpleNamespace(assignment=lambda: current)
    assert thread.assignment() == {TP("in", 0), TP("in", 1)}
    assert thread.assignment() is thread.assignment()
    current = after
    assert thread.assignment() == {TP("in", 1)}
    current = frozenset()
    assert thread.assignment() == set()
