"""From a Pinduoduo order to our order.

Four fields stand side by side and are read together (open platform docs: order fields): order_status is 1, "to ship",
already before the group is complete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from operator import attrgetter
from typing import Final, TypeVar

from channel_adapters.fields import small_number
from channel_adapters.pinduoduo.lines import listed, promised, real_items, to_lines
from channel_adapters.pinduoduo.wire import Ending, Item, OrderTag
from channel_adapters.pinduoduo.wire import Order as WireOrder
from channel_adapters.reading import Reading, beijing_time, minor_units, required, with_revision, word_shown
from schemas.codes import HoldCode
from schemas.ids import order_uid
from schemas.order import (
    Line,
    LineStatus,
    Order,
    OrderStatus,
    PaymentStatus,
    Presale,
    Privacy,
    Promotion,
    RefundStatus,
    RelatedOrder,
    ShipTo,
    Source,
    Totals,
)

CHANNEL: Final = "pinduoduo"

T = TypeVar("T")


class _Deal(Enum):
    """Whether the order is real: its group complete, its deal confirmed."""

    OPEN = auto()
    MADE = auto()
    OFF = auto()


# An attribute of an enumeration costs ten times a global.
_UNDECIDED, _MADE, _OFF = _Deal.OPEN, _Deal.MADE, _Deal.OFF
_TO_SHIP, _LINE_CANCELLED, _REFUNDED = OrderStatus.TO_SHIP, LineStatus.CANCELLED, RefundStatus.REFUNDED
_NOT_PAID: Final = (PaymentStatus.UNPAID, PaymentStatus.DEPOSIT_PAID)
_ENCRYPTED = Privacy.ENCRYPTED

_SHIPPING: Final = {1: OrderStatus.TO_SHIP, 2: OrderStatus.SHIPPED, 3: OrderStatus.COMPLETED}
_REFUND: Final = {
    1: RefundStatus.NONE,  # or closed
    2: RefundStatus.REQUESTED,
    3: RefundStatus.REQUESTED,  # agreed, the money is on its way
    4: RefundStatus.REFUNDED,
}
_DEAL: Final = {0: _UNDECIDED, 1: _MADE, 2: _OFF}  # confirm_status and group_status alike
_RISK: Final = {None: False, 0: False, 1: True}

_MEANING: Final = {
    OrderStatus.PART_SHIPPED: OrderStatus.SHIPPED,
    OrderStatus.SHIPPED: OrderStatus.SHIPPED,
    OrderStatus.COMPLETED: OrderStatus.COMPLETED,
}  # a shop's own meaning of order_status, in the terms of _SHIPPING; all else is still to ship
_STEP: Final = {0: PaymentStatus.UNPAID, 1: PaymentStatus.DEPOSIT_PAID, 2: PaymentStatus.PAID}

_ON: Final = (1, "1")
_OFF_WORDS: Final = (None, 0, "0", "", "false")
_LOTTERY: Final = (2, "2")  # is_lucky_flag
_GIFT_OF: Final = (4, "4")  # relation_type of a gift's order to its main order

_DISCOUNTS: Final = ("platform_discount", "seller_discount", "capital_free_discount")
_FLAGS: Final = ("is_stock_out", "free_sf", "delivery_one_day")
_VALUES: Final = ("cat_id_1", "cat_id_2", "cat_id_3", "cat_id_4", "bonded_warehouse")
_discounts, _flags, _values = attrgetter(*_DISCOUNTS), attrgetter(*_FLAGS), attrgetter(*_VALUES)
_FLAG_COLOURS: Final = {"0": "", "1": "red", "2": "yellow", "3": "green", "4": "blue", "5": "purple"}


def to_order(wire: WireOrder, reading: Reading) -> Order:
    """The order that a Pinduoduo order object describes. Raises UnreadablePayload."""
    refund = reading.lookup(_REFUND, wire.refund_status, "refund_status", RefundStatus.REQUESTED)
    shipping = reading.status(_SHIPPING, wire.order_status, "order_status", _TO_SHIP, _MEANING)
    deal = _deal(wire, reading)
    paid, postage = minor_units(wire.pay_amount, "pay_amount"), reading.optional_money(wire.postage, "postage")
    goods_paid = max(0, paid - postage - _service_fees(wire, reading))
    discount = reading.optional_money(wire.discount_amount, "discount_amount")
    items = real_items(wire, goods_paid + discount, reading)
    lines = to_lines(wire, items, _line_status(shipping, deal, refund), refund, goods_paid, reading)
    holds = _holds(wire, deal, reading)
    step = _step(wire, reading)
    payment = _payment(wire, deal, refund, step)
    return with_revision(
        Order(
            uid=order_uid(CHANNEL, reading.shop_id, wire.order_sn),
            channel=CHANNEL,
            shop_id=reading.shop_id,
            platform_order_id=wire.order_sn,
            revision="",
            modified_at=required(beijing_time(wire.updated_at, "updated_at"), "updated_at"),
            placed_at=required(beijing_time(wire.created_time, "created_time"), "created_time"),
            status=_status(shipping, lines, payment, holds),
            payment=payment,
            lines=lines,
            ship_to=_ship_to(wire),
            totals=_totals(lines, items, discount, paid, postage),
            source=Source(template=reading.template),
            paid_at=beijing_time(wire.pay_time, "pay_time"),
            ship_by=reading.optional_time(beijing_time, wire.last_ship_time, "last_ship_time"),
            promotions=_promotions(wire, reading),
            promised_gifts=promised(wire) if wire.gift_list else (),
            presale=_presale(wire, step, reading),
            holds=holds,
            marks=_marks(wire),
            related=_related(wire),
            buyer_remark=wire.buyer_memo or "",
            seller_memo=wire.remark or "",
            seller_flag=_seller_flag(wire.remark_tag),
        ),
        reading,
    )


# -- status --------------------------------------------------------------------------------------------------------


def is_over(ending: Ending) -> bool:
    """Whether nothing of an order is to ship that has not left: its deal is off, or all of it is paid back."""
    if _told(_SHIPPING, ending.order_status) in (OrderStatus.SHIPPED, OrderStatus.COMPLETED):
        return False
    off = _OFF in (_told(_DEAL, ending.confirm_status), _told(_DEAL, ending.group_status))
    return off or _told(_REFUND, ending.refund_status) is _REFUNDED


def _told(table: Mapping[int, T], word: object) -> T | None:
    number = small_number(str(word).strip(), most_digits=1)
    return None if number is None else table.get(number)


def _deal(wire: WireOrder, reading: Reading) -> _Deal:
    """Lists that give neither status still give confirm_time, the moment the deal was made."""
    if wire.confirm_status is None and wire.group_status is None:
        return _MADE if beijing_time(wire.confirm_time, "confirm_time") else _UNDECIDED
    confirm = _half(wire.confirm_status, "confirm_status", reading)
    group = _half(wire.group_status, "group_status", reading)
    if confirm is _OFF or group is _OFF:
        return _OFF
    return _MADE if confirm is group is _MADE else _UNDECIDED


def _half(word: int | str | None, where: str, reading: Reading) -> _Deal:
    """What one of the two says; the other one decides where it is missing."""
    return _MADE if word is None else reading.lookup(_DEAL, word, where, _MADE)


def _line_status(shipping: OrderStatus, deal: _Deal, refund: RefundStatus) -> LineStatus:
    """The same for all lines: Pinduoduo ships and refunds an order as a whole."""
    if shipping is not _TO_SHIP:
        return LineStatus.SHIPPED
    return LineStatus.CANCELLED if deal is _OFF or refund is _REFUNDED else LineStatus.OPEN


def _status(shipping: OrderStatus, lines: Sequence[Line], payment: PaymentStatus, holds: Sequence[str]) -> OrderStatus:
    if shipping is not _TO_SHIP:
        return shipping
    if payment is PaymentStatus.REFUNDED or (lines and all(line.status is _LINE_CANCELLED for line in lines)):
        return OrderStatus.CANCELLED
    if payment in _NOT_PAID:
        return OrderStatus.AWAITING_PAYMENT
    return OrderStatus.ON_HOLD if holds else _TO_SHIP


def _step(wire: WireOrder, reading: Reading) -> PaymentStatus | None:
    """How far a presale with a deposit is paid; None when the order is none."""
    info = wire.step_order_info
    if info is not None:
        where = "step_order_info.step_trade_status"
        return reading.lookup(_STEP, info.step_trade_status, where, PaymentStatus.DEPOSIT_PAID)
    return PaymentStatus.UNPAID if wire.trade_type in _ON else None


def _payment(wire: WireOrder, deal: _Deal, refund: RefundStatus, step: PaymentStatus | None) -> PaymentStatus:
    if refund is _REFUNDED:
        return PaymentStatus.REFUNDED
    if step is not None:
        return step
    return PaymentStatus.PAID if deal is _MADE or wire.pay_time else PaymentStatus.UNPAID


def _holds(wire: WireOrder, deal: _Deal, reading: Reading) -> tuple[str, ...]:
    """Why the platform says: do not ship. Once the order is paid."""
    holds: list[str] = []
    if deal is _UNDECIDED and wire.pay_time:
        holds.append(HoldCode.GROUP_INCOMPLETE)
    if reading.lookup(_RISK, wire.risk_control_status, "risk_control_status", False):
        holds.append(HoldCode.RISK_REVIEW)
    if "ship_hold" in [tag.name for tag in _tags(wire)]:
        holds.append(HoldCode.SHIP_HOLD)
    return tuple(holds)


def _tags(wire: WireOrder) -> list[OrderTag]:
    """The tags that the order has."""
    return [tag for tag in wire.order_tag_list or () if tag.value not in _OFF_WORDS]


def _presale(wire: WireOrder, step: PaymentStatus | None, reading: Reading) -> Presale | None:
    """With a deposit, or paid in full and shipped later."""
    if step is None and wire.is_pre_sale not in _ON:
        return None
    info = wire.step_order_info
    return Presale(
        final_paid=step in (None, PaymentStatus.PAID),
        ship_not_before=beijing_time(wire.pre_sale_time, "pre_sale_time"),
        deposit=reading.optional_money(info.advanced_paid_fee, "step_order_info.advanced_paid_fee") if info else 0,
    )


# -- money ---------------------------------------------------------------------------------------------------------


def _service_fees(wire: WireOrder, reading: Reading) -> int:
    """They are in the payment, as postage is, and were not paid for the lines (docs: pay_amount)."""
    if not wire.service_fee_detail:
        return 0
    return sum([reading.optional_money(fee.service_fee, "service_fee_detail") for fee in wire.service_fee_detail])


def _totals(lines: Sequence[Line], items: Sequence[Item], discount: int, paid: int, postage: int) -> Totals:
    """`other` is service fees less the seller's manual change of price."""
    sold = zip(lines, items, strict=False)  # the lines after the items are gifts
    goods = sum([line.unit_price * item.goods_count for line, item in sold])
    return Totals(goods=goods, discount=discount, postage=postage, paid=paid, other=paid - goods + discount - postage)


def _promotions(wire: WireOrder, reading: Reading) -> tuple[Promotion, ...]:
    """Who pays for the discount. The single activities are inside these sums and would count twice."""
    told = _discounts(wire)
    if not any(told):
        return ()
    amounts = [reading.optional_money(each, name) for name, each in zip(_DISCOUNTS, told, strict=True)]
    return tuple(Promotion(name=name, amount=each) for name, each in zip(_DISCOUNTS, amounts, strict=True) if each)


# -- receiver, related orders, marks -------------------------------------------------------------------------------


def _ship_to(wire: WireOrder) -> ShipTo:
    """Ciphertext only while the order is to ship and not under review, else the mask or nothing.

    It is decrypted with the order's number (pdd.open.decrypt.batch: data_tag) and each text itself.
    """
    name, street = wire.receiver_name or "", wire.receiver_address or wire.address or ""
    phone = wire.receiver_phone or wire.contact_mobile or ""
    if not (name or phone or street):
        name, street = wire.receiver_name_mask or "", wire.receiver_address_mask or ""
        phone = wire.receiver_phone_mask or ""
    privacy = _privacy(name, phone, street)
    return ShipTo(
        privacy=privacy,
        province=wire.province or "",
        city=wire.city or "",
        district=wire.town or "",  # town is the third level of an address here
        street=street,
        name=name,
        phone=phone,
        token=wire.order_sn if privacy is _ENCRYPTED else "",
        receiver_key=wire.open_address_id or wire.open_address_id_2 or "",
    )


def _privacy(*texts: str) -> Privacy:
    given = [text for text in texts if text.strip()]
    if not given:
        return Privacy.MISSING
    if [text for text in given if text[0] in "~$"]:
        return _ENCRYPTED
    return Privacy.MASKED if any("*" in text for text in given) else Privacy.PLAIN


def _related(wire: WireOrder) -> tuple[RelatedOrder, ...]:
    """Gifts that ship as orders of their own, and the main order of one that is such a gift."""
    if not (wire.gift_list or wire.related_order_list):
        return ()
    own = wire.order_sn
    gifts = {gift.order_sn: None for gift in listed(wire.gift_list) if gift.order_sn and gift.order_sn != own}
    related = [RelatedOrder(platform_order_id=order_sn, relation="gift") for order_sn in gifts]
    for other in listed(wire.related_order_list):
        if other.order_sn not in gifts:
            relation = "gift-of" if other.relation_type in _GIFT_OF else f"type-{other.relation_type}"
            related.append(RelatedOrder(platform_order_id=other.order_sn, relation=relation))
    return tuple(related)


def _marks(wire: WireOrder) -> tuple[str, ...]:
    """The order's tags, and the fields that a shop's rules may want: categories, customs warehouse, promised speed."""
    marks = [tag.name if tag.value in _ON else f"{tag.name}={tag.value}" for tag in _tags(wire)]
    if any(flags := _flags(wire)):
        marks += [name for name, flag in zip(_FLAGS, flags, strict=True) if flag in _ON]
    if wire.is_lucky_flag in _LOTTERY:
        marks.append("lottery")
    if any(values := _values(wire)):
        marks += [f"{name}={value}" for name, value in zip(_VALUES, values, strict=True) if value and value != "0"]
    if wire.gift_order_status is not None:
        marks.append(
            f"gift_order_status={word_shown(wire.gift_order_status)}"
        )  # what its values mean is not documented
    activities = wire.promotion_detail_list or ()
    marks += [f"promotion_type={each.promotion_type}" for each in activities if each.promotion_type]
    return tuple(marks)


def _seller_flag(number: int | str | None) -> str:
    """Its colour in English. A number we do not know stays a number: a flag decides nothing about shipping."""
    return _FLAG_COLOURS.get(str(number), word_shown(number)) if number else ""
