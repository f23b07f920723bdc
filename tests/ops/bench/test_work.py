"""The work is the same every time, and of every kind."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from itertools import islice

from channel_adapters.parsing import read_order
from channel_adapters.registry import CHANNELS
from channel_adapters.shop import Shop
from ops.bench.chart import bars
from ops.bench.orders import copied, raw_orders
from ops.bench.seller import SKUS, WAREHOUSES, catalogue, stock


def test_a_seed_gives_the_same_bytes_again_and_no_order_twice() -> None:
    once, again = raw_orders(300), raw_orders(300)
    assert once == again
    assert len({record.key for record in once}) == 300


def test_every_channel_takes_part_and_orders_have_one_to_six_lines() -> None:
    orders = raw_orders(600)
    channels = Counter(record.topic.removeprefix("orders.raw.") for record in orders)
    assert set(channels) == set(CHANNELS)
    lines = Counter(
        len(read_order(CHANNELS[r.topic.removeprefix("orders.raw.")].adapter, r.value, Shop("shop")).lines)
        for r in orders
    )
    assert {1, 2, 3, 4, 5, 6} <= set(lines)


def test_copies_are_other_orders_that_say_the_same() -> None:
    records = list(islice(copied(most_made=300), 100 * 300))
    assert len({record.key for record in records}) == len(records)
    for first, last in zip(records[:300], records[-300:], strict=True):
        adapter = CHANNELS[first.topic.removeprefix("orders.raw.")].adapter
        told, again = (read_order(adapter, each.value, Shop(each.key.decode().split(":")[1])) for each in (first, last))
        assert again.uid.encode() == last.key
        assert again.totals == told.totals
        assert [(line.sku, line.quantity) for line in again.lines] == [(one.sku, one.quantity) for one in told.lines]


def test_the_seller_has_5000_skus_counted_in_8_warehouses() -> None:
    assert len(catalogue()["skus"]) == SKUS == 5000
    assert {warehouse: len(counts) for warehouse, counts in stock().items()} == dict.fromkeys(WAREHOUSES, SKUS)


def test_the_chart_is_well_formed_whatever_the_labels_hold() -> None:
    drawn = ET.fromstring(bars("a < b & c", [("one & only", 10.0, "10/s"), ("<two>", 0.0, "0/s")], ["one & only"]))
    assert len(drawn.findall("{http://www.w3.org/2000/svg}rect")) == 2
