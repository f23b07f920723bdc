"""From a WooCommerce order to ours: tables and pure functions.

Sources: WooCommerce REST API v3 manual (orders, refunds); state codes: WooCommerce's own list of Chinese states.

What the order object does not say, and what we make of it:
- Which lines a refund concerns. A partial refund therefore holds the order for a person.
- Gifts. A line whose whole price is discounted away, beside lines that are paid for, is a gift.
- Presale and cold chain. Plugins note them in `meta_data`: see the marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from html import unescape
from operator import attrgetter
from typing import Final, NamedTuple

from channel_adapters.contract import UnreadablePayload
from channel_adapters.provinces import province
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
    word_shown,
)
from channel_adapters.shop import Shop
from channel_adapters.woocommerce.wire import Address, LineItem, Meta, OrderObject
from schemas.codes import HoldCode, PayloadProblem
from schemas.ids import order_uid
from schemas.order import (
    Line,
    LineKind,
    LineStatus,
    Order,
    OrderStatus,
    PaymentStatus,
    Privacy,
    Promotion,
    RefundStatus,
    RelatedOrder,
    ShipTo,
    Source,
    Totals,
)

CHANNEL: Final = "woocommerce"

# A failed payment gives the stock back at once: bots that try stolen cards leave hundreds of failed orders behind. The
# buyer who tries again and succeeds makes a new revision, which reserves anew.
STATUS: Final = {
    "checkout-draft": OrderStatus.AWAITING_PAYMENT,
    "pending": OrderStatus.AWAITING_PAYMENT,
    "on-hold": OrderStatus.AWAITING_PAYMENT,
    "processing": OrderStatus.TO_SHIP,
    "completed": OrderStatus.COMPLETED,
    "cancelled": OrderStatus.CANCELLED,
    "refunded": OrderStatus.CANCELLED,
    "failed": OrderStatus.CANCELLED,
    "trash": OrderStatus.CANCELLED,
}

UNPAID_HOLD: Final = {"on-hold": timedelta(days=7)}
"""How long an unpaid order keeps its stock where the shop's owner sets nothing."""

_FETCHED: Final = ("local_pickup", "pickup_location")
_PART_OF: Final = ("_bundled_by", "_composite_parent")

_OPEN, _CANCELLED = LineStatus.OPEN, LineStatus.CANCELLED  # an attribute of an enumeration costs ten times a global
_PURCHASE, _GIFT = LineKind.PURCHASE, LineKind.GIFT
_LINE_STATUS: Final = {
    OrderStatus.SHIPPED: LineStatus.SHIPPED,
    OrderStatus.COMPLETED: LineStatus.SHIPPED,
    OrderStatus.CANCELLED: LineStatus.CANCELLED,
}

_CHINESE_STATES: Final = (
    "云南 北京 天津 河北 山西 内蒙古 辽宁 吉林 黑龙江 上海 江苏 浙江 安徽 福建 江西 山东 "
    "河南 湖北 湖南 广东 广西 海南 重庆 四川 贵州 陕西 甘肃 青海 宁夏 澳门 西藏 新疆"
)
PROVINCES: Final = {f"CN{number}": name for number, name in enumerate(_CHINESE_STATES.split(), start=1)}

_NOT_MARKED: Final = ("_billing", "_shipping", "_customer")


def to_order(wire: OrderObject, reading: Reading) -> Order:
    """The order as our model has it. Raises UnreadablePayload."""
    digits = currency_digits(wire.currency, "currency")
    items = reading.distinct(wire.line_items, _item_id)
    totals, prices = _totals(wire, items, digits, reading)
    refunded = _refunded(wire, digits, reading)
    status, payment, holds = _state(wire, totals.paid, refunded, reading)
    shop_id, parent = reading.shop_id, _existing(wire.parent_id)
    placed_at = required(iso_time(wire.date_created_gmt, "date_created_gmt", assume_utc=True), "date_created_gmt")
    return with_revision(
        Order(
            uid=order_uid(CHANNEL, shop_id, wire.id),
            channel=CHANNEL,
            shop_id=shop_id,
            platform_order_id=wire.id,
            revision="",
            modified_at=required(
                iso_time(wire.date_modified_gmt, "date_modified_gmt", assume_utc=True), "date_modified_gmt"
            ),
            placed_at=placed_at,
            paid_at=iso_time(wire.date_paid_gmt, "date_paid_gmt", assume_utc=True),
            status=status,
            payment=payment,
            pay_deadline=_pay_deadline(wire, status, placed_at, reading),
            lines=_lines(items, prices, _fate(wire, status, payment, reading)),
            ship_to=_ship_to(wire, reading),
            totals=totals,
            source=Source(template=reading.template),
            currency=wire.currency,
            buyer_key=_buyer_key(wire, shop_id),
            promotions=_promotions(wire, digits, reading),
            holds=holds,
            marks=_order_marks(wire),
            related=(RelatedOrder(platform_order_id=parent, relation="parent"),) if parent else (),
            buyer_remark=wire.customer_note or "",
        ),
        reading,
    )


# -- status --------------------------------------------------------------------------------------------------------


def is_over(status: str, shop: Shop) -> bool:
    """Whether the word for an order's status says that nothing of it is to ship."""
    word = _bare(status)
    told = _told(word, shop) or STATUS.get(word)
    return told is OrderStatus.CANCELLED


def _bare(status: str | None) -> str:
    """The word without the prefix that the database keeps. What is no text is a word that nobody knows."""
    return (status or "").strip().removeprefix("wc-")


def _told(word: str, shop: Shop) -> OrderStatus | None:
    """What the shop's own table says of a word, written with or without the prefix that the database keeps."""
    policy = shop.policy
    return policy.meaning_of(word, "status") or policy.meaning_of(f"wc-{word}", "status")


def _state(
    wire: OrderObject, paid: int, refunded: int, reading: Reading
) -> tuple[OrderStatus, PaymentStatus, tuple[str, ...]]:
    """Status, payment, and why it is held. `paid` and `refunded` in minor units."""
    word = _bare(wire.status)
    told = _told(word, reading.shop)
    status = told or reading.lookup(STATUS, word, "status", OrderStatus.ON_HOLD)
    payment = _payment(wire, word, status, paid)
    if word == "refunded" or (refunded and refunded >= paid):
        shipped = status is OrderStatus.COMPLETED or bool(wire.date_completed_gmt)
        return (OrderStatus.COMPLETED if shipped else OrderStatus.CANCELLED), PaymentStatus.REFUNDED, ()
    if status is OrderStatus.AWAITING_PAYMENT and payment is PaymentStatus.PAID:
        return OrderStatus.ON_HOLD, payment, (HoldCode.ON_HOLD,)
    if status is OrderStatus.TO_SHIP or status is OrderStatus.PART_SHIPPED:
        holds = _holds(wire, status, refunded)
        return (OrderStatus.ON_HOLD if holds else status), payment, holds
    return status, payment, ()


def _holds(wire: OrderObject, status: OrderStatus, refunded: int) -> tuple[str, ...]:
    """Why an order that is good to ship must not go by itself."""
    holds = []
    if status is OrderStatus.PART_SHIPPED:  # by a plugin, and no line says what has left
        holds.append(HoldCode.LINE_PART_SHIPPED)
    if refunded:
        holds.append(HoldCode.PARTIAL_REFUND)
    if _is_fetched(wire):
        holds.append(HoldCode.LOCAL_PICKUP)
    return tuple(holds)


def _is_fetched(wire: OrderObject) -> bool:
    ways = wire.shipping_lines
    return ways is not None and bool([1 for each in ways if each.method_id and each.method_id.startswith(_FETCHED)])


def _pay_deadline(wire: OrderObject, status: OrderStatus, placed_at: datetime, reading: Reading) -> datetime | None:
    """The shop itself holds the stock of an order that waits for a transfer, until somebody cancels it."""
    if status is not OrderStatus.AWAITING_PAYMENT:
        return None
    word = _bare(wire.status)
    return reading.shop.policy.unpaid_until(placed_at, word, wire.payment_method or "", UNPAID_HOLD)


def _payment(wire: OrderObject, word: str, status: OrderStatus, paid: int) -> PaymentStatus:
    if wire.date_paid_gmt:
        return PaymentStatus.PAID
    if word == "completed" or (word == "processing" and not paid):
        return PaymentStatus.PAID
    # "processing" means paid, or to be paid on delivery; the platform dates every payment it knows of.
    return PaymentStatus.CASH_ON_DELIVERY if status is OrderStatus.TO_SHIP else PaymentStatus.UNPAID


def _refunded(wire: OrderObject, digits: int, reading: Reading) -> int:
    """What was paid back. A refund that cannot be read is one all the same, of who knows how much: a person looks."""
    refunded = 0
    for index, refund in enumerate(wire.refunds or ()):
        try:
            told = minor_units(refund.total, f"refunds.{index}.total", digits=digits, negative=True, rounding=True)
        except UnreadablePayload:
            reading.odd("refunds")
            continue
        refunded += abs(told)
    if reading.was_odd("refunds"):
        reading.hold(HoldCode.PARTIAL_REFUND)
    return refunded


# -- money ---------------------------------------------------------------------------------------------------------

Items = Sequence[tuple[str, LineItem]]
Prices = Sequence[tuple[int, int]]
"""Of each line: what it costs before and after discounts, for all its units, without tax."""


_item_id = attrgetter("id")


def _totals(wire: OrderObject, items: Items, digits: int, reading: Reading) -> tuple[Totals, Prices]:
    """The order's money. Tax and fees, which the platform keeps apart, are `other`. `total` counts no refund."""
    prices = _prices(items, digits)
    goods = sum([before for before, _ in prices])
    discount = minor_units(wire.discount_total, "discount_total", digits=digits, rounding=True)
    postage = minor_units(wire.shipping_total, "shipping_total", digits=digits, rounding=True)
    paid = minor_units(wire.total, "total", digits=digits, rounding=True)
    other = paid - goods + discount - postage
    if wire.total_tax is not None:
        more = _tax_and_fees(wire, digits, reading) if wire.fee_lines or wire.total_tax != "0.00" else 0
        reading.check_total(paid, sum([after for _, after in prices]) + postage + more, len(prices) + 3)
    return Totals(goods=goods, discount=discount, postage=postage, paid=paid, other=other), prices


def _tax_and_fees(wire: OrderObject, digits: int, reading: Reading) -> int:
    amounts = [("total_tax", wire.total_tax), *(("fee_lines.total", fee.total) for fee in wire.fee_lines or ())]
    return sum(reading.optional_money(amount, where, digits=digits, negative=True) for where, amount in amounts)


def _prices(items: Items, digits: int) -> Prices:
    prices: list[tuple[int, int]] = []
    try:
        for _, item in items:
            before = minor_units(item.subtotal, "subtotal", digits=digits, rounding=True)
            prices.append((before, minor_units(item.total, "total", digits=digits, rounding=True)))
    except UnreadablePayload as error:
        raise error.inside(f"line_items.{len(prices)}") from None
    return prices


def _promotions(wire: OrderObject, digits: int, reading: Reading) -> tuple[Promotion, ...]:
    return tuple(
        Promotion(
            name=coupon.code,
            amount=reading.optional_money(coupon.discount, f"coupon_lines.{index}.discount", digits=digits),
            code=coupon.code,
        )
        for index, coupon in enumerate(wire.coupon_lines or ())
    )


# -- lines ---------------------------------------------------------------------------------------------------------


class _Fate(NamedTuple):
    """What the order says about all of its lines."""

    status: LineStatus
    refund: RefundStatus
    goods: LineKind  # what a line is that is no gift


def _fate(wire: OrderObject, status: OrderStatus, payment: PaymentStatus, reading: Reading) -> _Fate:
    refund = RefundStatus.REFUNDED if payment is PaymentStatus.REFUNDED else RefundStatus.NONE
    elsewhere = reading.shop.policy.fulfilled_elsewhere or ()
    others = bool(elsewhere) and any(each.method_id in elsewhere for each in wire.shipping_lines or ())
    return _Fate(_LINE_STATUS.get(status, _OPEN), refund, LineKind.ELSEWHERE if others else _PURCHASE)


def _lines(items: Items, prices: Prices, fate: _Fate) -> tuple[Line, ...]:
    any_paid = any(after for _, after in prices)
    lines: list[Line] = []
    try:
        for (line_id, item), price in zip(items, prices, strict=True):
            lines.append(_line(line_id, item, price, any_paid, fate))
    except UnreadablePayload as error:
        raise error.inside(f"line_items.{len(lines)}") from None
    return tuple(lines)


def _line(line_id: str, item: LineItem, price: tuple[int, int], any_paid: bool, fate: _Fate) -> Line:
    before, after = price
    ordered = item.quantity
    if ordered < 0:
        reject("bad-quantity", "quantity", PayloadProblem.NEGATIVE_QUANTITY())
    given = before > 0 and not after
    status, name = fate.status if ordered else _CANCELLED, item.name or ""
    return Line(
        line_id=line_id,
        sku=(item.sku or "").strip(),
        platform_sku=_existing(item.variation_id) or _existing(item.product_id),
        title=unescape(name) if "&" in name else name,
        quantity=0 if status is _CANCELLED else ordered,
        unit_price=(2 * before + ordered) // (2 * ordered) if ordered else 0,
        paid=after,
        kind=_GIFT if given and any_paid and fate.goods is _PURCHASE and not _is_part(item) else fate.goods,
        status=status,
        refund=fate.refund,
        marks=_line_marks(item.meta_data, before, given),
    )


def _is_part(item: LineItem) -> bool:
    """A part of a bundle is paid for with the bundle's line."""
    return any(each.key in _PART_OF for each in item.meta_data or ())


def _existing(reference: str | None) -> str:
    return reference.lstrip("0") if reference else ""


def _line_marks(meta: Sequence[Meta] | None, before: int, given: bool) -> tuple[str, ...]:
    price = ("fully-discounted",) if given else () if before else ("zero-price",)
    return (*price, *_plugin_marks(meta)) if meta else price


# -- who and where -------------------------------------------------------------------------------------------------


def _ship_to(wire: OrderObject, reading: Reading) -> ShipTo:
    """Where the parcel goes. Goods that are fetched, and a receiver that cannot be read, never go to the payer."""
    billing, shipping = wire.billing, wire.shipping
    address = shipping
    if not (_is_fetched(wire) or reading.was_odd("shipping") or (shipping is not None and _says_where(shipping))):
        address = billing
    if address is None or not _says_where(address):
        return ShipTo(privacy=Privacy.MISSING, country=(address and address.country) or "")
    country, state = address.country or "", address.state or ""
    if country == "CN":
        state = PROVINCES.get(state, state)
    state = province(state, country)
    name = _name(address, country)
    street = ", ".join(part for part in (address.company, address.address_1, address.address_2) if part)
    phone = address.phone or (billing.phone if billing is not None else "") or ""
    city, postcode = address.city or "", address.postcode or ""
    return ShipTo(
        privacy=Privacy.PLAIN,
        country=country,
        province=state,
        city=city,
        street=street,
        name=name,
        phone=phone,
        postcode=postcode,
        receiver_key=buyer_key(
            CHANNEL, reading.shop_id, "\n".join((name, phone, country, state, city, street, postcode))
        ),
    )


def _says_where(address: Address) -> bool:
    return bool(address.address_1 or address.address_2 or address.city)


def _name(address: Address, country: str) -> str:
    """First and last name, in the order in which they are written there."""
    first, last = address.first_name or "", address.last_name or ""
    if country == "CN" and not (first + last).isascii():
        return last + first
    return f"{first} {last}".strip()


def _buyer_key(wire: OrderObject, shop_id: str) -> str:
    """By account; guests by mail or phone."""
    if account := _existing(wire.customer_id):
        return buyer_key(CHANNEL, shop_id, account)
    billing = wire.billing
    return buyer_key(CHANNEL, shop_id, ((billing.email or billing.phone or "") if billing else "").lower())


# -- marks ---------------------------------------------------------------------------------------------------------


def _order_marks(wire: OrderObject) -> tuple[str, ...]:
    marks = [f"status={word_shown(wire.status)}"]
    if wire.number and wire.number != wire.id:
        marks.append(f"number={wire.number}")
    if wire.payment_method:
        marks.append(f"payment={wire.payment_method}")
    marks.extend(f"shipping={each.method_id}" for each in wire.shipping_lines or () if each.method_id)
    marks.extend(_plugin_marks(wire.meta_data or ()))
    return tuple(marks)


def _plugin_marks(meta: Iterable[Meta]) -> list[str]:
    """Product attributes (`pa_size=M`) are the shop's own words; addresses that plugins keep are nobody's business."""
    return [
        f"{each.key}={each.value}" if _is_attribute(each) else mark(each.key, each.value)
        for each in meta
        if not each.key.startswith(_NOT_MARKED)
    ]


def _is_attribute(meta: Meta) -> bool:
    return meta.key.startswith("pa_") and isinstance(meta.value, str)
