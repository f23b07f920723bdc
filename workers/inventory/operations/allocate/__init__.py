"""The WMS took an order over: what is committed is allocated."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Any, Final, NamedTuple

from workers.inventory.operations.shared.context import CallContext
from workers.inventory.records import Answer
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "allocate.lua")


class Allocate(NamedTuple):
    """The WMS took an order over."""

    warehouse_id: str
    order_uid: str
    has: Collection[str] = ()


class AllocateOutcome(StrEnum):
    """What `allocate.lua` answers."""

    ALLOCATED = "ALLOCATED"
    ALREADY = "ALREADY"
    NOTHING_HELD = "NOTHING_HELD"
    UNKNOWN_LINES = "UNKNOWN_LINES"


def call(step: Allocate, context: CallContext, also: Collection[str] = ()) -> ScriptCall:
    """`allocate.lua`. `also`: SKUs the reservation turned out to have."""
    keys = context.reservation(step.warehouse_id, step.order_uid, sorted({*step.has, *also}))
    return ScriptCall(SCRIPT, keys, ())


def parse(reply: Any) -> Answer:
    """What the script answered: with NOTHING_HELD, the reservation's state."""
    outcome = AllocateOutcome(reply[0].decode())
    if outcome is AllocateOutcome.NOTHING_HELD:
        return Answer(outcome, state=reply[1].decode())
    return Answer(outcome)
