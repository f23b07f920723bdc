"""The relay counts what it published, once Kafka has it."""

from __future__ import annotations

from prometheus_client import REGISTRY
from redis.asyncio import Redis

from workers.inventory.ledger import Ledger
from workers.inventory.records import Count
from workers.relay.agent import RelayAgent


def counted() -> float:
    labels = {"warehouse": "relay-counting", "kind": "counted"}
    return REGISTRY.get_sample_value("orders_inventory_events_total", labels) or 0.0


async def test_stock_changes_are_counted_when_kafka_has_them_and_not_again(redis: Redis) -> None:
    ledger = Ledger(redis)
    await ledger.stock.set_counts("relay-counting", {"A": Count(on_hand=5), "B": Count(on_hand=7)})
    agent = RelayAgent(ledger)
    events = await agent.tick()
    assert counted() == 0
    await agent.confirmed()
    assert counted() == len(events) > 0
    assert await agent.tick() == []
    await agent.confirmed()
    assert counted() == len(events)
