"""Put an order on the list of those that wait for stock, or renew its entry."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, NamedTuple

from workers.inventory.keys import waiting_ages_key, waiting_in_hand_key, waiting_key, waiting_wants_key
from workers.inventory.operations.shared.parsing import parse_outcome
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "wait.lua")


class Wait(NamedTuple):
    """An order that waits for stock."""

    order_uid: str
    revision: str
    placed_at_ms: int
    entry: bytes  # JSON: revision, wants, and what whoever lets it through must know
    pause_ms: int  # it is not let through before so long


class WaitOutcome(StrEnum):
    """What `wait.lua` answers."""

    WAITING = "WAITING"
    STALE = "STALE"


def call(wait: Wait) -> ScriptCall:
    """`wait.lua`"""
    return ScriptCall(SCRIPT, (waiting_key(), waiting_ages_key(), waiting_wants_key(), waiting_in_hand_key()), wait)


def parse(reply: Any) -> WaitOutcome:
    """What the script answered. Raises CorruptLedger."""
    return parse_outcome(WaitOutcome, reply)
