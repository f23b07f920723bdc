"""Which epoch of the stock Kafka and Redis have, and settling it by a person's word: given up, or adopted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import Message
from pydantic import ValidationError
from redis.asyncio import Redis

from schemas.epoch import EpochReason
from schemas.inventory import InventoryEvent, InventoryEventKind
from schemas.record import decode
from schemas.text import Text
from schemas.topics import INVENTORY_EPOCHS, INVENTORY_EVENTS
from workers.inventory.epoch import EpochLog, Known, carry_epoch, new_epoch, read_epoch, write_epoch
from workers.inventory.keys import sequence_key, warehouses_key
from workers.rebuild.backup import BackedUp, clear, ledger_size
from workers.rebuild.contents import Content, write_contents
from workers.rebuild.errors import LedgerEmpty
from workers.rebuild.event_log import TopicLog
from workers.rebuild.quiet import refuse_unless_quiet
from workers.rebuild.rebuild import send
from workers.runtime.kafka.cluster import Kafka
from workers.runtime.redis.epoch import EpochLost


class EpochStatus(NamedTuple):
    """What Kafka knows, and the epoch that Redis has, "" when it has none."""

    known: Known
    found: str

    @property
    def wanted(self) -> str:
        """The epoch that Redis should have, "" when Kafka knows none."""
        return self.known.epoch.epoch_id if self.known.epoch else ""

    @property
    def is_same(self) -> bool:
        """Redis is the one that Kafka tells of."""
        return bool(self.found) and self.found == self.wanted

    @property
    def is_fresh(self) -> bool:
        """Kafka knows of no stock yet."""
        return not self.wanted and not self.known.has_events

    @property
    def advice(self) -> Text | None:
        """What to do; None when nothing is."""
        if self.is_same or self.is_fresh:
            return None
        if self.known.epoch is None and self.found:
            return Text("Kafka learns of it when the first worker starts", "首个工作进程启动后，Kafka 会记录该编号")
        return EpochLost.of(self.found).advice


async def epoch_status(kafka: Kafka, redis: Redis) -> EpochStatus:
    """As it is now. Raises TransientError."""
    return EpochStatus(await EpochLog(kafka).read(), await read_epoch(redis))


async def adopt(kafka: Kafka, redis: Redis) -> None:
    """This Redis holds the stock: give it the epoch. Raises LedgerEmpty, TransientError."""
    if not await ledger_size(redis):
        raise LedgerEmpty
    await carry_epoch(redis, kafka)


async def declare_new(kafka: Kafka, redis: Redis, folder: Path, backed_up: BackedUp) -> list[str]:
    """Give all stock up; what Redis holds goes to a backup in `folder`. The warehouses to be counted anew.

    Raises WritersAtWork, BackupUnwritable, TransientError.
    """
    await refuse_unless_quiet(kafka, redis)
    if await ledger_size(redis):
        await clear(redis, folder, backed_up, outboxes=True)
    return await _begin_anew(kafka, redis)


async def _begin_anew(kafka: Kafka, redis: Redis) -> list[str]:
    """A new epoch, and an event in each warehouse that ends all that was told of it. The warehouses."""
    newest: dict[str, int] = {}

    def take(message: Message) -> None:
        try:
            event = decode(InventoryEvent, message.value() or b"")
        except ValidationError:
            return
        newest[event.warehouse_id] = max(event.sequence, newest.get(event.warehouse_id, 0))

    await asyncio.to_thread(_read_all, kafka, INVENTORY_EVENTS.name, take)
    epoch = new_epoch(EpochReason.DECLARED_NEW)
    events = [
        InventoryEvent(
            event_id=f"{warehouse_id}/{sequence + 1}",
            sequence=sequence + 1,
            warehouse_id=warehouse_id,
            kind=InventoryEventKind.BEGAN_ANEW,
            at=epoch.at,
            changes=(),
        )
        for warehouse_id, sequence in sorted(newest.items())
    ]
    await send(kafka, INVENTORY_EVENTS, events)
    await send(kafka, INVENTORY_EPOCHS, [epoch])
    contents = [Content(sequence_key(event.warehouse_id), str(event.sequence)) for event in events]
    if newest:
        contents.append(Content(warehouses_key(), sorted(newest)))
    await write_contents(redis, contents)
    await write_epoch(redis, epoch.epoch_id)
    return sorted(newest)


def _read_all(kafka: Kafka, topic: str, take: Callable[[Message], None]) -> None:
    with TopicLog(kafka, topic) as log:
        log.read(take)
