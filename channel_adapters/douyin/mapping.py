"""From doudian's order object to our order: tables and pure functions, after the platform's field notes.

Order money: pay_amount = sum(sum_amount) - promotion_amount + post_amount; whatever else the platform adds (packing,
tax, freight insurance, a changed price, payment discounts) is `Totals.other`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from channel_adapters.douyin.lines import (
    DEPOSIT_PRESALE,
    FULL_PAY_PRESALE,
    Named,
    named_rows,
    to_lines,
    worth,
)
from channel_adapters.douyin.marks import to_marks
from channel_adapters.douyin.wire import Address, Discount, Phase, ReducedOrder, SkuOrder, Stopped
from channel_adapters.fields import is_set, small_number
from channel_adapters.reading import Reading, buyer_key, given_up, required, unix_time, with_revision
from channel_adapters.shop import Shop
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
    Promotion,
    RefundStatus,
    ShipTo,
    Source,
    Totals,
)

CHANNEL: Final = "douyin"

# -- tables --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stage:
    """What a status word says about an order."""

    status: OrderStatus
    refunded: bool = False  # all of it
    deposit_paid: bool = False  # and not the rest
    in_review: bool = False  # the platform's risk check holds it


ORDER_STATUS: Final = {
    1: Stage(OrderStatus.AWAITING_PAYMENT),
    105: Stage(OrderStatus.ON_HOLD, in_review=True),  # paid
    2: Stage(OrderStatus.TO_SHIP),
    101: Stage(OrderStatus.PART_SHIPPED),
    3: Stage(OrderStatus.SHIPPED),
    4: Stage(OrderStatus.CANCELLED),
    5: Stage(OrderStatus.COMPLETED),
}

MAIN_STATUS: Final = ORDER_STATUS | {
    103: Stage(OrderStatus.AWAITING_PAYMENT, deposit_paid=True),
    21: Stage(OrderStatus.CANCELLED, refunded=True),  # before shipping
    22: Stage(OrderStatus.COMPLETED, refunded=True),  # after shipping: the goods went out
    39: Stage(OrderStatus.COMPLETED, refunded=True),  # after receipt
}

MEANS: Final = {status: Stage(status) for status in OrderStatus}
"""What a word says when the shop's own table gives it a meaning."""
_UNKNOWN: Final = Stage(OrderStatus.ON_HOLD)

# An attribute of an enumeration costs ten times a global.
_AWAITING_PAYMENT, _ON_HOLD, _CANCELLED = OrderStatus.AWAITING_PAYMENT, OrderStatus.ON_HOLD, OrderStatus.CANCELLED
_OVER = (OrderStatus.CANCELLED, OrderStatus.COMPLETED, OrderStatus.SHIPPED)
_PAID, _REFUNDED = PaymentStatus.PAID, RefundStatus.REFUNDED
_SERVICE, _LINE_CANCELLED = LineKind.SERVICE, LineStatus.CANCELLED
_NO_ADDRESS = Address()

PRE_SALE_TAG: Final = "pre_sale_label"
CASH_ON_DELIVERY: Final = (0, "0")  # pay_type
FIRST_PHASE: Final = (1, "1")

SELLER_FLAG: Final = {None: "", 0: "grey", 1: "purple", 2: "cyan", 3: "green", 4: "orange", 5: "red"}

NOT_A_CLOCK_TIME: Final = 10**9
"""`order_expire_time` is documented as a time and seen as seconds after placing: below this it is the latter."""

_GIVERS: Final = (
    ("shop", "shop_discount_detail", "promotion_shop_amount", "店铺"),
    ("platform", "platform_discount_detail", "promotion_platform_amount", "平台"),
    ("talent", "kol_discount_detail", "promotion_talent_amount", "达人"),
)
_MEANS: Final = (
    ("coupon", "coupon_amount", "优惠券"),
    ("full-discount", "full_discount_amount", "满减"),
    ("redpack", "redpack_amount", "红包"),
)
_RECEIVER: Final = (
    "post_addr",
    "province",
    "city",
    "town",
    "street",
    "name",
    "detail",
    "encrypt_detail",
    "encrypt_post_receiver",
    "encrypt_post_tel",
    "post_receiver",
    "post_tel",
)

# -- order ---------------------------------------------------------------------------------------------------------


def to_order(wire: ReducedOrder, reading: Reading) -> Order:
    """The order that doudian describes. Raises UnreadablePayload."""
    shop_id = reading.shop_id
    told = reading.status(ORDER_STATUS, wire.order_status, "order_status", _UNKNOWN, MEANS)
    main = told
    if wire.main_status is not None:
        main = reading.status(MAIN_STATUS, wire.main_status, "main_status", Stage(told.status), MEANS)
    rows = named_rows(wire, reading)
    lines = to_lines(wire, rows, reading)
    placed_at = required(unix_time(wire.create_time, "create_time"), "create_time")
    presale = _presale(wire, rows, told, main)
    status = _status(told, main, lines, presale)
    if status is _CANCELLED:
        lines = given_up(lines)
    payment = _payment(wire, main, lines, status, presale)
    settled = payment is _PAID or payment is PaymentStatus.REFUNDED
    totals = _totals(wire, rows)
    if reading.marks and "repeated-line" in reading.marks and abs(totals.other) > len(rows):
        reading.hold(HoldCode.DUPLICATE_LINES)
    return with_revision(
        Order(
            uid=order_uid(CHANNEL, shop_id, wire.order_id),
            channel=CHANNEL,
            shop_id=shop_id,
            platform_order_id=wire.order_id,
            revision="",
            modified_at=required(unix_time(wire.update_time, "update_time"), "update_time"),
            placed_at=placed_at,
            status=status,
            payment=payment,
            lines=lines,
            ship_to=_ship_to(wire, reading),
            totals=totals,
            source=Source(template=reading.template),
            paid_at=unix_time(wire.pay_time, "pay_time") if settled else None,
            pay_deadline=_pay_deadline(wire, placed_at, payment) if status is _AWAITING_PAYMENT else None,
            ship_by=unix_time(wire.exp_ship_time, "exp_ship_time"),
            buyer_key=buyer_key(CHANNEL, shop_id, wire.doudian_open_id or wire.open_id or ""),
            promotions=_promotions(wire),
            presale=presale,
            holds=_RISK_REVIEW if status is _ON_HOLD and (told.in_review or main.in_review) else (),
            marks=to_marks((wire.shop_order_tag_ui, wire.user_tag_ui, wire.address_tag_ui), wire.promise_info),
            buyer_remark=wire.buyer_words or "",
            seller_memo=wire.seller_words or "",
            seller_flag=SELLER_FLAG.get(wire.seller_remark_stars, str(wire.seller_remark_stars)),
        ),
        reading,
    )


_RISK_REVIEW: Final = (HoldCode.RISK_REVIEW,)


def is_over(head: Stopped, shop: Shop) -> bool:
    """Whether an order object says that nothing of it is to ship any more, nor has."""
    told = _stage(ORDER_STATUS, head.order_status, "order_status", shop)
    main = _stage(MAIN_STATUS, head.main_status, "main_status", shop)
    if main is not None and (main.refunded or main.status is _CANCELLED):
        return main.status is _CANCELLED
    return told is not None and told.status is _CANCELLED


def _stage(table: Mapping[Any, Stage], word: Any, field: str, shop: Shop) -> Stage | None:
    text = str(word).strip() if isinstance(word, int | str) and not isinstance(word, bool) else ""
    told = shop.policy.meaning_of(text, field)
    if told is not None:
        return MEANS[told]
    number = small_number(text)
    return None if number is None else table.get(number)


def _status(told: Stage, main: Stage, lines: Sequence[Line], presale: Presale | None) -> OrderStatus:
    """`order_status` decides whether goods may go; `main_status` only tells more about an order that is closed."""
    if main.refunded or main.status is _CANCELLED:
        return main.status
    status = told.status
    if status in _OVER:
        return status
    if presale is not None and not presale.final_paid:
        return _AWAITING_PAYMENT
    if main.status is _AWAITING_PAYMENT or main.status is _ON_HOLD:
        status = main.status
    goods = [line.status for line in lines if line.kind is not _SERVICE]
    if goods and goods.count(_LINE_CANCELLED) == len(goods):
        return _CANCELLED
    return status


def _payment(
    wire: ReducedOrder, main: Stage, lines: Sequence[Line], status: OrderStatus, presale: Presale | None
) -> PaymentStatus:
    """An order whose status is not known is taken for paid: its stock stays with it until a person has looked."""
    if presale is not None and not presale.final_paid:
        deposit_paid = main.deposit_paid or any(is_set(phase.pay_success) for phase in wire.order_phase_list)
        return PaymentStatus.DEPOSIT_PAID if deposit_paid else PaymentStatus.UNPAID
    if status is _AWAITING_PAYMENT:
        return PaymentStatus.UNPAID
    if not wire.pay_time and wire.pay_type in CASH_ON_DELIVERY:
        return PaymentStatus.CASH_ON_DELIVERY
    if main.refunded or (lines and not [line for line in lines if line.refund is not _REFUNDED]):
        return PaymentStatus.REFUNDED
    if status is _CANCELLED:
        return PaymentStatus.REFUNDED if wire.pay_time else PaymentStatus.UNPAID
    return _PAID


def _presale(wire: ReducedOrder, rows: Named, told: Stage, main: Stage) -> Presale | None:
    """A deposit presale, a presale paid in full, or a sale with an appointed day to ship."""
    not_before = unix_time(wire.appointment_ship_time, "appointment_ship_time")
    phases = wire.order_phase_list
    if phases or main.deposit_paid or bool([row for _, row in rows if row.trade_type in DEPOSIT_PRESALE]):
        paid = not _open_phases(phases) if phases else told.status is not _AWAITING_PAYMENT
        deposit = sum([phase.phase_payable_price or 0 for phase in phases if phase.current_phase in FIRST_PHASE])
        return Presale(final_paid=paid and not main.deposit_paid, ship_not_before=not_before, deposit=deposit)
    if not_before or [row for _, row in rows if _sold_ahead(row)]:
        return Presale(final_paid=told.status is not _AWAITING_PAYMENT, ship_not_before=not_before)
    return None


def _sold_ahead(row: SkuOrder) -> bool:
    if row.pre_sale_type in FULL_PAY_PRESALE:
        return True
    return bool(row.sku_order_tag_ui) and PRE_SALE_TAG in [tag.key for tag in row.sku_order_tag_ui or ()]


def _pay_deadline(wire: ReducedOrder, placed_at: datetime, payment: PaymentStatus) -> datetime | None:
    """When the platform closes the order: of a presale, when the phase that is to be paid next closes."""
    told = [unix_time(phase.phase_close_time, "phase_close_time") for phase in _open_phases(wire.order_phase_list)]
    closing = [moment for moment in told if moment is not None]
    if payment is PaymentStatus.UNPAID and (expire := wire.order_expire_time):
        clock = unix_time(expire, "order_expire_time") if expire >= NOT_A_CLOCK_TIME else None
        closing.append(clock or placed_at + timedelta(seconds=expire))
    return min(closing, default=None)


def _open_phases(phases: Sequence[Phase]) -> list[Phase]:
    return [phase for phase in phases if not is_set(phase.pay_success)]


# -- money ---------------------------------------------------------------------------------------------------------


def _totals(wire: ReducedOrder, rows: Named) -> Totals:
    goods = sum([worth(row) for _, row in rows])
    postage, paid = wire.post_amount or 0, wire.pay_amount
    discount = max(0, goods + postage - paid) if wire.promotion_amount is None else wire.promotion_amount
    return Totals(goods=goods, discount=discount, postage=postage, paid=paid, other=paid - (goods - discount + postage))


def _promotions(wire: ReducedOrder) -> tuple[Promotion, ...]:
    """Who gave what: shop, platform or talent, as coupon, full-reduction or red packet."""
    found = []
    for giver, detail_field, amount_field, zh in _GIVERS:
        detail: Discount | None = getattr(wire.promotion_detail, detail_field, None)
        left: int = (getattr(wire, amount_field) if detail is None else detail.total_amount) or 0
        if detail is not None:
            for means, field, name in _MEANS:
                amount: int = getattr(detail, field) or 0
                left -= amount
                if amount:
                    found.append(Promotion(name=zh + name, amount=amount, code=f"{giver}-{means}"))
        if left > 0:
            found.append(Promotion(name=zh + "优惠", amount=left, code=giver))
    return tuple(found)


# -- receiver ------------------------------------------------------------------------------------------------------


def _ship_to(wire: ReducedOrder, reading: Reading) -> ShipTo:
    """Names, phones and streets come as ciphertext beside a masked text for people. `/order/batchDecrypt` takes the
    ciphertexts one by one, so the token is a JSON object of them.

    An address that came in pieces that nobody can read is none: a person looks.
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
    unreadable = bool(reading.marks) and any(reading.was_odd(field) for field in _RECEIVER)
    return ShipTo(
        privacy=Privacy.MISSING if unreadable else _privacy(bool(encrypted), bool(plain), bool(mask)),
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
