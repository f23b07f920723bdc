"""Connections of aiokafka that died without its knowing: it lets go of them, and asks again on new ones.

Two kinds it does not know of. Holds for aiokafka 0.14; see test_producer.py and test_reconnecting.py.
The second is put in by `patch_aiokafka`.
"""

from __future__ import annotations

from functools import wraps
from typing import Any, Final

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


STOCK_SEND: Final = AIOKafkaConnection.send
"""As aiokafka has it."""


@wraps(STOCK_SEND, assigned=())  # so that whoever reads the source of what is in its place reads aiokafka's
def send_or_break(connection: Any, request: Any, expect_response: bool = True) -> Any:
    """aiokafka's `AIOKafkaConnection.send`, to which a transport of uvloop that is closed is a broken connection.

    asyncio's transports take bytes after they were cut, and leave it to the reader to find out. uvloop's raise
    RuntimeError, which passes through aiokafka: whoever was to fetch, to commit or to ask for metadata ends with it.
    Raises KafkaConnectionError for it, and what aiokafka raises.
    """
    try:
        return STOCK_SEND(connection, request, expect_response)
    except RuntimeError as error:
        if not is_closed(error):
            raise
        connection.close(reason=CloseReason.CONNECTION_BROKEN, exc=error)
        where = f"{connection.host}:{connection.port}"
        raise KafkaConnectionError(f"Connection at {where} broken: {error}") from error
