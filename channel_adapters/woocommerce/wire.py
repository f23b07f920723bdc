"""What we read of a WooCommerce order (REST API v3, "Order properties"). Every field that is not here is ignored."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from channel_adapters.fields import Amount, Id, Reference, Wire


class Meta(Wire):
    """What a plugin noted. The value may be any JSON."""

    key: str
    value: Any = None


class LineItem(Wire):
    """One product row. `subtotal` is before and `total` after discounts, both without tax and for the whole row."""

    id: Id
    name: str = ""
    product_id: Reference = "0"
    variation_id: Reference = "0"
    quantity: int
    subtotal: Amount
    total: Amount
    sku: Annotated[str | None, Field(coerce_numbers_to_str=True)] = None
    meta_data: list[Meta] | None = None


class ShippingLine(Wire):
    """How the parcel goes."""

    method_id: str | None = None


class CouponLine(Wire):
    """A coupon that the buyer used; `discount` is positive."""

    code: str
    discount: Amount = "0"


class Refund(Wire):
    """A refund as the order lists it: an amount, negative, and no line."""

    total: Amount


class Address(Wire):
    """Billing or shipping address. All empty for shipping means: the billing address."""

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address_1: str | None = None
    address_2: str | None = None
    city: str | None = None
    state: str | None = None
    postcode: str | None = None
    country: str | None = None
    phone: str | None = None
    email: str | None = None


class OrderObject(Wire):
    """The order, the same in a list, alone and in a webhook."""

    id: Id
    number: Annotated[str | None, Field(coerce_numbers_to_str=True)] = None
    parent_id: Reference = "0"
    status: str
    currency: str
    date_created_gmt: str
    date_modified_gmt: str | None
    date_paid_gmt: str | None = None
    date_completed_gmt: str | None = None
    discount_total: Amount
    shipping_total: Amount
    total: Amount
    payment_method: str | None = None
    customer_id: Reference = "0"
    customer_note: str | None = None
    billing: Address | None = None
    shipping: Address | None = None
    line_items: list[LineItem]
    shipping_lines: list[ShippingLine] | None = None
    coupon_lines: list[CouponLine] | None = None
    refunds: list[Refund] | None = None
    meta_data: list[Meta] | None = None
