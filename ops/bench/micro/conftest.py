"""Orders of every kind, at each place of their way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from channel_adapters.registry import CHANNELS
from ops.bench.orders import PLACED_AT, raw_orders
from ops.bench.seller import write_files
from schemas.order import Order
from schemas.plan import PlannedOrder, TaggedOrder
from workers.normalize.decide import decide as normalize
from workers.route.decide import decide as route
from workers.rules.provider import RuleFiles
from workers.rules.ruleset import Rulebook
from workers.runtime.kafka.records import Record
from workers.runtime.stage import Delivery
from workers.tag.decide import decide as tag

ORDERS = 200


class Stations(NamedTuple):
    """The same orders, raw, normalized, tagged and planned."""

    book: Rulebook
    raw: Sequence[Delivery[bytes]]
    orders: Sequence[Order]
    tagged: Sequence[TaggedOrder]
    planned: Sequence[PlannedOrder]


@pytest.fixture(scope="session")
def stations(tmp_path_factory: pytest.TempPathFactory) -> Stations:
    """Made once."""
    rules, catalogue = write_files(Path(tmp_path_factory.mktemp("seller")))
    book = RuleFiles(rules, catalogue).current()
    at = int(PLACED_AT.timestamp() * 1000)
    raw = [Delivery(r.value, key=r.key, headers=tuple(r.headers), topic=r.topic, timestamp_ms=at) for r in _records()]
    adapters = {name: channel.adapter for name, channel in CHANNELS.items()}
    orders = [normalize(each, adapters) for each in raw]
    tagged = [tag(order, book.catalogue, book.ruleset.tagging) for order in orders]
    return Stations(book, raw, orders, tagged, [route(each, book.ruleset, PLACED_AT) for each in tagged])


def _records() -> list[Record]:
    return raw_orders(ORDERS)
