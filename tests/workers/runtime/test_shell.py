"""What happens to a chunk, whatever its records and its stages do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NoReturn

import pytest

from schemas.dead_letter import DeadLetter, Failure
from schemas.fulfillment import WmsEvent, WmsEventKind
from schemas.inventory import InventoryEvent, InventoryEventKind
from schemas.record import decode, encode
from schemas.topics import INVENTORY_EVENTS, ORDERS_QUARANTINED, TRANSFERS_REQUESTED, WMS_EVENTS
from tests.fakes import FakeProducer, KafkaRecord
from workers.runtime import shell as shell_module
from workers.runtime.errors import Misconfigured, PermanentError, TransientError
from workers.runtime.shell import EXIT_GIVEN_UP, EXIT_MISCONFIGURED, Shell
from workers.runtime.stage import Agent, Delivery, EachOf, Outcome, Stage, chained
from workers.runtime.table import groups

AT = datetime(2026, 11, 11, tzinfo=UTC)


class Left(Exception):
    """Stands for the end of the process."""


def leave(code: int) -> NoReturn:
    raise Left(code)


def event(number: int, reason: str = "") -> WmsEvent:
    return WmsEvent(
        message_id=str(number),
        kind=WmsEventKind.SHIPPED,
        order_uid=f"taobao:shop:{number}",
        warehouse_id="hangzhou",
        instruction_id="i",
        at=AT,
        reason=reason,
    )


def record(number: int, reason: str = "") -> KafkaRecord:
    return KafkaRecord(encode(event(number, reason)), key=f"taobao:shop:{number}".encode(), offset=number)


def counted(delivery: Delivery[WmsEvent]) -> Sequence[Any]:
    """Turns an event into an inventory event; refuses one reason, breaks on another."""
    value = delivery.value
    if value.reason == "refuse":
        raise PermanentError("unknown-order", [Failure(attempt="count", where="order_uid", problem="is not known")])
    if value.reason == "break":
        raise ZeroDivisionError("secret of order")
    if value.reason == "skip":
        return ()
    return [
        InventoryEvent(
            event_id=value.message_id,
            sequence=int(value.message_id),
            warehouse_id=value.warehouse_id,
            kind=InventoryEventKind.COUNTED,
            at=value.at,
            changes=(),
        )
    ]


def shell(producer: FakeProducer, *agents: Agent[Any], seconds: float = 30) -> Shell:
    rows: list[Stage[Any]] = [
        Stage("count", reads=WMS_EVENTS, writes=(INVENTORY_EVENTS, ORDERS_QUARANTINED), agent=lambda _: None)
    ]
    if len(agents) == 2:
        rows = [
            Stage("double", reads=WMS_EVENTS, writes=(), agent=lambda _: None),
            Stage("count", reads=chained(TRANSFERS_REQUESTED), writes=(INVENTORY_EVENTS,), agent=lambda _: None),
        ]
    [group] = groups(rows)
    return Shell(group, agents, producer, retry_seconds=seconds, give_up=leave)


def keys(producer: FakeProducer) -> list[tuple[str, str]]:
    return [(sent.topic, dict(sent.headers)["dedupe-key"].decode()) for sent in producer.sent]


async def test_events_go_to_the_topic_of_their_type_with_a_key_and_an_identity() -> None:
    producer = FakeProducer()
    await shell(producer, EachOf(counted)).run([record(1)])
    [sent] = producer.sent
    assert sent.topic == "inventory.events"
    assert sent.key == b"hangzhou"
    assert sent.headers == [("dedupe-key", b"1")]
    assert decode(InventoryEvent, sent.value).sequence == 1


async def test_a_record_that_cannot_be_decoded_is_kept_whole_and_the_rest_goes_on() -> None:
    producer = FakeProducer()
    broken = KafkaRecord(b"{not json", key=b"k", offset=7, headers=[("shop", b"tb")])
    await shell(producer, EachOf(counted)).run([record(1), broken, record(2)])
    assert keys(producer) == [
        ("orders.quarantined", "orders.raw.taobao/0/7"),
        ("inventory.events", "1"),
        ("inventory.events", "2"),
    ]
    letter = decode(DeadLetter, producer.sent[0].value)
    assert letter.reason == "unreadable"
    assert letter.payload_base64 == "e25vdCBqc29u"
    assert letter.headers == {"shop": "tb"}
    assert letter.offset == 7


async def test_a_refused_record_is_set_aside_with_its_reason() -> None:
    producer = FakeProducer()
    await shell(producer, EachOf(counted)).run([record(1, "refuse"), record(2)])
    letter = decode(DeadLetter, producer.sent[0].value)
    assert (letter.stage, letter.reason, letter.failures[0].where) == ("count", "unknown-order", "order_uid")
    assert keys(producer)[1] == ("inventory.events", "2")


async def test_a_bug_costs_only_its_own_record_and_its_letter_quotes_nothing() -> None:
    producer = FakeProducer()
    await shell(producer, EachOf(counted)).run([record(1), record(2, "break"), record(3)])
    letter = decode(DeadLetter, producer.sent[1].value)
    assert letter.reason == "bug"
    assert letter.failures[0].problem == "ZeroDivisionError"
    assert "counted" in letter.failures[0].where
    assert b"secret" not in producer.sent[1].value
    assert [key for _, key in keys(producer)] == ["1", "orders.raw.taobao/0/2", "3"]


async def test_a_chunk_is_tried_again_in_place_while_kafka_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_module, "_FIRST_PAUSE", 0.001)
    producer = FakeProducer(failures=3)
    await shell(producer, EachOf(counted)).run([record(1)])
    assert keys(producer) == [("inventory.events", "1")]


async def test_the_process_leaves_without_acknowledging_when_the_deadline_passes() -> None:
    class Away:
        async def handle(self, batch: Sequence[Delivery[WmsEvent]]) -> Sequence[Outcome]:
            raise TransientError("redis away")

    with pytest.raises(Left, match=str(EXIT_GIVEN_UP)):
        await shell(FakeProducer(), Away(), seconds=-1).run([record(1)])


async def test_the_process_leaves_at_once_when_only_a_person_can_help() -> None:
    class NotLetIn:
        async def handle(self, batch: Sequence[Delivery[WmsEvent]]) -> Sequence[Outcome]:
            raise Misconfigured("redis wants another password")

    with pytest.raises(Left, match=str(EXIT_MISCONFIGURED)):
        await shell(FakeProducer(), NotLetIn(), seconds=60).run([record(1)])


async def test_chained_stages_hand_over_in_memory_and_share_one_flush() -> None:
    def double(delivery: Delivery[WmsEvent]) -> Sequence[Any]:
        if delivery.value.reason == "skip":
            return ()
        number = int(delivery.value.message_id)
        return [delivery.value, replace(delivery.value, message_id=str(number + 100))]

    producer = FakeProducer()
    await shell(producer, EachOf(double), EachOf(counted)).run([record(1), record(2, "skip"), record(3)])
    assert [key for _, key in keys(producer)] == ["1", "101", "3", "103"]


async def test_a_repeat_of_a_chunk_gives_the_same_bytes() -> None:
    first, second = FakeProducer(), FakeProducer()
    chunk = [record(1), record(2, "refuse"), record(3, "break"), KafkaRecord(b"", offset=4)]
    await shell(first, EachOf(counted)).run(chunk)
    await shell(second, EachOf(counted)).run(chunk)
    assert first.sent == second.sent
