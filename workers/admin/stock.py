"""What operators ask of the stock ledger and count into it. Raises TransientError, RedisError, CorruptLedger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from workers.inventory.ledger import Ledger
from workers.inventory.records import Count, StockLevel
from workers.inventory.stocktake.counts import Counted
from workers.inventory.stocktake.differences import Change, by_warehouse, change_of


async def stock_levels(ledger: Ledger, warehouse_id: str | None = None, sku: str | None = None) -> list[StockLevel]:
    """How stock stands: everywhere and of every SKU, or of one. Nothing where it was never counted."""
    warehouses = await ledger.stock.warehouses()
    levels: list[StockLevel] = []
    for each in warehouses:
        if warehouse_id in (None, each):
            levels += await ledger.stock.levels(each, None if sku is None else [sku])
    return levels if sku is None else [level for level in levels if _is_counted(level)]


def _is_counted(level: StockLevel) -> bool:
    """Redis tells nothing about a SKU it does not know: all zeros."""
    return any((level.on_hand, level.held, level.committed, level.allocated, level.transfer, level.safety))


async def set_counts(ledger: Ledger, counts: Mapping[str, Mapping[str, Count]]) -> list[tuple[str, str, int]]:
    """Set what was counted, by warehouse and SKU. Of each: warehouse, SKU, units available to promise then.

    Fewer than none are available of what is promised and was not counted.
    """
    return [
        (warehouse_id, sku, available)
        for warehouse_id, of_skus in counts.items()
        for sku, available in (await ledger.stock.set_counts(warehouse_id, of_skus)).items()
    ]


# -- files of counts -----------------------------------------------------------------------------------------------


async def compare(ledger: Ledger, rows: Sequence[Counted]) -> tuple[list[Change], dict[str, int]]:
    """What the rows would change; and how many SKUs of each warehouse they do not speak of."""
    changes: list[Change] = []
    untouched: dict[str, int] = {}
    for warehouse_id, of_warehouse in by_warehouse(rows).items():
        levels = {level.sku: level for level in await ledger.stock.levels(warehouse_id)}
        named = [row.sku for row in of_warehouse]
        untouched[warehouse_id] = len(set(levels) - set(named))
        levels |= {level.sku: level for level in await ledger.stock.levels(warehouse_id, set(named) - set(levels))}
        changes += [change_of(row, levels[row.sku]) for row in of_warehouse]
    return changes, untouched


async def write_snapshot(ledger: Ledger, rows: Sequence[Counted]) -> dict[tuple[str, str], StockLevel]:
    """Write the counts, here and nowhere else. How each warehouse and SKU stands then.

    What left or came in after a row was counted is applied to it.
    """
    moments: dict[tuple[str, datetime | None], dict[str, Count]] = {}
    for row in rows:
        moments.setdefault((row.warehouse_id, row.counted_at), {})[row.sku] = row.count
    for (warehouse_id, counted_at), counts in moments.items():
        await ledger.stock.set_counts(
            warehouse_id, counts, None if counted_at is None else int(counted_at.timestamp() * 1000)
        )
    return {
        (warehouse_id, level.sku): level
        for warehouse_id, of_warehouse in by_warehouse(rows).items()
        for level in await ledger.stock.levels(warehouse_id, [row.sku for row in of_warehouse])
    }
