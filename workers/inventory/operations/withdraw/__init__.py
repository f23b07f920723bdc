"""A WMS says that it does not ship an order, or no more of it."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Any, Final, NamedTuple

from workers.inventory.operations.shared.context import CallContext
from workers.inventory.records import Answer
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "withdraw.lua")


class Withdraw(NamedTuple):
    """A WMS says that it does not ship an order."""

    warehouse_id: str
    order_uid: str
    revision: str  # of the instruction; the order's, when the warehouse was told nothing newer
    has: Collection[str] = ()


class WithdrawOutcome(StrEnum):
    """What `withdraw.lua` answers."""

    RELEASED = "RELEASED"
    KEPT = "KEPT"
    GIVEN_UP = "GIVEN_UP"
    STALE = "STALE"
    NOTHING_HELD = "NOTHING_HELD"
    UNKNOWN_LINES = "UNKNOWN_LINES"


def call(step: Withdraw, context: CallContext, also: Collection[str] = ()) -> ScriptCall:
    """`withdraw.lua`. `also`: SKUs the reservation turned out to have."""
    keys = context.reservation(step.warehouse_id, step.order_uid, sorted({*step.has, *also}))
    return ScriptCall(SCRIPT, keys, (step.revision, context.remember_ms))


def parse(reply: Any) -> Answer:
    """What the script answered."""
    return Answer(WithdrawOutcome(reply[0].decode()))
