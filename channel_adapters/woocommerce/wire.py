"""What we read of a WooCommerce order (REST API v3, "Order properties"). Every field that is not here is ignored.

Plugins write into anything: what is marked `Loose` is left out when it is odd.
"""

from __future__ import annotations

from typing import Any

from channel_adapters.fields import Amount, Count, Id, Lines, Loose, Reference, Rows, Status, Wire, Word


class Meta(Wire):
    """What a plugin noted. The value may be any JSON."""

    key: str
    value: Any = None


class LineItem(Wire):
    """One product row. `subtotal` is before and `total` after discounts, both without tax and for the whole row."""

    id: Id
    name: Loose[Word] = None
    product_id: Loose[Reference] = None
    variation_id: Loose[Reference] = None
    quantity: Count
    subtotal: Amount
    total: Amount
    sku: Word = None
    meta_data: Loose[list[Meta]] = None


class ShippingLine(Wire):
    """How the parcel goes."""

    method_id: Loose[Word] = None


class FeeLine(Wire):
    """A fee, or a discount that a plugin writes as a negative fee."""

    total: Loose[Amount] = None


class CouponLine(Wire):
    """A coupon that the buyer used; `discount` is positive."""

    code: str
    discount: Loose[Amount] = None


class Refund(Wire):
    """A refund as the order lists it: an amount, negative, and no line."""

    total: Amount


class Address(Wire):
    """Billing or shipping address. All empty for shipping means: the billing address."""

    first_name: Word = None
    last_name: Word = None
    company: Word = None
    address_1: Word = None
    address_2: Word = None
    city: Word = None
    state: Word = None
    postcode: Word = None
    country: Word = None
    phone: Word = None
    email: Word = None


class OrderObject(Wire):
    """The order, the same in a list, alone and in a webhook."""

    id: Id
    number: Loose[Word] = None
    parent_id: Loose[Reference] = None
    status: Status
    currency: str
    date_created_gmt: str
    date_modified_gmt: str | None
    date_paid_gmt: str | None = None
    date_completed_gmt: str | None = None
    discount_total: Amount
    shipping_total: Amount
    total: Amount
    total_tax: Loose[Amount] = None
    payment_method: Loose[Word] = None
    customer_id: Loose[Reference] = None
    customer_note: Loose[Word] = None
    billing: Loose[Address] = None
    shipping: Loose[Address] = None
    line_items: Lines[LineItem]
    shipping_lines: Loose[Rows[ShippingLine]] = None
    fee_lines: Loose[Rows[FeeLine]] = None
    coupon_lines: Loose[Rows[CouponLine]] = None
    refunds: Loose[Rows[Refund]] = None  # news all the same when it is odd: see mapping
    meta_data: Loose[list[Meta]] = None


class Head(Wire):
    """Just enough of an order to key it."""

    id: Id
    date_modified_gmt: Any = None


class Ending(Wire):
    """Just enough of an order to know that it is over."""

    id: Id
    status: str
    date_modified_gmt: str
