"""Every topic has an example that its model reads, and a published schema that is current."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from ops.setup.contracts import contract, path_of
from schemas.record import decode, encode
from schemas.topics import TOPICS, Topic

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
MODELLED = [topic for topic in TOPICS if topic.model is not None]


@pytest.mark.parametrize("topic", MODELLED, ids=lambda topic: topic.name)
def test_the_published_schema_is_current(topic: Topic) -> None:
    assert path_of(topic).read_bytes() == contract(topic), "run: python -m ops.setup.contracts"


@pytest.mark.parametrize("topic", MODELLED, ids=lambda topic: topic.name)
def test_every_example_reads_and_writes_without_loss(topic: Topic) -> None:
    examples = sorted((EXAMPLES / topic.name).glob("*.json"))
    assert examples, f"{topic} has no example message"
    for path in examples:
        written = orjson.loads(path.read_bytes())
        assert topic.model is not None
        assert orjson.loads(encode(decode(topic.model, path.read_bytes()))) == written, path.name


def test_every_topic_is_named_by_the_convention() -> None:
    for topic in TOPICS:
        assert "_" not in topic.name
        assert topic.name == topic.name.lower()


def test_a_quarantined_message_may_be_as_large_as_what_it_keeps() -> None:
    sizes = {topic.name: topic.max_message_bytes for topic in TOPICS}
    assert sizes["orders.quarantined"] * 3 / 4 > sizes["orders.raw"]


def test_a_family_names_its_members_and_a_single_topic_refuses_to() -> None:
    by_name = {topic.name: topic for topic in TOPICS}
    assert by_name["orders.routed"].of("hangzhou") == "orders.routed.hangzhou"
    with pytest.raises(ValueError, match="single topic"):
        by_name["orders.planned"].of("x")
