"""Damaged Douyin payloads: a refusal that names the field, or the order that is left, and never another exception."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import UnreadablePayload
from channel_adapters.douyin.adapter import ADAPTER
from schemas.codes import HoldCode
from schemas.order import LineStatus, OrderStatus, PaymentStatus, Privacy, RefundStatus
from tests.channel_adapters.contract import JsonPath, read, with_value, without

PAYLOADS = Path(__file__).parent / "payloads"
PAYLOAD = ADAPTER.open_envelope((PAYLOADS / "01_simple_paid_detail.json").read_bytes())[0].payload
LINE: JsonPath = ("sku_order_list", 0)


def refusal(payload: bytes) -> UnreadablePayload:
    with pytest.raises(UnreadablePayload) as caught:
        read(ADAPTER, payload)
    assert caught.value.text.en
    assert caught.value.text.zh
    return caught.value


@pytest.mark.parametrize(
    ("path", "value", "code", "where"),
    [
        ((*LINE, "order_id"), 6.9e18, "bad-field", "sku_order_list.0.order_id"),
        ((*LINE, "item_num"), -1, "bad-field", "sku_order_list.0.item_num"),
        ((*LINE, "item_num"), "two", "bad-field", "sku_order_list.0.item_num"),
        ((*LINE, "item_num"), "2.0", "bad-field", "sku_order_list.0.item_num"),
        ((*LINE, "item_num"), 1.5, "bad-field", "sku_order_list.0.item_num"),
        ((*LINE, "item_num"), 10**9, "bad-field", "sku_order_list.0.item_num"),
        (("pay_amount",), 54.801, "bad-field", "pay_amount"),
        (("pay_amount",), "54.80", "bad-field", "pay_amount"),
        (("pay_amount",), -5480, "bad-field", "pay_amount"),
        ((*LINE, "pay_amount"), [], "bad-field", "sku_order_list.0.pay_amount"),
        (("create_time",), 0, "missing-field", "create_time"),
        (("update_time",), 0, "missing-field", "update_time"),
        (("update_time",), "2026-09-20", "bad-field", "update_time"),
        (("create_time",), 10**15, "bad-field", "create_time"),
        (("sku_order_list",), None, "bad-field", "sku_order_list"),
        (("sku_order_list",), "none", "bad-field", "sku_order_list"),
        (LINE, None, "bad-field", "sku_order_list.0"),
        (("order_id",), "", "bad-field", "order_id"),
        (("order_id",), 6.9e18, "bad-field", "order_id"),
        (("order_id",), None, "bad-field", "order_id"),
        (("order_phase_list",), "none", "bad-field", "order_phase_list"),
        (("appointment_ship_time",), "tomorrow", "bad-field", "appointment_ship_time"),
    ],
    ids=repr,
)
def test_a_wrong_value_is_refused_by_its_path(path: JsonPath, value: Any, code: str, where: str) -> None:
    error = refusal(with_value(PAYLOAD, path, value))
    assert (error.code, error.where) == (code, where)


@pytest.mark.parametrize(
    "path",
    [
        ("order_id",),
        ("order_status",),
        ("create_time",),
        ("update_time",),
        ("pay_amount",),
        ("sku_order_list",),
        (*LINE, "order_id"),
        (*LINE, "order_status"),
        (*LINE, "item_num"),
        (*LINE, "origin_amount"),
        (*LINE, "after_sale_info"),
    ],
)
def test_what_no_reading_can_do_without_is_refused_as_missing(path: JsonPath) -> None:
    error = refusal(without(PAYLOAD, path))
    assert error.code == "missing-field"
    assert error.where == ".".join(str(step) for step in path)


def test_a_line_that_stands_twice_is_one() -> None:
    row = json.loads(PAYLOAD)["sku_order_list"][0]
    order, once = read(ADAPTER, with_value(PAYLOAD, ("sku_order_list",), [row, row])), read(ADAPTER, PAYLOAD)
    assert order.lines == once.lines
    assert order.status is OrderStatus.TO_SHIP
    assert order.marks == ("repeated-line",)


def test_two_lines_of_one_id_are_told_apart_and_held_when_the_totals_do_not_fit() -> None:
    row = json.loads(PAYLOAD)["sku_order_list"][0]
    other = row | {"code": "SKU-OTHER", "item_num": 1, "sum_amount": 2990, "pay_amount": 2990}
    two = with_value(PAYLOAD, ("sku_order_list",), [row, other])
    order = read(ADAPTER, two)
    assert [(line.line_id, line.sku) for line in order.lines] == [
        ("6900000000000000001", "SKU-CREAM-50"),
        ("6900000000000000001#2", "SKU-OTHER"),
    ]
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, (HoldCode.DUPLICATE_LINES,))
    assert read(ADAPTER, with_value(two, ("pay_amount",), 5480 + 2990)).status is OrderStatus.TO_SHIP


def test_an_order_whose_list_of_lines_is_empty_has_nothing_to_ship() -> None:
    nothings: list[object] = [[], {}]
    for nothing in nothings:
        order = read(ADAPTER, with_value(PAYLOAD, ("sku_order_list",), nothing))
        assert order.lines == ()
        assert order.payment is PaymentStatus.PAID


def test_an_emptied_line_is_cancelled() -> None:
    order = read(ADAPTER, with_value(PAYLOAD, (*LINE, "item_num"), 0))
    assert [(line.status, line.quantity) for line in order.lines] == [(LineStatus.CANCELLED, 0)]
    assert order.status is OrderStatus.CANCELLED


@pytest.mark.parametrize("odd", [True, 2.0, [], {"x": 1}, "", None], ids=repr)
@pytest.mark.parametrize("path", [("order_status",), (*LINE, "order_status")], ids=repr)
def test_what_is_no_word_at_all_is_an_unknown_one(path: JsonPath, odd: Any) -> None:
    order = read(ADAPTER, with_value(PAYLOAD, path, odd))
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, (HoldCode.UNKNOWN_STATUS,))


@pytest.mark.parametrize("odd", ["refunding", [1], True], ids=repr)
def test_an_after_sale_that_is_none_holds_the_order(odd: Any) -> None:
    order = read(ADAPTER, with_value(PAYLOAD, (*LINE, "after_sale_info"), odd))
    assert (order.holds, order.lines[0].refund) == ((HoldCode.UNKNOWN_STATUS,), RefundStatus.REQUESTED)


def test_of_a_refund_of_unknown_kind_nobody_knows_whether_it_took_the_line_back() -> None:
    told = {"after_sale_status": 12, "after_sale_type": 99, "refund_status": 3}
    order = read(ADAPTER, with_value(PAYLOAD, (*LINE, "after_sale_info"), told))
    assert order.holds == (HoldCode.UNKNOWN_STATUS,)
    assert (order.lines[0].status, order.lines[0].refund) == (LineStatus.OPEN, RefundStatus.REQUESTED)


def test_a_parcel_that_cannot_be_read_holds_the_rest() -> None:
    parcels = [{"product_info": [{"sku_order_id": "6900000000000000001", "product_count": "many"}]}]
    payload = with_value(with_value(PAYLOAD, ("order_status",), 101), ("logistics_info",), parcels)
    assert read(ADAPTER, payload).holds == (HoldCode.LINE_PART_SHIPPED,)
    gone = with_value(with_value(payload, ("order_status",), 3), ("main_status",), 3)
    assert read(ADAPTER, gone).status is OrderStatus.SHIPPED


def test_an_address_that_cannot_be_read_is_none() -> None:
    order = read(ADAPTER, with_value(PAYLOAD, ("post_addr",), "somewhere"))
    assert (order.ship_to.privacy, order.source.template) == (Privacy.MISSING, "reduced")
    assert "odd=post_addr" in order.marks


def test_a_phase_that_does_not_say_that_it_is_paid_is_not() -> None:
    order = read(ADAPTER, with_value(PAYLOAD, ("order_phase_list",), [{"current_phase": 1}]))
    assert (order.status, order.payment) == (OrderStatus.AWAITING_PAYMENT, PaymentStatus.UNPAID)


def test_too_many_lines_are_refused() -> None:
    row = json.loads(PAYLOAD)["sku_order_list"][0]
    rows = [row | {"order_id": str(number)} for number in range(2001)]
    assert refusal(with_value(PAYLOAD, ("sku_order_list",), rows)).code == "too-many-lines"


def test_a_payload_of_ten_megabytes_is_refused() -> None:
    assert refusal(with_value(PAYLOAD, ("buyer_words",), "x" * (10 << 20))).code == "too-large"


@pytest.mark.parametrize("cut", [1, 100, 3000])
def test_broken_json_is_refused(cut: int) -> None:
    assert refusal(PAYLOAD[:-cut]).code == "broken-json"
    with pytest.raises(UnreadablePayload) as caught:
        ADAPTER.open_envelope(PAYLOAD[:-cut])
    assert caught.value.code == "broken-json"


def test_a_missing_receiver_is_an_order_without_one() -> None:
    names = ("encrypt_post_receiver", "encrypt_post_tel", "mask_post_receiver", "mask_post_tel", "mask_post_addr")
    payload = without(PAYLOAD, ("post_addr",))
    for name in names:
        payload = without(payload, (name,))
    order = read(ADAPTER, payload)
    assert order.ship_to.privacy is Privacy.MISSING
    assert order.source.template == "reduced"


@pytest.mark.parametrize("nothing", [None, {}, []], ids=repr)
@pytest.mark.parametrize("name", ["order_phase_list", "logistics_info", "shop_order_tag_ui"])
def test_a_list_may_be_empty_in_any_spelling(name: str, nothing: Any) -> None:
    assert read(ADAPTER, with_value(PAYLOAD, (name,), nothing)) == read(ADAPTER, PAYLOAD)


def test_free_delivery_of_nothing_paid_is_legal() -> None:
    order = read(ADAPTER, with_value(with_value(PAYLOAD, ("pay_amount",), 0), (*LINE, "item_num"), 0))
    assert (order.totals.paid, order.lines[0].quantity) == (0, 0)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"p_id":6900000000000000001,"s_ids":[1],"order_status":2}', "push message"),
        (b'[{"tag":"101","msg_id":"1","data":"{}"}]', "push message"),
        (b'{"code":10000,"data":{"items":[],"has_more":false}}', "neither a list of orders"),
        (b'{"code":10000,"data":null}', "neither a list of orders"),
        (b'{"code":10000,"data":{"shop_order_detail":null}}', "neither a list of orders"),
        (b'{"tid":1}', "no doudian answer"),
    ],
)
def test_a_body_that_holds_no_order_says_what_it_is(body: bytes, told: str) -> None:
    with pytest.raises(UnreadablePayload) as caught:
        ADAPTER.open_envelope(body)
    assert caught.value.code == "not-an-order"
    assert told in caught.value.text.en


@pytest.mark.parametrize("rows", [b"null", b"{}", b"[]"])
def test_an_empty_page_in_any_spelling_is_empty(rows: bytes) -> None:
    assert ADAPTER.open_envelope(b'{"code":10000,"data":{"total":0,"shop_order_list":%s}}' % rows) == []
