"""What a consumer says it has, for as long as nothing is assigned anew."""

from __future__ import annotations

from types import SimpleNamespace

from aiokafka.structs import TopicPartition
from faust.types import TP

from workers.runtime.faust_bridge.consuming import LoopConsumer


def test_the_assignment_is_made_once_and_follows_every_rebalance() -> None:
    before, after = frozenset({TopicPartition("in", 0), TopicPartition("in", 1)}), frozenset({TopicPartition("in", 1)})
    current = before
    client = LoopConsumer.__new__(LoopConsumer)
    client._consumer = SimpleNamespace(assignment=lambda: current)
    assert client.assignment() == {TP("in", 0), TP("in", 1)}
    assert client.assignment() is client.assignment()
    current = after
    assert client.assignment() == {TP("in", 1)}
    current = frozenset()
    assert client.assignment() == set()
