"""What the contenders without a framework share: a producer set as the fleet's, and how to say that one is ready."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from workers.runtime.kafka.records import Record
from workers.runtime.memory import tune_gc


class PlainProducer:
    """Idempotent, confirmed, lz4: as the fleet's producer, called from one thread."""

    def __init__(self, brokers: str) -> None:
        self._kafka = Producer(
            {
                "bootstrap.servers": brokers,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 2,
                "log_level": 2,
                "compression.type": "lz4",
                "partitioner": "murmur2_random",
                "queue.buffering.max.messages": 1_000_000,
                "queue.buffering.max.kbytes": 1 << 21,
            }
        )
        self._errors: list[KafkaError] = []

    def send(self, records: Iterable[Record], timestamp_ms: int = 0) -> None:
        """Hand over, without waiting."""
        produce, report = self._kafka.produce, self._report
        for topic, key, value, headers in records:
            produce(topic, value, key, headers=headers, on_delivery=report, timestamp=timestamp_ms)
        self._kafka.poll(0)

    def confirm(self) -> None:
        """Wait until all is stored. Raises RuntimeError when something is not."""
        left = self._kafka.flush(60)
        if left or self._errors:
            raise RuntimeError(f"Kafka did not confirm: {left} left, {self._errors[:1]}")

    def _report(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._errors.append(error)


class Until:
    """True until SIGTERM or SIGINT."""

    def __init__(self) -> None:
        self._running = True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def _stop(self, *_: Any) -> None:
        self._running = False

    def __bool__(self) -> bool:
        return self._running


def say_ready() -> None:
    """As a worker does with --json, with the garbage collector as calm as a worker's: nobody is slower for its sake."""
    tune_gc()
    print(json.dumps({"ready": True}))
    sys.stdout.flush()
