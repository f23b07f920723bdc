"""Puts a round's raw records into Kafka at their times: confirmed, whatever happens to the broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from ops.torture.plan import Feed
from workers.runtime.producer import Record

_DELIVERY_SECONDS: Final = 60
_MOST_TRIES: Final = 9


class Feeder:
    """One for a whole run, so that its connections live through the rounds. `ends`: offsets past its own records.

    What is not confirmed in time is sent again by a fresh producer; a repeat is harmless, for the input has repeats.
    """

    def __init__(self, address: str) -> None:
        self.ends: dict[tuple[str, int], int] = {}
        self.failures: list[str] = []
        self._settings = {
            "bootstrap.servers": address,
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 2,
            "partitioner": "murmur2_random",
            "delivery.timeout.ms": _DELIVERY_SECONDS * 1000,
            "socket.timeout.ms": 3000,
            "request.timeout.ms": 3000,
            "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 500,
            "metadata.recovery.strategy": "none",  # see workers/runtime/producer.py
            "log_level": 0,
        }
        self._producer = Producer(self._settings)
        self._unsent: list[Record] = []
        self._left = 0
        self._thread: threading.Thread | None = None

    @property
    def done(self) -> bool:
        """Whether everything of the last `feed` is confirmed."""
        return self._left == 0

    def feed(self, feeds: Sequence[Feed]) -> None:
        """Begin to put them in, without waiting."""
        self._left = len(feeds)
        self._thread = threading.Thread(target=self._run, args=(feeds,), name="feeder", daemon=True)
        self._thread.start()

    def _run(self, feeds: Sequence[Feed]) -> None:
        began = time.monotonic()
        for feed in feeds:
            while (early := feed.at - (time.monotonic() - began)) > 0:
                self._producer.poll(min(early, 0.05))
            self._send(feed.record)
        for _ in range(_MOST_TRIES):
            while self._producer.flush(0.5):
                continue
            if not self._unsent:
                return
            again, self._unsent = self._unsent, []
            self._producer = Producer(self._settings)
            for record in again:
                self._send(record)
        self.failures += [f"{record.key.decode()}: not confirmed" for record in self._unsent]
        self._left = 0

    def _send(self, record: Record) -> None:
        confirmed = partial(self._confirmed, record)
        self._producer.produce(record.topic, record.value, record.key, headers=record.headers, on_delivery=confirmed)

    def _confirmed(self, record: Record, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._unsent.append(record)
            return
        self._left -= 1
        place = message.topic() or "", message.partition() or 0
        self.ends[place] = max(self.ends.get(place, 0), (message.offset() or 0) + 1)

    def close(self) -> None:
        """Wait for the thread, which ends when all is confirmed or given up."""
        if self._thread is not None:
            self._thread.join()
