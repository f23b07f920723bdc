"""Which orders wait for stock."""

from __future__ import annotations

from workers.inventory.ledger import Ledger
from workers.inventory.waiting import Waiting


async def waiting_orders(
    ledger: Ledger, *, sku: str | None = None, warehouse_id: str | None = None, limit: int = 0
) -> tuple[list[Waiting], int]:
    """The oldest `limit` orders (0: all) that need the SKU and may ship from the warehouse; and how many wait in all.

    Raises TransientError, CorruptLedger.
    """
    found: list[Waiting] = []
    async for page in ledger.waiting.oldest_first():
        found += [entry for entry in page if _is_meant(entry, sku, warehouse_id)]
        if limit and len(found) >= limit:
            break
    figures = await ledger.waiting.figures()
    return found[: limit or None], figures.orders


def _is_meant(entry: Waiting, sku: str | None, warehouse_id: str | None) -> bool:
    return sku in (None, *entry.needs) and warehouse_id in (None, *entry.warehouses, *entry.gave_up)
