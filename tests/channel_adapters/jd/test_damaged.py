"""Damaged JD payloads: a refusal that names the field, or the order that is left, and never another exception."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import UnreadablePayload
from channel_adapters.jd.adapter import ADAPTER
from channel_adapters.shop import Shop
from schemas.order import Privacy
from tests.channel_adapters.contract import JsonPath, read, with_value, without

PAYLOADS = Path(__file__).parent / "payloads"
PAYLOAD = ADAPTER.open_envelope((PAYLOADS / "01_simple_paid_detail.json").read_bytes())[0].payload
ITEM: JsonPath = ("itemInfoList", 0)


def refusal(payload: bytes) -> UnreadablePayload:
    with pytest.raises(UnreadablePayload) as caught:
        read(ADAPTER, payload)
    assert caught.value.text.en
    assert caught.value.text.zh
    return caught.value


@pytest.mark.parametrize(
    ("path", "value", "code", "where"),
    [
        (("orderState",), "WAIT_FOR_GODOT", "unknown-status", "orderState"),
        (("payType",), "9-其他", "unknown-status", "payType"),
        (("storeOrder",), "火星仓订单", "unknown-status", "storeOrder"),
        ((*ITEM, "itemTotal"), "-1", "bad-quantity", "itemInfoList.0.itemTotal"),
        ((*ITEM, "itemTotal"), -1, "bad-quantity", "itemInfoList.0.itemTotal"),
        ((*ITEM, "itemTotal"), "1.5", "bad-quantity", "itemInfoList.0.itemTotal"),
        ((*ITEM, "itemTotal"), "²", "bad-quantity", "itemInfoList.0.itemTotal"),
        ((*ITEM, "itemTotal"), "12345678", "bad-quantity", "itemInfoList.0.itemTotal"),
        ((*ITEM, "itemTotal"), True, "bad-field", "itemInfoList.0.itemTotal"),
        ((*ITEM, "jdPrice"), "129.001", "bad-money", "itemInfoList.0.jdPrice"),
        ((*ITEM, "jdPrice"), "-129.00", "bad-money", "itemInfoList.0.jdPrice"),
        ((*ITEM, "jdPrice"), None, "bad-field", "itemInfoList.0.jdPrice"),
        (("orderPayment",), "135.001", "bad-money", "orderPayment"),
        (("freightPrice",), "free", "bad-money", "freightPrice"),
        (("couponDetailList",), [{"couponPrice": "x"}], "bad-money", "couponDetailList.0.couponPrice"),
        (("orderStartTime",), "yesterday", "bad-time", "orderStartTime"),
        (("orderStartTime",), "0001-01-01 00:00:00", "missing-field", "orderStartTime"),
        (("modified",), "1970-01-01 00:00:00", "missing-field", "modified"),
        (("paymentConfirmTime",), "2026-13-45 00:00:00", "bad-time", "paymentConfirmTime"),
        (("itemInfoList",), [], "no-lines", "lines"),
        (("itemInfoList",), "none", "bad-field", "itemInfoList"),
        (ITEM, None, "bad-field", "itemInfoList.0"),
        (("orderId",), "", "bad-field", "orderId"),
        (("orderId",), 2.49e11, "bad-field", "orderId"),
        (("orderId",), None, "bad-field", "orderId"),
        (("consigneeInfo",), "somebody", "bad-field", "consigneeInfo"),
    ],
    ids=repr,
)
def test_a_wrong_value_is_refused_by_its_path(path: JsonPath, value: Any, code: str, where: str) -> None:
    error = refusal(with_value(PAYLOAD, path, value))
    assert (error.code, error.where) == (code, where)


@pytest.mark.parametrize(
    "path",
    [
        ("orderId",),
        ("orderState",),
        ("payType",),
        ("orderPayment",),
        ("orderStartTime",),
        ("modified",),
        ("itemInfoList",),
        (*ITEM, "skuId"),
        (*ITEM, "jdPrice"),
        (*ITEM, "itemTotal"),
    ],
)
def test_what_no_reading_can_do_without_is_refused_as_missing(path: JsonPath) -> None:
    error = refusal(without(PAYLOAD, path))
    assert error.code == "missing-field"
    assert error.where == ".".join(str(step) for step in path)


@pytest.mark.parametrize("item_ext", ["", "{broken", "[]", '{"skuUuid":""}', '{"skuUuid":{}}', '{"cid":"1"}'])
def test_a_detail_without_line_ids_is_read_as_a_lean_order(item_ext: str) -> None:
    payload = with_value(PAYLOAD, (*ITEM, "itemExt"), item_ext)
    with pytest.raises(UnreadablePayload) as caught:
        ADAPTER.templates[0].read(payload, Shop("jd-1"))
    assert (caught.value.code, caught.value.where) == ("missing-field", "itemInfoList.0.itemExt")
    order = read(ADAPTER, payload)
    assert (order.source.template, order.lines[0].line_id) == ("lean", "10050000000001")


def test_a_line_that_stands_twice_is_refused() -> None:
    row = json.loads(PAYLOAD)["itemInfoList"][0]
    assert refusal(with_value(PAYLOAD, ("itemInfoList",), [row, row])).code == "duplicate-line"


def test_too_many_lines_are_refused() -> None:
    row = json.loads(PAYLOAD)["itemInfoList"][0]
    rows = [row | {"itemExt": json.dumps({"skuUuid": f"u{number}"})} for number in range(2001)]
    assert refusal(with_value(PAYLOAD, ("itemInfoList",), rows)).code == "too-many-lines"


def test_a_payload_of_ten_megabytes_is_refused() -> None:
    assert refusal(with_value(PAYLOAD, ("orderRemark",), "x" * (10 << 20))).code == "too-large"


@pytest.mark.parametrize("cut", [1, 100, 2000])
def test_broken_json_is_refused(cut: int) -> None:
    assert refusal(PAYLOAD[:-cut]).code == "broken-json"
    with pytest.raises(UnreadablePayload) as caught:
        ADAPTER.open_envelope(PAYLOAD[:-cut])
    assert caught.value.code == "broken-json"


def test_a_missing_receiver_is_an_order_without_one() -> None:
    order = read(ADAPTER, without(PAYLOAD, ("consigneeInfo",)))
    assert order.ship_to.privacy is Privacy.MISSING
    assert order.source.template == "lean"


@pytest.mark.parametrize("nothing", [None, {}, [], ""], ids=repr)
@pytest.mark.parametrize("name", ["couponDetailList", "partialLogisticsInfoModel", "orderMarkDesc", "popSignMap"])
def test_nothing_may_be_spelled_in_any_way(name: str, nothing: Any) -> None:
    assert read(ADAPTER, with_value(PAYLOAD, (name,), nothing)) == read(ADAPTER, PAYLOAD)


@pytest.mark.parametrize("sendpay", ["{broken", [["deep"]], 7, {"9": {"no": "digit"}}], ids=repr)
def test_flags_that_cannot_be_read_mark_nothing(sendpay: Any) -> None:
    assert read(ADAPTER, with_value(PAYLOAD, ("sendpayMap",), sendpay)).marks == ()


def test_a_count_of_zero_is_legal() -> None:
    assert read(ADAPTER, with_value(PAYLOAD, (*ITEM, "itemTotal"), "0")).lines[0].quantity == 0


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"orderId":249000000007,"payment":5900,"itemList":[]}', "unpaid orders"),
        (b'{"id":1,"presaleId":3000001,"orderId":249000000012}', "presale list"),
        (b'{"orderId":249000000001,"orderState":"PAUSE","updateTime":1789866031000}', "SP-API"),
        (b'{"Response":{"success":true,"data":[]}}', "SP-API"),
        (b'{"jingdong_pop_order_shipment_responce":{"code":"0"}}', "neither a list of orders"),
        (b'{"jingdong_pop_order_get_responce":{"code":"0","orderDetailInfo":{}}}', "neither a list of orders"),
        (b'{"tid":1}', "no answer of JD"),
        (b"[]", "not a JSON object"),
    ],
)
def test_a_body_that_holds_no_order_says_what_it_is(body: bytes, told: str) -> None:
    with pytest.raises(UnreadablePayload) as caught:
        ADAPTER.open_envelope(body)
    assert caught.value.code == "not-an-order"
    assert told in caught.value.text.en


@pytest.mark.parametrize("rows", [b"null", b"{}", b"[]"])
def test_an_empty_page_in_any_spelling_is_empty(rows: bytes) -> None:
    result = b'{"apiResult":{"success":true},"orderTotal":0,"orderInfoList":%s}' % rows
    body = b'{"jingdong_pop_order_search_responce":{"code":"0","searchorderinfo_result":%s}}' % result
    assert ADAPTER.open_envelope(body) == []


def test_one_bad_row_does_not_hide_the_rest_of_its_page() -> None:
    rows = b'[{"no":"id"},{"orderId":249000000001,"modified":"never"}]'
    body = b'{"x_responce":{"searchorderinfo_result":{"apiResult":{"success":true},"orderInfoList":%s}}}' % rows
    bad, good = ADAPTER.open_envelope(body)
    assert bad.platform_order_id.startswith("unidentified-")
    assert (good.platform_order_id, good.modified_at) == ("249000000001", None)
