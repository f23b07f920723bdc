"""Orders at the desk, from a book that the book's own stage wrote."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import NOON, a_planned_order, an_order
from tests.workers.admin.desk.books import fill, in_review
from workers.admin.desk.access import Actor, ActorKind, Role
from workers.admin.desk.desk import Desk
from workers.admin.desk.filters import OrderFilter, ReviewFilter
from workers.admin.errors import InvalidRequest, NotAllowed, NotFound
from workers.runtime.errors import Misconfigured


@pytest.fixture
def booked(book_url: str) -> None:
    later = NOON + timedelta(hours=1)
    waiting = [in_review(str(number), at=NOON + timedelta(minutes=number)) for number in range(5)]
    waiting.append(in_review("7", shop="main", channel="jd", sku="MUG-350", at=later))
    fill(book_url, waiting, routed=[a_planned_order(an_order("9", placed_at=later + timedelta(hours=1)))])


def seller(*shops: str) -> Actor:
    return Actor(ActorKind.USER, "li", Role.OPERATOR, "10.0.0.1", frozenset(shops))


@pytest.mark.usefixtures("booked")
def test_orders_are_found_the_newest_first_page_by_page(desk: Desk, admin: Actor) -> None:
    found, cursor = [], None
    while True:
        page = desk.orders.find(admin, OrderFilter(), cursor=cursor, limit=3)
        found += [order.platform_order_id for order in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == ["9", "7", "4", "3", "2", "1", "0"]


@pytest.mark.usefixtures("booked")
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (OrderFilter(text="taobao:tea-house:3"), ["3"]),
        (OrderFilter(text="7"), ["7"]),
        (OrderFilter(text="none"), []),
        (OrderFilter(shop="jd:main"), ["7"]),
        (OrderFilter(stage="review", sku="MUG-350"), ["7"]),
        (OrderFilter(stage="planned"), ["9"]),
        (OrderFilter(placed_from=NOON + timedelta(minutes=3), placed_to=NOON + timedelta(minutes=5)), ["4", "3"]),
    ],
)
def test_a_filter_finds_what_it_says(desk: Desk, admin: Actor, wanted: OrderFilter, found: list[str]) -> None:
    assert [order.platform_order_id for order in desk.orders.find(admin, wanted).items] == found


@pytest.mark.usefixtures("booked")
def test_a_seller_sees_the_orders_of_their_shops_only(desk: Desk) -> None:
    li = seller("jd:main")
    assert [order.uid for order in desk.orders.find(li, OrderFilter()).items] == ["jd:main:7"]
    assert [each.order.uid for each in desk.orders.review(li, ReviewFilter()).items] == ["jd:main:7"]
    assert desk.orders.review_counts(li) == {"no-rule": 1}
    assert desk.orders.find(li, OrderFilter(text="taobao:tea-house:3")).items == []
    for attempt in (
        lambda: desk.orders.show(li, "taobao:tea-house:3"),
        lambda: desk.orders.timeline(li, "taobao:tea-house:nothing"),
        lambda: desk.orders.find(li, OrderFilter(shop="taobao:tea-house")),
    ):
        with pytest.raises(NotAllowed) as refused:
            attempt()
        assert refused.value.code == "shop-not-yours"


@pytest.mark.usefixtures("booked")
def test_an_order_is_shown_with_why_it_waits_and_no_receiver(desk: Desk, admin: Actor) -> None:
    planned = in_review("3", at=NOON + timedelta(minutes=3))
    shown = desk.orders.show(admin, planned.order.uid)
    assert shown.review is not None
    assert (shown.review.codes, shown.review.revision) == (["no-rule"], planned.order.revision)
    assert [line["sku"] for line in shown.lines] == ["NUT-BOX-500"]
    assert (shown.order.province, shown.order.city) == ("浙江省", "杭州市")
    for personal in (planned.order.ship_to.name, planned.order.ship_to.phone, planned.order.ship_to.street):
        assert not personal or personal not in str(shown)
    kinds = [entry.kind for entry in desk.orders.timeline(admin, planned.order.uid)]
    assert sorted(kinds) == ["planned", "review"]


@pytest.mark.usefixtures("booked")
def test_review_lists_the_longest_waiting_first_page_by_page(desk: Desk, admin: Actor) -> None:
    first = desk.orders.review(admin, ReviewFilter(code="no-rule"), limit=4)
    second = desk.orders.review(admin, ReviewFilter(code="no-rule"), cursor=first.next, limit=4)
    assert [each.order.platform_order_id for each in (*first.items, *second.items)] == ["0", "1", "2", "3", "4", "7"]
    assert second.next is None
    assert desk.orders.review(admin, ReviewFilter(code="gift-missing")).items == []
    assert [each.order.uid for each in desk.orders.review(admin, ReviewFilter(sku="MUG-350")).items] == ["jd:main:7"]
    until = NOON + timedelta(minutes=1)
    assert len(desk.orders.review(admin, ReviewFilter(until=until)).items) == 2


@pytest.mark.usefixtures("booked")
def test_an_order_that_is_not_there_has_a_code(desk: Desk, admin: Actor) -> None:
    with pytest.raises(NotFound) as refused:
        desk.orders.show(admin, "taobao:tea-house:none")
    assert refused.value.code == "unknown-order"
    for uid in ("", "3", "a:b", "Ä:b:c"):
        with pytest.raises(InvalidRequest) as none:
            desk.orders.show(admin, uid)
        assert none.value.code == "no-order-uid"


def test_a_book_that_was_never_made_is_said_to_be_none(desk: Desk, admin: Actor) -> None:
    with pytest.raises(Misconfigured) as away:
        desk.orders.find(admin, OrderFilter())
    assert away.value.advice is not None
    assert "--stages book" in away.value.advice.en
