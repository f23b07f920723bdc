"""A WMS gave back what a change has replaced: remember what it said with the order, in case the change is refused."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, NamedTuple

from workers.inventory.keys import order_key
from workers.inventory.operations.shared.parsing import parse_outcome
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "stash_return.lua")

MOST_OVERTAKEN: Final = 128 * 1024
"""Bytes that one order remembers of what one warehouse gave back when a change had replaced it."""


class StashReturn(NamedTuple):
    """A WMS gave back what a change has replaced."""

    order_uid: str
    warehouse_id: str
    revision: str  # of the instruction
    message_id: str
    event: bytes  # what it said


class StashReturnOutcome(StrEnum):
    """What `stash_return.lua` answers."""

    REMEMBERED = "REMEMBERED"
    REPEAT = "REPEAT"
    FULL = "FULL"
    UNKNOWN = "UNKNOWN"


def call(stash: StashReturn) -> ScriptCall:
    """`stash_return.lua`"""
    message = (stash.warehouse_id, stash.revision, stash.message_id, stash.event)
    return ScriptCall(SCRIPT, (order_key(stash.order_uid),), (*message, MOST_OVERTAKEN))


def parse(reply: Any) -> StashReturnOutcome:
    """What the script answered. Raises CorruptLedger."""
    return parse_outcome(StashReturnOutcome, reply)
