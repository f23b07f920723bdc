"""A WMS follows a change: it ships nothing as it was told before, and what it had given back of that is void."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, NamedTuple

from workers.inventory.keys import order_key
from workers.inventory.operations.shared.parsing import parse_outcome
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "drop_return.lua")


class DropReturn(NamedTuple):
    """A WMS follows a change or a newer order: earlier instructions, and what it gave back of them, are void."""

    order_uid: str
    warehouse_id: str
    revision: str  # of the instruction


class DropReturnOutcome(StrEnum):
    """What `drop_return.lua` answers."""

    FORGOTTEN = "FORGOTTEN"
    NOTHING = "NOTHING"


def call(drop: DropReturn) -> ScriptCall:
    """`drop_return.lua`"""
    return ScriptCall(SCRIPT, (order_key(drop.order_uid),), (drop.warehouse_id, drop.revision))


def parse(reply: Any) -> DropReturnOutcome:
    """What the script answered. Raises CorruptLedger."""
    return parse_outcome(DropReturnOutcome, reply)
