"""`orderfleet explain` on a real broker and a real Redis: orders put where the fleet would have put them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ops.testbed.local_stack.broker import Broker
from schemas.dead_letter import DeadLetter, Failure
from schemas.fulfillment import WmsEvent, WmsEventKind
from schemas.order import Order
from schemas.plan import Disposition, OnShort, PlannedOrder
from schemas.topics import (
    ORDERS_BACKORDERED,
    ORDERS_DEFERRED,
    ORDERS_PLANNED,
    ORDERS_QUARANTINED,
    ORDERS_REVIEW,
    ORDERS_ROUTED,
    TOPICS,
    TRANSFERS_REQUESTED,
    WMS_EVENTS,
)
from tests.builders import (
    NOON,
    a_cancelled_order,
    a_line,
    a_plan,
    a_planned_order,
    a_presale_order,
    an_order,
    an_unpaid_order,
)
from tests.kafka import create_topics, put
from tests.ops.cli.conftest import AskLedger, Program, Run, nobody_listens
from tests.workers.rules.examples import example_catalogue, example_ruleset
from workers.admin.rule_trial import try_order
from workers.inventory.operations.expire import ExpireOutcome
from workers.inventory.operations.record_return import RecordReturn
from workers.inventory.operations.ship import Ship
from workers.inventory.operations.short import Lost, Short
from workers.inventory.records import Count
from workers.reserve.agent import ReserveAgent
from workers.runtime.kafka.producer import Producer
from workers.runtime.stage import Delivery
from workers.runtime.wire import Encoder

PARTITIONS = 3
WAREHOUSES = ("hangzhou", "shanghai-cold", "guangzhou", "beijing", "chengdu")
WRITTEN = (
    ORDERS_PLANNED,
    ORDERS_REVIEW,
    ORDERS_DEFERRED,
    ORDERS_QUARANTINED,
    ORDERS_BACKORDERED,
    ORDERS_ROUTED,
    TRANSFERS_REQUESTED,
    WMS_EVENTS,
)

_numbers = count(770001)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of our own, because these tests write to the real topic names."""
    with Broker(Path(tmp_path_factory.mktemp("explain"))) as broker:
        families = {"orders.raw": ("taobao", "jd"), "orders.routed": WAREHOUSES}
        names = [n for t in TOPICS for n in ([t.of(m) for m in families[t.name]] if t.per else [t.name])]
        create_topics(broker.address, names, PARTITIONS)
        yield broker.address


class Fleet:
    """Does to an order what the stages would, without running them."""

    def __init__(self, kafka: str, ask: AskLedger) -> None:
        self.kafka = kafka
        self._ask = ask
        self._encode = Encoder(WRITTEN)

    def write(self, *events: Any) -> None:
        """Put events where the fleet puts them."""

        async def send() -> None:
            producer = Producer(self.kafka)
            producer.start()
            await producer.send([self._encode(event) for event in events])
            await producer.close()

        asyncio.run(send())

    def receive(self, order: Order) -> None:
        """A raw message arrives."""
        put(self.kafka, f"orders.raw.{order.channel}", [(order.uid.encode(), b"{}")])

    def count_stock(self, **on_hand: int) -> None:
        """Units of coffee in each warehouse."""

        async def set_all(ledger):  # type: ignore[no-untyped-def]
            for warehouse_id, units in on_hand.items():
                await ledger.stock.set_counts(warehouse_id, {"COFFEE-1KG": Count(on_hand=units)})

        self._ask(set_all)

    def reserve(self, planned: PlannedOrder) -> None:
        """The planned order, reserved, and what came of it written."""
        key = planned.order.uid.encode()
        [events] = self._ask(lambda ledger: ReserveAgent(ledger, 1800).handle([Delivery(planned, key=key)]))
        self.write(planned, *events)

    def expire(self, warehouse_id: str, at: datetime) -> Sequence[ExpireOutcome]:
        """The sweeper comes by."""
        now = int(at.timestamp() * 1000)

        async def sweep(ledger):  # type: ignore[no-untyped-def]
            return await ledger.holds.expire(await ledger.holds.due(warehouse_id, now, 10), now)

        outcomes: Sequence[ExpireOutcome] = self._ask(sweep)
        return outcomes

    def ship(self, order: Order, units: int) -> None:
        """Hangzhou ships so many, and gives the rest back."""
        skus = [line.sku for line in order.lines]
        left = Ship("hangzhou", order.uid, "m1", 1, {"COFFEE-1KG": units}, skus)
        rest = Short("hangzhou", order.uid, "m2", 1, order.revision, Lost.UNITS, {}, skus)

        async def shipped(ledger):  # type: ignore[no-untyped-def]
            await ledger.orders.apply([left, rest])
            await ledger.warehouses.record_return([RecordReturn(order.uid, "hangzhou", order.revision)])

        self._ask(shipped)


@pytest.fixture
def fleet(kafka: str, ask_ledger: AskLedger, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """The servers, known to the commands."""
    monkeypatch.setenv("ORDERFLEET_KAFKA", kafka)
    return Fleet(kafka, ask_ledger)


@pytest.fixture
def number() -> str:
    """A platform order id that no other test has."""
    return str(next(_numbers))


COFFEE = (a_line("COFFEE-1KG", 2),)


# -- an order on its way -------------------------------------------------------------------------------------------


def test_a_paid_order_is_in_its_warehouse_with_the_rules_that_sent_it_there(
    fleet: Fleet, run: Run, number: str
) -> None:
    fleet.count_stock(hangzhou=10)
    order = an_order(number, lines=(a_line("NUT-BOX-500"),))
    planned = try_order(example_ruleset(), example_catalogue(), order)
    planned = replace(planned, order=replace(planned.order, lines=COFFEE))
    fleet.receive(order)
    fleet.reserve(planned)

    result = run("explain", order.uid)

    assert result.exit_code == 0, result.stderr
    first, second = result.stdout.splitlines()[:2]
    assert first == order.uid
    assert second.strip() == "its stock is reserved in hangzhou, and the warehouse was told to ship it"
    assert "hangzhou: committed COFFEE-1KG x2" in result.stdout
    assert "east-to-hangzhou" in result.stdout
    assert "hangzhou: fulfil, 2 units (0 gift lines)" in result.stdout
    assert "1 times, last" in result.stdout
    assert "orders.raw.taobao/" in result.stdout


def test_nothing_personal_is_told(fleet: Fleet, run: Run, number: str) -> None:
    fleet.count_stock(hangzhou=10)
    order = an_order(number, lines=COFFEE, buyer_remark="ring twice", seller_memo="old friend")
    fleet.reserve(a_planned_order(order))

    told = run("explain", order.uid).stdout + run("explain", order.uid, "--json").stdout

    for personal in (order.ship_to.street, order.ship_to.name, order.ship_to.phone, "ring twice", "old friend"):
        assert personal not in told


def test_the_whole_answer_is_one_json_document(fleet: Fleet, run: Run, number: str) -> None:
    fleet.count_stock(hangzhou=10)
    order = an_order(number, lines=COFFEE)
    fleet.reserve(a_planned_order(order))
    fleet.write(
        WmsEvent(
            message_id="w1",
            kind=WmsEventKind.PICKED,
            order_uid=order.uid,
            warehouse_id="hangzhou",
            instruction_id="i",
            at=NOON,
        )
    )

    result = run("explain", order.uid, "--json")

    document = json.loads(result.stdout)
    assert document["order_uid"] == order.uid
    assert document["verdict"].endswith("told to ship it; hangzhou picked it")
    assert document["ledger"]["state"] == "committed"
    assert document["ledger"]["holdings"] == {"hangzhou": {"COFFEE-1KG": 2}}
    assert document["decision"]["plan"]["ruleset"] == "test@1"
    assert document["decision"]["revision"] == order.revision
    [instruction] = document["instructions"]
    assert (instruction["kind"], instruction["warehouse_id"]) == ("fulfil", "hangzhou")
    assert [event["kind"] for event in document["wms_events"]] == ["picked"]
    assert document["away"] == []


def test_the_newest_decision_is_the_one_that_is_told(fleet: Fleet, run: Run, number: str) -> None:
    fleet.count_stock(hangzhou=10)
    unpaid = an_unpaid_order(number, lines=COFFEE)
    paid = an_order(number, lines=COFFEE, paid_at=NOON + timedelta(minutes=5))
    fleet.reserve(a_planned_order(unpaid))
    fleet.reserve(a_planned_order(paid))

    document = json.loads(run("explain", paid.uid, "--json").stdout)

    assert document["decisions"] == 2
    assert document["decision"]["revision"] == paid.revision
    assert document["decision"]["payment"] == "paid"


def test_an_unpaid_order_is_held_until_its_deadline(fleet: Fleet, run: Run, number: str) -> None:
    fleet.count_stock(hangzhou=10)
    order = an_unpaid_order(number, lines=COFFEE, pay_deadline=datetime(2100, 1, 1, tzinfo=UTC))
    fleet.reserve(a_planned_order(order))

    result = run("explain", order.uid)

    assert "its stock is held in hangzhou until " in result.stdout
    assert "and it waits for payment" in result.stdout


def test_a_hold_that_ended_is_told(fleet: Fleet, run: Run, number: str) -> None:
    fleet.count_stock(hangzhou=10)
    order = an_unpaid_order(number, lines=COFFEE)
    fleet.reserve(a_planned_order(order))
    assert fleet.expire("hangzhou", datetime(2100, 1, 1, tzinfo=UTC)) == [ExpireOutcome.EXPIRED]

    assert "the payment did not come in time" in run("explain", order.uid).stdout


def test_a_cancelled_order_has_given_its_stock_back(fleet: Fleet, run: Run, number: str) -> None:
    fleet.count_stock(hangzhou=10)
    fleet.reserve(a_planned_order(an_unpaid_order(number, lines=COFFEE)))
    cancelled = a_cancelled_order(number, lines=COFFEE, modified_at=NOON + timedelta(hours=1))
    fleet.reserve(a_planned_order(cancelled, a_plan(disposition=Disposition.RELEASE)))

    assert "its stock was given back" in run("explain", cancelled.uid).stdout


def test_a_cancelled_order_that_a_warehouse_has_keeps_its_stock_until_it_answers(
    fleet: Fleet, run: Run, number: str
) -> None:
    fleet.count_stock(hangzhou=10)
    fleet.reserve(a_planned_order(an_order(number, lines=COFFEE)))
    cancelled = a_cancelled_order(number, lines=COFFEE, modified_at=NOON + timedelta(hours=1))
    fleet.reserve(a_planned_order(cancelled, a_plan(disposition=Disposition.RELEASE)))

    said = run("explain", cancelled.uid).stdout
    assert "stays reserved in hangzhou until the warehouse answers" in " ".join(said.split())
    assert "its stock was given back" not in said


@pytest.mark.parametrize(("units", "told"), [(1, "a part of it has left"), (2, "all of it has left")])
def test_an_order_that_is_changed_when_goods_have_left_says_so(
    fleet: Fleet, run: Run, number: str, units: int, told: str
) -> None:
    fleet.count_stock(hangzhou=10)
    order = an_order(number, lines=COFFEE)
    fleet.reserve(a_planned_order(order))
    fleet.ship(order, units)
    memo = an_order(number, lines=COFFEE, seller_memo="gift", modified_at=NOON + timedelta(hours=1))
    fleet.reserve(a_planned_order(memo))

    assert told in run("explain", order.uid).stdout


def test_a_backorder_says_what_is_missing(fleet: Fleet, run: Run, number: str) -> None:
    fleet.count_stock(hangzhou=1)
    order = an_order(number, lines=COFFEE)
    fleet.reserve(a_planned_order(order))

    result = run("explain", order.uid)

    assert "no warehouse has enough: it waits for stock" in result.stdout
    assert "missing COFFEE-1KG x1" in result.stdout


def test_a_transfer_that_was_asked_for_is_told(fleet: Fleet, run: Run, number: str) -> None:
    fleet.count_stock(hangzhou=1)
    order = an_order(number, lines=COFFEE)
    fleet.reserve(a_planned_order(order, a_plan("hangzhou", on_short=OnShort.TRANSFER)))

    result = run("explain", order.uid)

    assert "it waits for a transfer between warehouses" in result.stdout
    assert "-> hangzhou: COFFEE-1KG x" in result.stdout


# -- an order that is stuck ----------------------------------------------------------------------------------------


def test_an_order_in_review_waits_for_a_person(fleet: Fleet, run: Run, number: str) -> None:
    order = an_order(number, lines=(a_line("NO-SUCH-SKU"),))
    fleet.reserve(try_order(example_ruleset(), example_catalogue(), order))

    result = run("explain", order.uid)

    assert "it waits in orders.review: a person must decide" in result.stdout
    assert "sku-unknown" in result.stdout


def test_a_presale_that_is_not_due_says_until_when_it_waits(fleet: Fleet, run: Run, number: str) -> None:
    due = NOON + timedelta(days=9)
    order = a_presale_order(number, final_paid=True, ship_not_before=due)
    fleet.reserve(try_order(example_ruleset(), example_catalogue(), order))

    result = run("explain", order.uid)

    when = due.astimezone().isoformat(" ", "seconds")
    assert f"it waits in orders.deferred until {when}, and is decided anew then by itself" in result.stdout


def test_a_planned_order_that_nobody_reserved_points_at_the_worker(fleet: Fleet, run: Run, number: str) -> None:
    order = an_order(number, lines=COFFEE)
    fleet.write(a_planned_order(order))

    assert "a worker with the stage reserve must run" in run("explain", order.uid).stdout


def test_a_newer_decision_that_did_not_reach_the_stock_is_told(fleet: Fleet, run: Run, number: str) -> None:
    fleet.count_stock(hangzhou=10)
    order = an_order(number, lines=COFFEE)
    fleet.reserve(a_planned_order(order))
    fleet.write(a_planned_order(an_order(number, lines=COFFEE, modified_at=NOON + timedelta(hours=1))))

    assert "a newer revision is planned and did not reach the stock yet" in run("explain", order.uid).stdout


def test_an_order_that_only_came_in_points_at_normalize(fleet: Fleet, run: Run, number: str) -> None:
    order = an_order(number)
    fleet.receive(order)

    result = run("explain", order.uid)

    assert result.exit_code == 0
    assert "a worker with the stage normalize must run" in result.stdout


def _letter(uid: str) -> DeadLetter:
    return DeadLetter(
        letter_id="orders.raw.taobao/0/5",
        stage="normalize",
        reason="unknown-status",
        failures=(Failure(attempt="fullinfo", where="status", problem="is not known", problem_zh="未知"),),
        topic="orders.raw.taobao",
        partition=0,
        offset=5,
        key=uid,
        headers={},
        payload_base64=base64.b64encode(b"{}").decode(),
    )


def test_a_dead_letter_tells_which_field_was_wrong(fleet: Fleet, run: Run, number: str) -> None:
    uid = f"taobao:tea-house:{number}"
    fleet.write(_letter(uid))

    result = run("explain", uid)

    assert result.exit_code == 0
    assert "set aside whole in orders.quarantined" in result.stdout
    assert "fullinfo: status: is not known" in result.stdout


def test_a_dead_letter_after_a_decision_is_pointed_out(fleet: Fleet, run: Run, number: str) -> None:
    fleet.count_stock(hangzhou=10)
    order = an_order(number, lines=COFFEE)
    fleet.reserve(a_planned_order(order))
    fleet.write(_letter(order.uid))

    assert "a later message about it could not be processed" in run("explain", order.uid).stdout


def test_a_record_that_cannot_be_read_is_named_and_the_rest_is_told(fleet: Fleet, run: Run, number: str) -> None:
    order = an_order(number, lines=COFFEE)
    fleet.write(a_planned_order(order))
    put(fleet.kafka, "orders.planned", [(order.uid.encode(), b"not json")])

    result = run("explain", order.uid)

    assert result.exit_code == 0
    assert "Could not be read" in result.stdout
    assert "the stage reserve must run" in result.stdout


# -- finding it ----------------------------------------------------------------------------------------------------


def test_a_platform_order_id_is_enough_when_it_is_unambiguous(fleet: Fleet, run: Run, number: str) -> None:
    order = an_order(number, lines=COFFEE)
    fleet.write(a_planned_order(order))

    result = run("explain", number)

    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == order.uid
    assert f"this is {order.uid}" in result.stderr


def test_a_part_of_an_id_finds_nothing(fleet: Fleet, run: Run, number: str) -> None:
    fleet.write(a_planned_order(an_order(number)))

    result = run("explain", number[1:])

    assert result.exit_code == 1
    assert f"no order with the platform id {number[1:]}" in result.stderr


def test_an_id_of_two_shops_must_be_told_apart(fleet: Fleet, run: Run, number: str) -> None:
    fleet.write(a_planned_order(an_order(number)), a_planned_order(an_order(number, shop_id="other")))

    result = run("explain", number)

    assert result.exit_code == 2
    assert f"taobao:other:{number}, taobao:tea-house:{number}" in result.stderr


def test_an_order_that_nobody_knows_is_told_with_where_we_looked(fleet: Fleet, run: Run) -> None:
    result = run("explain", "taobao:tea-house:404")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "nobody has heard of taobao:tea-house:404" in result.stderr
    for place in ("Redis", "orders.raw.taobao", "orders.planned", "orders.quarantined", "orders.routed.hangzhou"):
        assert place in result.stderr


def test_since_leaves_older_decisions_out(fleet: Fleet, run: Run, number: str) -> None:
    order = an_order(number)
    fleet.write(a_planned_order(order))

    assert run("explain", order.uid, "--since", "2100-01-01T00:00:00Z").exit_code == 1
    assert run("explain", order.uid, "--since", "1h").exit_code == 0


def test_a_mistyped_channel_is_corrected(fleet: Fleet, run: Run) -> None:
    result = run("explain", "toabao:main:1")

    assert result.exit_code == 2
    assert "did you mean taobao?" in result.stderr


# -- servers that are away -----------------------------------------------------------------------------------------


def test_without_redis_what_kafka_knows_is_told_and_the_exit_code_is_three(
    fleet: Fleet, run: Run, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = an_order(number, lines=COFFEE)
    fleet.write(a_planned_order(order))
    monkeypatch.setenv("ORDERFLEET_REDIS_URL", f"redis://{nobody_listens()}")

    result = run("explain", order.uid)

    assert result.exit_code == 3
    assert "whether it has any is not known while Redis does not answer" in result.stdout
    assert "Redis at 127.0.0.1:" in result.stderr


def test_without_kafka_what_redis_knows_is_told_and_the_exit_code_is_three(
    fleet: Fleet, run: Run, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.count_stock(hangzhou=10)
    order = an_order(number, lines=COFFEE)
    fleet.reserve(a_planned_order(order))
    monkeypatch.setattr("workers.admin.scan.ANSWER_SECONDS", 0.5)
    monkeypatch.setenv("ORDERFLEET_KAFKA", nobody_listens())

    by_uid, by_number = run("explain", order.uid), run("explain", number)

    assert (by_uid.exit_code, by_number.exit_code) == (3, 3)
    assert "its stock is reserved in hangzhou" in by_uid.stdout
    assert "Kafka at 127.0.0.1:" in by_uid.stderr
    assert "ORDERFLEET_KAFKA" in by_number.stderr


def test_the_program_without_any_server_ends_with_two_clear_lines(program: Program) -> None:
    done = program(
        "explain",
        "taobao:main:1",
        ORDERFLEET_KAFKA=nobody_listens(),
        ORDERFLEET_REDIS_URL=f"redis://{nobody_listens()}",
    )

    assert done.returncode == 3
    assert done.stdout == b""
    assert len(done.stderr.decode().splitlines()) == 2
