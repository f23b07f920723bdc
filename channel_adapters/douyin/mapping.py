"""From doudian's order object to our order: tables and pure functions, after the platform's field notes.

Order money: pay_amount = sum(sum_amount) - promotion_amount + post_amount; whatever else the platform adds (packing,
tax, freight insurance, a changed price, payment discounts) is `Totals.other`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import orjson

from channel_adapters.douyin.wire import Address, Discount, FullOrder, Phase, ReducedOrder, SkuOrder, Tag
from channel_adapters.reading import buyer_key, choose, read_model, required, sealed, share_out, unix_time
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

_OPEN, _SHIPPED, _CANCELLED = LineStatus.OPEN, LineStatus.SHIPPED, LineStatus.CANCELLED

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

LINE_STATUS = {
    1: _OPEN,
    105: _OPEN,
    2: _OPEN,
    101: _OPEN,
    3: _SHIPPED,
    4: _CANCELLED,
    5: _SHIPPED,
}

LINE_MAIN_STATUS = LINE_STATUS | {103: _OPEN, 21: _CANCELLED, 22: _SHIPPED, 39: _SHIPPED}

REFUNDED_MAIN_STATUS = frozenset({21, 22, 39})
REFUNDED_AFTER_SHIPPING = frozenset({22, 39})

AFTER_SALE_STATUS = {
    0: RefundStatus.NONE,
    6: RefundStatus.REQUESTED,  # applied
    7: RefundStatus.REQUESTED,  # return under way
    8: RefundStatus.REQUESTED,  # the seller is to send something
    11: RefundStatus.REQUESTED,  # returned goods sent
    12: RefundStatus.REFUNDED,  # success
    13: RefundStatus.NONE,  # the seller sent the exchange or the missing part
    14: RefundStatus.REQUESTED,  # received
    27: RefundStatus.NONE,  # refused
    28: RefundStatus.NONE,  # failed, or the buyer withdrew
    29: RefundStatus.NONE,  # return refused
    51: RefundStatus.REFUNDED,  # cancelled
    53: RefundStatus.NONE,  # closed: refunded only if refund_status says so
}

AFTER_SALE_TYPE = {
    0: "return",
    1: "refund-after-shipping",
    2: "refund-before-shipping",
    3: "exchange",
    4: "system-cancel",
    5: "buyer-cancel",
    6: "price-protection",
    7: "resend",
    8: "repair",
}

NO_MONEY_BACK = frozenset({3, 6, 7, 8})
"""After-sales that take no line back: an exchange, a price difference, a missing part, a repair."""

REFUND_SUCCESS = 3
REFUND_STATUS = {0: "none", 1: "pending", 2: "in-process", REFUND_SUCCESS: "success", 4: "failed"}

GOODS_TYPE = {0: LineKind.PURCHASE, 1: LineKind.SERVICE}
SKU_ORDER_TYPE = {
    0: LineKind.PURCHASE,
    2: LineKind.SERVICE,  # virtual
    4: LineKind.SERVICE,  # e-coupon
    5: LineKind.SERVICE,  # third-party coupon
}
GIVEN_PRODUCT_TYPE = {"": LineKind.PURCHASE, "MASTER": LineKind.PURCHASE, "FREE": LineKind.GIFT}

DEPOSIT_PRESALE, DEPOSIT_PRESALE_GIFT = 2, 102  # trade_type
FULL_PAY_PRESALE = 1
PRE_SALE_TYPE = {0: "", FULL_PAY_PRESALE: "full-pay-presale", 2: "staged-shipping"}
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
    lines = _lines(wire)
    presale = _presale(wire)
    status = _status(wire, lines, presale)
    payment = _payment(wire, lines, status, presale)
    settled = payment in (PaymentStatus.PAID, PaymentStatus.REFUNDED)
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
            pay_deadline=_pay_deadline(wire, payment) if status is OrderStatus.AWAITING_PAYMENT else None,
            ship_by=unix_time(wire.exp_ship_time, "exp_ship_time"),
            buyer_key=buyer_key(CHANNEL, shop_id, wire.doudian_open_id or wire.open_id or ""),
            promotions=_promotions(wire),
            presale=presale,
            holds=("risk-review",) if status is OrderStatus.ON_HOLD else (),
            marks=_marks((wire.shop_order_tag_ui, wire.user_tag_ui, wire.address_tag_ui), wire.promise_info),
            buyer_remark=wire.buyer_words or "",
            seller_memo=wire.seller_words or "",
            seller_flag=SELLER_FLAG.get(wire.seller_remark_stars, str(wire.seller_remark_stars)),
        )
    )


def _status(wire: ReducedOrder, lines: Sequence[Line], presale: Presale | None) -> OrderStatus:
    """`order_status` decides whether goods may go; `main_status` only tells more about an order that is closed."""
    status = choose(ORDER_STATUS, wire.order_status, "order_status")
    main = status if wire.main_status is None else choose(MAIN_STATUS, wire.main_status, "main_status")
    if wire.main_status in REFUNDED_MAIN_STATUS or main is OrderStatus.CANCELLED:
        return main
    if status in (OrderStatus.CANCELLED, OrderStatus.COMPLETED, OrderStatus.SHIPPED):
        return status
    if presale is not None and not presale.final_paid:
        return OrderStatus.AWAITING_PAYMENT
    if main in (OrderStatus.AWAITING_PAYMENT, OrderStatus.ON_HOLD):
        status = main
    goods = [line for line in lines if line.kind is not LineKind.SERVICE]
    if goods and all(line.status is _CANCELLED for line in goods):
        return OrderStatus.CANCELLED
    return status


def _payment(wire: ReducedOrder, lines: Sequence[Line], status: OrderStatus, presale: Presale | None) -> PaymentStatus:
    if presale is not None and not presale.final_paid:
        deposit_paid = wire.main_status == 103 or any(phase.pay_success for phase in wire.order_phase_list)
        return PaymentStatus.DEPOSIT_PAID if deposit_paid else PaymentStatus.UNPAID
    if status is OrderStatus.AWAITING_PAYMENT:
        return PaymentStatus.UNPAID
    if wire.pay_time == 0 and wire.pay_type == CASH_ON_DELIVERY:
        return PaymentStatus.CASH_ON_DELIVERY
    if wire.main_status in REFUNDED_MAIN_STATUS or all(line.refund is RefundStatus.REFUNDED for line in lines):
        return PaymentStatus.REFUNDED
    if status is OrderStatus.CANCELLED:
        return PaymentStatus.REFUNDED if wire.pay_time else PaymentStatus.UNPAID
    return PaymentStatus.PAID


def _presale(wire: ReducedOrder) -> Presale | None:
    """A deposit presale, a presale paid in full, or a sale with an appointed day to ship."""
    not_before = unix_time(wire.appointment_ship_time, "appointment_ship_time")
    phases = wire.order_phase_list
    if phases or wire.main_status == 103 or any(row.trade_type == DEPOSIT_PRESALE for row in wire.sku_order_list):
        paid = all(phase.pay_success for phase in phases) if phases else wire.order_status != 1
        deposit = sum(phase.phase_payable_price for phase in phases if phase.current_phase == 1)
        return Presale(final_paid=paid and wire.main_status != 103, ship_not_before=not_before, deposit=deposit)
    if not_before or any(_sold_ahead(row) for row in wire.sku_order_list):
        return Presale(final_paid=wire.order_status != 1, ship_not_before=not_before)
    return None


def _sold_ahead(row: SkuOrder) -> bool:
    return row.pre_sale_type == FULL_PAY_PRESALE or any(tag.key == PRE_SALE_TAG for tag in row.sku_order_tag_ui)


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
    goods = sum(_worth(row) for row in wire.sku_order_list)
    postage, paid = wire.post_amount, wire.pay_amount
    discount = max(0, goods + postage - paid) if wire.promotion_amount is None else wire.promotion_amount
    return Totals(goods=goods, discount=discount, postage=postage, paid=paid, other=paid - (goods - discount + postage))


def _worth(row: SkuOrder) -> int:
    return row.origin_amount * row.item_num if row.sum_amount is None else row.sum_amount


def _paid_shares(wire: ReducedOrder) -> list[int]:
    """What each line cost the buyer. The platform says so; where it does not, what was paid is shared out by worth."""
    told = [row.pay_amount for row in wire.sku_order_list if row.pay_amount is not None]
    if len(told) == len(wire.sku_order_list):
        return told
    return share_out(max(0, wire.pay_amount - wire.post_amount), [_worth(row) for row in wire.sku_order_list])


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


# -- lines ---------------------------------------------------------------------------------------------------------


def _lines(wire: ReducedOrder) -> tuple[Line, ...]:
    shares = _paid_shares(wire)
    shipped = _shipped_counts(wire)
    paid = wire.pay_time > 0
    return tuple(
        _line(row, f"sku_order_list.{index}", share, shipped.get(row.order_id, 0), paid)
        for index, (row, share) in enumerate(zip(wire.sku_order_list, shares, strict=True))
    )


def _line(row: SkuOrder, where: str, paid: int, shipped: int, order_paid: bool) -> Line:
    status, refund = _line_status(row, where, order_paid)
    quantity = row.item_num
    if status is _CANCELLED:
        quantity = 0
    elif status is _OPEN and shipped:
        quantity = max(0, quantity - shipped)
        status = status if quantity else _SHIPPED
        quantity = quantity or row.item_num
    kind = _kind(row, where)
    return Line(
        line_id=row.order_id,
        sku=_sku(row),
        quantity=quantity,
        unit_price=row.origin_amount,
        paid=paid,
        platform_sku=row.sku_id or "",
        title=row.product_name or "",
        kind=kind,
        status=status,
        refund=refund,
        bound_to=tuple(row.master_sku_order_id_list) if kind is LineKind.GIFT else (),
        marks=_line_marks(row, where),
    )


def _line_status(row: SkuOrder, where: str, order_paid: bool) -> tuple[LineStatus, RefundStatus]:
    """A closed sub-order never ships, whatever else it says; neither does a refunded one that had not shipped."""
    status = choose(LINE_STATUS, row.order_status, f"{where}.order_status")
    refund = _refund(row, where)
    if row.main_status is not None:
        main = choose(LINE_MAIN_STATUS, row.main_status, f"{where}.main_status")
        if row.main_status in REFUNDED_MAIN_STATUS:
            return main, RefundStatus.REFUNDED
        if main is _CANCELLED:
            status = main
    if status is _CANCELLED and row.ship_time:
        return _SHIPPED, RefundStatus.REFUNDED
    if refund is RefundStatus.REFUNDED and status is _OPEN:
        status = _CANCELLED
    if status is _CANCELLED:
        refund = RefundStatus.REFUNDED if order_paid else RefundStatus.NONE
    return status, refund


def _refund(row: SkuOrder, where: str) -> RefundStatus:
    """`after_sale_status` decides: when a buyer withdraws, refund_status stays at 1 (pending)."""
    sale = row.after_sale_info
    if sale is None:
        return RefundStatus.NONE
    refund = choose(AFTER_SALE_STATUS, sale.after_sale_status, f"{where}.after_sale_info.after_sale_status")
    choose(AFTER_SALE_TYPE, sale.after_sale_type, f"{where}.after_sale_info.after_sale_type")
    choose(REFUND_STATUS, sale.refund_status, f"{where}.after_sale_info.refund_status")
    if sale.after_sale_type in NO_MONEY_BACK:
        return RefundStatus.NONE
    if sale.after_sale_status == 53 and sale.refund_status == REFUND_SUCCESS:
        return RefundStatus.REFUNDED
    return refund


def _kind(row: SkuOrder, where: str) -> LineKind:
    goods = choose(GOODS_TYPE, row.goods_type, f"{where}.goods_type")
    sold_as = choose(SKU_ORDER_TYPE, row.order_type, f"{where}.order_type")
    given = choose(GIVEN_PRODUCT_TYPE, row.given_product_type or "", f"{where}.given_product_type")
    if LineKind.SERVICE in (goods, sold_as):
        return LineKind.SERVICE
    return LineKind.GIFT if row.trade_type == DEPOSIT_PRESALE_GIFT else given


def _sku(row: SkuOrder) -> str:
    """The seller's own code: `code`, then `out_sku_id`, where "0" means none."""
    code = (row.code or "").strip()
    outer = (row.out_sku_id or "").strip()
    return code or ("" if outer == "0" else outer)


def _shipped_counts(wire: ReducedOrder) -> dict[str, int]:
    """By sub-order: the units that parcels hold already."""
    counts: dict[str, int] = {}
    for parcel in wire.logistics_info:
        for item in parcel.product_info:
            counts[item.sku_order_id] = counts.get(item.sku_order_id, 0) + item.product_count
    return counts


def _line_marks(row: SkuOrder, where: str) -> tuple[str, ...]:
    marks = [choose(PRE_SALE_TYPE, row.pre_sale_type, f"{where}.pre_sale_type")] if row.pre_sale_type else []
    if row.trade_type:
        marks.append(f"trade_type={row.trade_type}")
    sale = row.after_sale_info
    if sale is not None and sale.after_sale_status and sale.after_sale_type in NO_MONEY_BACK:
        marks.append(f"after-sale={AFTER_SALE_TYPE[sale.after_sale_type]}")
    marks += [f"cid={cid}" for cid in (row.first_cid, row.second_cid, row.third_cid, row.fourth_cid) if cid]
    marks += [f"{spec.name}={spec.value}" for spec in row.spec]
    marks += [f"campaign={campaign.campaign_name}" for campaign in row.campaign_info if campaign.campaign_name]
    return (*marks, *_marks((row.sku_order_tag_ui,), row.promise_info))


def _marks(groups: Sequence[Sequence[Tag]], promises: str | None) -> tuple[str, ...]:
    if not promises and not any(groups):
        return ()
    return (*(tag.key for tags in groups for tag in tags if tag.key), *_promise_marks(promises))


def _promise_marks(promises: str | None) -> Iterator[str]:
    """`promise_info` is JSON in a text; it only labels the order, so that one we cannot read labels nothing."""
    try:
        told = orjson.loads(promises or "{}")
    except orjson.JSONDecodeError:
        return
    if isinstance(told, dict):
        for name, value in told.items():
            if value is True:
                yield name
            elif isinstance(value, (str, int)) and value:
                yield f"{name}={value}"


# -- receiver ------------------------------------------------------------------------------------------------------


def _ship_to(wire: ReducedOrder) -> ShipTo:
    """Names, phones and streets come as ciphertext beside a masked text for people. `/order/batchDecrypt` takes the
    ciphertexts one by one, so the token is a JSON object of them.
    """
    address = wire.post_addr or Address()
    masked = wire.mask_post_addr or Address()
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
