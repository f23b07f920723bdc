"""Take an order that waits for stock in hand, so that nobody else lets it through meanwhile; or keep it in hand."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, Literal

from workers.inventory.keys import waiting_in_hand_key, waiting_key
from workers.inventory.operations.shared.parsing import parse_outcome
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "take.lua")


class TakeOutcome(StrEnum):
    """What `take.lua` answers."""

    TAKEN = "TAKEN"
    IN_HAND = "IN_HAND"
    CHANGED = "CHANGED"


def call(order_uid: str, revision: str, ms: int, how: Literal["take", "keep"]) -> ScriptCall:
    """`take.lua`. `ms`: for how long."""
    return ScriptCall(SCRIPT, (waiting_key(), waiting_in_hand_key()), (order_uid, revision, ms, how))


def parse(reply: Any) -> TakeOutcome:
    """What the script answered. Raises CorruptLedger."""
    return parse_outcome(TakeOutcome, reply)
