"""From a Taobao trade to our order. Status words: TOP docs, trade status table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final

from channel_adapters.contract import UnreadablePayload
from channel_adapters.reading import beijing_time, buyer_key, choose, minor_units, refuse, required, sealed
from channel_adapters.taobao.lines import fen, fen_of_each, is_set, line_id, listed, service_tags, sub_orders, to_lines
from channel_adapters.taobao.wire import PromotionDetail, SubOrder, Trade, TradeId
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
_LINE_OPEN, _LINE_CANCELLED = LineStatus.OPEN, LineStatus.CANCELLED
_SERVICE, _REFUNDED, _MASKED = LineKind.SERVICE, RefundStatus.REFUNDED, Privacy.MASKED

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

_HOLD_FLAGS: Final = {
    "team_buy_hold": "group-incomplete",
    "share_group_hold": "group-incomplete",
    "top_hold": "ship-hold",
    "ofp_hold": "ship-hold",
    "delay_create_delivery": "ship-hold",
}

_hold_flags = attrgetter(*_HOLD_FLAGS)

_FLAG_COLOURS: Final = {0: "grey", 1: "red", 2: "yellow", 3: "green", 4: "blue", 5: "purple"}

_SHIPPABLE: Final = (OrderStatus.TO_SHIP, OrderStatus.PART_SHIPPED)

_PROMISED_DAY: Final = re.compile(r"(\d{4})[-年](\d{1,2})[-月](\d{1,2})日?(?:24点前)?")
_PROMISED_AFTER_PAYMENT: Final = re.compile(r"付款后(\d{1,3})(小时|天)内.*")


def to_order(trade: Trade, shop_id: str, template: str) -> Order:
    """The order a trade describes. Raises UnreadablePayload."""
    tid = required(trade_id(trade), "tid")
    subs = sub_orders(trade)
    tags = service_tags(trade)
    lines = to_lines(trade, subs, tags)
    flags = _raised(trade)
    holds = _holds(trade, subs, flags)
    status = _status(trade, lines, holds)
    paid_at = beijing_time(trade.pay_time, "pay_time")
    promotions, promised_gifts = _promotions(trade, subs)
    return sealed(
        Order(
            uid=order_uid(CHANNEL, shop_id, tid),
            channel=CHANNEL,
            shop_id=shop_id,
            platform_order_id=tid,
            revision="",
            modified_at=required(beijing_time(trade.modified, "modified"), "modified"),
            placed_at=required(beijing_time(trade.created, "created"), "created"),
            status=status,
            payment=_payment(trade, lines),
            lines=lines,
            ship_to=_ship_to(trade),
            totals=_totals(trade, subs, lines),
            source=Source(template=template),
            paid_at=paid_at,
            pay_deadline=_pay_deadline(trade, status),
            ship_by=_ship_by(trade, subs, lines, paid_at),
            buyer_key=buyer_key(CHANNEL, shop_id, trade.buyer_open_uid or ""),
            promotions=promotions,
            promised_gifts=promised_gifts,
            presale=_presale(trade),
            holds=holds,
            marks=_marks(trade, subs, tags, flags),
            buyer_remark=trade.buyer_message or "",
            seller_memo=trade.seller_memo or "",
            seller_flag=_seller_flag(trade.seller_flag),
        )
    )


def trade_id(trade: Trade | TradeId) -> str | None:
    """The trade's id as text: as a number it passes 2^53."""
    return trade.tid_str or (None if trade.tid is None else str(trade.tid)) or None


# -- status --------------------------------------------------------------------------------------------------------


def _status(trade: Trade, lines: Sequence[Line], holds: Sequence[str]) -> OrderStatus:
    status = choose(_STATUS, trade.status, "status")
    goods = [line.status for line in lines if line.kind is not _SERVICE]
    if goods and goods.count(_LINE_CANCELLED) == len(goods):
        return OrderStatus.CANCELLED
    return OrderStatus.ON_HOLD if holds and status in _SHIPPABLE else status


def _step(trade: Trade) -> PaymentStatus | None:
    """How far a step (presale) trade is paid; None when the trade has no steps."""
    if trade.step_trade_status:
        return choose(_STEP, trade.step_trade_status, "step_trade_status")
    return PaymentStatus.UNPAID if trade.type == "step" else None


def _payment(trade: Trade, lines: Sequence[Line]) -> PaymentStatus:
    step = _step(trade)
    if step is not None and step is not _PAID:
        return step
    if trade.status == "TRADE_CLOSED" or (lines and not [line for line in lines if line.refund is not _REFUNDED]):
        return PaymentStatus.REFUNDED
    if trade.status == "TRADE_CLOSED_BY_TAOBAO" or _STATUS.get(trade.status) is _AWAITING_PAYMENT:
        return PaymentStatus.UNPAID
    return PaymentStatus.CASH_ON_DELIVERY if trade.type == "cod" and not trade.pay_time else _PAID


def _holds(trade: Trade, subs: Sequence[SubOrder], flags: Sequence[str]) -> tuple[str, ...]:
    """Why the platform says: do not ship. Any hold flag forbids it (TOP docs: trade fields)."""
    holds = dict.fromkeys([_HOLD_FLAGS[flag] for flag in flags])
    if trade.status == "PAID_FORBID_CONSIGN" and not holds:
        holds["ship-hold"] = None
    if _STATUS.get(trade.status) in _SHIPPABLE and _step(trade) not in (None, _PAID):
        holds["final-payment-open"] = None
    if "SELLER_CONSIGNED_PART" in [sub.status for sub in subs]:
        holds["line-part-shipped"] = None  # the trade does not say how many pieces are still to go
    return tuple(holds)


def _raised(trade: Trade) -> list[str]:
    """The names of the hold flags that are set."""
    flags = _hold_flags(trade)
    return [name for name, flag in zip(_HOLD_FLAGS, flags, strict=True) if is_set(flag)] if any(flags) else []


def _presale(trade: Trade) -> Presale | None:
    step = _step(trade)
    if step is None:
        sold_ahead = is_set(trade.new_presell) or is_set(trade.general_new_presell)
        return Presale(final_paid=True) if sold_ahead else None
    if step is PaymentStatus.PAID:
        return Presale(final_paid=True)
    return Presale(final_paid=False, deposit=fen(trade.step_paid_fee, "step_paid_fee"))


# -- money ---------------------------------------------------------------------------------------------------------


def _totals(trade: Trade, subs: Sequence[SubOrder], lines: Sequence[Line]) -> Totals:
    """`other` is what no field of the trade explains: the seller's manual changes of price, above all."""
    goods = sum([line.unit_price * sub.num for line, sub in zip(lines, subs, strict=True)])
    discount = fen(trade.discount_fee, "discount_fee")
    discount += sum(fen_of_each([sub.discount_fee for sub in subs], "discount_fee"))
    postage = fen(trade.post_fee, "post_fee")
    paid = minor_units(trade.payment, "payment")
    return Totals(goods=goods, discount=discount, postage=postage, paid=paid, other=paid - goods + discount - postage)


def _promotions(trade: Trade, subs: Sequence[SubOrder]) -> tuple[tuple[Promotion, ...], tuple[PromisedGift, ...]]:
    """The activities, and the gifts among them that no line carries."""
    if trade.promotion_details is None:
        return (), ()
    with_line = {str(sub.num_iid) for sub in subs if is_set(sub.is_free_gift)}
    promotions = []
    gifts = []
    for index, detail in enumerate(listed(trade.promotion_details.promotion_detail)):
        where = f"promotion_details.promotion_detail.{index}."
        amount = fen(detail.discount_fee, where + "discount_fee")
        promotions.append(Promotion(name=detail.promotion_name or "", amount=amount, code=detail.promotion_id or ""))
        if detail.gift_item_name and str(detail.gift_item_id) not in with_line:
            gifts.append(_promised_gift(detail, where))
    return tuple(promotions), tuple(gifts)


def _promised_gift(detail: PromotionDetail, where: str) -> PromisedGift:
    count = str(detail.gift_item_num or "1").strip()
    if not (count.isdecimal() and len(count) < 7):
        refuse("bad-quantity", where + "gift_item_num", "is not a number of pieces", "不是有效的件数")
    item_id = "" if detail.gift_item_id is None else str(detail.gift_item_id)
    return PromisedGift(name=detail.gift_item_name or "", quantity=int(count), platform_item_id=item_id)


# -- receiver, times, marks ----------------------------------------------------------------------------------------


def _ship_to(trade: Trade) -> ShipTo:
    """Masked, as TOP gives it; `oaid` is what it is decrypted with, and the key of the receiver."""
    name, street = trade.receiver_name or "", trade.receiver_address or ""
    phone = trade.receiver_mobile or trade.receiver_phone or ""
    district = trade.receiver_district or ""
    return ShipTo(
        privacy=_privacy(name + phone + street),
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


def _privacy(text: str) -> Privacy:
    if not text.strip():
        return Privacy.MISSING
    return _MASKED if "*" in text else Privacy.PLAIN


def _pay_deadline(trade: Trade, status: OrderStatus) -> datetime | None:
    """The timeout means "closes if unpaid" only while the trade waits for payment."""
    if status is not _AWAITING_PAYMENT:
        return None
    return beijing_time(trade.timeout_action_time, "timeout_action_time")


def _ship_by(
    trade: Trade, subs: Sequence[SubOrder], lines: Sequence[Line], paid_at: datetime | None
) -> datetime | None:
    """When the platform wants the goods to leave: the trade's promise, else the earliest of its open lines."""
    for text in (trade.delivery_time, trade.est_con_time):
        if text and (moment := _promised(text, paid_at)):
            return moment
    pairs = zip(subs, lines, strict=True)
    texts = [sub.estimate_con_time for sub, line in pairs if sub.estimate_con_time and line.status is _LINE_OPEN]
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


def _marks(
    trade: Trade, subs: Sequence[SubOrder], tags: Mapping[str, Sequence[str]], flags: Sequence[str]
) -> tuple[str, ...]:
    """The platform's own tags on the trade; service words that name no line of it, too."""
    marks = list(flags)
    if is_set(trade.is_gift):
        marks.append("is_gift")
    if trade.scenario_group:
        marks.append(f"scenario_group={trade.scenario_group}")
    if trade.txp_receive_method:
        marks.append(f"txp_receive_method={trade.txp_receive_method}")
    if tags:
        of_lines = {line_id(sub, index) for index, sub in enumerate(subs)}
        marks += [word for owner, words in tags.items() if owner not in of_lines for word in words]
    return tuple(marks)


def _seller_flag(number: int | None) -> str:
    """Its colour in English. A number we do not know stays a number: a flag decides nothing about shipping."""
    return "" if number is None else _FLAG_COLOURS.get(number, str(number))
