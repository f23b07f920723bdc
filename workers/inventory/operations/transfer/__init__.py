"""One step of moving units between warehouses, in one of the two."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from workers.inventory.keys import moved_key, transfer_key
from workers.inventory.operations.shared.context import CallContext
from workers.inventory.operations.shared.parsing import parse_outcome
from workers.inventory.records import Quantities
from workers.inventory.retention import MOVED_MS
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "transfer.lua")


class TransferAction(StrEnum):
    """The steps of a transfer, the first three in the warehouse that gives."""

    RESERVE = "reserve"
    SEND = "send"
    CANCEL = "cancel"
    RECEIVE = "receive"


class Transfer(NamedTuple):
    """One step of moving units to another warehouse, in one of the two."""

    warehouse_id: str
    transfer_id: str
    action: TransferAction
    at_ms: int
    quantities: Mapping[str, int]


class TransferOutcome(StrEnum):
    """What `transfer.lua` answers."""

    DONE = "DONE"
    ALREADY = "ALREADY"
    INSUFFICIENT = "INSUFFICIENT"
    REFUSED = "REFUSED"


def call(step: Transfer, context: CallContext) -> ScriptCall:
    """`transfer.lua`"""
    warehouse, skus = context.warehouse(step.warehouse_id), sorted(step.quantities)
    keys = [transfer_key(step.warehouse_id, step.transfer_id), warehouse.outbox, warehouse.sequence]
    keys += [warehouse.stock + sku for sku in skus] + [moved_key(step.warehouse_id, sku) for sku in skus]
    told = (step.action.value, step.at_ms, context.remember_ms, MOVED_MS)
    return ScriptCall(SCRIPT, keys, (*told, *(step.quantities[sku] for sku in skus)))


def parse(step: Transfer, reply: Any) -> tuple[TransferOutcome, Quantities]:
    """What the script answered; with INSUFFICIENT what could be had of each SKU. Raises CorruptLedger."""
    outcome = parse_outcome(TransferOutcome, reply)
    short = outcome is TransferOutcome.INSUFFICIENT
    return outcome, dict(zip(sorted(step.quantities), reply[1:], strict=True)) if short else {}
