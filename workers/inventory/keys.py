"""How the ledger spells its keys. All keys of one warehouse share its hash tag, so they live in one cluster slot."""

from __future__ import annotations

from schemas.namespace import prefixed

WAREHOUSES = "warehouses"


def warehouses_key() -> str:
    """The set of all warehouse ids that were ever counted."""
    return prefixed(WAREHOUSES)


def stock_key(warehouse_id: str, sku: str) -> str:
    """The counters of one SKU."""
    return prefixed(f"stock:{{{warehouse_id}}}:{sku}")


def moved_key(warehouse_id: str, sku: str) -> str:
    """What moved on-hand units of one SKU lately, by time: for counts that come late."""
    return prefixed(f"moved:{{{warehouse_id}}}:{sku}")


def transfer_key(warehouse_id: str, transfer_id: str) -> str:
    """How far one transfer has come in one of its two warehouses."""
    return prefixed(f"transfer:{{{warehouse_id}}}:{transfer_id}")


def reservation_key(warehouse_id: str, order_uid: str) -> str:
    """What one order has in one warehouse."""
    return prefixed(f"reservation:{{{warehouse_id}}}:{order_uid}")


def deadlines_key(warehouse_id: str) -> str:
    """Orders with a hold that ends, by deadline in ms."""
    return prefixed(f"deadlines:{{{warehouse_id}}}")


def outbox_key(warehouse_id: str) -> str:
    """Inventory events that are not yet known to be in Kafka."""
    return prefixed(f"outbox:{{{warehouse_id}}}")


def sequence_key(warehouse_id: str) -> str:
    """The number of the last inventory event."""
    return prefixed(f"sequence:{{{warehouse_id}}}")


def relay_key(warehouse_id: str) -> str:
    """Who relays the outbox just now."""
    return prefixed(f"relay:{{{warehouse_id}}}")


def order_key(order_uid: str) -> str:
    """The order's pointer: which warehouses hold it, or may hold it."""
    return prefixed(f"order:{{{order_uid}}}")


def decisions_key(order_uid: str) -> str:
    """What became of each decision that a person made about the order."""
    return prefixed(f"decisions:{{{order_uid}}}")


def waiting_key() -> str:
    """Orders that wait for stock: order uid -> entry."""
    return prefixed("waiting:{waiting}")


def waiting_ages_key() -> str:
    """The same orders by when they were placed, ms."""
    return prefixed("waiting-ages:{waiting}")


def waiting_wants_key() -> str:
    """`<warehouse>/<sku>` -> how many of the orders could use it."""
    return prefixed("waiting-wants:{waiting}")


def waiting_in_hand_key() -> str:
    """Orders that are being let through, by until when nobody else may do so, ms."""
    return prefixed("waiting-in-hand:{waiting}")
