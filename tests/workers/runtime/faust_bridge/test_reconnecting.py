"""A connection that is closed counts as broken, whichever event loop says so, and however it says it."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable

import pytest
import uvloop
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.ports import LOOPBACK
from ops.testbed.torture.proxy import Proxy
from workers.runtime.faust_bridge.patching import patch_aiokafka

PATIENCE = 30.0


@pytest.fixture(autouse=True)
def patched() -> None:
    patch_aiokafka()


@pytest.mark.parametrize("loop", [uvloop.new_event_loop, asyncio.new_event_loop])
def test_who_asks_on_a_connection_that_was_just_cut_is_told_that_it_is_broken(
    broker: Broker, loop: Callable[[], AbstractEventLoop]
) -> None:
    """In the moment before aiokafka's reader has heard of it."""

    async def ask(way: Proxy) -> None:
        connection = await create_conn(LOOPBACK, way.port)
        way.cut()
        await connection._closed_fut
        assert connection.connected(), "aiokafka has heard of it: this test says nothing"
        with pytest.raises(KafkaConnectionError, match=rf"{LOOPBACK}:{way.port}"):
            await connection.send(MetadataRequest([]))
        assert not connection.connected()

    with Proxy(broker.port) as way, asyncio.Runner(loop_factory=loop) as runner:
        runner.run(asyncio.wait_for(ask(way), PATIENCE))


async def test_another_mistake_in_asking_is_no_broken_connection(broker: Broker) -> None:
    """NotImplementedError is a RuntimeError, too: nothing would come of asking again on a new connection."""

    class Unknown:
        def prepare(self, _versions: object) -> None:
            raise NotImplementedError("no such request")

    connection = await create_conn(LOOPBACK, broker.port)
    with pytest.raises(NotImplementedError, match="no such request"):
        connection.send(Unknown())
    assert connection.connected()
    await connection.close()
