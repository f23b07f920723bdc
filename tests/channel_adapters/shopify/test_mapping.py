"""Every recorded Shopify payload, field by field against what the payload and the manual say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.contract import ChannelRefused, ChannelUnavailable, RawOrder, UnreadablePayload
from channel_adapters.parsing import read_order
from channel_adapters.reading import buyer_key
from channel_adapters.shop import Shop
from channel_adapters.shopify.adapter import ADAPTER
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
    ShipTo,
    Source,
    StorageClass,
    Totals,
)
from tests.channel_adapters.contract import with_value, without

PAYLOADS = Path(__file__).parent / "payloads"
SHOP = "mall-2"
SIMPLE = "01_simple_paid_webhook_body.json"

NINE = datetime(2026, 9, 20, 16, 0, 0, tzinfo=UTC)  # 09:00-07:00
FIVE_SECONDS_LATER = datetime(2026, 9, 20, 16, 0, 5, tzinfo=UTC)


def raw_orders(name: str) -> list[RawOrder]:
    return list(ADAPTER.open_envelope((PAYLOADS / name).read_bytes()))


def payload(name: str, index: int = 0) -> bytes:
    return raw_orders(name)[index].payload


def read(body: bytes) -> Order:
    return read_order(ADAPTER, body, Shop(SHOP))


def changed(name: str, **members: Any) -> Order:
    """The order of a recorded payload with some of its members replaced."""
    body = payload(name)
    for member, value in members.items():
        body = with_value(body, (member,), value)
    return read(body)


def with_line(name: str, **members: Any) -> bytes:
    """A recorded payload with members of its first line replaced."""
    body = payload(name)
    for member, value in members.items():
        body = with_value(body, ("line_items", 0, member), value)
    return body


def springfield() -> ShipTo:
    """The one receiver of all recorded payloads."""
    key = "Sample Buyer\n+15550100\nUS\nCalifornia\nSpringfield\n1 Example Road\n00000"
    return ShipTo(
        privacy=Privacy.PLAIN,
        country="US",
        province="California",
        city="Springfield",
        district="",
        town="",
        street="1 Example Road",
        name="Sample Buyer",
        phone="+15550100",
        postcode="00000",
        token="",
        receiver_key=buyer_key("shopify", SHOP, key),
    )


def a_line(number: int, sku: str, title: str, **fields: Any) -> Line:
    """An open purchase line of one unit. Line and variant ids of the payloads count alike."""
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
    line_id, variant = str(1300000000000 + number), str(4300000000000 + number)
    return Line(line_id=line_id, sku=sku, title=title, platform_sku=variant, **{**usual, **fields})


def an_order(number: int, lines: tuple[Line, ...], totals: Totals, **fields: Any) -> Order:
    """What the recorded orders share: one account, the web shop, standard shipping. Nothing says when it was paid."""
    order_id = str(5500000000000 + number)
    usual: dict[str, Any] = {
        "status": OrderStatus.TO_SHIP,
        "payment": PaymentStatus.PAID,
        "modified_at": FIVE_SECONDS_LATER,
        "marks": (f"name=#{1000 + number}", "source=web", "shipping=Standard"),
    }
    return Order(
        uid=f"shopify:mall-2:{order_id}",
        channel="shopify",
        shop_id=SHOP,
        platform_order_id=order_id,
        revision="",
        placed_at=NINE,
        paid_at=None,
        lines=lines,
        ship_to=springfield(),
        totals=totals,
        source=Source(template="rest", topic="", partition=-1, offset=-1, received_at=None),
        currency="USD",
        buyer_key=buyer_key("shopify", SHOP, "7000000000001"),
        **{**usual, **fields},
    )


def assert_is(order: Order, expected: Order) -> None:
    """Equal in every field; the revision, a digest, is the contract kit's business."""
    assert replace(order, revision="") == expected


# -- recorded payloads ---------------------------------------------------------------------------------------------


def test_a_simple_paid_order() -> None:
    assert_is(
        read(payload(SIMPLE)),
        an_order(
            1,
            (a_line(1, "SKU-OATBAR", "Sample oat bar", quantity=2, unit_price=450, paid=900),),
            Totals(goods=900, discount=0, postage=500, paid=1400, other=0),
        ),
    )


def test_a_discount_code_is_a_promotion_shared_out_as_the_platform_says() -> None:
    assert_is(
        read(payload("02_orders_list_page.json", 0)),
        an_order(
            2,
            (
                a_line(2, "SKU-HOODIE-M", "Sample hoodie", unit_price=4000, paid=3600),
                a_line(3, "SKU-CAP", "Sample cap", quantity=2, unit_price=1000, paid=1800),
            ),
            Totals(goods=6000, discount=600, postage=0, paid=5400, other=0),
            promotions=(Promotion(name="TENOFF", amount=600, code="TENOFF"),),
        ),
    )


def test_a_pending_order_awaits_its_payment() -> None:
    assert_is(
        read(payload("02_orders_list_page.json", 1)),
        an_order(
            3,
            (a_line(4, "SKU-TEA-250", "Sample tea", unit_price=1200, paid=1200),),
            Totals(goods=1200, discount=0, postage=0, paid=1200, other=0),
            status=OrderStatus.AWAITING_PAYMENT,
            payment=PaymentStatus.UNPAID,
        ),
    )


def test_a_cancelled_order_wants_nothing() -> None:
    assert_is(
        read(payload("03_cancelled_voided.json")),
        an_order(
            4,
            (a_line(5, "SKU-MUG", "Sample mug", quantity=0, unit_price=800, paid=800, status=LineStatus.CANCELLED),),
            Totals(goods=800, discount=0, postage=0, paid=800, other=0),
            status=OrderStatus.CANCELLED,
            payment=PaymentStatus.UNPAID,
            modified_at=datetime(2026, 9, 20, 17, 0, 1, tzinfo=UTC),
        ),
    )


def test_a_unit_refunded_before_shipping_is_no_longer_wanted() -> None:
    assert_is(
        read(payload("04_partially_refunded_line.json")),
        an_order(
            5,
            (
                a_line(6, "SKU-PLATE", "Sample plate", quantity=2, unit_price=1000, paid=3000, marks=("refunded=1",)),
                a_line(7, "SKU-BOWL", "Sample bowl", unit_price=750, paid=750),
            ),
            Totals(goods=3750, discount=0, postage=0, paid=3750, other=0),
        ),
    )


def test_a_fully_discounted_line_beside_paid_ones_is_a_gift_and_tags_are_marks() -> None:
    assert_is(
        read(payload("05_gift_line_and_cold_tag.json")),
        an_order(
            6,
            (
                a_line(8, "SKU-COFFEE-1K", "Sample coffee 1kg", unit_price=2500, paid=2500),
                a_line(
                    9,
                    "GIFT-DRIPPER",
                    "Free dripper",
                    unit_price=1500,
                    paid=0,
                    kind=LineKind.GIFT,
                    marks=("fully-discounted", "_demo_free_gift=true"),
                ),
                a_line(
                    10,
                    "SKU-PIE-FROZEN",
                    "Frozen sample pie",
                    unit_price=1800,
                    paid=1800,
                    marks=("_demo_cold_chain=frozen",),
                ),
            ),
            Totals(goods=5800, discount=1500, postage=900, paid=5200, other=0),
            promotions=(Promotion(name="Free dripper", amount=1500, code=""),),
            marks=("name=#1006", "cold-chain", "gift", "source=web", "shipping=Standard", "delivery_window"),
            buyer_remark="Please ring twice",
        ),
    )


def test_a_preorder_with_a_part_paid_awaits_the_rest_until_it_is_due() -> None:
    jacket = a_line(
        11,
        "SKU-JACKET-M",
        "Sample jacket (pre-order)",
        unit_price=12000,
        paid=12000,
        marks=("_demo_preorder_release=2026-11-20",),
    )
    assert_is(
        read(payload("06_preorder_partially_paid.json")),
        an_order(
            7,
            (jacket,),
            Totals(goods=12000, discount=0, postage=0, paid=12000, other=0),
            status=OrderStatus.AWAITING_PAYMENT,
            payment=PaymentStatus.DEPOSIT_PAID,
            pay_deadline=datetime(2026, 11, 20, 7, 0, 0, tzinfo=UTC),  # midnight, UTC-7
            presale=Presale(final_paid=False, ship_not_before=None, deposit=2000),
            marks=("name=#1007", "pre-order", "source=web", "shipping=Standard"),
        ),
    )


def test_a_fulfilled_and_closed_order_is_completed() -> None:
    assert_is(
        read(payload("07_fulfilled_with_tracking.json")),
        an_order(
            8,
            (a_line(12, "SKU-VASE", "Sample vase", unit_price=3000, paid=3000, status=LineStatus.SHIPPED),),
            Totals(goods=3000, discount=0, postage=0, paid=3000, other=0),
            status=OrderStatus.COMPLETED,
        ),
    )


def test_a_throttled_query_tells_when_it_can_be_paid_for() -> None:
    with pytest.raises(ChannelUnavailable) as caught:
        raw_orders("09_graphql_throttled.json")
    assert caught.value.retry_after == pytest.approx(0.84)  # (202 - 118) points at 100 a second


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"errors": "Not Found"}', "not-found"),
        (b'{"errors": {"order": ["is not a column"]}}', "bad-request"),
        (b'{"errors": [{"message": "denied", "extensions": {"code": "ACCESS_DENIED"}}]}', "ACCESS_DENIED"),
    ],
)
def test_an_error_message_is_refused_with_its_code(body: bytes, code: str) -> None:
    with pytest.raises(ChannelRefused) as caught:
        ADAPTER.open_envelope(body)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"id": 1, "order_id": 2, "refund_line_items": []}', "is a refund, parcel or payment"),
        (b'{"id": 1}', "an order was deleted"),
        (b'{"data": {"orders": {"edges": []}}}', "GraphQL"),
        (b'{"product": {"id": 1}}', "is no order of Shopify"),
    ],
)
def test_a_message_about_something_else_is_no_order(body: bytes, words: str) -> None:
    with pytest.raises(UnreadablePayload, match=words) as caught:
        ADAPTER.open_envelope(body)
    assert caught.value.code == "not-an-order"


def test_an_empty_page_holds_no_orders() -> None:
    assert ADAPTER.open_envelope(b'{"orders": []}') == []


def test_a_row_that_is_no_object_does_not_stop_its_page() -> None:
    rows = ADAPTER.open_envelope(b'{"orders": [null, ' + payload(SIMPLE) + b"]}")
    assert [row.platform_order_id[:13] for row in rows] == ["unidentified-", "5500000000001"]


# -- statuses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status", "payment", "holds"),
    [
        ("authorized", OrderStatus.AWAITING_PAYMENT, PaymentStatus.UNPAID, ()),
        ("voided", OrderStatus.ON_HOLD, PaymentStatus.UNPAID, ("payment-voided",)),
        ("expired", OrderStatus.ON_HOLD, PaymentStatus.UNPAID, ("payment-expired",)),
        ("partially_refunded", OrderStatus.TO_SHIP, PaymentStatus.PAID, ()),
        ("refunded", OrderStatus.CANCELLED, PaymentStatus.REFUNDED, ()),
    ],
)
def test_each_financial_status(word: str, status: OrderStatus, payment: PaymentStatus, holds: tuple[str, ...]) -> None:
    order = changed(SIMPLE, financial_status=word)
    assert (order.status, order.payment, order.holds) == (status, payment, holds)


def test_money_refunded_in_full_takes_the_goods_with_it() -> None:
    line = changed(SIMPLE, financial_status="refunded").lines[0]
    assert (line.status, line.refund, line.quantity) == (LineStatus.CANCELLED, RefundStatus.REFUNDED, 0)


def test_cash_on_delivery_ships_before_it_is_paid() -> None:
    order = changed(SIMPLE, financial_status="pending", payment_gateway_names=["Cash on Delivery (COD)"])
    assert (order.status, order.payment) == (OrderStatus.TO_SHIP, PaymentStatus.CASH_ON_DELIVERY)


@pytest.mark.parametrize(
    ("member", "hold"), [({"test": True}, "test-order"), ({"closed_at": "2026-09-21T09:00:00-07:00"}, "archived")]
)
def test_what_must_not_ship_is_held(member: dict[str, Any], hold: str) -> None:
    order = changed(SIMPLE, **member)
    assert (order.status, order.holds) == (OrderStatus.ON_HOLD, (hold,))


def test_a_restocked_order_is_cancelled() -> None:
    order = changed(SIMPLE, fulfillment_status="restocked")
    assert (order.status, order.lines[0].quantity) == (OrderStatus.CANCELLED, 0)


# -- parcels and refunds -------------------------------------------------------------------------------------------


def a_parcel(units: int, status: str = "success") -> list[dict[str, Any]]:
    return [{"id": 1, "status": status, "line_items": [{"id": 1300000000001, "quantity": units}]}]


def a_refund(units: int, restock_type: str) -> list[dict[str, Any]]:
    row = {"line_item_id": 1300000000001, "quantity": units, "restock_type": restock_type}
    return [{"id": 1, "refund_line_items": [row]}]


def of_five(**members: Any) -> bytes:
    """The simple order with five units, none of them shipped as far as its line says."""
    body = with_line(SIMPLE, quantity=5, current_quantity=5, fulfillable_quantity=5)
    for member, value in members.items():
        body = with_value(body, (member,), value)
    return body


def test_a_part_of_a_line_that_went_is_not_shipped_again() -> None:
    body = of_five(fulfillments=a_parcel(3), fulfillment_status="partial")
    order = read(with_value(body, ("line_items", 0, "fulfillable_quantity"), 2))
    assert order.status is OrderStatus.PART_SHIPPED
    assert (order.lines[0].status, order.lines[0].quantity) == (LineStatus.OPEN, 2)


@pytest.mark.parametrize("status", ["cancelled", "error", "failure"])
def test_a_parcel_that_came_to_nothing_does_not_count(status: str) -> None:
    order = read(of_five(fulfillments=a_parcel(3, status)))
    assert (order.status, order.lines[0].quantity) == (OrderStatus.TO_SHIP, 5)


@pytest.mark.parametrize(
    ("restock_type", "left"),
    [
        ("cancel", 1),  # never shipped: 5 - 3 gone - 1
        ("return", 2),  # came back from the parcel
        ("no_restock", 2),  # lost in the parcel, as far as the parcel goes
    ],
)
def test_what_a_refund_leaves_to_ship_depends_on_where_the_units_are(restock_type: str, left: int) -> None:
    order = read(of_five(fulfillments=a_parcel(3), refunds=a_refund(1, restock_type)))
    assert order.lines[0].quantity == left
    assert order.lines[0].marks == ("refunded=1",)


def test_a_line_refunded_whole_before_shipping_is_cancelled() -> None:
    line = read(of_five(refunds=a_refund(5, "no_restock"))).lines[0]
    assert (line.status, line.refund, line.quantity) == (LineStatus.CANCELLED, RefundStatus.REFUNDED, 0)


def test_a_line_removed_by_an_edit_is_cancelled_and_not_refunded() -> None:
    line = read(with_line(SIMPLE, current_quantity=0, fulfillable_quantity=0)).lines[0]
    assert (line.status, line.refund, line.quantity) == (LineStatus.CANCELLED, RefundStatus.NONE, 0)


def test_a_shipped_order_that_is_still_open_is_shipped() -> None:
    assert changed("07_fulfilled_with_tracking.json", closed_at=None).status is OrderStatus.SHIPPED


# -- the form before lines said what is left -----------------------------------------------------------------------


def classic(name: str, **members: Any) -> bytes:
    body = payload(name)
    for member in ("current_quantity", "fulfillable_quantity"):
        body = without(body, ("line_items", 0, member))
    for member, value in members.items():
        body = with_value(body, (member,), value)
    return body


def test_an_older_form_is_read_by_the_backup() -> None:
    order = read(classic(SIMPLE))
    assert order.source.template == "rest-classic"
    assert replace(order, source=Source(template="rest"), revision="") == replace(read(payload(SIMPLE)), revision="")


def test_an_older_form_works_out_what_is_left() -> None:
    body = with_value(classic(SIMPLE, fulfillments=a_parcel(2)), ("line_items", 0, "quantity"), 5)
    order = read(with_value(body, ("refunds",), a_refund(1, "cancel")))
    assert (order.status, order.lines[0].quantity) == (OrderStatus.PART_SHIPPED, 2)


def test_an_older_form_may_say_fulfilled_without_parcels() -> None:
    order = read(classic(SIMPLE, fulfillment_status="fulfilled"))
    assert (order.status, order.lines[0].status, order.lines[0].quantity) == (
        OrderStatus.SHIPPED,
        LineStatus.SHIPPED,
        2,
    )


def test_before_discount_applications_there_were_codes() -> None:
    body = without(payload("02_orders_list_page.json"), ("discount_applications",))
    assert read(body).promotions == (Promotion(name="TENOFF", amount=600, code="TENOFF"),)


# -- lines and money -----------------------------------------------------------------------------------------------


def test_what_needs_no_shipping_is_a_service() -> None:
    assert read(with_line(SIMPLE, requires_shipping=False)).lines[0].kind is LineKind.SERVICE


def test_a_sku_is_stripped_and_a_missing_one_is_empty() -> None:
    assert read(with_line(SIMPLE, sku=" SKU-1 ")).lines[0].sku == "SKU-1"
    assert read(with_line(SIMPLE, sku=None)).lines[0].sku == ""


def test_a_product_that_is_gone_has_no_platform_sku() -> None:
    assert read(with_line(SIMPLE, variant_id=None, product_id=0)).lines[0].platform_sku == ""


def test_an_order_that_a_code_makes_free_holds_no_gifts() -> None:
    allocations = [{"amount": "9.00", "discount_application_index": 0}]
    line = read(with_line(SIMPLE, discount_allocations=allocations)).lines[0]
    assert (line.kind, line.paid, line.marks) == (LineKind.PURCHASE, 0, ("fully-discounted",))


def test_a_discount_on_shipping_lowers_the_postage_and_not_the_goods() -> None:
    body = with_value(payload(SIMPLE), ("shipping_lines", 0, "discounted_price"), "0.00")
    body = with_value(body, ("shipping_lines", 0, "discount_allocations"), [
        {"amount": "5.00", "discount_application_index": 0}
    ])  # fmt: skip
    applications = [{"target_type": "shipping_line", "type": "discount_code", "code": "FREESHIP"}]
    body = with_value(with_value(body, ("discount_applications",), applications), ("total_price",), "9.00")
    order = read(with_value(body, ("total_discounts",), "5.00"))
    assert order.totals == Totals(goods=900, discount=0, postage=0, paid=900, other=0)
    assert order.promotions == (Promotion(name="FREESHIP", amount=500, code="FREESHIP"),)


def test_a_shipping_line_without_its_discounted_price_is_worked_out() -> None:
    body = without(payload(SIMPLE), ("shipping_lines", 0, "discounted_price"))
    body = with_value(body, ("shipping_lines", 0, "discount_allocations"), [{"amount": "2.00"}])
    assert read(with_value(body, ("total_price",), "12.00")).totals.postage == 300


def test_tax_on_top_is_the_other_part_of_the_total() -> None:
    order = changed(SIMPLE, total_price="14.72", total_tax="0.72")
    assert order.totals == Totals(goods=900, discount=0, postage=500, paid=1472, other=72)


def test_a_currency_without_decimals_counts_whole_units() -> None:
    body = with_line(SIMPLE, price="1250")
    amounts = {"currency": "JPY", "total_line_items_price": "2500", "subtotal_price": "2500", "total_price": "3000"}
    for member, amount in amounts.items():
        body = with_value(body, (member,), amount)
    order = read(with_value(body, ("shipping_lines", 0, "discounted_price"), "500"))
    assert order.totals == Totals(goods=2500, discount=0, postage=500, paid=3000, other=0)
    assert (order.currency, order.lines[0].unit_price, order.lines[0].paid) == ("JPY", 1250, 2500)


# -- receivers -----------------------------------------------------------------------------------------------------


def test_a_chinese_province_code_is_a_province() -> None:
    body = payload(SIMPLE)
    for member, value in {"country_code": "CN", "province_code": "ZJ", "province": "Zhejiang"}.items():
        body = with_value(body, ("shipping_address", member), value)
    assert read(body).ship_to.province == "浙江"
    assert read(with_value(body, ("shipping_address", "province_code"), "CN-SH")).ship_to.province == "上海"
    assert read(with_value(body, ("shipping_address", "province_code"), None)).ship_to.province == "浙江"


def test_an_order_without_an_address_has_no_receiver() -> None:
    assert changed(SIMPLE, shipping_address=None).ship_to == ShipTo(privacy=Privacy.MISSING, country="")


def test_a_guest_is_known_by_mail() -> None:
    assert changed(SIMPLE, customer=None).buyer_key == buyer_key("shopify", SHOP, "buyer@example.com")


def test_what_a_buyer_typed_is_no_mark() -> None:
    typed = [{"name": "Engraving", "value": "Anna"}, {"name": "_note", "value": "for Anna"}]
    assert read(with_line(SIMPLE, properties=typed)).lines[0].marks == ("Engraving", "_note")
