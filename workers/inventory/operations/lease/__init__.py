"""Take, or keep, the right to relay one warehouse's outbox."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from workers.inventory.keys import relay_key
from workers.inventory.operations.shared.parsing import parse_outcome
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "lease.lua")


class LeaseOutcome(StrEnum):
    """What `lease.lua` answers."""

    MINE = "MINE"
    TAKEN = "TAKEN"


def call(warehouse_id: str, holder: str, lease_ms: int) -> ScriptCall:
    """`lease.lua`"""
    return ScriptCall(SCRIPT, (relay_key(warehouse_id),), (holder, lease_ms))


def parse(reply: Any) -> LeaseOutcome:
    """What the script answered. Raises CorruptLedger."""
    return parse_outcome(LeaseOutcome, reply)
