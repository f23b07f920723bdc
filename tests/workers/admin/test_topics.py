"""The topics of the fleet, as they are and as they should be."""

from __future__ import annotations

import pytest
from confluent_kafka.admin import NewTopic

from schemas.topics import FOREVER, ORDERS_RAW, TOPICS
from tests.ops.cli.conftest import nobody_listens
from workers.admin.topics import Difference, TopicAdmin, TopicOutcome, TopicState, family_of, make_topics
from workers.runtime.errors import TransientError


class _Cluster(TopicAdmin):
    """A cluster whose topics stand in this process."""

    def __init__(self, *states: TopicState) -> None:
        self._states = list(states)
        self.created: list[str] = []
        self.applied: list[str] = []

    def states(self, wanted, *, count=False):  # type: ignore[no-untyped-def]
        return self._states

    def create(self, topics):  # type: ignore[no-untyped-def]
        self.created = [topic.topic for topic in topics]
        return self.created

    def apply(self, states):  # type: ignore[no-untyped-def]
        self.applied = [state.name for state in states]


MISSING = TopicState(name="orders.planned", carries="PlannedOrder", wanted_partitions=3)
OTHER = TopicState(
    name="orders.review",
    carries="PlannedOrder",
    wanted_partitions=3,
    partitions=4,
    differs={"retention.ms": ("", "1000")},
)
SAME = TopicState(name="wms.events", carries="WmsEvent", wanted_partitions=3, partitions=3)
WANTED = [NewTopic(state.name, 3, 1) for state in (MISSING, OTHER, SAME)]


def test_what_is_missing_is_created_and_what_differs_is_left() -> None:
    cluster = _Cluster(MISSING, OTHER, SAME)

    outcomes = [outcome for _, outcome in make_topics(cluster, WANTED)]

    assert outcomes == [TopicOutcome.CREATED, TopicOutcome.EXISTS, TopicOutcome.EXISTS]
    assert (cluster.created, cluster.applied) == (["orders.planned"], [])


def test_settings_are_applied_where_they_differ_when_told_to() -> None:
    cluster = _Cluster(MISSING, OTHER, SAME)

    outcomes = [outcome for _, outcome in make_topics(cluster, WANTED, apply_settings=True)]

    assert outcomes == [TopicOutcome.CREATED, TopicOutcome.CHANGED, TopicOutcome.EXISTS]
    assert cluster.applied == ["orders.review"]


def test_a_dry_run_changes_nothing_and_says_what_it_would() -> None:
    cluster = _Cluster(MISSING, OTHER, SAME)

    outcomes = [outcome for _, outcome in make_topics(cluster, WANTED, apply_settings=True, dry_run=True)]

    assert outcomes == [TopicOutcome.WOULD_CREATE, TopicOutcome.WOULD_CHANGE, TopicOutcome.EXISTS]
    assert (cluster.created, cluster.applied) == ([], [])


def test_differences_are_settings_and_the_number_of_partitions() -> None:
    assert OTHER.differences == {"retention.ms": Difference("", "1000"), "partitions": Difference(4, 3)}
    assert MISSING.differences == {}
    assert SAME.differences == {}


def test_retention_is_told_in_seconds_or_as_for_ever() -> None:
    told = {topic.base: TopicState(name=topic.of("x") if topic.per else topic.name, carries="", wanted_partitions=1)
            for topic in TOPICS}  # fmt: skip
    for topic in TOPICS:
        seconds = told[topic.base].retention_seconds
        assert seconds == (None if topic.retention == FOREVER else topic.retention.total_seconds())


def test_kafka_going_away_in_between_is_no_refusal() -> None:
    with pytest.raises(TransientError):
        TopicAdmin(nobody_listens(), answer_seconds=0.2).create([NewTopic("name", 1, 1)])


def test_a_topic_is_known_by_its_family() -> None:
    assert family_of("orders.raw.taobao") is ORDERS_RAW
    assert all(family_of(topic.of("x") if topic.per else topic.name) is topic for topic in TOPICS)
