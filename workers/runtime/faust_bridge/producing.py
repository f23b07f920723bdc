"""Records laid into aiokafka's batches by hand, a whole send at once.

aiokafka's producer puts all that waits for a broker into one request, whatever the partition. That is why the fleet
sends with it: librdkafka sends a request for each partition, 200 for 200 orders of 200 partitions. But the `send` of
aiokafka costs two coroutines and a future a record. Here a record costs its place in a batch, and a batch one future.

What a request is, when it is sent and sent again, and the numbers that let a broker drop repeats stay aiokafka's
business. Holds for aiokafka 0.14; tests/workers/runtime/kafka/test_producer.py proves it against a real broker.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer, errors
from aiokafka.producer.sender import InitPIDHandler
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.transaction import InitProducerIdRequest_v0
from aiokafka.protocol.types import CompactString, Int16, Int32, Int64, Schema, TaggedFields
from aiokafka.structs import TopicPartition

from workers.runtime.faust_bridge.reconnecting import renew_silent_connections
from workers.runtime.kafka.partitioning import partition_of
from workers.runtime.kafka.records import Record


class InvalidRecordError(errors.BrokerResponseError):  # type: ignore[misc]
    """A broker has more to say against a record than its size, such as no key where the topic is compacted."""

    errno = 87


_NO_TRANSACTION_MS: Final = (1 << 31) - 1
_NOBODY_YET: Final = -1

Place = tuple[str, int]  # topic, partition


class BatchingProducer(AIOKafkaProducer):  # type: ignore[misc]
    """An idempotent producer that takes many records at once."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config, enable_idempotence=True)
        renew_silent_connections(self.client)
        sender = self._sender
        sender._do_init_pid = lambda node: _Numbering(sender).do(node)

    async def put(self, records: Sequence[Record]) -> set[Future[Any]]:
        """Lay them into open batches, those of a partition in their order. The futures of all these batches.

        Raises KafkaError when a topic does not get known, or when it takes nothing more.
        """
        counts = {topic: len(await self.partitions_for(topic)) for topic in {record.topic for record in records}}
        batches: dict[Place, Any] = {}
        futures = set()
        for topic, key, value, headers in records:
            place = topic, partition_of(key, counts[topic])
            batch = batches.get(place) or self._open_batch(place)
            while batch._builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
                batch = self._new_batch(place)  # that one was full, or is on its way
            batches[place] = batch
            futures.add(batch.future)
        return futures

    def _open_batch(self, place: Place) -> Any:
        waiting = self._message_accumulator._batches.get(place)
        return waiting[-1] if waiting else self._new_batch(place)

    def _new_batch(self, place: Place) -> Any:
        accumulator = self._message_accumulator
        if accumulator._exception is not None:
            raise accumulator._exception
        return accumulator._append_batch(accumulator.create_builder(), TopicPartition(*place))

    @property
    def ended(self) -> bool:
        """Whether it takes nothing more: what it has numbered and not stored is in the way."""
        return self._message_accumulator._exception is not None

    def give_up(self, error: Exception) -> None:
        """Tell all who wait that nothing more will be confirmed, and take nothing more. It is to be stopped after."""
        accumulator = self._message_accumulator
        waiting = [batch for batches in accumulator._batches.values() for batch in batches]
        accumulator.fail_all(error)
        for batch in waiting:  # nobody waits for room in them, and asyncio complains of what nobody looks at
            batch._drain_waiter.exception()


class _NumberedResponse(Response):  # type: ignore[misc]
    API_KEY = 22
    API_VERSION = 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )


class _NumberRequest4(RequestStruct):  # type: ignore[misc]
    API_KEY = 22
    API_VERSION = 4
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _NumberedResponse
    SCHEMA = Schema(
        ("transactional_id", CompactString("utf-8")),
        ("transaction_timeout_ms", Int32),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )


class _NumberRequest(Request[InitProducerIdRequest_v0 | _NumberRequest4]):  # type: ignore[misc]
    """Asks for a producer's number. aiokafka knows but the oldest version, which not every broker answers."""

    API_KEY = 22

    def build(self, version: Any) -> Any:
        if version is InitProducerIdRequest_v0:
            return version(None, _NO_TRANSACTION_MS)
        return version(None, _NO_TRANSACTION_MS, _NOBODY_YET, _NOBODY_YET, {})


class _Numbering(InitPIDHandler):  # type: ignore[misc]
    def create_request(self) -> _NumberRequest:
        return _NumberRequest()
