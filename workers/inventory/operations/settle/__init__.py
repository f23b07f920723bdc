"""Write down how one revision of an order ended, if its claim is still the last one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

from workers.inventory.keys import order_key
from workers.inventory.operations.shared.context import CallContext
from workers.inventory.operations.shared.parsing import parse_outcome
from workers.inventory.records import ENDED, ActiveInstruction, Holdings, OrderState
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "settle.lua")


class Settlement(NamedTuple):
    """How one revision of an order ended."""

    order_uid: str
    revision: str
    fence: int
    state: OrderState
    holdings: Holdings
    routed: Mapping[str, ActiveInstruction]
    result: bytes  # empty = it said nothing
    source: str = ""  # where its planned order stands, <partition>:<offset>


class SettleOutcome(StrEnum):
    """What `settle.lua` answers."""

    SETTLED = "SETTLED"
    LOST = "LOST"


def call(settlement: Settlement, context: CallContext) -> ScriptCall:
    """`settle.lua`"""
    return ScriptCall(
        SCRIPT,
        (order_key(settlement.order_uid),),
        (
            settlement.revision,
            settlement.fence,
            settlement.state.value,
            orjson.dumps(settlement.holdings),
            orjson.dumps(settlement.routed),
            settlement.result,
            context.remember_ms if settlement.state in ENDED else 0,
            settlement.source,
        ),
    )


def parse(reply: Any) -> SettleOutcome:
    """What the script answered. Raises CorruptLedger."""
    return parse_outcome(SettleOutcome, reply)
