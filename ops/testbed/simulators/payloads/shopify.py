"""A Shopify order, as Admin REST gives it (Admin API docs; money is text in major units, times carry their offset)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ops.testbed.simulators.payloads.woocommerce import list_price
from ops.testbed.simulators.payloads.writing import BEIJING, Json, paid_text
from ops.testbed.simulators.sale import Item, Oddity, Sale, Stage, yuan

CURRENCY: Final = "CNY"

_FINANCIAL: Final = {
    Stage.UNPAID: "pending",
    Stage.DEPOSIT_PAID: "partially_paid",
    Stage.PAID: "paid",
    Stage.CLOSED: "voided",
    Stage.REFUNDED: "refunded",
    Stage.SHIPPED: "paid",
}

_FIXED: Final = {
    "app_id": 580111,
    "checkout_id": None,
    "confirmed": True,
    "test": False,
    "currency": CURRENCY,
    "presentment_currency": CURRENCY,
    "phone": None,
    "note_attributes": [],
    "source_name": "web",
    "location_id": None,
    "payment_gateway_names": ["alipay"],
    "taxes_included": False,
    "tax_lines": [],
    "total_weight": 0,
    "buyer_accepts_marketing": False,
    "browser_ip": None,
    "landing_site": None,
    "referring_site": None,
    "user_id": None,
    "po_number": None,
    "estimated_taxes": False,
    "merchant_of_record_app_id": None,
    "total_tax": "0.00",
    "current_total_tax": "0.00",
}

_LINE_FIXED: Final[Json] = {
    "variant_title": None,
    "fulfillment_service": "manual",
    "requires_shipping": True,
    "taxable": True,
    "gift_card": False,
    "grams": 200,
    "total_discount": "0.00",
    "tax_lines": [],
    "duties": [],
    "vendor": "Sample",
    "product_exists": True,
    "variant_inventory_management": "shopify",
    "attributed_staffs": [],
}


def order(sale: Sale) -> Json:
    """The whole order, without the wrapper."""
    number = int(sale.order_id)
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/Order/{number}",
        "name": f"#{1000 + sale.serial}",
        "number": sale.serial,
        "order_number": 1000 + sale.serial,
        "token": f"exampletoken{sale.serial:08d}",
        **_FIXED,
        **_progress(sale),
        **_money(sale),
        "note": sale.remark or None,
        "tags": "pre-order" if sale.presale else "",
        **_discounts(sale),
        **_people(sale),
        "shipping_lines": [_shipping(sale)],
        "line_items": [_line(sale, item, index) for index, item in enumerate(sale.items)],
        "fulfillments": [_fulfillment(sale)] if sale.shipped_at else [],
        "refunds": _refunds(sale),
        "payment_terms": _terms(sale) if sale.presale else None,
    }


def moment(seconds: int) -> str:
    """ISO 8601 with the shop's offset."""
    return datetime.fromtimestamp(seconds, BEIJING).isoformat()


def _moment_or_none(seconds: int) -> str | None:
    return moment(seconds) if seconds else None


def _both(fen: int) -> Json:
    money = {"amount": yuan(fen), "currency_code": CURRENCY}
    return {"shop_money": money, "presentment_money": money}


def _progress(sale: Sale) -> Json:
    status = _FINANCIAL[sale.stage]
    if sale.stage is Stage.PAID and sale.refunded_at:
        status = "partially_refunded"
    return {
        "created_at": moment(sale.placed_at),
        "processed_at": moment(sale.placed_at),
        "updated_at": moment(sale.modified_at),
        "closed_at": _moment_or_none(sale.closed_at or sale.shipped_at),
        "cancelled_at": _moment_or_none(sale.closed_at),
        "cancel_reason": "customer" if sale.closed_at else None,
        "financial_status": "demo_unknown" if sale.oddity is Oddity.STATUS else status,
        "fulfillment_status": "fulfilled" if sale.shipped_at else None,
    }


def _gift_value(item: Item) -> int:
    return list_price(item) * item.quantity if item.gift else 0


def _outstanding(sale: Sale) -> int:
    if sale.stage is Stage.DEPOSIT_PAID:
        return sale.total - sale.deposit
    return sale.total if sale.stage is Stage.UNPAID else 0


def _money(sale: Sale) -> Json:
    gifts = sum(map(_gift_value, sale.items))
    goods, discounts = sale.goods_total + gifts, sale.discount + gifts
    current = 0 if sale.closed_at else sum(item.net for item in sale.items if not item.gone)
    current_total = current + (0 if sale.closed_at else sale.postage)
    return {
        "total_line_items_price": yuan(goods),
        "total_discounts": yuan(discounts),
        "subtotal_price": yuan(goods - discounts),
        "total_price": paid_text(sale),
        "total_outstanding": yuan(_outstanding(sale)),
        "current_subtotal_price": yuan(current),
        "current_total_price": yuan(current_total),
        "current_total_discounts": yuan(0 if sale.closed_at else discounts),
        "total_line_items_price_set": _both(goods),
        "total_discounts_set": _both(discounts),
        "subtotal_price_set": _both(goods - discounts),
        "total_price_set": _both(sale.total),
        "total_shipping_price_set": _both(sale.postage),
        "total_tax_set": _both(0),
        "current_total_price_set": _both(current_total),
    }


def _discounts(sale: Sale) -> Json:
    """One code for what the buyer entered, one automatic application for what is given away."""
    applications: list[Json] = []
    codes: list[Json] = []
    entitled = {"target_type": "line_item", "target_selection": "entitled"}
    if sale.discount:
        codes.append({"code": "SAMPLEOFF", "amount": yuan(sale.discount), "type": "fixed_amount"})
        applications.append(
            {
                **entitled,
                "type": "discount_code",
                "value": yuan(sale.discount),
                "value_type": "fixed_amount",
                "allocation_method": "across",
                "code": "SAMPLEOFF",
            }
        )
    if any(item.gift for item in sale.items):
        applications.append(
            {
                **entitled,
                "type": "automatic",
                "value": "100.0",
                "value_type": "percentage",
                "allocation_method": "each",
                "title": "赠品",
            }
        )
    return {"discount_codes": codes, "discount_applications": applications}


def _allocations(sale: Sale, item: Item) -> list[Json]:
    fen, index = (_gift_value(item), int(bool(sale.discount))) if item.gift else (item.markdown + item.share, 0)
    if not fen:
        return []
    return [{"amount": yuan(fen), "amount_set": _both(fen), "discount_application_index": index}]


def _people(sale: Sale) -> Json:
    place, email = sale.place, f"buyer{sale.buyer}@example.com"
    address = {
        "first_name": "样例",
        "last_name": "测试",
        "name": "样例 测试",
        "company": None,
        "address1": f"{place.district}样例路{sale.buyer % 100 + 1}号",
        "address2": "",
        "city": place.city or place.district,
        "province": place.english,
        "province_code": place.shopify_state,
        "country": "China",
        "country_code": "CN",
        "zip": "000000",
        "phone": f"1200000{sale.buyer:04d}",
        "latitude": None,
        "longitude": None,
    }
    return {
        "email": email,
        "contact_email": email,
        "customer": {
            "id": 7000000000000 + sale.buyer,
            "email": email,
            "first_name": "样例",
            "last_name": "测试",
            "state": "disabled",
            "tags": "",
            "currency": CURRENCY,
        },
        "billing_address": address,
        "shipping_address": address,
    }


def _shipping(sale: Sale) -> Json:
    return {
        "id": 8000000000000 + sale.serial,
        "code": "Standard",
        "title": "Standard",
        "price": yuan(sale.postage),
        "price_set": _both(sale.postage),
        "discounted_price": yuan(sale.postage),
        "discounted_price_set": _both(sale.postage),
        "source": "shopify",
        "carrier_identifier": None,
        "discount_allocations": [],
        "tax_lines": [],
        "phone": None,
    }


def line_id(sale: Sale, index: int) -> int:
    """Of one line: counted over all orders of the shop."""
    return 1300000000000 + sale.serial * 10 + index


def _line(sale: Sale, item: Item, index: int) -> Json:
    number, goods = line_id(sale, index), item.goods
    left = 0 if sale.closed_at else item.quantity - item.refunded
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{number}",
        "title": goods.title,
        "name": goods.title,
        "product_id": 9100000000000 + goods.number,
        "variant_id": 4300000000000 + goods.number,
        "sku": goods.sku,
        "price": yuan(list_price(item)),
        "price_set": _both(list_price(item)),
        "quantity": item.quantity,
        "current_quantity": left,
        "fulfillable_quantity": 0 if sale.shipped_at else left,
        "fulfillment_status": "fulfilled" if sale.shipped_at else None,
        **_LINE_FIXED,
        "total_discount_set": _both(0),
        "discount_allocations": _allocations(sale, item),
        "properties": [{"name": "_demo_free_gift", "value": "true"}] if item.gift else [],
    }


def _fulfillment(sale: Sale) -> Json:
    tracking = f"SF{sale.serial:013d}"
    return {
        "id": 4500000000000 + sale.serial,
        "order_id": int(sale.order_id),
        "status": "success",
        "service": "manual",
        "tracking_company": "Other",
        "tracking_number": tracking,
        "tracking_numbers": [tracking],
        "tracking_url": None,
        "tracking_urls": [],
        "shipment_status": None,
        "name": f"#{1000 + sale.serial}.1",
        "location_id": 6500000000001,
        "created_at": moment(sale.shipped_at),
        "updated_at": moment(sale.shipped_at),
        "receipt": {},
        "line_items": [
            {"id": line_id(sale, index), "quantity": item.quantity, "sku": item.goods.sku}
            for index, item in enumerate(sale.items)
        ],
    }


def _refunds(sale: Sale) -> list[Json]:
    gone = [(index, item) for index, item in enumerate(sale.items) if item.refunded]
    if not gone:
        return []
    amount = sum(item.net for _, item in gone) + (sale.postage if sale.stage is Stage.REFUNDED else 0)
    at = moment(sale.refunded_at)
    return [
        {
            "id": 6600000000000 + sale.serial,
            "order_id": int(sale.order_id),
            "created_at": at,
            "note": "样例退款",
            "processed_at": at,
            "restock": True,
            "user_id": None,
            "order_adjustments": [],
            "duties": [],
            "refund_line_items": [_refunded_line(sale, item, index) for index, item in gone],
            "transactions": [
                {
                    "id": 6800000000000 + sale.serial,
                    "order_id": int(sale.order_id),
                    "kind": "refund",
                    "gateway": "alipay",
                    "status": "success",
                    "amount": yuan(amount),
                    "currency": CURRENCY,
                    "created_at": at,
                    "parent_id": 6700000000000 + sale.serial,
                }
            ],
        }
    ]


def _refunded_line(sale: Sale, item: Item, index: int) -> Json:
    """Its subtotal is a JSON number, unlike all other money."""
    return {
        "id": 6750000000000 + sale.serial * 10 + index,
        "line_item_id": line_id(sale, index),
        "quantity": item.refunded,
        "restock_type": "cancel",
        "location_id": None,
        "subtotal": item.net / 100,
        "total_tax": 0.0,
        "subtotal_set": _both(item.net),
        "total_tax_set": _both(0),
    }


def _terms(sale: Sale) -> Json:
    placed = moment(sale.placed_at)
    return {
        "id": sale.serial,
        "created_at": placed,
        "due_in_days": None,
        "payment_schedules": [
            {
                "id": sale.serial,
                "amount": yuan(sale.total - sale.deposit),
                "currency": CURRENCY,
                "issued_at": placed,
                "due_at": moment(sale.placed_at + 30 * 86400),
                "completed_at": _moment_or_none(sale.paid_at),
                "expected_payment_method": "alipay",
            }
        ],
        "payment_terms_name": "Fixed",
        "payment_terms_type": "fixed",
        "updated_at": moment(sale.modified_at),
    }
