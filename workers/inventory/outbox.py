"""From an entry of the outbox stream to the inventory event it stands for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import orjson

from schemas.inventory import InventoryEvent, InventoryEventKind, StockChange

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {kind.value.encode(): kind for kind in InventoryEventKind}


def event_of(warehouse_id: str, entry_id: bytes, fields: Mapping[bytes, bytes]) -> InventoryEvent:
    """The event. Its time is the entry's: the clock of the Redis that made the change, to the millisecond."""
    sequence = int(fields[b"sequence"])
    deadline = int(fields.get(b"deadline", b"0"))
    return InventoryEvent(
        event_id=f"{warehouse_id}/{sequence}",
        sequence=sequence,
        warehouse_id=warehouse_id,
        kind=_KINDS[fields[b"kind"]],
        at=_time(int(entry_id.partition(b"-")[0])),
        changes=tuple(_change(change) for change in orjson.loads(fields[b"changes"])),
        order_uid=fields.get(b"order", b"").decode(),
        revision=fields.get(b"revision", b"").decode(),
        state=fields.get(b"state", b"").decode(),
        deadline=_time(deadline) if deadline else None,
        lines=read_lines(fields.get(b"lines")),
        shipped=read_lines(fields.get(b"shipped")),
        stop=fields.get(b"stop", b"").decode(),
        fence=int(fields.get(b"fence", b"0")),
        message_id=fields.get(b"message", b"").decode(),
        transfer_id=fields.get(b"transfer", b"").decode(),
        counted=tuple(orjson.loads(fields.get(b"counted", b"[]"))),
        counted_at=_time(int(fields[b"counted_at"])) if b"counted_at" in fields else None,
        moved_at=_time(int(fields[b"moved_at"])) if b"moved_at" in fields else None,
    )


def read_lines(packed: bytes | None) -> dict[str, int]:
    """Units by SKU, packed as `["SKU", units, ...]`."""
    if not packed:
        return {}
    flat = orjson.loads(packed)
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _change(packed: list[str | int]) -> StockChange:
    """`["SKU", counter, delta, ...]`"""
    deltas = {str(name): int(delta) for name, delta in zip(packed[1::2], packed[2::2], strict=True)}
    return StockChange(sku=str(packed[0]), **deltas)


def _time(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
