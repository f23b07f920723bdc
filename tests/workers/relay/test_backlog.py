"""A full outbox is relayed without a pause."""

from __future__ import annotations

from redis.asyncio import Redis

from workers.inventory.ledger import Ledger
from workers.inventory.records import Count
from workers.relay.agent import RelayAgent


async def test_there_is_more_to_do_while_an_outbox_holds_more_than_a_tick_reads(redis: Redis) -> None:
    ledger = Ledger(redis)
    for units in range(1, 6):
        await ledger.stock.set_counts("hangzhou", {"NUT-BOX-500": Count(on_hand=units)})
    relay = RelayAgent(ledger, batch=2)
    seen = []
    for _ in range(4):
        events = await relay.tick()
        seen.append((len(events), await relay.confirmed()))
    assert seen == [(2, True), (2, True), (1, False), (0, False)]
