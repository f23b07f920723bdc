"""Pinduoduo payloads damaged by hand: each is refused by code and path, or read for what it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import UnreadablePayload
from channel_adapters.pinduoduo.adapter import ADAPTER
from channel_adapters.shop import Shop, ShopPolicy
from schemas.codes import HoldCode
from schemas.order import LineStatus, OrderStatus, Privacy, PromisedGift
from tests.channel_adapters.contract import SHOP_ID, JsonPath, read, with_value, without

PAYLOADS = Path(__file__).parent / "payloads"
ORDER = ADAPTER.open_envelope((PAYLOADS / "01_simple_paid.json").read_bytes())[0].payload
ITEM: JsonPath = ("item_list", 0)


def refusal(payload: bytes) -> tuple[str, str]:
    with pytest.raises(UnreadablePayload) as caught:
        read(ADAPTER, payload)
    return caught.value.code, caught.value.where


@pytest.mark.parametrize("odd", [1789869634000, True, [], {}])
def test_a_time_that_is_no_text_stops_no_page(odd: Any) -> None:
    """The poller reads it too, to know how far it is."""
    [raw] = ADAPTER.open_envelope(with_value(ORDER, ("updated_at",), odd))
    assert raw.platform_order_id == json.loads(ORDER)["order_sn"]
    assert (raw.modified_at is not None) == (type(odd) is int)


@pytest.mark.parametrize("payload", [ORDER[:-1], ORDER[1:], ORDER + b"]", b"", b"\xff\xfe"])
def test_broken_json(payload: bytes) -> None:
    assert refusal(payload) == ("broken-json", "")


@pytest.mark.parametrize(
    ("path", "value", "code", "where"),
    [
        ((*ITEM, "goods_count"), -1, "bad-quantity", "item_list.0.goods_count"),
        ((*ITEM, "goods_count"), 0.5, "bad-field", "item_list.0.goods_count"),
        ((*ITEM, "goods_count"), 10**9, "bad-field", "item_list.0.goods_count"),
        ((*ITEM, "goods_price"), 29.999, "bad-money", "item_list.0.goods_price"),
        ((*ITEM, "goods_price"), -29.9, "bad-money", "item_list.0.goods_price"),
        ((*ITEM, "goods_price"), {}, "bad-field", "item_list.0.goods_price"),
        ((*ITEM, "sku_id"), 8e11, "bad-field", "item_list.0.sku_id"),
        (("pay_amount",), "24.905", "bad-money", "pay_amount"),
        (("created_time",), "", "missing-field", "created_time"),
        (("created_time",), "yesterday", "bad-time", "created_time"),
        (("updated_at",), "2026-09-20 25:00:00", "bad-time", "updated_at"),
        (("item_list",), None, "bad-field", "item_list"),
        (("item_list", 0), None, "bad-field", "item_list.0"),
        (("order_sn",), "", "bad-field", "order_sn"),
    ],
)
def test_a_damaged_value_is_refused_by_path(path: JsonPath, value: Any, code: str, where: str) -> None:
    assert refusal(with_value(ORDER, path, value)) == (code, where)


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (("order_sn",), "order_sn"),
        (("order_status",), "order_status"),
        (("refund_status",), "refund_status"),
        (("pay_amount",), "pay_amount"),
        (("created_time",), "created_time"),
        (("updated_at",), "updated_at"),
        (("item_list",), "item_list"),
        ((*ITEM, "goods_price"), "item_list.0.goods_price"),
        ((*ITEM, "goods_count"), "item_list.0.goods_count"),
    ],
)
def test_a_missing_field_is_refused_by_path(path: JsonPath, where: str) -> None:
    assert refusal(without(ORDER, path)) == ("missing-field", where)


def test_an_item_without_any_id_is_refused() -> None:
    payload = without(without(ORDER, (*ITEM, "sku_id")), (*ITEM, "goods_id"))
    assert refusal(payload) == ("missing-field", "item_list.0.sku_id")


def test_an_order_without_lines_has_nothing_to_ship_and_is_not_refused() -> None:
    nothing: tuple[Any, ...] = ([], {})
    for empty in nothing:
        order = read(ADAPTER, with_value(ORDER, ("item_list",), empty))
        assert order.lines == ()
        assert order.holds == ()


def test_a_line_that_was_emptied_is_cancelled() -> None:
    order = read(ADAPTER, with_value(ORDER, (*ITEM, "goods_count"), 0))
    assert [(line.status, line.quantity) for line in order.lines] == [(LineStatus.CANCELLED, 0)]
    assert order.status is OrderStatus.CANCELLED


@pytest.mark.parametrize("gift", [{}, {"goods_count": 0}, {"goods_id": 0, "sku_id": "0", "goods_count": "0"}, []])
def test_a_gift_of_nothing_is_none(gift: Any) -> None:
    order = read(ADAPTER, with_value(ORDER, ("gift_list",), [gift]))
    assert len(order.lines) == 1
    assert order.promised_gifts == ()
    assert order.status is OrderStatus.TO_SHIP


def test_a_gift_that_names_no_goods_is_one_that_is_only_promised() -> None:
    order = read(ADAPTER, with_value(ORDER, ("gift_list",), [{"goods_name": "sample", "goods_count": 2}]))
    assert order.promised_gifts == (PromisedGift(name="sample", quantity=2),)


@pytest.mark.parametrize(("paid", "lines", "held"), [(1, 1, False), (2, 2, False), (3, 1, True)])
def test_what_the_goods_cost_decides_whether_a_repeated_row_is_one(paid: int, lines: int, held: bool) -> None:
    item = json.loads(ORDER)["item_list"][0]
    payload = with_value(with_value(ORDER, ("item_list",), [item, item]), ("discount_amount",), 0)
    price = item["goods_price"] * item["goods_count"]
    order = read(ADAPTER, with_value(payload, ("pay_amount",), f"{price * paid:.2f}"))
    assert len(order.lines) == lines
    assert (HoldCode.DUPLICATE_LINES in order.holds) is held


def test_a_tag_that_holds_the_parcel_may_be_written_as_text() -> None:
    for value, held in (("1", True), (1, True), ("0", False), (0, False), (None, False)):
        order = read(ADAPTER, with_value(ORDER, ("order_tag_list",), {"name": "ship_hold", "value": value}))
        assert (HoldCode.SHIP_HOLD in order.holds) is held, value


def test_the_words_of_a_shop_decide_over_ours() -> None:
    policy = ShopPolicy(status_words={"7": OrderStatus.TO_SHIP, "8": OrderStatus.CANCELLED})
    template = ADAPTER.templates[0]
    for word, status in ((7, OrderStatus.TO_SHIP), ("8", OrderStatus.CANCELLED)):
        order = template.read(with_value(ORDER, ("order_status",), word), Shop(SHOP_ID, policy))
        assert (order.status, order.holds) == (status, ())


def test_five_hundred_lines_are_read() -> None:
    item = json.loads(ORDER)["item_list"][0]
    items = [{**item, "sku_id": 10**12 + index} for index in range(500)]
    payload = with_value(with_value(ORDER, ("item_list",), items), ("pay_amount",), 14950 - 5)
    order = read(ADAPTER, payload)
    assert len(order.lines) == 500
    assert sum(line.paid for line in order.lines) == 1494500


def test_an_order_of_ten_megabytes_is_refused() -> None:
    assert refusal(with_value(ORDER, ("remark",), "x" * (10 << 20))) == ("too-large", "")


def test_a_missing_receiver_is_no_damage() -> None:
    payload = ORDER
    for name in json.loads(ORDER):
        if name.startswith(("receiver_", "address", "open_address")):
            payload = without(payload, (name,))
    assert read(ADAPTER, payload).ship_to.privacy is Privacy.MISSING


# -- envelopes -----------------------------------------------------------------------------------------------------


def test_one_bad_row_does_not_stop_its_page() -> None:
    nameless = without(ORDER, ("order_sn",))
    body = b'{"order_list_get_response":{"total_count":4,"order_list":[%s,%s,null,{"order_sn":"A","updated_at":"x"}]}}'
    first, second, third, fourth = ADAPTER.open_envelope(body % (ORDER, nameless))
    assert first.platform_order_id == "260920-000000000000001"
    assert second.platform_order_id.startswith("unidentified-")
    assert third.payload == b"null"
    assert (fourth.platform_order_id, fourth.modified_at) == ("A", None)
    with pytest.raises(UnreadablePayload):
        ADAPTER.templates[0].read(second.payload, Shop(SHOP_ID))


def test_an_empty_page_is_no_order() -> None:
    assert ADAPTER.open_envelope(b'{"order_sn_increment_get_response":{"order_sn_list":[],"total_count":0}}') == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"order_sn_increment_get_response":null}',
        b'{"order_info_get_response":{}}',
        b'{"error_response":"down"}',
        b'{"refund_increment_get_response":{"refund_list":[],"total_count":0}}',
        b'{"mall_id":1,"tid":"260920-000000000000001"}',
        b'{"order_sn":"260920-000000000000001","refund_id":7}',
        b'{"tid_str":"3000000000000000001","orders":{}}',
    ],
)
def test_a_body_that_is_no_order_says_so(body: bytes) -> None:
    with pytest.raises(UnreadablePayload) as caught:
        ADAPTER.open_envelope(body)
    assert caught.value.code == "not-an-order"
