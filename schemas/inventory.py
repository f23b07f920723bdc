"""Changes of stock, as the scripts in Redis made them."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from enum import StrEnum

from schemas.ids import Slug
from schemas.record import record


class InventoryEventKind(StrEnum):
    """What happened to a reservation or a counter."""

    HELD = "held"  # an unpaid order took stock
    COMMITTED = "committed"  # a paid order took stock, or its hold became a commitment
    CHANGED = "changed"  # an order's reservation was replaced by a newer revision's
    RELEASED = "released"  # cancelled or refunded: back to available
    EXPIRED = "expired"  # the payment deadline passed: back to available
    COUNTED = "counted"  # on-hand was set from a count
    ALLOCATED = "allocated"  # the WMS took the order over
    SHIPPED = "shipped"  # units left the warehouse
    SHORT = "short"  # the WMS could not find or use units
    LOST = "lost"  # on-hand is less: units are broken or not there; what the order has there is as it was
    TRANSFER_RESERVED = "transfer-reserved"  # set aside for another warehouse
    TRANSFER_SENT = "transfer-sent"
    TRANSFER_CANCELLED = "transfer-cancelled"
    TRANSFER_RECEIVED = "transfer-received"
    BEGAN_ANEW = "began-anew"  # all stock of the warehouse was given up: nothing is there, reserved or remembered
    NOTED = "noted"  # no stock moved: only what is remembered of an order changed


@record
class StockChange:
    """By how much the counters of one SKU moved."""

    sku: str
    on_hand: int = 0
    held: int = 0
    committed: int = 0
    allocated: int = 0  # with the WMS, not shipped
    transfer: int = 0  # reserved for another warehouse
    safety: int = 0


@record
class InventoryEvent:
    """On `inventory.events`: one atomic change in one warehouse. `sequence` has no gaps within a warehouse."""

    event_id: str  # <warehouse>/<sequence>
    sequence: int
    warehouse_id: Slug
    kind: InventoryEventKind
    at: datetime
    changes: tuple[StockChange, ...]
    order_uid: str = ""  # "" when no order caused it
    revision: str = ""
    state: str = ""  # of the order's reservation after it: held, committed, allocated, released, expired, shipped
    deadline: datetime | None = None  # with held, or stop = hold: when it ends by itself
    lines: dict[str, int] = field(default_factory=dict)  # sku -> units of the reservation, or the transfer, after it
    shipped: dict[str, int] = field(default_factory=dict)  # sku -> units that have left under the reservation so far
    stop: str = ""  # the WMS was told to stop, and on its answer: release | keep | hold, until the deadline
    fence: int = 0  # number of the claim that the reservation has seen last
    message_id: str = ""  # the WMS's message that caused it
    transfer_id: str = ""
    counted: tuple[str, ...] = ()  # with counted: the SKUs whose on-hand units were counted, changed or not ...
    counted_at: datetime | None = None  # ... and when
    moved_at: datetime | None = None  # of a shipment, a shortage or a transfer: when it happened in the warehouse
