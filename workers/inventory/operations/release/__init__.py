"""Give back what an order has in one warehouse."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Any, Final, NamedTuple

from workers.inventory.operations.shared.context import CallContext
from workers.inventory.records import Answer
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "release.lua")


class Giving(StrEnum):
    """Which units a release step gives back."""

    ANY = "any"
    HELD = "held"  # none that are committed
    ASK = "ask"  # holds at once, what a WMS was told of when it has answered


class Release(NamedTuple):
    """Give back what an order has in one warehouse."""

    warehouse_id: str
    order_uid: str
    revision: str
    fence: int
    has: Collection[str]  # SKUs the order is known to have there
    giving: Giving = Giving.ANY


class ReleaseOutcome(StrEnum):
    """What `release.lua` answers."""

    RELEASED = "RELEASED"
    NOTHING_HELD = "NOTHING_HELD"
    KEPT = "KEPT"
    WAITING = "WAITING"
    STALE = "STALE"
    UNKNOWN_LINES = "UNKNOWN_LINES"


def call(step: Release, context: CallContext, also: Collection[str] = ()) -> ScriptCall:
    """`release.lua`. `also`: SKUs the reservation turned out to have."""
    keys = context.reservation(step.warehouse_id, step.order_uid, sorted({*step.has, *also}))
    return ScriptCall(SCRIPT, keys, (step.revision, step.fence, step.giving.value, context.remember_ms))


def parse(reply: Any) -> Answer:
    """What the script answered."""
    return Answer(ReleaseOutcome(reply[0].decode()))
