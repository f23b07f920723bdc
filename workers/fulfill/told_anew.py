"""An order that was cancelled and ordered anew, and what its warehouse says of the instruction before that. Pure.

What has left is never packed again: where goods left by the older instruction, nobody will follow the newer one.
"""

from __future__ import annotations

from schemas.fulfillment import InstructionKind, WmsEventKind, gives_back
from workers.fulfill.reading import Answered
from workers.inventory.operations.drop_return import DropReturn
from workers.inventory.records import LIVE, InstructionStatus, Reservation

_FULFIL = InstructionKind.FULFIL.value


def newer_order(answered: Answered, standing: InstructionStatus) -> str:
    """The revision that the warehouse was told last, if it was told to ship the order from the beginning since the
    instruction that it answers, and has followed nothing newer than that; else "".
    """
    last = standing.told or standing.told_last
    anew = any(kind == _FULFIL and answered.revision < revision <= last for revision, kind in standing.sent or ())
    return last if anew and standing.followed <= answered.revision else ""


def is_never_packed(answered: Answered, standing: InstructionStatus, found: Reservation) -> bool:
    """Whether goods have left, all is over that this answer is about, and units are reserved for the newer order."""
    if not found.shipped or found.state not in LIVE:
        return False
    if answered.event.kind is WmsEventKind.SHIPPED:
        return all(found.shipped.get(sku, 0) >= units for sku, units in (standing.asked or {}).items())
    return gives_back(answered.event.kind, answered.instruction)


def follows_anew(answered: Answered, standing: InstructionStatus) -> DropReturn | None:
    """To be remembered when a warehouse has read the newer order: what it says of older ones does not end that."""
    event, revision = answered.event, answered.revision
    if answered.instruction is not InstructionKind.FULFIL or event.kind is WmsEventKind.REJECTED:
        return None
    told_before = any(kind != InstructionKind.CANCEL.value and one < revision for one, kind in standing.sent or ())
    if told_before and standing.followed < revision:
        return DropReturn(event.order_uid, event.warehouse_id, revision)
    return None
