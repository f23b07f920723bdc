"""From the bytes that a shop sends to the plan: opened, normalized, tagged, routed, as the workers do it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from channel_adapters.registry import CHANNELS
from channel_adapters.shop import Shop, ShopPolicy
from schemas.codes import HoldCode
from schemas.order import LineKind, LineStatus, Order, OrderStatus, PaymentStatus, Privacy, lines_to_ship
from schemas.plan import Disposition, PlannedOrder
from tests.workers.rules.examples import example_catalogue, ruleset_of
from workers.normalize.decide import decide as normalize
from workers.route.decide import decide as route
from workers.rules.region import province_of
from workers.runtime.stage import Delivery
from workers.tag.decide import decide as tag

HERE = Path(__file__).parent
RECEIVED = datetime(2026, 10, 1, 12, tzinfo=UTC)
ADAPTERS = {name: channel.adapter for name, channel in CHANNELS.items()}
RULES = ruleset_of("{id: all, priority: 1, when: {shop: mall}, then: {assign: hangzhou}}")
CATALOGUE = example_catalogue()
PLACED = datetime(2026, 10, 1, 8, tzinfo=UTC)


class Shops:
    def __init__(self, policy: ShopPolicy) -> None:
        self._policy = policy

    def shop(self, channel: str, shop_id: str) -> Shop:
        return Shop(shop_id, self._policy)


NOTHING_SET = ShopPolicy()


def case(name: str) -> Any:
    [path] = HERE.glob(f"{name}*.json")
    return json.loads(path.read_text(encoding="utf-8"))


def read(body: Any, channel: str = "woocommerce", policy: ShopPolicy = NOTHING_SET) -> list[Order]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return [
        normalize(
            Delivery(
                each.payload,
                key=f"{channel}:mall:{each.platform_order_id}".encode(),
                headers=[("shop", b"mall"), ("received-at", b"%d" % (RECEIVED.timestamp() * 1000))],
                topic=f"orders.raw.{channel}",
            ),
            ADAPTERS,
            Shops(policy),
        )
        for each in ADAPTERS[channel].open_envelope(raw)
    ]


def one(body: Any, channel: str = "woocommerce", policy: ShopPolicy = NOTHING_SET) -> Order:
    [order] = read(body, channel, policy)
    return order


def planned(order: Order) -> PlannedOrder:
    return route(tag(order, CATALOGUE, RULES.tagging), RULES, RECEIVED)


def becomes(order: Order) -> tuple[Disposition, tuple[str, ...]]:
    plan = planned(order).plan
    return plan.disposition, plan.hold_codes


def test_01_a_partial_refund_holds_the_order_and_is_news() -> None:
    paid, refunded = read(case("01"))
    assert becomes(paid) == (Disposition.RESERVE, ())
    assert becomes(refunded) == (Disposition.REVIEW, (HoldCode.PARTIAL_REFUND,))
    assert refunded.modified_at == paid.modified_at
    assert refunded.revision > paid.revision


def test_02_a_smaller_quantity_is_news() -> None:
    first, fewer = read(case("02"))
    assert [line.quantity for line in fewer.lines] == [1]
    assert becomes(fewer) == (Disposition.RESERVE, ())
    assert fewer.modified_at == first.modified_at
    assert fewer.revision > first.revision


def test_03_empty_notes_of_a_plugin_are_passed_over() -> None:
    order = one(case("03"))
    assert becomes(order) == (Disposition.RESERVE, ())
    assert "odd=meta_data" in order.marks


def test_04_a_deleted_order_is_cancelled_and_newer_than_what_was_known() -> None:
    first = one(case("04")["first"])
    deleted = normalize(
        Delivery(
            json.dumps(case("04")["webhook_order_deleted"]).encode(),
            key=first.uid.encode(),
            headers=[("shop", b"mall"), ("received-at", b"%d" % (RECEIVED.timestamp() * 1000)), ("event", b"deleted")],
            topic="orders.raw.woocommerce",
        ),
        ADAPTERS,
    )
    assert (deleted.uid, deleted.status) == (first.uid, OrderStatus.CANCELLED)
    assert deleted.revision > first.revision
    assert becomes(deleted) == (Disposition.RELEASE, ())


def test_05_what_is_open_after_an_edit_is_no_presale() -> None:
    paid, edited = (one(body, "shopify") for body in case("05"))
    assert becomes(paid) == (Disposition.RESERVE, ())
    assert (edited.payment, edited.presale) == (PaymentStatus.PAID, None)
    assert becomes(edited) == (Disposition.REVIEW, (HoldCode.BALANCE_OPEN,))
    assert [line.sku for line in lines_to_ship(edited)] == ["MUG-350", "WIPES-80X6"]


def test_06_what_another_service_ships_is_nothing_for_our_warehouses() -> None:
    order = one(case("06"), "shopify")
    assert [line.kind for line in order.lines] == [LineKind.ELSEWHERE]
    assert lines_to_ship(order) == ()
    assert becomes(order) == (Disposition.RELEASE, ())


def test_06_a_shop_can_say_which_services_are_not_ours() -> None:
    ours = ShopPolicy(fulfilled_elsewhere=frozenset({"another"}))
    assert becomes(one(case("06"), "shopify", ours)) == (Disposition.RESERVE, ())
    mixed = case("06")
    mixed["line_items"].append({**mixed["line_items"][0], "id": 22, "fulfillment_service": "manual"})
    order = one(mixed, "shopify")
    assert [line.line_id for line in lines_to_ship(order)] == ["22"]
    assert becomes(order) == (Disposition.RESERVE, ())


def test_07_an_order_that_waits_for_a_transfer_keeps_its_stock_for_days() -> None:
    order = one(case("07-"))
    assert (order.status, order.payment) == (OrderStatus.AWAITING_PAYMENT, PaymentStatus.UNPAID)
    assert order.pay_deadline == PLACED + timedelta(days=7)
    assert becomes(order) == (Disposition.RESERVE, ())


@pytest.mark.parametrize(
    ("holds", "days"),
    [
        ({"on-hold/bacs": timedelta(days=3), "on-hold": timedelta(days=1)}, 3),
        ({"on-hold/cheque": timedelta(days=3), "on-hold": timedelta(days=1)}, 1),
        ({"*": timedelta(days=2)}, 2),
        ({"pending": timedelta(days=2)}, 7),
    ],
)
def test_07_a_shop_can_say_how_long(holds: dict[str, timedelta], days: int) -> None:
    order = one(case("07-"), policy=ShopPolicy(unpaid_hold=holds))
    assert order.pay_deadline == PLACED + timedelta(days=days)


def test_07_an_order_that_was_never_paid_waits_as_long_as_all_others() -> None:
    assert one({**case("07-"), "status": "pending"}).pay_deadline is None


def test_07b_an_authorised_payment_keeps_the_stock_as_long_as_it_lives() -> None:
    order = one(case("07b"), "shopify")
    assert (order.status, order.payment) == (OrderStatus.AWAITING_PAYMENT, PaymentStatus.UNPAID)
    assert order.pay_deadline == datetime(2026, 10, 8, 6, tzinfo=UTC)
    assert becomes(order) == (Disposition.RESERVE, ())


def test_07b_a_shop_that_captures_on_fulfilment_ships_what_is_authorised() -> None:
    order = one(case("07b"), "shopify", ShopPolicy(captures_on_fulfilment=True))
    assert (order.status, order.payment) == (OrderStatus.TO_SHIP, PaymentStatus.PAID)
    assert order.pay_deadline is None


@pytest.mark.parametrize("method", ["local_pickup", "pickup_location", "local_pickup:3"])
def test_08_what_is_fetched_is_no_parcel(method: str) -> None:
    body = case("08")
    body["shipping_lines"][0]["method_id"] = method
    order = one(body)
    assert order.ship_to.privacy is Privacy.MISSING
    assert not order.ship_to.street
    assert becomes(order) == (Disposition.REVIEW, (HoldCode.LOCAL_PICKUP,))


def test_08_what_is_fetched_from_a_shopify_shop_is_no_parcel_either() -> None:
    body = case("05")[0]
    body["shipping_lines"] = [
        {"code": "Main Street", "title": "Main Street", "price": "0.00", "delivery_category": "pickup"}
    ]
    assert becomes(one(body, "shopify")) == (Disposition.REVIEW, (HoldCode.LOCAL_PICKUP,))


def test_09_decimals_are_a_setting_of_the_shop() -> None:
    order = one(case("09"))
    assert becomes(order) == (Disposition.RESERVE, ())
    money = order.totals
    assert (money.paid, money.goods, money.postage, money.other) == (2876, 1983, 413, 480)
    assert money.paid == money.goods - money.discount + money.postage + money.other


def test_12_provinces_are_known_in_every_spelling() -> None:
    orders = read(case("12"))
    told = ["云南", "北京", "北京", "内蒙古", "广西", "上海", "广东"]
    assert [province_of(order.ship_to.province, order.ship_to.country) for order in orders] == told
    assert [order.ship_to.province for order in orders] == told


def test_14_one_broken_sign_leaves_the_page_and_even_its_own_order_alone() -> None:
    [path] = HERE.glob("14*.json")
    orders = read(path.read_bytes())
    assert [order.platform_order_id for order in orders] == ["7501", "7502", "7503"]
    assert [becomes(order) for order in orders] == [(Disposition.RESERVE, ())] * 3
    assert orders[1].buyer_remark == "hurry \ufffd"


def test_15_a_word_that_nobody_knows_stops_the_warehouse_until_the_shop_says_what_it_means() -> None:
    known, strange = read(case("15"))
    assert becomes(known) == (Disposition.RESERVE, ())
    assert becomes(strange) == (Disposition.REVIEW, (HoldCode.UNKNOWN_STATUS,))
    assert strange.revision > known.revision
    for word in ("ready-pickup", "wc-ready-pickup"):
        told = read(case("15"), policy=ShopPolicy(status_words={word: OrderStatus.TO_SHIP}))
        assert becomes(told[1]) == (Disposition.RESERVE, ())
    gone = read(case("15"), policy=ShopPolicy(status_words={"ready-pickup": OrderStatus.CANCELLED}))
    assert becomes(gone[1]) == (Disposition.RELEASE, ())


# -- relatives -----------------------------------------------------------------------------------------------------


def test_a_line_emptied_or_an_order_without_lines_is_stopped() -> None:
    emptied, bare = case("02")
    emptied["line_items"][0]["quantity"] = 0
    bare["line_items"] = []
    for body in (emptied, bare):
        assert becomes(one(body)) == (Disposition.RELEASE, ())
    odd = {**bare, "status": "ready-pickup"}
    assert becomes(one(odd)) == (Disposition.REVIEW, (HoldCode.UNKNOWN_STATUS,))


def test_lines_that_stand_twice_are_told_apart() -> None:
    body = case("02")[0]
    line = body["line_items"][0]
    body["line_items"] = [line, line]
    assert [(x.line_id, x.quantity) for x in one(body).lines] == [("11", 2)]
    body["line_items"] = [line, {**line, "sku": "WIPES-80X6"}]
    assert [(x.line_id, x.sku) for x in one(body).lines] == [("11", "MUG-350"), ("11#2", "WIPES-80X6")]


def test_a_part_of_a_bundle_is_no_gift() -> None:
    body = case("02")[0]
    part = {**body["line_items"][0], "id": 12, "total": "0.00", "meta_data": [{"key": "_bundled_by", "value": "ab"}]}
    gift = {**part, "id": 13, "meta_data": []}
    body["line_items"] += [part, gift]
    assert [line.kind for line in one(body).lines] == [LineKind.PURCHASE, LineKind.PURCHASE, LineKind.GIFT]


def test_totals_that_contradict_the_lines_are_told_and_in_nobodys_way() -> None:
    body = {**case("02")[0], "total_tax": "0.00"}
    assert not planned(one(body)).flags
    body["total"] = "20.00"
    plan = planned(one(body))
    assert [flag.code for flag in plan.flags] == [HoldCode.TOTALS_CONTRADICT]
    assert plan.plan.disposition is Disposition.RESERVE
    body["fee_lines"] = [{"total": "-4.00"}]
    assert not planned(one(body)).flags


def test_a_receiver_that_cannot_be_read_is_not_replaced_by_the_payer() -> None:
    body = {**case("02")[0], "shipping": "5 Sample Way"}
    assert one(body).ship_to.privacy is Privacy.MISSING
    assert becomes(one(body)) == (Disposition.REVIEW, (HoldCode.RECEIVER_MISSING,))
    assert one({**body, "shipping": []}).ship_to.street == ""


def test_a_cancelled_order_is_cancelled_though_nothing_else_of_it_can_be_read() -> None:
    body = {**case("02")[0], "status": "cancelled", "line_items": "gone", "total": None, "currency": 7}
    order = one(body)
    assert (order.status, order.lines) == (OrderStatus.CANCELLED, ())
    assert becomes(order) == (Disposition.RELEASE, ())
    shopify = {**case("05")[0], "cancelled_at": "2026-10-01T09:00:00Z", "line_items": 7, "financial_status": []}
    assert becomes(one(shopify, "shopify")) == (Disposition.RELEASE, ())


def test_a_test_notification_of_shopify_is_held() -> None:
    body = {**case("05")[0], "test": True, "fulfillment_status": "pending"}
    assert becomes(one(body, "shopify"))[0] is Disposition.REVIEW


def test_a_cancelled_line_stays_cancelled_when_another_service_ships_it() -> None:
    body = case("06")
    body["line_items"][0] |= {"current_quantity": 0, "fulfillable_quantity": 0}
    [line] = one(body, "shopify").lines
    assert (line.kind, line.status) == (LineKind.ELSEWHERE, LineStatus.CANCELLED)
