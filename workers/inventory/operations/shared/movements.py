"""Movements of on-hand units, which are kept for a while: a count that comes late must know of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from workers.inventory.keys import moved_key
from workers.inventory.operations.shared.context import CallContext


def keys_and_units(
    context: CallContext,
    warehouse_id: str,
    order_uid: str,
    quantities: Mapping[str, int],
    told: Mapping[str, int] | None,
    known: Collection[str],
) -> tuple[list[str], list[int]]:
    """Keys with the SKUs' movements; and per SKU the units that are named, or all when none are, and those told.

    `known`: SKUs of the order's reservation.
    """
    skus = sorted({*quantities, *known})
    keys = context.reservation(warehouse_id, order_uid, skus)
    keys += [moved_key(warehouse_id, sku) for sku in skus]
    unnamed = 0 if quantities else -1
    return keys, [
        figure for sku in skus for figure in (quantities.get(sku, unnamed), -1 if told is None else told.get(sku, 0))
    ]
