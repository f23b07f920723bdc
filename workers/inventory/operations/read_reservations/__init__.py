"""Read what orders have in one warehouse, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from workers.inventory.keys import reservation_key
from workers.inventory.operations.shared.context import CallContext
from workers.inventory.operations.shared.parsing import not_ours, parse_reservation
from workers.inventory.records import CorruptLedger, Reservation
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "read_reservations.lua")


def call(warehouse_id: str, order_uids: Sequence[str], context: CallContext) -> ScriptCall:
    """`read_reservations.lua`"""
    reservation = context.warehouse(warehouse_id).reservation
    return ScriptCall(SCRIPT, [reservation + uid for uid in order_uids], ())


def parse(warehouse_id: str, order_uid: str, row: Any) -> Reservation | CorruptLedger:
    """What the script answered about one order."""
    try:
        return parse_reservation(warehouse_id, order_uid, (*row, None, None))
    except ValueError:
        return not_ours(reservation_key(warehouse_id, order_uid))
