"""The fleet's pure functions in a row, without the fleet: what every contender calls, and what the profile looks at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from channel_adapters.registry import CHANNELS
from schemas.plan import PlannedOrder
from schemas.topics import ORDERS_DEFERRED, ORDERS_PLANNED, ORDERS_REVIEW
from workers.normalize.decide import decide as normalize
from workers.route.decide import decide as route
from workers.route.decide import events_of
from workers.rules.provider import RuleFiles
from workers.runtime.kafka.records import Record
from workers.runtime.settings import Settings
from workers.runtime.stage import Delivery
from workers.runtime.wire import Encoder
from workers.tag.decide import decide as tag


class Planning:
    """From a raw record to its plan: normalize, tag, route."""

    def __init__(self, settings: Settings) -> None:
        """Raises RulesetErrors."""
        self._adapters = {name: channel.adapter for name, channel in CHANNELS.items()}
        files = RuleFiles(settings.rules_file, settings.catalogue_file, channels=tuple(CHANNELS))
        book = files.current()
        self._catalogue, self._ruleset = book.catalogue, book.ruleset
        self._encode = Encoder([ORDERS_PLANNED, ORDERS_REVIEW, ORDERS_DEFERRED])

    def plan(self, raw: Delivery[bytes]) -> PlannedOrder:
        """Raises PermanentError for what is no order."""
        tagged = tag(normalize(raw, self._adapters), self._catalogue, self._ruleset.tagging)
        return route(tagged, self._ruleset, datetime.fromtimestamp(raw.timestamp_ms / 1000, UTC))

    def records(self, planned: PlannedOrder) -> Sequence[Record]:
        """What the route stage writes."""
        return [self._encode(event) for event in events_of(planned)]


def delivery_of(message: Any) -> Delivery[bytes]:
    """What a stage sees of a confluent-kafka Message."""
    return Delivery(
        message.value(),
        key=message.key(),
        headers=message.headers() or (),
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        timestamp_ms=message.timestamp()[1],
    )
