"""What is changed in aiokafka for the whole process, because it has no place to name another class for one client.

Nothing is changed by an import. Whoever starts a client says so: a worker's reader, a producer.
"""

from __future__ import annotations

from aiokafka import errors
from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer import fetcher

from workers.runtime.faust_bridge.producing import InvalidRecordError
from workers.runtime.faust_bridge.reconnecting import send_or_break
from workers.runtime.faust_bridge.unpacking import TolerantRecords


def patch_aiokafka() -> None:
    """Put our parts in the places of aiokafka's. Once or often: it comes to the same."""
    AIOKafkaConnection.send = send_or_break
    fetcher.MemoryRecords = TolerantRecords
    errors.kafka_errors.setdefault(InvalidRecordError.errno, InvalidRecordError)  # aiokafka knows it as UnknownError
