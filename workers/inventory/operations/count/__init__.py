"""Set on-hand units and safety stock of SKUs in one warehouse from a count that was taken at some time."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from workers.inventory.keys import moved_key
from workers.inventory.operations.shared.context import CallContext
from workers.inventory.operations.shared.parsing import parse_outcome
from workers.inventory.records import Count
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "count.lua")


class CountOutcome(StrEnum):
    """What `count.lua` answers."""

    COUNTED = "COUNTED"
    UNCHANGED = "UNCHANGED"


def call(warehouse_id: str, counts: Mapping[str, Count], at_ms: int | None, context: CallContext) -> ScriptCall:
    """`count.lua`. `counts`: by SKU; `at_ms`: when it was counted, ms since 1970, None: now."""
    warehouse = context.warehouse(warehouse_id)
    figures = [figure for count in counts.values() for figure in (count.on_hand, count.safety)]
    keys = [warehouse.outbox, warehouse.sequence, *(warehouse.stock + sku for sku in counts)]
    keys += [moved_key(warehouse_id, sku) for sku in counts]
    at = "" if at_ms is None else at_ms
    return ScriptCall(SCRIPT, keys, (at, *("" if figure is None else figure for figure in figures)))


def parse(counts: Mapping[str, Count], reply: Any) -> dict[str, int]:
    """What may be promised of each SKU after the call with the same counts. Raises CorruptLedger."""
    parse_outcome(CountOutcome, reply)
    return dict(zip(counts, reply[1:], strict=True))
