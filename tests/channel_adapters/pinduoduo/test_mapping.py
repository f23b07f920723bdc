"""Every recorded Pinduoduo payload, against the order it means: derived by hand from the payload and the docs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import UnreadablePayload
from channel_adapters.pinduoduo.adapter import ADAPTER
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
    Totals,
)
from tests.channel_adapters.contract import read, with_value, without

PAYLOADS = Path(__file__).parent / "payloads"
SHOP = "sample-mall"

PLACED = datetime(2026, 9, 20, 1, 0, 0, tzinfo=UTC)  # 09:00 in Beijing
PAID = datetime(2026, 9, 20, 1, 0, 20, tzinfo=UTC)
MODIFIED = datetime(2026, 9, 20, 1, 0, 26, tzinfo=UTC)
SHIP_BY = datetime(2026, 9, 22, 1, 0, 25, tzinfo=UTC)

CATEGORIES = ("cat_id_1=1", "cat_id_2=10", "cat_id_3=100")

NOBODY = ShipTo(
    privacy=Privacy.MISSING,
    country="CN",
    province="浙江省",
    city="杭州市",
    district="余杭区",
    receiver_key="OPENADDR00000000000000000001",
)
MASKED = replace(NOBODY, privacy=Privacy.MASKED, name="测*", phone="120****0001", street="样***号")


def encrypted(order_sn: str) -> ShipTo:
    """Each text is decrypted with the number of its order."""
    return replace(
        NOBODY,
        privacy=Privacy.ENCRYPTED,
        name="~AgAAAAExampleCipherName0001~0~",
        phone="$AgAAAAExampleCipherPhone0001$0$",
        street="~AgAAAAExampleCipherAddress0001~0~",
        token=order_sn,
    )


def payloads(name: str) -> list[bytes]:
    return [raw.payload for raw in ADAPTER.open_envelope((PAYLOADS / name).read_bytes())]


def only(name: str) -> bytes:
    (payload,) = payloads(name)
    return payload


def expected(order_sn: str, revision: str, **facts: Any) -> Order:
    """A paid order of the sample mall that is to be shipped; `facts` say all that is particular to it."""
    common: dict[str, Any] = {
        "modified_at": MODIFIED,
        "placed_at": PLACED,
        "paid_at": PAID,
        "ship_by": SHIP_BY,
        "status": OrderStatus.TO_SHIP,
        "payment": PaymentStatus.PAID,
        "ship_to": encrypted(order_sn),
        "currency": "CNY",
        "buyer_key": "",  # the platform names no buyer
        "marks": CATEGORIES,
        "source": Source(template="information"),
    }
    names = {
        "uid": f"pinduoduo:{SHOP}:{order_sn}",
        "channel": "pinduoduo",
        "shop_id": SHOP,
        "platform_order_id": order_sn,
    }
    return Order(**{**common, **names, "revision": revision, **facts})


def check(order: Order, wanted: Order) -> None:
    """All fields are as wanted; of the revision, the time stamp."""
    stamp = order.revision.partition(".")[0]
    assert stamp == wanted.revision
    assert replace(order, revision=stamp) == wanted


# -- the recorded payloads -----------------------------------------------------------------------------------------


def test_01_a_simple_paid_order() -> None:
    wanted = expected(
        "260920-000000000000001",
        "001789866026000",
        lines=(
            Line(
                line_id="800000000001",
                sku="SKU-TISSUE-20",
                quantity=1,
                unit_price=2990,
                paid=2490,
                platform_sku="800000000001",
                title="样例抽纸 20包",
            ),
        ),
        totals=Totals(goods=2990, discount=500, postage=0, paid=2490, other=0),
        promotions=(
            Promotion(name="platform_discount", amount=300),
            Promotion(name="seller_discount", amount=200),
        ),
    )
    check(read(ADAPTER, only("01_simple_paid.json"), SHOP), wanted)


def test_02_postage_is_no_part_of_a_lines_payment() -> None:
    wanted = expected(
        "260920-000000000000002",
        "001789866026000",
        lines=(
            Line(
                line_id="800000000002",
                sku="SKU-RICE-5K",
                quantity=2,
                unit_price=4550,
                paid=9100,
                platform_sku="800000000002",
                title="样例大米 5kg",
            ),
        ),
        totals=Totals(goods=9100, discount=0, postage=600, paid=9700, other=0),
        buyer_remark="不要放驿站",
        seller_memo="大客户",
        seller_flag="red",
    )
    check(read(ADAPTER, payloads("02_increment_page_two_orders_has_next.json")[0], SHOP), wanted)


def test_02_a_shipped_order_shows_only_the_mask_of_its_receiver() -> None:
    wanted = expected(
        "260920-000000000000003",
        "001789876801000",
        modified_at=datetime(2026, 9, 20, 4, 0, 1, tzinfo=UTC),
        status=OrderStatus.SHIPPED,
        lines=(
            Line(
                line_id="800000000003",
                sku="SKU-NOODLE",
                quantity=1,
                unit_price=1290,
                paid=1290,
                platform_sku="800000000003",
                title="样例面条",
                status=LineStatus.SHIPPED,
            ),
        ),
        ship_to=MASKED,
        totals=Totals(goods=1290, discount=0, postage=0, paid=1290, other=0),
    )
    check(read(ADAPTER, payloads("02_increment_page_two_orders_has_next.json")[1], SHOP), wanted)


def socks(**facts: Any) -> Line:
    return Line(
        line_id="800000000004",
        sku="SKU-SOCK-5",
        unit_price=1990,
        paid=1990,
        platform_sku="800000000004",
        title="样例袜子 5双",
        **facts,
    )


def test_03_a_paid_order_whose_group_is_not_complete_is_on_hold() -> None:
    wanted = expected(
        "260920-000000000000004",
        "001789866026000",
        status=OrderStatus.ON_HOLD,
        holds=("group-incomplete",),
        ship_by=None,
        lines=(socks(quantity=1),),
        ship_to=MASKED,
        totals=Totals(goods=1990, discount=0, postage=0, paid=1990, other=0),
    )
    check(read(ADAPTER, payloads("03_ungrouped_and_cancelled.json")[0], SHOP), wanted)


def test_03_an_order_whose_group_failed_is_cancelled_and_refunded() -> None:
    wanted = expected(
        "260920-000000000000005",
        "001789952400000",
        modified_at=datetime(2026, 9, 21, 1, 0, 0, tzinfo=UTC),
        status=OrderStatus.CANCELLED,
        payment=PaymentStatus.REFUNDED,
        lines=(socks(quantity=0, status=LineStatus.CANCELLED, refund=RefundStatus.REFUNDED),),
        ship_to=MASKED,
        totals=Totals(goods=1990, discount=0, postage=0, paid=1990, other=0),
    )
    check(read(ADAPTER, payloads("03_ungrouped_and_cancelled.json")[1], SHOP), wanted)


def test_04_it_is_cancelled_as_well_when_its_lines_are_not_told() -> None:
    order = read(ADAPTER, with_value(only("04_refund_success_before_ship.json"), ("item_list",), []))
    assert (order.status, order.lines) == (OrderStatus.CANCELLED, ())


def test_04_an_order_refunded_before_shipping_is_cancelled() -> None:
    wanted = expected(
        "260920-000000000000006",
        "001789891200000",
        modified_at=datetime(2026, 9, 20, 8, 0, 0, tzinfo=UTC),
        status=OrderStatus.CANCELLED,
        payment=PaymentStatus.REFUNDED,
        lines=(
            Line(
                line_id="800000000005",
                sku="SKU-SHIRT-L",
                quantity=0,
                unit_price=8900,
                paid=8900,
                platform_sku="800000000005",
                title="样例衬衫 L",
                status=LineStatus.CANCELLED,
                refund=RefundStatus.REFUNDED,
            ),
        ),
        ship_to=MASKED,
        totals=Totals(goods=8900, discount=0, postage=0, paid=8900, other=0),
    )
    check(read(ADAPTER, only("04_refund_success_before_ship.json"), SHOP), wanted)


def test_05_a_gift_that_is_an_order_of_its_own_is_no_line_here() -> None:
    wanted = expected(
        "260920-000000000000007",
        "001789866026000",
        lines=(
            Line(
                line_id="800000000006",
                sku="SKU-DETERGENT-3L",
                quantity=1,
                unit_price=5990,
                paid=5490,
                platform_sku="800000000006",
                title="样例洗衣液 3L",
            ),
        ),
        totals=Totals(goods=5990, discount=500, postage=0, paid=5490, other=0),
        promotions=(Promotion(name="seller_discount", amount=500),),
        related=(RelatedOrder(platform_order_id="260920-000000000000008", relation="gift"),),
        marks=(*CATEGORIES, "gift_order_status=0"),
    )
    check(read(ADAPTER, only("05_gift_list_and_related_order.json"), SHOP), wanted)


CRABS = Line(
    line_id="800000000009",
    sku="SKU-CRAB-8",
    quantity=1,
    unit_price=39900,
    paid=39900,
    platform_sku="800000000009",
    title="样例大闸蟹 8只 预售",
)
CRAB_SEASON = datetime(2026, 10, 10, 15, 59, 59, tzinfo=UTC)


def test_06_a_presale_with_its_deposit_paid_waits_for_the_rest() -> None:
    wanted = expected(
        "260920-000000000000009",
        "001789866026000",
        status=OrderStatus.AWAITING_PAYMENT,
        payment=PaymentStatus.DEPOSIT_PAID,
        paid_at=None,
        ship_by=None,
        lines=(CRABS,),
        ship_to=MASKED,
        totals=Totals(goods=39900, discount=0, postage=0, paid=39900, other=0),
        presale=Presale(final_paid=False, ship_not_before=CRAB_SEASON, deposit=5000),
    )
    check(read(ADAPTER, only("06_presale_deposit_paid.json"), SHOP), wanted)


def test_07_a_presale_paid_in_full_is_to_ship_and_keeps_its_tags() -> None:
    wanted = expected(
        "260920-000000000000010",
        "001790784604000",
        modified_at=datetime(2026, 9, 30, 16, 10, 4, tzinfo=UTC),
        paid_at=datetime(2026, 9, 30, 16, 10, 0, tzinfo=UTC),
        lines=(replace(CRABS, paid=29900, title="样例大闸蟹 8只 预售 生鲜冷链"),),
        totals=Totals(goods=39900, discount=10000, postage=0, paid=29900, other=0),
        promotions=(Promotion(name="seller_discount", amount=10000),),
        presale=Presale(final_paid=True, ship_not_before=CRAB_SEASON, deposit=5000),
        marks=("fresh_demo", *CATEGORIES),
    )
    check(read(ADAPTER, only("07_presale_final_paid_cold_hint.json"), SHOP), wanted)


def test_08_an_order_under_review_is_on_hold_and_has_no_receiver() -> None:
    wanted = expected(
        "260920-000000000000011",
        "001789866026000",
        status=OrderStatus.ON_HOLD,
        holds=("risk-review",),
        lines=(
            Line(
                line_id="800000000010",
                sku="SKU-EARPHONE",
                quantity=1,
                unit_price=12900,
                paid=12900,
                platform_sku="800000000010",
                title="样例耳机",
            ),
        ),
        ship_to=NOBODY,
        totals=Totals(goods=12900, discount=0, postage=0, paid=12900, other=0),
    )
    check(read(ADAPTER, only("08_under_review_blank_receiver.json"), SHOP), wanted)


@pytest.mark.parametrize("name", ["09_pmc_frame_trade_confirmed.json", "10_pmc_frame_refund_created.json"])
def test_09_10_messages_say_that_the_poller_fetches_the_order(name: str) -> None:
    with pytest.raises(UnreadablePayload) as caught:
        ADAPTER.open_envelope((PAYLOADS / name).read_bytes())
    assert caught.value.code == "not-an-order"
    assert "poller" in caught.value.text.en


# -- what the recorded payloads do not show ------------------------------------------------------------------------

PAID_ORDER = only("01_simple_paid.json")
GIFT_ORDER = only("05_gift_list_and_related_order.json")
DEPOSIT_ORDER = only("06_presale_deposit_paid.json")


def changed(payload: bytes, **values: Any) -> Order:
    """The order of a payload with some of its fields changed."""
    for name, value in values.items():
        payload = with_value(payload, (name,), value)
    return read(ADAPTER, payload, SHOP)


def item(sku_id: int, price: float, count: int, **more: Any) -> dict[str, Any]:
    return {"sku_id": sku_id, "outer_id": f"SKU-{sku_id}", "goods_price": price, "goods_count": count, **more}


@pytest.mark.parametrize(
    ("order_status", "confirm_status", "group_status", "refund_status", "status"),
    [
        (1, 1, 1, 1, OrderStatus.TO_SHIP),
        (1, 0, 1, 1, OrderStatus.ON_HOLD),
        (1, 1, 0, 1, OrderStatus.ON_HOLD),
        (1, 0, 0, 1, OrderStatus.ON_HOLD),
        (1, 2, 1, 1, OrderStatus.CANCELLED),
        (1, 1, 2, 1, OrderStatus.CANCELLED),
        (1, 1, 1, 2, OrderStatus.TO_SHIP),
        (1, 1, 1, 3, OrderStatus.TO_SHIP),
        (1, 1, 1, 4, OrderStatus.CANCELLED),
        (2, 1, 1, 1, OrderStatus.SHIPPED),
        (2, 1, 1, 4, OrderStatus.SHIPPED),
        (3, 1, 1, 1, OrderStatus.COMPLETED),
    ],
)
def test_the_status_is_read_from_four_fields_together(
    order_status: int, confirm_status: int, group_status: int, refund_status: int, status: OrderStatus
) -> None:
    order = changed(
        PAID_ORDER,
        order_status=order_status,
        confirm_status=confirm_status,
        group_status=group_status,
        refund_status=refund_status,
    )
    assert order.status is status


@pytest.mark.parametrize(
    ("refund_status", "order_status", "refund", "line_status", "quantity"),
    [
        (1, 1, RefundStatus.NONE, LineStatus.OPEN, 1),
        (2, 1, RefundStatus.REQUESTED, LineStatus.OPEN, 1),
        (3, 1, RefundStatus.REQUESTED, LineStatus.OPEN, 1),
        (4, 1, RefundStatus.REFUNDED, LineStatus.CANCELLED, 0),
        (4, 2, RefundStatus.REFUNDED, LineStatus.SHIPPED, 1),
    ],
)
def test_every_refund_of_an_order(
    refund_status: int, order_status: int, refund: RefundStatus, line_status: LineStatus, quantity: int
) -> None:
    line = changed(PAID_ORDER, refund_status=refund_status, order_status=order_status).lines[0]
    assert (line.refund, line.status, line.quantity) == (refund, line_status, quantity)


def test_an_order_that_is_neither_paid_nor_confirmed_awaits_payment() -> None:
    order = changed(PAID_ORDER, confirm_status=0, group_status=0, pay_time="", confirm_time="")
    assert (order.status, order.payment, order.holds) == (OrderStatus.AWAITING_PAYMENT, PaymentStatus.UNPAID, ())


def test_a_ship_hold_tag_forbids_shipping() -> None:
    order = changed(PAID_ORDER, order_tag_list=[{"name": "ship_hold", "value": 1}])
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, ("ship-hold",))
    assert "ship_hold" in order.marks


def test_an_order_may_be_held_for_several_reasons() -> None:
    order = changed(
        PAID_ORDER, group_status=0, risk_control_status=1, order_tag_list=[{"name": "ship_hold", "value": 1}]
    )
    assert order.holds == ("group-incomplete", "risk-review", "ship-hold")


@pytest.mark.parametrize(
    ("step", "payment", "status"),
    [
        (0, PaymentStatus.UNPAID, OrderStatus.AWAITING_PAYMENT),
        (1, PaymentStatus.DEPOSIT_PAID, OrderStatus.AWAITING_PAYMENT),
        (2, PaymentStatus.PAID, OrderStatus.TO_SHIP),
    ],
)
def test_a_presale_with_a_deposit_ships_only_when_both_parts_are_paid(
    step: int, payment: PaymentStatus, status: OrderStatus
) -> None:
    payload = with_value(DEPOSIT_ORDER, ("step_order_info", "step_trade_status"), step)
    order = changed(payload, confirm_status=1)
    assert (order.payment, order.status) == (payment, status)


def test_a_deposit_presale_that_does_not_say_its_step_is_not_paid() -> None:
    assert changed(DEPOSIT_ORDER, step_order_info=None, confirm_status=1).payment is PaymentStatus.UNPAID


def test_a_presale_paid_in_full_ships_later() -> None:
    order = changed(PAID_ORDER, is_pre_sale=1, pre_sale_time="2026-10-10 23:59:59")
    assert (order.status, order.presale) == (
        OrderStatus.TO_SHIP,
        Presale(final_paid=True, ship_not_before=CRAB_SEASON),
    )


def test_a_gift_without_an_order_of_its_own_is_a_line_bound_to_the_first_item() -> None:
    payload = without(without(GIFT_ORDER, ("gift_list", 0, "order_sn")), ("related_order_list",))
    order = read(ADAPTER, payload, SHOP)
    assert order.lines[1] == Line(
        line_id="800000000007",
        sku="GIFT-BAG",
        quantity=1,
        unit_price=0,
        paid=0,
        platform_sku="800000000007",
        title="赠品 样例洗衣袋",
        kind=LineKind.GIFT,
        bound_to=("800000000006",),
    )
    assert order.related == ()
    assert order.totals == Totals(goods=5990, discount=500, postage=0, paid=5490, other=0)


def test_the_order_of_a_gift_points_at_its_main_order() -> None:
    related = [{"order_sn": "260920-000000000000007", "relation_type": 4}, {"order_sn": "X", "relation_type": 2}]
    assert changed(PAID_ORDER, related_order_list=related).related == (
        RelatedOrder(platform_order_id="260920-000000000000007", relation="gift-of"),
        RelatedOrder(platform_order_id="X", relation="type-2"),
    )


def test_a_sku_that_stands_twice_makes_two_lines() -> None:
    order = changed(PAID_ORDER, item_list=[item(7, 10, 1), item(7, 10, 2)], gift_list=[item(7, 0, 1)], pay_amount=25)
    assert [line.line_id for line in order.lines] == ["7", "7#2", "7#3"]
    assert order.lines[2].bound_to == ("7",)


def test_the_payment_is_shared_out_exactly() -> None:
    order = changed(PAID_ORDER, item_list=[item(1, 10, 1), item(2, 10, 1), item(3, 10, 1)], pay_amount="20.00")
    assert [line.paid for line in order.lines] == [667, 667, 666]


def test_a_paid_service_is_other_money() -> None:
    fees = [{"service_name": "sf_express_fee", "service_fee": 3.5}]
    order = changed(PAID_ORDER, service_fee_detail=fees, pay_amount=28.4)
    assert order.totals == Totals(goods=2990, discount=500, postage=0, paid=2840, other=350)
    assert order.lines[0].paid == 2490


def test_a_manual_change_of_price_is_other_money() -> None:
    order = changed(PAID_ORDER, order_change_amount=1, goods_amount=28.9, pay_amount=23.9)
    assert order.totals == Totals(goods=2990, discount=500, postage=0, paid=2390, other=-100)


def test_a_receiver_in_plain_text_is_told() -> None:
    order = changed(
        PAID_ORDER, receiver_name="测试", receiver_phone="", contact_mobile="12000000001", receiver_address="样例路"
    )
    assert (order.ship_to.privacy, order.ship_to.phone, order.ship_to.token) == (Privacy.PLAIN, "12000000001", "")


def test_the_second_address_id_stands_in_for_the_first() -> None:
    assert changed(PAID_ORDER, open_address_id="", open_address_id_2="OPEN2").ship_to.receiver_key == "OPEN2"


def test_tags_flags_and_activities_are_marks() -> None:
    order = changed(
        PAID_ORDER,
        order_tag_list=[
            {"name": "conso_order", "value": 1},
            {"name": "off", "value": 0},
            {"name": "level", "value": 3},
        ],
        free_sf=1,
        delivery_one_day=1,
        is_stock_out=1,
        is_lucky_flag=2,
        cat_id_1=0,
        cat_id_2=None,
        bonded_warehouse="宁波保税仓",
        promotion_detail_list=[{"promotion_type": 30, "discount_amount": 300}],
    )
    assert order.marks == (
        "conso_order",
        "level=3",
        "is_stock_out",
        "free_sf",
        "delivery_one_day",
        "lottery",
        "cat_id_3=100",
        "bonded_warehouse=宁波保税仓",
        "promotion_type=30",
    )


@pytest.mark.parametrize(
    ("number", "colour"),
    [(None, ""), (0, ""), (1, "red"), (2, "yellow"), (3, "green"), (4, "blue"), (5, "purple"), (8, "8")],
)
def test_the_sellers_flag_is_a_colour(number: int | None, colour: str) -> None:
    assert changed(PAID_ORDER, remark_tag=number).seller_flag == colour


# -- the lean form -------------------------------------------------------------------------------------------------


def lean(payload: bytes) -> bytes:
    for name in ("confirm_status", "group_status", "risk_control_status", "discount_amount"):
        payload = without(payload, (name,))
    return payload


def test_a_lean_row_is_a_deal_once_it_has_a_confirm_time() -> None:
    order = read(ADAPTER, lean(PAID_ORDER), SHOP)
    assert (order.source.template, order.status) == ("list", OrderStatus.TO_SHIP)


def test_a_lean_row_without_a_confirm_time_is_not_yet_a_deal() -> None:
    order = changed(lean(PAID_ORDER), confirm_time="")
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, ("group-incomplete",))


def test_a_lean_row_without_a_sku_is_known_by_its_goods() -> None:
    payload = without(PAID_ORDER, ("item_list", 0, "sku_id"))
    assert read(ADAPTER, payload, SHOP).lines[0].line_id == "700000000001"
