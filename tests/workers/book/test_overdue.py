"""What takes too long by the book: each shop by its own limit, and the book itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from pydantic import SecretStr

from ops.testbed.local_stack.broker import Broker
from schemas.codes import PlanReason
from schemas.dead_letter import DeadLetter
from schemas.fulfillment import WmsEventKind
from schemas.order import PaymentStatus
from schemas.plan import Backorder, Disposition, to_review
from schemas.record import changed
from schemas.topics import (
    INVENTORY_EVENTS,
    ORDERS_BACKORDERED,
    ORDERS_PLANNED,
    ORDERS_QUARANTINED,
    ORDERS_REVIEW,
    ORDERS_ROUTED,
    WMS_EVENTS,
)
from tests.builders import NOON, a_plan, a_planned_order, a_wms_event, an_order
from tests.kafka import wait_until
from tests.workers.book.records import Topics
from tests.workers.book.stories import an_instruction
from workers.book.agent import BookSession
from workers.book.overdue import QUERIES, Limit, OverdueOrders, Rows, opened_overdue
from workers.book.reading import ends_of_topics, opened_reader
from workers.runtime.errors import TransientError
from workers.runtime.kafka.cluster import Cluster

HOUR = 3600.0
NOW = NOON + timedelta(hours=12)


@pytest.fixture
def overdue(session: BookSession, book_url: str, broker: Broker) -> Iterator[OverdueOrders]:
    """Asks the book of `session`."""
    asking = opened_overdue(SecretStr(book_url), Cluster(broker.address))
    yield asking
    asking.close()


def asked(overdue: OverdueOrders, name: str, seconds: float = HOUR, **shops: float) -> Rows:
    limit: Limit = (seconds, {shop.replace("_", "-").replace("--", "/"): value for shop, value in shops.items()})
    return overdue.ask({name: limit}, NOW)[name]


def in_review(topics: Topics, number: str, shop: str, hours: float) -> None:
    planned = a_planned_order(an_order(number, shop_id=shop), a_plan(disposition=Disposition.REVIEW))
    topics.add(ORDERS_PLANNED, planned.order.uid, planned)
    held = to_review(planned, "sku-unknown", PlanReason.NO_RULE())
    topics.add(ORDERS_REVIEW, planned.order.uid, held, NOW - timedelta(hours=hours))


def test_reviews_are_late_by_the_limit_of_their_shop(session: BookSession, overdue: OverdueOrders) -> None:
    topics = Topics()
    for number, (shop, hours) in enumerate([("tea", 2), ("tea", 5), ("tea", 0.5), ("mug", 2), ("mug", 9)]):
        in_review(topics, str(number), shop, hours)
    session.write(topics.messages)
    assert asked(overdue, "review-waiting") == [
        ("taobao/mug", 2, NOW - timedelta(hours=9)),
        ("taobao/tea", 2, NOW - timedelta(hours=5)),
    ]
    assert asked(overdue, "review-waiting", taobao__mug=8 * HOUR)[0] == ("taobao/mug", 1, NOW - timedelta(hours=9))
    assert asked(overdue, "review-waiting", 6 * HOUR, taobao__tea=HOUR / 4)[1][1] == 3


def routed(topics: Topics, number: str, ship_hours: float, *, shipped: bool = False) -> None:
    order = an_order(number, shop_id="tea", ship_by=NOW + timedelta(hours=ship_hours))
    planned = a_planned_order(order, a_plan("hangzhou"))
    topics.add(ORDERS_PLANNED, order.uid, planned)
    told = changed(an_instruction(planned), ship_by=order.ship_by)
    topics.add(ORDERS_ROUTED, order.uid, told, NOW - timedelta(hours=1), member="hangzhou")
    if shipped:
        topics.add(WMS_EVENTS, order.uid, a_wms_event(told, WmsEventKind.SHIPPED, at=NOW))


def test_what_must_ship_soon_and_what_should_have(session: BookSession, overdue: OverdueOrders) -> None:
    topics = Topics()
    routed(topics, "1", 0.5)
    routed(topics, "2", -3)
    routed(topics, "3", -3, shipped=True)
    routed(topics, "4", 5)
    waiting = a_planned_order(an_order("5", shop_id="tea", ship_by=NOW - timedelta(hours=7)), a_plan())
    topics.add(ORDERS_PLANNED, waiting.order.uid, waiting)
    topics.add(ORDERS_BACKORDERED, waiting.order.uid, Backorder(planned=waiting, missing={"A": 1}))
    unpaid = an_order("6", shop_id="tea", ship_by=NOW - timedelta(hours=9), payment=PaymentStatus.UNPAID)
    topics.add(ORDERS_PLANNED, unpaid.uid, a_planned_order(unpaid, a_plan()))
    session.write(topics.messages)
    assert asked(overdue, "ship-by-near") == [("taobao/tea", 1, NOW + timedelta(hours=0.5))]
    assert asked(overdue, "ship-by-passed", 0.0) == [("taobao/tea", 2, NOW - timedelta(hours=7))]
    assert asked(overdue, "ship-by-near", taobao__tea=6 * HOUR)[0][1] == 2


def test_a_warehouse_that_does_not_answer(session: BookSession, overdue: OverdueOrders) -> None:
    topics = Topics()
    for number, (hours, answers) in enumerate([(2, False), (3, True), (0.2, False)]):
        planned = a_planned_order(an_order(str(number)), a_plan("hangzhou"))
        told = an_instruction(planned)
        topics.add(ORDERS_PLANNED, planned.order.uid, planned)
        topics.add(ORDERS_ROUTED, planned.order.uid, told, NOW - timedelta(hours=hours), member="hangzhou")
        if answers:
            topics.add(WMS_EVENTS, planned.order.uid, a_wms_event(told, WmsEventKind.ACCEPTED, at=NOW))
    session.write(topics.messages)
    assert asked(overdue, "warehouse-silent") == [("hangzhou", 1, NOW - timedelta(hours=2))]


def test_paid_orders_that_wait_for_stock(session: BookSession, overdue: OverdueOrders) -> None:
    topics = Topics()
    for number, (payment, hours) in enumerate([("paid", 30), ("paid", 2), ("unpaid", 40)]):
        order = an_order(str(number), shop_id="tea", payment=PaymentStatus(payment))
        planned = a_planned_order(order, a_plan())
        topics.add(ORDERS_PLANNED, order.uid, planned)
        short = Backorder(planned=planned, missing={"A": 1})
        topics.add(ORDERS_BACKORDERED, order.uid, short, NOW - timedelta(hours=hours))
    session.write(topics.messages)
    assert asked(overdue, "backorders-waiting", 24 * HOUR) == [("taobao/tea", 1, NOW - timedelta(hours=30))]


def test_messages_of_a_shop_that_cannot_be_read_are_counted_for_an_hour(
    session: BookSession, overdue: OverdueOrders
) -> None:
    topics = Topics()
    for number, (stage, minutes) in enumerate([("normalize", 5), ("intake", 50), ("normalize", 70), ("reserve", 1)]):
        letter = DeadLetter(
            letter_id=f"orders.raw.taobao/0/{number}",
            stage=stage,
            reason="missing-field",
            failures=(),
            topic="orders.raw.taobao",
            partition=0,
            offset=number,
            key=f"taobao:tea:{number}",
            headers={},
            payload_base64="",
        )
        topics.add(ORDERS_QUARANTINED, letter.key, letter, NOW - timedelta(minutes=minutes))
    session.write(topics.messages)
    assert asked(overdue, "shop-drift") == [("taobao/tea", 2, NOW - timedelta(minutes=50))]


def test_every_query_can_be_asked_of_an_empty_book(overdue: OverdueOrders) -> None:
    assert overdue.ask({name: (HOUR, {"taobao/tea": 1.0}) for name in QUERIES}, NOW) == {name: [] for name in QUERIES}


def test_a_book_that_nothing_is_written_to_is_behind_only_when_records_wait(
    session: BookSession, overdue: OverdueOrders, broker: Broker
) -> None:
    topics = Topics()
    in_review(topics, "1", "tea", 2)
    session.write(topics.messages)
    later = NOW + timedelta(days=400)
    _write(broker, INVENTORY_EVENTS.name, 1)
    assert overdue.behind(600.0, NOW - timedelta(days=400)) is None, "something was written lately"
    before = overdue.behind(600.0, later)
    assert before is not None
    _write(broker, INVENTORY_EVENTS.name, 1)
    wait_until(lambda: (overdue.behind(600.0, later) or before)[1] > before[1], what="one more waits")
    _read_all(session, broker)
    assert overdue.behind(600.0, later) is None


def _read_all(session: BookSession, broker: Broker) -> None:
    with opened_reader(Cluster(broker.address)) as reader:
        for (topic, number), end in ends_of_topics(reader).items():
            session.connection.execute(
                "INSERT INTO places VALUES (%s, %s, %s) ON CONFLICT (topic, partition) DO UPDATE SET next_offset = %s",
                (topic, number, end, end),
            )
    session.connection.commit()


def _write(broker: Broker, topic: str, records: int) -> None:
    made = AdminClient({"bootstrap.servers": broker.address}).create_topics([NewTopic(topic, 1, 1)])
    for each in made.values():
        each.exception()  # it may be there
    producer = Producer({"bootstrap.servers": broker.address})
    for number in range(records):
        producer.produce(topic, b"x", str(number).encode())
    assert producer.flush(10) == 0


def test_a_postgresql_that_is_away_is_trouble_that_passes(broker: Broker) -> None:
    asking = opened_overdue(SecretStr("postgresql://nobody@127.0.0.1:1/none"), Cluster(broker.address))
    try:
        with pytest.raises(TransientError):
            asking.ask({"review-waiting": (HOUR, {})}, NOW)
    finally:
        asking.close()
