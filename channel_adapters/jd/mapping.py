"""From JD's order object to our order: tables and pure functions.

Order money: orderPayment = goods - user discounts - balance used + freight + tax + service (JD's field notes), so the
discounts are what that formula leaves, and `Totals.other` is tax + service - balance used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from channel_adapters.jd.lines import NamedItems, count, named_items, to_lines
from channel_adapters.jd.wire import Consignee, Coupon, DetailOrder, Ending, LeanOrder
from channel_adapters.reading import AS_IT_IS, Reading, beijing_time, buyer_key, minor_units, required, with_revision
from channel_adapters.shop import Shop
from schemas.codes import HoldCode
from schemas.ids import order_uid
from schemas.order import (
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

CHANNEL = "jd"

# -- tables --------------------------------------------------------------------------------------------------------

ORDER_STATE = {
    "WAIT_SELLER_STOCK_OUT": OrderStatus.TO_SHIP,
    "WAIT_SELLER_DELIVERY": OrderStatus.TO_SHIP,  # overseas
    "WAIT_SEND_CODE": OrderStatus.TO_SHIP,  # LOC: a code is to be sent, nothing to pick
    "WAIT_GOODS_RECEIVE_CONFIRM": OrderStatus.SHIPPED,
    "FINISHED_L": OrderStatus.COMPLETED,
    "TRADE_CANCELED": OrderStatus.CANCELLED,
    "PAUSE": OrderStatus.ON_HOLD,
    "POP_ORDER_PAUSE": OrderStatus.ON_HOLD,
    "LOCKED": OrderStatus.ON_HOLD,  # a request to cancel is under way
}

STATE_HOLD = {
    "PAUSE": HoldCode.PAUSED,
    "POP_ORDER_PAUSE": HoldCode.PAUSED,
    "LOCKED": HoldCode.CANCEL_REQUESTED,
}

PLATFORM_WAREHOUSE = HoldCode.PLATFORM_WAREHOUSE
"""JD ships the order, or the seller ships it into a JD warehouse: not a parcel for the buyer."""

STORE_ORDER_HOLD = {None: "", "": "", "京仓订单": PLATFORM_WAREHOUSE, "云仓订单": PLATFORM_WAREHOUSE}

ORDER_TYPE_HOLD = {
    "22": "",  # SOP: the seller ships
    "75": "",  # LOC: redeemed at a place, nothing to pick
    "21": PLATFORM_WAREHOUSE,  # FBP
    "23": PLATFORM_WAREHOUSE,  # LBP
    "25": PLATFORM_WAREHOUSE,  # SOPL
    "112": PLATFORM_WAREHOUSE,  # FCS
}

PAY_TYPE = {
    "1": PaymentStatus.CASH_ON_DELIVERY,
    "2": PaymentStatus.PAID,  # by post
    "3": PaymentStatus.CASH_ON_DELIVERY,  # when picked up
    "4": PaymentStatus.PAID,  # online
    "5": PaymentStatus.PAID,  # company transfer
    "6": PaymentStatus.PAID,  # bank transfer
}
"""Unpaid orders are in no answer of order.search, so that what is not paid at the door has been paid."""

RETURN_ORDER = {None: "", "": "", "0": "", "1": "full", "2": "partial"}

SERVICE_ORDER_TYPE = "75"

SELLER_FLAG = {None: "", "": "", "0": "grey", "1": "red", "2": "yellow", "3": "green", "4": "blue", "5": "purple"}

COUPON_NAME = {
    "20": "套装优惠",
    "28": "闪团优惠",
    "29": "团购优惠",
    "30": "单品促销优惠",
    "34": "满减",
    "35": "满减",
    "39": "京豆优惠",
    "41": "京东券优惠",
    "52": "礼品卡优惠",
    "100": "店铺优惠",
}

APPOINTMENT = ("1075", "2")
"""sendpayMap: the buyer chose the day of dispatch, opPickDate."""

# An attribute of an enumeration costs ten times a global.
_TO_SHIP, _ON_HOLD, _CANCELLED = OrderStatus.TO_SHIP, OrderStatus.ON_HOLD, OrderStatus.CANCELLED
_PART_SHIPPED, _PAID_BACK, _NOT_REFUNDED = OrderStatus.PART_SHIPPED, PaymentStatus.REFUNDED, RefundStatus.NONE
_NOT_GONE = (OrderStatus.TO_SHIP, OrderStatus.ON_HOLD, OrderStatus.PART_SHIPPED)

_NOBODY = Consignee()

_RECEIVER = ("consigneeInfo", "fullname", "fullAddress", "province", "city", "county")

_CIPHER = re.compile(r"[A-Za-z0-9+/=_-]{16,}")

# -- order ---------------------------------------------------------------------------------------------------------


def read_detail(payload: bytes, reading: Reading) -> Order:
    """The order with all the fields that our client asks for."""
    return _order(reading.model(DetailOrder, payload), reading, ids_required=True)


def read_lean(payload: bytes, reading: Reading) -> Order:
    """The order as a client gets it that asked for fewer fields."""
    return _order(reading.model(LeanOrder, payload), reading, ids_required=False)


def is_over(head: Ending, shop: Shop) -> bool:
    """Whether the order says that nothing of it is to ship any more."""
    word = head.order_state.strip() if isinstance(head.order_state, str) else ""
    return (shop.policy.meaning_of(word, "orderState") or ORDER_STATE.get(word)) is _CANCELLED


def _order(wire: LeanOrder, reading: Reading, *, ids_required: bool) -> Order:
    shop_id = reading.shop_id
    returned = reading.lookup(RETURN_ORDER, wire.return_order, "returnOrder", "")
    status, holds = _status(wire, returned, reading)
    items = named_items(wire, reading, ids_required=ids_required)
    totals = _totals(wire, items, reading)
    payment = _payment(wire, status, reading)
    refund = _refund(returned, status, payment)
    to_pay, is_service = totals.goods - totals.discount, (wire.order_type or "").strip() == SERVICE_ORDER_TYPE
    lines = to_lines(wire, items, status, refund, to_pay, reading, is_service=is_service)
    status = _settled(status, [line.status for line in lines])
    sendpay = _flags(wire.sendpay_map)
    return with_revision(
        Order(
            uid=order_uid(CHANNEL, shop_id, wire.order_id),
            channel=CHANNEL,
            shop_id=shop_id,
            platform_order_id=wire.order_id,
            revision="",
            modified_at=required(beijing_time(wire.modified, "modified"), "modified"),
            placed_at=required(beijing_time(wire.order_start_time, "orderStartTime"), "orderStartTime"),
            status=status,
            payment=payment,
            lines=lines,
            ship_to=_ship_to(wire.consignee_info or _NOBODY, reading),
            totals=totals,
            source=Source(template=reading.template),
            paid_at=beijing_time(wire.payment_confirm_time, "paymentConfirmTime"),
            buyer_key=buyer_key(CHANNEL, shop_id, wire.open_id_buyer or wire.xid_buyer or wire.pin or ""),
            promotions=tuple([_promotion(coupon, reading) for coupon in wire.coupon_detail_list or ()]),
            presale=_appointment(wire, sendpay, reading),
            holds=holds,
            marks=_marks(wire, sendpay, returned),
            related=_related(wire),
            buyer_remark=wire.order_remark or "",
            seller_memo=wire.vender_remark or "",
            seller_flag=SELLER_FLAG.get(wire.vender_remark_level_flag, wire.vender_remark_level_flag or ""),
        ),
        reading,
    )


def _status(wire: LeanOrder, returned: str, reading: Reading) -> tuple[OrderStatus, tuple[str, ...]]:
    """Where the order stands, and why it must not ship."""
    status = reading.status(ORDER_STATE, wire.order_state, "orderState", _ON_HOLD, AS_IT_IS)
    warehouse = reading.lookup(STORE_ORDER_HOLD, wire.store_order, "storeOrder", "")
    model = reading.lookup(ORDER_TYPE_HOLD, wire.order_type, "orderType", "")
    if status is not _TO_SHIP and status is not _ON_HOLD:
        return status, ()
    state = STATE_HOLD.get((wire.order_state or "").strip()) if status is _ON_HOLD else None
    reasons = (state, warehouse or model, HoldCode.REFUND_REQUESTED if returned else "")
    holds = [reason for reason in reasons if reason]
    if holds:
        return _ON_HOLD, tuple(holds)
    return (_PART_SHIPPED if wire.partial_logistics_info_model and status is _TO_SHIP else status), ()


def _settled(status: OrderStatus, lines: Sequence[LineStatus]) -> OrderStatus:
    """An order that is being shipped is shipped once all its lines are, and given up once all of them are."""
    if not lines or status not in _NOT_GONE:
        return status
    if lines.count(LineStatus.CANCELLED) == len(lines):
        return _CANCELLED
    if status is _PART_SHIPPED and LineStatus.OPEN not in lines:
        return OrderStatus.SHIPPED
    return status


def _payment(wire: LeanOrder, status: OrderStatus, reading: Reading) -> PaymentStatus:
    word = None if wire.pay_type is None else wire.pay_type.partition("-")[0]
    payment = reading.lookup(PAY_TYPE, word, "payType", PaymentStatus.PAID)
    if status is not _CANCELLED:
        return payment
    told = wire.payment_confirm_time
    unpaid = payment is PaymentStatus.CASH_ON_DELIVERY
    if told is not None:
        unpaid = beijing_time(told, "paymentConfirmTime") is None
    return PaymentStatus.UNPAID if unpaid else PaymentStatus.REFUNDED


def _refund(returned: str, status: OrderStatus, payment: PaymentStatus) -> RefundStatus:
    """JD flags the order, not its lines: a return of all of them holds them all, of some is a hold of the order."""
    if payment is _PAID_BACK:
        return RefundStatus.REFUNDED
    return RefundStatus.REQUESTED if returned == "full" and status in _NOT_GONE else _NOT_REFUNDED


def _appointment(wire: LeanOrder, sendpay: Mapping[str, str], reading: Reading) -> Presale | None:
    digit, value = APPOINTMENT
    if sendpay.get(digit) != value:
        return None
    day = reading.optional_time(beijing_time, wire.op_pick_date, "opPickDate")
    return Presale(final_paid=True, ship_not_before=day)


def _related(wire: LeanOrder) -> tuple[RelatedOrder, ...]:
    """The order that JD split this one off. The parent itself is cancelled."""
    parents = [each for each in (wire.parent_order_id, wire.direct_parent_order_id) if each and each != "0"]
    if not parents:
        return ()
    return tuple(RelatedOrder(platform_order_id=each, relation="parent") for each in dict.fromkeys(parents))


# -- money ---------------------------------------------------------------------------------------------------------


def _totals(wire: LeanOrder, items: NamedItems, reading: Reading) -> Totals:
    paid = minor_units(wire.order_payment, "orderPayment")
    goods = worth = _goods(items)
    if wire.order_total_price is not None:
        goods = reading.optional_money(wire.order_total_price, "orderTotalPrice")
        reading.check_total(goods, worth, len(items))
    postage = _fen(wire.freight_price, "freightPrice", reading)
    other = _fen(wire.tax_fee, "taxFee", reading) + _fen(wire.service_fee, "serviceFee", reading)
    other -= _fen(wire.balance_used, "balanceUsed", reading)
    discount = goods + postage + other - paid
    if discount < 0:  # more was paid than the fields explain
        discount, other = 0, other - discount
    return Totals(goods=goods, discount=discount, postage=postage, paid=paid, other=other)


def _goods(items: NamedItems) -> int:
    return sum(
        [
            minor_units(item.jd_price, f"itemInfoList.{index}.jdPrice")
            * count(item.item_total, f"itemInfoList.{index}.itemTotal")
            for index, (_, item, _) in enumerate(items)
        ]
    )


def _fen(text: str | None, where: str, reading: Reading) -> int:
    """Most of them are nothing."""
    return 0 if text == "0.00" else reading.optional_money(text, where)


def _promotion(coupon: Coupon, reading: Reading) -> Promotion:
    code, _, name = (coupon.coupon_type or "").partition("-")
    amount = reading.optional_money(coupon.coupon_price, "couponDetailList.couponPrice")
    return Promotion(name=name or COUPON_NAME.get(code, code), amount=amount, code=code)


# -- marks ---------------------------------------------------------------------------------------------------------


def _marks(wire: LeanOrder, sendpay: Mapping[str, str], returned: str) -> tuple[str, ...]:
    marks = [f"sendpay-{digit}={value}" for digit, value in sendpay.items()]
    marks += [f"popsign-{digit}={value}" for digit, value in _flags(wire.pop_sign_map).items()]
    if wire.order_mark_desc and isinstance(wire.order_mark_desc, dict):
        marks += [f"{name}={value}" for name, value in wire.order_mark_desc.items() if isinstance(value, (str, int))]
    if wire.store_order in STORE_ORDER_HOLD and wire.store_order:
        marks.append(f"store-order={wire.store_order}")
    if returned:
        marks.append(f"return={returned}")
    return tuple(marks)


def _flags(value: Any) -> dict[str, str]:
    """The set digits of sendpayMap or popSignMap: an object, JSON in a text, or a list of such texts. What cannot be
    read labels nothing.
    """
    if isinstance(value, str):
        try:
            value = orjson.loads(value) if value else {}
        except orjson.JSONDecodeError:
            return {}
    if isinstance(value, list):
        return {digit: flag for part in value if not isinstance(part, list) for digit, flag in _flags(part).items()}
    if not isinstance(value, dict):
        return {}
    return {
        digit: str(flag) for digit, flag in value.items() if isinstance(flag, (str, int)) and flag not in ("", "0", 0)
    }


# -- receiver ------------------------------------------------------------------------------------------------------


def _ship_to(consignee: Consignee, reading: Reading) -> ShipTo:
    """The receiver in the form it came. No field is one receiver's key, so it is made of the phone's hash and the
    address: the same phone at another address is another parcel. An address of which a piece cannot be read is none:
    a person looks.
    """
    unreadable = bool(reading.marks) and any(map(reading.was_odd, _RECEIVER))
    places = (consignee.province, consignee.city, consignee.county, consignee.town, consignee.full_address)
    same = "\0".join([place or "" for place in (consignee.desen_mobile, *places)]) if consignee.desen_mobile else ""
    return ShipTo(
        privacy=Privacy.MISSING if unreadable else _privacy(consignee),
        province=consignee.province or "",
        city=consignee.city or "",
        district=consignee.county or "",
        town=consignee.town or "",
        street=consignee.full_address or "",
        name=consignee.fullname or "",
        phone=consignee.mobile or consignee.telephone or "",
        token=consignee.oaid or "",
        receiver_key=buyer_key(CHANNEL, reading.shop_id, same),
    )


def _privacy(consignee: Consignee) -> Privacy:
    """Name and address may be ciphertext while the phone is masked: then it takes the token to read them."""
    texts = [text for text in (consignee.fullname, consignee.full_address, consignee.mobile) if text and text.strip()]
    if not texts:
        return Privacy.MISSING
    if [text for text in texts if _CIPHER.fullmatch(text)]:
        return Privacy.ENCRYPTED
    return Privacy.MASKED if [text for text in texts if "*" in text] else Privacy.PLAIN
