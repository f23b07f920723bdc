"""The stock ledger in Redis: the only caller of its scripts.

Every change is one script, so every change is atomic; every method takes a batch and costs one round trip. All of them
raise TransientError when Redis is away; then some of the batch may have taken effect, and doing it again is safe.
"""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import Any, Final

import orjson
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from schemas.inventory import InventoryEvent
from workers.inventory.calls import Calls
from workers.inventory.instruction_status import read_standing
from workers.inventory.keys import deadlines_key, order_key, outbox_key, stock_key, warehouses_key
from workers.inventory.outbox import event_of
from workers.inventory.outcomes import (
    CountOutcome,
    DropReturnOutcome,
    ExpireOutcome,
    LeaseOutcome,
    MarkExpiredOutcome,
    SettleOutcome,
    StashReturnOutcome,
    TransferOutcome,
    TrimOutcome,
)
from workers.inventory.ownership import held_twice, in_several
from workers.inventory.reading import audit_warehouse, read_levels, read_reservations
from workers.inventory.records import (
    Answer,
    Claim,
    CorruptLedger,
    Count,
    InstructionStatus,
    OrderSnapshot,
    OrderState,
    Quantities,
    Reservation,
    ReturnAck,
    StockLevel,
    Swept,
)
from workers.inventory.replies import (
    not_ours,
    read_answer,
    read_claim,
    read_expire,
    read_look,
    read_outcome,
    read_place,
    read_return_ack,
)
from workers.inventory.report import AuditReport, Finding
from workers.inventory.retention import REMEMBER_MS
from workers.inventory.steps import DropReturn, RecordReturn, Settlement, StashReturn, Step, Transfer
from workers.inventory.waiting import WaitingList
from workers.runtime.redis.errors import redis_errors
from workers.runtime.redis.scripts import Each, ScriptCall, read_all, run_scripts

log = logging.getLogger(__name__)

DAY: Final = 86400.0
_COUNTS_PER_CALL: Final = 500
_LOOKS_PER_CALL: Final = 100
_HOLDS_PER_CALL: Final = 25  # about a millisecond, in which Redis does nothing else
_AUDIT_PASSES: Final = 5
_UNKNOWN_LINES: Final = "UNKNOWN_LINES"


class Ledger:
    """Counters, reservations and order pointers of all warehouses.

    `remember_seconds`: how long ended orders and tombstones are kept, so that late messages about them change nothing.
    It must be longer than the topics' retention and the longest outage together.
    """

    def __init__(self, redis: Redis, *, remember_seconds: float = REMEMBER_MS / 1000) -> None:
        self._redis = redis
        self._calls = Calls(int(remember_seconds * 1000))
        self._holder = secrets.token_hex(8)
        self.waiting = WaitingList(redis, self._run)

    # --- one order's way through the ledger: claim, steps, settle

    async def claim(self, orders: Sequence[tuple[str, str, Sequence[str]]]) -> list[Claim | CorruptLedger]:
        """Claim (order uid, revision, warehouses that may be asked). No two of them may be of one order."""
        replies = await self._run(Each(lambda order: self._calls.claim(*order), orders))
        return [read_claim(order[0], reply) for order, reply in zip(orders, replies, strict=True)]

    async def apply(self, steps: Sequence[Step]) -> list[Answer | CorruptLedger]:
        """Take the steps; those in one warehouse one after the other, in the order given."""
        replies = await self._run(Each(self._calls.step, steps))
        answers = [read_answer(step, reply) for step, reply in zip(steps, replies, strict=True)]
        for number, answer in enumerate(answers):
            if isinstance(answer, Answer) and answer.outcome == _UNKNOWN_LINES:
                answers[number] = await self._apply_knowing(steps[number], replies[number])
        return answers

    async def _apply_knowing(self, step: Step, reply: Any) -> Answer | CorruptLedger:
        """Take one step again, with the SKUs that the reservation turned out to have."""
        also: set[str] = set()
        while True:
            also.update(sku.decode() for sku in reply[1:])
            [reply] = await self._run([self._calls.step(step, also)])
            answer = read_answer(step, reply, also)
            if not isinstance(answer, Answer) or answer.outcome != _UNKNOWN_LINES:
                return answer

    async def settle(self, settlements: Sequence[Settlement]) -> list[SettleOutcome]:
        """Write down how each ended. LOST means: another claim came since, start over."""
        replies = await self._run(Each(self._calls.settle, settlements))
        return [read_outcome(SettleOutcome, reply) for reply in replies]

    # --- what a WMS answers

    async def get_status(self, asked: Sequence[tuple[str, str, str]]) -> list[InstructionStatus | None]:
        """What stands of (order uid, warehouse, revision of an instruction); None for an order nobody knows."""
        pointers = await read_all(self._redis, [("HGETALL", order_key(uid)) for uid, _, _ in asked])
        return [
            read_standing(_as_hash(pointer), warehouse_id, revision)
            for pointer, (_, warehouse_id, revision) in zip(pointers, asked, strict=True)
        ]

    async def record_return(self, given_back: Sequence[RecordReturn]) -> list[ReturnAck]:
        """Note that warehouses gave instructions back, before their orders are placed anew."""
        return [
            read_return_ack(reply) for reply in await self._run([self._calls.record_return(one) for one in given_back])
        ]

    async def update_stash(self, notes: Sequence[StashReturn | DropReturn]) -> None:
        """Remember what was given back when a change had replaced it, or no longer, now that the change is followed."""
        calls = [
            self._calls.stash_return(one) if isinstance(one, StashReturn) else self._calls.drop_return(one)
            for one in notes
        ]
        for note, reply in zip(notes, await self._run(calls), strict=True):
            if isinstance(note, DropReturn):
                read_outcome(DropReturnOutcome, reply)
            elif read_outcome(StashReturnOutcome, reply) is StashReturnOutcome.FULL:
                log.warning("%s says too much of order %s; not all is remembered", note.warehouse_id, note.order_uid)

    async def shipped(self, asked: Sequence[tuple[str, Sequence[str]]]) -> list[bool]:
        """Of (order uid, warehouses): whether anything of the order has left any of them."""
        return [bool(units) for units in await self.shipped_units(asked)]

    async def shipped_units(self, asked: Sequence[tuple[str, Sequence[str]]]) -> list[Quantities]:
        """Of (order uid, warehouses): the units of the order that have left all of these, by SKU."""
        pairs = [(warehouse_id, uid) for uid, warehouse_ids in asked for warehouse_id in warehouse_ids]
        found = {(one.warehouse_id, one.order_uid): one.shipped for one in await read_reservations(self._redis, pairs)}
        units = [Counter[str]() for _ in asked]
        for counter, (uid, warehouse_ids) in zip(units, asked, strict=True):
            for warehouse_id in warehouse_ids:
                counter.update(found.get((warehouse_id, uid), {}))
        return [dict(counter) for counter in units]

    async def counted(self, asked: Sequence[tuple[str, str]]) -> list[bool]:
        """Whether each (warehouse, SKU) was ever counted."""
        found = await read_all(self._redis, [("EXISTS", stock_key(*pair)) for pair in asked])
        return [bool(number) for number in found]

    # --- payment deadlines

    async def due(self, warehouse_id: str, now_ms: int, limit: int) -> list[Reservation]:
        """Up to `limit` holds whose deadline is not after `now_ms`, those due first. Raises CorruptLedger."""
        due = await self._due(warehouse_id, now_ms, limit, 0)
        return await read_reservations(self._redis, [(warehouse_id, uid) for uid in due])

    async def _due(self, warehouse_id: str, now_ms: int, limit: int, skip: int) -> list[str]:
        key = deadlines_key(warehouse_id)
        try:
            with redis_errors():
                uids: Any = await self._redis.zrangebyscore(key, "-inf", now_ms, start=skip, num=limit)
        except ResponseError as error:
            raise not_ours(key) from error
        return [uid.decode() for uid in uids]

    async def expire(self, seen: Sequence[Reservation], now_ms: int) -> list[ExpireOutcome]:
        """Give these holds back if nothing happened to them since they were seen, and note it on their orders.

        All of one warehouse. Raises CorruptLedger.
        """
        outcomes = []
        for outcome in await self._expire(seen, now_ms):
            if isinstance(outcome, CorruptLedger):
                raise outcome
            outcomes.append(outcome)
        return outcomes

    async def sweep(self, warehouse_id: str, now_ms: int, limit: int, skip: int = 0) -> Swept:
        """Give back up to `limit` holds that are due, those due first without the first `skip`. A corrupt one stays."""
        try:
            due = await self._due(warehouse_id, now_ms, limit, skip)
        except CorruptLedger as error:
            return Swept(0, 0, (error,))
        found = await self._look(warehouse_id, due)
        outcomes = await self._expire([each for each in found if isinstance(each, Reservation)], now_ms)
        corrupt = [each for each in (*found, *outcomes) if isinstance(each, CorruptLedger)]
        return Swept(len(due), outcomes.count(ExpireOutcome.EXPIRED), tuple(corrupt))

    async def _look(self, warehouse_id: str, uids: Sequence[str]) -> list[Reservation | CorruptLedger]:
        parts = [uids[start : start + _LOOKS_PER_CALL] for start in range(0, len(uids), _LOOKS_PER_CALL)]
        replies = await self._run([self._calls.look(warehouse_id, part) for part in parts])
        rows = (row for reply in replies for row in reply)
        return [read_look(warehouse_id, uid, row) for uid, row in zip(uids, rows, strict=True)]

    async def _expire(self, seen: Sequence[Reservation], now_ms: int) -> list[ExpireOutcome | CorruptLedger]:
        parts = [seen[start : start + _HOLDS_PER_CALL] for start in range(0, len(seen), _HOLDS_PER_CALL)]
        replies = await self._run([self._calls.expire(part, now_ms) for part in parts])
        outcomes: list[ExpireOutcome | CorruptLedger] = []
        for part, reply in zip(parts, replies, strict=True):
            outcomes += read_expire(reply) if isinstance(reply, list) else await self._expire_each(part, now_ms)
        expired = [hold for hold, outcome in zip(seen, outcomes, strict=True) if outcome is ExpireOutcome.EXPIRED]
        for reply in await self._run([self._calls.mark_expired(hold.order_uid, hold.revision) for hold in expired]):
            read_outcome(MarkExpiredOutcome, reply)
        return outcomes

    async def _expire_each(self, holds: Sequence[Reservation], now_ms: int) -> list[ExpireOutcome | CorruptLedger]:
        """One of them is corrupt: the others need not wait for it."""
        replies = await self._run([self._calls.expire([hold], now_ms) for hold in holds])
        return [read_expire(reply)[0] for reply in replies]

    # --- stock

    async def warehouses(self) -> list[str]:
        """The ids of all warehouses that were ever counted, sorted."""
        with redis_errors():
            members: Any = await self._redis.smembers(warehouses_key())
        return sorted(member.decode() for member in members)

    async def set_stock(
        self, warehouse_id: str, counts: Mapping[str, Count], at_ms: int | None = None
    ) -> dict[str, int]:
        """Set on-hand units and safety stock. What may be promised of each SKU then; below zero calls for a person.

        `at_ms`: when it was counted, ms since 1970; None: now. What left or came in after that is applied to the count;
        a count older than one that was set before leaves on-hand units alone.
        """
        with redis_errors():
            await self._redis.sadd(warehouses_key(), warehouse_id)
        available: dict[str, int] = {}
        skus = list(counts)
        for start in range(0, len(skus), _COUNTS_PER_CALL):
            part = skus[start : start + _COUNTS_PER_CALL]
            [reply] = await self._run([self._calls.count(warehouse_id, {sku: counts[sku] for sku in part}, at_ms)])
            read_outcome(CountOutcome, reply)
            available.update(zip(part, reply[1:], strict=True))
        return available

    async def transfer(self, steps: Sequence[Transfer]) -> list[tuple[TransferOutcome, Quantities]]:
        """Take steps of transfers; with INSUFFICIENT what could be had of each SKU. Raises CorruptLedger."""
        with redis_errors():
            for warehouse_id in {step.warehouse_id for step in steps}:
                await self._redis.sadd(warehouses_key(), warehouse_id)
        replies = await self._run([self._calls.transfer(step) for step in steps])
        done = []
        for step, reply in zip(steps, replies, strict=True):
            outcome = read_outcome(TransferOutcome, reply)
            short = outcome is TransferOutcome.INSUFFICIENT
            done.append((outcome, dict(zip(sorted(step.quantities), reply[1:], strict=True)) if short else {}))
        return done

    async def stock(self, warehouse_id: str, skus: Collection[str] | None = None) -> list[StockLevel]:
        """The counters of these SKUs, by default all of the warehouse, sorted by SKU. Raises CorruptLedger."""
        levels = [level async for level in read_levels(self._redis, warehouse_id, skus)]
        return sorted(levels, key=lambda level: level.sku)

    async def available(self, asked: Sequence[tuple[str, str]]) -> list[int]:
        """What may be promised of each (warehouse, SKU). Raises CorruptLedger."""
        found: dict[tuple[str, str], int] = {}
        by_warehouse: dict[str, set[str]] = {}
        for warehouse_id, sku in asked:
            by_warehouse.setdefault(warehouse_id, set()).add(sku)
        for warehouse_id, skus in by_warehouse.items():
            for level in await self.stock(warehouse_id, skus):
                found[warehouse_id, level.sku] = level.available_to_promise
        return [found[pair] for pair in asked]

    # --- looking

    async def sources(self, order_uids: Sequence[str]) -> list[tuple[int, int] | None]:
        """Where in `orders.planned` the newest settled revision of each stands: partition and offset."""
        found = await read_all(self._redis, [("HGET", order_key(uid), "source") for uid in order_uids])
        return [read_place(source) for source in found]

    async def revisions(self, order_uids: Sequence[str]) -> list[str]:
        """The newest revision of each order that came this far, "" of an order that is not known (any more)."""
        found = await read_all(self._redis, [("HGET", order_key(uid), "revision") for uid in order_uids])
        return [(revision or b"").decode() for revision in found]

    async def where_is(self, order_uid: str) -> OrderSnapshot:
        """Everything known about one order, for people who ask where its stock is and why. Raises CorruptLedger."""
        with redis_errors():
            pointer: Any = await self._redis.hgetall(order_key(order_uid))
        text = {name.decode(): value for name, value in pointer.items()}
        holdings: dict[str, Quantities] = orjson.loads(text.get("holdings") or b"{}")
        intent = tuple(filter(None, text.get("intent", b"").decode().split(",")))
        warehouses = dict.fromkeys((*holdings, *intent))
        reservations = await read_reservations(self._redis, [(warehouse_id, order_uid) for warehouse_id in warehouses])
        state = text.get("state", b"").decode()
        return OrderSnapshot(
            order_uid=order_uid,
            revision=text.get("revision", b"").decode(),
            state=OrderState(state) if state else None,
            settled=text.get("phase") == b"settled",
            intent=intent,
            holdings=holdings,
            routed=tuple(orjson.loads(text.get("routed") or b"{}")),
            source=text.get("source", b"").decode(),
            reservations=tuple(found for found in reservations if found.state),
        )

    async def audit(self) -> AuditReport:
        """Compare all counters with the reservations they must be the sum of.

        On a live system numbers move while they are read: what is found is looked at again until nothing moved
        meanwhile, and where something always moves only what is found in every pass is reported.
        """
        warehouses = await self.warehouses()
        skus = reservations = 0
        findings: list[Finding] = []
        holders: dict[str, frozenset[str]] = {}
        for warehouse_id in warehouses:
            seen = await audit_warehouse(self._redis, warehouse_id)
            found = list(seen.findings)
            for _ in range(_AUDIT_PASSES - 1):
                if not found or seen.settled:
                    break
                seen = await audit_warehouse(self._redis, warehouse_id)
                found = list(seen.findings) if seen.settled else [each for each in found if each in seen.findings]
            skus += seen.skus
            reservations += seen.reservations
            findings += found
            holders[warehouse_id] = seen.holders
        findings += await held_twice(self._redis, in_several(holders))
        return AuditReport(warehouses=len(warehouses), skus=skus, reservations=reservations, findings=tuple(findings))

    # --- the outbox

    async def lease_outbox(self, warehouse_ids: Sequence[str], lease_ms: int) -> list[str]:
        """Those of the warehouses whose outbox this ledger alone may relay for the time asked."""
        replies = await self._run([self._calls.lease(one, self._holder, lease_ms) for one in warehouse_ids])
        outcomes = [read_outcome(LeaseOutcome, reply) for reply in replies]
        return [one for one, got in zip(warehouse_ids, outcomes, strict=True) if got is LeaseOutcome.MINE]

    async def read_outbox(self, warehouse_id: str, limit: int) -> tuple[list[InventoryEvent], str]:
        """The oldest events of an outbox, and the id that tells `trim_outbox` where they end, "" without any."""
        with redis_errors():
            entries: Any = await self._redis.xrange(outbox_key(warehouse_id), count=limit)
        if not entries:
            return [], ""
        events = [event_of(warehouse_id, entry_id, fields) for entry_id, fields in entries]
        stamp, _, number = entries[-1][0].decode().partition("-")
        return events, f"{stamp}-{int(number) + 1}"

    async def trim_outbox(self, ends: Mapping[str, str]) -> list[TrimOutcome]:
        """Drop from each warehouse's outbox what `read_outbox` gave. TAKEN: somebody else relays it now."""
        replies = await self._run([self._calls.trim(one, self._holder, end) for one, end in ends.items()])
        return [read_outcome(TrimOutcome, reply) for reply in replies]

    # --- plumbing

    def _run(self, calls: Sequence[ScriptCall]) -> Awaitable[list[Any]]:
        return run_scripts(self._redis, calls)


def _as_hash(reply: Any) -> dict[bytes, bytes]:
    """What HGETALL answers, as redis-py gives it or as it comes over the wire."""
    return reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))
