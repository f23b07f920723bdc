"""Orders that hold stock in two warehouses although nobody decided to split them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from workers.inventory import findings
from workers.inventory.keys import order_key
from workers.inventory.reading import read_reservations
from workers.inventory.records import LIVE, Reservation
from workers.inventory.report import Finding
from workers.runtime.redis.errors import redis_errors

_POINTER: Final = ("revision", "fence", "phase", "holdings", "routed")
_PAGE: Final = 500


def in_several(holders: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """From warehouse -> orders that hold units there: orders -> their warehouses, where there is more than one."""
    seen: dict[str, str] = {}
    several: dict[str, list[str]] = {}
    for warehouse_id, order_uids in holders.items():
        for order_uid in order_uids:
            if order_uid in seen:
                several.setdefault(order_uid, [seen[order_uid]]).append(warehouse_id)
            else:
                seen[order_uid] = warehouse_id
    return several


async def held_twice(redis: Redis, several: Mapping[str, Sequence[str]]) -> list[Finding]:
    """Those of the orders that are held twice. Sure of it: what is on the move, or decided, is left out.

    A pointer that is the same before and after its reservations were read was not worked on in between.
    """
    found: list[Finding] = []
    orders = sorted(several)
    for start in range(0, len(orders), _PAGE):
        page = orders[start : start + _PAGE]
        before = await _pointers(redis, page)
        pairs = [(warehouse_id, order_uid) for order_uid in page for warehouse_id in several[order_uid]]
        live: dict[str, list[str]] = {}
        for one in await read_reservations(redis, pairs):
            if _holds(one):
                live.setdefault(one.order_uid, []).append(one.warehouse_id)
        for order_uid, pointer, after in zip(page, before, await _pointers(redis, page), strict=True):
            if pointer == after and is_held_twice(pointer, live.get(order_uid, [])):
                found.append(findings.held_twice(order_uid, live[order_uid]))
    return found


def is_held_twice(pointer: Sequence[bytes | None], warehouses: Sequence[str]) -> bool:
    """Whether an order with this pointer (see `_POINTER`) may not hold units in all of these warehouses. Pure."""
    _, _, phase, holdings, routed = pointer
    if len(warehouses) < 2 or phase == b"claimed":
        return False
    told: dict[str, Any] = orjson.loads(routed or b"{}")
    whole = [warehouse_id for warehouse_id in warehouses if told.get(warehouse_id, {}).get("parcels") == 1]
    decided = orjson.loads(holdings or b"{}").keys() >= set(warehouses)
    return not decided or (len(whole) > 1)


def _holds(reservation: Reservation) -> bool:
    return reservation.state in LIVE and reservation.stop != "release"


async def _pointers(redis: Redis, order_uids: Sequence[str]) -> list[Any]:
    pipeline = redis.pipeline(transaction=False)
    for order_uid in order_uids:
        pipeline.hmget(order_key(order_uid), _POINTER)
    with redis_errors():
        return await pipeline.execute()
