"""What warehouses answer: wms.events. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.fulfillment import WmsEvent, WmsEventKind
from workers.book.aspects import LEFT, WMS
from workers.book.facts import Fact, Place, happened, identity, utc
from workers.book.order_aspects import SHIPPED


def answered(said: WmsEvent, place: Place) -> Sequence[Fact]:
    """Of wms.events."""
    uid, at = said.order_uid, utc(said.at)
    whole = identity(uid)
    row = (uid, said.warehouse_id, at, said.message_id, said.kind.value, said.instruction_id, said.reason)
    facts: list[Fact] = [
        (WMS, row),
        happened(uid, f"wms-{said.kind.value}", said.message_id, at, (said.reason,), said.warehouse_id),
    ]
    if said.kind is WmsEventKind.SHIPPED:
        facts += [(SHIPPED, (*whole, at, [said.warehouse_id])), (LEFT, (uid, said.warehouse_id, at))]
    return facts
