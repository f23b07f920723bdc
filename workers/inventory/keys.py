"""How the ledger spells its keys. All keys of one warehouse share its hash tag, so they live in one cluster slot."""

from __future__ import annotations

WAREHOUSES = "warehouses"
"""The set of all warehouse ids that were ever counted."""


def stock_key(warehouse_id: str, sku: str) -> str:
    """The counters of one SKU."""
    return f"stock:{{{warehouse_id}}}:{sku}"


def moved_key(warehouse_id: str, sku: str) -> str:
    """What moved on-hand units of one SKU lately, by time: for counts that come late."""
    return f"moved:{{{warehouse_id}}}:{sku}"


def transfer_key(warehouse_id: str, transfer_id: str) -> str:
    """How far one transfer has come in one of its two warehouses."""
    return f"transfer:{{{warehouse_id}}}:{transfer_id}"


def reservation_key(warehouse_id: str, order_uid: str) -> str:
    """What one order has in one warehouse."""
    return f"reservation:{{{warehouse_id}}}:{order_uid}"


def deadlines_key(warehouse_id: str) -> str:
    """Orders with a hold that ends, by deadline in ms."""
    return f"deadlines:{{{warehouse_id}}}"


def outbox_key(warehouse_id: str) -> str:
    """Inventory events that are not yet known to be in Kafka."""
    return f"outbox:{{{warehouse_id}}}"


def sequence_key(warehouse_id: str) -> str:
    """The number of the last inventory event."""
    return f"sequence:{{{warehouse_id}}}"


def relay_key(warehouse_id: str) -> str:
    """Who relays the outbox just now."""
    return f"relay:{{{warehouse_id}}}"


def order_key(order_uid: str) -> str:
    """The order's pointer: which warehouses hold it, or may hold it."""
    return f"order:{{{order_uid}}}"


WAITING = "waiting:{waiting}"
"""Orders that wait for stock: order uid -> entry."""

WAITING_AGES = "waiting-ages:{waiting}"
"""The same orders by when they were placed, ms."""

WAITING_WANTS = "waiting-wants:{waiting}"
"""`<warehouse>/<sku>` -> how many of the orders could use it."""

WAITING_IN_HAND = "waiting-in-hand:{waiting}"
"""Orders that are being let through, by until when nobody else may do so, ms."""
