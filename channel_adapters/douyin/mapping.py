"""From doudian's order object to our order: tables and pure functions, after the platform's field notes.

Order money: pay_amount = sum(sum_amount) - promotion_amount + post_amount; whatever else the platform adds (packing,
tax, freight insurance, a changed price, payment discounts) is `Totals.other`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import orjson

from channel_adapters.douyin.lines import (
    DEPOSIT_PRESALE,
    FULL_PAY_PRESALE,
    REFUNDED_MAIN_STATUS,
    to_lines,
    worth,
)
from channel_adapters.douyin.marks import to_marks
from channel_adapters.douyin.wire import Address, Discount, FullOrder, Phase, ReducedOrder, SkuOrder
from channel_adapters.reading import buyer_key, choose, read_model, required, sealed, unix_time
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

CHANNEL = "douyin"

# -- tables --------------------------------------------------------------------------------------------------------

ORDER_STATUS = {
    1: OrderStatus.AWAITING_PAYMENT,
    105: OrderStatus.ON_HOLD,  # paid, held for the platform's risk check
    2: OrderStatus.TO_SHIP,
    101: OrderStatus.PART_SHIPPED,
    3: OrderStatus.SHIPPED,
    4: OrderStatus.CANCELLED,
    5: OrderStatus.COMPLETED,
}

MAIN_STATUS = ORDER_STATUS | {
    103: OrderStatus.AWAITING_PAYMENT,  # the deposit is paid
    21: OrderStatus.CANCELLED,  # all refunded before shipping
    22: OrderStatus.COMPLETED,  # all refunded after shipping: the goods went out
    39: OrderStatus.COMPLETED,  # all refunded after receipt
}

# An attribute of an enumeration costs ten times a global.
_AWAITING_PAYMENT, _ON_HOLD, _CANCELLED = OrderStatus.AWAITING_PAYMENT, OrderStatus.ON_HOLD, OrderStatus.CANCELLED
_OVER = (OrderStatus.CANCELLED, OrderStatus.COMPLETED, OrderStatus.SHIPPED)
_PAID, _REFUNDED = PaymentStatus.PAID, RefundStatus.REFUNDED
_SERVICE, _LINE_CANCELLED = LineKind.SERVICE, LineStatus.CANCELLED
_NO_ADDRESS = Address()

PRE_SALE_TAG = "pre_sale_label"
CASH_ON_DELIVERY = 0  # pay_type

SELLER_FLAG = {None: "", 0: "grey", 1: "purple", 2: "cyan", 3: "green", 4: "orange", 5: "red"}

NOT_A_CLOCK_TIME = 10**9
"""`order_expire_time` is documented as a time and seen as seconds after placing: below this it is the latter."""

_GIVERS = (
    ("shop", "shop_discount_detail", "promotion_shop_amount", "店铺"),
    ("platform", "platform_discount_detail", "promotion_platform_amount", "平台"),
    ("talent", "kol_discount_detail", "promotion_talent_amount", "达人"),
)
_MEANS = (
    ("coupon", "coupon_amount", "优惠券"),
    ("full-discount", "full_discount_amount", "满减"),
    ("redpack", "redpack_amount", "红包"),
)

# -- order ---------------------------------------------------------------------------------------------------------


def read_full(payload: bytes, shop_id: str, template: str) -> Order:
    """The order of a shop whose app sees every field."""
    return _order(read_model(FullOrder, payload), shop_id, template)


def read_reduced(payload: bytes, shop_id: str, template: str) -> Order:
    """The order of a shop whose app sees the core fields only."""
    return _order(read_model(ReducedOrder, payload), shop_id, template)


def _order(wire: ReducedOrder, shop_id: str, template: str) -> Order:
    lines = to_lines(wire)
    presale = _presale(wire)
    status = _status(wire, lines, presale)
    payment = _payment(wire, lines, status, presale)
    settled = payment is _PAID or payment is PaymentStatus.REFUNDED
    return sealed(
        Order(
            uid=order_uid(CHANNEL, shop_id, wire.order_id),
            channel=CHANNEL,
            shop_id=shop_id,
            platform_order_id=wire.order_id,
            revision="",
            modified_at=required(unix_time(wire.update_time, "update_time"), "update_time"),
            placed_at=required(unix_time(wire.create_time, "create_time"), "create_time"),
            status=status,
            payment=payment,
            lines=lines,
            ship_to=_ship_to(wire),
            totals=_totals(wire),
            source=Source(template=template),
            paid_at=unix_time(wire.pay_time, "pay_time") if settled else None,
            pay_deadline=_pay_deadline(wire, payment) if status is _AWAITING_PAYMENT else None,
            ship_by=unix_time(wire.exp_ship_time, "exp_ship_time"),
            buyer_key=buyer_key(CHANNEL, shop_id, wire.doudian_open_id or wire.open_id or ""),
            promotions=_promotions(wire),
            presale=presale,
            holds=("risk-review",) if status is _ON_HOLD else (),
            marks=to_marks((wire.shop_order_tag_ui, wire.user_tag_ui, wire.address_tag_ui), wire.promise_info),
            buyer_remark=wire.buyer_words or "",
            seller_memo=wire.seller_words or "",
            seller_flag=SELLER_FLAG.get(wire.seller_remark_stars, str(wire.seller_remark_stars)),
        )
    )


def _status(wire: ReducedOrder, lines: Sequence[Line], presale: Presale | None) -> OrderStatus:
    """`order_status` decides whether goods may go; `main_status` only tells more about an order that is closed."""
    status = choose(ORDER_STATUS, wire.order_status, "order_status")
    main = status if wire.main_status is None else choose(MAIN_STATUS, wire.main_status, "main_status")
    if wire.main_status in REFUNDED_MAIN_STATUS or main is _CANCELLED:
        return main
    if status in _OVER:
        return status
    if presale is not None and not presale.final_paid:
        return _AWAITING_PAYMENT
    if main is _AWAITING_PAYMENT or main is _ON_HOLD:
        status = main
    goods = [line.status for line in lines if line.kind is not _SERVICE]
    if goods and goods.count(_LINE_CANCELLED) == len(goods):
        return _CANCELLED
    return status


def _payment(wire: ReducedOrder, lines: Sequence[Line], status: OrderStatus, presale: Presale | None) -> PaymentStatus:
    if presale is not None and not presale.final_paid:
        deposit_paid = wire.main_status == 103 or any(phase.pay_success for phase in wire.order_phase_list)
        return PaymentStatus.DEPOSIT_PAID if deposit_paid else PaymentStatus.UNPAID
    if status is _AWAITING_PAYMENT:
        return PaymentStatus.UNPAID
    if wire.pay_time == 0 and wire.pay_type == CASH_ON_DELIVERY:
        return PaymentStatus.CASH_ON_DELIVERY
    if wire.main_status in REFUNDED_MAIN_STATUS or not [line for line in lines if line.refund is not _REFUNDED]:
        return PaymentStatus.REFUNDED
    if status is _CANCELLED:
        return PaymentStatus.REFUNDED if wire.pay_time else PaymentStatus.UNPAID
    return _PAID


def _presale(wire: ReducedOrder) -> Presale | None:
    """A deposit presale, a presale paid in full, or a sale with an appointed day to ship."""
    not_before = unix_time(wire.appointment_ship_time, "appointment_ship_time")
    phases = wire.order_phase_list
    if phases or wire.main_status == 103 or DEPOSIT_PRESALE in [row.trade_type for row in wire.sku_order_list]:
        paid = all(phase.pay_success for phase in phases) if phases else wire.order_status != 1
        deposit = sum(phase.phase_payable_price for phase in phases if phase.current_phase == 1)
        return Presale(final_paid=paid and wire.main_status != 103, ship_not_before=not_before, deposit=deposit)
    if not_before or [row for row in wire.sku_order_list if _sold_ahead(row)]:
        return Presale(final_paid=wire.order_status != 1, ship_not_before=not_before)
    return None


def _sold_ahead(row: SkuOrder) -> bool:
    return row.pre_sale_type == FULL_PAY_PRESALE or PRE_SALE_TAG in [tag.key for tag in row.sku_order_tag_ui]


def _pay_deadline(wire: ReducedOrder, payment: PaymentStatus) -> datetime | None:
    """When the platform closes the order: of a presale, when the phase that is to be paid next closes."""
    closing = [phase.phase_close_time for phase in _open_phases(wire.order_phase_list) if phase.phase_close_time]
    if payment is PaymentStatus.UNPAID and wire.order_expire_time:
        expire = wire.order_expire_time
        closing.append(expire if expire >= NOT_A_CLOCK_TIME else wire.create_time + expire)
    return unix_time(min(closing, default=0), "order_expire_time")


def _open_phases(phases: Sequence[Phase]) -> Iterator[Phase]:
    return (phase for phase in phases if not phase.pay_success)


# -- money ---------------------------------------------------------------------------------------------------------


def _totals(wire: ReducedOrder) -> Totals:
    goods = sum([worth(row) for row in wire.sku_order_list])
    postage, paid = wire.post_amount, wire.pay_amount
    discount = max(0, goods + postage - paid) if wire.promotion_amount is None else wire.promotion_amount
    return Totals(goods=goods, discount=discount, postage=postage, paid=paid, other=paid - (goods - discount + postage))


def _promotions(wire: ReducedOrder) -> tuple[Promotion, ...]:
    """Who gave what: shop, platform or talent, as coupon, full-reduction or red packet."""
    found = []
    for giver, detail_field, amount_field, zh in _GIVERS:
        detail: Discount | None = getattr(wire.promotion_detail, detail_field, None)
        left = getattr(wire, amount_field) if detail is None else detail.total_amount
        if detail is not None:
            for means, field, name in _MEANS:
                amount = getattr(detail, field)
                left -= amount
                if amount:
                    found.append(Promotion(name=zh + name, amount=amount, code=f"{giver}-{means}"))
        if left > 0:
            found.append(Promotion(name=zh + "优惠", amount=left, code=giver))
    return tuple(found)


# -- receiver ------------------------------------------------------------------------------------------------------


def _ship_to(wire: ReducedOrder) -> ShipTo:
    """Names, phones and streets come as ciphertext beside a masked text for people. `/order/batchDecrypt` takes the
    ciphertexts one by one, so the token is a JSON object of them.
    """
    address = wire.post_addr or _NO_ADDRESS
    masked = wire.mask_post_addr or _NO_ADDRESS
    ciphers = {
        "receiver": wire.encrypt_post_receiver,
        "tel": wire.encrypt_post_tel,
        "detail": address.encrypt_detail,
    }
    encrypted = {name: cipher for name, cipher in ciphers.items() if cipher}
    plain = wire.post_receiver or wire.post_tel or address.detail
    mask = wire.mask_post_receiver or wire.mask_post_tel or masked.detail
    return ShipTo(
        privacy=_privacy(bool(encrypted), bool(plain), bool(mask)),
        province=_place(address, masked, "province"),
        city=_place(address, masked, "city"),
        district=_place(address, masked, "town"),
        town=_place(address, masked, "street"),
        street=address.detail or masked.detail or "",
        name=wire.post_receiver or wire.mask_post_receiver or "",
        phone=wire.post_tel or wire.mask_post_tel or "",
        token=orjson.dumps(encrypted).decode() if encrypted else "",
        receiver_key=wire.open_address_id or "",
    )


def _privacy(encrypted: bool, plain: bool, masked: bool) -> Privacy:
    if plain:
        return Privacy.PLAIN
    if encrypted:
        return Privacy.ENCRYPTED
    return Privacy.MASKED if masked else Privacy.MISSING


def _place(address: Address, masked: Address, level: str) -> str:
    for source in (address, masked):
        place = getattr(source, level)
        if place is not None and place.name:
            return str(place.name)
    return ""
