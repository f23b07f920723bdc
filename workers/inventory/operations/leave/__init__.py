"""Take an order off the list of those that wait for stock, unless a newer revision of it waits."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from workers.inventory.keys import waiting_ages_key, waiting_in_hand_key, waiting_key, waiting_wants_key
from workers.inventory.operations.shared.parsing import parse_outcome
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "leave.lua")


class LeaveOutcome(StrEnum):
    """What `leave.lua` answers."""

    LEFT = "LEFT"
    ABSENT = "ABSENT"
    STALE = "STALE"


def call(order_uid: str, revision: str) -> ScriptCall:
    """`leave.lua`"""
    keys = (waiting_key(), waiting_ages_key(), waiting_wants_key(), waiting_in_hand_key())
    return ScriptCall(SCRIPT, keys, (order_uid, revision))


def parse(reply: Any) -> LeaveOutcome:
    """What the script answered. Raises CorruptLedger."""
    return parse_outcome(LeaveOutcome, reply)
