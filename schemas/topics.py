"""Every topic, one row: what it carries, what it is keyed by, how long it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from schemas.control import ChannelState
from schemas.dead_letter import DeadLetter
from schemas.decision import Decided, Decision
from schemas.epoch import StockEpoch
from schemas.fulfillment import FulfillmentInstruction, WmsEvent
from schemas.inventory import InventoryEvent
from schemas.namespace import prefixed
from schemas.notice import Notice
from schemas.order import Order
from schemas.plan import (
    Backorder,
    DeferredOrder,
    PlannedOrder,
    ReturnedOrder,
    ReviewOrder,
    TaggedOrder,
    TransferRequest,
    UpheldOrder,
)

FOREVER = timedelta.max


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, or a family of topics that share everything but the last part of their name."""

    base: str  # its name, before which the prefix of this installation comes
    model: type[Any] | None  # None: the platform's own bytes
    key: str  # attribute path of the record key in the model
    identity: str  # attribute path of what tells a repeat: goes into the header `dedupe-key`
    retention: timedelta
    per: str = ""  # attribute that names the member of a family: "warehouse_id"; "" for a single topic
    compacted: bool = False
    max_message_bytes: int = 1 << 20
    handover: bool = False  # between two neighbouring stages; needed only when they do not run chained

    @property
    def name(self) -> str:
        """The name on the brokers. Of a family: how the names of all its topics begin, up to the last dot."""
        return prefixed(self.base)

    def of(self, member: str) -> str:
        """The full name of one topic of the family: `orders.raw.` + `taobao`."""
        if not self.per:
            raise ValueError(f"{self.base} is a single topic")
        return f"{self.name}.{member}"

    def holds(self, name: str) -> bool:
        """Whether this is the full name of the topic, or of one of the family."""
        return name.startswith(f"{self.name}.") if self.per else name == self.name

    def __str__(self) -> str:
        return f"{self.base}.<{self.per.removesuffix('_id')}>" if self.per else self.base


# fmt: off
_week, _month, _quarter = timedelta(days=7), timedelta(days=30), timedelta(days=90)
_raw, _letter = 12 << 20, 18 << 20  # a 10 MB payload still fits, and its base64 still fits the dead letter
_decision = 64 << 10  # what a person decides about one order
_order, _about = 3 << 20, 4 << 20  # the largest order (schemas/limits.py) with its plan, and what is said about that

ORDERS_RAW          = Topic("orders.raw",          None,                   "",                  "",                       _month, per="channel", max_message_bytes=_raw)
ORDERS_NORMALIZED   = Topic("orders.normalized",   Order,                  "uid",               "revision",               _week, handover=True, max_message_bytes=_order)
ORDERS_UPHELD       = Topic("orders.upheld",       UpheldOrder,            "order.uid",         "order.revision",         _week, handover=True, max_message_bytes=_order)
ORDERS_TAGGED       = Topic("orders.tagged",       TaggedOrder,            "order.uid",         "order.revision",         _week, handover=True, max_message_bytes=_order)
ORDERS_PLANNED      = Topic("orders.planned",      PlannedOrder,           "order.uid",         "order.revision",         _month, max_message_bytes=_order)
ORDERS_REVIEW       = Topic("orders.review",       ReviewOrder,            "planned.order.uid", "planned.order.revision", _quarter, max_message_bytes=_about)
ORDERS_DEFERRED     = Topic("orders.deferred",     DeferredOrder,          "planned.order.uid", "planned.order.revision", _quarter, max_message_bytes=_about)
ORDERS_RETURNED     = Topic("orders.returned",     ReturnedOrder,          "tagged.order.uid",  "tagged.order.revision",  _week, max_message_bytes=_about)
ORDERS_REUPHELD     = Topic("orders.reupheld",     UpheldOrder,            "order.uid",         "order.revision",         _week, handover=True, max_message_bytes=_about)
ORDERS_RETAGGED     = Topic("orders.retagged",     TaggedOrder,            "order.uid",         "order.revision",         _week, handover=True, max_message_bytes=_about)
ORDERS_DECISIONS    = Topic("orders.decisions",    Decision,               "order_uid",         "decision_id",            _quarter, max_message_bytes=_decision)
ORDERS_DECIDED      = Topic("orders.decided",      Decided,                "order_uid",         "decision_id",            FOREVER)
ORDERS_BACKORDERED  = Topic("orders.backordered",  Backorder,              "planned.order.uid", "planned.order.revision", _quarter, max_message_bytes=_about)
ORDERS_ROUTED       = Topic("orders.routed",       FulfillmentInstruction, "order_uid",         "instruction_id",         _month, per="warehouse_id", max_message_bytes=_order)
ORDERS_QUARANTINED  = Topic("orders.quarantined",  DeadLetter,             "key",               "letter_id",              _quarter, max_message_bytes=_letter)
TRANSFERS_REQUESTED = Topic("transfers.requested", TransferRequest,        "order_uid",         "transfer_id",            _quarter)
INVENTORY_EVENTS    = Topic("inventory.events",    InventoryEvent,         "warehouse_id",      "event_id",               FOREVER)
INVENTORY_EPOCHS    = Topic("inventory.epochs",    StockEpoch,             "ledger",            "epoch_id",               FOREVER, compacted=True)
WMS_EVENTS          = Topic("wms.events",          WmsEvent,               "order_uid",         "message_id",             _month)
CHANNELS_CONTROL    = Topic("channels.control",    ChannelState,           "key",               "key",                    FOREVER, compacted=True)
NOTICES             = Topic("notices",             Notice,                 "key",               "notice_id",              _month)
# fmt: on

TOPICS: tuple[Topic, ...] = (
    ORDERS_RAW,
    ORDERS_NORMALIZED,
    ORDERS_UPHELD,
    ORDERS_TAGGED,
    ORDERS_PLANNED,
    ORDERS_REVIEW,
    ORDERS_DEFERRED,
    ORDERS_RETURNED,
    ORDERS_REUPHELD,
    ORDERS_RETAGGED,
    ORDERS_DECISIONS,
    ORDERS_DECIDED,
    ORDERS_BACKORDERED,
    ORDERS_ROUTED,
    ORDERS_QUARANTINED,
    TRANSFERS_REQUESTED,
    INVENTORY_EVENTS,
    INVENTORY_EPOCHS,
    WMS_EVENTS,
    CHANNELS_CONTROL,
    NOTICES,
)
