"""Give an order its units in one warehouse, all or none, or replace those it has there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from workers.inventory.operations.shared.context import CallContext
from workers.inventory.records import Answer, ReservationState
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "reserve.lua")


class Taking(StrEnum):
    """What a reserve step may do to the units that an order has."""

    TAKE = "take"  # make them what is wanted
    KEEP = "keep"  # take nothing new: only carry over what is there
    STOP = "stop"  # keep, and the WMS was told to stop: on its answer the units are committed and wait
    GROW = "grow"  # give nothing back, and end nothing by a deadline: the WMS may ship it, until it says it does not
    SHRINK = "shrink"  # take nothing: the WMS follows the change, and what it leaves out is free


class Reserve(NamedTuple):
    """Give an order its units in one warehouse, or replace those it has there."""

    warehouse_id: str
    order_uid: str
    revision: str
    fence: int
    state: ReservationState  # held or committed
    quantities: Mapping[str, int]
    deadline_ms: int = 0  # of a hold; 0 = it never ends by itself
    has: Collection[str] = ()  # SKUs the order is known to have there
    taking: Taking = Taking.TAKE


class ReserveOutcome(StrEnum):
    """What `reserve.lua` answers."""

    RESERVED = "RESERVED"
    ALREADY = "ALREADY"
    STALE = "STALE"
    INSUFFICIENT = "INSUFFICIENT"
    NOTHING_HELD = "NOTHING_HELD"
    SHIPPED = "SHIPPED"
    UNKNOWN_LINES = "UNKNOWN_LINES"


_OUTCOMES = {outcome.encode(): outcome for outcome in ReserveOutcome}


def call(step: Reserve, context: CallContext, also: Collection[str] = ()) -> ScriptCall:
    """`reserve.lua`. `also`: SKUs the reservation turned out to have."""
    skus = _skus(step, also)
    keys = context.reservation(step.warehouse_id, step.order_uid, skus)
    quantities = step.quantities
    return ScriptCall(
        SCRIPT,
        keys,
        (
            step.revision,
            step.fence,
            step.state.value,
            step.deadline_ms,
            step.taking.value,
            context.remember_ms,
            *[quantities.get(sku, 0) for sku in skus],
        ),
    )


def parse(step: Reserve, reply: Any, also: Collection[str] = ()) -> Answer:
    """What the script answered to the call of the same step."""
    outcome = _OUTCOMES[reply[0]]
    if outcome is ReserveOutcome.INSUFFICIENT:
        return Answer(outcome, dict(zip(_skus(step, also), reply[1:], strict=True)))
    if outcome is ReserveOutcome.ALREADY:
        return Answer(outcome, state=reply[1].decode())
    return Answer(outcome, stop=reply[1].decode()) if len(reply) > 1 else Answer(outcome)


def _skus(step: Reserve, also: Collection[str]) -> list[str]:
    """In the order of the call's keys: always the same, so that records are too."""
    if not step.has and not also:
        return sorted(step.quantities)
    return sorted({*step.quantities, *step.has, *also})
