"""What counts change, against how stock stands. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from workers.inventory.records import StockLevel
from workers.inventory.stocktake.counts import Counted


@dataclass(frozen=True, slots=True)
class Change:
    """What an import makes of one SKU in one warehouse, in units."""

    row: int
    warehouse_id: str
    sku: str
    counted_at: datetime | None
    on_hand: int
    on_hand_after: int
    safety: int
    safety_after: int
    available_to_promise: int
    available_to_promise_after: int

    @property
    def differs(self) -> bool:
        """Whether it changes anything."""
        return (self.on_hand, self.safety) != (self.on_hand_after, self.safety_after)


def by_warehouse(rows: Sequence[Counted]) -> dict[str, list[Counted]]:
    """The rows of each warehouse, in their order."""
    found: dict[str, list[Counted]] = {}
    for row in rows:
        found.setdefault(row.warehouse_id, []).append(row)
    return found


def change_of(row: Counted, level: StockLevel) -> Change:
    """What a row makes of a level; what is not counted stays."""
    on_hand = level.on_hand if row.count.on_hand is None else row.count.on_hand
    safety = level.safety if row.count.safety is None else row.count.safety
    return Change(
        row=row.row,
        warehouse_id=row.warehouse_id,
        sku=row.sku,
        counted_at=row.counted_at,
        on_hand=level.on_hand,
        on_hand_after=on_hand,
        safety=level.safety,
        safety_after=safety,
        available_to_promise=level.available_to_promise,
        available_to_promise_after=level.available_to_promise + (on_hand - level.on_hand) - (safety - level.safety),
    )


def as_it_came(change: Change, after: Mapping[tuple[str, str], StockLevel]) -> Change:
    """Orders go on while a file is imported: the ledger's own figures count."""
    level = after[change.warehouse_id, change.sku]
    return replace(
        change,
        on_hand_after=level.on_hand,
        safety_after=level.safety,
        available_to_promise_after=level.available_to_promise,
    )


def has_moved(row: Counted, change: Change) -> bool:
    """Whether a count as of an earlier time is not what stands there now: stock moved, or a later count is in force."""
    return row.counted_at is not None and row.count.on_hand != change.on_hand_after
