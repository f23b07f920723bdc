"""Which epoch of the stock ledger Kafka knows, and bringing Redis and Kafka to one when a fleet starts. Decision 20."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message
from pydantic import ValidationError
from redis.asyncio import Redis

from schemas.epoch import EpochReason, StockEpoch
from schemas.record import changed, decode
from schemas.topics import INVENTORY_EPOCHS, INVENTORY_EVENTS
from workers.inventory.keys import warehouses_key
from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Cluster, Kafka
from workers.runtime.kafka.librdkafka import Partition, Reader, Writer
from workers.runtime.redis.connections import connect
from workers.runtime.redis.epoch import EpochGuard, EpochLost, epoch_key
from workers.runtime.redis.errors import redis_errors
from workers.runtime.table import group_id
from workers.runtime.wire import Encoder

log = logging.getLogger(__name__)

LEDGER: Final = "stock"
_ANSWER_SECONDS: Final = 5.0
_LOOK_AGAIN_SECONDS: Final = 2.0


class Known(NamedTuple):
    """What Kafka knows. `has_topic`: False when `inventory.epochs` was not made yet; `has_events`: of stock, any."""

    epoch: StockEpoch | None
    has_topic: bool
    has_events: bool = False


class EpochLog:
    """The epochs in Kafka. All methods raise TransientError when it is away."""

    def __init__(self, kafka: Kafka) -> None:
        self._config = {
            **Cluster.of(kafka).for_librdkafka(),
            "fetch.wait.max.ms": 20,
            "socket.timeout.ms": int(_ANSWER_SECONDS * 1000),
            "log_level": 0,
        }

    async def read(self) -> Known:
        """The newest epoch."""
        return await asyncio.to_thread(self._read)

    async def write(self, epoch: StockEpoch) -> None:
        """A new one, confirmed."""
        await asyncio.to_thread(self._write, epoch)

    def _read(self) -> Known:
        reader = Reader({**self._config, "group.id": group_id("epochs")})
        try:
            count = reader.partitions_of(INVENTORY_EPOCHS.name, _ANSWER_SECONDS)
            if not count:
                return Known(None, has_topic=False, has_events=self._has_events(reader))
            newest = self._newest(reader, [(INVENTORY_EPOCHS.name, number) for number in range(count)])
            return Known(newest, has_topic=True, has_events=newest is None and self._has_events(reader))
        except KafkaException as error:
            raise TransientError(error.args[0].str()) from error
        finally:
            reader.close()

    @staticmethod
    def _newest(reader: Reader, partitions: list[Partition]) -> StockEpoch | None:
        newest: StockEpoch | None = None
        unread = set(partitions)
        reader.assign(partitions)
        deadline = time.monotonic() + _ANSWER_SECONDS
        while unread:
            if time.monotonic() > deadline:
                raise TransientError(f"no answer for {_ANSWER_SECONDS:g} s")
            for message in reader.read(1000, 0.1):
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    unread.discard((message.topic() or "", message.partition() or 0))
                elif error is None and (epoch := _epoch_of(message)) and (newest is None or epoch.at >= newest.at):
                    newest = epoch
        return newest

    @staticmethod
    def _has_events(reader: Reader) -> bool:
        name = INVENTORY_EVENTS.name
        places = [(name, number) for number in range(reader.partitions_of(name, _ANSWER_SECONDS))]
        return any(reader.ends(places, _ANSWER_SECONDS).values())

    def _write(self, epoch: StockEpoch) -> None:
        refused: list[KafkaError] = []

        def told(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                refused.append(error)

        topic, key, value, headers = Encoder([INVENTORY_EPOCHS])(epoch)
        writer = Writer(self._config)
        writer.send(topic, key, value, headers, told)
        if writer.flush(2 * _ANSWER_SECONDS) or refused:
            raise TransientError(refused[0].str() if refused else "Kafka did not confirm the epoch")


def _epoch_of(message: Message) -> StockEpoch | None:
    try:
        epoch = decode(StockEpoch, message.value() or b"")
    except ValidationError:
        log.warning("no epoch can be read in %s, offset %s", message.topic(), message.offset())
        return None
    return epoch if epoch.ledger == LEDGER else None


def new_epoch(reason: EpochReason) -> StockEpoch:
    """One that nobody had before."""
    return StockEpoch(ledger=LEDGER, epoch_id=secrets.token_hex(8), at=datetime.now(UTC), reason=reason)


async def read_epoch(redis: Redis) -> str:
    """The id that Redis has, "" when it has none. Raises TransientError."""
    with redis_errors():
        found: Any = await redis.get(epoch_key())
    return (found or b"").decode()


async def write_epoch(redis: Redis, epoch_id: str) -> None:
    """Have Redis carry this id. Raises TransientError."""
    with redis_errors():
        await redis.set(epoch_key(), epoch_id)


async def forget_epoch(redis: Redis) -> None:
    """Have Redis carry none: what is in it is not whole. Raises TransientError."""
    with redis_errors():
        await redis.delete(epoch_key())


async def settle_epoch(redis: Redis, log_of_epochs: EpochLog) -> str:
    """The id that both Redis and Kafka have; where neither has one, the first.

    Any number of processes may do so at once. Raises EpochLost when Redis lacks what Kafka knows, TransientError.
    """
    known = await log_of_epochs.read()  # first: who begins writes to Redis first, and then to Kafka
    found = await read_epoch(redis)
    if known.epoch is not None:
        if known.epoch.epoch_id != found:
            raise EpochLost.of(found)
        return found
    if not found:
        with redis_errors():
            if known.has_events and not await redis.exists(warehouses_key()):
                raise EpochLost.of("")  # it was emptied before there were epochs
            await redis.set(epoch_key(), new_epoch(EpochReason.FIRST_START).epoch_id, nx=True)
        found = await read_epoch(redis)
    if known.has_topic:
        await log_of_epochs.write(changed(new_epoch(EpochReason.FIRST_START), epoch_id=found))
    else:
        log.warning("the topic %s is missing: orderfleet topics create", INVENTORY_EPOCHS.name)
    return found


async def carry_epoch(redis: Redis, kafka: Kafka) -> None:
    """Have Redis carry the id that Kafka knows, a new one when it knows none. Raises TransientError."""
    log_of_epochs = EpochLog(kafka)
    known = await log_of_epochs.read()
    epoch = known.epoch or new_epoch(EpochReason.REBUILT)
    if known.epoch is None and known.has_topic:
        await log_of_epochs.write(epoch)
    await write_epoch(redis, epoch.epoch_id)


def guarded(url: str, kafka: Kafka) -> tuple[Redis, EpochGuard]:
    """A client that works with the Redis that Kafka knows and with no other, and what sees to that."""
    guard = EpochGuard(lambda: settle_epoch(redis, log_of_epochs))
    redis, log_of_epochs = connect(url, guard), EpochLog(kafka)
    return redis, guard


async def await_epoch(redis: Redis, guard: EpochGuard, kafka: Kafka, patience: float) -> None:
    """Have the guard know the epoch before anything is done; wait while Redis or Kafka is away, or was emptied.

    Raises EpochLost, TransientError, after so many seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            guard.expect(await settle_epoch(redis, EpochLog(kafka)))
            return
        except TransientError as error:
            guard.doubt(error)
            if time.monotonic() > deadline:
                raise
            log.warning("waiting to begin: %s", error)
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
