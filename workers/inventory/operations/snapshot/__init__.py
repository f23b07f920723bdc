"""Read hashes of one warehouse as they are at one number of its events."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from workers.inventory.keys import deadlines_key, sequence_key
from workers.inventory.operations.shared.parsing import parse_outcome
from workers.runtime.redis.scripts import Script, ScriptCall

SCRIPT: Final = Script(__package__, "snapshot.lua")


class SnapshotOutcome(StrEnum):
    """What `snapshot.lua` answers."""

    READ = "READ"


class Hashes(NamedTuple):
    """What was read, in the order of the call."""

    sequence: int
    fields: Sequence[Any]  # of each hash, field and value in turn; text where the key is no hash
    deadlines: Sequence[bytes]  # of each order, b"" where the list does not name it


def call(warehouse_id: str, hashes: Sequence[str], order_uids: Sequence[str]) -> ScriptCall:
    """`snapshot.lua`. `order_uids`: whose deadlines are read as well, "" for none; as many as there are hashes."""
    return ScriptCall(SCRIPT, [sequence_key(warehouse_id), deadlines_key(warehouse_id), *hashes], order_uids)


def parse(reply: Any) -> Hashes:
    """What the script answered. Raises CorruptLedger."""
    parse_outcome(SnapshotOutcome, reply)
    _, sequence, hashes, deadlines = reply
    return Hashes(int(sequence), hashes, deadlines)
