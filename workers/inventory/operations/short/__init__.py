"""A WMS could not find or use units of an order: they are off its reservation, and off on-hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from workers.inventory.operations.shared.context import CallContext
from workers.inventory.operations.shared.movements import keys_and_units
from workers.inventory.records import Answer
from workers.inventory.retention import MOVED_MS
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "short.lua")


class Lost(StrEnum):
    """What the units that a WMS could not use mean for on-hand."""

    SHELF = "shelf"  # not there: nothing of the SKU is promised until it is counted again
    UNITS = "units"  # damaged: these units are lost
    NONE = "none"  # there, but not for this order


class Short(NamedTuple):
    """A WMS could not find or use units of an order."""

    warehouse_id: str
    order_uid: str
    message_id: str
    at_ms: int
    revision: str  # of the instruction; the order's, when the warehouse was told nothing newer
    lost: Lost
    quantities: Mapping[str, int] = {}  # empty = all that it has of what it was told
    has: Collection[str] = ()
    told: Mapping[str, int] | None = None  # what its instruction asked for: no more can be damaged; None: not known
    limit: int = -1  # with a shelf lost: if more units of a SKU would be promised no more, a person counts; -1 = none


class ShortOutcome(StrEnum):
    """What `short.lua` answers."""

    NOTED = "NOTED"
    REPEAT = "REPEAT"
    STALE = "STALE"
    NOTHING_HELD = "NOTHING_HELD"
    UNKNOWN_LINES = "UNKNOWN_LINES"


def call(step: Short, context: CallContext, also: Collection[str] = ()) -> ScriptCall:
    """`short.lua`. `also`: SKUs the reservation turned out to have."""
    asked = () if step.quantities else step.told or ()  # which units are meant when none are named
    known = {*step.has, *also, *asked}
    keys, units = keys_and_units(context, step.warehouse_id, step.order_uid, step.quantities, step.told, known)
    told = (step.message_id, step.at_ms, context.remember_ms, MOVED_MS, step.revision, step.lost.value, step.limit)
    return ScriptCall(SCRIPT, keys, (*told, *units))


def parse(reply: Any) -> Answer:
    """What the script answered: the units of each SKU that must be counted, if any."""
    outcome = ShortOutcome(reply[0].decode())
    if outcome is not ShortOutcome.UNKNOWN_LINES and len(reply) > 1:
        return Answer(outcome, {sku.decode(): int(units) for sku, units in zip(reply[1::2], reply[2::2], strict=True)})
    return Answer(outcome)
