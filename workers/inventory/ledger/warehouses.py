"""What a WMS answers: what stands of its instructions, and what it gave back."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from workers.inventory.instruction_status import parse_instruction_status
from workers.inventory.keys import order_key
from workers.inventory.operations import drop_return, record_return, stash_return
from workers.inventory.operations.drop_return import DropReturn
from workers.inventory.operations.record_return import RecordReturn, ReturnAck
from workers.inventory.operations.shared.context import RunScripts
from workers.inventory.operations.stash_return import StashReturn, StashReturnOutcome
from workers.inventory.records import InstructionStatus
from workers.runtime.redis.scripts import read_all

log = logging.getLogger(__name__)


class WarehouseLedger:
    """The orders, as seen by who answers their instructions."""

    def __init__(self, redis: Redis, run: RunScripts) -> None:
        self._redis = redis
        self._run = run

    async def get_status(self, asked: Sequence[tuple[str, str, str]]) -> list[InstructionStatus | None]:
        """What stands of (order uid, warehouse, revision of an instruction); None for an order nobody knows."""
        pointers = await read_all(self._redis, [("HGETALL", order_key(uid)) for uid, _, _ in asked])
        return [
            parse_instruction_status(_as_hash(pointer), warehouse_id, revision)
            for pointer, (_, warehouse_id, revision) in zip(pointers, asked, strict=True)
        ]

    async def record_return(self, given_back: Sequence[RecordReturn]) -> list[ReturnAck]:
        """Note that warehouses gave instructions back, before their orders are placed anew."""
        replies = await self._run([record_return.call(one) for one in given_back])
        return [record_return.parse(reply) for reply in replies]

    async def update_stash(self, notes: Sequence[StashReturn | DropReturn]) -> None:
        """Remember what was given back when a change had replaced it, or no longer, now that the change is followed."""
        calls = [stash_return.call(one) if isinstance(one, StashReturn) else drop_return.call(one) for one in notes]
        for note, reply in zip(notes, await self._run(calls), strict=True):
            if isinstance(note, DropReturn):
                drop_return.parse(reply)
            elif stash_return.parse(reply) is StashReturnOutcome.FULL:
                log.warning("%s says too much of order %s; not all is remembered", note.warehouse_id, note.order_uid)


def _as_hash(reply: Any) -> dict[bytes, bytes]:
    """What HGETALL answers, as redis-py gives it or as it comes over the wire."""
    return reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))
