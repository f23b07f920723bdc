"""Note on an order that its hold was given back, if nothing newer has happened to it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from workers.inventory.keys import order_key
from workers.inventory.operations.shared.context import CallContext
from workers.inventory.operations.shared.parsing import parse_outcome
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "mark_expired.lua")


class MarkExpiredOutcome(StrEnum):
    """What `mark_expired.lua` answers."""

    LAPSED = "LAPSED"
    MOVED_ON = "MOVED_ON"


def call(order_uid: str, revision: str, context: CallContext) -> ScriptCall:
    """`mark_expired.lua`"""
    return ScriptCall(SCRIPT, (order_key(order_uid),), (revision, context.remember_ms))


def parse(reply: Any) -> MarkExpiredOutcome:
    """What the script answered. Raises CorruptLedger."""
    return parse_outcome(MarkExpiredOutcome, reply)
