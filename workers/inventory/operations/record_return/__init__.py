"""A WMS gave an instruction back: note it on the order before the order is placed anew, and only once."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

from workers.inventory.keys import order_key
from workers.inventory.operations.shared.parsing import parse_outcome, parse_place
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "record_return.lua")


class RecordReturn(NamedTuple):
    """A WMS gave an instruction back: the order, or only a change of it."""

    order_uid: str
    warehouse_id: str
    revision: str  # of the instruction
    change_only: bool = False


class RecordReturnOutcome(StrEnum):
    """What `record_return.lua` answers."""

    HEARD = "HEARD"
    STALE = "STALE"


class ReturnAck(NamedTuple):
    """What follows from it."""

    outcome: RecordReturnOutcome
    open: bool = False  # the order has not moved on since: it must be placed anew, or be looked at
    source: tuple[int, int] | None = None  # where in `orders.planned` its newest revision stands
    warehouses: tuple[str, ...] = ()  # where it has or had units


def call(given_back: RecordReturn) -> ScriptCall:
    """`record_return.lua`"""
    what = "change" if given_back.change_only else "all"
    arguments = (given_back.warehouse_id, given_back.revision, what)
    return ScriptCall(SCRIPT, (order_key(given_back.order_uid),), arguments)


def parse(reply: Any) -> ReturnAck:
    """What the script answered. Raises CorruptLedger."""
    outcome = parse_outcome(RecordReturnOutcome, reply)
    if outcome is RecordReturnOutcome.STALE:
        return ReturnAck(outcome)
    _, still_open, source, holdings = reply
    return ReturnAck(outcome, bool(still_open), parse_place(source), tuple(orjson.loads(holdings or b"{}")))
