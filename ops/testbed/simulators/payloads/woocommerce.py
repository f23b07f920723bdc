"""A WooCommerce order and its refunds, as REST v3 gives them (REST manual; money is text, `_gmt` times are UTC)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from ops.testbed.simulators.payloads.writing import BEIJING, Json, paid_text
from ops.testbed.simulators.sale import Item, Oddity, Sale, Stage, yuan

GIFT_LIST_PRICE: Final = 990
"""What a gift without a price of its own would cost: malls show it, then discount it away."""

SITE: Final = "https://mall.example.com"

_STATUS: Final = {
    Stage.UNPAID: "pending",
    Stage.PAID: "processing",
    Stage.CLOSED: "cancelled",
    Stage.REFUNDED: "refunded",
    Stage.SHIPPED: "completed",
}


def order(sale: Sale) -> Json:
    """The whole order."""
    status = "processing" if sale.cash_on_delivery else _STATUS[sale.stage]
    number = int(sale.order_id)
    return {
        "id": number,
        "parent_id": 0,
        "number": sale.order_id,
        "order_key": f"wc_order_example{sale.serial:07d}",
        "created_via": "checkout",
        "version": "8.6.1",
        "status": "demo-unknown" if sale.oddity is Oddity.STATUS else status,
        "currency": "CNY",
        **_times(sale),
        **_money(sale),
        "customer_id": sale.buyer,
        "customer_ip_address": "192.0.2.1",
        "customer_user_agent": "",
        "customer_note": sale.remark,
        **_people(sale),
        **_payment(sale),
        "cart_hash": "d41d8cd98f00b204e9800998ecf8427e",
        "meta_data": [],
        "line_items": [_line(sale, item, index) for index, item in enumerate(sale.items)],
        "tax_lines": [],
        "shipping_lines": [_shipping(sale)],
        "fee_lines": [],
        "coupon_lines": _coupons(sale),
        "refunds": [
            {"id": refund["id"], "reason": refund["reason"], "total": f"-{refund['amount']}"}
            for refund in refunds(sale)
        ],
        "payment_url": f"{SITE}/checkout/order-pay/{number}/",
        "is_editable": False,
        "needs_payment": status == "pending",
        "needs_processing": True,
        "currency_symbol": "¥",
        "_links": {
            "self": [{"href": f"{SITE}/wp-json/wc/v3/orders/{number}"}],
            "collection": [{"href": f"{SITE}/wp-json/wc/v3/orders"}],
        },
    }


def _money(sale: Sale) -> Json:
    gifts = sum(list_price(item) * item.quantity for item in sale.items if item.gift)
    return {
        "discount_total": yuan(sale.discount + gifts),
        "discount_tax": "0.00",
        "shipping_total": yuan(sale.postage),
        "shipping_tax": "0.00",
        "cart_tax": "0.00",
        "total": paid_text(sale),
        "total_tax": "0.00",
        "prices_include_tax": False,
    }


def _moment(name: str, seconds: int) -> Json:
    """The shop's clock is Beijing's."""
    if not seconds:
        return {name: None, f"{name}_gmt": None}
    local = datetime.fromtimestamp(seconds, BEIJING).strftime("%Y-%m-%dT%H:%M:%S")
    return {name: local, f"{name}_gmt": datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")}


def _times(sale: Sale) -> Json:
    return {
        **_moment("date_created", sale.placed_at),
        **_moment("date_modified", sale.modified_at),
        **_moment("date_paid", sale.paid_at),
        **_moment("date_completed", sale.shipped_at),
    }


def _payment(sale: Sale) -> Json:
    method, title = ("cod", "Cash on delivery") if sale.cash_on_delivery else ("alipay", "Alipay")
    return {
        "payment_method": method,
        "payment_method_title": title,
        "transaction_id": f"tx_example{sale.serial:06d}" if sale.paid_at else "",
    }


def _people(sale: Sale) -> Json:
    place = sale.place
    address = {
        "first_name": "样例",
        "last_name": "测试",
        "company": "",
        "address_1": f"{place.district}样例路{sale.buyer % 100 + 1}号",
        "address_2": "",
        "city": place.city or place.district,
        "state": place.woo_state,
        "postcode": "000000",
        "country": "CN",
        "phone": f"1200000{sale.buyer:04d}",
    }
    return {"billing": {**address, "email": f"buyer{sale.buyer}@example.com"}, "shipping": address}


def list_price(item: Item) -> int:
    """Of one unit, before it may have been given away."""
    return item.goods.price or GIFT_LIST_PRICE


def _line(sale: Sale, item: Item, index: int) -> Json:
    fen = item.net / item.quantity / 100
    return {
        "id": line_id(sale, index),
        "name": item.goods.title,
        "product_id": 90 + item.goods.number,
        "variation_id": 0,
        "quantity": item.quantity,
        "tax_class": "",
        "subtotal": yuan(list_price(item) * item.quantity),
        "subtotal_tax": "0.00",
        "total": yuan(item.net),
        "total_tax": "0.00",
        "taxes": [],
        "meta_data": [_meta(sale, index, "_demo_free_gift", "yes")] if item.gift else [],
        "sku": item.goods.sku,
        "price": int(fen) if fen == int(fen) else round(fen, 6),
        "image": {"id": "", "src": ""},
        "parent_name": None,
    }


def line_id(sale: Sale, index: int) -> int:
    """Of one line: counted over all orders of the shop."""
    return sale.serial * 10 + index


def _meta(sale: Sale, index: int, key: str, value: Any) -> Json:
    return {"id": line_id(sale, index), "key": key, "value": value, "display_key": key, "display_value": value}


def _shipping(sale: Sale) -> Json:
    return {
        "id": 1900000 + sale.serial,
        "method_title": "快递",
        "method_id": "flat_rate",
        "instance_id": "1",
        "total": yuan(sale.postage),
        "total_tax": "0.00",
        "taxes": [],
        "meta_data": [],
    }


def _coupons(sale: Sale) -> list[Json]:
    if not sale.discount:
        return []
    coupon = {"id": 7000000 + sale.serial, "code": "sample-off", "discount": yuan(sale.discount), "discount_tax": "0"}
    return [{**coupon, "meta_data": []}]


def refunds(sale: Sale) -> list[Json]:
    """What `/orders/<id>/refunds` gives: one refund of all units given back so far, quantities and totals negative."""
    gone = [(index, item) for index, item in enumerate(sale.items) if item.refunded]
    if not gone:
        return []
    whole = sale.stage is Stage.REFUNDED
    amount = sum(item.net for _, item in gone) + (sale.postage if whole else 0)
    return [
        {
            "id": 5000000 + sale.serial,
            "parent_id": int(sale.order_id),
            **_moment("date_created", sale.refunded_at),
            "amount": yuan(amount),
            "reason": "样例退款",
            "refunded_by": 1,
            "refunded_payment": True,
            "meta_data": [],
            "line_items": [_refunded_line(sale, item, index) for index, item in gone],
            "shipping_lines": [],
            "tax_lines": [],
            "fee_lines": [],
        }
    ]


def _refunded_line(sale: Sale, item: Item, index: int) -> Json:
    line = _line(sale, item, index)
    kept = ("name", "product_id", "variation_id", "tax_class", "subtotal_tax", "total_tax", "sku")
    return {
        **{key: line[key] for key in kept},
        "id": 8000000 + line["id"],
        "quantity": -item.refunded,
        "subtotal": yuan(-item.net),
        "total": yuan(-item.net),
        "taxes": [],
        "meta_data": [{"id": 6000000 + line["id"], "key": "_refunded_item_id", "value": str(line["id"])}],
        "price": -line["price"],
    }
