"""Damaged JD payloads: a refusal that names the field, or the order that is left, and never another exception."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import UnreadablePayload
from channel_adapters.jd.adapter import ADAPTER
from channel_adapters.parsing import read_order
from channel_adapters.shop import Shop
from schemas.codes import HoldCode
from schemas.order import LineStatus, Order, OrderStatus, PaymentStatus, Privacy
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
        (("orderStartTime",), "yesterday", "bad-time", "orderStartTime"),
        (("orderStartTime",), "0001-01-01 00:00:00", "missing-field", "orderStartTime"),
        (("modified",), "1970-01-01 00:00:00", "missing-field", "modified"),
        (("paymentConfirmTime",), "2026-13-45 00:00:00", "bad-time", "paymentConfirmTime"),
        (("itemInfoList",), "none", "bad-field", "itemInfoList"),
        (("itemInfoList",), None, "bad-field", "itemInfoList"),
        ((*ITEM, "outerSkuId"), ["SKU"], "bad-field", "itemInfoList.0.outerSkuId"),
        (ITEM, None, "bad-field", "itemInfoList.0"),
        (("orderId",), "", "bad-field", "orderId"),
        (("orderId",), 2.49e11, "bad-field", "orderId"),
        (("orderId",), None, "bad-field", "orderId"),
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


def with_rows(*rows: dict[str, Any]) -> Order:
    return read(ADAPTER, with_value(PAYLOAD, ("itemInfoList",), list(rows)))


ROW: dict[str, Any] = json.loads(PAYLOAD)["itemInfoList"][0]


def test_a_line_that_stands_twice_counts_once() -> None:
    order = with_rows(ROW, ROW)
    assert [(line.line_id, line.quantity) for line in order.lines] == [("1012_EXAMPLE0001", 1)]
    assert (order.status, order.holds) == (OrderStatus.TO_SHIP, ())
    assert "repeated-line" in order.marks


def test_two_lines_of_one_id_are_told_apart_and_the_totals_decide() -> None:
    other = ROW | {"outerSkuId": "SKU-2", "jdPrice": "100.00"}
    fits = with_rows(ROW | {"jdPrice": "29.00"}, other)
    assert [line.line_id for line in fits.lines] == ["1012_EXAMPLE0001", "1012_EXAMPLE0001#2"]
    assert (fits.status, fits.holds) == (OrderStatus.TO_SHIP, ())
    contradicts = with_rows(ROW, other)
    assert (contradicts.status, contradicts.holds) == (OrderStatus.ON_HOLD, (HoldCode.DUPLICATE_LINES,))
    assert HoldCode.TOTALS_CONTRADICT in contradicts.marks


def test_a_gift_row_that_says_neither_what_nor_how_many_is_none() -> None:
    nothing = {"skuId": None, "jdPrice": "0.00", "itemTotal": "0", "outerSkuId": None, "skuName": None, "itemExt": None}
    order = with_rows(ROW, nothing)
    assert [line.line_id for line in order.lines] == ["1012_EXAMPLE0001"]
    assert "odd=itemInfoList" in order.marks


@pytest.mark.parametrize("rows", [[], {}], ids=repr)
def test_an_order_without_lines_is_read_because_it_stops_what_a_warehouse_holds(rows: Any) -> None:
    assert read(ADAPTER, with_value(PAYLOAD, ("itemInfoList",), rows)).lines == ()


@pytest.mark.parametrize(
    "ext",
    [
        {"skuUuid": "1012_EXAMPLE0001", "cid": "13288"},
        {"skuUuid": " 1012_EXAMPLE0001 ", "cid": 13288},
        '{"skuUuid":"1012_EXAMPLE0001","cid":13288,"isVMI":{}}',
    ],
    ids=repr,
)
def test_what_stands_in_a_text_may_be_an_object(ext: Any) -> None:
    assert read(ADAPTER, with_value(PAYLOAD, (*ITEM, "itemExt"), ext)) == read(ADAPTER, PAYLOAD)


def test_of_odd_extras_the_id_is_kept() -> None:
    order = read(ADAPTER, with_value(PAYLOAD, (*ITEM, "itemExt"), '{"skuUuid":"1012_EXAMPLE0001","cid":[]}'))
    assert (order.source.template, order.lines[0].line_id, order.lines[0].marks) == ("detail", "1012_EXAMPLE0001", ())
    assert {"odd=itemExt", "odd=cid"} <= set(order.marks)


def test_coupons_inside_a_list_too_many_are_left_out() -> None:
    coupon = {"couponType": "34-满减", "couponPrice": "10.00", "skuId": ""}
    order = read(ADAPTER, with_value(PAYLOAD, ("couponDetailList",), [[coupon], coupon, None, {"couponPrice": "x"}]))
    assert [each.amount for each in order.promotions] == [1000, 0]
    assert "odd=couponDetailList" in order.marks
    assert order.status is OrderStatus.TO_SHIP


@pytest.mark.parametrize("name", ["orderState", "orderType", "payType", "storeOrder", "returnOrder"])
@pytest.mark.parametrize("odd", [True, 1.5, {}, [], "待出库", "9-其他"], ids=repr)
def test_a_word_that_is_none_holds_the_order(name: str, odd: Any) -> None:
    order = read(ADAPTER, with_value(PAYLOAD, (name,), odd))
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, (HoldCode.UNKNOWN_STATUS,))
    assert order.payment is PaymentStatus.PAID


@pytest.mark.parametrize("name", ["orderState", "orderType", "payType"])
def test_nothing_in_the_place_of_a_word_holds_the_order(name: str) -> None:
    order = read(ADAPTER, with_value(PAYLOAD, (name,), None))
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, (HoldCode.UNKNOWN_STATUS,))


@pytest.mark.parametrize(
    "parcels",
    ["x", [7], [{"skus": "x"}], [{"skus": [{"skuId": "10050000000001"}]}], [{"skus": [{"num": "one"}]}]],
    ids=repr,
)
def test_parcels_that_cannot_be_read_hold_the_order(parcels: Any) -> None:
    """What has left is not known, and must not leave twice."""
    order = read(ADAPTER, with_value(PAYLOAD, ("partialLogisticsInfoModel",), parcels))
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, (HoldCode.LINE_PART_SHIPPED,))


def test_what_left_before_an_order_was_cancelled_stays_shipped() -> None:
    parcel = {"skus": [{"skuUuid": "1012_EXAMPLE0001", "num": 1}]}
    payload = with_value(PAYLOAD, ("partialLogisticsInfoModel",), [parcel])
    order = read(ADAPTER, with_value(payload, ("orderState",), "TRADE_CANCELED"))
    assert order.status is OrderStatus.CANCELLED
    assert [(line.status, line.quantity) for line in order.lines] == [(LineStatus.SHIPPED, 1)]


def test_an_address_that_cannot_be_read_is_none() -> None:
    order = read(ADAPTER, with_value(PAYLOAD, ("consigneeInfo", "fullAddress"), {"street": 1}))
    assert order.ship_to.privacy is Privacy.MISSING
    assert "odd=fullAddress" in order.marks


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("orderId", " 249000000001 "),
        ("orderId", 249000000001),
        ("modified", 1789866031000),
        ("modified", "1789866031"),
        ("orderStartTime", " 2026-09-20 09:00:00 "),
        ("orderPayment", "1.35E2"),
        ("orderPayment", 135),
        ("orderState", " WAIT_SELLER_STOCK_OUT "),
        ("payType", " 4 "),
    ],
)
def test_one_value_in_another_spelling_is_the_same(name: str, value: Any) -> None:
    payload = with_value(PAYLOAD, (name,), value)
    assert read(ADAPTER, payload) == read(ADAPTER, PAYLOAD)
    raw = ADAPTER.open_envelope(payload)[0]
    assert (raw.platform_order_id, raw.modified_at) == ("249000000001", read(ADAPTER, PAYLOAD).modified_at)


def test_a_cancelled_order_of_which_nothing_else_can_be_read_is_cancelled() -> None:
    payload = b'{"orderId":7,"orderState":"TRADE_CANCELED","modified":"2026-09-20 10:00:00","itemInfoList":7}'
    order = read_order(ADAPTER, payload, Shop("jd-1"))
    assert (order.status, order.platform_order_id, order.lines) == (OrderStatus.CANCELLED, "7", ())


@pytest.mark.parametrize(
    "payload", [b'{"orderId":7,"orderState":"TRADE_CANCELED"}', b'{"orderState":"TRADE_CANCELED","modified":"1"}']
)
def test_a_cancelled_order_without_id_or_time_is_refused(payload: bytes) -> None:
    assert ADAPTER.stopped(payload, Shop("jd-1")) is None


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
