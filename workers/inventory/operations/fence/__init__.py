"""Shut an earlier, unfinished claim out of one warehouse, and tell what it left there."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Any, Final, NamedTuple

from workers.inventory.operations.shared.context import CallContext
from workers.inventory.outbox import read_lines
from workers.inventory.records import Answer
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "fence.lua")


class Fence(NamedTuple):
    """Shut an earlier, unfinished claim out of one warehouse."""

    warehouse_id: str
    order_uid: str
    fence: int


class FenceOutcome(StrEnum):
    """What `fence.lua` answers."""

    FENCED = "FENCED"
    STALE = "STALE"


def call(step: Fence, context: CallContext, _also: Collection[str] = ()) -> ScriptCall:
    """`fence.lua`. It touches no SKU."""
    keys = context.reservation(step.warehouse_id, step.order_uid, ())
    return ScriptCall(SCRIPT, keys, (step.fence, context.remember_ms))


def parse(reply: Any) -> Answer:
    """What the script answered: with FENCED, what the order has there."""
    if reply[0] != b"STALE":
        return Answer(FenceOutcome.FENCED, read_lines(reply[2]), reply[1].decode())
    return Answer(FenceOutcome.STALE)
