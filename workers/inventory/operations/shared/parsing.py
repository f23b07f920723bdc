"""What replies of several scripts have in common, parsed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypeVar

from redis.exceptions import ResponseError

from schemas.codes import LetterProblem
from schemas.dead_letter import Failure
from workers.inventory.outbox import read_lines
from workers.inventory.records import CorruptLedger, Reservation

Outcome = TypeVar("Outcome", bound=StrEnum)


def parse_outcome(outcomes: type[Outcome], reply: Any) -> Outcome:
    """The first word of an answer. Raises CorruptLedger."""
    if isinstance(reply, Exception):
        raise corrupt_ledger(reply)
    return outcomes(reply[0].decode())


def parse_place(source: bytes | None) -> tuple[int, int] | None:
    """`<partition>:<offset>` as numbers."""
    partition, _, offset = (source or b"").partition(b":")
    return (int(partition), int(offset)) if offset else None


def parse_reservation(warehouse_id: str, order_uid: str, fields: Sequence[bytes | None]) -> Reservation:
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
    return _corrupt(key, "not what the ledger left there")


def corrupt_ledger(error: Exception) -> CorruptLedger:
    """What a script complained of, as an error that names the key. Raises what is no complaint of a script."""
    text = str(error)
    start = text.find("CORRUPT ")
    if not isinstance(error, ResponseError) or start < 0:
        raise error
    key, _, problem = text[start + len("CORRUPT ") :].partition(": ")
    return _corrupt(key, problem)


def _corrupt(key: str, problem: str) -> CorruptLedger:
    told = LetterProblem.LEDGER_CORRUPT(problem=problem)
    return CorruptLedger("corrupt-ledger", [Failure(attempt="stock ledger", where=key, explanation=told)])
