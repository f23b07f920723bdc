"""What the calls of one process have in common: how keys are spelled, and for how long ended orders are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from workers.inventory.keys import deadlines_key, outbox_key, reservation_key, sequence_key, stock_key
from workers.runtime.redis.scripts import ScriptCall

RunScripts = Callable[[Sequence[ScriptCall]], Awaitable[list[Any]]]
"""Runs calls in one round trip; the replies stand in their order. See `run_scripts`."""


class WarehouseKeys(NamedTuple):
    """The keys of one warehouse that are not about one SKU or order, and how the others begin."""

    deadlines: str
    outbox: str
    sequence: str
    reservation: str
    stock: str

    @classmethod
    def of(cls, warehouse_id: str) -> WarehouseKeys:
        """Spelled once per warehouse, not once per order."""
        return cls(
            deadlines_key(warehouse_id),
            outbox_key(warehouse_id),
            sequence_key(warehouse_id),
            reservation_key(warehouse_id, ""),
            stock_key(warehouse_id, ""),
        )


class CallContext:
    """Every call is made with it. `remember_ms`: how long tombstones and ended orders are kept."""

    __slots__ = ("_warehouses", "remember_ms")

    def __init__(self, remember_ms: int) -> None:
        self.remember_ms = remember_ms
        self._warehouses: dict[str, WarehouseKeys] = {}

    def warehouse(self, warehouse_id: str) -> WarehouseKeys:
        """The keys of one warehouse."""
        keys = self._warehouses.get(warehouse_id)
        if keys is None:
            keys = self._warehouses[warehouse_id] = WarehouseKeys.of(warehouse_id)
        return keys

    def reservation(self, warehouse_id: str, order_uid: str, skus: Sequence[str]) -> list[str]:
        """The keys of what changes one order's units in one warehouse."""
        warehouse = self.warehouse(warehouse_id)
        stock = warehouse.stock
        return [
            warehouse.reservation + order_uid,
            warehouse.deadlines,
            warehouse.outbox,
            warehouse.sequence,
            *[stock + sku for sku in skus],
        ]
