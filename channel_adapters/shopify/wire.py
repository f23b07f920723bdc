"""What we read of a Shopify order (Admin REST API, "Order"). Every field that is not here is ignored.

Amounts are those in the shop's own currency; `*_set` repeats them beside the buyer's currency and is not needed.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from channel_adapters.fields import Amount, Id, Reference, Wire


class Attribute(Wire):
    """A line property or cart attribute."""

    name: str
    value: Any = None


class Allocation(Wire):
    """The part of a discount that falls on one line."""

    amount: Amount
    discount_application_index: int | None = None


class LineItem(Wire):
    """One line. `quantity` is what was ordered. The form before 2020: what is left must be worked out."""

    id: Id
    product_id: Reference | None = None
    variant_id: Reference | None = None
    sku: Annotated[str | None, Field(coerce_numbers_to_str=True)] = None
    title: str | None = None
    name: str | None = None
    price: Amount
    quantity: int
    current_quantity: int | None = None
    fulfillable_quantity: int | None = None
    fulfillment_status: str | None = None
    requires_shipping: bool = True
    discount_allocations: list[Allocation] | None = None
    properties: list[Attribute] | None = None


class CurrentLineItem(LineItem):
    """One line of today's form, which says what is left to ship."""

    current_quantity: int
    fulfillable_quantity: int
    discount_allocations: list[Allocation]


class DiscountApplication(Wire):
    """A discount; the allocations refer to it by position. A code, an automatic one, a manual one or a script."""

    type: str = ""
    code: str | None = None
    title: str | None = None


class DiscountCode(Wire):
    """A code that the buyer entered."""

    code: str
    amount: Amount


class ShippingLine(Wire):
    """What the buyer chose for the way, and its price before and after discounts."""

    code: str | None = None
    price: Amount
    discounted_price: Amount | None = None
    discount_allocations: list[Allocation] | None = None


class Address(Wire):
    """The receiver."""

    first_name: str | None = None
    last_name: str | None = None
    name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province: str | None = None
    province_code: str | None = None
    country_code: str | None = None
    zip: str | None = None
    phone: str | None = None


class Customer(Wire):
    """The buyer's account."""

    id: Reference | None = None


class FulfillmentLine(Wire):
    """What a parcel holds of one order line."""

    id: Id
    quantity: int


class Fulfillment(Wire):
    """A parcel."""

    status: str | None = None
    line_items: list[FulfillmentLine] | None = None


class RefundLine(Wire):
    """What a refund takes off one order line, and where the units are."""

    line_item_id: Id
    quantity: int
    restock_type: str | None = None


class Refund(Wire):
    """A refund; without lines it is about money alone."""

    refund_line_items: list[RefundLine] | None = None


class PaymentSchedule(Wire):
    """One payment that is due later."""

    due_at: str | None = None
    completed_at: str | None = None


class PaymentTerms(Wire):
    """When an order must be paid that was not paid at checkout."""

    payment_schedules: list[PaymentSchedule] | None = None


class OrderObject(Wire):
    """The order in every form since 2018, the same in a list, alone and in a webhook."""

    id: Id
    name: str | None = None
    test: bool | None = None
    currency: str
    created_at: str
    updated_at: str
    closed_at: str | None = None
    cancelled_at: str | None = None
    financial_status: str
    fulfillment_status: str | None = None
    total_price: Amount
    subtotal_price: Amount
    total_line_items_price: Amount
    total_outstanding: Amount | None = None
    line_items: list[LineItem]
    shipping_lines: list[ShippingLine] | None = None
    discount_applications: list[DiscountApplication] | None = None
    discount_codes: list[DiscountCode] | None = None
    shipping_address: Address | None = None
    customer: Customer | None = None
    email: str | None = None
    phone: str | None = None
    note: str | None = None
    note_attributes: list[Attribute] | None = None
    tags: str | None = None
    source_name: str | None = None
    payment_gateway_names: list[str] | None = None
    payment_terms: PaymentTerms | None = None
    fulfillments: list[Fulfillment] | None = None
    refunds: list[Refund] | None = None


class CurrentOrderObject(OrderObject):
    """The order in today's form."""

    line_items: list[CurrentLineItem]  # type: ignore[assignment]  # narrower, and never changed
