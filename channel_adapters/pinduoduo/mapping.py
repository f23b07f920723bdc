"""From a Pinduoduo order to our order.

Four fields stand side by side and are read together (open platform docs: order fields): order_status is 1, "to ship",
already before the group is complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from operator import attrgetter
from typing import Final

from channel_adapters.pinduoduo.lines import fen, listed, to_lines
from channel_adapters.pinduoduo.wire import Order as WireOrder
from channel_adapters.reading import beijing_time, choose, minor_units, required, sealed
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
_STEP: Final = {0: PaymentStatus.UNPAID, 1: PaymentStatus.DEPOSIT_PAID, 2: PaymentStatus.PAID}

_LOTTERY: Final = 2  # is_lucky_flag
_GIFT_OF: Final = 4  # relation_type of a gift's order to its main order

_DISCOUNTS: Final = ("platform_discount", "seller_discount", "capital_free_discount")
_FLAGS: Final = ("is_stock_out", "free_sf", "delivery_one_day")
_VALUES: Final = ("cat_id_1", "cat_id_2", "cat_id_3", "cat_id_4", "bonded_warehouse")
_discounts, _flags, _values = attrgetter(*_DISCOUNTS), attrgetter(*_FLAGS), attrgetter(*_VALUES)
_FLAG_COLOURS: Final = {1: "red", 2: "yellow", 3: "green", 4: "blue", 5: "purple"}


def to_order(wire: WireOrder, shop_id: str, template: str) -> Order:
    """The order that a Pinduoduo order object describes. Raises UnreadablePayload."""
    refund = choose(_REFUND, wire.refund_status, "refund_status")
    shipping = choose(_SHIPPING, wire.order_status, "order_status")
    deal = _deal(wire)
    paid, postage = minor_units(wire.pay_amount, "pay_amount"), fen(wire.postage, "postage")
    goods_paid = max(0, paid - postage - _service_fees(wire))
    lines = to_lines(wire, _line_status(shipping, deal, refund), refund, goods_paid)
    holds = _holds(wire, deal)
    payment = _payment(wire, deal, refund)
    return sealed(
        Order(
            uid=order_uid(CHANNEL, shop_id, wire.order_sn),
            channel=CHANNEL,
            shop_id=shop_id,
            platform_order_id=wire.order_sn,
            revision="",
            modified_at=required(beijing_time(wire.updated_at, "updated_at"), "updated_at"),
            placed_at=required(beijing_time(wire.created_time, "created_time"), "created_time"),
            status=_status(shipping, lines, payment, holds),
            payment=payment,
            lines=lines,
            ship_to=_ship_to(wire),
            totals=_totals(wire, lines, paid, postage),
            source=Source(template=template),
            paid_at=beijing_time(wire.pay_time, "pay_time"),
            ship_by=beijing_time(wire.last_ship_time, "last_ship_time"),
            promotions=_promotions(wire),
            presale=_presale(wire),
            holds=holds,
            marks=_marks(wire),
            related=_related(wire),
            buyer_remark=wire.buyer_memo or "",
            seller_memo=wire.remark or "",
            seller_flag=_seller_flag(wire.remark_tag),
        )
    )


# -- status --------------------------------------------------------------------------------------------------------


def _deal(wire: WireOrder) -> _Deal:
    """Lists that give neither status still give confirm_time, the moment the deal was made."""
    if wire.confirm_status is None and wire.group_status is None:
        return _MADE if beijing_time(wire.confirm_time, "confirm_time") else _UNDECIDED
    confirm = _MADE if wire.confirm_status is None else choose(_DEAL, wire.confirm_status, "confirm_status")
    group = _MADE if wire.group_status is None else choose(_DEAL, wire.group_status, "group_status")
    if confirm is _OFF or group is _OFF:
        return _OFF
    return _MADE if confirm is group is _MADE else _UNDECIDED


def _line_status(shipping: OrderStatus, deal: _Deal, refund: RefundStatus) -> LineStatus:
    """The same for all lines: Pinduoduo ships and refunds an order as a whole."""
    if shipping is not _TO_SHIP:
        return LineStatus.SHIPPED
    return LineStatus.CANCELLED if deal is _OFF or refund is _REFUNDED else LineStatus.OPEN


def _status(shipping: OrderStatus, lines: Sequence[Line], payment: PaymentStatus, holds: Sequence[str]) -> OrderStatus:
    if shipping is not _TO_SHIP:
        return shipping
    if not [line for line in lines if line.status is not _LINE_CANCELLED]:
        return OrderStatus.CANCELLED
    if payment in _NOT_PAID:
        return OrderStatus.AWAITING_PAYMENT
    return OrderStatus.ON_HOLD if holds else _TO_SHIP


def _step(wire: WireOrder) -> PaymentStatus | None:
    """How far a presale with a deposit is paid; None when the order is none."""
    if wire.step_order_info is not None:
        return choose(_STEP, wire.step_order_info.step_trade_status, "step_order_info.step_trade_status")
    return PaymentStatus.UNPAID if wire.trade_type == 1 else None


def _payment(wire: WireOrder, deal: _Deal, refund: RefundStatus) -> PaymentStatus:
    if refund is _REFUNDED:
        return PaymentStatus.REFUNDED
    step = _step(wire)
    if step is not None:
        return step
    return PaymentStatus.PAID if deal is _MADE or wire.pay_time else PaymentStatus.UNPAID


def _holds(wire: WireOrder, deal: _Deal) -> tuple[str, ...]:
    """Why the platform says: do not ship. Once the order is paid."""
    holds = []
    if deal is _UNDECIDED and wire.pay_time:
        holds.append("group-incomplete")
    if choose(_RISK, wire.risk_control_status, "risk_control_status"):
        holds.append("risk-review")
    if "ship_hold" in [tag.name for tag in wire.order_tag_list or () if tag.value]:
        holds.append("ship-hold")
    return tuple(holds)


def _presale(wire: WireOrder) -> Presale | None:
    """With a deposit, or paid in full and shipped later."""
    step = _step(wire)
    if step is None and wire.is_pre_sale != 1:
        return None
    info = wire.step_order_info
    return Presale(
        final_paid=step in (None, PaymentStatus.PAID),
        ship_not_before=beijing_time(wire.pre_sale_time, "pre_sale_time"),
        deposit=fen(info.advanced_paid_fee, "step_order_info.advanced_paid_fee") if info else 0,
    )


# -- money ---------------------------------------------------------------------------------------------------------


def _service_fees(wire: WireOrder) -> int:
    """They are in the payment, as postage is, and were not paid for the lines (docs: pay_amount)."""
    if not wire.service_fee_detail:
        return 0
    fees = enumerate(wire.service_fee_detail)
    return sum([fen(fee.service_fee, f"service_fee_detail.{index}.service_fee") for index, fee in fees])


def _totals(wire: WireOrder, lines: Sequence[Line], paid: int, postage: int) -> Totals:
    """`other` is service fees less the seller's manual change of price."""
    sold = zip(lines, wire.item_list, strict=False)  # the lines after the items are gifts
    goods = sum([line.unit_price * item.goods_count for line, item in sold])
    discount = fen(wire.discount_amount, "discount_amount")
    return Totals(goods=goods, discount=discount, postage=postage, paid=paid, other=paid - goods + discount - postage)


def _promotions(wire: WireOrder) -> tuple[Promotion, ...]:
    """Who pays for the discount. The single activities are inside these sums and would count twice."""
    amounts = [fen(amount, name) for name, amount in zip(_DISCOUNTS, _discounts(wire), strict=True)]
    if not any(amounts):
        return ()
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
    gifts = {gift.order_sn: None for gift in listed(wire.gift_list) if gift.order_sn and gift.order_sn != wire.order_sn}
    related = [RelatedOrder(platform_order_id=order_sn, relation="gift") for order_sn in gifts]
    for other in listed(wire.related_order_list):
        if other.order_sn not in gifts:
            relation = "gift-of" if other.relation_type == _GIFT_OF else f"type-{other.relation_type}"
            related.append(RelatedOrder(platform_order_id=other.order_sn, relation=relation))
    return tuple(related)


def _marks(wire: WireOrder) -> tuple[str, ...]:
    """The order's tags, and the fields that a shop's rules may want: categories, customs warehouse, promised speed."""
    tags = wire.order_tag_list or ()
    marks = [tag.name if tag.value == 1 else f"{tag.name}={tag.value}" for tag in tags if tag.value]
    if any(flags := _flags(wire)):
        marks += [name for name, flag in zip(_FLAGS, flags, strict=True) if flag == 1]
    if wire.is_lucky_flag == _LOTTERY:
        marks.append("lottery")
    if any(values := _values(wire)):
        marks += [f"{name}={value}" for name, value in zip(_VALUES, values, strict=True) if value and value != "0"]
    if wire.gift_order_status is not None:
        marks.append(f"gift_order_status={wire.gift_order_status}")  # what its values mean is not documented
    marks += [f"promotion_type={each.promotion_type}" for each in wire.promotion_detail_list or ()]
    return tuple(marks)


def _seller_flag(number: int | None) -> str:
    """Its colour in English. A number we do not know stays a number: a flag decides nothing about shipping."""
    return "" if not number else _FLAG_COLOURS.get(number, str(number))
