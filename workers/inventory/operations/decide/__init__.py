"""Write down what became of a person's decision about an order, once, and what stands of all of them since."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, NamedTuple

from workers.inventory.keys import decisions_key, order_key
from workers.inventory.operations.shared.context import CallContext
from workers.inventory.operations.shared.parsing import parse_outcome
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "decide.lua")


class Decide(NamedTuple):
    """What became of one decision. `decided` and `standing` as they are kept; without `standing` it changes nothing."""

    order_uid: str
    decision_id: str
    seen: str  # the order's revision for which it was decided
    number: int  # how many decisions stood then
    decided: bytes
    standing: bytes = b""
    issued: str = ""
    most: int = 100  # decisions of one order


class DecideOutcome(StrEnum):
    """What `decide.lua` answers."""

    DECIDED = "DECIDED"
    REPEAT = "REPEAT"
    MOVED = "MOVED"
    FULL = "FULL"


class DecideAck(NamedTuple):
    """What came of it. `before`: with REPEAT, what had become of the decision."""

    outcome: DecideOutcome
    before: bytes = b""


def call(one: Decide, context: CallContext) -> ScriptCall:
    """`decide.lua`"""
    return ScriptCall(
        SCRIPT,
        (order_key(one.order_uid), decisions_key(one.order_uid)),
        (
            one.decision_id,
            one.seen,
            one.number,
            one.decided,
            one.standing,
            one.issued,
            context.remember_ms,
            one.most,
        ),
    )


def parse(reply: Any) -> DecideAck:
    """What the script answered. Raises CorruptLedger."""
    outcome = parse_outcome(DecideOutcome, reply)
    return DecideAck(outcome, reply[1] if outcome is DecideOutcome.REPEAT else b"")
