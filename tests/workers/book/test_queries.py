"""What people ask of the book."""

from __future__ import annotations

from datetime import timedelta

from schemas.codes import PlanReason
from schemas.plan import Backorder, Disposition, to_review
from schemas.topics import ORDERS_BACKORDERED, ORDERS_PLANNED, ORDERS_REVIEW, ORDERS_ROUTED
from tests.builders import NOON, a_line, a_plan, a_planned_order, an_order
from tests.workers.book.looking import Look
from tests.workers.book.records import Topics
from tests.workers.book.stories import Story, an_instruction
from workers.book import queries, queries_work
from workers.book.agent import BookSession
from workers.book.queries import OrderFilter
from workers.book.queries_work import ReviewFilter
from workers.book.retention import give_up


def some_orders(session: BookSession) -> Topics:
    """Twelve: 0-3 routed to hangzhou, 4-7 in review, 8-11 backordered; even ones of tea-house, odd of coffee-bar."""
    topics = Topics()
    for number in range(12):
        order = an_order(
            str(number),
            shop_id=("tea-house", "coffee-bar")[number % 2],
            placed_at=NOON + timedelta(minutes=number),
            lines=(a_line("TEA" if number < 6 else "MUG"),),
        )
        disposition = Disposition.REVIEW if 4 <= number < 8 else Disposition.RESERVE
        planned = a_planned_order(order, a_plan(disposition=disposition), tags=("promo",) if number == 3 else ())
        topics.add(ORDERS_PLANNED, order.uid, planned)
        if number < 4:
            topics.add(ORDERS_ROUTED, order.uid, an_instruction(planned), member="hangzhou")
        elif number < 8:
            held = to_review(planned, ("sku-unknown", "gift-missing")[number % 2], PlanReason.NO_RULE())
            topics.add(ORDERS_REVIEW, order.uid, held, NOON + timedelta(hours=number))
        else:
            topics.add(ORDERS_BACKORDERED, order.uid, Backorder(planned=planned, missing={"MUG": 1}))
    session.write(topics.messages)
    return topics


def numbers(page: queries.OrderPage) -> list[str]:
    return [row.platform_order_id for row in page.rows]


def test_orders_are_found_by_all_that_is_given(session: BookSession) -> None:
    some_orders(session)
    ask = session.connection
    found = {
        "all": queries.find_orders(ask, OrderFilter()),
        "uid": queries.find_orders(ask, OrderFilter(uid="taobao:tea-house:2")),
        "platform id": queries.find_orders(ask, OrderFilter(platform_order_id="3")),
        "shop and sku": queries.find_orders(ask, OrderFilter(shop_ids=("tea-house",), sku="MUG")),
        "stages": queries.find_orders(ask, OrderFilter(stages=("routed",))),
        "warehouse": queries.find_orders(ask, OrderFilter(warehouse_id="hangzhou"), shops=["coffee-bar"]),
        "tag": queries.find_orders(ask, OrderFilter(tag="promo")),
        "time": queries.find_orders(
            ask, OrderFilter(placed_from=NOON + timedelta(minutes=2), placed_before=NOON + timedelta(minutes=4))
        ),
        "no shop": queries.find_orders(ask, OrderFilter(), shops=[]),
    }
    assert {name: numbers(page) for name, page in found.items()} == {
        "all": [str(number) for number in reversed(range(12))],
        "uid": ["2"],
        "platform id": ["3"],
        "shop and sku": ["10", "8", "6"],
        "stages": ["3", "2", "1", "0"],
        "warehouse": ["3", "1"],
        "tag": ["3"],
        "time": ["3", "2"],
        "no shop": [],
    }
    assert found["uid"].rows[0].warehouses == ("hangzhou",)


def test_pages_follow_one_another_without_a_gap_or_a_repeat(session: BookSession) -> None:
    some_orders(session)
    seen: list[str] = []
    after = None
    while True:
        page = queries.find_orders(session.connection, OrderFilter(), after=after, most=5)
        seen += numbers(page)
        if page.after is None:
            break
        after = page.after
    assert seen == [str(number) for number in reversed(range(12))]


def test_one_order_with_all_that_happened(session: BookSession) -> None:
    some_orders(session)
    view = queries.show_order(session.connection, "taobao:tea-house:0")
    assert view is not None
    assert (view.order.stage, [one.state for one in view.shipments]) == ("routed", ["sent"])
    assert [one.kind for one in view.timeline] == ["planned", "told-fulfil"]
    assert [line["sku"] for line in view.lines] == ["TEA"]
    assert view.plan["candidates"] == ["hangzhou"]
    assert queries.show_order(session.connection, "taobao:tea-house:99") is None
    assert queries.show_order(session.connection, "taobao:tea-house:0", shops=["coffee-bar"]) is None


def test_reviews_by_reason_and_shop(session: BookSession) -> None:
    some_orders(session)
    ask = session.connection
    first = queries_work.list_reviews(ask, ReviewFilter(), most=3)
    rest = queries_work.list_reviews(ask, ReviewFilter(), after=first.after, most=3)
    assert [row.order.platform_order_id for row in (*first.rows, *rest.rows)] == ["4", "5", "6", "7"]
    assert rest.after is None
    [one] = queries_work.list_reviews(ask, ReviewFilter(codes=("gift-missing",), before=NOON + timedelta(hours=6))).rows
    assert (one.order.platform_order_id, one.suggested, one.order.review_codes) == (
        "5",
        ("hangzhou",),
        ("gift-missing",),
    )
    assert one.why == {"code": PlanReason.NO_RULE.value, "args": {}}
    assert queries_work.count_reviews(ask) == {"gift-missing": 2, "sku-unknown": 2}
    assert queries_work.count_reviews(ask, shops=["tea-house"]) == {"sku-unknown": 2}


def test_totals_and_what_waits_for_stock(session: BookSession) -> None:
    some_orders(session)
    ask = session.connection
    assert {(one.shop_id, one.stage): one.orders for one in queries_work.totals(ask)} == {
        (shop, stage): 2 for shop in ("coffee-bar", "tea-house") for stage in ("backordered", "review", "routed")
    }
    waiting = queries_work.list_waiting(ask, shops=["coffee-bar"])
    assert [(row.order.platform_order_id, row.missing) for row in waiting.rows] == [
        ("9", {"MUG": 1}),
        ("11", {"MUG": 1}),
    ]
    assert queries_work.count_to_ship(ask) == {"hangzhou": 4}


def test_letters_newest_first(session: BookSession) -> None:
    session.write(Story(3, orders=60).messages)
    ask = session.connection
    page = queries_work.list_letters(ask, most=2)
    assert len(page.rows) == 2
    assert page.after is not None
    later = queries_work.list_letters(ask, after=page.after)
    counted = queries_work.count_letters(ask)
    assert 2 + len(later.rows) == sum(counted.values())
    assert page.rows[0].quarantined_at >= page.rows[1].quarantined_at >= later.rows[0].quarantined_at
    uid = page.rows[0].order_uid
    assert uid is not None
    assert {row.order_uid for row in queries_work.list_letters(ask, order_uid=uid).rows} == {uid}


def test_what_is_old_is_given_up_unless_it_waits(session: BookSession, look: Look) -> None:
    some_orders(session)
    ask = session.connection
    with ask.transaction():
        assert give_up(ask, NOON + timedelta(minutes=9), most=3) == 3
    with ask.transaction():
        assert give_up(ask, NOON + timedelta(minutes=9), most=3) == 1
    left = {row["platform_order_id"] for row in look.rows("orders")}
    assert left == {str(number) for number in range(4, 12)}
    assert {row["order_uid"] for row in look.rows("timeline")} == {row["uid"] for row in look.rows("orders")}
    assert look.rows("shipments") == []
