"""What warehouses answer: wms.events. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from schemas.fulfillment import WmsEventKind
from workers.book.aspects import LEFT, WMS
from workers.book.excerpts import AnswerExcerpt
from workers.book.facts import Fact, Place, happened, identity, utc
from workers.book.order_aspects import SHIPPED

_SHIPPED: Final = WmsEventKind.SHIPPED.value


def answered(said: AnswerExcerpt, place: Place) -> Sequence[Fact]:
    """Of wms.events."""
    uid, at = said.order_uid, utc(said.at)
    whole = identity(uid)
    row = (uid, said.warehouse_id, at, said.message_id, said.kind, said.instruction_id, said.reason)
    facts: list[Fact] = [
        (WMS, row),
        happened(uid, f"wms-{said.kind}", said.message_id, at, (said.reason,), said.warehouse_id),
    ]
    if said.kind == _SHIPPED:
        facts += [(SHIPPED, (*whole, at, [said.warehouse_id])), (LEFT, (uid, said.warehouse_id, at))]
    return facts
