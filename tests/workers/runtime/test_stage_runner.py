"""What happens to a chunk, whatever its records and its stages do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.testbed.torture.odd_records import OddRecord, unreadable
from schemas.codes import LetterProblem
from schemas.dead_letter import DeadLetter, Failure
from schemas.fulfillment import WmsEvent, WmsEventKind
from schemas.inventory import InventoryEvent, InventoryEventKind
from schemas.record import decode, encode
from schemas.topics import INVENTORY_EVENTS, ORDERS_QUARANTINED, TRANSFERS_REQUESTED, WMS_EVENTS
from tests.fakes import FakeProducer, KafkaRecord
from workers.admin.dead_letters import payload_of
from workers.runtime import dead_letters as dead_letters_module
from workers.runtime import stage_runner as shell_module
from workers.runtime.dead_letters import SMALL_BYTES, letter_record
from workers.runtime.errors import Misconfigured, PermanentError, TransientError
from workers.runtime.stage import Agent, Delivery, EachOf, Outcome, Stage, chained
from workers.runtime.stage_runner import EXIT_GIVEN_UP, EXIT_MISCONFIGURED, StageRunner
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
        told = LetterProblem.ORDER_NEVER_GIVEN()
        raise PermanentError("unknown-order", [Failure(attempt="count", where="order_uid", explanation=told)])
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


def shell(producer: FakeProducer, *agents: Agent[Any], seconds: float = 30) -> StageRunner:
    rows: list[Stage[Any]] = [
        Stage("count", reads=WMS_EVENTS, writes=(INVENTORY_EVENTS, ORDERS_QUARANTINED), agent=lambda _: None)
    ]
    if len(agents) == 2:
        rows = [
            Stage("double", reads=WMS_EVENTS, writes=(), agent=lambda _: None),
            Stage("count", reads=chained(TRANSFERS_REQUESTED), writes=(INVENTORY_EVENTS,), agent=lambda _: None),
        ]
    [group] = groups(rows)
    return StageRunner(group, agents, producer, retry_seconds=seconds, give_up=leave)


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
    assert letter.failures[0].tell("en") == "a bug of ours: ZeroDivisionError"
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


# -- whatever a record is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", unreadable(b"taobao:shop:1"), ids=lambda odd: odd.name)
async def test_a_record_of_any_kind_becomes_a_letter_and_the_rest_goes_on(odd: OddRecord) -> None:
    producer = FakeProducer()
    bad = KafkaRecord(odd.value, key=odd.key, offset=7, headers=odd.headers, timestamp=odd.at_ms)
    await shell(producer, EachOf(counted)).run([record(1), bad, record(2)])
    assert keys(producer) == [
        ("orders.quarantined", "orders.raw.taobao/0/7"),
        ("inventory.events", "1"),
        ("inventory.events", "2"),
    ]
    letter = decode(DeadLetter, producer.sent[0].value)
    assert letter.reason == "unreadable"
    assert letter.payload_bytes == (-1 if odd.value is None else len(odd.value))
    assert letter.cut or payload_of(letter) == (odd.value or b"")


@given(
    st.builds(
        KafkaRecord,
        st.none() | st.binary(max_size=50),
        key=st.none() | st.binary(max_size=20),
        offset=st.integers(0, 2**63 - 1),
        timestamp=st.integers(-(2**63), 2**63 - 1),
        headers=st.lists(
            st.tuples(st.text(st.characters(), max_size=5), st.none() | st.binary(max_size=5)), max_size=60
        ),
    ),
    st.text(st.characters(), max_size=2000),
)
def test_a_letter_can_be_made_of_anything_and_is_the_same_each_time(bad: KafkaRecord, words: str) -> None:
    told = LetterProblem.BUG(error=words)
    error = PermanentError("bug", [Failure(attempt=words, where=words, explanation=told)] * 12)
    sent = letter_record(bad, "count", error)
    assert sent == letter_record(bad, "count", error)
    letter = decode(DeadLetter, sent.value)
    assert letter.reason == "bug"
    assert (letter.topic, letter.partition, letter.offset) == (bad.topic, bad.partition, bad.offset)
    assert len(sent.value) < SMALL_BYTES * 20


async def test_the_last_letter_is_plain_and_names_the_place_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> NoReturn:
        raise RuntimeError("小明")

    monkeypatch.setattr(dead_letters_module, "dead_letter", broken)
    producer = FakeProducer()
    await shell(producer, EachOf(counted)).run([KafkaRecord("小明".encode(), offset=7), record(2)])
    assert producer.sent[0].value.isascii()
    letter = decode(DeadLetter, producer.sent[0].value)
    assert (letter.letter_id, letter.reason, letter.cut) == ("orders.raw.taobao/0/7", "letter-failed", True)
    assert keys(producer)[1] == ("inventory.events", "2")


# -- whatever an agent does --------------------------------------------------------------------------------------------


class Panic(BaseException):
    """What a library written in Rust raises when it breaks."""


@pytest.mark.parametrize("kind", [RecursionError, MemoryError, Panic, UnicodeEncodeError])
async def test_a_bug_of_any_kind_costs_only_its_record_in_the_first_stage_and_in_a_chained_one(
    kind: type[BaseException],
) -> None:
    def raising(delivery: Delivery[WmsEvent]) -> Sequence[Any]:
        if delivery.value.reason == "break":
            raise kind("utf-8", "张三", 0, 1, "x") if kind is UnicodeEncodeError else kind("张三")
        return [delivery.value]

    for agents in ([EachOf(raising), EachOf(counted)], [EachOf(lambda each: [each.value]), EachOf(raising)]):
        producer = FakeProducer()
        await shell(producer, *agents).run([record(1), record(2, "break"), record(3)])
        [letter] = [decode(DeadLetter, each.value) for each in producer.sent if each.topic == "orders.quarantined"]
        assert (letter.reason, letter.offset, letter.failures[0].explanation) == (
            "bug",
            2,
            LetterProblem.BUG(error=kind.__name__),
        )
        assert "张三" not in str(letter.failures)


class Batches:
    """An agent that takes a batch as a whole and breaks at the first bad one: as reserve and fulfill would."""

    def __init__(self) -> None:
        self.calls = 0
        self.worked: Counter[str] = Counter()

    async def handle(self, batch: Sequence[Delivery[WmsEvent]]) -> Sequence[Outcome]:
        self.calls += 1
        for delivery in batch:
            if delivery.value.reason == "break":
                raise KeyError("张三")
            self.worked[delivery.value.message_id] += 1
        return [counted(delivery) for delivery in batch]


async def test_a_culprit_among_500_is_found_in_few_calls_and_the_order_is_kept() -> None:
    agent, producer = Batches(), FakeProducer()
    await shell(producer, agent).run([record(n, "break" if n == 321 else "") for n in range(500)])
    assert agent.calls <= 20
    assert [key for _, key in keys(producer)] == [str(n) if n != 321 else "orders.raw.taobao/0/321" for n in range(500)]
    assert set(agent.worked) == {str(n) for n in range(500) if n != 321}


async def test_500_culprits_cost_no_more_than_two_calls_each() -> None:
    agent, producer = Batches(), FakeProducer()
    await shell(producer, agent).run([record(n, "break") for n in range(500)])
    assert agent.calls < 1000
    assert len(producer.sent) == 500


async def test_trouble_while_a_culprit_is_looked_for_is_trouble() -> None:
    class Away(Batches):
        async def handle(self, batch: Sequence[Delivery[WmsEvent]]) -> Sequence[Outcome]:
            if self.calls == 1:
                self.calls += 1
                raise TransientError("redis away")
            return await super().handle(batch)

    agent, producer = Away(), FakeProducer()
    await shell(producer, agent).run([record(1), record(2, "break"), record(3)])
    assert [key for _, key in keys(producer)] == ["1", "orders.raw.taobao/0/2", "3"]


async def test_too_few_outcomes_are_a_bug_and_no_order_gets_that_of_another() -> None:
    class Forgetful:
        async def handle(self, batch: Sequence[Delivery[WmsEvent]]) -> Sequence[Outcome]:
            return [counted(delivery) for delivery in batch if delivery.value.reason != "forget"]

    producer = FakeProducer()
    await shell(producer, Forgetful()).run([record(1), record(2, "forget"), record(3)])
    assert [key for _, key in keys(producer)] == ["1", "orders.raw.taobao/0/2", "3"]


# -- whatever comes out ------------------------------------------------------------------------------------------------


def named(delivery: Delivery[WmsEvent]) -> Sequence[Any]:
    """An event that is as long as its reason says, or one that has no UTF-8."""
    [event] = counted(delivery)
    reason = delivery.value.reason
    text = "\ud800" if reason == "half" else "x" * int(reason or 0)
    return [event, replace(event, event_id=f"{event.event_id}b", order_uid=text)]


async def test_an_output_that_cannot_be_written_costs_only_its_record() -> None:
    def half(delivery: Delivery[WmsEvent]) -> Sequence[Any]:
        return named(delivery.carrying(replace(delivery.value, reason="half" if delivery.value.reason else "")))

    producer = FakeProducer()
    await shell(producer, EachOf(half)).run([record(1), record(2, "9"), record(3)])
    assert [key for _, key in keys(producer)] == ["1", "1b", "orders.raw.taobao/0/2", "3", "3b"]
    assert decode(DeadLetter, producer.sent[2].value).reason == "bug"


async def test_an_output_larger_than_its_topic_takes_is_set_aside_by_name() -> None:
    producer = FakeProducer()
    await shell(producer, EachOf(named)).run([record(1), record(2, str(1 << 20)), record(3)])
    assert [key for _, key in keys(producer)] == ["1", "1b", "orders.raw.taobao/0/2", "3", "3b"]
    letter = decode(DeadLetter, producer.sent[2].value)
    assert (letter.reason, letter.failures[0].where) == ("output-too-large", "inventory.events")


async def test_an_output_that_kafka_refuses_is_set_aside_by_name_once() -> None:
    producer = FakeProducer(most={"inventory.events": 1000})
    await shell(producer, EachOf(named)).run([record(1), record(2, "5000"), record(3)])
    letter = decode(DeadLetter, producer.sent[-1].value)
    assert (letter.reason, letter.offset) == ("refused-by-kafka", 2)
    assert len(producer.sent) == 6


async def test_a_letter_that_kafka_refuses_is_shortened_until_it_fits() -> None:
    for most, reason in ((100_000, "unreadable"), (1_000, "letter-failed")):
        producer = FakeProducer(most={"orders.quarantined": most})
        await shell(producer, EachOf(counted)).run([record(1), KafkaRecord(b"x" * 200_000, offset=7)])
        letter = decode(DeadLetter, producer.sent[-1].value)
        assert (letter.reason, letter.letter_id, letter.cut) == (reason, "orders.raw.taobao/0/7", True)
        assert producer.sent[0].topic == "inventory.events"


async def test_where_no_letter_is_taken_at_all_the_chunk_is_not_acknowledged() -> None:
    producer = FakeProducer(most={"orders.quarantined": 10})
    with pytest.raises(Left, match=str(EXIT_GIVEN_UP)):
        await shell(producer, EachOf(counted), seconds=-1).run([KafkaRecord(b"x", offset=7)])
