"""The scripts' KEYS and ARGV. Beside each script's header; a test compares the two."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

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
from workers.inventory.records import ENDED, Count, Reservation
from workers.inventory.retention import MOVED_MS
from workers.inventory.steps import (
    Allocate,
    DropReturn,
    Fence,
    RecordReturn,
    Release,
    Reserve,
    Settlement,
    Ship,
    Short,
    StashReturn,
    Step,
    Transfer,
    Withdraw,
)
from workers.runtime.redis.scripts import Script, ScriptCall

MOST_OVERTAKEN: Final = 128 * 1024
"""Bytes that one order remembers of what one warehouse gave back when a change had replaced it."""


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
        self._hear = Script(__package__, "record_return.lua")
        self._stash_return = Script(__package__, "stash_return.lua")
        self._drop_return = Script(__package__, "drop_return.lua")
        self._mark_expired = Script(__package__, "mark_expired.lua")
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
        told = (step.message_id, step.at_ms, self._remember_ms, MOVED_MS, step.revision, step.lost.value, step.limit)
        return ScriptCall(self._short, keys, (*told, *units))

    def withdraw(self, step: Withdraw, also: Collection[str] = ()) -> ScriptCall:
        """`withdraw.lua`"""
        keys = self._reservation_keys(step.warehouse_id, step.order_uid, sorted({*step.has, *also}))
        return ScriptCall(self._withdraw, keys, (step.revision, self._remember_ms))

    def _physical(self, step: Ship | Short, also: Collection[str]) -> tuple[list[str], list[int]]:
        """Keys with the SKUs' movements; and per SKU the units that are named, or all when none are, and those told."""
        skus = sorted({*step.quantities, *step.has, *also})
        keys = self._reservation_keys(step.warehouse_id, step.order_uid, skus)
        keys += [moved_key(step.warehouse_id, sku) for sku in skus]
        unnamed, told = 0 if step.quantities else -1, step.told
        return keys, [
            figure
            for sku in skus
            for figure in (step.quantities.get(sku, unnamed), -1 if told is None else told.get(sku, 0))
        ]

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

    def record_return(self, hear: RecordReturn) -> ScriptCall:
        """`record_return.lua`"""
        what = "change" if hear.change_only else "all"
        return ScriptCall(self._hear, (order_key(hear.order_uid),), (hear.warehouse_id, hear.revision, what))

    def stash_return(self, remember: StashReturn) -> ScriptCall:
        """`stash_return.lua`"""
        message = (remember.warehouse_id, remember.revision, remember.message_id, remember.event)
        return ScriptCall(self._stash_return, (order_key(remember.order_uid),), (*message, MOST_OVERTAKEN))

    def drop_return(self, forget: DropReturn) -> ScriptCall:
        """`drop_return.lua`"""
        return ScriptCall(self._drop_return, (order_key(forget.order_uid),), (forget.warehouse_id, forget.revision))

    def mark_expired(self, order_uid: str, revision: str) -> ScriptCall:
        """`mark_expired.lua`"""
        return ScriptCall(self._mark_expired, (order_key(order_uid),), (revision, self._remember_ms))

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
