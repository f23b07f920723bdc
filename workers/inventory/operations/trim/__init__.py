"""Drop the oldest events of an outbox, if the caller still has the right to relay it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from workers.inventory.keys import outbox_key, relay_key
from workers.inventory.operations.shared.parsing import parse_outcome
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "trim.lua")


class TrimOutcome(StrEnum):
    """What `trim.lua` answers."""

    TRIMMED = "TRIMMED"
    TAKEN = "TAKEN"


def call(warehouse_id: str, holder: str, first_kept: str) -> ScriptCall:
    """`trim.lua`. `first_kept`: all entries with an id before this one are dropped."""
    return ScriptCall(SCRIPT, (relay_key(warehouse_id), outbox_key(warehouse_id)), (holder, first_kept))


def parse(reply: Any) -> TrimOutcome:
    """What the script answered. Raises CorruptLedger."""
    return parse_outcome(TrimOutcome, reply)
