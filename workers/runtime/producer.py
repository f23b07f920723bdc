"""Sending to Kafka, confirmed: `send` returns when every record is safely stored, or raises.

librdkafka does the batching in its own threads; one poll thread hands delivery reports back. A batch has one future,
completed by its last report, so the event loop wakes once per batch and not once per record.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import Producer as Librdkafka

from workers.runtime.errors import TransientError
from workers.runtime.librdkafka import STEADY

log = logging.getLogger(__name__)

_QUEUE_FULL_PAUSE: Final = 0.005
_POLL_SECONDS: Final = 0.1


class Record(NamedTuple):
    """One record to send."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class _Batch:
    """Counts the delivery reports of one `send`; runs on the poll thread."""

    __slots__ = ("_done", "_left", "_loop", "error")

    def __init__(self, size: int, loop: asyncio.AbstractEventLoop, done: asyncio.Future[None]) -> None:
        self._left = size
        self._loop = loop
        self._done = done
        self.error: KafkaError | None = None

    def report(self, error: KafkaError | None, _message: Message | None) -> None:
        if error is not None:
            self.error = error
        self._left -= 1
        if not self._left:
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


class Producer:
    """An idempotent producer. Start it inside a running loop; close it to wait for what is under way."""

    def __init__(self, brokers: str, *, linger_ms: float = 2, delivery_timeout: float = 30) -> None:
        self._config: dict[str, Any] = {
            **STEADY,
            "bootstrap.servers": brokers,
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": linger_ms,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",  # as the Java clients and aiokafka hash keys
            "message.max.bytes": 20 << 20,
            "delivery.timeout.ms": int(delivery_timeout * 1000),
            # A connection that died without a word is given up after these; the defaults are 60 s and 30 s.
            "socket.timeout.ms": 6_000,
            "request.timeout.ms": 5_000,
            "socket.keepalive.enable": True,
            "reconnect.backoff.max.ms": 1_000,
            "queue.buffering.max.messages": 200_000,
            "log.connection.close": False,
        }
        self._kafka: Librdkafka | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Connect in the background. A broker that is away is only noticed by `send`."""
        self._closing.clear()
        self._kafka = Librdkafka(self._config, logger=log)
        self._thread = threading.Thread(target=self._poll, args=(self._kafka,), name="kafka-reports", daemon=True)
        self._thread.start()

    async def reaches_kafka(self, seconds: float = 1) -> bool:
        """Whether a broker answers, waiting at most so long."""
        if self._kafka is None:
            return False
        try:
            return bool((await asyncio.to_thread(self._kafka.list_topics, timeout=seconds)).brokers)
        except KafkaException:
            return False

    async def send(self, records: Sequence[Record]) -> None:
        """Send all and wait until all are confirmed. Raises TransientError: then any part of them may be stored."""
        if not records:
            return
        if self._kafka is None:
            raise TransientError("the producer is not started")
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        batch = _Batch(len(records), loop, done)
        await self._enqueue(self._kafka, records, batch)
        await done
        if batch.error is not None:
            raise TransientError(f"Kafka did not confirm: {batch.error.str()}")

    async def _enqueue(self, kafka: Librdkafka, records: Sequence[Record], batch: _Batch) -> None:
        produce, report = kafka.produce, batch.report
        waiting = iter(records)
        record = next(waiting, None)
        while record is not None:
            try:
                produce(record.topic, record.value, record.key, on_delivery=report, headers=record.headers)
            except BufferError:
                await asyncio.sleep(_QUEUE_FULL_PAUSE)
                continue
            except KafkaException as error:
                report(error.args[0], None)
            record = next(waiting, None)

    def _poll(self, kafka: Librdkafka) -> None:
        while not self._closing.is_set():
            kafka.poll(_POLL_SECONDS)
        kafka.flush(5)

    async def close(self) -> None:
        """Wait up to five seconds for what is under way."""
        self._closing.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
        self._kafka = None
