"""From a record of a topic to rows of the book: one module for each kind of record, one row of `PROJECTIONS` each.

To add a topic: a module with a function like those here, its row below, and the topic in the stage's row of
topology.py. What it writes is an aspect of its own (workers/book/aspect.py) with columns that nobody else writes, in a
new numbered file of workers/book/schema/.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.topics import (
    INVENTORY_EVENTS,
    ORDERS_BACKORDERED,
    ORDERS_DECIDED,
    ORDERS_DECISIONS,
    ORDERS_DEFERRED,
    ORDERS_PLANNED,
    ORDERS_QUARANTINED,
    ORDERS_REVIEW,
    ORDERS_ROUTED,
    TRANSFERS_REQUESTED,
    WMS_EVENTS,
    Topic,
)
from workers.book.facts import Projection
from workers.book.projections.dead_letters import quarantined
from workers.book.projections.decisions import asked, decided
from workers.book.projections.instructions import routed
from workers.book.projections.inventory import moved
from workers.book.projections.orders import backordered, deferred, planned, reviewed
from workers.book.projections.transfers import requested
from workers.book.projections.warehouses import answered

PROJECTIONS: Final[Mapping[Topic, Projection]] = MappingProxyType(
    {
        ORDERS_PLANNED: planned,
        ORDERS_REVIEW: reviewed,
        ORDERS_DEFERRED: deferred,
        ORDERS_BACKORDERED: backordered,
        TRANSFERS_REQUESTED: requested,
        ORDERS_ROUTED: routed,
        WMS_EVENTS: answered,
        ORDERS_QUARANTINED: quarantined,
        ORDERS_DECISIONS: asked,
        ORDERS_DECIDED: decided,
        INVENTORY_EVENTS: moved,
    }
)
"""What each topic writes."""
