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
from workers.runtime.librdkafka import CONFIRMED, STEADY, is_hopeless, is_stored

log = logging.getLogger(__name__)

_QUEUE_FULL_PAUSE: Final = 0.005
_POLL_SECONDS: Final = 0.1
_LEAVE_SECONDS: Final = 5.0
_NO_PLACE: Final = KafkaError(KafkaError._MSG_TIMED_OUT, "it was reported as delivered, without a place in its topic")


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

    def report(self, error: KafkaError | None, message: Message | None) -> None:
        if error is not None:
            self.error = error
        elif message is not None and not is_stored(message):
            self.error = _NO_PLACE
        self._left -= 1
        if not self._left:
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


class _Client:
    """One client of librdkafka and the thread that hands out its delivery reports."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.kafka = Librdkafka(config, logger=log)
        self.dropped = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="kafka-reports", daemon=True)
        self._thread.start()

    def _poll(self) -> None:
        while not self._over.is_set():
            self.kafka.poll(_POLL_SECONDS)
        self.kafka.flush(_LEAVE_SECONDS)

    def drop(self) -> None:
        """Let go of it at once. Whoever waits for it is told that nothing was confirmed."""
        self.dropped = True
        self.kafka.purge()
        self._over.set()

    async def close(self) -> None:
        """Wait a while for what is under way."""
        self._over.set()
        await asyncio.to_thread(self._thread.join)


class Producer:
    """An idempotent producer. Start it inside a running loop; close it to wait for what is under way.

    A client that delivered nothing for its whole time may never do so again after its broker came back (seen once in
    many broker restarts), and one whose numbering the broker does not accept never will: then a new one takes over.
    """

    def __init__(self, brokers: str, *, linger_ms: float = 2, delivery_timeout: float = 30) -> None:
        self._config: dict[str, Any] = {
            **STEADY,
            **CONFIRMED,
            "bootstrap.servers": brokers,
            "linger.ms": linger_ms,
            "compression.type": "lz4",
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
        self._client: _Client | None = None

    def start(self) -> None:
        """Connect in the background. A broker that is away is only noticed by `send`."""
        self._client = _Client(self._config)

    async def reaches_kafka(self, seconds: float = 1) -> bool:
        """Whether a broker answers, waiting at most so long."""
        if self._client is None:
            return False
        try:
            return bool((await asyncio.to_thread(self._client.kafka.list_topics, timeout=seconds)).brokers)
        except KafkaException:
            return False

    async def send(self, records: Sequence[Record]) -> None:
        """Send all and wait until all are confirmed. Raises TransientError: then any part of them may be stored."""
        if not records:
            return
        client = self._client
        if client is None:
            raise TransientError("the producer is not started")
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        batch = _Batch(len(records), loop, done)
        await self._enqueue(client, records, batch)
        await done
        if batch.error is not None:
            if is_hopeless(batch.error):
                self._begin_anew(client)
            raise TransientError(f"Kafka did not confirm: {batch.error.str()}")

    async def _enqueue(self, client: _Client, records: Sequence[Record], batch: _Batch) -> None:
        produce, report = client.kafka.produce, batch.report
        waiting = iter(records)
        record = next(waiting, None)
        while record is not None:
            try:
                if client.dropped:  # while this waited for room
                    raise KafkaException(KafkaError(KafkaError._PURGE_QUEUE))
                produce(record.topic, record.value, record.key, on_delivery=report, headers=record.headers)
            except BufferError:
                await asyncio.sleep(_QUEUE_FULL_PAUSE)
                continue
            except KafkaException as error:
                report(error.args[0], None)
            record = next(waiting, None)

    def _begin_anew(self, client: _Client) -> None:
        if client is self._client:  # else another batch has seen to it
            log.warning("Kafka confirmed nothing in time: sending on with a new client")
            self._client = _Client(self._config)
            client.drop()

    async def close(self) -> None:
        """Wait up to five seconds for what is under way."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()
