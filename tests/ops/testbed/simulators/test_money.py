"""Money adds up on every channel, by the formula that its documentation gives, whatever the seed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.testbed.simulators.catalogue import Catalogue, load_catalogue
from ops.testbed.simulators.generator import Generator
from ops.testbed.simulators.payloads import woocommerce
from ops.testbed.simulators.sale import Oddity, Sale, yuan
from tests.ops.testbed.simulators.builders import ORDER_OF
from tests.ops.testbed.simulators.conftest import Quiet, a_quiet_world

CATALOGUE = load_catalogue()

seeds = st.integers(min_value=0, max_value=2**31)


def orders(seed: int, channel: str) -> Iterator[tuple[Sale, dict[str, Any]]]:
    """Orders of one channel, as they are when they are placed."""
    for life in Generator(seed, CATALOGUE).take(120):
        if life.sale.channel == channel and life.sale.oddity is not Oddity.MONEY:
            yield life.sale, ORDER_OF[channel](life.sale)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_taobao(seed: int) -> None:
    for _, trade in orders(seed, "taobao"):
        subs = trade["orders"]["order"]
        for sub in subs:
            assert fen(sub["total_fee"]) == fen(sub["price"]) * sub["num"] - fen(sub["discount_fee"])
            assert fen(sub["divide_order_fee"]) == fen(sub["total_fee"]) - fen(sub["part_mjz_discount"])
            expected = trade["payment"] if len(subs) == 1 else sub["total_fee"]
            assert sub["payment"] == expected
        assert fen(trade["total_fee"]) == sum(fen(sub["price"]) * sub["num"] for sub in subs)
        assert fen(trade["discount_fee"]) == sum(fen(sub["part_mjz_discount"]) for sub in subs)
        assert fen(trade["payment"]) == sum(fen(sub["divide_order_fee"]) for sub in subs) + fen(trade["post_fee"])


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_pinduoduo(seed: int) -> None:
    for _, order in orders(seed, "pinduoduo"):
        goods = sum(fen(item["goods_price"]) * item["goods_count"] for item in order["item_list"])
        assert fen(order["goods_amount"]) == goods - fen(order["order_change_amount"])
        parts = ("platform_discount", "seller_discount", "capital_free_discount")
        assert fen(order["discount_amount"]) == sum(fen(order[part]) for part in parts)
        assert fen(order["pay_amount"]) == goods - fen(order["discount_amount"]) + fen(order["postage"])
        assert all(fen(gift["goods_price"]) == 0 for gift in order["gift_list"])


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_douyin(seed: int) -> None:
    for _, order in orders(seed, "douyin"):
        rows = order["sku_order_list"]
        for row in (order, *rows):
            parts = ("promotion_shop_amount", "promotion_platform_amount", "promotion_talent_amount")
            assert row["promotion_amount"] == sum(row[part] for part in parts)
            assert row["platform_cost_amount"] == row["only_platform_cost_amount"] + row["author_cost_amount"]
            assert row["pay_amount"] == row["order_amount"] - row["promotion_amount"]
        assert all(row["sum_amount"] == row["origin_amount"] * row["item_num"] for row in rows)
        assert order["order_amount"] == sum(row["sum_amount"] for row in rows) + order["post_amount"]
        for name in ("promotion_amount", "promotion_platform_amount"):
            assert order[name] == sum(row[name] for row in rows)
        phases = order["order_phase_list"]
        assert not phases or sum(phase["phase_payable_price"] for phase in phases) == order["pay_amount"]


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_jd(seed: int) -> None:
    for _, order in orders(seed, "jd"):
        total = sum(fen(item["jdPrice"]) * int(item["itemTotal"]) for item in order["itemInfoList"])
        assert fen(order["orderTotalPrice"]) == total
        assert fen(order["orderSellerPrice"]) == total - fen(order["sellerDiscount"])
        coupons = {row["couponType"]: fen(row["couponPrice"]) for row in order["couponDetailList"]}
        beans = coupons.pop("39-京豆优惠", 0)
        taken = sum(fen(row["couponPrice"]) for row in order["couponDetailList"])
        assert taken == fen(order["sellerDiscount"]) + beans
        assert fen(order["orderPayment"]) == total - taken + fen(order["freightPrice"])


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_woocommerce(seed: int) -> None:
    for _, order in orders(seed, "woocommerce"):
        lines = order["line_items"]
        assert fen(order["total"]) == sum(fen(line["total"]) for line in lines) + fen(order["shipping_total"])
        subtotal, total = (sum(fen(line[name]) for line in lines) for name in ("subtotal", "total"))
        assert fen(order["discount_total"]) == subtotal - total
        assert all(fen(line["subtotal"]) >= fen(line["total"]) for line in lines)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_shopify(seed: int) -> None:
    for _, order in orders(seed, "shopify"):
        lines = order["line_items"]
        goods = sum(fen(line["price"]) * line["quantity"] for line in lines)
        taken = sum(fen(each["amount"]) for line in lines for each in line["discount_allocations"])
        assert fen(order["total_line_items_price"]) == goods
        assert fen(order["total_discounts"]) == taken
        assert fen(order["subtotal_price"]) == goods - taken
        shipping = sum(fen(line["price"]) for line in order["shipping_lines"])
        assert fen(order["total_price"]) == goods - taken + shipping
        applied = {each["discount_application_index"] for line in lines for each in line["discount_allocations"]}
        assert applied == set(range(len(order["discount_applications"])))


def test_a_mall_refund_gives_back_what_its_lines_cost(catalogue: Catalogue) -> None:
    quiet = a_quiet_world(catalogue, orders=3000)
    for sale in quiet.sales("woocommerce"):
        for refund in woocommerce.refunds(sale):
            lines = sum(fen(line["total"]) for line in refund["line_items"])
            postage = sale.postage if sale.story != "line-refunded" else 0
            assert fen(refund["amount"]) == postage - lines > 0


def test_a_broken_amount_is_finer_than_a_fen_or_no_number_at_all(quiet: Quiet) -> None:
    names = {
        "taobao": "payment", "pinduoduo": "pay_amount", "douyin": "pay_amount", "jd": "orderPayment",
        "woocommerce": "total", "shopify": "total_price",
    }  # fmt: skip
    for sale in quiet.world.sales:
        if sale.oddity is Oddity.MONEY:
            told = str(ORDER_OF[sale.channel](sale)[names[sale.channel]])
            if told.count(".") > 1:
                continue
            amount = Decimal(told)
            fine = amount if sale.channel == "douyin" else amount * 100
            assert fine != fine.to_integral_value()


@pytest.mark.parametrize(("amount", "text"), [(0, "0.00"), (5, "0.05"), (1230, "12.30"), (-1001, "-10.01")])
def test_yuan_text_has_two_decimals(amount: int, text: str) -> None:
    assert yuan(amount) == text


def fen(text: str | float) -> int:
    """Exactly; anything finer than a fen fails."""
    amount = Decimal(str(text)) * 100
    assert amount == amount.to_integral_value()
    return int(amount)
