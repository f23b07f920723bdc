"""From a Shopify order to ours: tables and pure functions.

Source: Shopify Admin REST API manual, "Order", "Refund", "Fulfillment". The order object does not say when it was paid.
Gifts, presale and cold chain have no field: a line that is discounted to nothing beside paid lines is a gift; tags and
hidden properties become marks for rules to match.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import lru_cache
from operator import attrgetter
from typing import Final

from channel_adapters.contract import UnreadablePayload
from channel_adapters.provinces import known_province
from channel_adapters.provinces import province as province_named
from channel_adapters.reading import (
    Reading,
    buyer_key,
    currency_digits,
    iso_time,
    mark,
    minor_units,
    reject,
    required,
    with_revision,
)
from channel_adapters.shopify.wire import Allocation, Attribute, LineItem, OrderObject
from schemas.codes import HoldCode, PayloadProblem
from schemas.ids import order_uid
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
    Totals,
)

CHANNEL: Final = "shopify"

# An authorised payment is promised and not paid: the shop may still lose it.
PAYMENT: Final = {
    "pending": PaymentStatus.UNPAID,
    "authorized": PaymentStatus.UNPAID,
    "partially_paid": PaymentStatus.DEPOSIT_PAID,
    "paid": PaymentStatus.PAID,
    "partially_refunded": PaymentStatus.PAID,
    "refunded": PaymentStatus.REFUNDED,
    "voided": PaymentStatus.UNPAID,
    "expired": PaymentStatus.UNPAID,
}

_PAYMENT_MEANS: Final = {OrderStatus.AWAITING_PAYMENT: PaymentStatus.UNPAID}
"""What the shop's own meaning of a word says of the payment; paid otherwise."""

UNPAID_HOLD: Final = {"authorized": timedelta(days=7)}
"""How long an unpaid order keeps its stock where the shop's owner sets nothing: as long as most authorisations live."""

_NOT_YET_PAID: Final = ("pending", "authorized", "voided", "expired")
_FETCHED: Final = frozenset(
    ("pickup", "pick-up", "pick_up", "pick up", "local pickup", "pick up in store", "in-store pickup")
)
_OURS: Final = frozenset((None, "", "manual"))

_PAYMENT_HOLDS: Final = {"voided": HoldCode.PAYMENT_VOIDED, "expired": HoldCode.PAYMENT_EXPIRED}

# Shopify's own manual payment method, and how gateways of that kind are named.
_ON_DELIVERY: Final = frozenset(("cash on delivery (cod)", "cash on delivery", "cash_on_delivery", "cod"))

_SHIPS_MORE: Final = {None: True, "unfulfilled": True, "partial": True, "fulfilled": False, "restocked": False}
_LINE_SHIPS_MORE: Final = {**_SHIPS_MORE, "not_eligible": True}

_PARCEL_COUNTS: Final = {
    None: True,
    "pending": True,
    "open": True,
    "success": True,
    "cancelled": False,
    "error": False,
    "failure": False,
}


_PARCEL_MEANS: Final = {OrderStatus.CANCELLED: False}
_REFUND_FIELDS: Final = ("refunds", "refund_line_items")
_NO_MORE: Final = {OrderStatus.CANCELLED: False, OrderStatus.SHIPPED: False, OrderStatus.COMPLETED: False}


class _Went(Enum):
    """Whether refunded units had left the shop."""

    NO = auto()
    PERHAPS = auto()
    YES = auto()


_WENT: Final = {
    "cancel": _Went.NO,
    "return": _Went.YES,
    "no_restock": _Went.PERHAPS,
    "legacy_restock": _Went.PERHAPS,
    None: _Went.PERHAPS,
}

# An attribute of an enumeration costs ten times a global.
_PURCHASE, _GIFT, _SERVICE = LineKind.PURCHASE, LineKind.GIFT, LineKind.SERVICE
_OPEN, _SHIPPED, _CANCELLED = LineStatus.OPEN, LineStatus.SHIPPED, LineStatus.CANCELLED
_REFUNDED, _NOT_REFUNDED = RefundStatus.REFUNDED, RefundStatus.NONE


@dataclass(slots=True)
class Fate:
    """What became of an order's units so far, by line id."""

    shipped: Mapping[str, int]
    never_shipped: Mapping[str, int]  # refunded before they went
    refunded: Mapping[str, int]  # wherever they are
    all_shipped: bool  # the order says so itself
    all_refunded: bool
    closed: bool  # nothing more may ship


def to_order(wire: OrderObject, reading: Reading) -> Order:
    """The order as our model has it. Raises UnreadablePayload."""
    digits = currency_digits(wire.currency, "currency")
    payment = _payment(wire, reading)
    fate = _fate(wire, payment, reading)
    items = reading.distinct(wire.line_items, _item_id)
    lines = _lines(items, fate, digits, reading)
    totals = _totals(wire, lines, digits, reading)
    shop_id = reading.shop_id
    placed_at = required(iso_time(wire.created_at, "created_at"), "created_at")
    status, holds = _status(wire, payment, lines, any(fate.shipped.values()))
    return with_revision(
        Order(
            uid=order_uid(CHANNEL, shop_id, wire.id),
            channel=CHANNEL,
            shop_id=shop_id,
            platform_order_id=wire.id,
            revision="",
            modified_at=required(iso_time(wire.updated_at, "updated_at"), "updated_at"),
            placed_at=placed_at,
            status=status,
            payment=payment,
            lines=lines,
            ship_to=_ship_to(wire, shop_id),
            totals=totals,
            source=Source(template=reading.template),
            currency=wire.currency,
            pay_deadline=_pay_deadline(wire, payment, placed_at, reading),
            buyer_key=_buyer_key(wire, shop_id),
            promotions=_promotions(wire, digits, reading),
            presale=_presale(wire, payment, totals.paid, digits),
            holds=holds,
            marks=_order_marks(wire),
            buyer_remark=wire.note or "",
        ),
        reading,
    )


# -- status --------------------------------------------------------------------------------------------------------


def _payment(wire: OrderObject, reading: Reading) -> PaymentStatus:
    """A word that nobody knows is taken for paid: the stock stays with the order until a person has looked."""
    payment = reading.status(PAYMENT, wire.financial_status, "financial_status", PaymentStatus.PAID, _PAYMENT_MEANS)
    if wire.financial_status == "pending" and any(
        name.lower() in _ON_DELIVERY for name in wire.payment_gateway_names or ()
    ):
        return PaymentStatus.CASH_ON_DELIVERY
    if wire.financial_status == "authorized" and reading.shop.policy.captures_on_fulfilment:
        return PaymentStatus.PAID  # the shop takes the money when the parcel goes
    if payment is PaymentStatus.DEPOSIT_PAID and not _is_presale(wire):
        return PaymentStatus.PAID
    return payment


def _is_presale(wire: OrderObject) -> bool:
    """A deposit is paid, and the rest is due at a time of its own. Else a part is open because a paid order was edited:
    what was paid for stays paid for.
    """
    return wire.payment_terms is not None and bool(wire.payment_terms.payment_schedules)


def _is_fetched(wire: OrderObject) -> bool:
    """The buyer fetches the goods in person: said by the way's category, and in older forms by its name alone."""
    return any(_is_pickup(each.delivery_category, each.code, each.title) for each in wire.shipping_lines or ())


@lru_cache(1024)  # a shop has a handful of ways to ship
def _is_pickup(*words: str | None) -> bool:
    return any(word.strip().lower() in _FETCHED for word in words if word)


def _status(
    wire: OrderObject, payment: PaymentStatus, lines: Sequence[Line], any_shipped: bool
) -> tuple[OrderStatus, tuple[str, ...]]:
    """`cancelled_at` decides before all else; then what the lines say."""
    if wire.cancelled_at:
        return OrderStatus.CANCELLED, ()
    goods = [line for line in lines if line.kind is not LineKind.SERVICE] or lines
    if not any(line.status is LineStatus.OPEN for line in goods):
        return _settled(wire, goods), ()
    holds = _holds(wire)
    if holds:
        return OrderStatus.ON_HOLD, holds
    if payment is PaymentStatus.UNPAID or payment is PaymentStatus.DEPOSIT_PAID:
        return OrderStatus.AWAITING_PAYMENT, ()
    return (OrderStatus.PART_SHIPPED if any_shipped else OrderStatus.TO_SHIP), ()


def _settled(wire: OrderObject, goods: Sequence[Line]) -> OrderStatus:
    """Nothing is left to ship."""
    if not any(line.status is LineStatus.SHIPPED for line in goods):
        return OrderStatus.CANCELLED
    return OrderStatus.COMPLETED if wire.closed_at else OrderStatus.SHIPPED


def _holds(wire: OrderObject) -> tuple[str, ...]:
    """Test orders look real; an archived order is one that the shop is done with, whatever is left in it."""
    holds: list[str] = []
    if wire.test:
        holds.append(HoldCode.TEST_ORDER)
    if wire.closed_at:
        holds.append(HoldCode.ARCHIVED)
    if wire.financial_status in _PAYMENT_HOLDS:
        holds.append(_PAYMENT_HOLDS[wire.financial_status])
    if wire.financial_status == "partially_paid" and not _is_presale(wire):
        holds.append(HoldCode.BALANCE_OPEN)
    if wire.financial_status not in _NOT_YET_PAID and _is_fetched(wire):
        holds.append(HoldCode.LOCAL_PICKUP)
    return tuple(holds)


def _pay_deadline(wire: OrderObject, payment: PaymentStatus, placed_at: datetime, reading: Reading) -> datetime | None:
    """The next payment's due date, for orders with payment terms; else how long the shop keeps the stock."""
    if payment not in (PaymentStatus.UNPAID, PaymentStatus.DEPOSIT_PAID):
        return None
    if wire.payment_terms is None:
        method = next(iter(wire.payment_gateway_names or ()), "").lower()
        return reading.shop.policy.unpaid_until(placed_at, wire.financial_status or "", method, UNPAID_HOLD)
    schedules = enumerate(wire.payment_terms.payment_schedules or ())
    due = [
        reading.optional_time(iso_time, each.due_at, f"payment_terms.payment_schedules.{index}.due_at")
        for index, each in schedules
        if not each.completed_at
    ]
    return min((moment for moment in due if moment is not None), default=None)


def _presale(wire: OrderObject, payment: PaymentStatus, paid: int, digits: int) -> Presale | None:
    """A part is paid, the rest is due later: the form every pre-order takes that is not paid in full."""
    if payment is not PaymentStatus.DEPOSIT_PAID:
        return None
    if wire.total_outstanding is None:
        return Presale(final_paid=False)
    outstanding = minor_units(wire.total_outstanding, "total_outstanding", digits=digits, negative=True, rounding=True)
    return Presale(final_paid=False, deposit=max(0, paid - outstanding))


# -- units ---------------------------------------------------------------------------------------------------------


def _fate(wire: OrderObject, payment: PaymentStatus, reading: Reading) -> Fate:
    ships_more = reading.status(_SHIPS_MORE, wire.fulfillment_status, "fulfillment_status", True, {})
    all_refunded = payment is PaymentStatus.REFUNDED
    shipped = _shipped(wire, reading)
    never_shipped, refunded = _refunded(wire, shipped, reading)
    if reading.marks and any(reading.was_odd(field) for field in _REFUND_FIELDS):
        reading.hold(HoldCode.PARTIAL_REFUND)  # of what cannot be read, nobody knows for which line it is
    return Fate(
        shipped=shipped,
        never_shipped=never_shipped,
        refunded=refunded,
        all_shipped=wire.fulfillment_status == "fulfilled",
        all_refunded=all_refunded,
        closed=bool(wire.cancelled_at) or all_refunded or not ships_more,
    )


def _refunded(
    wire: OrderObject, shipped: Mapping[str, int], reading: Reading
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Units that were refunded before they went, and all that were refunded."""
    if not wire.refunds:
        return {}, {}
    units: dict[_Went, Counter[str]] = {went: Counter() for went in _Went}
    for index, refund in enumerate(wire.refunds):
        for row, each in enumerate(refund.refund_line_items or ()):
            where = f"refunds.{index}.refund_line_items.{row}"
            went = reading.of_part(_WENT, each.restock_type, f"{where}.restock_type", _Went.PERHAPS, {})
            if each.quantity < 0:
                reading.odd("refund_line_items")
            units[went][each.line_item_id] += max(0, each.quantity)
    refunded = units[_Went.NO] + units[_Went.PERHAPS] + units[_Went.YES]
    never_shipped = units[_Went.NO]
    for line_id, count in units[_Went.PERHAPS].items():
        never_shipped[line_id] += max(0, count - shipped.get(line_id, 0))  # as far as the parcels go, they went
    return never_shipped, refunded


def _shipped(wire: OrderObject, reading: Reading) -> Mapping[str, int]:
    if not wire.fulfillments:
        return {}
    shipped: Counter[str] = Counter()
    for index, parcel in enumerate(wire.fulfillments):
        where = f"fulfillments.{index}.status"
        if not reading.of_part(_PARCEL_COUNTS, parcel.status, where, True, _PARCEL_MEANS):
            continue
        for row, each in enumerate(parcel.line_items or ()):
            shipped[each.id] += _counted(each.quantity, f"fulfillments.{index}.line_items.{row}.quantity")
    return shipped


def _counted(quantity: int, where: str) -> int:
    if quantity < 0:
        reject("bad-quantity", where, PayloadProblem.NEGATIVE_QUANTITY())
    return quantity


# -- lines ---------------------------------------------------------------------------------------------------------


Items = Sequence[tuple[str, LineItem]]

_item_id = attrgetter("id")


def _lines(items: Items, fate: Fate, digits: int, reading: Reading) -> tuple[Line, ...]:
    prices = _prices(items, digits)
    any_paid = any(unit * item.quantity > off for (_, item), (unit, off) in zip(items, prices, strict=True))
    lines: list[Line] = []
    try:
        for (line_id, item), price in zip(items, prices, strict=True):
            lines.append(_line(line_id, item, price, any_paid, fate, reading))
    except UnreadablePayload as error:
        raise error.inside(f"line_items.{len(lines)}") from None
    return tuple(lines)


def _prices(items: Items, digits: int) -> Sequence[tuple[int, int]]:
    """Of each line: its unit price, and what discounts take off all its units."""
    prices: list[tuple[int, int]] = []
    try:
        for _, item in items:
            unit = minor_units(item.price, "price", digits=digits, rounding=True)
            allocations = item.discount_allocations
            prices.append((unit, _allocated(allocations, digits) if allocations else 0))
    except UnreadablePayload as error:
        raise error.inside(f"line_items.{len(prices)}") from None
    return prices


def _allocated(allocations: Sequence[Allocation], digits: int) -> int:
    return sum(
        minor_units(each.amount, f"discount_allocations.{index}.amount", digits=digits, rounding=True)
        for index, each in enumerate(allocations)
    )


def _line(line_id: str, item: LineItem, price: tuple[int, int], any_paid: bool, fate: Fate, reading: Reading) -> Line:
    unit, off = price
    to_ship, shipped = _left(item, fate, reading)
    quantity = item.quantity
    amount = unit * quantity
    given = 0 < amount <= off
    refunded = fate.refunded.get(item.id, 0)
    all_refunded = fate.all_refunded or refunded >= quantity > 0
    goods = _GIFT if given and any_paid else _PURCHASE
    if item.fulfillment_service not in _OURS and _is_elsewhere(item, reading):
        goods = LineKind.ELSEWHERE
    return Line(
        line_id=line_id,
        sku=(item.sku or "").strip(),
        platform_sku=_existing(item.variant_id) or _existing(item.product_id),
        title=item.name or item.title or "",
        quantity=to_ship or shipped,
        unit_price=unit,
        paid=max(0, amount - off),
        kind=goods if item.requires_shipping else _SERVICE,
        status=_OPEN if to_ship else _SHIPPED if shipped else _CANCELLED,
        refund=_REFUNDED if all_refunded else _NOT_REFUNDED,
        marks=_line_marks(item, unit, given, refunded),
    )


def _is_elsewhere(item: LineItem, reading: Reading) -> bool:
    """Whether a service that is not ours ships the line."""
    theirs = reading.shop.policy.fulfilled_elsewhere
    return theirs is None or item.fulfillment_service in theirs


def _left(item: LineItem, fate: Fate, reading: Reading) -> tuple[int, int]:
    """Units still to ship, and units that went."""
    ordered = _counted(item.quantity, "quantity")
    word = item.fulfillment_status
    ships_more = reading.of_part(_LINE_SHIPS_MORE, word, "fulfillment_status", True, _NO_MORE)
    gone = fate.never_shipped.get(item.id, 0)
    shipped = fate.shipped.get(item.id, 0)
    if not shipped and (fate.all_shipped or item.fulfillment_status == "fulfilled"):
        shipped = max(0, ordered - gone)  # older forms tell the status without the parcels
    if fate.closed or not ships_more:
        return 0, shipped
    left = ordered - shipped - gone
    if item.current_quantity is not None:  # after edits
        left = min(left, _counted(item.current_quantity, "current_quantity"))
    if item.fulfillable_quantity is not None:
        left = min(left, _counted(item.fulfillable_quantity, "fulfillable_quantity"))
    return max(0, left), shipped


def _existing(reference: str | None) -> str:
    return reference.lstrip("0") if reference else ""


def _line_marks(item: LineItem, unit: int, given: bool, refunded: int) -> tuple[str, ...]:
    marks = []
    if given:
        marks.append("fully-discounted")
    if not unit:
        marks.append("zero-price")
    if 0 < refunded < item.quantity:
        marks.append(f"refunded={refunded}")
    marks.extend(_attribute_marks(item.properties or ()))
    return tuple(marks)


# -- money ---------------------------------------------------------------------------------------------------------


def _totals(wire: OrderObject, lines: Sequence[Line], digits: int, reading: Reading) -> Totals:
    """As ordered, refunds not taken off. Postage after its own discounts; tax, duties and tips are `other`."""
    goods = minor_units(wire.total_line_items_price, "total_line_items_price", digits=digits, rounding=True)
    if len(lines) == len(wire.line_items):
        worth = sum([line.unit_price * item.quantity for line, item in zip(lines, wire.line_items, strict=True)])
        reading.check_total(goods, worth, len(lines))
    discount = goods - minor_units(wire.subtotal_price, "subtotal_price", digits=digits, rounding=True)
    paid = minor_units(wire.total_price, "total_price", digits=digits, rounding=True)
    postage = _postage(wire, digits, reading)
    other = paid - goods + discount - postage
    return Totals(goods=goods, discount=discount, postage=postage, paid=paid, other=other)


def _postage(wire: OrderObject, digits: int, reading: Reading) -> int:
    """What the way costs: what of it cannot be read is part of `other`."""
    postage = 0
    for index, each in enumerate(wire.shipping_lines or ()):
        where = f"shipping_lines.{index}"
        if each.discounted_price is not None:
            postage += reading.optional_money(each.discounted_price, f"{where}.discounted_price", digits=digits)
        else:
            off = sum(
                reading.optional_money(one.amount, f"{where}.amount", digits=digits)
                for one in each.discount_allocations or ()
            )
            postage += reading.optional_money(each.price, f"{where}.price", digits=digits) - off
    return postage


def _promotions(wire: OrderObject, digits: int, reading: Reading) -> tuple[Promotion, ...]:
    """Each discount with what it takes off all lines. Before 2018 there were only the codes."""
    if not wire.discount_applications:
        return tuple(
            Promotion(
                name=each.code,
                amount=reading.optional_money(each.amount, f"discount_codes.{index}.amount", digits=digits),
                code=each.code,
            )
            for index, each in enumerate(wire.discount_codes or ())
        )
    amounts = _amounts_by_application(wire, digits, reading)
    return tuple(
        Promotion(name=each.title or each.code or each.type or "", amount=amounts[index], code=each.code or "")
        for index, each in enumerate(wire.discount_applications)
    )


def _amounts_by_application(wire: OrderObject, digits: int, reading: Reading) -> Counter[int]:
    amounts: Counter[int] = Counter()
    allocations = [("line_items", each.discount_allocations) for each in wire.line_items]
    allocations += [("shipping_lines", each.discount_allocations) for each in wire.shipping_lines or ()]
    for holder, rows in allocations:
        for each in rows or ():
            if each.discount_application_index is not None:
                where = f"{holder}.discount_allocations.amount"
                amounts[each.discount_application_index] += reading.optional_money(each.amount, where, digits=digits)
    return amounts


# -- who and where -------------------------------------------------------------------------------------------------


def _ship_to(wire: OrderObject, shop_id: str) -> ShipTo:
    """Nobody for a digital order, and for an app that may not see customers."""
    address = wire.shipping_address
    if address is None or not (address.address1 or address.address2 or address.city):
        return ShipTo(privacy=Privacy.MISSING, country=(address and address.country_code) or "")
    country = address.country_code or ""
    province = known_province(address.province_code or "") if country == "CN" else ""
    province = province or province_named(address.province or address.province_code or "", country)
    name = address.name or f"{address.first_name or ''} {address.last_name or ''}".strip()
    street = ", ".join(part for part in (address.company, address.address1, address.address2) if part)
    city, postcode, phone = address.city or "", address.zip or "", address.phone or ""
    return ShipTo(
        privacy=Privacy.PLAIN,
        country=country,
        province=province,
        city=city,
        street=street,
        name=name,
        phone=phone,
        postcode=postcode,
        receiver_key=buyer_key(CHANNEL, shop_id, "\n".join((name, phone, country, province, city, street, postcode))),
    )


def _buyer_key(wire: OrderObject, shop_id: str) -> str:
    """By account; guests by mail or phone."""
    account = _existing(wire.customer.id) if wire.customer is not None else ""
    return buyer_key(CHANNEL, shop_id, account or (wire.email or wire.phone or "").lower())


# -- marks ---------------------------------------------------------------------------------------------------------


def _order_marks(wire: OrderObject) -> tuple[str, ...]:
    """The name that people know the order by, the shop's tags, and what apps noted."""
    marks = [f"name={wire.name}"] if wire.name else []
    marks.extend(tag for tag in map(str.strip, (wire.tags or "").split(",")) if tag)
    if wire.source_name:
        marks.append(f"source={wire.source_name}")
    marks.extend(f"shipping={each.code}" for each in wire.shipping_lines or () if each.code)
    marks.extend(_attribute_marks(wire.note_attributes or ()))
    return tuple(marks)


def _attribute_marks(attributes: Iterable[Attribute]) -> list[str]:
    return [mark(each.name, each.value) for each in attributes]
