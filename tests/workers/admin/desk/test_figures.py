"""The figures at the desk, of a book that the book's own stage wrote."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from pydantic import SecretStr

from schemas.fulfillment import WmsEventKind
from schemas.plan import PlannedOrder
from schemas.topics import ORDERS_PLANNED, ORDERS_ROUTED, WMS_EVENTS
from tests.builders import a_planned_order, a_wms_event, an_order
from tests.workers.book.records import Topics
from tests.workers.book.stories import an_instruction
from workers.admin.desk.access import Actor, ActorKind, Role
from workers.admin.desk.desk import Desk
from workers.admin.desk.entered import SupportDay, WrongShipment
from workers.admin.desk.figures import Figures
from workers.admin.errors import InvalidRequest, NotAllowed, NotFound
from workers.book.agent import BookKeeper
from workers.runtime.stage import NotOurTurn

DAY = (datetime.now(UTC) - timedelta(days=3)).date()
NOON = datetime(DAY.year, DAY.month, DAY.day, 4, tzinfo=UTC)  # noon in Shanghai
SHOP, OTHER = "taobao:tea-house", "jd:main"


def order(number: int, at: datetime = NOON, shop: str = SHOP) -> PlannedOrder:
    channel, shop_id = shop.split(":")
    return a_planned_order(an_order(str(number), channel=channel, shop_id=shop_id, placed_at=at, modified_at=at))


def ship(topics: Topics, planned: PlannedOrder, routed: timedelta, shipped: timedelta) -> None:
    uid, at = planned.order.uid, planned.order.placed_at
    told = an_instruction(planned)
    topics.add(ORDERS_PLANNED, uid, planned, at)
    topics.add(ORDERS_ROUTED, uid, told, at + routed, member="hangzhou")
    topics.add(WMS_EVENTS, uid, a_wms_event(told, WmsEventKind.SHIPPED, at=at + shipped), at + shipped)


@pytest.fixture
def booked(book_url: str) -> None:
    topics = Topics()
    for number in range(20):
        ship(topics, order(number), timedelta(seconds=60 + number), timedelta(hours=10))
    ship(topics, order(30, NOON + timedelta(days=1)), timedelta(hours=1), timedelta(hours=2))
    ship(topics, order(40, shop=OTHER), timedelta(seconds=10), timedelta(hours=1))
    waiting = order(50)
    topics.add(ORDERS_PLANNED, waiting.order.uid, waiting, NOON)
    deadline = time.monotonic() + 10
    while True:
        try:
            with BookKeeper(SecretStr(book_url), 1).session() as session:
                session.write(topics.messages)
            return
        except NotOurTurn:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def shown(desk: Desk, actor: Actor, **asked: object) -> Figures:
    given = {"begins": DAY, "ends": DAY + timedelta(days=1), **asked}
    return desk.figures.show(actor, **given)  # type: ignore[arg-type]


@pytest.mark.usefixtures("booked")
def test_how_long_orders_took_by_day_shop_and_warehouse(desk: Desk, admin: Actor) -> None:
    first, second = shown(desk, admin).rows
    assert (first.day, first.placed, first.routed, first.shipped) == (DAY, 22, 21, 21)
    assert first.routed_median == pytest.approx(69, rel=0.05)
    assert first.routed_p95 == pytest.approx(78, rel=0.05)
    assert first.shipped_median == pytest.approx(36000, rel=0.05)
    assert first.handled_median == pytest.approx(36000 - 70, rel=0.05)
    assert second.placed == 1
    assert second.routed_median == pytest.approx(3600, rel=0.05)
    by_shop = {row.shop: row.placed for row in shown(desk, admin, by=("shop",)).rows}
    assert by_shop == {OTHER: 1, SHOP: 22}
    [house] = shown(desk, admin, by=("warehouse",)).rows
    assert (house.warehouse, house.routed, house.shipped) == ("hangzhou", 22, 22)
    assert shown(desk, admin, by=()).total.placed == 23
    assert [one.ruleset for one in shown(desk, admin).rule_changes] == [order(1).plan.ruleset]


@pytest.mark.usefixtures("booked")
def test_counted_again_a_day_says_the_same(desk: Desk, admin: Actor, book_url: str) -> None:
    before = shown(desk, admin, by=("day", "shop")).rows
    with psycopg.connect(book_url) as connection:
        connection.execute("UPDATE book.figure_days SET made_at = made_at - interval '3 days'")
    assert desk.figures.refresh() >= 2
    assert shown(desk, admin, by=("day", "shop")).rows == before


@pytest.mark.usefixtures("booked")
def test_a_seller_sees_the_figures_of_their_shops_only(desk: Desk) -> None:
    li = Actor(ActorKind.USER, "li", Role.OPERATOR, "", frozenset({OTHER}))
    assert shown(desk, li).total.placed == 1
    with pytest.raises(NotAllowed):
        shown(desk, li, shop=SHOP)
    with pytest.raises(NotAllowed):
        desk.figures.entered.add_wrong(li, [WrongShipment(order_uid=f"{SHOP}:1", kind="damaged", day=DAY)])
    with pytest.raises(NotAllowed):
        desk.figures.entered.set_target(li, "routed-median", 60)


@pytest.mark.usefixtures("booked")
def test_wrong_shipments_count_once_and_can_be_withdrawn(desk: Desk, admin: Actor) -> None:
    reports = [WrongShipment(order_uid=f"{SHOP}:{n}", kind="wrong-item", day=DAY) for n in (1, 2)]
    assert desk.figures.entered.add_wrong(admin, reports) == 2
    assert desk.figures.entered.add_wrong(admin, reports) == 0
    total = shown(desk, admin).total
    assert total.wrong == 2
    assert total.wrong_share == pytest.approx(2 / 22)
    [house] = shown(desk, admin, by=("warehouse",)).rows
    assert house.wrong == 2, "the book knows where they came from"
    desk.figures.entered.withdraw_wrong(admin, f"{SHOP}:1", "wrong-item")
    with pytest.raises(NotFound):
        desk.figures.entered.withdraw_wrong(admin, f"{SHOP}:1", "wrong-item")
    assert shown(desk, admin).total.wrong == 1
    assert desk.figures.entered.add_wrong(admin, reports) == 1


@pytest.mark.usefixtures("booked")
def test_questions_to_customer_service_and_targets(desk: Desk, admin: Actor) -> None:
    said = SupportDay(day=DAY, shop=SHOP, questions=200, about_orders=50)
    desk.figures.entered.set_support(admin, [said])
    desk.figures.entered.set_support(admin, [said, SupportDay(day=DAY, shop=OTHER, questions=50, about_orders=0)])
    total = shown(desk, admin).total
    assert total.questions == 250
    assert total.question_share == pytest.approx(0.2)
    assert {row.shop: row.questions for row in shown(desk, admin, by=("shop",)).rows} == {SHOP: 200, OTHER: 50}
    desk.figures.entered.set_target(admin, "routed-median", 60)
    desk.figures.entered.set_target(admin, "routed-median", 90)
    assert shown(desk, admin).targets == {"routed-median": 90.0}
    desk.figures.entered.set_target(admin, "routed-median", None)
    assert shown(desk, admin).targets == {}


def test_what_makes_no_sense_is_refused_whole(desk: Desk, admin: Actor) -> None:
    entered = desk.figures.entered
    good = WrongShipment(order_uid=f"{SHOP}:1", kind="damaged", day=DAY)
    deeds: dict[str, Callable[[], object]] = {
        "bad-kind": lambda: entered.add_wrong(admin, [good, WrongShipment(order_uid=f"{SHOP}:2", kind="x", day=DAY)]),
        "no-order-uid": lambda: entered.add_wrong(admin, [good, WrongShipment(order_uid="x", kind="other", day=DAY)]),
        "bad-count": lambda: entered.set_support(admin, [SupportDay(day=DAY, shop=SHOP, questions=1, about_orders=2)]),
        "too-many-rows": lambda: entered.set_support(admin, []),
        "bad-measure": lambda: entered.set_target(admin, "speed", 1),
        "bad-target": lambda: entered.set_target(admin, "wrong-share", 2),
        "bad-days": lambda: shown(desk, admin, begins=DAY, ends=date(2020, 1, 1)),
        "bad-dimension": lambda: shown(desk, admin, by=("day", "buyer")),
    }
    for code, deed in deeds.items():
        with pytest.raises(InvalidRequest) as refused:
            deed()
        assert refused.value.code == code
