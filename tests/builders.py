"""Orders for tests and for trying things at a Python prompt: whole and valid by default, told apart by what you pass.

>>> from tests.builders import a_line, an_order
>>> an_order(lines=(a_line(sku="COFFEE-1KG", quantity=2),)).totals.goods
23800
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.codes import Explanation, FlagReason
from schemas.fulfillment import FulfillmentInstruction, WmsEvent, WmsEventKind
from schemas.ids import order_uid
from schemas.order import (
    Line,
    LineKind,
    Order,
    OrderStatus,
    PaymentStatus,
    Presale,
    Privacy,
    PromisedGift,
    Promotion,
    RelatedOrder,
    ShipTo,
    Source,
    Totals,
)
from schemas.plan import Candidate, Disposition, Flag, PlannedOrder, RoutingPlan, TaggedOrder
from schemas.revision import revision_of

NOON = datetime(2026, 11, 11, 4, 0, tzinfo=UTC)
"""Noon of 11 November 2026 in Beijing: when the orders here are placed, paid and modified."""


def a_line(
    sku: str = "NUT-BOX-500", quantity: int = 1, *, line_id: str = "1", unit_price: int = 12800, **fields: Any
) -> Line:
    """An open, paid purchase line. `paid` follows from price and quantity unless it is given."""
    fields.setdefault("paid", unit_price * quantity)
    fields.setdefault("title", f"商品 {sku}")
    return Line(line_id=line_id, sku=sku, quantity=quantity, unit_price=unit_price, **fields)


def a_gift(sku: str = "GIFT-DRIPPER", quantity: int = 1, *, line_id: str = "g1", **fields: Any) -> Line:
    """A line that the platform itself marks as a gift."""
    fields = {"kind": LineKind.GIFT, "title": f"赠品 {sku}", **fields}
    return a_line(sku, quantity, line_id=line_id, unit_price=0, **fields)


def lines(*skus: str) -> tuple[Line, ...]:
    """One purchased unit of each SKU, line ids 1, 2, 3 ..."""
    return tuple(a_line(sku, line_id=str(number)) for number, sku in enumerate(skus, start=1))


def a_ship_to(province: str = "浙江省", city: str = "杭州市", district: str = "西湖区", **fields: Any) -> ShipTo:
    """A receiver whose personal fields are masked, as most platforms give them."""
    given = {
        "privacy": Privacy.MASKED,
        "street": "测试路 * 号",
        "name": "测**",
        "phone": "120****0000",
        "token": "Example",
    }
    return ShipTo(province=province, city=city, district=district, **{**given, **fields})


def no_receiver() -> ShipTo:
    """What an order carries whose receiver the platform withheld."""
    return ShipTo(privacy=Privacy.MISSING, country="", province="", city="", district="")


def totals_of(lines: tuple[Line, ...], *, postage: int = 0) -> Totals:
    """Totals that add up for these lines."""
    goods = sum(line.unit_price * line.quantity for line in lines)
    paid = sum(line.paid for line in lines)
    return Totals(goods=goods, discount=goods - paid, postage=postage, paid=paid + postage)


def an_order(
    platform_order_id: str = "1001", *, channel: str = "taobao", shop_id: str = "tea-house", **fields: Any
) -> Order:
    """A paid Taobao order for one NUT-BOX-500 to Hangzhou. Uid, totals and revision follow from the rest."""
    ordered = fields.setdefault("lines", (a_line(),))
    fields.setdefault("ship_to", a_ship_to())
    fields.setdefault("totals", totals_of(ordered))
    fields.setdefault("status", OrderStatus.TO_SHIP)
    fields.setdefault("payment", PaymentStatus.PAID)
    fields.setdefault("placed_at", NOON)
    if fields["payment"] in (PaymentStatus.PAID, PaymentStatus.REFUNDED):
        fields.setdefault("paid_at", fields["placed_at"] + timedelta(minutes=1))
    fields.setdefault("modified_at", fields.get("paid_at") or fields["placed_at"])
    fields.setdefault("source", Source(template="test"))
    revision = fields.pop("revision", "")
    uid = order_uid(channel, shop_id, platform_order_id)
    order = Order(
        uid=uid, channel=channel, shop_id=shop_id, platform_order_id=platform_order_id, revision=revision, **fields
    )
    return order if revision else replace(order, revision=revision_of(order))


def an_unpaid_order(platform_order_id: str = "1001", **fields: Any) -> Order:
    """Placed, not yet paid, to be closed by the platform after half an hour."""
    placed_at = fields.setdefault("placed_at", NOON)
    given = {
        "status": OrderStatus.AWAITING_PAYMENT,
        "payment": PaymentStatus.UNPAID,
        "pay_deadline": placed_at + timedelta(minutes=30),
    }
    return an_order(platform_order_id, **{**given, **fields})


def a_cancelled_order(platform_order_id: str = "1001", **fields: Any) -> Order:
    """Closed before it was paid."""
    given = {"status": OrderStatus.CANCELLED, "payment": PaymentStatus.UNPAID}
    return an_order(platform_order_id, **{**given, **fields})


def a_presale(*, final_paid: bool = False, ship_not_before: datetime | None = None, deposit: int = 5000) -> Presale:
    """By default the deposit is paid and the final part is open."""
    return Presale(final_paid=final_paid, ship_not_before=ship_not_before, deposit=deposit)


def a_presale_order(platform_order_id: str = "1001", *, final_paid: bool = False, **fields: Any) -> Order:
    """One DOWN-COAT-M sold ahead: by default only its deposit is paid, as platforms report it."""
    ship_not_before = fields.pop("ship_not_before", None)
    given: dict[str, Any] = {
        "lines": (a_line("DOWN-COAT-M", unit_price=89900),),
        "presale": a_presale(final_paid=final_paid, ship_not_before=ship_not_before),
    }
    if not final_paid:
        given |= {"status": OrderStatus.AWAITING_PAYMENT, "payment": PaymentStatus.DEPOSIT_PAID}
    return an_order(platform_order_id, **{**given, **fields})


def a_promotion(name: str = "双11 满减", amount: int = 1000, code: str = "") -> Promotion:
    """A discount the platform names."""
    return Promotion(name=name, amount=amount, code=code)


def a_promised_gift(name: str = "咖啡滤杯", quantity: int = 1, platform_item_id: str = "") -> PromisedGift:
    """A gift announced in words only."""
    return PromisedGift(name=name, quantity=quantity, platform_item_id=platform_item_id)


def a_gift_of(main: str = "1000") -> RelatedOrder:
    """What an order carries that is the gift of another order."""
    return RelatedOrder(platform_order_id=main, relation="gift-of")


def a_flag(code: str = "gift-missing", **fields: Any) -> Flag:
    """A finding that blocks."""
    return Flag(code=code, **{"explanation": FlagReason.GIFTS_ONLY(), **fields})


def a_tagged_order(
    order: Order | None = None, *, tags: tuple[str, ...] = (), flags: tuple[Flag, ...] = ()
) -> TaggedOrder:
    """An order as `tag` hands it on, without looking at any catalogue."""
    return TaggedOrder(order=order or an_order(), tags=tags, flags=flags)


def a_plan(*warehouse_ids: str, disposition: Disposition = Disposition.RESERVE, **fields: Any) -> RoutingPlan:
    """A plan with these candidates (default: hangzhou), in this order."""
    given: dict[str, Any] = {
        "ruleset": "test@1",
        "explanation": Explanation(code="made-by-a-test"),
        "candidates": tuple(Candidate(warehouse_id=w, rule=f"to-{w}") for w in warehouse_ids or ("hangzhou",)),
    }
    return RoutingPlan(disposition=disposition, **{**given, **fields})


def a_planned_order(order: Order | None = None, plan: RoutingPlan | None = None, **fields: Any) -> PlannedOrder:
    """An order with a plan, as `route` hands it on."""
    return PlannedOrder(order=order or an_order(), plan=plan or a_plan(), **fields)


def a_wms_event(
    told: FulfillmentInstruction, kind: WmsEventKind | str, message_id: str = "", **fields: Any
) -> WmsEvent:
    """A warehouse's answer to an instruction, an hour after noon."""
    given: dict[str, Any] = {"at": NOON + timedelta(hours=1)}
    return WmsEvent(
        message_id=message_id or f"{told.warehouse_id}-{kind}-{told.revision}",
        kind=WmsEventKind(kind),
        order_uid=told.order_uid,
        warehouse_id=told.warehouse_id,
        instruction_id=told.instruction_id,
        **{**given, **fields},
    )
