"""What the topics said of an order can be read when its books do not balance, and names nobody."""

from __future__ import annotations

from pathlib import Path

from confluent_kafka import TIMESTAMP_CREATE_TIME, Message

from ops.testbed.oracle.accounts import Verdict
from ops.testbed.oracle.history import History
from schemas.fulfillment import FulfillmentInstruction, InstructionKind
from schemas.record import encode
from tests.builders import a_planned_order, a_ship_to, a_wms_event, an_order
from workers.reserve.result import Instruction, Result, events_of

PLANNED = a_planned_order(an_order(ship_to=a_ship_to(name="王小明", phone="13800000000")))
UID = PLANNED.order.uid


def said(topic: str, value: bytes, at_ms: int) -> Message:
    return Message(topic=topic, key=UID.encode(), value=value, timestamp=(TIMESTAMP_CREATE_TIME, at_ms))


def written(history: History, folder: Path, uids: list[str]) -> list[str]:
    file = folder / "history.txt"
    history.write(file, uids)
    return file.read_text(encoding="utf-8").splitlines()


def test_lines_come_by_order_and_time_and_hold_no_personal_data(tmp_path: Path) -> None:
    ordered = Result(told=(Instruction(warehouse_id="hangzhou", kind=InstructionKind.FULFIL),))
    [instruction] = events_of(PLANNED, ordered)
    assert isinstance(instruction, FulfillmentInstruction)
    history = History()
    history.add(said("wms.events", encode(a_wms_event(instruction, "shipped")), 3000))
    history.add(said("orders.planned", encode(PLANNED), 1000))
    history.add(said("orders.routed.hangzhou", encode(instruction), 2000))
    lines = written(history, tmp_path, [UID])
    assert lines[0] == UID
    assert [line.split()[1] for line in lines[1:]] == ["orders.planned", "orders.routed.hangzhou", "wms.events"]
    assert "13800000000" not in "".join(lines)
    assert "王小明" not in "".join(lines)


def test_only_the_orders_asked_for_are_kept(tmp_path: Path) -> None:
    history = History(only={"taobao:shop:other"})
    history.add(said("orders.planned", encode(PLANNED), 1000))
    assert written(history, tmp_path, [UID]) == [UID]


def test_a_verdict_names_every_wrong_order_once() -> None:
    verdict = Verdict(lost=["jd:s:1"], misplaced=["jd:s:2: paid: held"], doubled=["jd:s:2"], unknown=["jd:s:3"])
    assert verdict.wrong == ["jd:s:1", "jd:s:2", "jd:s:3"]
    assert not verdict.clean
