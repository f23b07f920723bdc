"""From JD's order object to our order: tables and pure functions.

Order money: orderPayment = goods - user discounts - balance used + freight + tax + service (JD's field notes), so the
discounts are what that formula leaves, and `Totals.other` is tax + service - balance used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from channel_adapters.jd.lines import count, to_lines
from channel_adapters.jd.wire import Consignee, Coupon, DetailOrder, LeanOrder
from channel_adapters.reading import beijing_time, buyer_key, choose, minor_units, read_model, required, sealed
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

STATE_HOLD = {"PAUSE": "paused", "POP_ORDER_PAUSE": "paused", "LOCKED": "cancel-requested"}

PLATFORM_WAREHOUSE = "platform-warehouse"
"""JD ships the order, or the seller ships it into a JD warehouse: not a parcel for the buyer."""

STORE_ORDER_HOLD = {None: "", "": "", "京仓订单": PLATFORM_WAREHOUSE, "云仓订单": PLATFORM_WAREHOUSE}

ORDER_TYPE_HOLD = {
    "22": "",  # SOP: the seller ships
    "75": "",  # LOC
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

RETURN_ORDER = {"": "", "0": "", "1": "full", "2": "partial"}

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

_CIPHER = re.compile(r"[A-Za-z0-9+/=_-]{16,}")

# -- order ---------------------------------------------------------------------------------------------------------


def read_detail(payload: bytes, shop_id: str, template: str) -> Order:
    """The order with all the fields that our client asks for."""
    return _order(read_model(DetailOrder, payload), shop_id, template, ids_required=True)


def read_lean(payload: bytes, shop_id: str, template: str) -> Order:
    """The order as a client gets it that asked for fewer fields."""
    return _order(read_model(LeanOrder, payload), shop_id, template, ids_required=False)


def _order(wire: LeanOrder, shop_id: str, template: str, *, ids_required: bool) -> Order:
    status, holds = _status(wire)
    totals = _totals(wire)
    payment = _payment(wire, status)
    refund = _refund(wire, status, payment)
    lines = to_lines(wire, status, refund, totals.goods - totals.discount, ids_required=ids_required)
    if status is _PART_SHIPPED and all(line.status is LineStatus.SHIPPED for line in lines):
        status = OrderStatus.SHIPPED
    sendpay = _flags(wire.sendpay_map)
    return sealed(
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
            ship_to=_ship_to(wire.consignee_info or _NOBODY, shop_id),
            totals=totals,
            source=Source(template=template),
            paid_at=beijing_time(wire.payment_confirm_time, "paymentConfirmTime"),
            buyer_key=buyer_key(CHANNEL, shop_id, wire.open_id_buyer or wire.xid_buyer or wire.pin or ""),
            promotions=tuple(_promotion(coupon, index) for index, coupon in enumerate(wire.coupon_detail_list)),
            presale=_appointment(wire, sendpay),
            holds=holds,
            marks=_marks(wire, sendpay),
            related=_related(wire),
            buyer_remark=wire.order_remark or "",
            seller_memo=wire.vender_remark or "",
            seller_flag=SELLER_FLAG.get(wire.vender_remark_level_flag, wire.vender_remark_level_flag or ""),
        )
    )


def _status(wire: LeanOrder) -> tuple[OrderStatus, tuple[str, ...]]:
    """Where the order stands, and why it must not ship."""
    status = choose(ORDER_STATE, wire.order_state, "orderState")
    warehouse = choose(STORE_ORDER_HOLD, wire.store_order, "storeOrder")
    model = choose(ORDER_TYPE_HOLD, wire.order_type, "orderType")
    returned = choose(RETURN_ORDER, wire.return_order, "returnOrder")
    if status is not _TO_SHIP and status is not _ON_HOLD:
        return status, ()
    reasons = (STATE_HOLD.get(wire.order_state), warehouse or model, "refund-requested" if returned else "")
    holds = [reason for reason in reasons if reason]
    if holds:
        return _ON_HOLD, tuple(holds)
    return (_PART_SHIPPED if wire.partial_logistics_info_model else status), ()


def _payment(wire: LeanOrder, status: OrderStatus) -> PaymentStatus:
    payment = choose(PAY_TYPE, wire.pay_type.partition("-")[0], "payType")
    if status is not _CANCELLED:
        return payment
    told = wire.payment_confirm_time
    unpaid = payment is PaymentStatus.CASH_ON_DELIVERY
    if told is not None:
        unpaid = beijing_time(told, "paymentConfirmTime") is None
    return PaymentStatus.UNPAID if unpaid else PaymentStatus.REFUNDED


def _refund(wire: LeanOrder, status: OrderStatus, payment: PaymentStatus) -> RefundStatus:
    """JD flags the order, not its lines: a return of all of them holds them all, of some is a hold of the order."""
    if payment is _PAID_BACK:
        return RefundStatus.REFUNDED
    all_returned = RETURN_ORDER[wire.return_order] == "full"
    return RefundStatus.REQUESTED if all_returned and status in _NOT_GONE else _NOT_REFUNDED


def _appointment(wire: LeanOrder, sendpay: Mapping[str, str]) -> Presale | None:
    digit, value = APPOINTMENT
    if sendpay.get(digit) != value:
        return None
    return Presale(final_paid=True, ship_not_before=beijing_time(wire.op_pick_date, "opPickDate"))


def _related(wire: LeanOrder) -> tuple[RelatedOrder, ...]:
    """The order that JD split this one off. The parent itself is cancelled."""
    parents = [each for each in (wire.parent_order_id, wire.direct_parent_order_id) if each and each != "0"]
    if not parents:
        return ()
    return tuple(RelatedOrder(platform_order_id=each, relation="parent") for each in dict.fromkeys(parents))


# -- money ---------------------------------------------------------------------------------------------------------


def _totals(wire: LeanOrder) -> Totals:
    paid = minor_units(wire.order_payment, "orderPayment")
    goods = _goods(wire) if wire.order_total_price is None else minor_units(wire.order_total_price, "orderTotalPrice")
    postage = _fen(wire.freight_price, "freightPrice")
    other = _fen(wire.tax_fee, "taxFee") + _fen(wire.service_fee, "serviceFee") - _fen(wire.balance_used, "balanceUsed")
    discount = goods + postage + other - paid
    if discount < 0:  # more was paid than the fields explain
        discount, other = 0, other - discount
    return Totals(goods=goods, discount=discount, postage=postage, paid=paid, other=other)


def _goods(wire: LeanOrder) -> int:
    return sum(
        minor_units(item.jd_price, f"itemInfoList.{index}.jdPrice")
        * count(item.item_total, f"itemInfoList.{index}.itemTotal")
        for index, item in enumerate(wire.item_info_list)
    )


def _fen(text: str | None, where: str) -> int:
    return minor_units(text, where) if text else 0


def _promotion(coupon: Coupon, index: int) -> Promotion:
    code, _, name = coupon.coupon_type.partition("-")
    amount = minor_units(coupon.coupon_price, f"couponDetailList.{index}.couponPrice")
    return Promotion(name=name or COUPON_NAME.get(code, code), amount=amount, code=code)


# -- marks ---------------------------------------------------------------------------------------------------------


def _marks(wire: LeanOrder, sendpay: Mapping[str, str]) -> tuple[str, ...]:
    marks = [f"sendpay-{digit}={value}" for digit, value in sendpay.items()]
    marks += [f"popsign-{digit}={value}" for digit, value in _flags(wire.pop_sign_map).items()]
    marks += [f"{name}={value}" for name, value in wire.order_mark_desc.items() if isinstance(value, (str, int))]
    if wire.store_order:
        marks.append(f"store-order={wire.store_order}")
    if returned := RETURN_ORDER[wire.return_order]:
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


def _ship_to(consignee: Consignee, shop_id: str) -> ShipTo:
    """The receiver in the form it came. No field is one receiver's key, so it is made of the phone's hash and the
    address: the same phone at another address is another parcel.
    """
    places = (consignee.province, consignee.city, consignee.county, consignee.town, consignee.full_address)
    same = "\0".join([place or "" for place in (consignee.desen_mobile, *places)]) if consignee.desen_mobile else ""
    return ShipTo(
        privacy=_privacy(consignee),
        province=consignee.province or "",
        city=consignee.city or "",
        district=consignee.county or "",
        town=consignee.town or "",
        street=consignee.full_address or "",
        name=consignee.fullname or "",
        phone=consignee.mobile or consignee.telephone or "",
        token=consignee.oaid or "",
        receiver_key=buyer_key(CHANNEL, shop_id, same),
    )


def _privacy(consignee: Consignee) -> Privacy:
    """Name and address may be ciphertext while the phone is masked: then it takes the token to read them."""
    texts = [text for text in (consignee.fullname, consignee.full_address, consignee.mobile) if text and text.strip()]
    if not texts:
        return Privacy.MISSING
    if [text for text in texts if _CIPHER.fullmatch(text)]:
        return Privacy.ENCRYPTED
    return Privacy.MASKED if [text for text in texts if "*" in text] else Privacy.PLAIN
