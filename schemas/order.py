"""The one order model that every channel is brought to.

Money is integer minor units (fen for CNY) of `Order.currency`. Times are UTC and aware. Personal data (names, phones,
streets, remarks) is kept out of `repr`, so that it cannot slip into a log or an error text.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from enum import StrEnum

from schemas.ids import Slug
from schemas.record import record


class PaymentStatus(StrEnum):
    """What the buyer has paid so far."""

    UNPAID = "unpaid"
    DEPOSIT_PAID = "deposit-paid"  # presale: the final part is open
    PAID = "paid"
    CASH_ON_DELIVERY = "cash-on-delivery"  # nothing paid, and the order is good to ship
    REFUNDED = "refunded"  # all of it


class OrderStatus(StrEnum):
    """Where the order stands on its platform."""

    AWAITING_PAYMENT = "awaiting-payment"
    ON_HOLD = "on-hold"  # real, but the platform says: do not ship yet (see Order.holds)
    TO_SHIP = "to-ship"
    PART_SHIPPED = "part-shipped"
    SHIPPED = "shipped"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class LineKind(StrEnum):
    """What a line is to the buyer."""

    PURCHASE = "purchase"
    GIFT = "gift"
    SERVICE = "service"  # nothing to pick: insurance, installation, a virtual good
    ELSEWHERE = "elsewhere"  # goods that somebody else stocks and ships


class LineStatus(StrEnum):
    """Whether a line is still to be shipped."""

    OPEN = "open"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"  # closed or fully refunded before shipping: never ship it


class RefundStatus(StrEnum):
    """The refund of one line."""

    NONE = "none"
    REQUESTED = "requested"  # undecided: do not ship the line
    REFUNDED = "refunded"


class StorageClass(StrEnum):
    """How a unit must be kept and carried. From the SKU catalogue; no platform tells it."""

    AMBIENT = "ambient"
    CHILLED = "chilled"
    FROZEN = "frozen"


class Privacy(StrEnum):
    """In which form the receiver's data came."""

    PLAIN = "plain"
    MASKED = "masked"
    ENCRYPTED = "encrypted"
    MISSING = "missing"


@record
class Part:
    """What a bundle is made of: so many units of it in one bundle."""

    sku: str  # the seller's own code, "" when the platform does not say it
    quantity: int
    title: str = ""
    platform_sku: str = ""


@record
class Line:
    """One line of an order."""

    line_id: str
    sku: str  # the seller's own code, "" when the platform row has none
    quantity: int  # what is still wanted: after refunds, never negative
    unit_price: int
    paid: int  # this line's share of what was paid, order discounts taken off
    platform_sku: str = ""
    title: str = ""
    kind: LineKind = LineKind.PURCHASE
    status: LineStatus = LineStatus.OPEN
    refund: RefundStatus = RefundStatus.NONE
    bound_to: tuple[str, ...] = ()  # a gift's main lines, by line id
    category: str = ""  # from the catalogue, filled in by tag
    storage_class: StorageClass = StorageClass.AMBIENT  # from the catalogue, filled in by tag
    weight_grams: int = 0  # of one unit, from the catalogue, filled in by tag
    marks: tuple[str, ...] = ()  # the platform's own words about the line, for rules to match
    parts: tuple[Part, ...] = ()  # of a bundle, where the platform says what it is made of


@record
class ShipTo:
    """The receiver, in the form it came. `token` is what the platform decrypts it with."""

    privacy: Privacy
    country: str = "CN"
    province: str = ""
    city: str = ""
    district: str = ""
    town: str = field(default="", repr=False)
    street: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    postcode: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    receiver_key: str = field(default="", repr=False)  # same key, same receiver (for merging)


@record
class Totals:
    """The order's money. paid = goods - discount + postage + other, unless the platform rounds otherwise."""

    goods: int  # sum of price * quantity before any discount
    discount: int  # all discounts, as a positive number
    postage: int
    paid: int  # what the buyer pays in all, postage included
    other: int = 0  # tax, services, fees; manual price changes; may be negative


@record
class Promotion:
    """One discount or activity the platform names."""

    name: str
    amount: int  # what it takes off, as a positive number; 0 for a give-away
    code: str = ""


@record
class PromisedGift:
    """A gift the platform only announces in words: no line carries it."""

    name: str
    quantity: int
    platform_item_id: str = ""


@record
class Presale:
    """Sold before it can be shipped."""

    final_paid: bool  # False: only a deposit (or nothing) is paid
    ship_not_before: datetime | None = None
    deposit: int = 0


@record
class RelatedOrder:
    """Another order of the same purchase."""

    platform_order_id: str
    relation: str  # "gift", "gift-of", "parent", "child"


@record
class Source:
    """Where this order was read from, so that its bytes can be found again."""

    template: str  # which reading of the channel's format fitted
    topic: str = ""
    partition: int = -1
    offset: int = -1
    received_at: datetime | None = None


@record
class Order:
    """An order as one platform describes it at one moment (its revision)."""

    uid: str
    channel: Slug
    shop_id: Slug
    platform_order_id: str
    revision: str  # see schemas.revision: compares as text, newer is greater
    modified_at: datetime
    placed_at: datetime
    status: OrderStatus
    payment: PaymentStatus
    lines: tuple[Line, ...]
    ship_to: ShipTo
    totals: Totals
    source: Source
    currency: str = "CNY"
    paid_at: datetime | None = None
    pay_deadline: datetime | None = None  # when the platform itself closes an unpaid order
    ship_by: datetime | None = None
    buyer_key: str = ""  # a hash, never the name
    promotions: tuple[Promotion, ...] = ()
    promised_gifts: tuple[PromisedGift, ...] = ()
    presale: Presale | None = None
    holds: tuple[str, ...] = ()  # why the platform says "do not ship", as codes: risk-review, ship-hold ...
    marks: tuple[str, ...] = ()  # the platform's own tags on the order, for rules to match
    related: tuple[RelatedOrder, ...] = ()
    buyer_remark: str = field(default="", repr=False)
    seller_memo: str = field(default="", repr=False)
    seller_flag: str = ""  # colour, in English: "red" ... or ""


# -- what is to ship -------------------------------------------------------------------------------------------------

_OPEN, _CANCELLED = LineStatus.OPEN, LineStatus.CANCELLED  # a member looked up through its class costs 100 ns each time
_NOT_OURS = (LineKind.SERVICE, LineKind.ELSEWHERE)

GOOD_TO_SHIP = (PaymentStatus.PAID, PaymentStatus.CASH_ON_DELIVERY)
"""With these an order may be shipped, as far as its payment goes."""


def lines_to_ship(order: Order) -> tuple[Line, ...]:
    """The lines a warehouse of ours still has to pick: open, something left of them, goods that we stock and ship."""
    return tuple(
        [line for line in order.lines if line.status is _OPEN and line.kind not in _NOT_OURS and line.quantity > 0]
    )


def lines_that_stay(order: Order) -> tuple[Line, ...]:
    """The goods of ours that the buyer is to have, whether they have left or not: all but what was cancelled."""
    return tuple(
        [
            line
            for line in order.lines
            if line.status is not _CANCELLED and line.kind not in _NOT_OURS and line.quantity > 0
        ]
    )
