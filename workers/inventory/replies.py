"""What the scripts answered, read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import orjson
from redis.exceptions import ResponseError

from schemas.dead_letter import Failure
from workers.inventory.calls import reserve_skus
from workers.inventory.keys import order_key, reservation_key
from workers.inventory.outbox import read_lines
from workers.inventory.outcomes import (
    AllocateOutcome,
    ClaimOutcome,
    ExpireOutcome,
    FenceOutcome,
    RecordReturnOutcome,
    ReleaseOutcome,
    ReserveOutcome,
    ShipOutcome,
    ShortOutcome,
    WithdrawOutcome,
)
from workers.inventory.records import (
    ActiveInstruction,
    Answer,
    Claim,
    CorruptLedger,
    OrderState,
    Reservation,
    ReturnAck,
)
from workers.inventory.steps import Allocate, Fence, Release, Reserve, Ship, Short, Step, Withdraw

Outcome = TypeVar("Outcome", bound=StrEnum)

_RESERVE_OUTCOMES = {outcome.encode(): outcome for outcome in ReserveOutcome}
_OUTCOMES: dict[type, type[StrEnum]] = {
    Release: ReleaseOutcome,
    Fence: FenceOutcome,
    Allocate: AllocateOutcome,
    Ship: ShipOutcome,
    Short: ShortOutcome,
    Withdraw: WithdrawOutcome,
}


_EXPIRE_OUTCOMES = {outcome.encode(): outcome for outcome in ExpireOutcome}
_CLAIM_OUTCOMES = {outcome.encode(): outcome for outcome in ClaimOutcome}


def read_answer(step: Step, reply: Any, also: Collection[str] = ()) -> Answer | CorruptLedger:
    """The answer to any step."""
    if isinstance(reply, Exception):
        return corrupt_ledger(reply)
    if type(step) is Reserve:
        return _read_reserve(step, reply, also)
    if type(step) is Fence and reply[0] != b"STALE":
        return Answer(FenceOutcome.FENCED, read_lines(reply[2]), reply[1].decode())
    outcome: Any = _OUTCOMES[type(step)](reply[0].decode())
    if outcome is AllocateOutcome.NOTHING_HELD:
        return Answer(outcome, state=reply[1].decode())
    if outcome is ShortOutcome.NOTED and len(reply) > 1:
        return Answer(outcome, {sku.decode(): int(units) for sku, units in zip(reply[1::2], reply[2::2], strict=True)})
    return Answer(outcome)


def _read_reserve(step: Reserve, reply: Any, also: Collection[str]) -> Answer:
    outcome = _RESERVE_OUTCOMES[reply[0]]
    if outcome is ReserveOutcome.INSUFFICIENT:
        return Answer(outcome, dict(zip(reserve_skus(step, also), reply[1:], strict=True)))
    if outcome is ReserveOutcome.ALREADY:
        return Answer(outcome, state=reply[1].decode())
    return Answer(outcome)


def read_claim(order_uid: str, reply: Any) -> Claim | CorruptLedger:
    """What `claim.lua` answered about one order."""
    try:
        return _read_claim(reply)
    except (ValueError, TypeError, KeyError, AttributeError):  # what the pointer says of the order is not ours
        return not_ours(order_key(order_uid))


def _read_claim(reply: Any) -> Claim | CorruptLedger:
    if isinstance(reply, Exception):
        return corrupt_ledger(reply)
    outcome = _CLAIM_OUTCOMES[reply[0]]
    if outcome is ClaimOutcome.CLAIMED:
        _, fence, state, holdings, routed, interrupted, intent, returned, told = reply
        if not state and not interrupted:
            return Claim(outcome, int(fence))
        return Claim(
            outcome,
            int(fence),
            OrderState(state.decode()) if state else None,
            orjson.loads(holdings) if holdings else {},
            _read_routed(routed),
            bool(interrupted),
            tuple(intent.decode().split(",")) if intent else (),
            tuple(returned.decode().split(",")) if returned else (),
            tuple(told.decode().split(",")) if told else (),
        )
    return Claim(outcome, result=reply[1] if outcome is ClaimOutcome.REPEAT else b"")


def _read_routed(packed: bytes) -> dict[str, ActiveInstruction]:
    """By warehouse, the first parcel first: Lua's tables have no order, and what joins the order goes to the first."""
    routed = {}
    for warehouse_id, fields in orjson.loads(packed or b"{}").items():
        line_ids, revisions = fields["line_ids"], tuple(fields.get("revisions", ()))
        line_ids = None if line_ids is None else tuple(line_ids)
        read_back = {"line_ids": line_ids, "revisions": revisions, "units": fields.get("units") or {}}
        routed[warehouse_id] = ActiveInstruction(**fields | read_back)
    return dict(sorted(routed.items(), key=lambda item: item[1].parcel)) if len(routed) > 1 else routed


def read_return_ack(reply: Any) -> ReturnAck:
    """What `record_return.lua` answered."""
    outcome = read_outcome(RecordReturnOutcome, reply)
    if outcome is RecordReturnOutcome.STALE:
        return ReturnAck(outcome)
    _, still_open, source, holdings = reply
    return ReturnAck(outcome, bool(still_open), read_place(source), tuple(orjson.loads(holdings or b"{}")))


def read_place(source: bytes | None) -> tuple[int, int] | None:
    """`<partition>:<offset>` as numbers."""
    partition, _, offset = (source or b"").partition(b":")
    return (int(partition), int(offset)) if offset else None


def read_look(warehouse_id: str, order_uid: str, row: Any) -> Reservation | CorruptLedger:
    """What `look.lua` answered about one order."""
    try:
        return read_reservation(warehouse_id, order_uid, (*row, None, None))
    except ValueError:
        return not_ours(reservation_key(warehouse_id, order_uid))


def read_reservation(warehouse_id: str, order_uid: str, fields: Sequence[bytes | None]) -> Reservation:
    """From what stands in its key: revision, fence, state, deadline, lines, shipped, stop. Raises ValueError."""
    revision, fence, state, deadline, lines, shipped, stop = fields
    return Reservation(
        warehouse_id=warehouse_id,
        order_uid=order_uid,
        revision=(revision or b"").decode(),
        fence=int(fence or 0),
        state=(state or b"").decode(),
        deadline_ms=int(deadline or 0),
        quantities=read_lines(lines),
        shipped=read_lines(shipped),
        stop=(stop or b"").decode(),
    )


def not_ours(key: str) -> CorruptLedger:
    """The error for a key that somebody else wrote to."""
    failure = Failure(
        attempt="stock ledger",
        where=key,
        problem="not what the ledger left there; run `orderfleet stock audit` and repair the key",
        problem_zh="库存账本中的数据不正确；请运行 `orderfleet stock audit` 检查并修复",
    )
    return CorruptLedger("corrupt-ledger", [failure])


def read_expire(reply: Any) -> list[ExpireOutcome | CorruptLedger]:
    """What `expire.lua` answered, one for each hold."""
    if isinstance(reply, Exception):
        return [corrupt_ledger(reply)]
    return [_EXPIRE_OUTCOMES[word] for word in reply]


def read_outcome(outcomes: type[Outcome], reply: Any) -> Outcome:
    """The first word of an answer. Raises CorruptLedger."""
    if isinstance(reply, Exception):
        raise corrupt_ledger(reply)
    return outcomes(reply[0].decode())


def corrupt_ledger(error: Exception) -> CorruptLedger:
    """What a script complained of, as an error that names the key. Raises what is no complaint of a script."""
    text = str(error)
    start = text.find("CORRUPT ")
    if not isinstance(error, ResponseError) or start < 0:
        raise error
    key, _, problem = text[start + len("CORRUPT ") :].partition(": ")
    failure = Failure(
        attempt="stock ledger",
        where=key,
        problem=f"{problem}; run `orderfleet stock audit` and repair the key",
        problem_zh="库存账本中的数据不正确；请运行 `orderfleet stock audit` 检查并修复",
    )
    return CorruptLedger("corrupt-ledger", [failure])
