"""Every recorded JD payload, field by field against what the payload and the platform's field notes say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import RawOrder, UnreadablePayload
from channel_adapters.jd.adapter import ADAPTER
from channel_adapters.reading import buyer_key
from channel_adapters.shop import Shop
from schemas.order import (
    Line,
    LineKind,
    LineStatus,
    Order,
    OrderStatus,
    PaymentStatus,
    Presale,
    Privacy,
    Promotion,
    RefundStatus,
    RelatedOrder,
    ShipTo,
    Source,
    StorageClass,
    Totals,
)
from tests.channel_adapters.contract import JsonPath, with_value, without

PAYLOADS = Path(__file__).parent / "payloads"
SHOP = "jd-1"

PLACED = datetime(2026, 9, 20, 1, 0, 0, tzinfo=UTC)  # 09:00:00 in Beijing
PAID = datetime(2026, 9, 20, 1, 0, 30, tzinfo=UTC)
MODIFIED = datetime(2026, 9, 20, 1, 0, 31, tzinfo=UTC)

SENDPAY = ("sendpay-9=2", "sendpay-20=5", "sendpay-26=2", "sendpay-29=1", "sendpay-34=3", "sendpay-39=1")


def receiver_key(desen_mobile: str, street: str) -> str:
    """Phone hash and full address, each on its own line: the same receiver at the same door."""
    return buyer_key("jd", "jd-1", "\0".join((desen_mobile, "浙江", "杭州市", "余杭区", "样例街道", street)))


RECEIVER = ShipTo(
    privacy=Privacy.MASKED,
    country="CN",
    province="浙江",
    city="杭州市",
    district="余杭区",
    town="样例街道",
    street="浙江杭州市余杭区样例街道****",
    name="测**",
    phone="120*******1",
    postcode="",
    token="",
    receiver_key=receiver_key("example0desen0mobile0001", "浙江杭州市余杭区样例街道****"),
)


def raw_orders(name: str) -> list[RawOrder]:
    return list(ADAPTER.open_envelope((PAYLOADS / name).read_bytes()))


def read(payload: bytes, template: int = 0) -> Order:
    return ADAPTER.templates[template].read(payload, Shop(SHOP))


def order_of(name: str, index: int = 0) -> Order:
    """The order of a recorded payload, but for its revision, which the kit checks."""
    return replace(read(raw_orders(name)[index].payload), revision="")


def changed(name: str, changes: Mapping[Any, Any], template: int = 0) -> Order:
    """The order of a recorded payload with some of its values replaced."""
    payload = raw_orders(name)[0].payload
    for path, value in changes.items():
        payload = with_value(payload, path, value)
    return read(payload, template)


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
        "marks": ("cid=13288",),
    }
    return Line(line_id=line_id, sku=sku, unit_price=price, **(fields | rest))


def expected_order(order_id: str, lines: tuple[Line, ...], totals: Totals, **rest: Any) -> Order:
    """An order with every field said: what `rest` does not name is what a plain paid order has."""
    fields: dict[str, Any] = {
        "modified_at": MODIFIED,
        "status": OrderStatus.TO_SHIP,
        "payment": PaymentStatus.PAID,
        "ship_to": RECEIVER,
        "promotions": (),
        "holds": (),
        "marks": SENDPAY,
        "related": (),
        "buyer_remark": "",
        "seller_memo": "",
        "seller_flag": "",
    }
    return Order(
        uid=f"jd:jd-1:{order_id}",
        channel="jd",
        shop_id="jd-1",
        platform_order_id=order_id,
        revision="",
        placed_at=PLACED,
        lines=lines,
        totals=totals,
        source=Source(template="detail"),
        currency="CNY",
        paid_at=PAID,
        pay_deadline=None,
        ship_by=None,
        buyer_key=buyer_key("jd", "jd-1", "ExampleOpenIdBuyer0001"),
        promised_gifts=(),
        presale=None,
        **(fields | rest),
    )


# -- recorded payloads ---------------------------------------------------------------------------------------------


def test_a_simple_paid_order() -> None:
    kettle = expected_line("1012_EXAMPLE0001", "SKU-KETTLE", 12900, platform_sku="10050000000001", title="样例电热水壶")
    assert order_of("01_simple_paid_detail.json") == expected_order(
        "249000000001",
        (kettle,),
        Totals(goods=12900, discount=0, postage=600, paid=13500, other=0),
        buyer_remark="请尽快发货",
        seller_memo="老客",
        seller_flag="red",
    )


def test_discounts_of_the_whole_order_are_shared_out_to_the_fen() -> None:
    # 64.80 - 10.00 - 4.80 = 50.00; soap 39.80 / 64.80 of it is 30.7098..., towels 19.2901...
    soap = expected_line(
        "1012_EXAMPLE0002",
        "SKU-SOAP-4",
        1990,
        quantity=2,
        paid=3071,
        platform_sku="10050000000002",
        title="样例香皂 4块",
    )
    towel = expected_line(
        "1012_EXAMPLE0003", "SKU-TOWEL", 2500, paid=1929, platform_sku="10050000000003", title="样例毛巾"
    )
    assert order_of("02_list_multi_item_with_coupons.json", 0) == expected_order(
        "249000000002",
        (soap, towel),
        Totals(goods=6480, discount=1480, postage=0, paid=5000, other=0),
        promotions=(
            Promotion(name="全品类满减", amount=1000, code="34"),
            Promotion(name="京豆优惠", amount=480, code="39"),
        ),
    )


def test_a_shipped_order() -> None:
    soap = expected_line(
        "1012_EXAMPLE0004",
        "SKU-SOAP-4",
        1990,
        platform_sku="10050000000002",
        title="样例香皂 4块",
        status=LineStatus.SHIPPED,
    )
    assert order_of("02_list_multi_item_with_coupons.json", 1) == expected_order(
        "249000000003",
        (soap,),
        Totals(goods=1990, discount=0, postage=0, paid=1990, other=0),
        status=OrderStatus.SHIPPED,
        modified_at=datetime(2026, 9, 20, 7, 0, 0, tzinfo=UTC),
    )


def test_a_cancelled_order_that_had_been_paid_is_refunded() -> None:
    pen = expected_line(
        "1012_EXAMPLE0005",
        "SKU-PEN",
        5900,
        quantity=0,
        platform_sku="10050000000004",
        title="样例钢笔",
        status=LineStatus.CANCELLED,
        refund=RefundStatus.REFUNDED,
    )
    assert order_of("03_list_cancelled_locked_pause.json", 0) == expected_order(
        "249000000004",
        (pen,),
        Totals(goods=5900, discount=0, postage=0, paid=5900, other=0),
        status=OrderStatus.CANCELLED,
        payment=PaymentStatus.REFUNDED,
        modified_at=datetime(2026, 9, 20, 2, 0, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("index", "order_id", "line_id", "hold"),
    [
        (1, "249000000005", "1012_EXAMPLE0006", "cancel-requested"),
        (2, "249000000006", "1012_EXAMPLE0007", "paused"),
    ],
)
def test_a_locked_or_paused_order_is_held(index: int, order_id: str, line_id: str, hold: str) -> None:
    pen = expected_line(line_id, "SKU-PEN", 5900, platform_sku="10050000000004", title="样例钢笔")
    assert order_of("03_list_cancelled_locked_pause.json", index) == expected_order(
        order_id,
        (pen,),
        Totals(goods=5900, discount=0, postage=0, paid=5900, other=0),
        status=OrderStatus.ON_HOLD,
        holds=(hold,),
    )


def test_lines_without_a_price_are_taken_for_gifts() -> None:
    diaper = expected_line(
        "1012_EXAMPLE0008",
        "SKU-DIAPER-L",
        13900,
        quantity=2,
        paid=25800,  # 2 * 139.00 - 20.00, the coupon being for this item
        platform_sku="10050000000005",
        title="样例纸尿裤 L",
    )
    wipes = expected_line(
        "1012_EXAMPLE0009",
        "GIFT-WIPES",
        0,
        quantity=2,
        platform_sku="10050000000006",
        title="赠品 样例湿巾",
        kind=LineKind.GIFT,
        marks=("zero-price", "cid=13288"),
    )
    leaflet = expected_line(
        "1012_EXAMPLE0010",
        "",
        0,
        platform_sku="10050000000007",
        title="附件 说明书",
        kind=LineKind.GIFT,
        marks=("zero-price", "cid=13288"),
    )
    assert order_of("05_gift_zero_price_lines.json") == expected_order(
        "249000000008",
        (diaper, wipes, leaflet),
        Totals(goods=27800, discount=2000, postage=0, paid=25800, other=0),
        promotions=(Promotion(name="单品促销优惠", amount=2000, code="30"),),
    )


def test_an_order_split_off_another_names_its_parent() -> None:
    chair = expected_line(
        "1012_EXAMPLE0011",
        "SKU-CHAIR",
        29900,
        quantity=2,
        paid=59800,
        platform_sku="10050000000008",
        title="样例椅子",
        status=LineStatus.SHIPPED,
    )
    assert order_of("06_split_order_partial_return.json") == expected_order(
        "249000000010",
        (chair,),
        Totals(goods=59800, discount=0, postage=0, paid=59800, other=0),
        status=OrderStatus.COMPLETED,
        modified_at=datetime(2026, 9, 25, 2, 0, 0, tzinfo=UTC),
        marks=(*SENDPAY, "return=partial"),
        related=(RelatedOrder(platform_order_id="249000000009", relation="parent"),),
    )


def test_an_order_that_jd_ships_itself_is_held_and_its_receiver_is_ciphertext() -> None:
    cake = expected_line("1012_EXAMPLE0012", "SKU-CAKE", 16800, platform_sku="10050000000009", title="样例冷藏蛋糕")
    assert order_of("07_encrypted_receiver_ensearch.json") == expected_order(
        "249000000011",
        (cake,),
        Totals(goods=16800, discount=0, postage=0, paid=16800, other=0),
        status=OrderStatus.ON_HOLD,
        holds=("platform-warehouse",),
        marks=(*SENDPAY, "coldchain_demo=1", "store-order=京仓订单"),
        ship_to=ShipTo(
            privacy=Privacy.ENCRYPTED,
            country="CN",
            province="浙江",
            city="杭州市",
            district="余杭区",
            town="样例街道",
            street="AAExampleCipherAddr0001==",
            name="AAExampleCipherFullname0001==",
            phone="AAExampleCipherMobile0001==",
            postcode="",
            token="ExampleOaid0011",
            receiver_key=receiver_key("example0desen0mobile0011", "AAExampleCipherAddr0001=="),
        ),
    )


# -- status, payment, holds ----------------------------------------------------------------------------------------

SIMPLE = "01_simple_paid_detail.json"
COUPONS = "02_list_multi_item_with_coupons.json"
ITEM: JsonPath = ("itemInfoList", 0)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("WAIT_SELLER_STOCK_OUT", OrderStatus.TO_SHIP),
        ("WAIT_SELLER_DELIVERY", OrderStatus.TO_SHIP),
        ("WAIT_SEND_CODE", OrderStatus.TO_SHIP),
        ("WAIT_GOODS_RECEIVE_CONFIRM", OrderStatus.SHIPPED),
        ("FINISHED_L", OrderStatus.COMPLETED),
        ("TRADE_CANCELED", OrderStatus.CANCELLED),
        ("PAUSE", OrderStatus.ON_HOLD),
        ("POP_ORDER_PAUSE", OrderStatus.ON_HOLD),
        ("LOCKED", OrderStatus.ON_HOLD),
    ],
)
def test_every_order_state_is_known(word: str, status: OrderStatus) -> None:
    assert changed(SIMPLE, {("orderState",): word}).status is status


@pytest.mark.parametrize(
    ("pay_type", "payment"),
    [
        ("1-货到付款", PaymentStatus.CASH_ON_DELIVERY),
        ("2-邮局汇款", PaymentStatus.PAID),
        ("3-自提", PaymentStatus.CASH_ON_DELIVERY),
        ("4-在线支付", PaymentStatus.PAID),
        ("4", PaymentStatus.PAID),
        (5, PaymentStatus.PAID),
        ("6-银行卡转账", PaymentStatus.PAID),
    ],
)
def test_the_way_to_pay_says_whether_it_is_paid(pay_type: Any, payment: PaymentStatus) -> None:
    assert changed(SIMPLE, {("payType",): pay_type}).payment is payment


def test_a_cancelled_order_that_was_never_paid_has_nothing_refunded() -> None:
    changes = {("orderState",): "TRADE_CANCELED", ("paymentConfirmTime",): "0001-01-01 00:00:00"}
    order = changed(SIMPLE, changes)
    assert (order.payment, order.paid_at) == (PaymentStatus.UNPAID, None)
    assert (order.lines[0].status, order.lines[0].refund) == (LineStatus.CANCELLED, RefundStatus.NONE)


@pytest.mark.parametrize("order_type", ["21", "23", "25", "112"])
def test_orders_that_jd_fulfils_are_held(order_type: str) -> None:
    order = changed(SIMPLE, {("orderType",): order_type})
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, ("platform-warehouse",))


def test_an_order_to_redeem_at_a_place_has_nothing_to_pick() -> None:
    order = changed(SIMPLE, {("orderType",): "75", ("orderState",): "WAIT_SEND_CODE"})
    assert order.lines[0].kind is LineKind.SERVICE


@pytest.mark.parametrize(
    ("flag", "refund"), [("1", RefundStatus.REQUESTED), ("2", RefundStatus.NONE), (2, RefundStatus.NONE)]
)
def test_a_return_before_shipping_holds_the_order(flag: Any, refund: RefundStatus) -> None:
    order = changed(SIMPLE, {("returnOrder",): flag})
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, ("refund-requested",))
    assert order.lines[0].refund is refund


def test_several_reasons_to_hold_are_all_told() -> None:
    order = changed(SIMPLE, {("orderState",): "LOCKED", ("storeOrder",): "云仓订单", ("returnOrder",): "1"})
    assert order.holds == ("cancel-requested", "platform-warehouse", "refund-requested")


def test_of_a_part_shipped_order_the_rest_is_still_wanted() -> None:
    parcel = {"shipmentId": "1", "skus": [{"skuUuid": "1012_EXAMPLE0002", "skuId": "10050000000002", "num": 1}]}
    order = changed(COUPONS, {("partialLogisticsInfoModel",): [parcel]})
    assert order.status is OrderStatus.PART_SHIPPED
    assert [(line.status, line.quantity) for line in order.lines] == [(LineStatus.OPEN, 1), (LineStatus.OPEN, 1)]


def test_an_order_all_of_whose_pieces_are_in_parcels_is_shipped() -> None:
    parcel = {"skus": {"skuUuid": "1012_EXAMPLE0001", "skuId": "10050000000001", "num": "1"}}
    order = changed(SIMPLE, {("partialLogisticsInfoModel",): parcel})
    assert order.status is OrderStatus.SHIPPED
    assert (order.lines[0].status, order.lines[0].quantity) == (LineStatus.SHIPPED, 1)


@pytest.mark.parametrize(
    "sendpay", ['{"1075":"2"}', {"1075": "2"}, {"1075": 2}, ['{"9":"2"}', '{"1075":"2"}']], ids=repr
)
def test_an_appointed_day_to_ship_is_kept(sendpay: Any) -> None:
    order = changed(SIMPLE, {("sendpayMap",): sendpay, ("opPickDate",): "2026-09-30 10:00:00"})
    assert order.presale == Presale(
        final_paid=True, ship_not_before=datetime(2026, 9, 30, 2, 0, 0, tzinfo=UTC), deposit=0
    )


# -- money ---------------------------------------------------------------------------------------------------------


def test_tax_service_and_balance_are_other() -> None:
    # 129.00 - 9.00 - 20.00 of balance + 6.00 + 3.00 + 1.00 = 110.00
    changes = {
        ("balanceUsed",): "20.00",
        ("taxFee",): "3.00",
        ("serviceFee",): "1.00",
        ("orderPayment",): "110.00",
    }
    order = changed(SIMPLE, changes)
    assert order.totals == Totals(goods=12900, discount=900, postage=600, paid=11000, other=-1600)
    assert order.lines[0].paid == 12000


def test_more_paid_than_the_fields_explain_is_other() -> None:
    order = changed(SIMPLE, {("orderPayment",): "140.00"})
    assert order.totals == Totals(goods=12900, discount=0, postage=600, paid=14000, other=500)
    assert order.lines[0].paid == 12900


def test_a_coupon_for_one_item_comes_off_that_item_alone() -> None:
    coupon = {"couponType": 30, "couponPrice": "10.00", "skuId": "10050000000003"}
    order = changed(COUPONS, {("couponDetailList",): [coupon], ("orderPayment",): "54.80"})
    assert [line.paid for line in order.lines] == [3980, 1500]
    assert order.promotions == (Promotion(name="单品促销优惠", amount=1000, code="30"),)


def test_an_unknown_coupon_is_named_by_its_code() -> None:
    coupon = {"couponType": "777", "couponPrice": "10.00", "skuId": ""}
    order = changed(COUPONS, {("couponDetailList",): coupon})
    assert order.promotions == (Promotion(name="777", amount=1000, code="777"),)


# -- receiver ------------------------------------------------------------------------------------------------------


def test_a_masked_phone_beside_ciphertext_is_encrypted() -> None:
    order = changed(SIMPLE, {("consigneeInfo", "fullname"): "QUFBRXhhbXBsZUNpcGhlcg=="})
    assert order.ship_to.privacy is Privacy.ENCRYPTED


def test_a_receiver_in_plain_text_is_plain() -> None:
    consignee = {"fullname": "测试", "mobile": "12000000001", "fullAddress": "样例路1号", "province": "浙江"}
    assert changed(SIMPLE, {("consigneeInfo",): consignee}).ship_to.privacy is Privacy.PLAIN


def test_no_receiver_is_missing() -> None:
    order = changed(SIMPLE, {("consigneeInfo",): {}})
    assert (order.ship_to.privacy, order.ship_to.receiver_key) == (Privacy.MISSING, "")


def test_another_door_is_another_receiver() -> None:
    here = order_of(SIMPLE).ship_to.receiver_key
    assert here == order_of(COUPONS).ship_to.receiver_key
    assert here != changed(SIMPLE, {("consigneeInfo", "fullAddress"): "浙江杭州市余杭区****2"}).ship_to.receiver_key


# -- the lean template ---------------------------------------------------------------------------------------------


def test_a_line_without_its_own_id_is_named_after_its_sku() -> None:
    root = json.loads(raw_orders(COUPONS)[0].payload)
    for item in root["itemInfoList"]:
        del item["itemExt"]
        item["skuId"] = "10050000000002"
    payload = json.dumps(root).encode()
    with pytest.raises(UnreadablePayload):
        read(payload)
    assert [line.line_id for line in read(payload, template=1).lines] == ["10050000000002", "10050000000002#2"]


def test_an_order_asked_for_with_few_fields_is_read() -> None:
    payload = raw_orders(SIMPLE)[0].payload
    for name in ("orderTotalPrice", "freightPrice", "consigneeInfo", "paymentConfirmTime", "sendpayMap"):
        payload = without(payload, (name,))
    order = read(with_value(payload, ("orderPayment",), "129.00"), template=1)
    assert order.source.template == "lean"
    assert order.totals == Totals(goods=12900, discount=0, postage=0, paid=12900, other=0)
    assert order.ship_to.privacy is Privacy.MISSING


@pytest.mark.parametrize("name", ["storeOrder", "orderType", "returnOrder", "orderState"])
def test_what_decides_about_shipping_is_never_optional(name: str) -> None:
    payload = without(raw_orders(SIMPLE)[0].payload, (name,))
    for template in (0, 1):
        with pytest.raises(UnreadablePayload) as caught:
            read(payload, template)
        assert (caught.value.code, caught.value.where) == ("missing-field", name)


def test_both_templates_read_a_full_order_alike() -> None:
    payload = raw_orders("05_gift_zero_price_lines.json")[0].payload
    detail, lean = read(payload, 0), read(payload, 1)
    assert replace(lean, source=detail.source) == detail


def test_five_hundred_lines_are_read() -> None:
    root = json.loads(raw_orders(SIMPLE)[0].payload)
    row = root["itemInfoList"][0]
    root["itemInfoList"] = [row | {"itemExt": json.dumps({"skuUuid": f"u{number}"})} for number in range(500)]
    order = read(json.dumps(root).encode())
    assert len(order.lines) == 500
    assert sum(line.paid for line in order.lines) == order.totals.goods - order.totals.discount
