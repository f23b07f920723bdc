"""Writes to Kafka in a thread of its own, at given times: confirmed, whatever happens to the broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import ClassVar, Final

from confluent_kafka import KafkaError, Message

from workers.runtime.kafka.librdkafka import Writer

_GIVE_UP_SECONDS: Final = 180.0


class ConfirmedWriter:
    """One for a whole run, so that its connections live through the rounds. `ends`: offsets past its own records."""

    called: ClassVar[str]
    """Who it is, and what it writes: for the thread and for failures."""
    writes: ClassVar[str]

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
        """Whether everything that was begun last is confirmed."""
        return self._left == 0

    def _begin(self, records: int, write: Callable[[], None]) -> None:
        """Have `write` send so many records, without waiting."""
        self._left = records
        self._thread = threading.Thread(target=self._run, args=(write,), name=self.called, daemon=True)
        self._thread.start()

    def _run(self, write: Callable[[], None]) -> None:
        write()
        if left := self._writer.flush(_GIVE_UP_SECONDS):
            self.failures.append(f"{left} {self.writes} were not confirmed within {_GIVE_UP_SECONDS:g} s")
            self._left = 0

    def _wait_until(self, at: float) -> None:
        """Until this time of the monotonic clock."""
        while (early := at - time.monotonic()) > 0:
            self._writer.poll(min(early, 0.05))

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
