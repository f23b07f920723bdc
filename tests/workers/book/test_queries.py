"""What people ask of the book."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from schemas.codes import PlanReason
from schemas.plan import Backorder, Disposition, to_review
from schemas.topics import ORDERS_BACKORDERED, ORDERS_PLANNED, ORDERS_REVIEW, ORDERS_ROUTED
from tests.builders import NOON, a_line, a_plan, a_planned_order, an_order
from tests.workers.book.looking import Look
from tests.workers.book.records import Topics
from tests.workers.book.stories import Story, an_instruction
from workers.book import queries, queries_figures, queries_work
from workers.book.agent import BookSession
from workers.book.queries import OrderFilter
from workers.book.queries_figures import OrderCount, ReviewCounts
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
        "warehouse": queries.find_orders(ask, OrderFilter(warehouse_id="hangzhou"), shops=["taobao:coffee-bar"]),
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
    pages = [queries.find_orders(session.connection, OrderFilter(), most=5)]
    while pages[-1].after is not None:
        pages.append(queries.find_orders(session.connection, OrderFilter(), after=pages[-1].after, most=5))
    assert [number for page in pages for number in numbers(page)] == [str(number) for number in reversed(range(12))]
    assert len(pages) == 3
    assert pages[0].before is None
    back = queries.find_orders(session.connection, OrderFilter(), before=pages[2].before, most=5)
    assert (numbers(back), back.after) == (numbers(pages[1]), pages[1].after)
    first = queries.find_orders(session.connection, OrderFilter(), before=back.before, most=5)
    assert (numbers(first), first.before) == (numbers(pages[0]), None)


def test_shops_of_one_name_on_two_channels_are_two(session: BookSession) -> None:
    topics = Topics()
    for channel in ("taobao", "jd"):
        for shop in ("main", "other"):
            order = an_order(f"{channel}-{shop}", channel=channel, shop_id=shop)
            topics.add(ORDERS_PLANNED, order.uid, a_planned_order(order, a_plan()))
    session.write(topics.messages)
    ask = session.connection
    assert numbers(queries.find_orders(ask, OrderFilter(shops=("jd:main",)))) == ["jd-main"]
    assert len(queries.find_orders(ask, OrderFilter(shop_ids=("main",))).rows) == 2
    two = ["jd:main", "taobao:other"]
    assert set(numbers(queries.find_orders(ask, OrderFilter(), shops=two))) == {"jd-main", "taobao-other"}
    assert numbers(queries.find_orders(ask, OrderFilter(shops=("jd:main", "jd:other")), shops=two)) == ["jd-main"]
    assert queries.find_orders(ask, OrderFilter(shops=("jd:other",)), shops=two).rows == ()
    page = queries.find_orders(ask, OrderFilter(), shops=two, most=1)
    rest = queries.find_orders(ask, OrderFilter(), shops=two, after=page.after)
    assert set(numbers(page)) | set(numbers(rest)) == {"jd-main", "taobao-other"}
    assert queries.show_order(ask, "jd:main:jd-main", shops=["taobao:main"]) is None
    assert queries_figures.count_orders(ask, OrderFilter(), shops=two).orders == 2


def test_counting_ends_at_what_anybody_wants_to_know(session: BookSession, book_url: str) -> None:
    some_orders(session)
    ask = session.connection
    assert queries_figures.count_orders(ask, OrderFilter()) == OrderCount(orders=12, is_all=True)
    assert queries_figures.count_orders(ask, OrderFilter(), most=11) == OrderCount(orders=11, is_all=False)
    assert queries_figures.count_orders(ask, OrderFilter(sku="TEA"), most=6) == OrderCount(orders=6, is_all=True)
    with psycopg.connect(book_url) as other:
        other.execute("LOCK TABLE book.orders")
        assert queries_figures.count_orders(ask, OrderFilter(), seconds=0.05) == OrderCount(orders=0, is_all=False)
    assert queries_figures.count_orders(ask, OrderFilter()).orders == 12


def test_what_waits_by_reason_shop_and_age(session: BookSession) -> None:
    some_orders(session)
    ask = session.connection
    counts = queries_figures.review_counts(ask, NOON + timedelta(hours=8))
    assert counts == ReviewCounts(
        orders=4,
        by_code={"gift-missing": 2, "sku-unknown": 2},
        by_shop={"taobao:coffee-bar": 2, "taobao:tea-house": 2},
        by_age=(1, 3, 0, 0, 0),  # they wait for 1, 2, 3 and 4 hours
        oldest=NOON + timedelta(hours=4),
    )
    assert queries_figures.review_counts(ask, NOON, shops=["jd:tea-house"]).orders == 0


def test_what_happened_each_minute(session: BookSession) -> None:
    some_orders(session)
    ask = session.connection
    found = queries_figures.per_minute(ask, NOON, NOON + timedelta(minutes=3))
    assert [(one.minute - NOON, one.placed, one.shipped) for one in found] == [
        (timedelta(minutes=number), 1, 0) for number in range(3)
    ]
    assert sum(one.routed for one in found) == 4
    assert sum(one.placed for one in queries_figures.per_minute(ask, NOON, NOON + timedelta(hours=1))) == 12
    with pytest.raises(ValueError, match="1440"):
        queries_figures.per_minute(ask, NOON, NOON + timedelta(days=2))


def test_one_order_with_all_that_happened(session: BookSession) -> None:
    some_orders(session)
    view = queries.show_order(session.connection, "taobao:tea-house:0")
    assert view is not None
    assert (view.order.stage, [one.state for one in view.shipments]) == ("routed", ["sent"])
    assert [one.kind for one in view.timeline] == ["planned", "told-fulfil"]
    assert [line["sku"] for line in view.lines] == ["TEA"]
    assert view.plan["candidates"] == ["hangzhou"]
    assert queries.show_order(session.connection, "taobao:tea-house:99") is None
    assert queries.show_order(session.connection, "taobao:tea-house:0", shops=["taobao:coffee-bar"]) is None


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
    assert queries_work.count_reviews(ask, shops=["taobao:tea-house"]) == {"sku-unknown": 2}


def test_totals_and_what_waits_for_stock(session: BookSession) -> None:
    some_orders(session)
    ask = session.connection
    assert {(one.shop_id, one.stage): one.orders for one in queries_work.totals(ask)} == {
        (shop, stage): 2 for shop in ("coffee-bar", "tea-house") for stage in ("backordered", "review", "routed")
    }
    waiting = queries_work.list_waiting(ask, shops=["taobao:coffee-bar"])
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
