"""Quix Streams doing the same. In two ways, because both are seen:

  (default)   as its documentation shows it: everything in `apply`, message by message, results by `to_topic`
  --sink      reservations in a batching sink with a producer of its own, so that its Redis calls are pipelined as ours

Runs in an environment of its own: Quix Streams wants an older confluent-kafka than the fleet has.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Final

from quixstreams import Application
from quixstreams.models.serializers import Serializer
from quixstreams.sinks import BatchingSink, SinkBatch

from channel_adapters.registry import CHANNELS
from ops.bench.outputs import FINAL_TOPICS
from ops.bench.plain_kafka import PlainProducer, say_ready
from ops.bench.plain_reserve import PlainReserve
from ops.bench.pure import Planning
from schemas.plan import PlannedOrder
from schemas.topics import ORDERS_PLANNED, ORDERS_RAW
from workers.runtime.kafka.records import Record
from workers.runtime.settings import Settings, load_settings
from workers.runtime.stage import Delivery

DOCUMENTED_COMMIT_SECONDS: Final = 5.0
COMMIT_EVERY: Final = 500
COMMIT_SECONDS: Final = 0.05


class ReserveSink(BatchingSink):  # type: ignore[misc]
    """Takes stock for everything since the last checkpoint, and tells the warehouses."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._reserve = PlainReserve(settings)
        self._producer = PlainProducer(settings.kafka)

    def write(self, batch: SinkBatch) -> None:
        """One partition's part of the checkpoint."""
        items = list(batch)
        sources = [f"{batch.partition}:{item.offset}" for item in items]
        self._producer.send(self._reserve.records([item.value for item in items], sources))

    def flush(self) -> None:
        """Before the offsets are committed."""
        super().flush()
        self._producer.confirm()


def build(settings: Settings, *, sink: bool) -> Application:
    """The application."""
    application = Application(
        broker_address=settings.kafka,
        consumer_group="quix-loop",
        auto_offset_reset="earliest",
        commit_every=COMMIT_EVERY if sink else 0,
        commit_interval=COMMIT_SECONDS if sink else DOCUMENTED_COMMIT_SECONDS,
        auto_create_topics=False,
        loglevel="WARNING",
        consumer_extra_config={"session.timeout.ms": 6000, "fetch.wait.max.ms": settings.fetch_wait_ms},
        producer_extra_config={"linger.ms": 2, "compression.type": "lz4", "partitioner": "murmur2_random"},
    )
    planning = Planning(settings)
    planned, reserved = _topic(application, ORDERS_PLANNED.name), _reserved(application, settings, sink=sink)
    for channel in CHANNELS:
        name = ORDERS_RAW.of(channel)
        frame = application.dataframe(_topic(application, name)).apply(_plan(planning, name), metadata=True)
        written = frame.apply(lambda order: planning.records(order)[0])
        written = written.set_headers(lambda record, *_: record.headers)
        written.to_topic(planned)
        reserved(frame)
    return application


def _reserved(application: Application, settings: Settings, *, sink: bool) -> Callable[[Any], Any]:
    """What follows the plans."""
    if sink:
        shared = ReserveSink(settings)
        return lambda frame: frame.sink(shared)
    reserve = PlainReserve(settings)
    topics = {name: _topic(application, name) for name in FINAL_TOPICS}

    def one_by_one(frame: Any) -> Any:
        records = frame.apply(lambda order: reserve.records([order], ["0:0"]), expand=True)
        records = records.set_headers(lambda record, *_: record.headers)
        records = records.set_timestamp(lambda *_: int(time.time() * 1000))  # else it hands on the raw record's
        return records.to_topic(lambda record, *_: topics[record.topic])

    return one_by_one


def _topic(application: Application, name: str) -> Any:
    return application.topic(
        name, key_deserializer="bytes", value_deserializer="bytes", key_serializer="bytes", value_serializer=_Value()
    )


class _Value(Serializer):  # type: ignore[misc]
    """Our own encoding, the same for every contender."""

    def __call__(self, value: Record, ctx: Any) -> bytes:
        return value.value


def _plan(planning: Planning, topic: str) -> Any:
    def plan(value: bytes, key: bytes, timestamp: int, headers: Any) -> PlannedOrder:
        delivery = Delivery(value, key=key, headers=tuple(headers or ()), topic=topic, timestamp_ms=timestamp)
        return planning.plan(delivery)

    return plan


if __name__ == "__main__":
    running = build(load_settings(), sink="--sink" in sys.argv[1:])
    say_ready()
    running.run()
