"""Taobao payloads damaged by hand: each is refused by code and path, or read for what it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import UnreadablePayload
from channel_adapters.parsing import read_order
from channel_adapters.shop import Shop, ShopPolicy
from channel_adapters.taobao.adapter import ADAPTER
from schemas.codes import HoldCode
from schemas.order import LineKind, LineStatus, Order, OrderStatus, Part, Privacy, PromisedGift
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
        ((*LINE, "num"), -1, "bad-quantity", "orders.order.0.num"),
        ((*LINE, "num"), "two", "bad-field", "orders.order.0.num"),
        ((*LINE, "num"), 1.5, "bad-field", "orders.order.0.num"),
        ((*LINE, "num"), 10**12, "bad-field", "orders.order.0.num"),
        ((*LINE, "price"), "39.901", "bad-money", "orders.order.0.price"),
        ((*LINE, "price"), "-1.00", "bad-money", "orders.order.0.price"),
        ((*LINE, "price"), [], "bad-field", "orders.order.0.price"),
        ((*LINE, "divide_order_fee"), "1.999", "bad-money", "orders.order.0.divide_order_fee"),
        (("payment",), "87.805", "bad-money", "payment"),
        (("created",), "20 September", "bad-time", "created"),
        (("created",), "", "missing-field", "created"),
        (("created",), "0001-01-01 05:00:00", "missing-field", "created"),
        (("modified",), "2026-02-30 10:00:00", "bad-time", "modified"),
        (("pay_time",), "soon", "bad-time", "pay_time"),
        (("orders",), None, "bad-field", "orders"),
        (("orders", "order"), None, "bad-field", "orders.order"),
        (("orders", "order"), "none", "bad-field", "orders.order"),
        ((*LINE, "outer_sku_id"), ["SKU"], "bad-field", "orders.order.0.outer_sku_id"),
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


def lines_of(trade: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(trade)["orders"]["order"]
    return rows


def with_lines(*rows: dict[str, Any]) -> Order:
    return read(ADAPTER, with_value(TRADE, ("orders", "order"), list(rows)))


def test_a_line_that_stands_twice_counts_once() -> None:
    (line,) = lines_of(TRADE)
    order = with_lines(line, line)
    assert [(each.line_id, each.quantity) for each in order.lines] == [("3000000000000000001", 2)]
    assert (order.status, order.holds) == (OrderStatus.TO_SHIP, ())
    assert "repeated-line" in order.marks


def test_two_lines_of_one_id_are_told_apart_and_the_totals_decide() -> None:
    (line,) = lines_of(TRADE)
    half = line | {"num": 1}
    fits = with_lines(half, half | {"outer_sku_id": "SKU-2"})
    assert [each.line_id for each in fits.lines] == ["3000000000000000001", "3000000000000000001#2"]
    assert (fits.status, fits.holds) == (OrderStatus.TO_SHIP, ())
    contradicts = with_lines(line, line | {"outer_sku_id": "SKU-2", "num": 5})
    assert (contradicts.status, contradicts.holds) == (OrderStatus.ON_HOLD, (HoldCode.DUPLICATE_LINES,))


def test_a_gift_row_that_says_neither_what_nor_how_many_is_none() -> None:
    (line,) = lines_of(TRADE)
    nothing = {"oid": None, "price": "0.00", "num": 0, "is_free_gift": True, "divide_order_fee": "0", "status": None}
    order = with_lines(line, nothing)
    assert [each.line_id for each in order.lines] == ["3000000000000000001"]
    assert "odd=orders.order" in order.marks


@pytest.mark.parametrize("orders", [{}, [], {"order": []}, {"order": {}}], ids=repr)
def test_an_order_without_lines_is_read_because_it_stops_what_a_warehouse_holds(orders: Any) -> None:
    assert read(ADAPTER, with_value(TRADE, ("orders",), orders)).lines == ()


def test_a_line_of_which_nothing_is_left_is_cancelled() -> None:
    order = read(ADAPTER, with_value(TRADE, (*LINE, "num"), 0))
    assert (order.status, order.lines[0].status, order.lines[0].quantity) == (
        OrderStatus.CANCELLED,
        LineStatus.CANCELLED,
        0,
    )


def test_the_simplified_form_of_the_lines_is_read() -> None:
    assert read(ADAPTER, with_value(TRADE, ("orders",), lines_of(TRADE))) == read(ADAPTER, TRADE)


@pytest.mark.parametrize("odd", [None, True, 1.5, {}, [], "  ", "待发货"], ids=repr)
@pytest.mark.parametrize("path", [("status",), ("orders", "order", 0, "refund_status"), ("type",)], ids=repr)
def test_a_word_that_is_none_holds_the_order(path: JsonPath, odd: Any) -> None:
    order = read(ADAPTER, with_value(TRADE, path, odd))
    if odd is None and path != ("status",):
        assert order.status is OrderStatus.TO_SHIP  # not told
    elif odd == "  " and path != ("status",):
        assert order.status is OrderStatus.TO_SHIP
    else:
        assert (order.status, order.holds) == (OrderStatus.ON_HOLD, (HoldCode.UNKNOWN_STATUS,))


@pytest.mark.parametrize("word", ["TRADE_CLOSED", " TRADE_CLOSED_BY_TAOBAO "])
def test_a_word_with_blanks_round_it_is_the_word(word: str) -> None:
    assert read(ADAPTER, with_value(TRADE, ("status",), word)).status is OrderStatus.CANCELLED


def test_a_shops_word_for_one_line_leaves_the_others_alone() -> None:
    (line,) = lines_of(TRADE)
    gone = line | {"oid": 2, "oid_str": "2", "status": "GONE_OF_NEXT_YEAR"}
    payload = with_value(TRADE, ("orders", "order"), [line, gone])
    words = {"GONE_OF_NEXT_YEAR": OrderStatus.CANCELLED}
    order = ADAPTER.templates[0].read(payload, Shop(SHOP_ID, ShopPolicy(status_words=words)))
    assert [each.status for each in order.lines] == [LineStatus.OPEN, LineStatus.CANCELLED]
    assert (order.status, order.holds) == (OrderStatus.TO_SHIP, ())


@pytest.mark.parametrize("flag", [1, "1", True, "true", "Y", " yes ", "是", "a word of next year", {}, 7], ids=repr)
def test_a_hold_flag_that_is_not_a_no_holds(flag: Any) -> None:
    order = read(ADAPTER, with_value(TRADE, ("ofp_hold",), flag))
    assert (order.status, order.holds) == ((OrderStatus.TO_SHIP, ()) if flag == {} else HELD)


HELD = (OrderStatus.ON_HOLD, (HoldCode.SHIP_HOLD,))


@pytest.mark.parametrize("flag", [0, "0", False, "false", "N", "", "null", None, "否"], ids=repr)
def test_a_hold_flag_that_is_a_no_holds_nothing(flag: Any) -> None:
    assert read(ADAPTER, with_value(TRADE, ("ofp_hold",), flag)).status is OrderStatus.TO_SHIP


@pytest.mark.parametrize("flag", ["maybe", {}, [1], 7], ids=repr)
@pytest.mark.parametrize("name", ["is_service_order", "is_free_gift"])
def test_a_doubtful_flag_takes_no_line_from_the_parcel(name: str, flag: Any) -> None:
    assert read(ADAPTER, with_value(TRADE, (*LINE, name), flag)).lines[0].kind is LineKind.PURCHASE


@pytest.mark.parametrize("count", ["many", "-1", "1.5", "9999999"])
def test_a_promised_gift_whose_count_cannot_be_read_is_one_gift(count: str) -> None:
    promotions = {"promotion_detail": [{"promotion_name": "x", "gift_item_name": "y", "gift_item_num": count}]}
    order = read(ADAPTER, with_value(TRADE, ("promotion_details",), promotions))
    assert order.promised_gifts == (PromisedGift(name="y", quantity=1),)
    assert "odd=gift_item_num" in order.marks


def test_an_empty_gift_is_not_promised() -> None:
    details = [{"gift_item_name": "y", "gift_item_num": 0}, {"gift_item_name": None}, {"gift_item_name": ""}, None]
    order = read(ADAPTER, with_value(TRADE, ("promotion_details",), {"promotion_detail": details}))
    assert order.promised_gifts == ()
    assert order.status is OrderStatus.TO_SHIP


def test_of_odd_decoration_the_rest_is_kept() -> None:
    details = [[], {"promotion_name": {"zh": "x"}, "discount_fee": "2 yuan"}, {"promotion_name": "good"}]
    order = read(ADAPTER, with_value(TRADE, ("promotion_details",), {"promotion_detail": details}))
    assert [each.name for each in order.promotions] == ["", "good"]
    assert {"odd=promotion_detail", "odd=promotion_name"} <= set(order.marks)


def test_an_address_that_cannot_be_read_is_none() -> None:
    order = read(ADAPTER, with_value(TRADE, ("receiver_address",), ["Sample Road"]))
    assert order.ship_to.privacy is Privacy.MISSING
    assert "odd=receiver_address" in order.marks


def test_a_gift_whose_main_line_is_refunded_is_not_shipped() -> None:
    gifts = ADAPTER.open_envelope((PAYLOADS / "05_gift_suborder_and_text_gift.json").read_bytes())[0].payload
    payload = with_value(gifts, (*LINE, "refund_status"), "SUCCESS")
    order = read(ADAPTER, payload)
    assert [(line.kind, line.status, line.quantity) for line in order.lines] == [
        (LineKind.PURCHASE, LineStatus.CANCELLED, 0),
        (LineKind.GIFT, LineStatus.CANCELLED, 0),
    ]
    assert order.status is OrderStatus.CANCELLED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("created", 1789869601000),
        ("created", "1789869601"),
        ("created", " 2026-09-20 10:00:01 "),
        ("modified", 1789869634),
        ("modified", "1789869634000"),
        ("pay_time", 1789869633000),
        ("tid_str", " 3000000000000000001 "),
        ("payment", "8.78E1"),
        ("payment", " 87.80 "),
    ],
)
def test_one_value_in_another_spelling_is_the_same(name: str, value: Any) -> None:
    assert read(ADAPTER, with_value(TRADE, (name,), value)) == read(ADAPTER, TRADE)
    raw = ADAPTER.open_envelope(with_value(TRADE, (name,), value))[0]
    assert raw.platform_order_id == "3000000000000000001"
    assert raw.modified_at == read(ADAPTER, TRADE).modified_at


@pytest.mark.parametrize("odd", [7.5, {}, "x", None, 0, 3e18], ids=repr)
def test_one_good_form_of_the_id_is_enough(odd: Any) -> None:
    for name in ("tid", "tid_str"):
        payload = with_value(TRADE, (name,), odd)
        assert read(ADAPTER, payload).platform_order_id == "3000000000000000001"
        assert ADAPTER.open_envelope(payload)[0].platform_order_id == "3000000000000000001"


def test_a_closed_trade_of_which_nothing_else_can_be_read_is_cancelled() -> None:
    payload = b'{"tid":7,"status":"TRADE_CLOSED","modified":1789869634,"orders":7}'
    order = read_order(ADAPTER, payload, Shop(SHOP_ID))
    assert (order.status, order.platform_order_id, order.lines) == (OrderStatus.CANCELLED, "7", ())
    assert order.placed_at == order.modified_at


@pytest.mark.parametrize("payload", [b'{"tid":7,"status":"TRADE_CLOSED"}', b'{"status":"TRADE_CLOSED","modified":1}'])
def test_a_closed_trade_without_id_or_time_is_refused(payload: bytes) -> None:
    assert ADAPTER.stopped(payload, Shop(SHOP_ID)) is None


def test_five_hundred_lines_are_read() -> None:
    line = json.loads(TRADE)["orders"]["order"][0]
    lines = [{**line, "oid": 10**18 + index, "oid_str": str(10**18 + index)} for index in range(500)]
    order = read(ADAPTER, without(with_value(TRADE, ("orders", "order"), lines), ("total_fee",)))
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


# -- bundles and totals --------------------------------------------------------------------------------------------

PART = {"item_id": 7, "sku_id": "8", "quantity": "2", "outer_iid": "SPU", "outer_sku_id": "SKU-PART"}
KNOWN_PART = Part(sku="SKU-PART", quantity=2, platform_sku="8")


@pytest.mark.parametrize("told", [[PART], PART, {"combine_item_info_model": [PART]}, {"combine_item": PART}], ids=repr)
def test_the_parts_of_a_bundle_are_parts_of_its_line(told: Any) -> None:
    order = read(ADAPTER, with_value(TRADE, (*LINE, "combine_item_info"), told))
    assert order.lines[0].parts == (KNOWN_PART,)


@pytest.mark.parametrize("odd", ["x", [None], [[]], {"item_id": 7}, [PART | {"quantity": "many"}], 7], ids=repr)
def test_parts_that_cannot_be_read_are_left_out_with_a_mark(odd: Any) -> None:
    order = read(ADAPTER, with_value(TRADE, (*LINE, "combine_item_info"), odd))
    assert order.lines[0].parts == ()
    assert "odd=orders.order.combine_item_info" in order.marks


@pytest.mark.parametrize(("total", "contradicts"), [("79.80", False), ("79.81", False), ("79.82", True), ("1", True)])
def test_a_total_that_the_lines_do_not_make_up_is_marked(total: str, contradicts: bool) -> None:
    order = read(ADAPTER, with_value(TRADE, ("total_fee",), total))
    assert (HoldCode.TOTALS_CONTRADICT in order.marks) is contradicts
    assert order.status is OrderStatus.TO_SHIP
