"""From a Taobao trade to our order. Status words: TOP docs, trade status table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from operator import attrgetter
from typing import Final

from channel_adapters.contract import UnreadablePayload
from channel_adapters.fields import is_set, small_number
from channel_adapters.reading import (
    AS_IT_IS,
    Reading,
    beijing_time,
    buyer_key,
    given_up,
    minor_units,
    required,
    with_revision,
)
from channel_adapters.shop import Shop
from channel_adapters.taobao.lines import Named, TradeFacts, id_of, named_subs, service_tags, to_lines
from channel_adapters.taobao.wire import PromotionDetail, Trade, TradeId
from schemas.codes import HoldCode
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
    PromisedGift,
    Promotion,
    RefundStatus,
    ShipTo,
    Source,
    Totals,
)

CHANNEL: Final = "taobao"

# An attribute of an enumeration costs ten times a global.
_AWAITING_PAYMENT, _PAID = OrderStatus.AWAITING_PAYMENT, PaymentStatus.PAID
_LINE_OPEN, _LINE_CANCELLED, _CANCELLED = LineStatus.OPEN, LineStatus.CANCELLED, OrderStatus.CANCELLED
_SERVICE, _REFUNDED = LineKind.SERVICE, RefundStatus.REFUNDED
_MASKED, _MISSING = Privacy.MASKED, Privacy.MISSING

_STATUS: Final = {
    "TRADE_NO_CREATE_PAY": OrderStatus.AWAITING_PAYMENT,
    "WAIT_BUYER_PAY": OrderStatus.AWAITING_PAYMENT,
    "PAY_PENDING": OrderStatus.AWAITING_PAYMENT,
    "WAIT_PRE_AUTH_CONFIRM": OrderStatus.AWAITING_PAYMENT,
    "PAID_FORBID_CONSIGN": OrderStatus.ON_HOLD,
    "WAIT_SELLER_SEND_GOODS": OrderStatus.TO_SHIP,
    "SELLER_CONSIGNED_PART": OrderStatus.PART_SHIPPED,
    "WAIT_BUYER_CONFIRM_GOODS": OrderStatus.SHIPPED,
    "TRADE_BUYER_SIGNED": OrderStatus.SHIPPED,  # cash on delivery: handed over, not yet settled
    "TRADE_FINISHED": OrderStatus.COMPLETED,
    "TRADE_CLOSED": OrderStatus.CANCELLED,  # after payment
    "TRADE_CLOSED_BY_TAOBAO": OrderStatus.CANCELLED,  # before payment
}

_STEP: Final = {
    "FRONT_NOPAID_FINAL_NOPAID": PaymentStatus.UNPAID,
    "FRONT_PAID_FINAL_NOPAID": PaymentStatus.DEPOSIT_PAID,
    "FRONT_PAID_FRONT_FORFEITED": PaymentStatus.DEPOSIT_PAID,  # the buyer let the final part lapse
    "FRONT_PAID_FINAL_PAID": PaymentStatus.PAID,
}

_STEP_MEANS: Final = {OrderStatus.AWAITING_PAYMENT: PaymentStatus.DEPOSIT_PAID}


class _Deal(Enum):
    """What kind of deal a trade is."""

    GOODS = auto()
    COD = auto()  # paid at the door
    STEPS = auto()  # paid in parts: see step_trade_status
    VIRTUAL = auto()  # nothing to pick


_TYPE: Final = {
    None: _Deal.GOODS,
    "": _Deal.GOODS,
    "fixed": _Deal.GOODS,
    "auction": _Deal.GOODS,
    "guarantee_trade": _Deal.GOODS,
    "independent_simple_trade": _Deal.GOODS,
    "independent_shop_trade": _Deal.GOODS,
    "instant_trade": _Deal.GOODS,
    "super_market_trade": _Deal.GOODS,
    "tmall_i18n": _Deal.GOODS,
    "nopaid": _Deal.GOODS,
    "cod": _Deal.COD,
    "b2c_cod": _Deal.COD,
    "super_market_cod_trade": _Deal.COD,
    "step": _Deal.STEPS,
    "eticket": _Deal.VIRTUAL,
    "auto_delivery": _Deal.VIRTUAL,
    "ec": _Deal.VIRTUAL,
}
"""Of the kinds that TOP names, those whose parcels are ours, and those without any. A person looks at the others."""

_CLOSED_PAID, _CLOSED_UNPAID = "TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO"
_PART_SHIPPED_WORD: Final = "SELLER_CONSIGNED_PART"

_HOLD_FLAGS: Final = {
    "team_buy_hold": HoldCode.GROUP_INCOMPLETE,
    "share_group_hold": HoldCode.GROUP_INCOMPLETE,
    "top_hold": HoldCode.SHIP_HOLD,
    "ofp_hold": HoldCode.SHIP_HOLD,
    "delay_create_delivery": HoldCode.SHIP_HOLD,
}

_hold_flags = attrgetter(*_HOLD_FLAGS)

_FLAG_COLOURS: Final = {"0": "grey", "1": "red", "2": "yellow", "3": "green", "4": "blue", "5": "purple"}

_RECEIVER: Final = ("receiver_name", "receiver_state", "receiver_city", "receiver_district", "receiver_address")

_SHIPPABLE: Final = (OrderStatus.TO_SHIP, OrderStatus.PART_SHIPPED)

_PROMISED_DAY: Final = re.compile(r"(\d{4})[-年](\d{1,2})[-月](\d{1,2})日?(?:24点前)?")
_PROMISED_AFTER_PAYMENT: Final = re.compile(r"付款后(\d{1,3})(小时|天)内.*")


def to_order(trade: Trade, reading: Reading) -> Order:
    """The order a trade describes. Raises UnreadablePayload."""
    shop_id, tid = reading.shop_id, required(trade_id(trade), "tid")
    told = reading.status(_STATUS, trade.status, "status", OrderStatus.ON_HOLD, AS_IT_IS)
    deal = reading.lookup(_TYPE, trade.type, "type", _Deal.GOODS)
    step = _step(trade, deal, reading)
    subs = named_subs(trade, reading)
    tags = service_tags(trade)
    lines = to_lines(trade, subs, _facts(trade, told, deal, tags), reading)
    flags = _raised(trade)
    holds = _holds(trade, subs, told, step, flags)
    status = _status(told, lines, holds)
    if status is _CANCELLED:
        lines = given_up(lines)
    paid_at = beijing_time(trade.pay_time, "pay_time") if step is None or step is _PAID else None
    promotions, promised_gifts = _promotions(trade, subs, reading)
    return with_revision(
        Order(
            uid=order_uid(CHANNEL, shop_id, tid),
            channel=CHANNEL,
            shop_id=shop_id,
            platform_order_id=tid,
            revision="",
            modified_at=required(beijing_time(trade.modified, "modified"), "modified"),
            placed_at=required(beijing_time(trade.created, "created"), "created"),
            status=status,
            payment=_payment(trade, told, deal, step, lines),
            lines=lines,
            ship_to=_ship_to(trade, reading),
            totals=_totals(trade, subs, lines, reading),
            source=Source(template=reading.template),
            paid_at=paid_at,
            pay_deadline=_pay_deadline(trade, status, reading),
            ship_by=_ship_by(trade, subs, lines, paid_at),
            buyer_key=buyer_key(CHANNEL, shop_id, trade.buyer_open_uid or ""),
            promotions=promotions,
            promised_gifts=promised_gifts,
            presale=_presale(trade, step, reading),
            holds=holds,
            marks=_marks(trade, subs, tags, flags),
            buyer_remark=trade.buyer_message or "",
            seller_memo=trade.seller_memo or "",
            seller_flag=_seller_flag(trade.seller_flag),
        ),
        reading,
    )


def trade_id(head: Trade | TradeId) -> str | None:
    """The trade's id as text, whatever stands beside it."""
    return id_of(head.tid_str, head.tid) or None


def is_over(head: TradeId, shop: Shop) -> bool:
    """Whether the trade says that nothing of it is to ship any more."""
    word = head.status.strip() if isinstance(head.status, str) else ""
    return (shop.policy.meaning_of(word, "status") or _STATUS.get(word)) is _CANCELLED


# -- status --------------------------------------------------------------------------------------------------------


def _status(told: OrderStatus, lines: Sequence[Line], holds: Sequence[str]) -> OrderStatus:
    goods = [line.status for line in lines if line.kind is not _SERVICE]
    if goods and goods.count(_LINE_CANCELLED) == len(goods):
        return _CANCELLED
    return OrderStatus.ON_HOLD if holds and told in _SHIPPABLE else told


def _facts(trade: Trade, told: OrderStatus, deal: _Deal, tags: Mapping[str, Sequence[str]]) -> TradeFacts:
    return TradeFacts(told, told is OrderStatus.PART_SHIPPED, deal is _Deal.VIRTUAL, tags)


def _step(trade: Trade, deal: _Deal, reading: Reading) -> PaymentStatus | None:
    """How far a step (presale) trade is paid; None when the trade has no steps."""
    if trade.step_trade_status:
        return reading.status(_STEP, trade.step_trade_status, "step_trade_status", _PAID, _STEP_MEANS)
    return PaymentStatus.UNPAID if deal is _Deal.STEPS else None


def _payment(
    trade: Trade, told: OrderStatus, deal: _Deal, step: PaymentStatus | None, lines: Sequence[Line]
) -> PaymentStatus:
    """An order whose status is not known is taken for paid: its stock stays with it until a person has looked."""
    if step is not None and step is not _PAID:
        return step
    word = (trade.status or "").strip()
    if word == _CLOSED_PAID or (lines and not [line for line in lines if line.refund is not _REFUNDED]):
        return PaymentStatus.REFUNDED
    if word == _CLOSED_UNPAID or told is _AWAITING_PAYMENT:
        return PaymentStatus.UNPAID
    return PaymentStatus.CASH_ON_DELIVERY if deal is _Deal.COD and not trade.pay_time else _PAID


def _holds(
    trade: Trade, subs: Named, told: OrderStatus, step: PaymentStatus | None, flags: Sequence[str]
) -> tuple[str, ...]:
    """Why the platform says: do not ship. Any hold flag forbids it (TOP docs: trade fields)."""
    holds = dict.fromkeys([_HOLD_FLAGS[flag] for flag in flags])
    if trade.status == "PAID_FORBID_CONSIGN" and not holds:
        holds[HoldCode.SHIP_HOLD] = None
    if told in _SHIPPABLE and step is not None and step is not _PAID:
        holds[HoldCode.FINAL_PAYMENT_OPEN] = None
    if _PART_SHIPPED_WORD in [sub.status for _, sub in subs]:
        holds[HoldCode.LINE_PART_SHIPPED] = None  # the trade does not say how many pieces are still to go
    return tuple(holds)


def _raised(trade: Trade) -> list[str]:
    """The names of the hold flags that are set. One that says neither yes nor no is."""
    flags = _hold_flags(trade)
    if not any(flags):
        return []
    return [name for name, flag in zip(_HOLD_FLAGS, flags, strict=True) if is_set(flag, doubtful=True)]


def _presale(trade: Trade, step: PaymentStatus | None, reading: Reading) -> Presale | None:
    if step is None:
        sold_ahead = is_set(trade.new_presell) or is_set(trade.general_new_presell)
        return Presale(final_paid=True) if sold_ahead else None
    if step is _PAID:
        return Presale(final_paid=True)
    return Presale(final_paid=False, deposit=reading.optional_money(trade.step_paid_fee, "step_paid_fee"))


# -- money ---------------------------------------------------------------------------------------------------------


def _totals(trade: Trade, subs: Named, lines: Sequence[Line], reading: Reading) -> Totals:
    """`other` is what no field of the trade explains: the seller's manual changes of price, above all."""
    goods = worth = sum([line.unit_price * sub.num for line, (_, sub) in zip(lines, subs, strict=True)])
    if trade.total_fee:
        goods = reading.optional_money(trade.total_fee, "total_fee")
        reading.check_total(goods, worth, len(lines))
    discount = reading.optional_money(trade.discount_fee, "discount_fee")
    discount += sum([reading.optional_money(sub.discount_fee, "orders.order.discount_fee") for _, sub in subs])
    postage = reading.optional_money(trade.post_fee, "post_fee")
    paid = minor_units(trade.payment, "payment")
    return Totals(goods=goods, discount=discount, postage=postage, paid=paid, other=paid - goods + discount - postage)


def _promotions(trade: Trade, subs: Named, reading: Reading) -> tuple[tuple[Promotion, ...], tuple[PromisedGift, ...]]:
    """The activities, and the gifts among them that no line carries."""
    if trade.promotion_details is None:
        return (), ()
    with_line = {id_of(sub.num_iid) for _, sub in subs if is_set(sub.is_free_gift)}
    promotions = []
    gifts = []
    for detail in trade.promotion_details.promotion_detail or ():
        amount = reading.optional_money(detail.discount_fee, "promotion_details.promotion_detail.discount_fee")
        promotions.append(Promotion(name=detail.promotion_name or "", amount=amount, code=detail.promotion_id or ""))
        if detail.gift_item_name and not (detail.gift_item_id and detail.gift_item_id in with_line):
            gifts.append(_promised_gift(detail, reading))
    return tuple(promotions), tuple([gift for gift in gifts if gift.quantity])


def _promised_gift(detail: PromotionDetail, reading: Reading) -> PromisedGift:
    """Of a gift whose count cannot be read, one: a person looks at every gift that is only promised."""
    count = small_number((detail.gift_item_num or "1").strip(), most_digits=6)
    if count is None:
        reading.odd("gift_item_num")
        count = 1
    return PromisedGift(name=detail.gift_item_name or "", quantity=count, platform_item_id=detail.gift_item_id or "")


# -- receiver, times, marks ----------------------------------------------------------------------------------------


def _ship_to(trade: Trade, reading: Reading) -> ShipTo:
    """Masked, as TOP gives it; `oaid` is what it is decrypted with, and the key of the receiver.

    An address that came in pieces that nobody can read is none: a person looks.
    """
    name, street = trade.receiver_name or "", trade.receiver_address or ""
    phone = trade.receiver_mobile or trade.receiver_phone or ""
    district = trade.receiver_district or ""
    return ShipTo(
        privacy=_MISSING if _unreadable(reading) else _privacy(name + phone + street),
        province=trade.receiver_state or "",
        city=trade.receiver_city or district,  # a county run directly by its province has no city
        district=district,
        town=trade.receiver_town or "",
        street=street,
        name=name,
        phone=phone,
        postcode=trade.receiver_zip or "",
        token=trade.oaid or "",
        receiver_key=trade.oaid or "",
    )


def _unreadable(reading: Reading) -> bool:
    return bool(reading.marks) and any(reading.was_odd(field) for field in _RECEIVER)


def _privacy(text: str) -> Privacy:
    if not text.strip():
        return _MISSING
    return _MASKED if "*" in text else Privacy.PLAIN


def _pay_deadline(trade: Trade, status: OrderStatus, reading: Reading) -> datetime | None:
    """The timeout means "closes if unpaid" only while the trade waits for payment."""
    if status is not _AWAITING_PAYMENT:
        return None
    return reading.optional_time(beijing_time, trade.timeout_action_time, "timeout_action_time")


def _ship_by(trade: Trade, subs: Named, lines: Sequence[Line], paid_at: datetime | None) -> datetime | None:
    """When the platform wants the goods to leave: the trade's promise, else the earliest of its open lines."""
    for text in (trade.delivery_time, trade.est_con_time):
        if text and (moment := _promised(text, paid_at)):
            return moment
    pairs = zip(subs, lines, strict=True)
    texts = [sub.estimate_con_time for (_, sub), line in pairs if sub.estimate_con_time and line.status is _LINE_OPEN]
    return min([moment for text in texts if (moment := _promised(text, paid_at))], default=None)


def _promised(text: str, paid_at: datetime | None) -> datetime | None:
    """These fields hold a time, a day or free words (TOP docs). Words that say no time are no promise, not an error."""
    try:
        if len(text) == len("2026-11-11 00:00:00") and text[13] == ":":
            return beijing_time(text, "")
        if day := _PROMISED_DAY.fullmatch(text):
            year, month, date = map(int, day.groups())
            start = required(beijing_time(f"{year:04d}-{month:02d}-{date:02d} 00:00:00", ""), "")
            return start + timedelta(days=1)
        if (after := _PROMISED_AFTER_PAYMENT.fullmatch(text)) and paid_at:
            return paid_at + timedelta(hours=int(after[1]) * (24 if after[2] == "天" else 1))
        return None
    except (UnreadablePayload, OverflowError):
        return None


def _marks(trade: Trade, subs: Named, tags: Mapping[str, Sequence[str]], flags: Sequence[str]) -> tuple[str, ...]:
    """The platform's own tags on the trade; service words that name no line of it, too."""
    marks = list(flags)
    if is_set(trade.is_gift):
        marks.append("is_gift")
    if trade.scenario_group:
        marks.append(f"scenario_group={trade.scenario_group}")
    if trade.txp_receive_method:
        marks.append(f"txp_receive_method={trade.txp_receive_method}")
    if tags:
        of_lines = {own_id for own_id, _ in subs}
        marks += [word for owner, words in tags.items() if owner not in of_lines for word in words]
    return tuple(marks)


def _seller_flag(number: str | None) -> str:
    """Its colour in English. A number we do not know stays a number: a flag decides nothing about shipping."""
    return "" if number is None else _FLAG_COLOURS.get(number, number)
