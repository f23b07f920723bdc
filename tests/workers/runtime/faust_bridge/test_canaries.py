"""They go red when faust, mode or aiokafka mends or moves what we override or touch: then look, before an upgrade."""

from __future__ import annotations

import ast
import asyncio
from types import SimpleNamespace
from typing import Any, Final

import pytest
import uvloop
from aiokafka import errors
from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v11
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.transaction import InitProducerIdRequest, InitProducerIdRequest_v0
from aiokafka.structs import TopicPartition
from faust.tables.manager import TableManager
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from mode import Service
from mode.threads import ServiceThread

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.ports import LOOPBACK
from ops.testbed.torture.proxy import Proxy
from tests.product_code import ROOT, private_names
from tests.workers.runtime import upstream
from workers.runtime.faust_bridge.patching import patch_aiokafka
from workers.runtime.faust_bridge.producing import InvalidRecordError
from workers.runtime.faust_bridge.reconnecting import STOCK_SEND

PATIENCE: Final = 30.0
SOON: Final = 0.2

OVERRIDDEN: Final = {
    # transport.py: records come one by one, and what a failed agent lost is acknowledged
    "faust.transport.consumer:Consumer.getmany": "42726b7c2636",
    "faust.transport.consumer:Consumer.ack": "536307d55713",
    "faust.transport.consumer:Consumer._new_offset": "d8eb69eb445f",
    "faust.transport.consumer:Consumer.on_partitions_revoked": "91da4e208b27",
    "faust.transport.consumer:Consumer.perform_seek": "fb84a3ee6ae9",
    "faust.transport.consumer:Consumer.on_buffer_full": "d5416a52585a",
    "faust.transport.consumer:Consumer.on_buffer_drop": "fb14fc302d93",
    "faust.transport.consumer:Consumer.verify_all_partitions_active": "042824ecbdf9",
    "faust.transport.consumer:Consumer._wait_next_records": "eca5f200678b",
    "faust.transport.consumer:Consumer.wait_empty": "b203e65fbe06",
    "faust.transport.drivers.aiokafka:Consumer._new_consumer_thread": "0bc8e7de1009",
    # consuming.py: a thread, which ends all tasks of its loop and waits without end for those that stay
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._create_worker_consumer": "70e4db0e4dd3",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.on_start": "62a726b8a143",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.assignment": "53eabf68aa55",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._ensure_consumer": "767776258078",
    "mode.threads:QueueServiceThread.call_thread": "7cd048384c37",
    "mode.threads:ServiceThread.start": "fb580c7123bb",
    "mode.threads:ServiceThread.stop": "1dcaa922a68e",
    "mode.threads:ServiceThread._serve": "c57faf6f78af",
    "mode.threads:ServiceThread._gather_remaining_tasks": "4d07d0d1dea1",
    "mode.services:Service._default_stop_futures": "7d90e1a80aee",
    # recovery.py: a slow way back is taken for the end of the service; see test_recovery.py
    "faust.tables.recovery:Recovery._wait": "8029921d0412",
    "faust.tables.manager:TableManager.recovery": "8df097817963",
    "faust.tables.manager:TableManager.on_start": "c39281f83579",
    "faust.tables.manager:TableManager._update_channels": "f1159fe206cd",
    # fetching.py: field by field, and on and on while anything is read out
    "aiokafka.consumer.fetcher:Fetcher._proc_fetch_request": "4ecd0c76ab78",
    "aiokafka.consumer.fetcher:Fetcher._get_actions_per_node": "838e25a11291",
    # producing.py: two coroutines and a future a record, and a number that newer brokers do not give
    "aiokafka.producer.sender:Sender._do_init_pid": "85fd77bf7274",
    "aiokafka.producer.sender:InitPIDHandler.create_request": "b816808fda86",
    "aiokafka.producer.message_accumulator:MessageAccumulator._append_batch": "a98e41c0eaf5",
    "aiokafka.producer.message_accumulator:MessageAccumulator.fail_all": "791f9a9bf9b9",
    "aiokafka.protocol.api:Request.build": "76b7df97fce6",
    # reconnecting.py: connections that died unnoticed
    "aiokafka.client:AIOKafkaClient._metadata_update": "c72f9fa71920",
    "aiokafka.conn:AIOKafkaConnection.send": "aded3351f8e6",
    # unpacking.py: header names that are no text; see test_unpacking.py
    "aiokafka.record.default_records:_DefaultRecordBatchPy.__iter__": "6c6a0452d0b8",
    "aiokafka.record.default_records:_DefaultRecordBatchPy._maybe_uncompress": "05e672711045",
}

TOUCHED: Final = {
    "faust.transport.consumer:Consumer": (
        "_read_offset _committed_offset _acked _acked_index _unacked_messages _waiting_for_ack"
    ),
    "faust.transport.consumer:ThreadDelegateConsumer": "_thread",
    "faust.tables.manager:TableManager": "_recovery",
    "mode.threads:ServiceThread": "_thread",
    "mode.services:Service": "_futures",
    "aiokafka:AIOKafkaConsumer": "_client _fetcher _fetch_max_wait_ms _fetch_max_bytes",
    "aiokafka.consumer.fetcher:Fetcher": "_records",
    "aiokafka.client:AIOKafkaClient": "_conns",
    "aiokafka:AIOKafkaProducer": "_sender _message_accumulator",
    "aiokafka.producer.message_accumulator:MessageAccumulator": "_batches _exception",
    "aiokafka.producer.message_accumulator:BatchBuilder": "_builder",
    "aiokafka.producer.message_accumulator:MessageBatch": "_builder _drain_waiter",
    "aiokafka.record.default_records": "_DefaultRecordBatchPy",
    "aiokafka.record.default_records:_DefaultRecordBatchPy": "_buffer",
    "aiokafka.consumer.fetcher": "MemoryRecords",
    "aiokafka.errors": "kafka_errors",
}


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_what_we_override_or_call_reads_as_it_did(name: str) -> None:
    assert upstream.digest(name) == OVERRIDDEN[name], upstream.LOOK


def test_what_we_put_in_its_place_does_not_hide_what_upstream_has() -> None:
    patch_aiokafka()
    name = "aiokafka.conn:AIOKafkaConnection.send"
    assert upstream.digest(name) == OVERRIDDEN[name]


@pytest.mark.parametrize(("where", "name"), [(where, name) for where, row in TOUCHED.items() for name in row.split()])
def test_what_we_touch_is_where_it_was(where: str, name: str) -> None:
    assert upstream.sets(where, name)


def test_every_private_that_we_touch_has_a_canary() -> None:
    files = (ROOT / "workers" / "runtime" / "faust_bridge").glob("*.py")
    assert sorted(upstream.touched(files) - upstream.listed(OVERRIDDEN, TOUCHED)) == []


def test_a_changed_text_and_a_lost_attribute_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def mended(self: Any, message: Any) -> bool:
        return bool(self) and bool(message)

    monkeypatch.setattr("faust.transport.consumer.Consumer.ack", mended)
    name = "faust.transport.consumer:Consumer.ack"
    assert upstream.digest(name) != OVERRIDDEN[name]
    assert not upstream.sets("faust.transport.consumer:Consumer", "_book_of_acks")
    assert {one.name for one in private_names(ast.parse("def f(consumer): consumer._new_part"))} == {"_new_part"}


# -- what we work round is still there -----------------------------------------------------------------------------


def test_aiokafka_lets_through_that_a_transport_of_uvloop_is_closed(broker: Broker) -> None:
    async def ask(way: Proxy) -> None:
        connection = await create_conn(LOOPBACK, way.port)
        way.cut()
        await connection._closed_fut
        with pytest.raises(RuntimeError) as raised:
            await STOCK_SEND(connection, MetadataRequest([]))
        assert not isinstance(raised.value, KafkaError)  # which is a RuntimeError, too
        connection.close()

    with Proxy(broker.port) as way, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(ask(way), PATIENCE))


async def test_aiokafka_keeps_a_connection_on_which_nobody_tells_of_topics() -> None:
    closed: list[str] = []

    async def silent(_request: object) -> None:
        raise KafkaConnectionError("no answer in time")

    async def connected(_node: object) -> Any:
        return connection

    connection = SimpleNamespace(send=silent, close=lambda **_: closed.append("closed"))
    client = AIOKafkaClient(bootstrap_servers=f"{LOOPBACK}:1")
    client._conns["bootstrap", ConnectionGroup.DEFAULT] = connection
    client._get_conn = connected

    assert not await client._metadata_update(client.cluster, [])
    assert closed == []


def test_the_newest_fetch_that_aiokafka_knows_is_the_one_that_we_pack() -> None:
    """With a newer one all fetches would go aiokafka's slow way, and nobody would notice."""
    assert type(FetchRequest(50, 1, 1 << 20, 0, []).prepare({1: (0, 99)})) is FetchRequest_v11


def test_aiokafka_asks_for_a_number_in_its_oldest_version_only() -> None:
    assert list(InitProducerIdRequest.CLASSES) == [InitProducerIdRequest_v0]


def test_aiokafka_does_not_know_the_error_of_an_invalid_record() -> None:
    known = [each for each in vars(errors).values() if getattr(each, "errno", None) == InvalidRecordError.errno]
    assert known == []


async def test_faust_waits_for_tables_that_might_still_be_declared() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    await TableManager.on_start(SimpleNamespace(sleep=sleep, should_stop=True))
    assert slept == [1.0]


async def test_mode_ends_all_tasks_of_the_loop_when_a_service_ends() -> None:
    loop = asyncio.new_event_loop()
    other = loop.create_task(asyncio.sleep(PATIENCE))
    try:
        await asyncio.to_thread(
            loop.run_until_complete, ServiceThread._gather_remaining_tasks(SimpleNamespace(thread_loop=loop))
        )
        assert other.cancelled()
    finally:
        loop.close()


async def test_mode_waits_without_end_for_what_ignores_that_it_is_cancelled() -> None:
    told, enough = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        while not enough.is_set():
            try:
                await enough.wait()
            except asyncio.CancelledError:
                told.set()

    class Holder(Service):  # type: ignore[misc]
        pass

    holder = Holder()
    holder.add_future(stubborn())
    await asyncio.sleep(0)
    stopping = asyncio.create_task(holder._default_stop_futures())
    await asyncio.wait_for(told.wait(), PATIENCE)
    done, _ = await asyncio.wait({stopping}, timeout=SOON)
    assert not done
    enough.set()
    await asyncio.wait_for(stopping, PATIENCE)


def test_fausts_driver_makes_the_set_of_partitions_anew_each_time() -> None:
    assigned = frozenset({TopicPartition("a-topic", 0)})
    thread = SimpleNamespace(_ensure_consumer=lambda: SimpleNamespace(assignment=lambda: assigned))
    assert AIOKafkaConsumerThread.assignment(thread) is not AIOKafkaConsumerThread.assignment(thread)
