"""What an order's workflow led to, and what the world is told of it: the same for a repeat, byte by byte. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from schemas.codes import HoldCode, PlanReason
from schemas.decision import Upheld
from schemas.fulfillment import FulfillmentInstruction, InstructionKind, PickLine
from schemas.order import Line, LineKind, Order, lines_that_stay, lines_to_ship
from schemas.plan import (
    Backorder,
    Disposition,
    PlannedOrder,
    ReturnedOrder,
    ReviewOrder,
    TaggedOrder,
    TransferRequest,
    to_review,
)
from schemas.record import changed, encode, record
from schemas.revision import MOST_TRIES, retry_of, tries_of

Event = FulfillmentInstruction | Backorder | TransferRequest | ReviewOrder

DELETED: Final = HoldCode.DELETED_AFTER_TOLD.value
"""The hold code of an order that its shop deleted when goods of it had left a warehouse, or might have."""

PARTLY_SHIPPED: Final = HoldCode.PARTLY_SHIPPED.value
"""The hold code of an order of which a part has left, when a later revision wants what nobody was told to ship."""


@record
class Instruction:
    """One instruction to a warehouse. `line_ids` None: all lines. `units`: what it asks for, by SKU."""

    warehouse_id: str
    kind: InstructionKind
    parcel: int = 1
    parcels: int = 1
    line_ids: tuple[str, ...] | None = None
    units: dict[str, int] = field(default_factory=dict)


@record
class Result:
    """All that a repeat needs to say the same again."""

    told: tuple[Instruction, ...] = ()
    backordered: bool = False
    missing: dict[str, int] = field(default_factory=dict)
    transfer_to: str = ""
    transfer_from: str = ""
    after_expiry: bool = False
    partly_shipped: bool = False
    deleted: bool = False  # by its shop, when goods had left or might have
    decided: int = 0  # how many decisions of people the plan knew that this was said of: see repeated


def events_of(planned: PlannedOrder, result: Result) -> list[Event]:
    """What the world is told. The same for a repeat, byte by byte."""
    events: list[Event] = [_instruction(planned, told) for told in result.told]
    if result.backordered:
        events.append(Backorder(planned=planned, missing=result.missing, after_expiry=result.after_expiry))
    if result.transfer_to:
        events.append(_transfer(planned.order, result))
    if result.partly_shipped:
        events.append(_review(planned, result.missing))
    if result.deleted:
        events.append(to_review(planned, DELETED, PlanReason.DELETED_IN_SHOP()))
    return events


def repeated(planned: PlannedOrder, result: Result) -> list[Event]:
    """What the world is told once more, because it may not have heard: of the very plan it was said of.

    The platform's record may be read again after people decided: a plan of the same revision with other lines. The
    plan that was carried out is in Kafka and will come again by itself if it must; and what people decided comes under
    a revision of its own.
    """
    return events_of(planned, result) if planned.decided == result.decided else []


def decided_anew(planned: PlannedOrder, at_ms: int) -> list[ReturnedOrder]:
    """An order whose plan knows nothing of what people decided since: put back, to be decided with it.

    As of the time of its plan, so that a repeat is the same. Decision 26.
    """
    order, plan = planned.order, planned.plan
    if tries_of(order.revision) >= MOST_TRIES:
        return []  # it was put back so often: what people decided last is on its way all the same
    again = changed(order, revision=retry_of(order.revision))
    upheld = Upheld(number=planned.decided, gave_up=plan.gave_up, returns=plan.returns)
    tagged = TaggedOrder(order=again, tags=planned.tags, flags=planned.flags, upheld=upheld)
    return [ReturnedOrder(tagged=tagged, at=datetime.fromtimestamp(at_ms / 1000, UTC))]


def _review(planned: PlannedOrder, missing: dict[str, int]) -> ReviewOrder:
    rest = ", ".join(f"{sku} x{units}" for sku, units in sorted(missing.items()))
    return to_review(planned, PARTLY_SHIPPED, PlanReason.REST_NOT_TOLD(rest=rest), missing)


def _instruction(planned: PlannedOrder, told: Instruction) -> FulfillmentInstruction:
    order = planned.order
    lines = () if told.kind is InstructionKind.CANCEL else _lines_of(planned)
    if told.line_ids is not None:
        lines = tuple(line for line in lines if line.line_id in told.line_ids)
    return FulfillmentInstruction(
        instruction_id=f"{order.uid}@{order.revision}/{told.warehouse_id}/{told.kind}",
        kind=told.kind,
        order_uid=order.uid,
        revision=order.revision,
        warehouse_id=told.warehouse_id,
        channel=order.channel,
        shop_id=order.shop_id,
        platform_order_id=order.platform_order_id,
        purchased=tuple(pick_line(line) for line in lines if line.kind is LineKind.PURCHASE),
        gifts=tuple(pick_line(line) for line in lines if line.kind is LineKind.GIFT),
        ship_to=order.ship_to,
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        ship_by=order.ship_by,
        parcel=told.parcel,
        parcels=told.parcels,
        buyer_remark=order.buyer_remark,
        seller_memo=order.seller_memo,
    )


def _lines_of(planned: PlannedOrder) -> tuple[Line, ...]:
    """When the platform says that all has shipped, a warehouse may still be told what not to ship of it."""
    ignored = planned.plan.disposition is Disposition.IGNORE
    return lines_that_stay(planned.order) if ignored else lines_to_ship(planned.order)


def digest_of(order: Order, lines: Sequence[Line]) -> str:
    """What a warehouse is told, in short: the same digest means that it need not be told again."""
    return digest_of_told([pick_line(line) for line in lines], order.ship_to, order.buyer_remark, order.seller_memo)


def digest_of_told(picks: Sequence[Any], ship_to: Any, buyer_remark: str, seller_memo: str) -> str:
    """The same from the parts of an instruction, as records or as their JSON says them."""
    return blake2b(encode((picks, ship_to, buyer_remark, seller_memo)), digest_size=8).hexdigest()


def pick_line(line: Line) -> PickLine:
    """A line as the picker sees it."""
    return PickLine(
        line_id=line.line_id,
        sku=line.sku,
        quantity=line.quantity,
        title=line.title,
        storage_class=line.storage_class,
        bound_to=line.bound_to,
    )


def _transfer(order: Order, result: Result) -> TransferRequest:
    return TransferRequest(
        transfer_id=f"{order.uid}@{order.revision}/{result.transfer_to}",
        order_uid=order.uid,
        revision=order.revision,
        to_warehouse=result.transfer_to,
        quantities=result.missing,
        from_warehouse=result.transfer_from or None,
    )
