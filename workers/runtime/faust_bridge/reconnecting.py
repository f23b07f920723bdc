"""Connections of aiokafka that died without its knowing: it lets go of them, and asks again on new ones.

Two kinds it does not know of. Holds for aiokafka 0.14; see test_producer.py and test_reconnecting.py.
"""

from __future__ import annotations

from typing import Any

from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

from workers.runtime.errors import is_closed


def renew_silent_connections(client: AIOKafkaClient) -> None:
    """Have this client close the connections on which it asked for metadata when none of them brought an answer.

    aiokafka closes a connection on which any other request is not answered in time. Asked for metadata, it only waits,
    and asks again on the same one: a producer whose connection died without a word (a machine or a firewall between
    them went) before it had heard of a topic never hears of it.
    """
    ask = client._metadata_update

    async def ask_or_close(cluster: Any, topics: Any) -> bool:
        answered: bool = await ask(cluster, topics)
        if not answered:
            asked = [each for (_, group), each in client._conns.items() if group is ConnectionGroup.DEFAULT]
            for connection in asked:
                connection.close(reason=CloseReason.CONNECTION_TIMEOUT)
        return answered

    client._metadata_update = ask_or_close


def _break_what_is_closed() -> None:
    """Have aiokafka take it for a broken connection when a transport of uvloop is closed.

    asyncio's transports take bytes after they were cut, and leave it to the reader to find out. uvloop's raise
    RuntimeError, which passes through aiokafka: whoever was to fetch, to commit or to ask for metadata ends with it.
    """
    send = AIOKafkaConnection.send

    def send_or_break(connection: Any, request: Any, expect_response: bool = True) -> Any:
        try:
            return send(connection, request, expect_response)
        except RuntimeError as error:
            if not is_closed(error):
                raise
            connection.close(reason=CloseReason.CONNECTION_BROKEN, exc=error)
            where = f"{connection.host}:{connection.port}"
            raise KafkaConnectionError(f"Connection at {where} broken: {error}") from error

    AIOKafkaConnection.send = send_or_break


_break_what_is_closed()  # for all clients of this process: aiokafka has no place to name another class for one of them
