"""The scripts' KEYS and ARGV, and their answers read back. Beside each script's header; a test compares the two."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar

import orjson
from redis.exceptions import ResponseError

from schemas.dead_letter import Failure
from workers.inventory.keys import (
    deadlines_key,
    moved_key,
    order_key,
    outbox_key,
    relay_key,
    reservation_key,
    sequence_key,
    stock_key,
    transfer_key,
)
from workers.inventory.outbox import read_lines
from workers.inventory.records import (
    ENDED,
    Allocate,
    AllocateOutcome,
    Answer,
    Claim,
    ClaimOutcome,
    CorruptLedger,
    Count,
    ExpireOutcome,
    Fence,
    FenceOutcome,
    Forget,
    Hear,
    Heard,
    HearOutcome,
    OrderState,
    Overtaken,
    Release,
    ReleaseOutcome,
    Remember,
    Reservation,
    Reserve,
    ReserveOutcome,
    Routed,
    Settlement,
    Ship,
    ShipOutcome,
    Short,
    ShortOutcome,
    Standing,
    Step,
    Transfer,
    Withdraw,
    WithdrawOutcome,
)
from workers.runtime.scripts import Script, ScriptCall

Outcome = TypeVar("Outcome", bound=StrEnum)

MOVED_MS: Final = 7 * 24 * 3600 * 1000
"""How late a count may come and still be right: so long movements of on-hand units are kept."""

MOST_OVERTAKEN: Final = 128 * 1024
"""Bytes that one order remembers of what one warehouse gave back when a change had replaced it."""

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


class WarehouseKeys(NamedTuple):
    """The keys of one warehouse that are not about one SKU or order, and how the others begin."""

    deadlines: str
    outbox: str
    sequence: str
    reservation: str
    stock: str

    @classmethod
    def of(cls, warehouse_id: str) -> WarehouseKeys:
        """Spelled once per warehouse, not once per order."""
        return cls(
            deadlines_key(warehouse_id),
            outbox_key(warehouse_id),
            sequence_key(warehouse_id),
            reservation_key(warehouse_id, ""),
            stock_key(warehouse_id, ""),
        )


class Calls:
    """Builds the calls. `remember_ms`: how long tombstones and ended orders are kept."""

    def __init__(self, remember_ms: int) -> None:
        self._remember_ms = remember_ms
        self._warehouses: dict[str, WarehouseKeys] = {}
        self._reserve = Script(__package__, "reserve.lua")
        self._release = Script(__package__, "release.lua")
        self._expire = Script(__package__, "expire.lua")
        self._look = Script(__package__, "look.lua")
        self._fence = Script(__package__, "fence.lua")
        self._allocate = Script(__package__, "allocate.lua")
        self._ship = Script(__package__, "ship.lua")
        self._short = Script(__package__, "short.lua")
        self._withdraw = Script(__package__, "withdraw.lua")
        self._transfer = Script(__package__, "transfer.lua")
        self._count = Script(__package__, "count.lua")
        self._claim = Script(__package__, "claim.lua")
        self._settle = Script(__package__, "settle.lua")
        self._hear = Script(__package__, "hear.lua")
        self._remember = Script(__package__, "remember.lua")
        self._forget = Script(__package__, "forget.lua")
        self._lapse = Script(__package__, "lapse.lua")
        self._lease = Script(__package__, "lease.lua")
        self._trim = Script(__package__, "trim.lua")
        self._builders: dict[type, Callable[[Any, Collection[str]], ScriptCall]] = {
            Reserve: self.reserve,
            Release: self.release,
            Fence: self.fence,
            Allocate: self.allocate,
            Ship: self.ship,
            Short: self.short,
            Withdraw: self.withdraw,
        }

    def step(self, step: Step, also: Collection[str] = ()) -> ScriptCall:
        """The call of any step. `also`: SKUs the reservation turned out to have."""
        build: Callable[[Any, Collection[str]], ScriptCall] = self._builders[type(step)]
        return build(step, also)

    def reserve(self, step: Reserve, also: Collection[str] = ()) -> ScriptCall:
        """`reserve.lua`"""
        skus = reserve_skus(step, also)
        keys = self._reservation_keys(step.warehouse_id, step.order_uid, skus)
        quantities = step.quantities
        return ScriptCall(
            self._reserve,
            keys,
            (
                step.revision,
                step.fence,
                step.state.value,
                step.deadline_ms,
                step.taking.value,
                self._remember_ms,
                *[quantities.get(sku, 0) for sku in skus],
            ),
        )

    def release(self, step: Release, also: Collection[str] = ()) -> ScriptCall:
        """`release.lua`"""
        keys = self._reservation_keys(step.warehouse_id, step.order_uid, sorted({*step.has, *also}))
        return ScriptCall(self._release, keys, (step.revision, step.fence, step.giving.value, self._remember_ms))

    def expire(self, seen: Sequence[Reservation], now_ms: int) -> ScriptCall:
        """`expire.lua`, for holds of one warehouse."""
        warehouse = self._of(seen[0].warehouse_id)
        reservation, stock = warehouse.reservation, warehouse.stock
        keys = [warehouse.deadlines, warehouse.outbox, warehouse.sequence]
        keys += [reservation + hold.order_uid for hold in seen]
        keys += [stock + sku for sku in {sku: None for hold in seen for sku in hold.quantities}]
        told = [word for hold in seen for word in (hold.revision, hold.fence)]
        return ScriptCall(self._expire, keys, (now_ms, self._remember_ms, len(seen), *told))

    def look(self, warehouse_id: str, order_uids: Sequence[str]) -> ScriptCall:
        """`look.lua`"""
        reservation = self._of(warehouse_id).reservation
        return ScriptCall(self._look, [reservation + uid for uid in order_uids], ())

    def fence(self, step: Fence, also: Collection[str] = ()) -> ScriptCall:
        """`fence.lua`"""
        keys = self._reservation_keys(step.warehouse_id, step.order_uid, ())
        return ScriptCall(self._fence, keys, (step.fence, self._remember_ms))

    def allocate(self, step: Allocate, also: Collection[str] = ()) -> ScriptCall:
        """`allocate.lua`"""
        keys = self._reservation_keys(step.warehouse_id, step.order_uid, sorted({*step.has, *also}))
        return ScriptCall(self._allocate, keys, ())

    def ship(self, step: Ship, also: Collection[str] = ()) -> ScriptCall:
        """`ship.lua`"""
        keys, units = self._physical(step, also)
        return ScriptCall(self._ship, keys, (step.message_id, step.at_ms, self._remember_ms, MOVED_MS, *units))

    def short(self, step: Short, also: Collection[str] = ()) -> ScriptCall:
        """`short.lua`"""
        keys, units = self._physical(step, also)
        told = (step.message_id, step.at_ms, self._remember_ms, MOVED_MS, step.revision, step.lost.value)
        return ScriptCall(self._short, keys, (*told, *units))

    def withdraw(self, step: Withdraw, also: Collection[str] = ()) -> ScriptCall:
        """`withdraw.lua`"""
        keys = self._reservation_keys(step.warehouse_id, step.order_uid, sorted({*step.has, *also}))
        return ScriptCall(self._withdraw, keys, (step.revision, self._remember_ms))

    def _physical(self, step: Ship | Short, also: Collection[str]) -> tuple[list[str], list[int]]:
        """Keys with the SKUs' movements, and the units: what is named, or all of everything when nothing is."""
        skus = sorted({*step.quantities, *step.has, *also})
        keys = self._reservation_keys(step.warehouse_id, step.order_uid, skus)
        keys += [moved_key(step.warehouse_id, sku) for sku in skus]
        unnamed = 0 if step.quantities else -1
        return keys, [step.quantities.get(sku, unnamed) for sku in skus]

    def transfer(self, step: Transfer) -> ScriptCall:
        """`transfer.lua`"""
        warehouse, skus = self._of(step.warehouse_id), sorted(step.quantities)
        keys = [transfer_key(step.warehouse_id, step.transfer_id), warehouse.outbox, warehouse.sequence]
        keys += [warehouse.stock + sku for sku in skus] + [moved_key(step.warehouse_id, sku) for sku in skus]
        told = (step.action.value, step.at_ms, self._remember_ms, MOVED_MS)
        return ScriptCall(self._transfer, keys, (*told, *(step.quantities[sku] for sku in skus)))

    def count(self, warehouse_id: str, counts: Mapping[str, Count], at_ms: int | None = None) -> ScriptCall:
        """`count.lua`"""
        warehouse = self._of(warehouse_id)
        figures = [figure for count in counts.values() for figure in (count.on_hand, count.safety)]
        keys = [warehouse.outbox, warehouse.sequence, *(warehouse.stock + sku for sku in counts)]
        keys += [moved_key(warehouse_id, sku) for sku in counts]
        at = "" if at_ms is None else at_ms
        return ScriptCall(self._count, keys, (at, *("" if figure is None else figure for figure in figures)))

    def claim(self, order_uid: str, revision: str, intent: Sequence[str]) -> ScriptCall:
        """`claim.lua`"""
        return ScriptCall(self._claim, (order_key(order_uid),), (revision, ",".join(intent)))

    def settle(self, settlement: Settlement) -> ScriptCall:
        """`settle.lua`"""
        return ScriptCall(
            self._settle,
            (order_key(settlement.order_uid),),
            (
                settlement.revision,
                settlement.fence,
                settlement.state.value,
                orjson.dumps(settlement.holdings),
                orjson.dumps(settlement.routed),
                settlement.result,
                self._remember_ms if settlement.state in ENDED else 0,
                settlement.source,
            ),
        )

    def hear(self, hear: Hear) -> ScriptCall:
        """`hear.lua`"""
        what = "change" if hear.change_only else "all"
        return ScriptCall(self._hear, (order_key(hear.order_uid),), (hear.warehouse_id, hear.revision, what))

    def remember(self, remember: Remember) -> ScriptCall:
        """`remember.lua`"""
        message = (remember.warehouse_id, remember.revision, remember.message_id, remember.event)
        return ScriptCall(self._remember, (order_key(remember.order_uid),), (*message, MOST_OVERTAKEN))

    def forget(self, forget: Forget) -> ScriptCall:
        """`forget.lua`"""
        return ScriptCall(self._forget, (order_key(forget.order_uid),), (forget.warehouse_id, forget.revision))

    def lapse(self, order_uid: str, revision: str) -> ScriptCall:
        """`lapse.lua`"""
        return ScriptCall(self._lapse, (order_key(order_uid),), (revision, self._remember_ms))

    def lease(self, warehouse_id: str, holder: str, lease_ms: int) -> ScriptCall:
        """`lease.lua`"""
        return ScriptCall(self._lease, (relay_key(warehouse_id),), (holder, lease_ms))

    def trim(self, warehouse_id: str, holder: str, first_kept: str) -> ScriptCall:
        """`trim.lua`"""
        return ScriptCall(self._trim, (relay_key(warehouse_id), self._of(warehouse_id).outbox), (holder, first_kept))

    def _reservation_keys(self, warehouse_id: str, order_uid: str, skus: Sequence[str]) -> list[str]:
        warehouse = self._of(warehouse_id)
        stock = warehouse.stock
        return [
            warehouse.reservation + order_uid,
            warehouse.deadlines,
            warehouse.outbox,
            warehouse.sequence,
            *[stock + sku for sku in skus],
        ]

    def _of(self, warehouse_id: str) -> WarehouseKeys:
        keys = self._warehouses.get(warehouse_id)
        if keys is None:
            keys = self._warehouses[warehouse_id] = WarehouseKeys.of(warehouse_id)
        return keys


def reserve_skus(step: Reserve, also: Collection[str] = ()) -> list[str]:
    """The SKUs of a reserve call in the order of its keys: always the same, so that records are too."""
    if not step.has and not also:
        return sorted(step.quantities)
    return sorted({*step.quantities, *step.has, *also})


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
        _, fence, state, holdings, routed, interrupted, intent = reply
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
        )
    return Claim(outcome, result=reply[1] if outcome is ClaimOutcome.REPEAT else b"")


def _read_routed(packed: bytes) -> dict[str, Routed]:
    routed = {}
    for warehouse_id, fields in orjson.loads(packed or b"{}").items():
        line_ids, revisions = fields["line_ids"], tuple(fields.get("revisions", ()))
        line_ids = None if line_ids is None else tuple(line_ids)
        read_back = {"line_ids": line_ids, "revisions": revisions, "units": fields.get("units") or {}}
        routed[warehouse_id] = Routed(**fields | read_back)
    return routed


def read_heard(reply: Any) -> Heard:
    """What `hear.lua` answered."""
    outcome = read_outcome(HearOutcome, reply)
    if outcome is HearOutcome.STALE:
        return Heard(outcome)
    _, still_open, source, holdings = reply
    return Heard(outcome, bool(still_open), read_place(source), tuple(orjson.loads(holdings or b"{}")))


def read_place(source: bytes | None) -> tuple[int, int] | None:
    """`<partition>:<offset>` as numbers."""
    partition, _, offset = (source or b"").partition(b":")
    return (int(partition), int(offset)) if offset else None


def read_standing(reply: Sequence[bytes | None], warehouse_id: str) -> Standing | None:
    """What `Ledger.look` reads of an order's pointer; None when there is no such order."""
    revision, fence, holdings, routed, heard, overtaken = reply
    if revision is None:
        return None
    skus = orjson.loads(holdings or b"{}").get(warehouse_id, ())
    told = orjson.loads(routed or b"{}").get(warehouse_id)
    *replaced, standing = (told and told.get("revisions")) or ("",)
    return Standing(
        revision.decode(),
        tuple(skus),
        standing,
        heard is not None,
        told.get("units") or {} if told else {},
        int(fence or 0),
        replaced=replaced,
        overtaken=read_overtaken(overtaken),
    )


def read_overtaken(packed: bytes | None) -> tuple[Overtaken, ...]:
    """What `remember.lua` left, less what `forget.lua` made void."""
    kept = orjson.loads(packed or b"[]")
    return tuple(Overtaken(one["revision"], one["event"].encode()) for one in kept if one["event"])


class LastTold(NamedTuple):
    """Revisions of the last instructions to a warehouse, less changes that were refused; "" where there was none."""

    told_last: str  # to ship
    cancelled: str = ""  # to stop after that
    replaced: Sequence[str] = ()  # to ship: what the one of `told_last` changes
    units: Mapping[str, int] = {}  # that the one of `told_last` asks for, if it is a change


def read_told(pointer: Mapping[bytes, bytes], warehouse_id: str) -> LastTold:
    """What a warehouse was last told, of all that the order's pointer remembers to have said."""
    ships, fulfil, cancelled = [""], "", ""
    units: dict[str, Mapping[str, int]] = {}
    for name, said in pointer.items():
        if not name.startswith(b"said:"):
            continue
        revision = name.removeprefix(b"said:").decode()
        for told in orjson.loads(said).get("told", ()):
            if told["warehouse_id"] != warehouse_id:
                continue
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
        revision, fence, state, deadline, lines = row
        return Reservation(
            warehouse_id=warehouse_id,
            order_uid=order_uid,
            revision=(revision or b"").decode(),
            fence=int(fence or 0),
            state=(state or b"").decode(),
            deadline_ms=int(deadline or 0),
            quantities=read_lines(lines),
        )
    except ValueError:
        return not_ours(reservation_key(warehouse_id, order_uid))


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
