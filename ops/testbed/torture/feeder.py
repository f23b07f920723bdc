"""Puts a round's raw records into Kafka at their times: confirmed, whatever happens to the broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaError, Message

from ops.testbed.torture.plan import Feed
from workers.runtime.kafka.librdkafka import Writer

_GIVE_UP_SECONDS: Final = 180.0


class Feeder:
    """One for a whole run, so that its connections live through the rounds. `ends`: offsets past its own records."""

    def __init__(self, address: str) -> None:
        self.ends: dict[tuple[str, int], int] = {}
        self.failures: list[str] = []
        self._writer = Writer(
            {
                "bootstrap.servers": address,
                "linger.ms": 2,
                "socket.timeout.ms": 3000,
                "request.timeout.ms": 3000,
                "reconnect.backoff.ms": 20,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
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
                self._writer.poll(min(early, 0.05))
            self._writer.send(*feed.record, self._confirmed)
        if left := self._writer.flush(_GIVE_UP_SECONDS):
            self.failures.append(f"{left} records were not confirmed within {_GIVE_UP_SECONDS:g} s")
            self._left = 0

    def _confirmed(self, error: KafkaError | None, message: Message) -> None:
        self._left -= 1
        if error is not None:
            self.failures.append(f"{(message.key() or b'').decode()}: {error.str()}")
            return
        place = message.topic() or "", message.partition() or 0
        self.ends[place] = max(self.ends.get(place, 0), (message.offset() or 0) + 1)

    def close(self) -> None:
        """Wait for the thread, which ends when all is confirmed or given up."""
        if self._thread is not None:
            self._thread.join()
