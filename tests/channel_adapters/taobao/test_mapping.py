"""Every recorded Taobao payload, against the order it means: derived by hand from the payload and TOP's docs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import UnreadablePayload
from channel_adapters.reading import buyer_key
from channel_adapters.shop import Shop
from channel_adapters.taobao.adapter import ADAPTER
from schemas.codes import HoldCode
from schemas.order import (
    Line,
    LineKind,
    LineStatus,
    Order,
    OrderStatus,
    PaymentStatus,
    Presale,
    Privacy,
    PromisedGift,
    Promotion,
    RefundStatus,
    ShipTo,
    Source,
    Totals,
)
from tests.channel_adapters.contract import read, with_value, without

PAYLOADS = Path(__file__).parent / "payloads"
SHOP = "sample-flagship"

PLACED = datetime(2026, 9, 20, 2, 0, 1, tzinfo=UTC)  # 10:00:01 in Beijing
PAID = datetime(2026, 9, 20, 2, 0, 33, tzinfo=UTC)
MODIFIED = datetime(2026, 9, 20, 2, 0, 34, tzinfo=UTC)

OAID = "1ExampleOaid0000000000000000000000000000000000000000000000000001"

RECEIVER = ShipTo(
    privacy=Privacy.MASKED,
    country="CN",
    province="浙江省",
    city="杭州市",
    district="余杭区",
    town="样例街道",
    street="测***",
    name="测**",
    phone="*******0001",
    postcode="000000",
    token=OAID,
    receiver_key=OAID,
)
RECEIVER_BEFORE_PAYMENT = replace(RECEIVER, token="", receiver_key="")


def payloads(name: str) -> list[bytes]:
    return [raw.payload for raw in ADAPTER.open_envelope((PAYLOADS / name).read_bytes())]


def only(name: str) -> bytes:
    (payload,) = payloads(name)
    return payload


def expected(tid: str, **facts: Any) -> Order:
    """A paid order of the sample shop that is to be shipped; `facts` say all that is particular to it."""
    common: dict[str, Any] = {
        "modified_at": MODIFIED,
        "placed_at": PLACED,
        "paid_at": PAID,
        "status": OrderStatus.TO_SHIP,
        "payment": PaymentStatus.PAID,
        "ship_to": RECEIVER,
        "currency": "CNY",
        "seller_flag": "grey",
        "buyer_key": buyer_key("taobao", SHOP, "AAExampleOpenUid0000001"),
        "source": Source(template="fullinfo"),
    }
    names = {"uid": f"taobao:{SHOP}:{tid}", "channel": "taobao", "shop_id": SHOP, "platform_order_id": tid}
    return Order(**{**common, **names, "revision": "", **facts})


def check(order: Order, wanted: Order) -> None:
    """Equal in every field; the revision, a digest, is the contract kit's business."""
    assert replace(order, revision="") == wanted


# -- the recorded payloads -----------------------------------------------------------------------------------------


def test_01_a_simple_paid_trade() -> None:
    wanted = expected(
        "3000000000000000001",
        lines=(
            Line(
                line_id="3000000000000000001",
                sku="SKU-OAT-500",
                quantity=2,
                unit_price=3990,
                paid=7980,  # the line's payment holds the postage of 8.00, its divided fee does not
                platform_sku="5000000000001",
                title="样例燕麦片 500g",
            ),
        ),
        totals=Totals(goods=7980, discount=0, postage=800, paid=8780, other=0),
        ship_by=datetime(2026, 9, 22, 2, 0, 33, tzinfo=UTC),
        buyer_remark="请放门口 谢谢",
        seller_memo="老客",
        seller_flag="red",
    )
    check(read(ADAPTER, only("01_simple_paid.json"), SHOP), wanted)


def test_02_discounts_are_shared_out_over_the_lines() -> None:
    wanted = expected(
        "3000000000000000101",
        modified_at=datetime(2026, 9, 20, 3, 30, 0, tzinfo=UTC),
        lines=(
            Line(
                line_id="3000000000000000102",
                sku="SKU-NUT-BOX",
                quantity=1,
                unit_price=12800,
                paid=9000,  # 128 less 28 of its own, less half of the shop's 20
                platform_sku="5000000000002",
                title="样例坚果礼盒",
            ),
            Line(
                line_id="3000000000000000103",
                sku="SKU-JUICE-1L",
                quantity=4,
                unit_price=2500,
                paid=9000,
                platform_sku="5000000000003",
                title="样例果汁 1L",
            ),
        ),
        totals=Totals(goods=22800, discount=4800, postage=0, paid=18000, other=0),
        promotions=(
            Promotion(name="店铺满减", amount=2000, code="shopbonus-100001_200001"),
            Promotion(name="限时价", amount=2800, code="limitpromotion-100002_200002"),
        ),
        seller_flag="green",
    )
    check(read(ADAPTER, payloads("02_multi_suborder_list_has_next.json")[0], SHOP), wanted)


def test_02_a_part_shipped_trade_has_one_line_left() -> None:
    wanted = expected(
        "3000000000000000201",
        modified_at=datetime(2026, 9, 20, 3, 10, 0, tzinfo=UTC),
        status=OrderStatus.PART_SHIPPED,
        lines=(
            Line(
                line_id="3000000000000000202",
                sku="SKU-TEA-250",
                quantity=1,
                unit_price=6600,
                paid=6600,
                platform_sku="5000000000004",
                title="样例茶叶 250g",
                status=LineStatus.SHIPPED,
            ),
            Line(
                line_id="3000000000000000203",
                sku="SKU-CUP-01",
                quantity=1,
                unit_price=3400,
                paid=3400,
                platform_sku="5000000000005",
                title="样例茶杯",
            ),
        ),
        totals=Totals(goods=10000, discount=0, postage=0, paid=10000, other=0),
    )
    check(read(ADAPTER, payloads("02_multi_suborder_list_has_next.json")[1], SHOP), wanted)


def cookie(line_id: str, **facts: Any) -> Line:
    return Line(
        line_id=line_id,
        sku="SKU-COOKIE",
        unit_price=1990,
        platform_sku="5000000000006",
        title="样例饼干",
        **facts,
    )


def test_03_an_unpaid_trade_tells_when_it_closes() -> None:
    wanted = expected(
        "3000000000000000301",
        status=OrderStatus.AWAITING_PAYMENT,
        payment=PaymentStatus.UNPAID,
        paid_at=None,
        pay_deadline=datetime(2026, 9, 21, 2, 0, 1, tzinfo=UTC),
        lines=(cookie("3000000000000000301", quantity=1, paid=1990),),
        ship_to=RECEIVER_BEFORE_PAYMENT,
        totals=Totals(goods=1990, discount=0, postage=0, paid=1990, other=0),
    )
    check(read(ADAPTER, payloads("03_unpaid_and_closed_list.json")[0], SHOP), wanted)


def test_03_a_trade_closed_before_payment_is_cancelled_and_never_was_refunded() -> None:
    wanted = expected(
        "3000000000000000401",
        status=OrderStatus.CANCELLED,
        payment=PaymentStatus.UNPAID,
        paid_at=None,
        lines=(cookie("3000000000000000401", quantity=0, paid=5970, status=LineStatus.CANCELLED),),
        ship_to=RECEIVER_BEFORE_PAYMENT,
        totals=Totals(goods=5970, discount=0, postage=0, paid=5970, other=0),
    )
    check(read(ADAPTER, payloads("03_unpaid_and_closed_list.json")[1], SHOP), wanted)


def test_03_a_trade_closed_after_payment_is_cancelled_and_refunded() -> None:
    wanted = expected(
        "3000000000000000501",
        status=OrderStatus.CANCELLED,
        payment=PaymentStatus.REFUNDED,
        lines=(
            cookie(
                "3000000000000000501",
                quantity=0,
                paid=1990,
                status=LineStatus.CANCELLED,
                refund=RefundStatus.REFUNDED,
            ),
        ),
        totals=Totals(goods=1990, discount=0, postage=0, paid=1990, other=0),
    )
    check(read(ADAPTER, payloads("03_unpaid_and_closed_list.json")[2], SHOP), wanted)


def test_04_a_refunded_line_is_cancelled_and_a_requested_refund_leaves_its_line_open() -> None:
    wanted = expected(
        "3000000000000000601",
        modified_at=datetime(2026, 9, 20, 6, 20, 0, tzinfo=UTC),
        lines=(
            Line(
                line_id="3000000000000000602",
                sku="SKU-TEE-W",
                quantity=0,
                unit_price=5900,
                paid=5900,
                platform_sku="5000000000007",
                title="样例T恤 白",
                status=LineStatus.CANCELLED,
                refund=RefundStatus.REFUNDED,
            ),
            Line(
                line_id="3000000000000000603",
                sku="SKU-TEE-B",
                quantity=2,
                unit_price=5900,
                paid=11800,
                platform_sku="5000000000008",
                title="样例T恤 黑",
            ),
            Line(
                line_id="3000000000000000604",
                sku="SKU-SHORT",
                quantity=1,
                unit_price=7900,
                paid=7900,
                platform_sku="5000000000009",
                title="样例短裤",
                refund=RefundStatus.REQUESTED,
            ),
        ),
        totals=Totals(goods=25600, discount=0, postage=0, paid=25600, other=0),
    )
    check(read(ADAPTER, only("04_one_line_refunded_one_line_refund_pending.json"), SHOP), wanted)


def test_05_a_gift_line_is_bound_to_its_main_line_and_a_gift_in_words_is_promised() -> None:
    wanted = expected(
        "3000000000000000701",
        lines=(
            Line(
                line_id="3000000000000000702",
                sku="SKU-COFFEE-1K",
                quantity=1,
                unit_price=15800,
                paid=15800,
                platform_sku="5000000000010",
                title="样例咖啡豆 1kg",
            ),
            Line(
                line_id="3000000000000000703",
                sku="GIFT-DRIPPER",
                quantity=1,
                unit_price=0,
                paid=0,
                platform_sku="5000000000011",
                title="【赠品】样例滤杯",
                kind=LineKind.GIFT,
                bound_to=("3000000000000000702",),
            ),
        ),
        totals=Totals(goods=15800, discount=0, postage=0, paid=15800, other=0),
        promotions=(Promotion(name="满就送", amount=0, code="mjs-100003_200003"),),
        promised_gifts=(PromisedGift(name="样例贴纸", quantity=1, platform_item_id="600000000099"),),
    )
    check(read(ADAPTER, only("05_gift_suborder_and_text_gift.json"), SHOP), wanted)


def test_06_a_presale_with_its_deposit_paid_waits_for_the_rest() -> None:
    wanted = expected(
        "3000000000000000801",
        status=OrderStatus.AWAITING_PAYMENT,
        payment=PaymentStatus.DEPOSIT_PAID,
        paid_at=None,
        lines=(
            Line(
                line_id="3000000000000000802",
                sku="SKU-DOWN-M",
                quantity=1,
                unit_price=69900,
                paid=69900,
                platform_sku="5000000000012",
                title="样例羽绒服 预售",
            ),
        ),
        totals=Totals(goods=69900, discount=0, postage=0, paid=69900, other=0),
        presale=Presale(final_paid=False, deposit=10000),
        ship_by=datetime(2026, 11, 20, 16, 0, 0, tzinfo=UTC),  # "2026年11月20日24点前" in Beijing
    )
    check(read(ADAPTER, only("06_presale_deposit_paid.json"), SHOP), wanted)


def test_07_a_presale_paid_in_full_ships_with_its_service_words_as_marks() -> None:
    wanted = expected(
        "3000000000000000901",
        lines=(
            Line(
                line_id="3000000000000000902",
                sku="SKU-CHERRY-2K",
                quantity=1,
                unit_price=26800,
                paid=26800,
                platform_sku="5000000000013",
                title="样例车厘子 2kg 冷链",
                marks=(
                    "f_type=jsd",
                    "timing_promise=tmallPromise",
                    "promise_service=cold_demo",
                    "service_type=DEMO_COLD",
                    "lgType=-4",
                    "cold=1",
                ),
            ),
        ),
        totals=Totals(goods=26800, discount=0, postage=0, paid=26800, other=0),
        presale=Presale(final_paid=True),
        ship_by=datetime(2026, 11, 22, 16, 0, 0, tzinfo=UTC),  # the end of 2026-11-22 in Beijing
        marks=("txp_receive_method=freezer",),
    )
    check(read(ADAPTER, only("07_presale_final_paid_cold_tags.json"), SHOP), wanted)


def test_08_messages_say_that_the_poller_fetches_the_trade() -> None:
    with pytest.raises(UnreadablePayload) as caught:
        ADAPTER.open_envelope((PAYLOADS / "08_tmc_messages_consume.json").read_bytes())
    assert caught.value.code == "not-an-order"
    assert "poller" in caught.value.text.en


# -- what the recorded payloads do not show ------------------------------------------------------------------------

PAID_TRADE = only("01_simple_paid.json")
GIFT_TRADE = only("05_gift_suborder_and_text_gift.json")
TWO_LINES = payloads("02_multi_suborder_list_has_next.json")[0]
LINE = ("orders", "order", 0)


def changed(payload: bytes, **values: Any) -> Order:
    """The order of a trade with some of its fields changed; `line_*` changes its first line."""
    for name, value in values.items():
        path = (*LINE, name.removeprefix("line_")) if name.startswith("line_") else (name,)
        payload = with_value(payload, path, value)
    return read(ADAPTER, payload, SHOP)


@pytest.mark.parametrize(
    ("word", "status", "payment"),
    [
        ("TRADE_NO_CREATE_PAY", OrderStatus.AWAITING_PAYMENT, PaymentStatus.UNPAID),
        ("WAIT_BUYER_PAY", OrderStatus.AWAITING_PAYMENT, PaymentStatus.UNPAID),
        ("PAY_PENDING", OrderStatus.AWAITING_PAYMENT, PaymentStatus.UNPAID),
        ("WAIT_PRE_AUTH_CONFIRM", OrderStatus.AWAITING_PAYMENT, PaymentStatus.UNPAID),
        ("PAID_FORBID_CONSIGN", OrderStatus.ON_HOLD, PaymentStatus.PAID),
        ("WAIT_SELLER_SEND_GOODS", OrderStatus.TO_SHIP, PaymentStatus.PAID),
        ("SELLER_CONSIGNED_PART", OrderStatus.PART_SHIPPED, PaymentStatus.PAID),
        ("WAIT_BUYER_CONFIRM_GOODS", OrderStatus.SHIPPED, PaymentStatus.PAID),
        ("TRADE_BUYER_SIGNED", OrderStatus.SHIPPED, PaymentStatus.PAID),
        ("TRADE_FINISHED", OrderStatus.COMPLETED, PaymentStatus.PAID),
        ("TRADE_CLOSED", OrderStatus.CANCELLED, PaymentStatus.REFUNDED),
        ("TRADE_CLOSED_BY_TAOBAO", OrderStatus.CANCELLED, PaymentStatus.UNPAID),
    ],
)
def test_every_status_of_a_trade(word: str, status: OrderStatus, payment: PaymentStatus) -> None:
    order = changed(PAID_TRADE, status=word)
    assert (order.status, order.payment) == (status, payment)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("WAIT_BUYER_PAY", LineStatus.OPEN),
        ("PAID_FORBID_CONSIGN", LineStatus.OPEN),
        ("WAIT_SELLER_SEND_GOODS", LineStatus.OPEN),
        ("WAIT_BUYER_CONFIRM_GOODS", LineStatus.SHIPPED),
        ("TRADE_BUYER_SIGNED", LineStatus.SHIPPED),
        ("TRADE_FINISHED", LineStatus.SHIPPED),
        ("TRADE_CLOSED", LineStatus.CANCELLED),
        ("TRADE_CLOSED_BY_TAOBAO", LineStatus.CANCELLED),
    ],
)
def test_every_status_of_a_line(word: str, status: LineStatus) -> None:
    line = changed(TWO_LINES, line_status=word).lines[0]
    assert line.status is status
    assert line.quantity == (0 if status is LineStatus.CANCELLED else 1)


@pytest.mark.parametrize(
    ("word", "refund"),
    [
        (None, RefundStatus.NONE),
        ("", RefundStatus.NONE),
        ("NO_REFUND", RefundStatus.NONE),
        ("CLOSED", RefundStatus.NONE),
        ("SELLER_REFUSE_BUYER", RefundStatus.NONE),
        ("WAIT_SELLER_AGREE", RefundStatus.REQUESTED),
        ("WAIT_BUYER_RETURN_GOODS", RefundStatus.REQUESTED),
        ("WAIT_SELLER_CONFIRM_GOODS", RefundStatus.REQUESTED),
        ("SUCCESS", RefundStatus.REFUNDED),
    ],
)
def test_every_refund_of_a_line(word: str | None, refund: RefundStatus) -> None:
    assert changed(TWO_LINES, line_refund_status=word).lines[0].refund is refund


def test_a_line_refunded_before_shipping_never_ships_even_if_it_still_says_to_send() -> None:
    line = changed(TWO_LINES, line_refund_status="SUCCESS").lines[0]
    assert (line.status, line.quantity) == (LineStatus.CANCELLED, 0)


def test_a_line_refunded_after_shipping_stays_shipped() -> None:
    order = changed(TWO_LINES, line_status="TRADE_CLOSED", line_refund_status="SUCCESS", line_invoice_no="YT1")
    assert (order.lines[0].status, order.lines[0].quantity) == (LineStatus.SHIPPED, 1)


def test_a_trade_with_all_its_goods_lines_cancelled_is_cancelled() -> None:
    order = changed(PAID_TRADE, line_status="TRADE_CLOSED", line_refund_status="SUCCESS")
    assert (order.status, order.payment) == (OrderStatus.CANCELLED, PaymentStatus.REFUNDED)


@pytest.mark.parametrize(
    ("flag", "hold"),
    [
        ("top_hold", "ship-hold"),
        ("ofp_hold", "ship-hold"),
        ("delay_create_delivery", "ship-hold"),
        ("team_buy_hold", "group-incomplete"),
        ("share_group_hold", "group-incomplete"),
    ],
)
@pytest.mark.parametrize("raised", [1, True, "1", "true"])
def test_a_hold_flag_forbids_shipping(flag: str, hold: str, raised: object) -> None:
    order = changed(PAID_TRADE, **{flag: raised})
    assert order.status is OrderStatus.ON_HOLD
    assert order.holds == (hold,)
    assert flag in order.marks


@pytest.mark.parametrize("lowered", [0, False, "0", "", "false", None])
def test_a_hold_flag_that_is_not_raised_forbids_nothing(lowered: object) -> None:
    order = changed(PAID_TRADE, top_hold=lowered)
    assert (order.status, order.holds, order.marks) == (OrderStatus.TO_SHIP, (), ())


def test_paid_but_forbidden_to_consign_names_a_hold() -> None:
    assert changed(PAID_TRADE, status="PAID_FORBID_CONSIGN").holds == ("ship-hold",)
    assert changed(PAID_TRADE, status="PAID_FORBID_CONSIGN", team_buy_hold=1).holds == ("group-incomplete",)


def test_a_line_of_which_only_some_pieces_went_holds_the_order() -> None:
    order = changed(TWO_LINES, status="SELLER_CONSIGNED_PART", line_status="SELLER_CONSIGNED_PART")
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, ("line-part-shipped",))


@pytest.mark.parametrize(
    ("word", "payment"),
    [
        ("FRONT_NOPAID_FINAL_NOPAID", PaymentStatus.UNPAID),
        ("FRONT_PAID_FINAL_NOPAID", PaymentStatus.DEPOSIT_PAID),
        ("FRONT_PAID_FRONT_FORFEITED", PaymentStatus.DEPOSIT_PAID),
        ("FRONT_PAID_FINAL_PAID", PaymentStatus.PAID),
    ],
)
def test_a_step_trade_ships_only_when_its_final_part_is_paid(word: str, payment: PaymentStatus) -> None:
    order = changed(PAID_TRADE, type="step", step_trade_status=word)
    paid = payment is PaymentStatus.PAID
    assert order.payment is payment
    assert order.status is (OrderStatus.TO_SHIP if paid else OrderStatus.ON_HOLD)
    assert order.holds == (() if paid else ("final-payment-open",))
    assert order.presale is not None
    assert order.presale.final_paid is paid


def test_the_payment_of_a_deposit_is_not_the_payment_of_the_order() -> None:
    payload = only("06_presale_deposit_paid.json")
    assert read(ADAPTER, with_value(payload, ("pay_time",), "2026-09-20 10:00:33"), SHOP).paid_at is None


def test_a_step_trade_that_does_not_say_its_step_is_not_paid() -> None:
    order = changed(PAID_TRADE, type="step")
    assert (order.payment, order.status) == (PaymentStatus.UNPAID, OrderStatus.ON_HOLD)


def test_a_presale_without_steps_is_paid_in_full() -> None:
    assert changed(PAID_TRADE, new_presell=True).presale == Presale(final_paid=True)


def test_cash_on_delivery_is_good_to_ship_unpaid() -> None:
    order = read(ADAPTER, with_value(without(PAID_TRADE, ("pay_time",)), ("type",), "cod"), SHOP)
    assert (order.payment, order.status) == (PaymentStatus.CASH_ON_DELIVERY, OrderStatus.TO_SHIP)


@pytest.mark.parametrize("kind", ["eticket", "auto_delivery"])
def test_virtual_goods_are_nothing_to_pick(kind: str) -> None:
    assert changed(PAID_TRADE, type=kind).lines[0].kind is LineKind.SERVICE


def test_a_service_line_is_nothing_to_pick() -> None:
    assert changed(PAID_TRADE, line_is_service_order=True).lines[0].kind is LineKind.SERVICE


@pytest.mark.parametrize(
    "gift_mids", ["8,9", " 8 , 9 ", '["8","9"]', "[8, 9]", ["8", "9"], [8, 9], ["8", 9, "8"]], ids=repr
)
def test_a_gift_may_have_several_main_lines_however_they_are_joined(gift_mids: object) -> None:
    payload = with_value(GIFT_TRADE, ("orders", "order", 1, "gift_mids"), gift_mids)
    payload = without(payload, ("orders", "order", 0, "gift_mids"))
    assert read(ADAPTER, payload, SHOP).lines[1].bound_to == ("8", "9")


def test_a_gift_that_names_no_main_line_is_bound_by_the_main_line_that_names_it() -> None:
    payload = without(GIFT_TRADE, ("orders", "order", 1, "gift_mids"))
    assert read(ADAPTER, payload, SHOP).lines[1].bound_to == ("3000000000000000702",)


def test_a_gift_in_words_that_has_a_line_is_not_promised_again() -> None:
    payload = with_value(GIFT_TRADE, ("promotion_details", "promotion_detail", 0, "gift_item_id"), "600000000010")
    order = read(ADAPTER, payload, SHOP)
    assert order.promised_gifts == ()
    assert len(order.promotions) == 1


def test_the_sku_is_the_sellers_code_of_the_sku_then_of_the_item() -> None:
    assert changed(PAID_TRADE, line_outer_sku_id="  SKU-1 ").lines[0].sku == "SKU-1"
    assert changed(PAID_TRADE, line_outer_sku_id="").lines[0].sku == "SPU-A001"
    assert changed(PAID_TRADE, line_outer_sku_id=None, line_outer_iid=None).lines[0].sku == ""


def test_a_line_without_a_sku_is_known_by_its_item() -> None:
    assert changed(PAID_TRADE, line_sku_id=None).lines[0].platform_sku == "600000000001"


def test_a_manual_change_of_price_is_other_money() -> None:
    order = changed(PAID_TRADE, adjust_fee="-3.00", payment="84.80")
    assert order.totals == Totals(goods=7980, discount=0, postage=800, paid=8480, other=-300)


def test_a_county_without_a_city_uses_its_district() -> None:
    payload = without(PAID_TRADE, ("receiver_city",))
    assert read(ADAPTER, payload, SHOP).ship_to.city == "余杭区"


def test_a_receiver_in_plain_text_or_missing_is_told() -> None:
    plain = changed(PAID_TRADE, receiver_name="测试", receiver_mobile="12000000001", receiver_address="样例路 1 号")
    assert plain.ship_to.privacy is Privacy.PLAIN
    missing = changed(PAID_TRADE, receiver_name="", receiver_mobile=None, receiver_address=" ")
    assert missing.ship_to.privacy is Privacy.MISSING


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("2026-09-23 18:00:00", datetime(2026, 9, 23, 10, 0, 0, tzinfo=UTC)),
        ("2026年9月23日24点前", datetime(2026, 9, 23, 16, 0, 0, tzinfo=UTC)),
        ("2026-09-23", datetime(2026, 9, 23, 16, 0, 0, tzinfo=UTC)),
        ("付款后48小时内", datetime(2026, 9, 22, 2, 0, 33, tzinfo=UTC)),
        ("付款后3天内发货", datetime(2026, 9, 23, 2, 0, 33, tzinfo=UTC)),
        ("尽快发货", None),
        ("2026-13-45 10:00:00", None),
        ("2026-02-30", None),
    ],
)
def test_a_promise_in_words_is_read_or_left(words: str, moment: datetime | None) -> None:
    payload = without(with_value(PAID_TRADE, ("est_con_time",), words), ("delivery_time",))
    assert read(ADAPTER, payload, SHOP).ship_by == moment


def test_service_words_of_no_line_belong_to_the_order() -> None:
    tags = {"order_id": "999", "logistic_service_tag_list": {"logistic_service_tag": {"service_tag": " a=1 ;;b "}}}
    assert changed(PAID_TRADE, service_tags={"logistics_tag": [tags]}).marks == ("a=1", "b")


def test_marks_name_what_the_platform_says_of_a_line() -> None:
    order = changed(PAID_TRADE, line_inv_type="6", line_store_code="WH-1", line_is_oversold=True, is_gift=True)
    assert order.lines[0].marks == ("inv_type=6", "store_code=WH-1", "is_oversold")
    assert order.marks == ("is_gift",)


@pytest.mark.parametrize(
    ("flag", "colour"),
    [(0, "grey"), (1, "red"), (2, "yellow"), (3, "green"), (4, "blue"), (5, "purple"), (9, "9"), (None, "")],
)
def test_the_sellers_flag_is_a_colour(flag: int | None, colour: str) -> None:
    assert changed(PAID_TRADE, seller_flag=flag).seller_flag == colour


def test_an_id_that_is_only_a_number_loses_no_digit() -> None:
    payload = without(without(PAID_TRADE, ("tid_str",)), (*LINE, "oid_str"))
    order = read(ADAPTER, payload, SHOP)
    assert order.platform_order_id == "3000000000000000001"
    assert order.lines[0].line_id == "3000000000000000001"


# -- the lean form -------------------------------------------------------------------------------------------------


def test_a_lean_row_takes_the_status_of_its_trade_and_our_split_of_the_payment() -> None:
    payload = TWO_LINES
    for index in (0, 1):
        for name in ("status", "refund_status", "divide_order_fee"):
            payload = without(payload, ("orders", "order", index, name))
    order = read(ADAPTER, payload, SHOP)
    assert order.source.template == "list"
    assert [line.status for line in order.lines] == [LineStatus.OPEN, LineStatus.OPEN]
    assert [line.paid for line in order.lines] == [9000, 9000]  # 180.00 over 128 - 28 and 4 * 25


def test_a_lean_row_that_is_part_shipped_without_saying_which_lines_went_is_held() -> None:
    payload = without(payloads("02_multi_suborder_list_has_next.json")[1], (*LINE, "status"))
    order = ADAPTER.templates[1].read(payload, Shop(SHOP))
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, (HoldCode.LINE_PART_SHIPPED,))


def test_one_line_may_stand_alone_where_a_list_is_expected() -> None:
    line = {"oid": 5, "price": "1.00", "num": 3, "outer_iid": "SPU"}
    order = changed(PAID_TRADE, orders={"order": line}, payment="3.00", post_fee="0.00")
    assert order.source.template == "list"
    assert order.lines == (Line(line_id="5", sku="SPU", quantity=3, unit_price=100, paid=300),)
