"""Reads the ledger's keys as they are, without changing anything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from workers.inventory.audit import WarehouseAudit
from workers.inventory.keys import deadlines_key, reservation_key, sequence_key, stock_key, transfer_key
from workers.inventory.operations.shared.parsing import not_ours, parse_reservation
from workers.inventory.outbox import read_lines
from workers.inventory.records import CorruptLedger, Reservation, StockLevel
from workers.inventory.report import Finding
from workers.runtime.redis.errors import raise_trouble, redis_errors
from workers.runtime.redis.pipeline import run_pipeline

_COUNTERS: Final = ("on_hand", "held", "committed", "allocated", "transfer", "safety")
_RESERVATION: Final = ("revision", "fence", "state", "deadline", "lines", "shipped", "stop")
_PAGE: Final = 500


class WarehouseFindings(NamedTuple):
    """What one pass over one warehouse found."""

    skus: int
    reservations: int
    findings: tuple[Finding, ...]
    holders: frozenset[str]  # orders that hold units here
    settled: bool  # nothing changed while it was read: the findings are sure


async def read_levels(
    redis: Redis, warehouse_id: str, skus: Collection[str] | None = None
) -> AsyncIterator[StockLevel]:
    """The counters of these SKUs, by default all of the warehouse. Raises CorruptLedger."""
    prefix = stock_key(warehouse_id, "")
    async for page in _pages(redis, prefix, skus):
        for sku, fields in zip(page, await _fields(redis, [prefix + sku for sku in page], _COUNTERS), strict=True):
            yield _level(warehouse_id, sku, fields)


async def read_reservations(redis: Redis, asked: Sequence[tuple[str, str]]) -> list[Reservation]:
    """What is written of each (warehouse, order uid); state "" where nothing is. Raises CorruptLedger."""
    rows = await _fields(redis, [reservation_key(*pair) for pair in asked], _RESERVATION)
    return [_reservation(*pair, fields) for pair, fields in zip(asked, rows, strict=True)]


async def audit_warehouse(redis: Redis, warehouse_id: str) -> WarehouseFindings:
    """One pass: add up the reservations, then read the counters."""
    audit = WarehouseAudit(warehouse_id)
    before = await _sequence(redis, warehouse_id)
    await _add_transfers(redis, warehouse_id, audit)
    prefix = reservation_key(warehouse_id, "")
    async for page in _pages(redis, prefix, None):
        for uid, fields in zip(page, await _fields(redis, [prefix + uid for uid in page], _RESERVATION), strict=True):
            try:
                audit.add(_reservation(warehouse_id, uid, fields))
            except CorruptLedger:
                audit.corrupt(prefix + uid)
    levels = [level async for level in _readable_levels(redis, warehouse_id, audit)]
    with redis_errors():
        scores: Any = await redis.zrange(deadlines_key(warehouse_id), 0, -1, withscores=True)
    deadlines = {uid.decode(): int(score) for uid, score in scores}
    found = audit.compare(levels, deadlines)
    settled = before == await _sequence(redis, warehouse_id)
    return WarehouseFindings(len(levels), audit.reservations, found, frozenset(audit.holders), settled)


async def _add_transfers(redis: Redis, warehouse_id: str, audit: WarehouseAudit) -> None:
    prefix = transfer_key(warehouse_id, "")
    async for page in _pages(redis, prefix, None):
        rows = await _fields(redis, [prefix + name for name in page], ("state", "lines"))
        for name, fields in zip(page, rows, strict=True):
            try:
                state, lines = _sound(fields)
                if state == b"reserved":
                    audit.add_transfer(read_lines(lines))
            except ValueError:
                audit.corrupt(prefix + name)


async def _sequence(redis: Redis, warehouse_id: str) -> bytes | None:
    with redis_errors():
        number: Any = await redis.get(sequence_key(warehouse_id))
    return number  # type: ignore[no-any-return]


async def _readable_levels(redis: Redis, warehouse_id: str, audit: WarehouseAudit) -> AsyncIterator[StockLevel]:
    prefix = stock_key(warehouse_id, "")
    async for page in _pages(redis, prefix, None):
        for sku, fields in zip(page, await _fields(redis, [prefix + sku for sku in page], _COUNTERS), strict=True):
            try:
                yield _level(warehouse_id, sku, fields)
            except CorruptLedger:
                audit.corrupt(prefix + sku)


async def _pages(redis: Redis, prefix: str, given: Collection[str] | None) -> AsyncIterator[list[str]]:
    """What stands behind the prefix in all keys that begin with it, each once; or what is given."""
    if given is not None:
        names = list(dict.fromkeys(given))
        for start in range(0, len(names), _PAGE):
            yield names[start : start + _PAGE]
        return
    page: set[str] = set()  # SCAN may tell a key twice; across pages that is caught by `seen`
    seen: set[str] = set()
    with redis_errors():
        async for key in redis.scan_iter(match=f"{prefix}*", count=1000):
            name = key.decode()[len(prefix) :]
            if name not in seen:
                seen.add(name)
                page.add(name)
            if len(page) >= _PAGE:
                yield sorted(page)
                page = set()
    if page:
        yield sorted(page)


async def _fields(redis: Redis, keys: Sequence[str], names: Sequence[str]) -> list[Any]:
    if not keys:
        return []
    with redis_errors():
        replies = await run_pipeline(redis, [("HMGET", key, *names) for key in keys])
    for reply in replies:
        raise_trouble(reply)
    return replies


def _level(warehouse_id: str, sku: str, fields: Any) -> StockLevel:
    try:
        counters = dict(zip(_COUNTERS, (int(value or 0) for value in _sound(fields)), strict=True))
    except ValueError:
        raise not_ours(stock_key(warehouse_id, sku)) from None
    return StockLevel(warehouse_id=warehouse_id, sku=sku, **counters)


def _reservation(warehouse_id: str, order_uid: str, fields: Any) -> Reservation:
    try:
        return parse_reservation(warehouse_id, order_uid, _sound(fields))
    except ValueError:
        raise not_ours(reservation_key(warehouse_id, order_uid)) from None


def _sound(fields: Any) -> Any:
    """The fields, unless Redis answered that the key is no hash. Raises ValueError."""
    if isinstance(fields, ResponseError):
        raise ValueError(str(fields))
    if isinstance(fields, Exception):
        raise fields
    return fields
