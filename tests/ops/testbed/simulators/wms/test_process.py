"""The simulated WMS as a process on a real broker: killed and started again, it says again what it said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from ops.testbed.local_stack.broker import Broker
from ops.testbed.local_stack.process import spawn, stop
from schemas.fulfillment import WmsEvent
from schemas.record import decode, encode
from tests.kafka import TopicReader, create_topics, put, unique
from tests.ops.testbed.simulators.wms.test_house import told

ORDERS = 40


@contextmanager
def wms(address: str, warehouse: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "ops.testbed.simulators.wms", "--kafka", address, "--warehouses", warehouse]
    process = spawn([*command, "--pace", "0.2"], log=folder / "wms.log", stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert orjson.loads(process.stdout.readline()) == {"port": 0}
        yield process
    finally:
        stop(process)
        assert process.stdout is not None
        process.stdout.close()


def test_killed_and_started_again_it_says_the_same_under_the_same_ids(broker: Broker, tmp_path: Path) -> None:
    warehouse = unique("house")
    topic = f"orders.routed.{warehouse}"
    create_topics(broker.address, [topic], partitions=2)
    try:
        create_topics(broker.address, ["wms.events"], partitions=2)
    except Exception as error:  # another test made it
        assert "exist" in str(error).lower()  # noqa: PT017
    instructions = [told(uid=f"taobao:shop:{number}") for number in range(ORDERS)]
    for each in instructions:
        each.warehouse_id = warehouse  # type: ignore[misc]
        each.instruction_id = each.instruction_id.replace("hangzhou", warehouse)  # type: ignore[misc]
    put(broker.address, topic, [(one.order_uid.encode(), encode(one)) for one in instructions])
    reader = TopicReader(broker.address, ["wms.events"], partitions=2)

    def heard() -> list[WmsEvent]:
        events = [decode(WmsEvent, message.value() or b"") for message in reader.messages if message.key() != b"odd"]
        return [event for event in events if event.warehouse_id == warehouse]

    def ended(times: int) -> bool:
        ends = [event for event in heard() if event.kind not in ("accepted", "picked")]
        return len({event.order_uid for event in ends}) == ORDERS and len(ends) >= times * ORDERS

    with wms(broker.address, warehouse, tmp_path) as process:
        reader.until(lambda _: ended(1))
        process.kill()
    put(broker.address, "wms.events", [(b"odd", b"{}"), (b"odd", b"no JSON")])  # of somebody else
    first = {event.message_id: encode(event) for event in heard()}
    with wms(broker.address, warehouse, tmp_path):
        reader.until(lambda _: ended(2))
    reader.close()
    again = {event.message_id: encode(event) for event in heard()}
    assert {name: again[name] for name in first} == first
    repeats = [event.message_id for event in heard()]
    assert len(repeats) >= len(first) + ORDERS
