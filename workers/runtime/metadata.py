"""A client that asks a broker who has which partition, and gets no answer, asks again on a new connection.

aiokafka closes a connection on which any other request is not answered in time. Asked for metadata, it only waits, and
asks again on the same one: a producer whose connection died without a word (a machine or a firewall between them went)
before it had heard of a topic never hears of it. Holds for aiokafka 0.14; tests/workers/runtime/test_producer.py.
"""

from __future__ import annotations

from typing import Any

from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.conn import CloseReason


def renew_silent_connections(client: AIOKafkaClient) -> None:
    """Have this client close the connections on which it asked for metadata when none of them brought an answer."""
    ask = client._metadata_update

    async def ask_or_close(cluster: Any, topics: Any) -> bool:
        answered: bool = await ask(cluster, topics)
        if not answered:
            asked = [each for (_, group), each in client._conns.items() if group is ConnectionGroup.DEFAULT]
            for connection in asked:
                connection.close(reason=CloseReason.CONNECTION_TIMEOUT)
        return answered

    client._metadata_update = ask_or_close
