"""Shopify payloads damaged by hand: each a refusal that names the field, or an order when the damage does no harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import UnreadablePayload
from channel_adapters.parsing import NoTemplateFits, read_order
from channel_adapters.reading import MAX_PAYLOAD_BYTES
from channel_adapters.shop import Shop, ShopPolicy
from channel_adapters.shopify.adapter import ADAPTER
from schemas.codes import HoldCode
from schemas.order import OrderStatus
from tests.channel_adapters.contract import JsonPath, with_value, without

WHOLE = (Path(__file__).parent / "payloads" / "01_simple_paid_webhook_body.json").read_bytes()


def refusal(payload: bytes) -> UnreadablePayload:
    """What the main template says."""
    with pytest.raises(UnreadablePayload) as caught:
        ADAPTER.templates[0].read(payload, Shop("mall-2"))
    assert caught.value.text.en
    assert caught.value.text.zh
    return caught.value


@pytest.mark.parametrize(
    ("path", "value", "code", "where"),
    [
        (("currency",), "usd", "bad-currency", "currency"),
        (("total_price",), "free", "bad-money", "total_price"),
        (("line_items", 0, "price"), "-4.50", "bad-money", "line_items.0.price"),
        (
            ("line_items", 0, "discount_allocations"),
            [{"amount": "1,00"}],
            "bad-money",
            "line_items.0.discount_allocations.0.amount",
        ),
        (("line_items", 0, "quantity"), -2, "bad-quantity", "line_items.0.quantity"),
        (("line_items", 0, "fulfillable_quantity"), -1, "bad-quantity", "line_items.0.fulfillable_quantity"),
        (("line_items", 0, "quantity"), "many", "bad-field", "line_items.0.quantity"),
        (("line_items",), None, "bad-field", "line_items"),
        (("updated_at",), "2026-09-20T09:00:00", "bad-time", "updated_at"),
        (("updated_at",), "", "missing-field", "updated_at"),
        (("created_at",), "yesterday", "bad-time", "created_at"),
        (("id",), "gid://shopify/Order/1", "bad-field", "id"),
        (("id",), True, "bad-field", "id"),
    ],
)
def test_a_damaged_field_is_refused_by_name(path: JsonPath, value: Any, code: str, where: str) -> None:
    error = refusal(with_value(WHOLE, path, value))
    assert (error.code, error.where) == (code, where)


@pytest.mark.parametrize(
    "path",
    [
        ("id",),
        ("financial_status",),
        ("currency",),
        ("total_price",),
        ("subtotal_price",),
        ("total_line_items_price",),
        ("created_at",),
        ("updated_at",),
        ("line_items",),
        ("line_items", 0, "id"),
        ("line_items", 0, "quantity"),
        ("line_items", 0, "price"),
    ],
)
def test_a_field_that_every_form_has_is_missed_by_all_templates(path: JsonPath) -> None:
    with pytest.raises(NoTemplateFits) as caught:
        read_order(ADAPTER, without(WHOLE, path), Shop("mall-2"))
    where = ".".join(str(step) for step in path)
    assert [(each.template, each.code, each.where) for each in caught.value.failures] == [
        ("rest", "missing-field", where),
        ("rest-classic", "missing-field", where),
    ]


@pytest.mark.parametrize("payload", [WHOLE[:-30], b"", b"{'id': 1}"])
def test_broken_json_is_refused(payload: bytes) -> None:
    assert refusal(payload).code == "broken-json"


def test_the_same_line_twice_is_one_line_where_the_totals_agree() -> None:
    item = json.loads(WHOLE)["line_items"][0]
    order = read_order(ADAPTER, with_value(WHOLE, ("line_items",), [item, item]), Shop("mall-2"))
    assert len(order.lines) == 1
    assert order.holds == ()
    priced = with_value(WHOLE, ("total_line_items_price",), "100.00")
    order = read_order(ADAPTER, with_value(priced, ("line_items",), [item, item]), Shop("mall-2"))
    assert order.holds == (HoldCode.DUPLICATE_LINES,)


def test_five_hundred_lines_are_an_order() -> None:
    item = json.loads(WHOLE)["line_items"][0]
    body = with_value(WHOLE, ("line_items",), [{**item, "id": number} for number in range(1, 501)])
    assert len(read_order(ADAPTER, body, Shop("mall-2")).lines) == 500


def test_ten_megabytes_are_too_large() -> None:
    assert refusal(with_value(WHOLE, ("note",), "x" * MAX_PAYLOAD_BYTES)).code == "too-large"


def test_the_platform_s_half_empty_test_delivery_is_held_or_refused_but_never_shipped() -> None:
    """A fixed id above 2^53, `test` true, and null wherever the manual allows it."""
    body = with_value(with_value(WHOLE, ("id",), 820982911946154508), ("test",), True)
    for member in ("customer", "shipping_address", "note", "tags", "source_name", "payment_terms", "name", "refunds"):
        body = with_value(body, (member,), None)
    order = read_order(ADAPTER, body, Shop("mall-2"))
    assert order.platform_order_id == "820982911946154508"
    assert order.holds == ("test-order",)


@pytest.mark.parametrize(
    "refunds",
    [
        "all",
        [5],
        [{"refund_line_items": [{"line_item_id": 1}]}],
        [{"refund_line_items": [{"line_item_id": 1, "quantity": -1, "restock_type": "cancel"}]}],
        [{"refund_line_items": "all"}],
    ],
)
def test_a_refund_that_cannot_be_read_stops_the_order_all_the_same(refunds: Any) -> None:
    """Refused as a whole, it would leave the paid state in force, and the parcel would go."""
    order = read_order(ADAPTER, with_value(WHOLE, ("refunds",), refunds), Shop("mall-2"))
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, (HoldCode.PARTIAL_REFUND,))
    assert any(mark.startswith("odd=refund") for mark in order.marks)


@pytest.mark.parametrize("odd", [None, True, [], {}])
def test_a_payment_status_that_is_no_word_is_an_unknown_one(odd: Any) -> None:
    order = read_order(ADAPTER, with_value(WHOLE, ("financial_status",), odd), Shop("mall-2"))
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, (HoldCode.UNKNOWN_STATUS,))


def test_what_a_shop_says_of_a_parcel_concerns_the_parcel_alone() -> None:
    line = json.loads(WHOLE)["line_items"][0]
    parcel = {"status": "lost", "line_items": [{"id": line["id"], "quantity": line["quantity"]}]}
    lost = with_value(WHOLE, ("fulfillments",), [parcel])
    shop = Shop("mall-2", ShopPolicy(status_words={"lost": OrderStatus.CANCELLED}))
    assert read_order(ADAPTER, lost, shop).status is OrderStatus.TO_SHIP


def test_a_shops_own_meaning_goes_before_ours() -> None:
    shop = Shop("mall-2", ShopPolicy(status_words={"paid": OrderStatus.ON_HOLD}))
    order = read_order(ADAPTER, WHOLE, shop)
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, (HoldCode.PLATFORM_HOLD,))
