"""The same seed gives the same orders; together they show everything a shop meets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from ops.testbed.simulators.catalogue import Catalogue
from ops.testbed.simulators.generator import SHARES, Generator, order_id
from ops.testbed.simulators.sale import Sale, Stage
from ops.testbed.simulators.stories import STORIES
from tests.ops.testbed.simulators.builders import ORDER_OF
from tests.ops.testbed.simulators.conftest import START, Quiet, a_quiet_world


def test_the_same_seed_gives_the_same_orders(catalogue: Catalogue) -> None:
    one = [life.sale for life in Generator(7, catalogue).take(300)]
    assert one == [life.sale for life in Generator(7, catalogue).take(300)]


def test_a_run_at_another_time_differs_in_nothing_but_times(catalogue: Catalogue) -> None:
    one, later = (Generator(7, catalogue).take(300) for _ in range(2))
    assert [[seconds for seconds, _ in life.steps] for life in one] == [
        [seconds for seconds, _ in life.steps] for life in later
    ]
    for channel in SHARES:
        first = [ORDER_OF[channel](life.sale) for life in one if life.sale.channel == channel]
        assert first == [ORDER_OF[channel](life.sale) for life in later if life.sale.channel == channel]


def test_more_orders_of_a_seed_begin_with_the_fewer(catalogue: Catalogue) -> None:
    few, many = Generator(7, catalogue).take(50), Generator(7, catalogue).take(200)
    assert [life.sale for life in few] == [life.sale for life in many[:50]]


def test_another_seed_gives_other_orders_with_other_ids(catalogue: Catalogue) -> None:
    one, other = (Generator(seed, catalogue).take(300) for seed in (7, 8))
    assert not {life.sale.order_id for life in one} & {life.sale.order_id for life in other}
    assert [life.sale.story for life in one] != [life.sale.story for life in other]


def test_no_two_orders_share_an_id(quiet: Quiet) -> None:
    ids = Counter((sale.channel, sale.order_id) for sale in quiet.world.sales)
    assert set(ids.values()) == {1}


def test_ids_have_the_forms_of_their_platforms() -> None:
    assert order_id("taobao", 11, 1) == "3000110000000000100"
    assert order_id("pinduoduo", 11, 1) == "261111-000110000000001"
    assert order_id("douyin", 11, 1) == "6900110000000000100"
    assert order_id("jd", 11, 1) == "2400110000001"
    assert order_id("woocommerce", 11, 1) == "110001001"
    assert order_id("shopify", 11, 1) == "5500110000001"


def test_channels_sell_by_their_shares(quiet: Quiet) -> None:
    counts = Counter(sale.channel for sale in quiet.world.sales)
    for channel, percent in SHARES.items():
        assert counts[channel] / len(quiet.world.sales) == pytest.approx(percent / 100, abs=0.02)


def test_every_story_is_told_on_every_channel_that_has_it(quiet: Quiet) -> None:
    told = {(sale.story, sale.channel) for sale in quiet.world.sales}
    possible = {(story.name, channel) for story in STORIES for channel in story.channels}
    assert told <= possible
    rare = {pair for pair in possible - told if pair[1] not in ("woocommerce", "shopify")}
    assert not rare
    assert {story for story, _ in told} == {story.name for story in STORIES}


def test_buyers_live_all_over_the_mainland_and_most_of_all_in_the_east(quiet: Quiet) -> None:
    provinces = Counter(sale.place.short for sale in quiet.world.sales)
    assert len(provinces) == 31
    east = sum(provinces[name] for name in ("上海", "江苏", "浙江", "安徽", "福建", "江西", "山东"))
    assert 0.45 < east / len(quiet.world.sales) < 0.6


def test_orders_have_one_to_six_purchased_lines(quiet: Quiet) -> None:
    lines = {
        channel: {sum(not item.gift for item in sale.items) for sale in quiet.sales(channel)} for channel in SHARES
    }
    assert lines["taobao"] == {1, 2, 3, 4, 5, 6}
    assert lines["pinduoduo"] <= {1, 2}


def test_some_orders_have_one_sku_on_two_lines(quiet: Quiet) -> None:
    def doubled(sale: Sale) -> bool:
        return len({item.goods.sku for item in sale.items}) < len(sale.items)

    assert any(doubled(sale) for sale in quiet.sales("taobao"))
    assert not any(doubled(sale) for sale in quiet.sales("pinduoduo"))  # it has no line ids


def test_only_gift_stories_hold_mains_and_gifts(quiet: Quiet, catalogue: Catalogue) -> None:
    bound = {b.main.sku for group in catalogue.bindings for b in group} | {
        b.gift.sku for group in catalogue.bindings for b in group
    }
    for sale in quiet.world.sales:
        if not sale.story.startswith("gift-"):
            assert bound.isdisjoint(item.goods.sku for item in sale.items), sale.order_id


def test_a_gift_is_given_in_the_quantity_of_its_binding(quiet: Quiet, catalogue: Catalogue) -> None:
    bindings = {b.gift.sku: b for group in catalogue.bindings for b in group}
    given = [sale for sale in quiet.world.sales if sale.story == "gift-with-main"]
    assert given
    for sale in given:
        gifts = [item for item in sale.items if item.gift]
        assert gifts
        for gift in gifts:
            binding = bindings[gift.goods.sku]
            assert sale.items[0].goods is binding.main
            assert gift.quantity == sale.items[0].quantity // binding.per * binding.quantity


def test_a_gift_of_one_channel_is_not_given_on_another(quiet: Quiet) -> None:
    channels = {sale.channel for sale in quiet.world.sales if any(i.goods.sku == "GIFT-SAMPLE-5ML" for i in sale.items)}
    assert channels == {"taobao", "douyin"}


def test_the_wish_to_pay_ends_at_the_platforms_deadline(catalogue: Catalogue) -> None:
    sale = Generator(1, catalogue, pay_seconds=40).take(1)[0].sale
    assert replace(sale, placed_at=1000).pay_deadline == 1040


def test_a_world_ends_with_all_steps_taken(catalogue: Catalogue) -> None:
    quiet = a_quiet_world(catalogue, orders=300)
    assert quiet.world.finished
    assert quiet.world.steps_done == sum(sale.revision for sale in quiet.world.sales) > 0
    assert {sale.steps_left for sale in quiet.world.sales} == {0}
    assert quiet.ended > START
    assert all(sale.stage is not Stage.GROUPING for sale in quiet.world.sales)
