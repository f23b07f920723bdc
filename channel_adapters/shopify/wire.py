"""What we read of a Shopify order (Admin REST API, "Order"). Every field that is not here is ignored.

Amounts are those in the shop's own currency; `*_set` repeats them beside the buyer's currency and is not needed.
"""

from __future__ import annotations

from typing import Any

from channel_adapters.fields import Amount, Count, Id, Lines, Loose, Number, Reference, Rows, Status, Wire, Word


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
    product_id: Loose[Reference] = None
    variant_id: Loose[Reference] = None
    sku: Word = None
    title: Loose[Word] = None
    name: Loose[Word] = None
    price: Amount
    quantity: Count
    current_quantity: Count | None = None
    fulfillable_quantity: Count | None = None
    fulfillment_status: Status = None
    fulfillment_service: Loose[Word] = None
    requires_shipping: bool = True
    discount_allocations: Rows[Allocation] | None = None
    properties: Loose[list[Attribute]] = None


class CurrentLineItem(LineItem):
    """One line of today's form, which says what is left to ship."""

    current_quantity: Count
    fulfillable_quantity: Count
    discount_allocations: Rows[Allocation]


class DiscountApplication(Wire):
    """A discount; the allocations refer to it by position. A code, an automatic one, a manual one or a script."""

    type: Loose[Word] = None
    code: Loose[Word] = None
    title: Loose[Word] = None


class DiscountCode(Wire):
    """A code that the buyer entered."""

    code: str
    amount: Amount


class ShippingLine(Wire):
    """What the buyer chose for the way, and its price before and after discounts."""

    code: Loose[Word] = None
    title: Loose[Word] = None
    delivery_category: Loose[Word] = None
    price: Loose[Amount] = None
    discounted_price: Loose[Amount] = None
    discount_allocations: Loose[list[Allocation]] = None


class Address(Wire):
    """The receiver."""

    first_name: Word = None
    last_name: Word = None
    name: Word = None
    company: Word = None
    address1: Word = None
    address2: Word = None
    city: Word = None
    province: Word = None
    province_code: Word = None
    country_code: Word = None
    zip: Word = None
    phone: Word = None


class Customer(Wire):
    """The buyer's account."""

    id: Loose[Reference] = None


class FulfillmentLine(Wire):
    """What a parcel holds of one order line."""

    id: Id
    quantity: Count


class Fulfillment(Wire):
    """A parcel."""

    status: Word = None
    line_items: Rows[FulfillmentLine] | None = None


class RefundLine(Wire):
    """What a refund takes off one order line, and where the units are."""

    line_item_id: Id
    quantity: Count
    restock_type: Status = None


class Refund(Wire):
    """A refund; without lines it is about money alone."""

    refund_line_items: Loose[Rows[RefundLine]] = None


class PaymentSchedule(Wire):
    """One payment that is due later."""

    due_at: Loose[Word] = None
    completed_at: Loose[Word] = None


class PaymentTerms(Wire):
    """When an order must be paid that was not paid at checkout."""

    payment_schedules: Loose[list[PaymentSchedule]] = None


class OrderObject(Wire):
    """The order in every form since 2018, the same in a list, alone and in a webhook."""

    id: Id
    name: Loose[Word] = None
    test: bool | None = None
    currency: str
    created_at: str
    updated_at: str
    closed_at: str | None = None
    cancelled_at: str | None = None
    financial_status: Status
    fulfillment_status: Status = None
    total_price: Amount
    subtotal_price: Amount
    total_line_items_price: Amount
    total_outstanding: Amount | None = None
    line_items: Lines[LineItem]
    shipping_lines: Loose[list[ShippingLine]] = None
    discount_applications: Loose[list[DiscountApplication]] = None
    discount_codes: Loose[list[DiscountCode]] = None
    shipping_address: Loose[Address] = None
    customer: Loose[Customer] = None
    email: Loose[Word] = None
    phone: Loose[Word] = None
    note: Loose[Word] = None
    note_attributes: Loose[list[Attribute]] = None
    tags: Loose[Word] = None
    source_name: Loose[Word] = None
    payment_gateway_names: Loose[list[Number]] = None
    payment_terms: Loose[PaymentTerms] = None
    fulfillments: Rows[Fulfillment] | None = None
    refunds: Loose[Rows[Refund]] = None  # news all the same when it is odd: see mapping


class CurrentOrderObject(OrderObject):
    """The order in today's form."""

    line_items: Lines[CurrentLineItem]  # type: ignore[assignment]  # narrower, and never changed


class Head(Wire):
    """Just enough of an order to key it."""

    id: Id
    updated_at: Any = None


class Ending(Wire):
    """Just enough of an order to know that it is over."""

    id: Id
    updated_at: str
    cancelled_at: Any = None
    financial_status: Any = None
