"""Claim one revision of an order: say that it is being worked on, and in which warehouses, before stock is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

from workers.inventory.keys import order_key
from workers.inventory.operations.shared.parsing import corrupt_ledger, not_ours
from workers.inventory.records import ActiveInstruction, CorruptLedger, Holdings, OrderState
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "claim.lua")


class ClaimOutcome(StrEnum):
    """What `claim.lua` answers."""

    CLAIMED = "CLAIMED"
    REPEAT = "REPEAT"
    STALE = "STALE"
    OVERRULED = "OVERRULED"


class Claim(NamedTuple):
    """The right to work on one revision of an order, and what was there before."""

    outcome: ClaimOutcome
    fence: int = 0  # this claim's number: the next 999 are for its steps
    state: OrderState | None = None  # of the last settled revision; None: there is none
    holdings: Holdings = {}  # noqa: RUF012
    routed: Mapping[str, ActiveInstruction] = {}  # by warehouse
    interrupted: bool = False  # an earlier claim never settled ...
    intent: tuple[str, ...] = ()  # ... and may have touched these warehouses
    returned: tuple[str, ...] = ()  # ... while these gave the order back
    told: tuple[str, ...] = ()  # were ever told to ship it, by any revision
    result: bytes = b""  # with REPEAT; empty when that revision said nothing


_OUTCOMES = {outcome.encode(): outcome for outcome in ClaimOutcome}


def call(order_uid: str, revision: str, warehouse_ids: Sequence[str], decided: int = 0) -> ScriptCall:
    """`claim.lua`. `warehouse_ids`: those that may be asked, best first. `decided`: decisions that its plan knows."""
    return ScriptCall(SCRIPT, (order_key(order_uid),), (revision, ",".join(warehouse_ids), decided))


def parse(order_uid: str, reply: Any) -> Claim | CorruptLedger:
    """What the script answered about one order."""
    try:
        return _claim(reply)
    except (ValueError, TypeError, KeyError, AttributeError):  # what the pointer says of the order is not ours
        return not_ours(order_key(order_uid))


def _claim(reply: Any) -> Claim | CorruptLedger:
    if isinstance(reply, Exception):
        return corrupt_ledger(reply)
    outcome = _OUTCOMES[reply[0]]
    if outcome is ClaimOutcome.CLAIMED:
        _, fence, state, holdings, routed, interrupted, intent, returned, told = reply
        if not state and not interrupted:
            return Claim(outcome, int(fence))
        return Claim(
            outcome,
            int(fence),
            OrderState(state.decode()) if state else None,
            orjson.loads(holdings) if holdings else {},
            _instructions(routed),
            bool(interrupted),
            tuple(intent.decode().split(",")) if intent else (),
            tuple(returned.decode().split(",")) if returned else (),
            tuple(told.decode().split(",")) if told else (),
        )
    return Claim(outcome, result=reply[1] if outcome is ClaimOutcome.REPEAT else b"")


def _instructions(packed: bytes) -> dict[str, ActiveInstruction]:
    """By warehouse, the first parcel first: Lua's tables have no order, and what joins the order goes to the first."""
    routed = {}
    for warehouse_id, fields in orjson.loads(packed or b"{}").items():
        line_ids, revisions = fields["line_ids"], tuple(fields.get("revisions", ()))
        line_ids = None if line_ids is None else tuple(line_ids)
        read_back = {"line_ids": line_ids, "revisions": revisions, "units": fields.get("units") or {}}
        routed[warehouse_id] = ActiveInstruction(**fields | read_back)
    return dict(sorted(routed.items(), key=lambda item: item[1].parcel)) if len(routed) > 1 else routed
