"""What stock an order holds where: inventory.events. Pure.

Of an order's stock in a warehouse, the event with the greatest sequence stays. How much there is of a SKU is asked of
the ledger: the book does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from schemas.inventory import InventoryEventKind
from workers.book.aspects import STOCK, WAREHOUSE
from workers.book.excerpts import StockExcerpt
from workers.book.facts import Fact, Place, happened, identity, utc
from workers.book.order_aspects import FOUND

_TOLD: Final = frozenset(
    each.value
    for each in (
        InventoryEventKind.HELD,
        InventoryEventKind.COMMITTED,
        InventoryEventKind.RELEASED,
        InventoryEventKind.EXPIRED,
        InventoryEventKind.SHORT,
    )
)
"""What an order's timeline tells of stock. The rest follows from what warehouses are told and answer."""

_BEGAN_ANEW: Final = InventoryEventKind.BEGAN_ANEW.value
_CHANGED: Final = InventoryEventKind.CHANGED.value


def moved(said: StockExcerpt, place: Place) -> Sequence[Fact]:
    """Of inventory.events."""
    if said.kind == _BEGAN_ANEW:
        return [(WAREHOUSE, (said.warehouse_id, said.sequence, utc(said.at)))]
    if not said.order_uid or not said.state:
        return ()
    whole = identity(said.order_uid)
    row = (said.order_uid, said.warehouse_id, said.sequence, said.state, utc(said.deadline))
    facts: list[Fact] = [(STOCK, row)]
    if said.kind == _CHANGED and not said.changes and said.revision:
        facts.append((FOUND, (*whole, said.revision)))
    if said.kind in _TOLD:
        kind, ref = f"stock-{said.kind}", str(said.sequence)
        facts.append(happened(said.order_uid, kind, ref, utc(said.at), (), said.warehouse_id))
    return facts
