"""WooCommerce payloads damaged by hand: a refusal that names the field, or an order when the damage does no harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import UnreadablePayload
from channel_adapters.reading import MAX_PAYLOAD_BYTES
from channel_adapters.shop import Shop
from channel_adapters.woocommerce.adapter import ADAPTER
from schemas.codes import HoldCode
from schemas.order import OrderStatus, Privacy
from tests.channel_adapters.contract import JsonPath, with_value, without

WHOLE = (Path(__file__).parent / "payloads" / "01_simple_paid.json").read_bytes()


def refusal(payload: bytes) -> UnreadablePayload:
    with pytest.raises(UnreadablePayload) as caught:
        ADAPTER.templates[0].read(payload, Shop("mall-1"))
    assert caught.value.text.en
    assert caught.value.text.zh
    return caught.value


@pytest.mark.parametrize(
    ("path", "value", "code", "where"),
    [
        (("currency",), "dollars", "bad-currency", "currency"),
        (("total",), "14,00", "bad-money", "total"),
        (("total",), "-14.00", "bad-money", "total"),
        (("line_items", 0, "subtotal"), "1e999", "bad-money", "line_items.0.subtotal"),
        (("line_items", 0, "total"), "9,005", "bad-money", "line_items.0.total"),
        (("line_items", 0, "quantity"), -2, "bad-quantity", "line_items.0.quantity"),
        (("line_items", 0, "quantity"), 1.5, "bad-field", "line_items.0.quantity"),
        (("line_items", 0, "quantity"), "two", "bad-field", "line_items.0.quantity"),
        (("line_items", 0, "id"), 0, "bad-field", "line_items.0.id"),
        (("line_items",), {"0": {}}, "missing-field", "line_items.0.id"),
        (("line_items",), None, "bad-field", "line_items"),
        (("date_modified_gmt",), None, "missing-field", "date_modified_gmt"),
        (("date_modified_gmt",), "yesterday", "bad-time", "date_modified_gmt"),
        (("date_created_gmt",), "2026-13-45T99:00:00", "bad-time", "date_created_gmt"),
        (("date_paid_gmt",), 1789920030, "bad-time", "date_paid_gmt"),
        (("id",), "A-1", "bad-field", "id"),
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
        ("status",),
        ("currency",),
        ("total",),
        ("shipping_total",),
        ("discount_total",),
        ("date_created_gmt",),
        ("date_modified_gmt",),
        ("line_items",),
        ("line_items", 0, "id"),
        ("line_items", 0, "quantity"),
        ("line_items", 0, "subtotal"),
        ("line_items", 0, "total"),
    ],
)
def test_a_missing_field_is_refused_by_name(path: JsonPath) -> None:
    error = refusal(without(WHOLE, path))
    assert (error.code, error.where) == ("missing-field", ".".join(str(step) for step in path))


@pytest.mark.parametrize("payload", [WHOLE[:-30], b"", b"{'id': 1}"])
def test_broken_json_is_refused(payload: bytes) -> None:
    assert refusal(payload).code == "broken-json"


def test_the_same_line_twice_is_one_line() -> None:
    item = json.loads(WHOLE)["line_items"][0]
    order = ADAPTER.templates[0].read(with_value(WHOLE, ("line_items",), [item, item]), Shop("mall-1"))
    assert len(order.lines) == 1
    assert "repeated-line" in order.marks


def test_five_hundred_lines_are_an_order() -> None:
    item = json.loads(WHOLE)["line_items"][0]
    body = with_value(WHOLE, ("line_items",), [{**item, "id": number} for number in range(1, 501)])
    order = ADAPTER.templates[0].read(body, Shop("mall-1"))
    assert len(order.lines) == 500
    assert order.totals.goods == 500 * 900


def test_ten_megabytes_are_too_large() -> None:
    assert refusal(with_value(WHOLE, ("customer_note",), "x" * MAX_PAYLOAD_BYTES)).code == "too-large"


def test_an_order_without_a_receiver_is_an_order() -> None:
    body = without(without(WHOLE, ("shipping",)), ("billing",))
    assert ADAPTER.templates[0].read(body, Shop("mall-1")).ship_to.privacy is Privacy.MISSING


def test_nulls_where_lists_may_be_do_no_harm() -> None:
    body = WHOLE
    for member in ("meta_data", "coupon_lines", "shipping_lines", "refunds", "customer_note", "payment_method"):
        body = with_value(body, (member,), None)
    assert ADAPTER.templates[0].read(body, Shop("mall-1")).totals.paid == 1400


@pytest.mark.parametrize("refunds", ["all", [5], [{"id": 1}], [{"total": "all"}], [{"total": ""}], [{"total": None}]])
def test_a_refund_that_cannot_be_read_stops_the_order_all_the_same(refunds: Any) -> None:
    """Refused as a whole, it would leave the paid state in force, and the parcel would go."""
    order = ADAPTER.templates[0].read(with_value(WHOLE, ("refunds",), refunds), Shop("mall-1"))
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, (HoldCode.PARTIAL_REFUND,))
    assert "odd=refunds" in order.marks


@pytest.mark.parametrize("odd", [None, True, [], {}, ""])
def test_a_status_that_is_no_word_is_an_unknown_one(odd: Any) -> None:
    order = ADAPTER.templates[0].read(with_value(WHOLE, ("status",), odd), Shop("mall-1"))
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, (HoldCode.UNKNOWN_STATUS,))
