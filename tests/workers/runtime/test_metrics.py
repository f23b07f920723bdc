"""What is counted can be told apart, and is there before the first time it happens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY

from schemas.fulfillment import FulfillmentInstruction
from schemas.record import decode
from schemas.topics import ORDERS_ROUTED, WMS_EVENTS
from tests.fakes import FakeProducer, KafkaRecord
from workers.runtime.stage import Delivery, EachOf, Stage
from workers.runtime.stage_runner import StageRunner
from workers.runtime.table import groups

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def a_shell(stage: str) -> StageRunner:
    def instruct(_: Delivery[Any]) -> Sequence[FulfillmentInstruction]:
        example = (EXAMPLES / "orders.routed" / "fulfil.json").read_bytes()
        return [decode(FulfillmentInstruction, example)]

    agent = EachOf(instruct)
    [group] = groups([Stage(stage, reads=WMS_EVENTS, writes=(ORDERS_ROUTED,), agent=lambda _: agent)])
    return StageRunner(group, [agent], FakeProducer(), retry_seconds=5)


def an_event() -> KafkaRecord:
    return KafkaRecord((EXAMPLES / "wms.events" / "shipped.json").read_bytes())


async def test_instructions_are_counted_by_warehouse() -> None:
    instruction = decode(FulfillmentInstruction, (EXAMPLES / "orders.routed" / "fulfil.json").read_bytes())
    await a_shell("counted-by-topic").run([an_event(), an_event()])
    topic = f"orders.routed.{instruction.warehouse_id}"
    assert value("orders_stage_events_total", stage="counted-by-topic", topic=topic) == 2


def test_bugs_and_retries_are_there_as_zero_before_the_first() -> None:
    a_shell("never-failed")
    assert value("orders_stage_bugs_total", stage="never-failed") == 0
    assert value("orders_stage_retries_total", group="never-failed") == 0
