"""Every recorded Douyin payload, field by field against what the payload and the platform's field notes say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import RawOrder
from channel_adapters.douyin.adapter import ADAPTER
from channel_adapters.reading import buyer_key
from channel_adapters.shop import Shop
from schemas.order import (
    Line,
    LineKind,
    LineStatus,
    Order,
    OrderStatus,
    Part,
    PaymentStatus,
    Presale,
    Privacy,
    Promotion,
    RefundStatus,
    ShipTo,
    Source,
    StorageClass,
    Totals,
)
from tests.channel_adapters.contract import JsonPath, with_value, without

PAYLOADS = Path(__file__).parent / "payloads"
SHOP = "dy-1"

PLACED = datetime(2026, 9, 20, 1, 0, 0, tzinfo=UTC)  # 1789866000
PAID = datetime(2026, 9, 20, 1, 0, 20, tzinfo=UTC)  # 1789866020
MODIFIED = datetime(2026, 9, 20, 1, 0, 21, tzinfo=UTC)  # 1789866021
SHIP_BY = datetime(2026, 9, 22, 1, 0, 0, tzinfo=UTC)  # 1790038800, two days after placing

CATEGORY_MARKS = ("cid=20001", "cid=20002", "cid=20003")

RECEIVER = ShipTo(
    privacy=Privacy.ENCRYPTED,
    country="CN",
    province="浙江省",
    city="杭州市",
    district="余杭区",
    town="样例街道",
    street="样***号",
    name="测*",
    phone="120******01",
    postcode="",
    token='{"receiver":"##ExampleIdxReceiver*ExampleCipherReceiver=#1##",'
    '"tel":"$$ExampleIdxTel*ExampleCipherTel=$1$$",'
    '"detail":"##ExampleIdxAddr*ExampleCipherAddr=#1##"}',
    receiver_key="ExampleOpenAddressId0001",
)


def raw_orders(name: str) -> list[RawOrder]:
    return list(ADAPTER.open_envelope((PAYLOADS / name).read_bytes()))


def read(payload: bytes, template: int = 0) -> Order:
    return ADAPTER.templates[template].read(payload, Shop(SHOP))


def order_of(name: str, index: int = 0) -> Order:
    """The order of a recorded payload, but for its revision, which the kit checks."""
    return replace(read(raw_orders(name)[index].payload), revision="")


def changed(name: str, changes: Mapping[Any, Any]) -> Order:
    """The order of a recorded payload with some of its values replaced."""
    payload = raw_orders(name)[0].payload
    for path, value in changes.items():
        payload = with_value(payload, path, value)
    return read(payload)


def expected_line(line_id: str, sku: str, price: int, **rest: Any) -> Line:
    """A line with every field said: what `rest` does not name is what a plain open line has."""
    fields: dict[str, Any] = {
        "quantity": 1,
        "paid": price,
        "platform_sku": "",
        "title": "",
        "kind": LineKind.PURCHASE,
        "status": LineStatus.OPEN,
        "refund": RefundStatus.NONE,
        "bound_to": (),
        "category": "",
        "storage_class": StorageClass.AMBIENT,
        "weight_grams": 0,
        "marks": (*CATEGORY_MARKS, "规格=默认"),
    }
    return Line(line_id=line_id, sku=sku, unit_price=price, **(fields | rest))


def expected_order(order_id: str, lines: tuple[Line, ...], totals: Totals, **rest: Any) -> Order:
    """An order with every field said: what `rest` does not name is what a plain paid order has."""
    fields: dict[str, Any] = {
        "modified_at": MODIFIED,
        "placed_at": PLACED,
        "status": OrderStatus.TO_SHIP,
        "payment": PaymentStatus.PAID,
        "paid_at": PAID,
        "pay_deadline": None,
        "ship_by": SHIP_BY,
        "promotions": (),
        "promised_gifts": (),
        "presale": None,
        "holds": (),
        "marks": (),
        "related": (),
        "buyer_remark": "",
        "seller_memo": "",
        "seller_flag": "grey",
    }
    return Order(
        uid=f"douyin:dy-1:{order_id}",
        channel="douyin",
        shop_id="dy-1",
        platform_order_id=order_id,
        revision="",
        lines=lines,
        ship_to=RECEIVER,
        totals=totals,
        source=Source(template="full"),
        currency="CNY",
        buyer_key=buyer_key("douyin", "dy-1", "1@#ExampleDoudianOpenId0001"),
        **(fields | rest),
    )


# -- recorded payloads ---------------------------------------------------------------------------------------------


def test_a_simple_paid_order() -> None:
    line = expected_line(
        "6900000000000000001",
        "SKU-CREAM-50",
        2990,
        quantity=2,
        paid=5480,  # 2 * 29.90 - 5.00
        platform_sku="1700000000000001",
        title="样例护手霜 50g",
    )
    assert order_of("01_simple_paid_detail.json") == expected_order(
        "6900000000000000001",
        (line,),
        Totals(goods=5980, discount=500, postage=0, paid=5480, other=0),
        promotions=(Promotion(name="店铺满减", amount=500, code="shop-full-discount"),),
        buyer_remark="麻烦快点",
        seller_memo="老客",
        seller_flag="red",
    )


def test_of_a_part_shipped_order_the_rest_is_still_open() -> None:
    hoodie = expected_line(
        "6900000000000000010",
        "SKU-HOODIE-M",
        9900,
        platform_sku="1700000000000002",
        title="样例卫衣",
        status=LineStatus.SHIPPED,
    )
    cap = expected_line(
        "6900000000000000011",
        "SKU-CAP",
        3900,
        quantity=2,
        paid=7000,  # 2 * 39.00 - 8.00
        platform_sku="1700000000000003",
        title="样例帽子",
    )
    assert order_of("02_list_multi_sku_part_shipped.json") == expected_order(
        "6900000000000000010",
        (hoodie, cap),
        Totals(goods=17700, discount=800, postage=600, paid=17500, other=0),
        status=OrderStatus.PART_SHIPPED,
        modified_at=datetime(2026, 9, 20, 3, 0, 1, tzinfo=UTC),  # 1789873201
        promotions=(Promotion(name="店铺满减", amount=800, code="shop-full-discount"),),
    )


def test_an_unpaid_order_has_half_an_hour() -> None:
    line = expected_line("6900000000000000020", "SKU-MASK", 5990, platform_sku="1700000000000004", title="样例面膜")
    assert order_of("03_list_unpaid_and_cancelled.json", 0) == expected_order(
        "6900000000000000020",
        (line,),
        Totals(goods=5990, discount=0, postage=0, paid=5990, other=0),
        status=OrderStatus.AWAITING_PAYMENT,
        payment=PaymentStatus.UNPAID,
        paid_at=None,
        pay_deadline=datetime(2026, 9, 20, 1, 30, 0, tzinfo=UTC),  # placed + 1800 s
    )


def test_an_order_that_lapsed_unpaid_is_cancelled_without_a_refund() -> None:
    line = expected_line(
        "6900000000000000021",
        "SKU-MASK",
        5990,
        quantity=0,
        platform_sku="1700000000000004",
        title="样例面膜",
        status=LineStatus.CANCELLED,
    )
    assert order_of("03_list_unpaid_and_cancelled.json", 1) == expected_order(
        "6900000000000000021",
        (line,),
        Totals(goods=5990, discount=0, postage=0, paid=5990, other=0),
        status=OrderStatus.CANCELLED,
        payment=PaymentStatus.UNPAID,
        paid_at=None,
    )


def test_a_paid_order_under_risk_check_is_held() -> None:
    line = expected_line("6900000000000000022", "SKU-MASK", 5990, platform_sku="1700000000000004", title="样例面膜")
    assert order_of("03_list_unpaid_and_cancelled.json", 2) == expected_order(
        "6900000000000000022",
        (line,),
        Totals(goods=5990, discount=0, postage=0, paid=5990, other=0),
        status=OrderStatus.ON_HOLD,
        holds=("risk-review",),
    )


def test_a_refunded_line_is_cancelled_and_a_withdrawn_refund_is_none() -> None:
    blue = expected_line(
        "6900000000000000030",
        "SKU-CUP-BLUE",
        4500,
        quantity=0,
        platform_sku="1700000000000005",
        title="样例水杯 蓝",
        status=LineStatus.CANCELLED,
        refund=RefundStatus.REFUNDED,
    )
    green = expected_line(
        "6900000000000000031", "SKU-CUP-GREEN", 4500, platform_sku="1700000000000006", title="样例水杯 绿"
    )
    assert order_of("04_one_sku_refunded.json") == expected_order(
        "6900000000000000030",
        (blue, green),
        Totals(goods=9000, discount=0, postage=0, paid=9000, other=0),
        modified_at=datetime(2026, 9, 20, 2, 0, 0, tzinfo=UTC),  # 1789869600
    )


def test_a_gift_line_is_bound_to_its_main_line() -> None:
    cleanser = expected_line(
        "6900000000000000040",
        "SKU-CLEANSER",
        8800,
        quantity=2,
        paid=17600,
        platform_sku="1700000000000007",
        title="样例洗面奶",
    )
    cotton = expected_line(
        "6900000000000000041",
        "GIFT-COTTON",
        0,
        platform_sku="1700000000000008",
        title="赠品 样例化妆棉",
        kind=LineKind.GIFT,
        bound_to=("6900000000000000040",),
    )
    assert order_of("05_gift_sku_order.json") == expected_order(
        "6900000000000000040",
        (cleanser, cotton),
        Totals(goods=17600, discount=0, postage=0, paid=17600, other=0),
    )


def test_a_presale_with_its_deposit_paid_waits_for_the_rest() -> None:
    robot = expected_line(
        "6900000000000000050",
        "SKU-ROBOT",
        29900,
        platform_sku="1700000000000009",
        title="样例扫地机 预售",
        marks=("trade_type=2", *CATEGORY_MARKS, "规格=默认", "campaign=样例定金预售"),
    )
    assert order_of("06_presale_deposit_paid.json") == expected_order(
        "6900000000000000050",
        (robot,),
        Totals(goods=29900, discount=0, postage=0, paid=29900, other=0),
        status=OrderStatus.AWAITING_PAYMENT,
        payment=PaymentStatus.DEPOSIT_PAID,
        paid_at=None,
        pay_deadline=datetime(2026, 10, 3, 1, 0, 0, tzinfo=UTC),  # phase 2 closes: 1790989200
        presale=Presale(final_paid=False, ship_not_before=None, deposit=5000),
    )


def test_a_presale_with_both_parts_paid_may_ship_and_keeps_its_cold_chain_marks() -> None:
    ice = expected_line(
        "6900000000000000060",
        "SKU-ICE-20",
        19900,
        platform_sku="1700000000000010",
        title="样例雪糕 20支 冷链",
        marks=(
            "full-pay-presale",
            "trade_type=2",
            *CATEGORY_MARKS,
            "温层=冷冻",
            "pre_sale_label",
            "cold_chain_demo",
            "cold_demo",
        ),
    )
    assert order_of("07_presale_final_paid_cold_tag.json") == expected_order(
        "6900000000000000060",
        (ice,),
        Totals(goods=19900, discount=0, postage=0, paid=19900, other=0),
        modified_at=datetime(2026, 9, 21, 1, 1, 1, tzinfo=UTC),  # 1789952461
        paid_at=datetime(2026, 9, 21, 1, 1, 0, tzinfo=UTC),  # 1789952460
        presale=Presale(final_paid=True, ship_not_before=None, deposit=5000),
    )


def test_an_empty_page_holds_no_orders() -> None:
    assert raw_orders("12_old_envelope_err_no.json") == []


# -- status words --------------------------------------------------------------------------------------------------

SIMPLE = "01_simple_paid_detail.json"
LINE: JsonPath = ("sku_order_list", 0)


@pytest.mark.parametrize(
    ("order_status", "main_status", "status"),
    [
        (1, 1, OrderStatus.AWAITING_PAYMENT),
        (105, 105, OrderStatus.ON_HOLD),
        (2, 105, OrderStatus.ON_HOLD),
        (105, 2, OrderStatus.ON_HOLD),
        (2, 2, OrderStatus.TO_SHIP),
        (101, 101, OrderStatus.PART_SHIPPED),
        (3, 3, OrderStatus.SHIPPED),
        (5, 5, OrderStatus.COMPLETED),
        (4, 4, OrderStatus.CANCELLED),
        (4, 21, OrderStatus.CANCELLED),
        (2, 4, OrderStatus.CANCELLED),
        (4, 22, OrderStatus.COMPLETED),
        (4, 39, OrderStatus.COMPLETED),
        (999, 21, OrderStatus.CANCELLED),
        (4, 999, OrderStatus.CANCELLED),
        (3, 999, OrderStatus.SHIPPED),
        (999, 2, OrderStatus.ON_HOLD),
        ("2", "105", OrderStatus.ON_HOLD),
        (" 4 ", " 21 ", OrderStatus.CANCELLED),
    ],
)
def test_order_and_main_status_together_say_where_an_order_stands(
    order_status: int | str, main_status: int | str, status: OrderStatus
) -> None:
    assert changed(SIMPLE, {("order_status",): order_status, ("main_status",): main_status}).status is status


@pytest.mark.parametrize(
    ("order_status", "main_status", "status", "refund", "quantity"),
    [
        (2, 2, LineStatus.OPEN, RefundStatus.NONE, 2),
        (105, 105, LineStatus.OPEN, RefundStatus.NONE, 2),
        (101, 101, LineStatus.OPEN, RefundStatus.NONE, 2),
        (3, 3, LineStatus.SHIPPED, RefundStatus.NONE, 2),
        (5, 5, LineStatus.SHIPPED, RefundStatus.NONE, 2),
        (4, 4, LineStatus.CANCELLED, RefundStatus.REFUNDED, 0),
        (4, 21, LineStatus.CANCELLED, RefundStatus.REFUNDED, 0),
        (2, 21, LineStatus.CANCELLED, RefundStatus.REFUNDED, 0),
        (4, 2, LineStatus.CANCELLED, RefundStatus.REFUNDED, 0),
        (4, 22, LineStatus.SHIPPED, RefundStatus.REFUNDED, 2),
        (4, 39, LineStatus.SHIPPED, RefundStatus.REFUNDED, 2),
    ],
)
def test_a_line_has_a_status_of_its_own(
    order_status: int, main_status: int, status: LineStatus, refund: RefundStatus, quantity: int
) -> None:
    order = changed(SIMPLE, {(*LINE, "order_status"): order_status, (*LINE, "main_status"): main_status})
    assert (order.lines[0].status, order.lines[0].refund, order.lines[0].quantity) == (status, refund, quantity)


@pytest.mark.parametrize(
    ("sale_status", "sale_type", "refund_status", "refund"),
    [
        (0, 0, 0, RefundStatus.NONE),
        (6, 2, 1, RefundStatus.REQUESTED),
        (7, 0, 1, RefundStatus.REQUESTED),
        (11, 0, 1, RefundStatus.REQUESTED),
        (14, 0, 2, RefundStatus.REQUESTED),
        (12, 2, 3, RefundStatus.REFUNDED),
        (12, 6, 3, RefundStatus.NONE),  # the price difference came back, the goods still go
        (6, 3, 0, RefundStatus.NONE),  # an exchange
        (13, 7, 0, RefundStatus.NONE),
        (27, 2, 1, RefundStatus.NONE),
        (28, 2, 1, RefundStatus.NONE),  # withdrawn: refund_status stays at 1
        (29, 0, 1, RefundStatus.NONE),
        (51, 5, 3, RefundStatus.REFUNDED),
        (53, 2, 3, RefundStatus.REFUNDED),
        (53, 2, 4, RefundStatus.NONE),
    ],
)
def test_after_sale_status_decides_about_a_refund(
    sale_status: int, sale_type: int, refund_status: int, refund: RefundStatus
) -> None:
    told = {"after_sale_status": sale_status, "after_sale_type": sale_type, "refund_status": refund_status}
    line = changed(SIMPLE, {(*LINE, "after_sale_info"): told}).lines[0]
    assert line.refund is refund
    assert line.status is (LineStatus.CANCELLED if refund is RefundStatus.REFUNDED else LineStatus.OPEN)


def test_an_order_whose_goods_are_all_refunded_is_cancelled() -> None:
    told = {"after_sale_status": 12, "after_sale_type": 2, "refund_status": 3}
    order = changed(SIMPLE, {(*LINE, "after_sale_info"): told})
    assert order.status is OrderStatus.CANCELLED
    assert order.payment is PaymentStatus.REFUNDED


def test_a_price_protection_leaves_its_mark() -> None:
    told = {"after_sale_status": 12, "after_sale_type": 6, "refund_status": 3}
    assert "after-sale=price-protection" in changed(SIMPLE, {(*LINE, "after_sale_info"): told}).lines[0].marks


def test_cash_on_delivery_may_ship_unpaid() -> None:
    order = changed(SIMPLE, {("pay_type",): 0, ("pay_time",): 0})
    assert (order.status, order.payment, order.paid_at) == (
        OrderStatus.TO_SHIP,
        PaymentStatus.CASH_ON_DELIVERY,
        None,
    )


def test_a_paid_order_that_was_closed_is_refunded() -> None:
    order = changed(SIMPLE, {("order_status",): 4, ("main_status",): 4})
    assert order.payment is PaymentStatus.REFUNDED


def test_an_order_to_ship_whose_final_part_is_open_does_not_ship() -> None:
    order = changed("06_presale_deposit_paid.json", {("order_status",): 2, ("main_status",): 2})
    assert (order.status, order.payment) == (OrderStatus.AWAITING_PAYMENT, PaymentStatus.DEPOSIT_PAID)


def test_an_unpaid_deposit_closes_with_the_earlier_of_phase_and_order() -> None:
    order = changed(
        "06_presale_deposit_paid.json", {("main_status",): 1, ("order_phase_list", 0, "pay_success"): False}
    )
    assert order.payment is PaymentStatus.UNPAID
    assert order.pay_deadline == datetime(2026, 9, 20, 1, 30, 0, tzinfo=UTC)


def test_a_time_in_order_expire_time_is_taken_as_a_time() -> None:
    changes = {("order_status",): 1, ("main_status",): 1, ("order_expire_time",): 1789869600}
    assert changed(SIMPLE, changes).pay_deadline == datetime(2026, 9, 20, 2, 0, 0, tzinfo=UTC)


def test_an_appointed_day_to_ship_is_kept() -> None:
    order = changed(SIMPLE, {("appointment_ship_time",): 1790038800})
    assert order.presale == Presale(final_paid=True, ship_not_before=SHIP_BY, deposit=0)


def test_a_presale_paid_in_full_is_a_presale() -> None:
    order = changed(SIMPLE, {(*LINE, "pre_sale_type"): 1})
    assert order.presale == Presale(final_paid=True)
    assert "full-pay-presale" in order.lines[0].marks


# -- lines and money -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"goods_type": 1}, LineKind.SERVICE),
        ({"order_type": 2}, LineKind.SERVICE),
        ({"order_type": 4}, LineKind.SERVICE),
        ({"order_type": 5}, LineKind.SERVICE),
        ({"trade_type": 102}, LineKind.GIFT),
        ({"given_product_type": "MASTER"}, LineKind.PURCHASE),
    ],
)
def test_what_is_virtual_is_not_picked_and_what_is_given_is_a_gift(changes: dict[str, Any], kind: LineKind) -> None:
    assert changed(SIMPLE, {(*LINE, name): value for name, value in changes.items()}).lines[0].kind is kind


@pytest.mark.parametrize(
    ("code", "out_sku_id", "sku"),
    [
        (" A-1 ", "B-2", "A-1"),
        ("", "B-2", "B-2"),
        ("", "0", ""),
        ("  ", "", ""),
        ("", 1700000000000001, "1700000000000001"),
    ],
)
def test_stock_is_matched_on_code_then_out_sku_id(code: str, out_sku_id: Any, sku: str) -> None:
    assert changed(SIMPLE, {(*LINE, "code"): code, (*LINE, "out_sku_id"): out_sku_id}).lines[0].sku == sku


def test_of_a_line_that_is_partly_in_a_parcel_the_rest_is_wanted() -> None:
    parcel = {"tracking_no": "X", "product_info": [{"sku_order_id": "6900000000000000001", "product_count": 1}]}
    changes = {("order_status",): 101, ("main_status",): 101, ("logistics_info",): [parcel]}
    line = changed(SIMPLE, changes).lines[0]
    assert (line.status, line.quantity) == (LineStatus.OPEN, 1)


def test_what_the_platform_adds_besides_is_other() -> None:
    order = changed(SIMPLE, {("pay_amount",): 5600})  # 1.20 of packing, say
    assert order.totals == Totals(goods=5980, discount=500, postage=0, paid=5600, other=120)


def test_discounts_are_told_by_giver_and_means() -> None:
    detail = {
        "shop_discount_detail": {"total_amount": 300, "coupon_amount": 300},
        "platform_discount_detail": {"total_amount": 900, "redpack_amount": 500, "full_discount_amount": 200},
        "kol_discount_detail": {"total_amount": 50},
    }
    assert changed(SIMPLE, {("promotion_detail",): detail}).promotions == (
        Promotion(name="店铺优惠券", amount=300, code="shop-coupon"),
        Promotion(name="平台满减", amount=200, code="platform-full-discount"),
        Promotion(name="平台红包", amount=500, code="platform-redpack"),
        Promotion(name="平台优惠", amount=200, code="platform"),
        Promotion(name="达人优惠", amount=50, code="talent"),
    )


def test_tags_and_promises_of_the_order_become_its_marks() -> None:
    order = changed(
        SIMPLE,
        {
            ("shop_order_tag_ui",): [{"key": "vip_demo", "text": "会员"}],
            ("address_tag_ui",): {"key": "far_demo", "text": "偏远"},
            ("promise_info",): '{"fresh_demo":true,"level_demo":3,"off_demo":false,"deep_demo":{}}',
        },
    )
    assert order.marks == ("vip_demo", "far_demo", "fresh_demo", "level_demo=3")


@pytest.mark.parametrize("promises", ["{broken", "[1]", "null", ""])
def test_a_promise_that_cannot_be_read_marks_nothing(promises: str) -> None:
    assert changed(SIMPLE, {("promise_info",): promises}).marks == ()


FREE: JsonPath = ("sku_order_list", 1)
GONE = {"after_sale_status": 12, "after_sale_type": 2, "refund_status": 3}


@pytest.mark.parametrize("mains", [None, [], {}, "", ["6900000000000000040"], [6900000000000000040]], ids=repr)
def test_a_gift_whose_main_line_is_refunded_is_not_shipped(mains: Any) -> None:
    name = "05_gift_sku_order.json"
    listed: dict[JsonPath, Any] = {(*FREE, "master_sku_order_id_list"): mains}
    gift = changed(name, listed).lines[1]
    assert (gift.bound_to, gift.quantity) == (("6900000000000000040",), 1)
    order = changed(name, listed | {(*LINE, "after_sale_info"): GONE})
    assert [(line.status, line.quantity) for line in order.lines] == [(LineStatus.CANCELLED, 0)] * 2


def test_a_gift_that_names_no_main_line_ships_with_any_of_them() -> None:
    payload = with_value(raw_orders("05_gift_sku_order.json")[0].payload, (*FREE, "master_sku_order_id_list"), None)
    root = json.loads(payload)
    main, gift = root["sku_order_list"]
    root["sku_order_list"] = [main | {"given_product_type": ""}, gift, main | {"order_id": "7", "sku_id": 7}]
    root["sku_order_list"][2]["given_product_type"] = ""
    root["sku_order_list"][0]["after_sale_info"] = GONE
    lines = read(json.dumps(root).encode()).lines
    assert (lines[1].bound_to, lines[1].status) == (("6900000000000000040", "7"), LineStatus.OPEN)
    root["sku_order_list"][2]["after_sale_info"] = GONE
    assert read(json.dumps(root).encode()).lines[1].status is LineStatus.CANCELLED


def test_a_bundle_tells_its_parts() -> None:
    parts = [
        {"sku_id": 1700000000000021, "code": " P-1 ", "product_name": "样例 A", "item_num": 2, "picture_url": "x"},
        {"sku_id": "1700000000000022", "code": "", "item_num": "1"},
        {"code": "P-3", "item_num": "several"},
    ]
    order = changed(SIMPLE, {(*LINE, "bundle_sku_info"): parts})
    assert order.lines[0].parts == (
        Part(sku="P-1", quantity=2, title="样例 A", platform_sku="1700000000000021"),
        Part(sku="", quantity=1, platform_sku="1700000000000022"),
    )
    assert order.marks == ("odd=bundle_sku_info",)
    assert order.status is OrderStatus.TO_SHIP


@pytest.mark.parametrize(
    ("order_status", "main_status", "told"),
    [
        (4, 4, True),
        ("4", None, True),
        (999, 21, True),
        (4, 22, False),
        (2, 2, False),
        (5, 39, False),
        (True, [], False),
    ],
)
def test_of_an_order_that_nobody_can_read_it_is_known_whether_it_is_over(
    order_status: Any, main_status: Any, told: bool
) -> None:
    payload = with_value(raw_orders(SIMPLE)[0].payload, ("sku_order_list",), "?")
    payload = with_value(with_value(payload, ("order_status",), order_status), ("main_status",), main_status)
    order = ADAPTER.stopped(payload, Shop(SHOP))
    assert (order is not None) == told
    if order is not None:
        assert (order.status, order.lines, order.modified_at) == (OrderStatus.CANCELLED, (), MODIFIED)
        assert order.platform_order_id == "6900000000000000001"


# -- receiver ------------------------------------------------------------------------------------------------------


def without_ciphers(payload: bytes) -> bytes:
    for path in (("encrypt_post_receiver",), ("encrypt_post_tel",), ("post_addr", "encrypt_detail")):
        payload = with_value(payload, path, "")
    return payload


def test_a_receiver_without_ciphertext_is_masked() -> None:
    ship_to = read(without_ciphers(raw_orders(SIMPLE)[0].payload)).ship_to
    assert (ship_to.privacy, ship_to.token) == (Privacy.MASKED, "")


def test_a_receiver_in_plain_text_is_plain() -> None:
    ship_to = changed(SIMPLE, {("post_receiver",): "测试", ("post_addr", "detail"): "样例路1号"}).ship_to
    assert (ship_to.privacy, ship_to.name, ship_to.street) == (Privacy.PLAIN, "测试", "样例路1号")


# -- the reduced template ------------------------------------------------------------------------------------------

HIDDEN: tuple[JsonPath, ...] = (
    ("post_addr",),
    ("mask_post_addr",),
    ("encrypt_post_receiver",),
    ("encrypt_post_tel",),
    ("mask_post_receiver",),
    ("mask_post_tel",),
    ("promotion_amount",),
    ("main_status",),
    (*LINE, "pay_amount"),
    (*LINE, "sum_amount"),
)


def test_an_app_with_a_small_data_package_still_reads_the_core() -> None:
    payload = raw_orders(SIMPLE)[0].payload
    for path in HIDDEN:
        payload = without(payload, path)
    order = read(payload, template=1)
    assert order.source.template == "reduced"
    assert order.ship_to.privacy is Privacy.MISSING
    assert order.totals == Totals(goods=5980, discount=500, postage=0, paid=5480, other=0)
    assert order.lines[0].paid == 5480
    assert order.status is OrderStatus.TO_SHIP


def test_line_money_that_is_hidden_is_shared_out_by_worth() -> None:
    payload = raw_orders("02_list_multi_sku_part_shipped.json")[0].payload
    for index in (0, 1):
        payload = without(payload, ("sku_order_list", index, "pay_amount"))
    # 175.00 - 6.00 of postage over 99.00 and 78.00: 94.525... and 74.474...
    assert [line.paid for line in read(payload, template=1).lines] == [9453, 7447]


def test_both_templates_read_a_full_order_alike() -> None:
    payload = raw_orders("05_gift_sku_order.json")[0].payload
    full, reduced = read(payload, 0), read(payload, 1)
    assert replace(reduced, source=full.source) == full


def test_five_hundred_lines_are_read() -> None:
    root = json.loads(raw_orders(SIMPLE)[0].payload)
    row = root["sku_order_list"][0]
    root["sku_order_list"] = [row | {"order_id": str(6900000000000000001 + number)} for number in range(500)]
    assert len(read(json.dumps(root).encode()).lines) == 500
