"""Units of an order left the warehouse: they are off its reservation and off on-hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from workers.inventory.operations.shared.context import CallContext
from workers.inventory.operations.shared.movements import keys_and_units
from workers.inventory.records import Answer
from workers.inventory.retention import MOVED_MS
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "ship.lua")


class Ship(NamedTuple):
    """Units of an order left the warehouse."""

    warehouse_id: str
    order_uid: str
    message_id: str
    at_ms: int
    quantities: Mapping[str, int] = {}  # empty = all that it has of what it was told
    has: Collection[str] = ()
    told: Mapping[str, int] | None = None  # no more than this may leave in all; None: as many as are named, or all


class ShipOutcome(StrEnum):
    """What `ship.lua` answers."""

    SHIPPED = "SHIPPED"
    PARTLY = "PARTLY"
    REPEAT = "REPEAT"
    AFTER_RELEASE = "AFTER_RELEASE"
    MORE_THAN_TOLD = "MORE_THAN_TOLD"
    NOTHING_KNOWN = "NOTHING_KNOWN"
    UNKNOWN_LINES = "UNKNOWN_LINES"


def call(step: Ship, context: CallContext, also: Collection[str] = ()) -> ScriptCall:
    """`ship.lua`. `also`: SKUs the reservation turned out to have."""
    known = {*step.has, *also}
    keys, units = keys_and_units(context, step.warehouse_id, step.order_uid, step.quantities, step.told, known)
    return ScriptCall(SCRIPT, keys, (step.message_id, step.at_ms, context.remember_ms, MOVED_MS, *units))


def parse(reply: Any) -> Answer:
    """What the script answered."""
    return Answer(ShipOutcome(reply[0].decode()))
