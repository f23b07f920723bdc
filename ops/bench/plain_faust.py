"""Faust as its documentation shows it: the stock transport, one agent a stage, a topic between every two of them.

`take` batches the reservations, so that its Redis calls are pipelined as ours are.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import faust
from redis.asyncio import Redis

import topology
from channel_adapters.registry import CHANNELS
from ops.bench.plain_kafka import say_ready
from ops.bench.seller import WAREHOUSES
from schemas.order import Order
from schemas.plan import PlannedOrder, TaggedOrder
from schemas.record import decode, encode
from schemas.topics import (
    ORDERS_BACKORDERED,
    ORDERS_NORMALIZED,
    ORDERS_PLANNED,
    ORDERS_RAW,
    ORDERS_ROUTED,
    ORDERS_TAGGED,
    TRANSFERS_REQUESTED,
)
from workers.normalize.decide import decide as normalize
from workers.reserve.agent import reserve
from workers.route.decide import decide as route
from workers.runtime.errors import PermanentError
from workers.runtime.settings import Settings, load_settings
from workers.runtime.stage import Delivery
from workers.runtime.wire import Encoder
from workers.tag.decide import decide as tag

TAKE: Final = 100
WITHIN_SECONDS: Final = 0.05


def delivery_of(event: Any, value: Any) -> Delivery[Any]:
    """What a stage sees of a Faust event."""
    message = event.message
    headers = message.headers.items() if isinstance(message.headers, dict) else message.headers or ()
    return Delivery(
        value,
        key=message.key,
        headers=tuple(headers),
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp_ms=int(message.timestamp * 1000),
    )


class PlainFaust:
    """The app and its four agents."""

    def __init__(self, settings: Settings, services: topology.Services) -> None:
        self.app = faust.App(
            "plain-faust",
            broker=";".join(f"kafka://{address}" for address in settings.kafka.split(",")),
            store="memory://",
            autodiscover=False,
            web_enabled=False,
            value_serializer="raw",
            key_serializer="raw",
            topic_disable_leader=True,
            topic_allow_declare=False,
            consumer_auto_offset_reset="earliest",
            broker_session_timeout=6,
            broker_heartbeat_interval=1,
            broker_request_timeout=30,
        )
        self._services = services
        self._reserve = reserve(services)
        self._encode = Encoder([ORDERS_ROUTED, ORDERS_BACKORDERED, TRANSFERS_REQUESTED])
        names = [ORDERS_ROUTED.of(warehouse) for warehouse in WAREHOUSES]
        self._leaving = {name: self._topic(name) for name in (*names, "orders.backordered", "transfers.requested")}
        self.normalized, self.tagged = self._topic(ORDERS_NORMALIZED.name), self._topic(ORDERS_TAGGED.name)
        self.planned = self._topic(ORDERS_PLANNED.name)
        raw = self._topic(*(ORDERS_RAW.of(channel) for channel in CHANNELS))
        stages = ((raw, self.normalize), (self.normalized, self.tag), (self.tagged, self.route))
        for reads, stage in (*stages, (self.planned, self.reserve)):
            self.app.agent(reads, name=stage.__name__)(stage)

    def _topic(self, *names: str) -> Any:
        return self.app.topic(*names, key_type=bytes, value_type=bytes)

    async def normalize(self, stream: Any) -> None:
        """From raw orders to normalized ones."""
        async for event in stream.events():
            order = normalize(delivery_of(event, event.value), self._services.adapters)
            await self.normalized.send(key=event.key, value=encode(order))

    async def tag(self, stream: Any) -> None:
        """From normalized orders to tagged ones."""
        book = self._services.rules.current()
        async for event in stream.events():
            tagged = tag(decode(Order, event.value), book.catalogue, book.ruleset.tagging)
            await self.tagged.send(key=event.key, value=encode(tagged))

    async def route(self, stream: Any) -> None:
        """From tagged orders to planned ones."""
        ruleset = self._services.rules.current().ruleset
        async for event in stream.events():
            at = datetime.fromtimestamp(event.message.timestamp, UTC)
            planned = route(decode(TaggedOrder, event.value), ruleset, at)
            await self.planned.send(key=event.key, value=encode(planned))

    async def reserve(self, stream: Any) -> None:
        """From planned orders to instructions."""
        async for events in stream.take_events(TAKE, within=WITHIN_SECONDS):
            batch = [delivery_of(event, decode(PlannedOrder, event.value)) for event in events]
            for outcome in await self._reserve.handle(batch):
                if isinstance(outcome, PermanentError):
                    raise outcome
                await self._send(outcome)

    async def _send(self, events: Sequence[Any]) -> None:
        for record in map(self._encode, events):
            await self._leaving[record.topic].send(key=record.key, value=record.value, headers=dict(record.headers))


async def main() -> None:
    """Run until SIGTERM."""
    settings = load_settings()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Redis.from_url(settings.redis_url.get_secret_value()) as redis:
        plain = PlainFaust(settings, topology.build_services(settings, redis))
        plain.app.finalize()
        await plain.app.start()
        say_ready()
        await stop.wait()
        await plain.app.stop()


if __name__ == "__main__":
    asyncio.run(main())
