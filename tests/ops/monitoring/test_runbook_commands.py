"""The page for somebody with only redis-cli in hand: each of its commands works, and each field it names is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.builders import a_line, a_plan, a_planned_order, an_order, an_unpaid_order
from tests.workers.inventory.traffic import Traffic
from workers.inventory.operations.ship import Ship
from workers.inventory.records import Count

PAGE = (Path(__file__).parents[3] / "ops" / "monitoring" / "runbooks" / "where-is-the-stock.md").read_text(
    encoding="utf-8"
)
COMMANDS = re.findall(r"^redis-cli (.+)$", PAGE, re.MULTILINE)
PAID = an_order("1", lines=(a_line("A", 2),))
HELD = an_unpaid_order("2", lines=(a_line("A", 1),))
SHORT = an_order("3", lines=(a_line("A", 99),))


@pytest.fixture
async def stocked(redis: Redis) -> Redis:
    """One paid order of which a unit has left, one unpaid order, and one that waits for stock."""
    traffic = Traffic(redis, 1)
    await traffic.ledger.stock.set_counts("hangzhou", {"A": Count(on_hand=9, safety=1)})
    await traffic.handle(*(a_planned_order(order, a_plan("hangzhou")) for order in (PAID, HELD, SHORT)))
    await traffic.ledger.orders.apply([Ship("hangzhou", PAID.uid, "m1", 2 * 10**12, {"A": 1})])
    return redis


async def answer(redis: Redis, command: str, order: str) -> Any:
    words = shlex.split(command.replace("ORDER", order).replace("WAREHOUSE", "hangzhou").replace("SKU", "A"))
    if words[0] == "--scan":
        return [key async for key in redis.scan_iter(match=words[2])]
    return await redis.execute_command(*words)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("command", COMMANDS)
async def test_every_command_on_the_page_answers(stocked: Redis, command: str) -> None:
    order = HELD if "deadlines" in command else SHORT if "waiting" in command else PAID
    assert await answer(stocked, command, order.uid) not in (None, [], {}, -2)


async def test_every_field_it_finds_is_explained(stocked: Redis) -> None:
    named = set(re.findall(r"`([a-z_]+)(?::<[a-z]+>)*`", PAGE))
    for command in COMMANDS[:2] + [each for each in COMMANDS if each.startswith("HGETALL 'stock")]:
        for order in (PAID, HELD, SHORT):
            found = await answer(stocked, command, order.uid)
            assert {name.decode().partition(":")[0] for name in (found or {})} <= named, command
