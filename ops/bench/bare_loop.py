"""The least that does the work: consume, the pure functions, the scripts, produce, commit. No framework, no retries.

It trusts its input and its servers: any error ends it. The fleet is measured against this.
"""

from __future__ import annotations

from typing import Final

from confluent_kafka import Consumer, Message

from channel_adapters.registry import CHANNELS
from ops.bench.plain_kafka import PlainProducer, Until, say_ready
from ops.bench.plain_reserve import PlainReserve
from ops.bench.pure import Planning, delivery_of
from schemas.topics import ORDERS_RAW
from workers.runtime.settings import load_settings

BATCH: Final = 500
WAIT_SECONDS: Final = 0.02


class BareLoop:
    """One process, one thread of Python."""

    def __init__(self) -> None:
        settings = load_settings()
        self._planning = Planning(settings)
        self._reserve = PlainReserve(settings)
        self._producer = PlainProducer(settings.kafka)
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.kafka,
                "group.id": "bare-loop",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "session.timeout.ms": 6000,
                "fetch.wait.max.ms": settings.fetch_wait_ms,
            }
        )
        self._consumer.subscribe([ORDERS_RAW.of(channel) for channel in CHANNELS])

    def run(self) -> None:
        """Until told to leave."""
        running = Until()
        say_ready()
        while running:
            messages = self._consumer.consume(BATCH, WAIT_SECONDS)
            if messages:
                self._process(messages)
        self._consumer.close()

    def _process(self, messages: list[Message]) -> None:
        for message in messages:
            if message.error() is not None:
                raise RuntimeError(str(message.error()))
        planned = [self._planning.plan(delivery_of(message)) for message in messages]
        self._producer.send([record for each in planned for record in self._planning.records(each)])
        sources = [f"{message.partition()}:{message.offset()}" for message in messages]
        self._producer.send(self._reserve.records(planned, sources))
        self._producer.confirm()
        self._consumer.commit(asynchronous=False)


if __name__ == "__main__":
    BareLoop().run()
