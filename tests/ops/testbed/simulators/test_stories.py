"""Stories end as their truth says."""

from __future__ import annotations

import pytest

from ops.testbed.simulators.catalogue import Catalogue
from ops.testbed.simulators.generator import Generator
from ops.testbed.simulators.sale import Goods, Item, Oddity, Sale, Stage
from ops.testbed.simulators.stories import ALL, STORIES, shown
from ops.testbed.simulators.world import World, truth_of
from tests.ops.testbed.simulators.builders import a_sale
from tests.ops.testbed.simulators.conftest import START, Quiet

PLACES = {
    "shipped",
    "wms-review",
    "routed", "backordered", "transfer-requested", "held", "expired", "released", "review", "deferred", "ignored",
    "quarantined", "unseen",
}  # fmt: skip

ENDS = {
    "paid-at-once": {Stage.PAID},
    "unpaid-then-paid": {Stage.PAID},
    "unpaid-lapsed": {Stage.UNPAID},
    "unpaid-closed": {Stage.CLOSED},
    "refunded-before-shipping": {Stage.REFUNDED},
    "cancel-asked-then-refunded": {Stage.REFUNDED},
    "line-refunded": {Stage.PAID},
    "presale-deposit": {Stage.DEPOSIT_PAID},
    "presale-completed": {Stage.PAID},
    "presale-comes-due": {Stage.PAID},
    "under-review": {Stage.UNDER_REVIEW},
    "review-passed": {Stage.PAID},
    "group-filled": {Stage.PAID},
    "group-failed": {Stage.REFUNDED},
    "cash-on-delivery": {Stage.UNPAID},
    "shipped-elsewhere": {Stage.SHIPPED},
}


def of(quiet: Quiet, story: str) -> list[Sale]:
    """All orders that lived a story."""
    found = [sale for sale in quiet.world.sales if sale.story == story]
    assert found
    return found


def test_every_expected_place_is_a_known_one() -> None:
    for story in STORIES:
        for channel in ALL:
            assert set(story.expected_on(channel)) <= PLACES


@pytest.mark.parametrize("story", ENDS)
def test_a_story_ends_in_its_stage(quiet: Quiet, story: str) -> None:
    assert {sale.stage for sale in of(quiet, story)} == ENDS[story]


def test_nothing_is_wanted_of_an_order_that_is_over(quiet: Quiet) -> None:
    for story in ("unpaid-closed", "refunded-before-shipping", "group-failed", "shipped-elsewhere"):
        assert all(truth_of(sale)["skus"] == {} for sale in of(quiet, story))


def test_a_refunded_line_is_wanted_no_more(quiet: Quiet) -> None:
    for sale in of(quiet, "line-refunded"):
        gone, *kept = sale.items
        assert gone.goods.sku not in truth_of(sale)["skus"]
        assert sum(truth_of(sale)["skus"].values()) == sum(item.quantity for item in kept) > 0


def test_two_lines_of_a_sku_add_up() -> None:
    goods = Goods("TEA", "样例茶", 100, 1)
    sale = a_sale([Item(goods, 2), Item(goods, 3)])
    assert sale.wanted() == {"TEA": 5}


def test_jd_and_pinduoduo_show_no_unpaid_order(quiet: Quiet) -> None:
    lapsed = [sale for sale in of(quiet, "unpaid-lapsed") if sale.channel == "jd"]
    assert lapsed
    for sale in lapsed:
        assert sale.expected == ("unseen",)
        assert quiet.world.stores["jd"].get(sale.order_id) is None


def test_an_unpaid_order_is_hidden_until_it_is_paid() -> None:
    for channel in ("jd", "pinduoduo"):
        sale = a_sale([], channel=channel, stage=Stage.UNPAID)
        assert not shown(sale)
        sale.stage, sale.paid_at = Stage.PAID, 1
        assert shown(sale)
    assert shown(a_sale([], channel="taobao", stage=Stage.UNPAID))


def test_jd_shows_an_unpaid_order_that_was_cancelled(quiet: Quiet) -> None:
    closed = [sale for sale in of(quiet, "unpaid-closed") if sale.channel == "jd"]
    assert closed
    assert all(quiet.world.stores["jd"].get(sale.order_id) is sale for sale in closed)


def test_only_odd_orders_are_meant_for_quarantine_or_for_a_person_who_knows_the_word(quiet: Quiet) -> None:
    for sale in quiet.world.sales:
        odd = sale.expected == ("quarantined",) or sale.story == "unknown-status"
        assert (sale.oddity is not Oddity.NONE) == odd


def test_truth_names_the_order_and_the_time_of_its_last_change(quiet: Quiet) -> None:
    sale = of(quiet, "unpaid-then-paid")[0]
    assert truth_of(sale) == {
        "channel": sale.channel,
        "shop_id": sale.shop_id,
        "platform_order_id": sale.order_id,
        "story": "unpaid-then-paid",
        "modified_at": sale.paid_at,
        "final": True,
        "skus": sale.wanted(),
        "expected": ["shipped", "routed", "wms-review", "backordered", "transfer-requested"],
    }


def test_orders_are_placed_at_the_rate_and_live_on(catalogue: Catalogue) -> None:
    world = World(Generator(11, catalogue), target=1000, rate=100.0)
    world.advance(START)
    assert len(world.sales) == 1
    world.advance(START + 2)
    assert len(world.sales) == 201
    world.advance(START + 60)
    assert world.progress()["placed"] == 1000
    world.advance(START + 80)
    assert world.progress() == {
        "placed": 1000,
        "target": 1000,
        "steps_done": world.steps_done,
        "steps_left": 0,
        "finished": True,
    }


def test_each_step_moves_the_modify_time(catalogue: Catalogue) -> None:
    world = World(Generator(11, catalogue), target=400, rate=10_000.0)
    world.advance(START)
    world.advance(START + 0.1)
    before = {sale.order_id: sale.modified_at for sale in world.sales}
    world.advance(START + 20)
    changed = [sale for sale in world.sales if sale.revision]
    assert changed
    assert all(sale.modified_at > before[sale.order_id] for sale in changed)
    assert all(sale.modified_at == before[sale.order_id] for sale in world.sales if not sale.revision)
