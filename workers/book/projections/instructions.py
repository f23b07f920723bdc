"""What warehouses are told: orders.routed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from schemas.fulfillment import InstructionKind
from workers.book.aspects import INSTRUCTION
from workers.book.excerpts import InstructionExcerpt
from workers.book.facts import Fact, Place, happened, identity, utc
from workers.book.order_aspects import ROUTED

_CANCEL: Final = InstructionKind.CANCEL.value


def routed(said: InstructionExcerpt, place: Place) -> Sequence[Fact]:
    """Of orders.routed. A cancellation routes nothing: it only ends a shipment."""
    row = (
        said.order_uid,
        said.warehouse_id,
        said.revision,
        place.offset,
        said.instruction_id,
        said.kind,
        said.parcel,
        said.parcels,
        sum([line.quantity for line in (*said.purchased, *said.gifts)]),
        utc(said.ship_by),
        place.at,
    )
    whole = identity(said.order_uid)
    facts: list[Fact] = [
        (INSTRUCTION, row),
        happened(said.order_uid, f"told-{said.kind}", said.revision, place.at, (), said.warehouse_id),
    ]
    if said.kind != _CANCEL:
        facts.append((ROUTED, (*whole, said.revision, place.at, said.parcels)))
    return facts
