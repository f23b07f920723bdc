"""What topics there are, against what the fleet needs. Changes nothing but what it is told to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from channel_adapters.registry import CHANNELS
from schemas.record import record
from schemas.text import Text
from schemas.topics import FOREVER, TOPICS, Topic
from workers.admin.errors import InvalidRequest, Rejected
from workers.rules.problems import RulesetErrors
from workers.rules.provider import RuleFiles
from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Kafka
from workers.runtime.kafka.topics import admin_of, create_topics, wanted_topics
from workers.runtime.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka.admin import TopicMetadata

ANSWER_SECONDS: Final = 5.0


class KafkaRefused(Rejected):
    """Kafka answers, and says no, in words of its own."""

    def __init__(self, words: str) -> None:
        super().__init__(
            Text(
                f"Kafka refused: {words}; check --replication against the number of brokers, and the user's rights",
                f"Kafka 拒绝了请求：{words}；请检查 --replication 是否超过节点数，以及用户权限",
            )
        )


class Difference(NamedTuple):
    """A setting as it is, "" when it is not set, and as it is wanted."""

    found: str | int
    wanted: str | int


@record
class TopicState:
    """One topic that the fleet needs, as it is. `partitions` is 0 while it is missing."""

    name: str
    carries: str  # the model, or "platform bytes"
    wanted_partitions: int
    partitions: int = 0
    replication: int = 0
    records: int = 0  # those still kept; a compacted topic counts offsets, some of which are gone
    differs: dict[str, tuple[str, str]] = field(default_factory=dict)  # setting -> (as it is, as wanted)

    @property
    def missing(self) -> bool:
        """Whether it does not exist."""
        return self.partitions == 0

    @property
    def retention_seconds(self) -> int | None:
        """As the fleet wants it; None = for ever."""
        retention = family_of(self.name).retention
        return None if retention == FOREVER else int(retention.total_seconds())

    @property
    def differences(self) -> dict[str, Difference]:
        """What is not as wanted: settings, and its number of partitions."""
        found = {name: Difference(now, wanted) for name, (now, wanted) in self.differs.items()}
        if not self.missing and self.partitions != self.wanted_partitions:
            found["partitions"] = Difference(self.partitions, self.wanted_partitions)
        return found


class TopicOutcome(StrEnum):
    """What became of a topic that is wanted."""

    EXISTS = "exists"
    CREATED = "created"
    WOULD_CREATE = "would create"
    CHANGED = "changed"
    WOULD_CHANGE = "would change"


class TopicAdmin:
    """Asks one Kafka. Raises TransientError when it is away, KafkaRefused when it says no."""

    def __init__(self, kafka: Kafka, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._admin = admin_of(kafka)
        self._seconds = answer_seconds

    def states(self, wanted: Sequence[NewTopic], *, count: bool = False) -> list[TopicState]:
        """Each wanted topic as it is, in their order. `count`: also how many records it holds."""
        there = self._there()
        known = {topic.topic: there[topic.topic] for topic in wanted if topic.topic in there}
        differs = self._differences([topic for topic in wanted if topic.topic in known])
        records = self._records(known) if count else {}
        return [
            TopicState(
                name=topic.topic,
                carries=_carries(topic.topic),
                wanted_partitions=topic.num_partitions,
                partitions=len(known[topic.topic].partitions) if topic.topic in known else 0,
                replication=_replication(known[topic.topic]) if topic.topic in known else 0,
                records=records.get(topic.topic, 0),
                differs=differs.get(topic.topic, {}),
            )
            for topic in wanted
        ]

    def create(self, topics: Iterable[NewTopic]) -> list[str]:
        """Create topics that are missing. The names of the new ones: another may be faster."""
        try:
            return create_topics(self._admin, topics, seconds=6 * self._seconds)
        except KafkaException as error:
            raise _trouble(error) from error

    def apply(self, states: Iterable[TopicState]) -> None:
        """Set the settings that differ to what the fleet needs."""
        resources = [
            ConfigResource(
                ResourceType.TOPIC,
                state.name,
                incremental_configs=[
                    ConfigEntry(name, wanted, incremental_operation=AlterConfigOpType.SET)
                    for name, (_, wanted) in state.differs.items()
                ],
            )
            for state in states
            if state.differs
        ]
        if resources:
            _results(self._admin.incremental_alter_configs(resources))

    def _there(self) -> Mapping[str, TopicMetadata]:
        try:
            topics = self._admin.list_topics(timeout=self._seconds).topics
        except KafkaException as error:
            raise TransientError(error.args[0].str()) from error
        return {name: topic for name, topic in topics.items() if topic.partitions}

    def _differences(self, wanted: Sequence[NewTopic]) -> dict[str, dict[str, tuple[str, str]]]:
        if not wanted:
            return {}
        resources = [ConfigResource(ResourceType.TOPIC, topic.topic) for topic in wanted]
        found = {resource.name: entries for resource, entries in _results(self._admin.describe_configs(resources))}
        return {topic.topic: _different(found[topic.topic], topic.config or {}) for topic in wanted}

    def _records(self, topics: Mapping[str, TopicMetadata]) -> dict[str, int]:
        places = [TopicPartition(name, number) for name, topic in topics.items() for number in topic.partitions]
        if not places:
            return {}
        counts: dict[str, int] = dict.fromkeys(topics, 0)
        for spec, sign in ((OffsetSpec.latest(), 1), (OffsetSpec.earliest(), -1)):
            for place, found in _results(self._admin.list_offsets(dict.fromkeys(places, spec))):
                counts[place.topic] += sign * max(0, found.offset)
        return counts


def make_topics(
    admin: TopicAdmin, wanted: Sequence[NewTopic], *, apply_settings: bool = False, dry_run: bool = False
) -> list[tuple[TopicState, TopicOutcome]]:
    """Create what is missing. What exists keeps its settings, unless they are to be applied, and its partitions.

    Each topic as it was before. Raises TransientError, KafkaRefused.
    """
    states = admin.states(wanted)
    if not dry_run:
        missing = {state.name for state in states if state.missing}
        admin.create([topic for topic in wanted if topic.topic in missing])
        if apply_settings:
            admin.apply([state for state in states if state.differs])
    return [(state, _outcome(state, apply_settings=apply_settings, dry_run=dry_run)) for state in states]


def _outcome(state: TopicState, *, apply_settings: bool, dry_run: bool) -> TopicOutcome:
    if state.missing:
        return TopicOutcome.WOULD_CREATE if dry_run else TopicOutcome.CREATED
    if state.differs and apply_settings:
        return TopicOutcome.WOULD_CHANGE if dry_run else TopicOutcome.CHANGED
    return TopicOutcome.EXISTS


def fleet_topics(
    settings: Settings,
    warehouses: Sequence[str] = (),
    partitions: int | None = None,
    replication: int | None = None,
) -> list[NewTopic]:
    """All topics that the fleet needs. `warehouses`: by default those of the ruleset. Raises InvalidRequest."""
    return wanted_topics(
        channels=tuple(CHANNELS),
        warehouses=tuple(dict.fromkeys(warehouses or _warehouses_of_rules(settings))),
        partitions=partitions or settings.partitions,
        replication=replication or settings.replication,
    )


def _warehouses_of_rules(settings: Settings) -> list[str]:
    try:
        rules = RuleFiles(settings.rules_file, settings.catalogue_file, channels=tuple(CHANNELS))
    except RulesetErrors as error:
        raise InvalidRequest(
            Text(
                f"cannot read the warehouses from the rules: {error.tell('en')}\nName them with --warehouse, or set "
                "ORDERFLEET_RULES_FILE and ORDERFLEET_CATALOGUE_FILE",
                f"无法从规则文件读取仓库：{error.tell('zh')}\n请用 --warehouse 指定，或设置 ORDERFLEET_RULES_FILE 和 "
                "ORDERFLEET_CATALOGUE_FILE",
            )
        ) from error
    return sorted(rules.current().ruleset.warehouses)


def _different(entries: Mapping[str, Any], wanted: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    now = {name: (entries[name].value if name in entries else "") for name in wanted}
    return {name: (now[name], value) for name, value in wanted.items() if now[name] != value}


def _results(futures: Mapping[Any, Future[Any]]) -> list[tuple[Any, Any]]:
    try:
        return [(each, future.result(ANSWER_SECONDS)) for each, future in futures.items()]
    except KafkaException as error:
        raise _trouble(error) from error
    except TimeoutError as error:
        raise TransientError(f"no answer for {ANSWER_SECONDS:g} s") from error


def _trouble(error: KafkaException) -> Exception:
    """librdkafka's own errors (below zero) tell of the way to Kafka; the others are Kafka's answer."""
    cause = error.args[0]
    return TransientError(cause.str()) if cause.code() < 0 or cause.retriable() else KafkaRefused(cause.str())


def _replication(topic: TopicMetadata) -> int:
    return min(len(partition.replicas) for partition in topic.partitions.values())


def family_of(name: str) -> Topic:
    """The row of schemas/topics.py that a topic belongs to."""
    return next(topic for topic in TOPICS if name == topic.name or (topic.per and name.startswith(f"{topic.name}.")))


def _carries(name: str) -> str:
    model = family_of(name).model
    return "platform bytes" if model is None else model.__name__
