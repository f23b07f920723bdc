"""What the truth says of each order is what the fleet's own reading and rules make of it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from channel_adapters.contract import UnreadablePayload
from channel_adapters.registry import CHANNELS
from channel_adapters.shop import Shop
from ops.testbed.simulators import catalogue as simulated
from ops.testbed.simulators.generator import SHARES, Generator, open_sale
from ops.testbed.simulators.sale import Sale, Stage
from ops.testbed.simulators.stories import shown
from schemas.order import LineStatus, Order, OrderStatus, PaymentStatus
from schemas.plan import Disposition
from tests.ops.testbed.simulators.builders import ORDER_OF
from tests.ops.testbed.simulators.conftest import START, Quiet
from workers.admin.rule_trial import try_order
from workers.rules.catalogue_loading import load_catalogue
from workers.rules.loading import load_ruleset

EXAMPLES = simulated.EXAMPLE.parent
CATALOGUE = load_catalogue(simulated.EXAMPLE.read_bytes(), "catalogue.yaml")
RULES = load_ruleset((EXAMPLES / "rules.yaml").read_bytes(), "rules.yaml", CATALOGUE)

PLACES = {
    Disposition.REVIEW: {"review"},
    Disposition.DEFER: {"deferred"},
    Disposition.RELEASE: {"released"},
    Disposition.IGNORE: {"ignored"},
}
OPENINGS = {
    (Stage.UNPAID, OrderStatus.AWAITING_PAYMENT, PaymentStatus.UNPAID),
    (Stage.DEPOSIT_PAID, OrderStatus.AWAITING_PAYMENT, PaymentStatus.DEPOSIT_PAID),
    (Stage.GROUPING, OrderStatus.ON_HOLD, PaymentStatus.PAID),
    (Stage.UNDER_REVIEW, OrderStatus.ON_HOLD, PaymentStatus.PAID),
    (Stage.PAID, OrderStatus.TO_SHIP, PaymentStatus.PAID),
}
PAID_PLACES = {"shipped", "routed", "wms-review", "backordered", "transfer-requested"}
UNPAID_PLACES = {"expired", "backordered", "transfer-requested"}


def read(sale: Sale) -> Order:
    """As normalize reads it: the first template that fits."""
    templates = CHANNELS[sale.channel].adapter.templates
    payload = orjson.dumps(ORDER_OF[sale.channel](sale))
    for template in templates[:-1]:
        try:
            return template.read(payload, Shop(sale.shop_id))
        except UnreadablePayload:
            continue
    return templates[-1].read(payload, Shop(sale.shop_id))


def places(order: Order, at: datetime) -> set[str]:
    """Where the fleet may bring the order, by what it decides and how the stock stands."""
    disposition = try_order(RULES, CATALOGUE, order, at).plan.disposition
    if disposition is not Disposition.RESERVE:
        return PLACES[disposition]
    return UNPAID_PLACES if order.payment is PaymentStatus.UNPAID else PAID_PLACES


def still_wanted(order: Order) -> dict[str, int]:
    if order.status is OrderStatus.CANCELLED:
        return {}
    units: Counter[str] = Counter()
    for line in order.lines:
        if line.status is LineStatus.OPEN:
            units[line.sku] += line.quantity
    return {sku: quantity for sku, quantity in units.items() if quantity}


@pytest.mark.parametrize("channel", SHARES)
def test_every_order_is_brought_to_a_place_that_is_expected(quiet: Quiet, channel: str) -> None:
    wrong = []
    for sale in filter(shown, quiet.sales(channel)):
        try:
            found = places(read(sale), quiet.now())
        except UnreadablePayload:
            found = {"quarantined"}
        if not found <= set(sale.expected):
            wrong.append((sale.story, sale.order_id, found))
    assert wrong == []


@pytest.mark.parametrize("channel", SHARES)
def test_what_is_read_is_what_the_buyer_still_wants(quiet: Quiet, channel: str) -> None:
    compared = 0
    for sale in filter(shown, quiet.sales(channel)):
        told_apart = (channel, sale.story) != ("woocommerce", "line-refunded")  # it does not say of which line
        if sale.expected != ("quarantined",) and told_apart:
            assert still_wanted(read(sale)) == sale.wanted(), (sale.story, sale.order_id)
            compared += 1
    assert compared > 200


@pytest.mark.parametrize("channel", SHARES)
def test_money_place_and_times_are_read_as_they_were_meant(quiet: Quiet, channel: str) -> None:
    for sale in filter(shown, quiet.sales(channel)):
        if sale.expected == ("quarantined",):
            continue
        order = read(sale)
        assert order.platform_order_id == sale.order_id
        assert order.totals.paid == sale.total
        assert order.totals.postage == sale.postage
        assert order.placed_at == datetime.fromtimestamp(sale.placed_at, UTC)
        assert order.modified_at == datetime.fromtimestamp(sale.modified_at, UTC)
        assert order.ship_to.province.startswith(sale.place.short)
        assert sum(line.paid for line in order.lines) == sale.total - sale.postage


def test_orders_are_read_as_they_open() -> None:
    read_as = set()
    for life in Generator(5, simulated.load_catalogue()).take(1500):
        sale = open_sale(life, int(START))
        if sale.stage is not Stage.SHIPPED and shown(sale) and not (sale.oddity or sale.cash_on_delivery):
            order = read(sale)
            read_as.add((sale.stage, order.status, order.payment))
    assert read_as == OPENINGS


@pytest.mark.parametrize("channel", ["jd", "woocommerce"])
def test_cash_on_delivery_may_ship_unpaid(quiet: Quiet, channel: str) -> None:
    sale = next(sale for sale in quiet.sales(channel) if sale.cash_on_delivery)
    order = read(sale)
    assert (order.status, order.payment) == (OrderStatus.TO_SHIP, PaymentStatus.CASH_ON_DELIVERY)


@pytest.mark.parametrize("channel", ["taobao", "douyin"])
def test_an_unpaid_order_carries_its_platforms_deadline(quiet: Quiet, channel: str) -> None:
    sale = next(sale for sale in quiet.sales(channel) if sale.story == "unpaid-lapsed")
    assert read(sale).pay_deadline == datetime.fromtimestamp(sale.placed_at + 15, UTC)


@pytest.mark.parametrize("channel", SHARES)
def test_remarks_reach_the_order(quiet: Quiet, channel: str) -> None:
    told = [sale for sale in quiet.sales(channel) if sale.remark]
    assert told
    assert all(read(sale).buyer_remark == sale.remark for sale in told)


def test_the_examples_are_what_both_sides_read() -> None:
    assert Path("ops/docs/examples/catalogue.yaml").resolve() == simulated.EXAMPLE.resolve()
