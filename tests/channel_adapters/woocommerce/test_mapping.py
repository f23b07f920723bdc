"""Every recorded WooCommerce payload, field by field against what the payload and the manual say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import RawOrder, UnreadablePayload
from channel_adapters.reading import buyer_key
from channel_adapters.shop import Shop
from channel_adapters.woocommerce.adapter import ADAPTER
from channel_adapters.woocommerce.mapping import PROVINCES
from schemas.order import (
    Line,
    LineKind,
    LineStatus,
    Order,
    OrderStatus,
    PaymentStatus,
    Privacy,
    Promotion,
    RefundStatus,
    RelatedOrder,
    ShipTo,
    Source,
    StorageClass,
    Totals,
)
from tests.channel_adapters.contract import with_value, without

PAYLOADS = Path(__file__).parent / "payloads"
SHOP = "mall-1"

NINE = datetime(2026, 9, 20, 16, 0, 0, tzinfo=UTC)  # 09:00 in the shop's zone, UTC-7
HALF_A_MINUTE_LATER = datetime(2026, 9, 20, 16, 0, 30, tzinfo=UTC)


def raw_orders(name: str) -> list[RawOrder]:
    return list(ADAPTER.open_envelope((PAYLOADS / name).read_bytes()))


def payload(name: str, index: int = 0) -> bytes:
    return raw_orders(name)[index].payload


def read(payload: bytes) -> Order:
    return ADAPTER.templates[0].read(payload, Shop(SHOP))


def changed(name: str, **members: Any) -> Order:
    """The order of a recorded payload with some of its members replaced."""
    body = payload(name)
    for member, value in members.items():
        body = with_value(body, (member,), value)
    return read(body)


def springfield() -> ShipTo:
    """The one receiver of all recorded payloads; his phone stands in the billing address only."""
    key = "Sample Buyer\n+1-555-0100\nUS\nCA\nSpringfield\n1 Example Road\n00000"
    return ShipTo(
        privacy=Privacy.PLAIN,
        country="US",
        province="CA",
        city="Springfield",
        district="",
        town="",
        street="1 Example Road",
        name="Sample Buyer",
        phone="+1-555-0100",
        postcode="00000",
        token="",
        receiver_key=buyer_key("woocommerce", SHOP, key),
    )


def a_line(line_id: str, sku: str, title: str, platform_sku: str, **fields: Any) -> Line:
    """An open purchase line of one unit."""
    usual = {
        "quantity": 1,
        "kind": LineKind.PURCHASE,
        "status": LineStatus.OPEN,
        "refund": RefundStatus.NONE,
        "bound_to": (),
        "category": "",
        "storage_class": StorageClass.AMBIENT,
        "weight_grams": 0,
        "marks": (),
    }
    return Line(line_id=line_id, sku=sku, title=title, platform_sku=platform_sku, **{**usual, **fields})


def an_order(order_id: str, lines: tuple[Line, ...], totals: Totals, **fields: Any) -> Order:
    """What the recorded orders share: account 26, paid by card half a minute after nine, one flat rate."""
    usual: dict[str, Any] = {
        "status": OrderStatus.TO_SHIP,
        "payment": PaymentStatus.PAID,
        "modified_at": HALF_A_MINUTE_LATER,
        "paid_at": HALF_A_MINUTE_LATER,
        "buyer_key": buyer_key("woocommerce", SHOP, "26"),
        "marks": ("status=processing", "payment=stripe", "shipping=flat_rate"),
    }
    return Order(
        uid=f"woocommerce:mall-1:{order_id}",
        channel="woocommerce",
        shop_id=SHOP,
        platform_order_id=order_id,
        revision="",
        placed_at=NINE,
        lines=lines,
        ship_to=springfield(),
        totals=totals,
        source=Source(template="rest-v3", topic="", partition=-1, offset=-1, received_at=None),
        currency="USD",
        **{**usual, **fields},
    )


def assert_is(order: Order, expected: Order) -> None:
    """Equal in every field; the revision, a digest, is the contract kit's business."""
    assert replace(order, revision="") == expected


# -- recorded payloads ---------------------------------------------------------------------------------------------


def test_a_simple_paid_order() -> None:
    assert_is(
        read(payload("01_simple_paid.json")),
        an_order(
            "1001",
            (a_line("1", "SKU-OATBAR", "Sample oat bar", "93", quantity=2, unit_price=450, paid=900),),
            Totals(goods=900, discount=0, postage=500, paid=1400, other=0),
        ),
    )


def test_a_coupon_is_a_promotion_and_a_variation_is_the_platform_sku() -> None:
    assert_is(
        read(payload("02_list_variations_coupon.json", 0)),
        an_order(
            "1002",
            (
                a_line(
                    "2", "SKU-HOODIE-M", "Sample hoodie - M", "23", unit_price=4000, paid=3600, marks=("pa_size=M",)
                ),
                a_line("3", "SKU-CAP", "Sample cap", "24", quantity=2, unit_price=1000, paid=1800),
            ),
            Totals(goods=6000, discount=600, postage=0, paid=5400, other=0),
            promotions=(Promotion(name="ten-off", amount=600, code="ten-off"),),
        ),
    )


def test_a_bank_transfer_on_hold_awaits_its_payment() -> None:
    assert_is(
        read(payload("02_list_variations_coupon.json", 1)),
        an_order(
            "1003",
            (a_line("4", "SKU-TEA-250", "Sample tea – 250g", "25", unit_price=1200, paid=1200),),
            Totals(goods=1200, discount=0, postage=0, paid=1200, other=0),
            status=OrderStatus.AWAITING_PAYMENT,
            payment=PaymentStatus.UNPAID,
            paid_at=None,
            marks=("status=on-hold", "payment=bacs", "shipping=flat_rate"),
            pay_deadline=datetime(2026, 9, 27, 16, tzinfo=UTC),
        ),
    )


def test_a_pending_order_of_a_guest_awaits_its_payment() -> None:
    assert_is(
        read(payload("03_unpaid_pending.json")),
        an_order(
            "1004",
            (a_line("5", "SKU-MUG", "Sample mug", "26", unit_price=800, paid=800),),
            Totals(goods=800, discount=0, postage=0, paid=800, other=0),
            status=OrderStatus.AWAITING_PAYMENT,
            payment=PaymentStatus.UNPAID,
            paid_at=None,
            buyer_key=buyer_key("woocommerce", SHOP, "buyer@example.com"),
            marks=("status=pending", "payment=stripe", "shipping=flat_rate"),
        ),
    )


def test_a_cancelled_order_wants_nothing() -> None:
    mug = a_line("6", "SKU-MUG", "Sample mug", "26", quantity=0, unit_price=800, paid=800, status=LineStatus.CANCELLED)
    assert_is(
        read(payload("04_cancelled.json")),
        an_order(
            "1005",
            (mug,),
            Totals(goods=800, discount=0, postage=0, paid=800, other=0),
            status=OrderStatus.CANCELLED,
            payment=PaymentStatus.UNPAID,
            modified_at=datetime(2026, 9, 20, 17, 0, 0, tzinfo=UTC),
            paid_at=None,
            marks=("status=cancelled", "payment=stripe", "shipping=flat_rate"),
        ),
    )


def test_a_partial_refund_names_no_line_and_so_holds_the_order() -> None:
    assert_is(
        read(payload("05_partial_refund_order.json")),
        an_order(
            "1006",
            (
                a_line("7", "SKU-PLATE", "Sample plate", "27", quantity=3, unit_price=1000, paid=3000),
                a_line("8", "SKU-BOWL", "Sample bowl", "28", unit_price=750, paid=750),
            ),
            Totals(goods=3750, discount=0, postage=0, paid=3750, other=0),
            status=OrderStatus.ON_HOLD,
            holds=("partial-refund",),
        ),
    )


def test_a_fully_discounted_line_beside_paid_ones_is_a_gift_and_plugin_notes_are_marks() -> None:
    assert_is(
        read(payload("07_gift_and_preorder_meta.json")),
        an_order(
            "1008",
            (
                a_line("9", "SKU-COFFEE-1K", "Sample coffee 1kg", "29", unit_price=2500, paid=2500),
                a_line(
                    "10",
                    "GIFT-DRIPPER",
                    "Free dripper",
                    "30",
                    unit_price=1500,
                    paid=0,
                    kind=LineKind.GIFT,
                    marks=("fully-discounted", "_demo_free_gift=yes"),
                ),
                a_line(
                    "11",
                    "SKU-PIE-FROZEN",
                    "Frozen sample pie (chilled delivery)",
                    "31",
                    unit_price=1800,
                    paid=1800,
                    marks=("_demo_cold_chain=frozen",),
                ),
            ),
            Totals(goods=5800, discount=1500, postage=900, paid=5200, other=0),
            marks=("status=processing", "payment=stripe", "shipping=flat_rate", "_demo_preorder_release=2026-11-20"),
            buyer_remark="Please ring twice",
        ),
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("06_refund_objects.json", "is a refund and not an order"),
        ("08_webhook_delete_body_unverified.json", "an order was deleted"),
    ],
)
def test_a_message_about_an_order_is_no_order(name: str, words: str) -> None:
    with pytest.raises(UnreadablePayload, match=words) as caught:
        raw_orders(name)
    assert caught.value.code == "not-an-order"


def test_the_ping_of_a_saved_webhook_is_no_order() -> None:
    with pytest.raises(UnreadablePayload, match="the ping") as caught:
        ADAPTER.open_envelope(b"webhook_id=12")
    assert caught.value.code == "not-an-order"


def test_an_empty_page_holds_no_orders() -> None:
    assert ADAPTER.open_envelope(b" [] ") == []


def test_a_row_that_is_no_object_does_not_stop_its_page() -> None:
    whole = payload("01_simple_paid.json")
    rows = ADAPTER.open_envelope(b"[" + whole + b", null, 7]")
    assert [row.platform_order_id[:13] for row in rows] == ["1001", "unidentified-", "unidentified-"]
    assert [row.payload for row in rows] == [whole, b"null", b"7"]


# -- statuses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status", "payment", "line_status"),
    [
        ("completed", OrderStatus.COMPLETED, PaymentStatus.PAID, LineStatus.SHIPPED),
        ("refunded", OrderStatus.CANCELLED, PaymentStatus.REFUNDED, LineStatus.CANCELLED),
        ("failed", OrderStatus.CANCELLED, PaymentStatus.PAID, LineStatus.CANCELLED),
        ("trash", OrderStatus.CANCELLED, PaymentStatus.PAID, LineStatus.CANCELLED),
        ("wc-processing", OrderStatus.TO_SHIP, PaymentStatus.PAID, LineStatus.OPEN),
    ],
)
def test_each_status_of_a_paid_order(
    word: str, status: OrderStatus, payment: PaymentStatus, line_status: LineStatus
) -> None:
    order = changed("01_simple_paid.json", status=word)
    assert (order.status, order.payment, order.lines[0].status) == (status, payment, line_status)
    assert order.lines[0].quantity == (0 if line_status is LineStatus.CANCELLED else 2)


def test_a_checkout_under_way_awaits_its_payment() -> None:
    order = changed("03_unpaid_pending.json", status="checkout-draft")
    assert (order.status, order.payment) == (OrderStatus.AWAITING_PAYMENT, PaymentStatus.UNPAID)


def test_an_unpaid_order_in_processing_is_paid_on_delivery() -> None:
    order = changed("01_simple_paid.json", payment_method="cod", date_paid_gmt=None)
    assert (order.status, order.payment) == (OrderStatus.TO_SHIP, PaymentStatus.CASH_ON_DELIVERY)
    assert order.paid_at is None


def test_an_order_that_costs_nothing_is_paid() -> None:
    order = changed("01_simple_paid.json", total="0.00", date_paid_gmt=None)
    assert (order.status, order.payment) == (OrderStatus.TO_SHIP, PaymentStatus.PAID)


def test_a_paid_order_put_on_hold_stays_on_hold() -> None:
    order = changed("01_simple_paid.json", status="on-hold")
    assert (order.status, order.payment) == (OrderStatus.ON_HOLD, PaymentStatus.PAID)
    assert order.holds == ("on-hold",)


def test_an_order_refunded_in_full_is_cancelled_whatever_its_status() -> None:
    order = changed("05_partial_refund_order.json", refunds=[{"total": "-30.00"}, {"total": "-7.50"}])
    assert (order.status, order.payment) == (OrderStatus.CANCELLED, PaymentStatus.REFUNDED)
    assert [(line.quantity, line.refund) for line in order.lines] == [(0, RefundStatus.REFUNDED)] * 2


def test_an_order_refunded_after_it_was_completed_was_shipped() -> None:
    order = changed("01_simple_paid.json", status="refunded", date_completed_gmt="2026-09-22T16:00:00")
    assert (order.status, order.payment) == (OrderStatus.COMPLETED, PaymentStatus.REFUNDED)
    assert (order.lines[0].status, order.lines[0].quantity) == (LineStatus.SHIPPED, 2)


def test_a_partial_refund_of_a_completed_order_holds_nothing() -> None:
    order = changed("05_partial_refund_order.json", status="completed")
    assert (order.status, order.holds) == (OrderStatus.COMPLETED, ())


# -- money ---------------------------------------------------------------------------------------------------------


def test_tax_and_fees_are_the_other_part_of_the_total() -> None:
    order = changed("01_simple_paid.json", total="16.20", total_tax="1.20", fee_lines=[{"total": "1.00"}])
    assert order.totals == Totals(goods=900, discount=0, postage=500, paid=1620, other=220)


def test_a_currency_without_decimals_counts_whole_units() -> None:
    body = with_value(payload("01_simple_paid.json"), ("currency",), "JPY")
    for path, amount in [(("line_items", 0, "subtotal"), "900"), (("line_items", 0, "total"), "900.00")]:
        body = with_value(body, path, amount)
    order = read(with_value(with_value(body, ("shipping_total",), "500"), ("total",), "1400"))
    assert order.currency == "JPY"
    assert order.totals == Totals(goods=900, discount=0, postage=500, paid=1400, other=0)
    assert order.lines[0].unit_price == 450


def test_a_unit_price_is_rounded_and_the_sums_are_not() -> None:
    body = with_value(payload("01_simple_paid.json"), ("line_items", 0, "quantity"), 7)
    body = with_value(body, ("line_items", 0, "subtotal"), "10.00")
    order = read(with_value(body, ("line_items", 0, "total"), "9.99"))
    assert (order.lines[0].unit_price, order.lines[0].paid, order.totals.goods) == (143, 999, 1000)


def test_an_order_that_a_coupon_makes_free_holds_no_gifts() -> None:
    order = read(with_value(payload("01_simple_paid.json"), ("line_items", 0, "total"), "0.00"))
    assert order.lines[0].kind is LineKind.PURCHASE
    assert order.lines[0].marks == ("fully-discounted",)


def test_a_line_that_costs_nothing_from_the_start_is_only_marked() -> None:
    """Parts of a bundle look like this; they are no gifts."""
    body = with_value(payload("07_gift_and_preorder_meta.json"), ("line_items", 1, "subtotal"), "0.00")
    assert read(body).lines[1].kind is LineKind.PURCHASE
    assert read(body).lines[1].marks[0] == "zero-price"


def test_a_line_of_no_units_is_cancelled() -> None:
    line = read(with_value(payload("02_list_variations_coupon.json"), ("line_items", 1, "quantity"), 0)).lines[1]
    assert (line.status, line.quantity, line.unit_price) == (LineStatus.CANCELLED, 0, 0)


# -- receivers -----------------------------------------------------------------------------------------------------

IN_HANGZHOU = {
    "first_name": "测", "last_name": "试", "company": "样例公司", "address_1": "示例路 1 号", "address_2": "2 室",
    "city": "杭州市", "state": "CN12", "postcode": "310000", "country": "CN", "phone": "12000000000",
}  # fmt: skip


def test_a_chinese_state_code_is_a_province_and_a_chinese_name_is_written_family_name_first() -> None:
    to = changed("01_simple_paid.json", shipping=IN_HANGZHOU).ship_to
    assert (to.privacy, to.country, to.province, to.city) == (Privacy.PLAIN, "CN", "浙江", "杭州市")
    assert (to.name, to.phone, to.street) == ("试测", "12000000000", "样例公司, 示例路 1 号, 2 室")


def test_the_state_codes_are_those_of_woocommerce() -> None:
    assert len(PROVINCES) == 32
    known = {
        "CN2": "北京",
        "CN5": "山西",
        "CN10": "上海",
        "CN20": "广东",
        "CN26": "陕西",
        "CN30": "澳门",
        "CN32": "新疆",
    }
    assert {code: PROVINCES[code] for code in known} == known


@pytest.mark.parametrize(
    ("state", "province"), [("浙江省", "浙江"), ("Zhejiang / 浙江", "浙江"), ("Wonderland", "Wonderland")]
)
def test_a_state_in_words_is_known_where_it_is_one_of_china(state: str, province: str) -> None:
    assert changed("01_simple_paid.json", shipping={**IN_HANGZHOU, "state": state}).ship_to.province == province


def test_an_empty_shipping_address_means_the_billing_address() -> None:
    empty = dict.fromkeys(IN_HANGZHOU, "")
    order = changed("01_simple_paid.json", shipping=empty)
    assert order.ship_to == springfield()


def test_an_order_without_any_address_has_no_receiver() -> None:
    body = without(without(payload("01_simple_paid.json"), ("shipping",)), ("billing",))
    assert read(body).ship_to == ShipTo(privacy=Privacy.MISSING, country="")


def test_the_same_receiver_has_the_same_key_and_another_has_another() -> None:
    first, again = read(payload("01_simple_paid.json")), read(payload("03_unpaid_pending.json"))
    other = changed("01_simple_paid.json", shipping=IN_HANGZHOU)
    assert first.ship_to.receiver_key == again.ship_to.receiver_key != other.ship_to.receiver_key


# -- marks ---------------------------------------------------------------------------------------------------------


def test_what_a_buyer_typed_is_no_mark() -> None:
    meta = [
        {"key": "Engraving", "value": "For Anna"},
        {"key": "_billing_tax_number", "value": "X1"},
        {"key": "_phone", "value": "12000000000"},
        {"key": "_parts", "value": [{"sku": "A"}]},
    ]
    order = changed("01_simple_paid.json", meta_data=meta)
    assert order.marks[3:] == ("Engraving", "_phone", "_parts")


def test_a_number_of_its_own_and_a_parent_order_are_kept() -> None:
    order = changed("01_simple_paid.json", number="A-77", parent_id=900)
    assert "number=A-77" in order.marks
    assert order.related == (RelatedOrder(platform_order_id="900", relation="parent"),)
