"""Keys that somebody else wrote to: the order or warehouse concerned is named, and all others go on."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from workers.inventory.ledger import Ledger
from workers.inventory.operations.claim import Claim
from workers.inventory.records import CorruptLedger, Count

POINTER = "order:{o1}"
SOUND: dict[Any, Any] = {"fence": "1", "revision": "r0", "phase": "settled", "state": "held"}


async def claimed(ledger: Ledger) -> Claim | CorruptLedger:
    broken, sound = await ledger.orders.claim([("o1", "r1", ["hangzhou"]), ("o2", "r1", ["hangzhou"])])
    assert isinstance(sound, Claim)
    return broken


async def test_a_pointer_of_the_wrong_type_is_named(ledger: Ledger, redis: Redis) -> None:
    await redis.set(POINTER, "x")
    assert POINTER in str(await claimed(ledger))


@pytest.mark.parametrize("field", ["fence", "holdings", "routed", "state"])
async def test_a_pointer_with_an_unreadable_field_is_named(ledger: Ledger, redis: Redis, field: str) -> None:
    await redis.hset(POINTER, mapping=SOUND | {field: "{"})
    assert POINTER in str(await claimed(ledger))


async def test_a_deadline_list_of_the_wrong_type_stops_the_sweep_of_its_warehouse_only(
    ledger: Ledger, redis: Redis
) -> None:
    await redis.set("deadlines:{hangzhou}", "x")
    swept = await ledger.holds.sweep("hangzhou", 1, 10)
    assert [str(error).split(":")[0] for error in swept.corrupt] == ["corrupt-ledger"]
    assert (await ledger.holds.sweep("beijing", 1, 10)).corrupt == ()


async def test_a_count_that_events_could_not_write_exactly_is_refused(ledger: Ledger) -> None:
    with pytest.raises(CorruptLedger):
        await ledger.stock.set_counts("hangzhou", {"NUT": Count(on_hand=123456789012345)})
