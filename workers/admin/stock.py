"""What operators ask of the stock ledger and count into it. Raises TransientError, RedisError, CorruptLedger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.record import record
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


# -- explained -----------------------------------------------------------------------------------------------------


@record
class StockFigures:
    """How one SKU stands in a warehouse, or in all of them (`warehouse_id` ""), in units, each for what it is."""

    warehouse_id: str
    sku: str
    on_hand: int  # physically there
    held: int  # for orders that are not paid yet
    committed: int  # for paid orders
    allocated: int  # the WMS has them in hand
    transfer: int  # set aside for another warehouse
    safety: int  # never promised
    available: int  # may still be sold: the first less all the others
    oversold: int  # promised and not there: orders wait, or a count is wrong; safety stock is none of it


def explained(level: StockLevel) -> StockFigures:
    """Where the units of a SKU are."""
    return _figures(level.warehouse_id, level.sku, [level])


def pooled(sku: str, levels: Sequence[StockLevel]) -> StockFigures:
    """A SKU in all warehouses together. What one has too many covers nothing that another has too few."""
    return _figures("", sku, levels)


def _figures(warehouse_id: str, sku: str, levels: Sequence[StockLevel]) -> StockFigures:
    return StockFigures(
        warehouse_id=warehouse_id,
        sku=sku,
        on_hand=sum(each.on_hand for each in levels),
        held=sum(each.held for each in levels),
        committed=sum(each.committed for each in levels),
        allocated=sum(each.allocated for each in levels),
        transfer=sum(each.transfer for each in levels),
        safety=sum(each.safety for each in levels),
        available=sum(max(0, each.available_to_promise) for each in levels),
        oversold=sum(each.oversold for each in levels),
    )
