"""What the scripts answered, read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

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
    InstructionStatus,
    OrderState,
    Reservation,
    ReturnAck,
    SupersededReturn,
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


def read_standing(pointer: Mapping[bytes, bytes], warehouse_id: str, instruction: str) -> InstructionStatus | None:
    """An order's pointer, as seen by who answers an instruction; None when there is no such order.

    `instruction`: its revision. Where none stands any more, the last ones are read: an answer is judged by them.
    """
    if b"revision" not in pointer:
        return None
    skus = orjson.loads(pointer.get(b"holdings") or b"{}").get(warehouse_id, ())
    told = orjson.loads(pointer.get(b"routed") or b"{}").get(warehouse_id)
    *replaced, stands = (told and told.get("revisions")) or ("",)
    said = _said_to(pointer, warehouse_id)
    sent, most = _sent(said) if pointer.get(b"source") else (None, None)
    standing = InstructionStatus(
        pointer[b"revision"].decode(),
        tuple(skus),
        stands,
        f"heard:{warehouse_id}:{instruction}".encode() in pointer,
        told.get("units") or {} if told else {},
        int(pointer.get(b"fence") or 0),
        pointer.get(b"phase") == b"claimed",
        replaced=replaced,
        overtaken=read_overtaken(pointer.get(f"overtaken:{warehouse_id}".encode())),
        sent=sent,
        most=most,
        stands_again=_sent([one for one in said if one[0] in replaced])[1] if replaced else None,
    )
    return standing if stands else standing._replace(**_last_told(pointer, warehouse_id, said)._asdict())


def _said_to(pointer: Mapping[bytes, bytes], warehouse_id: str) -> list[tuple[str, Mapping[str, Any]]]:
    """All that one warehouse was told of the order, as (revision, instruction)."""
    return [
        (name.removeprefix(b"said:").decode(), told)
        for name, said in pointer.items()
        if name.startswith(b"said:")
        for told in orjson.loads(said).get("told", ())
        if told["warehouse_id"] == warehouse_id
    ]


def _sent(said: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[set[tuple[str, str]], dict[str, int] | None]:
    """What was sent, as (revision, kind); and the most units of each SKU that any instruction asked for.

    The units are None where an earlier version of ours sent an instruction and did not note them.
    """
    sent, most, known = {(revision, told["kind"]) for revision, told in said}, dict[str, int](), True
    for _, told in said:
        units = told.get("units") or {}
        known = known and (bool(units) or told["kind"] == "cancel")
        for sku, asked in units.items():
            most[sku] = max(asked, most.get(sku, 0))
    return sent, most if known else None


def read_overtaken(packed: bytes | None) -> tuple[SupersededReturn, ...]:
    """What `stash_return.lua` left, less what `drop_return.lua` made void."""
    kept = orjson.loads(packed or b"[]")
    return tuple(SupersededReturn(one["revision"], one["event"].encode()) for one in kept if one["event"])


class LastTold(NamedTuple):
    """Revisions of the last instructions to a warehouse, less changes that were refused; "" where there was none."""

    told_last: str  # to ship
    cancelled: str = ""  # to stop after that
    replaced: Sequence[str] = ()  # to ship: what the one of `told_last` changes
    units: Mapping[str, int] = {}  # that the one of `told_last` asks for


def _last_told(
    pointer: Mapping[bytes, bytes], warehouse_id: str, said: Sequence[tuple[str, Mapping[str, Any]]]
) -> LastTold:
    """What a warehouse was last told, of all that the order's pointer remembers to have said."""
    ships, fulfil, cancelled = [""], "", ""
    units: dict[str, Mapping[str, int]] = {}
    for revision, told in said:
        if told["kind"] == "cancel":
            cancelled = max(cancelled, revision)
            continue
        ships.append(revision)
        units[revision] = told.get("units") or {}
        if told["kind"] == "fulfil":
            fulfil = max(fulfil, revision)
    heard = {revision: pointer.get(f"heard:{warehouse_id}:{revision}".encode()) for revision in ships}
    if cancelled < max(ships):
        return LastTold(max(revision for revision in ships if not (heard[revision] or b"").endswith(b" change")))
    # What was given back is not cancelled: of what a cancellation ends, only refused changes were heard of.
    *replaced, told_last = sorted(revision for revision in ships if heard[revision] is None)
    stood = [revision for revision in replaced if revision >= fulfil]
    return LastTold(told_last, cancelled, stood, units.get(told_last, {}))


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
