"""The WMS's line to Kafka: instructions in, answers out, everything confirmed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from confluent_kafka import KafkaError, Message
from pydantic import ValidationError

from ops.testbed.simulators.wms.house import Houses
from schemas.fulfillment import FulfillmentInstruction, WmsEvent, WmsEventKind
from schemas.record import encode, reader
from schemas.topics import ORDERS_ROUTED, WMS_EVENTS
from workers.runtime.kafka.librdkafka import Reader, Writer

log = logging.getLogger(__name__)

SAY_LATER: Final = 1.0
"""Seconds between what is done and saying so at the earliest: an instruction of before must have arrived by then."""

_INSTRUCTION = reader(FulfillmentInstruction)
_EVENT = reader(WmsEvent)
_CONNECT_SECONDS: Final = 30.0


class Line:
    """Reads without a group, from the beginning. Raises KafkaException when there is no broker to begin with.

    A broker that goes away later is waited for; an answer that could not be delivered is sent again.
    """

    def __init__(self, brokers: str, warehouses: list[str], say_later: float = SAY_LATER) -> None:
        patient: dict[str, Any] = {
            "bootstrap.servers": brokers,
            "socket.timeout.ms": 3000,  # a connection that went dead without a word is given up after it
            "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 500,
            "log_level": 2,
        }
        self._reader = Reader({**patient, "group.id": "simulated-wms", "fetch.wait.max.ms": 50})
        # Idempotent, else a repeated try could change the order of answers.
        self._writer = Writer({**patient, "linger.ms": 5, "request.timeout.ms": 3000})
        self._warehouses = warehouses
        self._say_later = say_later
        self._stopped = False

    def stop(self) -> None:
        """End `work` soon."""
        self._stopped = True

    def close(self) -> None:
        """Send what is left and let go of the broker."""
        self._writer.flush(5)
        self._reader.close()

    def said(self) -> set[str]:
        """The ids of all shipments that stand in `wms.events`: what left in an earlier life has left."""
        ids: set[str] = set()

        def take(message: Message) -> None:
            with suppress(ValidationError):  # another's record: whoever wrote it, we did not
                event = _EVENT(message.value() or b"")
                if event.kind is WmsEventKind.SHIPPED:
                    ids.add(event.message_id)

        self._read_to_end([WMS_EVENTS.name], take)
        return ids

    def catch_up(self, houses: Houses) -> None:
        """Take in all instructions that are there, before anything is said."""
        self._read_to_end(self._topics(), lambda message: _take(houses, message))

    def work(self, houses: Houses) -> None:
        """Take instructions and say what is due, until stopped."""
        while not self._stopped:
            for message in self._reader.read(1000, 0.05):
                error = message.error()
                if error is None:
                    _take(houses, message)
                elif error.code() != KafkaError._PARTITION_EOF:
                    log.warning("Kafka: %s", error.str())
            for event in houses.due(time.time() - self._say_later):
                self._say(event.order_uid.encode(), encode(event), event.message_id.encode())
            self._writer.poll(0)

    def _say(self, key: bytes, answer: bytes, message_id: bytes) -> None:
        def told(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                log.error("Kafka refuses the answer %s: %s", message_id.decode(), error.str())

        self._writer.send(WMS_EVENTS.name, key, answer, [("dedupe-key", message_id)], told)

    def _read_to_end(self, topics: list[str], take: Callable[[Message], None]) -> None:
        """Read these topics from their beginning until each partition has said that this was its last record."""
        counts = {topic: self._reader.partitions_of(topic, _CONNECT_SECONDS) for topic in topics}
        unread = {(topic, number) for topic, count in counts.items() for number in range(count)}
        self._reader.assign(unread)
        while unread and not self._stopped:
            for message in self._reader.read(1000, 0.1):
                error = message.error()
                if error is None:
                    take(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    unread.discard((message.topic() or "", message.partition() or 0))

    def _topics(self) -> list[str]:
        if self._warehouses:
            return [ORDERS_ROUTED.of(warehouse) for warehouse in self._warehouses]
        return [name for name in self._reader.topics(_CONNECT_SECONDS) if name.startswith(f"{ORDERS_ROUTED.name}.")]


def _take(houses: Houses, message: Message) -> None:
    _, stamp = message.timestamp()
    houses.take(_INSTRUCTION(message.value() or b""), stamp / 1000)
