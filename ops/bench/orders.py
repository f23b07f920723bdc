"""The work of the benchmarks: raw orders of all six channels, byte for byte as the platforms write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, islice
from typing import Final

from channel_adapters.contract import RawOrder
from ops.bench.seller import catalogue
from ops.testbed.simulators.catalogue import read_catalogue
from ops.testbed.simulators.generator import Generator, open_sale
from ops.testbed.simulators.payloads.order_objects import order_object
from ops.testbed.simulators.sale import Sale
from ops.testbed.simulators.stories import STORIES
from workers.intake.raw import Arrival, raw_record
from workers.intake.store import ShopKey
from workers.runtime.kafka.records import Record

PLACED_AT: Final = datetime(2026, 11, 11, 4, tzinfo=UTC)
"""Noon in Beijing: every order is placed, paid and received then, so that a run repeats on any day."""

_TOLD = frozenset({"paid-at-once", "gift-with-main", "cold-chain", "remarks"})
"""The stories that lead to a warehouse at once: nearly every order goes the whole way."""


def raw_orders(count: int, seed: int = 1) -> list[Record]:
    """The first `count` orders of a seed, as intake writes them: one record an order, no order twice."""
    return list(islice(endless(seed), count))


def endless(seed: int = 1) -> Iterator[Record]:
    """The same, one by one and without an end."""
    goods = read_catalogue(catalogue(), PLACED_AT)
    noon = int(PLACED_AT.timestamp())
    for life in Generator(seed, goods, stories=[story for story in STORIES if story.name in _TOLD]):
        yield _record(open_sale(life, noon))


def copied(most_made: int = 20_000, seed: int = 1) -> Iterator[Record]:
    """The first orders of a seed, then the same under other order numbers, without an end.

    A copy costs a small part of what it takes to make an order, and all but its number is as it was.
    """
    made = list(islice(endless(seed), most_made))
    yield from made
    for copy in count(1):
        yield from (_renumbered(record, copy) for record in made)


_NUMBER = re.compile(rb"\d+$")


def _renumbered(record: Record, copy: int) -> Record:
    """Its order number counts up in its first half; the generator counts in the second."""
    order_id = record.key.rpartition(b":")[2]
    found = _NUMBER.search(order_id)
    assert found is not None, order_id
    digits = found[0]
    number = b"%d" % (int(digits) + copy * 10 ** (len(digits) // 2))
    assert len(number) <= len(digits), "so many copies have no numbers"
    other = order_id[: found.start()] + number.zfill(len(digits))
    return record._replace(key=record.key[: -len(order_id)] + other, value=record.value.replace(order_id, other))


class Pool:
    """The first orders of a seed, made when they are asked for and kept."""

    def __init__(self, seed: int = 1) -> None:
        self._made: list[Record] = []
        self._more = endless(seed)

    def first(self, count: int) -> Sequence[Record]:
        """So many."""
        self._made.extend(islice(self._more, max(0, count - len(self._made))))
        return self._made[:count]


def _record(sale: Sale) -> Record:
    shop = ShopKey(sale.channel, sale.shop_id)
    return raw_record(Arrival(shop=shop, source="poll", at=PLACED_AT), _raw(sale))


def _raw(sale: Sale) -> RawOrder:
    return RawOrder(platform_order_id=sale.order_id, modified_at=PLACED_AT, payload=order_object(sale))


def mean_bytes(records: Sequence[Record]) -> float:
    """Of the values of these records."""
    return sum(len(record.value) for record in records) / len(records)
