"""Two states of an order under one stamp, as shops sent them: from the raw record to what the warehouse is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from channel_adapters.registry import CHANNELS
from schemas.codes import HoldCode
from schemas.fulfillment import InstructionKind
from schemas.plan import Disposition, PlannedOrder
from tests.workers.fulfill.house import HZ, House
from tests.workers.rules.examples import example_catalogue, ruleset_of
from workers.inventory.records import Count
from workers.normalize.decide import decide as normalize
from workers.route.decide import decide as route
from workers.runtime.stage import Delivery
from workers.tag.decide import decide as tag

CASES = Path(__file__).parent / "cases"
RULES = ruleset_of("{id: all, priority: 1, when: {always: true}, then: {assign: hangzhou}}")
MUG = "MUG-350"
NOW_MS = 1790842000000  # some minutes after the orders were placed


def bodies(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((CASES / f"{name}.json").read_bytes())
    return found


def planned(body: dict[str, Any], received_ms: int, channel: str = "woocommerce") -> PlannedOrder:
    """From the raw record: normalize, tag, route."""
    raw = Delivery(
        json.dumps(body).encode(),
        key=f"{channel}:tea-house:{body['id']}".encode(),
        headers=(("shop", b"tea-house"), ("received-at", b"%d" % received_ms)),
        topic=f"orders.raw.{channel}",
        timestamp_ms=received_ms,
    )
    adapters = {name: channel.adapter for name, channel in CHANNELS.items()}
    tagged = tag(normalize(raw, adapters), example_catalogue(), RULES.tagging)
    return route(tagged, RULES, datetime.fromtimestamp(received_ms / 1000, UTC))


@pytest.fixture
async def house(redis: Redis) -> House:
    house = House(redis)
    await house.ledger.stock.set_counts(HZ, {MUG: Count(on_hand=10)}, at_ms=1)
    return house


async def ships(house: House, plans: Sequence[PlannedOrder]) -> int:
    """Units of the mug that the warehouse goes on to ship once these came."""
    await house.reserve(*plans)
    newest = max(house.told, key=lambda told: told.revision, default=None)
    if newest is None or newest.kind is InstructionKind.CANCEL:
        return 0
    return sum(line.quantity for line in newest.purchased)


ORDERS = [*permutations((0, 1)), (0, 1, 0, 1), (1, 0, 1)]


@pytest.mark.parametrize("order", ORDERS)
async def test_01_a_partial_refund_that_leaves_the_stamp_alone_holds_the_order_and_stops_the_warehouse(
    house: House, order: Sequence[int]
) -> None:
    plans = [
        planned(body, NOW_MS + number) for number, body in enumerate(bodies("01-woo-partial-refund-same-modified"))
    ]
    assert [plan.plan.disposition for plan in plans] == [Disposition.RESERVE, Disposition.REVIEW]
    assert await ships(house, [plans[number] for number in order]) == 0
    assert (await house.level(sku=MUG)).on_hand == 10


@pytest.mark.parametrize("order", ORDERS)
async def test_02_a_smaller_quantity_that_leaves_the_stamp_alone_changes_what_is_shipped(
    house: House, order: Sequence[int]
) -> None:
    plans = [planned(body, NOW_MS + number) for number, body in enumerate(bodies("02-woo-quantity-edit-same-modified"))]
    assert await ships(house, [plans[number] for number in order]) == 1


@pytest.mark.parametrize("number", range(12))
async def test_02_whatever_a_digest_would_have_said(house: House, number: int) -> None:
    two, one = bodies("02-woo-quantity-edit-same-modified")
    for body in (two, one):
        body["id"], body["number"] = 6000 + number, str(6000 + number)
    assert await ships(house, [planned(two, NOW_MS), planned(one, NOW_MS + 60_000)]) == 1
    [told, change] = house.told
    assert (told.kind, change.kind) == (InstructionKind.FULFIL, InstructionKind.CHANGE)


async def test_a_hold_that_waits_for_a_bank_transfer_gives_way_to_the_payment_of_the_same_second(house: House) -> None:
    paid, _ = bodies("02-woo-quantity-edit-same-modified")
    waits = {**paid, "status": "on-hold", "date_paid_gmt": None, "payment_method": "bacs"}
    for plans in permutations((planned(waits, NOW_MS), planned(paid, NOW_MS + 1))):
        house.told.clear()
        await ships(house, plans)
    assert house.told[-1].kind is InstructionKind.FULFIL
    assert [line.quantity for line in house.told[-1].purchased] == [2]


async def test_05_what_was_added_to_a_paid_order_is_held_too_until_it_is_paid(house: House) -> None:
    await house.ledger.stock.set_counts(HZ, {"WIPES-80X6": Count(on_hand=10)}, at_ms=1)
    paid, edited = (
        planned(body, NOW_MS + number, "shopify")
        for number, body in enumerate(bodies("05-shopify-edited-partially-paid"))
    )
    assert (edited.plan.disposition, edited.plan.hold_codes) == (Disposition.REVIEW, (HoldCode.BALANCE_OPEN,))
    assert await ships(house, [paid]) == 2
    assert await ships(house, [edited]) == 0
    assert (await house.level(sku=MUG)).committed == 2
    assert (await house.level(sku="WIPES-80X6")).committed == 1
