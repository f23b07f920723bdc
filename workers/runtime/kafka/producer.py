"""Sending to Kafka, confirmed: `send` returns when every record is safely stored, or raises.

What several senders have for a broker travels together, in one request at a time: all that came up while the last one
was under way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    InvalidTimestampError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from workers.runtime.errors import RecordsRefused, TransientError
from workers.runtime.faust_bridge.patching import patch_aiokafka
from workers.runtime.faust_bridge.producing import BatchingProducer, InvalidRecordError
from workers.runtime.kafka.cluster import Cluster, Kafka
from workers.runtime.kafka.records import Record
from workers.runtime.tasks import end_tasks

log = logging.getLogger(__name__)

_ANSWER_MS: Final = 5_000  # a broker that says nothing for so long is asked again, on a new connection
_CONNECT_PAUSE: Final = 0.3
_CONNECT_SECONDS: Final = 1.0
_LEAVE_SECONDS: Final = 5.0
_BATCH_BYTES: Final = 900_000  # of one partition in one request; a broker takes a megabyte if it is not told otherwise
_RECORD_BYTES: Final = 20 << 20

ABOUT_A_RECORD: Final = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidTimestampError,
    InvalidTopicError,
    InvalidRecordError,
)
"""What a broker says of records, and will say again however often they are sent. All else is trouble on the way.

It says so of a whole batch: which of its records is meant has to be found out.
"""


class _Client:
    """One producer of aiokafka, from its first look for a broker until nothing is left of it."""

    def __init__(self, cluster: Cluster) -> None:
        self.kafka = BatchingProducer(
            **cluster.for_aiokafka(),
            acks="all",
            compression_type="snappy",  # its lz4 is the slowest there is
            max_batch_size=_BATCH_BYTES,
            request_timeout_ms=_ANSWER_MS,
        )
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self._connecting = asyncio.create_task(self._connect(), name="connect the producer")

    async def _connect(self) -> None:
        while not self._over.is_set():
            try:
                await self.kafka.start()
            except (KafkaError, OSError, TimeoutError):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), _CONNECT_PAUSE)
            else:
                if not self._ready.done():  # else it was dropped meanwhile
                    self._ready.set_result(None)
                return

    async def put(self, records: Sequence[Record]) -> set[asyncio.Future[Any]]:
        """Wait for a first answer of a broker, and hand over. Raises KafkaError."""
        await asyncio.shield(self._ready)
        return await self.kafka.put(records)

    def drop(self) -> asyncio.Task[None]:
        """Let go of it at once. Whoever waits for it is told that nothing was confirmed."""
        error = KafkaError("the client was given up")
        if not self._ready.done():
            self._ready.set_exception(error)
            self._ready.exception()  # nobody need have waited
        self.kafka.give_up(error)
        return asyncio.create_task(self.close(), name="drop the producer")

    async def close(self) -> None:
        """Wait a while for what is under way. A connection that is cut off while it is made would stay open."""
        self._over.set()
        await asyncio.wait({self._connecting}, timeout=_CONNECT_SECONDS)
        await end_tasks([self._connecting])
        with suppress(TimeoutError, KafkaError):
            await asyncio.wait_for(self.kafka.stop(), _LEAVE_SECONDS)


async def _refusals(alone: AIOKafkaProducer, records: Sequence[Record]) -> dict[int, str]:
    """Send each and wait. What is said of those that are refused, by their place. Raises KafkaError for trouble."""
    why = {}
    for number, (topic, key, value, headers) in enumerate(records):
        try:
            await (await alone.send(topic, value, key, headers=headers))
        except ABOUT_A_RECORD as error:
            why[number] = type(error).__name__.removesuffix("Error")
    return why


class Producer:
    """An idempotent producer. Start it inside a running loop; close it to wait for what is under way.

    A client that confirmed nothing for its whole time, or failed to store something that it may not simply send again,
    is replaced: what it has numbered may stay in the way of all that follows.
    """

    def __init__(self, kafka: Kafka, *, delivery_timeout: float = 30) -> None:
        self._cluster = Cluster.of(kafka)
        self._delivery_timeout = delivery_timeout
        self._client: _Client | None = None
        self._dropped: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Connect in the background. A broker that is away is only noticed by `send`."""
        patch_aiokafka()
        self._client = _Client(self._cluster)

    async def reaches_kafka(self, seconds: float = 1) -> bool:
        """Whether a broker answers, waiting at most so long for each."""
        asking = AIOKafkaClient(**self._cluster.for_aiokafka(), request_timeout_ms=int(seconds * 1000))
        try:
            await asking.bootstrap()
        except KafkaError:
            return False
        finally:
            await asking.close()
        return True

    async def send(self, records: Sequence[Record]) -> None:
        """Send all and wait until all are confirmed.

        Raises TransientError: then any part of them may be stored. Raises RecordsRefused when Kafka will never take
        some of them: then all others are stored.
        """
        if not records:
            return
        client = self._client
        if client is None:
            raise TransientError("the producer is not started")
        if any(len(record.value) > _RECORD_BYTES for record in records):
            await self._send_one_by_one(records)
            return
        try:
            async with asyncio.timeout(self._delivery_timeout):
                batches = await client.put(records)
                await asyncio.wait(batches)
        except TimeoutError as error:
            self._begin_anew(client)
            raise TransientError(f"Kafka did not confirm within {self._delivery_timeout:g} s") from error
        except KafkaError as error:
            if client.kafka.ended:
                self._begin_anew(client)
            raise TransientError(f"Kafka took nothing: {error!r}") from error
        if failed := [batch for batch in batches if batch.exception()]:
            self._begin_anew(client)
            if any(isinstance(batch.exception(), ABOUT_A_RECORD) for batch in failed):
                await self._send_one_by_one(records)
                return
            raise TransientError(f"Kafka did not confirm: {failed[0].exception()!r}")

    async def _send_one_by_one(self, records: Sequence[Record]) -> None:
        """Each in a batch of its own, so that a broker's answer is about it alone. Raises as `send` does."""
        log.warning("Kafka refused a batch: sending its records one by one to see which of them is meant")
        alone = AIOKafkaProducer(
            **self._cluster.for_aiokafka(),
            acks="all",
            compression_type="snappy",
            max_batch_size=1,
            max_request_size=_RECORD_BYTES,
            request_timeout_ms=_ANSWER_MS,
        )
        try:
            async with asyncio.timeout(self._delivery_timeout):
                await alone.start()
                why = await _refusals(alone, records)
        except (KafkaError, OSError, TimeoutError) as error:
            raise TransientError(f"Kafka did not confirm: {error!r}") from error
        finally:
            with suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(alone.stop(), _LEAVE_SECONDS)
        if why:
            raise RecordsRefused(why)

    def _begin_anew(self, client: _Client) -> None:
        if client is self._client:  # else another sender has seen to it
            log.warning("Kafka did not confirm what was sent: sending on with a new client")
            self.start()
            dropping = client.drop()
            self._dropped.add(dropping)
            dropping.add_done_callback(self._dropped.discard)

    async def close(self) -> None:
        """Wait up to five seconds for what is under way."""
        client, self._client = self._client, None
        if client is not None:
            await asyncio.gather(client.close(), *self._dropped)
