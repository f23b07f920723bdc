"""The contract with the WMS: what we tell a warehouse and what it answers. Versioned; fields are only ever added."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from enum import StrEnum

from schemas.ids import Slug
from schemas.order import ShipTo, StorageClass
from schemas.record import record


class InstructionKind(StrEnum):
    """What the warehouse should do."""

    FULFIL = "fulfil"  # pick, pack and ship
    CANCEL = "cancel"  # do not ship; answer whether it was still possible
    CHANGE = "change"  # replaces the earlier instruction for the same order


@record
class PickLine:
    """One line of the pick list. Purchased and gift lines stand in lists of their own."""

    line_id: str
    sku: str
    quantity: int
    title: str
    storage_class: StorageClass = StorageClass.AMBIENT
    bound_to: tuple[str, ...] = ()


@record
class FulfillmentInstruction:
    """On `orders.routed.<warehouse>`. Drop one whose revision is not newer than what you hold for `order_uid`."""

    instruction_id: str  # <order uid>@<revision>/<warehouse>/<kind>: the same on every repeat
    kind: InstructionKind
    order_uid: str
    revision: str
    warehouse_id: Slug
    channel: Slug
    shop_id: Slug
    platform_order_id: str
    purchased: tuple[PickLine, ...]
    gifts: tuple[PickLine, ...]
    ship_to: ShipTo
    placed_at: datetime
    paid_at: datetime | None = None
    ship_by: datetime | None = None
    parcel: int = 1  # of a split order: which parcel this is ...
    parcels: int = 1  # ... of how many
    buyer_remark: str = field(default="", repr=False)
    seller_memo: str = field(default="", repr=False)
    schema_version: int = 1


class WmsEventKind(StrEnum):
    """What a warehouse did with an instruction."""

    ACCEPTED = "accepted"
    PICKED = "picked"
    SHORT = "short"
    REJECTED = "rejected"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"


@record
class WmsEvent:
    """On `wms.events`: a warehouse's answer. `message_id` is the WMS's own: the same id is the same event."""

    message_id: str
    kind: WmsEventKind
    order_uid: str
    warehouse_id: Slug
    instruction_id: str
    at: datetime
    quantities: dict[str, int] = field(default_factory=dict)  # sku -> units concerned; empty = all
    reason: str = ""  # with short and rejected: not-there, damaged, address, other
    tracking_number: str = field(default="", repr=False)
    carrier: str = ""


def gives_back(said: WmsEventKind, instruction: InstructionKind) -> bool:
    """Whether a warehouse that says this of an instruction does not ship the order, or not all of it.

    One that rejects a change or a cancellation goes on as it was told before.
    """
    if said is WmsEventKind.REJECTED:
        return instruction is InstructionKind.FULFIL
    return said in (WmsEventKind.SHORT, WmsEventKind.CANCELLED)


def refuses_change(said: WmsEventKind, instruction: InstructionKind) -> bool:
    """Whether a warehouse that says this ships the order as it was before it was changed."""
    return said is WmsEventKind.REJECTED and instruction is InstructionKind.CHANGE
