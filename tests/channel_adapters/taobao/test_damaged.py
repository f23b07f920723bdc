"""Taobao payloads damaged by hand: each is refused by code and path, or read for what it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import UnreadablePayload
from channel_adapters.shop import Shop
from channel_adapters.taobao.adapter import ADAPTER
from schemas.order import Privacy
from tests.channel_adapters.contract import SHOP_ID, JsonPath, read, with_value, without

PAYLOADS = Path(__file__).parent / "payloads"
TRADE = ADAPTER.open_envelope((PAYLOADS / "01_simple_paid.json").read_bytes())[0].payload
LINE: JsonPath = ("orders", "order", 0)


def refusal(payload: bytes) -> tuple[str, str]:
    with pytest.raises(UnreadablePayload) as caught:
        read(ADAPTER, payload)
    return caught.value.code, caught.value.where


@pytest.mark.parametrize("payload", [TRADE[:-1], TRADE[1:], TRADE + b"}", b"", b"\xff\xfe", b"[" * 99])
def test_broken_json(payload: bytes) -> None:
    assert refusal(payload) == ("broken-json", "")


@pytest.mark.parametrize(
    ("path", "value", "code", "where"),
    [
        (("status",), "WAIT_FOR_GODOT", "unknown-status", "status"),
        (("status",), None, "bad-field", "status"),
        ((*LINE, "status"), "WAIT_FOR_GODOT", "unknown-status", "orders.order.0.status"),
        ((*LINE, "refund_status"), "WAIT_FOR_GODOT", "unknown-status", "orders.order.0.refund_status"),
        ((*LINE, "num"), -1, "bad-quantity", "orders.order.0.num"),
        ((*LINE, "num"), "two", "bad-field", "orders.order.0.num"),
        ((*LINE, "num"), 1.5, "bad-field", "orders.order.0.num"),
        ((*LINE, "num"), 10**12, "bad-field", "orders.order.0.num"),
        ((*LINE, "price"), "39.901", "bad-money", "orders.order.0.price"),
        ((*LINE, "price"), "-1.00", "bad-money", "orders.order.0.price"),
        ((*LINE, "price"), [], "bad-field", "orders.order.0.price"),
        ((*LINE, "discount_fee"), "x", "bad-money", "orders.order.0.discount_fee"),
        ((*LINE, "divide_order_fee"), "1.999", "bad-money", "orders.order.0.divide_order_fee"),
        ((*LINE, "oid_str"), 7, "bad-field", "orders.order.0.oid_str"),
        (("payment",), "87.805", "bad-money", "payment"),
        (("post_fee",), "8 yuan", "bad-money", "post_fee"),
        (("created",), "20 September", "bad-time", "created"),
        (("created",), "", "missing-field", "created"),
        (("created",), "0001-01-01 05:00:00", "missing-field", "created"),
        (("modified",), "2026-02-30 10:00:00", "bad-time", "modified"),
        (("pay_time",), 1789869634, "bad-field", "pay_time"),
        (("orders",), {}, "missing-field", "orders.order"),
        (("orders",), [], "bad-field", "orders"),
        (("orders", "order"), "none", "bad-field", "orders.order"),
        (("orders", "order"), [], "no-lines", "lines"),
        (("orders", "order", 0), None, "bad-field", "orders.order.0"),
    ],
)
def test_a_damaged_value_is_refused_by_path(path: JsonPath, value: Any, code: str, where: str) -> None:
    assert refusal(with_value(TRADE, path, value)) == (code, where)


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (("status",), "status"),
        (("payment",), "payment"),
        (("created",), "created"),
        (("modified",), "modified"),
        (("orders",), "orders"),
        ((*LINE, "price"), "orders.order.0.price"),
        ((*LINE, "num"), "orders.order.0.num"),
    ],
)
def test_a_missing_field_is_refused_by_path(path: JsonPath, where: str) -> None:
    assert refusal(without(TRADE, path)) == ("missing-field", where)


def test_a_trade_without_an_id_is_refused() -> None:
    assert refusal(without(without(TRADE, ("tid",)), ("tid_str",))) == ("missing-field", "tid")


def test_a_line_without_an_id_is_refused() -> None:
    payload = without(without(TRADE, (*LINE, "oid")), (*LINE, "oid_str"))
    assert refusal(payload) == ("missing-field", "orders.order.0.oid")


def test_two_lines_with_one_id_are_refused() -> None:
    line = json.loads(TRADE)["orders"]["order"][0]
    assert refusal(with_value(TRADE, ("orders", "order"), [line, line])) == ("duplicate-line", "lines.1.line_id")


@pytest.mark.parametrize("count", ["many", "-1", "1.5", "9999999"])
def test_a_promised_gift_without_a_count_is_refused(count: str) -> None:
    promotions = {"promotion_detail": [{"promotion_name": "x", "gift_item_name": "y", "gift_item_num": count}]}
    payload = with_value(TRADE, ("promotion_details",), promotions)
    assert refusal(payload) == ("bad-quantity", "promotion_details.promotion_detail.0.gift_item_num")


def test_five_hundred_lines_are_read() -> None:
    line = json.loads(TRADE)["orders"]["order"][0]
    lines = [{**line, "oid": 10**18 + index, "oid_str": str(10**18 + index)} for index in range(500)]
    order = read(ADAPTER, with_value(TRADE, ("orders", "order"), lines))
    assert len(order.lines) == 500
    assert order.totals.goods == 500 * 7980


def test_a_trade_of_ten_megabytes_is_refused() -> None:
    assert refusal(with_value(TRADE, ("buyer_message",), "x" * (10 << 20))) == ("too-large", "")


def test_a_missing_receiver_is_no_damage() -> None:
    payload = TRADE
    for name in json.loads(TRADE):
        if name.startswith("receiver_") or name == "oaid":
            payload = without(payload, (name,))
    assert read(ADAPTER, payload).ship_to.privacy is Privacy.MISSING


def test_text_that_cannot_be_written_is_mended() -> None:
    assert read(ADAPTER, TRADE.replace("样例燕麦片 500g".encode(), b"\\ud800")).lines[0].title == "\ufffd"


# -- envelopes -----------------------------------------------------------------------------------------------------


def page(*trades: bytes) -> bytes:
    rows = b",".join(trades)
    return b'{"trades_sold_get_response":{"total_results":%d,"trades":{"trade":[%s]}}}' % (len(trades), rows)


def test_one_bad_row_does_not_stop_its_page() -> None:
    nameless = without(without(TRADE, ("tid",)), ("tid_str",))
    first, second, third, fourth = ADAPTER.open_envelope(page(TRADE, nameless, b"7", b'{"tid":1,"modified":"x"}'))
    assert first.platform_order_id == "3000000000000000001"
    assert second.platform_order_id.startswith("unidentified-")
    assert second.payload == nameless
    assert third.payload == b"7"
    assert (fourth.platform_order_id, fourth.modified_at) == ("1", None)
    with pytest.raises(UnreadablePayload):
        ADAPTER.templates[0].read(second.payload, Shop(SHOP_ID))


@pytest.mark.parametrize("trades", [b'"trades":{}', b'"trades":null', b'"trades":{"trade":[]}', b'"total_results":0'])
def test_an_empty_page_is_no_order(trades: bytes) -> None:
    assert ADAPTER.open_envelope(b'{"trades_sold_get_response":{%s}}' % trades) == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"trades_sold_get_response":null}',
        b'{"trades_sold_get_response":[]}',
        b'{"trade_fullinfo_get_response":{}}',
        b'{"error_response":"down"}',
        b'{"refunds_receive_get_response":{"refunds":{"refund":[]}}}',
        b'{"topic":"taobao_trade_TradeClose","content":"{}"}',
        b'{"buyer_nick":"x","tid":1,"oid":2,"status":"TRADE_CLOSED"}',
        b'{"order_sn":"260920-000000000000001"}',
    ],
)
def test_a_body_that_is_no_trade_says_so(body: bytes) -> None:
    with pytest.raises(UnreadablePayload) as caught:
        ADAPTER.open_envelope(body)
    assert caught.value.code == "not-an-order"


def test_a_byte_order_mark_is_no_damage() -> None:
    assert len(ADAPTER.open_envelope(b"\xef\xbb\xbf" + TRADE)) == 1
