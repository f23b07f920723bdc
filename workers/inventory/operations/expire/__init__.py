"""Give back holds in one warehouse whose payment deadline has passed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from workers.inventory.operations.shared.context import CallContext
from workers.inventory.operations.shared.parsing import corrupt_ledger
from workers.inventory.records import CorruptLedger, Reservation
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "expire.lua")


class ExpireOutcome(StrEnum):
    """What `expire.lua` answers."""

    EXPIRED = "EXPIRED"
    CHANGED = "CHANGED"
    GONE = "GONE"
    NOT_DUE = "NOT_DUE"


_OUTCOMES = {outcome.encode(): outcome for outcome in ExpireOutcome}


def call(seen: Sequence[Reservation], now_ms: int, context: CallContext) -> ScriptCall:
    """`expire.lua`, for holds of one warehouse as they were seen."""
    warehouse = context.warehouse(seen[0].warehouse_id)
    reservation, stock = warehouse.reservation, warehouse.stock
    keys = [warehouse.deadlines, warehouse.outbox, warehouse.sequence]
    keys += [reservation + hold.order_uid for hold in seen]
    keys += [stock + sku for sku in {sku: None for hold in seen for sku in hold.quantities}]
    as_seen = [word for hold in seen for word in (hold.revision, hold.fence)]
    return ScriptCall(SCRIPT, keys, (now_ms, context.remember_ms, len(seen), *as_seen))


def parse(reply: Any) -> list[ExpireOutcome | CorruptLedger]:
    """What the script answered, one for each hold."""
    if isinstance(reply, Exception):
        return [corrupt_ledger(reply)]
    return [_OUTCOMES[word] for word in reply]
