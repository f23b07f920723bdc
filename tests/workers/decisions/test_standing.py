"""What people corrected, laid upon whatever the platform says: twice is once, and what the platform changed is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.decision import LineBefore, ReceiverCorrection
from schemas.order import Line, LineKind, LineStatus, Order, OrderStatus, Privacy
from tests.builders import a_line, a_ship_to, an_order
from workers.decisions.standing import (
    CorrectedLine,
    Standing,
    address_digest,
    corrected,
    settled_as,
    still_settles,
)

SKUS = ("A", "B", "C")
lines = st.builds(
    lambda sku, quantity, status: a_line(sku, quantity, status=status),
    st.sampled_from(SKUS),
    st.integers(1, 4),
    st.sampled_from((LineStatus.OPEN, LineStatus.OPEN, LineStatus.SHIPPED, LineStatus.CANCELLED)),
)
wishes = st.builds(
    lambda sku, quantity, was: CorrectedLine(
        line_id="1", sku=sku, quantity=quantity, before=(LineBefore(line_id="1", sku=was[0], quantity=was[1]),)
    ),
    st.sampled_from((None, *SKUS)),
    st.none() | st.integers(0, 3),
    st.tuples(st.sampled_from(SKUS), st.integers(1, 4)),
)
GIFT = Line(line_id="added:d:1", sku="G", quantity=1, unit_price=0, paid=0, kind=LineKind.GIFT)
MOVED = ReceiverCorrection(province="上海", street="示例路 9 号", name="示例")


def standing(*wish: CorrectedLine, **fields: Any) -> Standing:
    return replace(Standing(number=1, lines=wish), **fields)


@given(lines, wishes)
def test_what_is_corrected_is_not_corrected_again(line: Line, wish: CorrectedLine) -> None:
    once, overtaken = corrected(an_order(lines=(line,)), standing(wish, gifts=(GIFT,)))
    if not overtaken:
        assert corrected(once, standing(wish, gifts=(GIFT,))) == (once, False)


@given(lines, wishes)
def test_a_line_is_as_people_want_it_or_as_the_platform_says_never_half(line: Line, wish: CorrectedLine) -> None:
    order, overtaken = corrected(an_order(lines=(line,)), standing(wish))
    now = order.lines[0]
    if overtaken or line.status is not LineStatus.OPEN:
        assert now == line
    else:
        assert now.sku == (wish.sku or line.sku)
        assert now.quantity == (line.quantity if wish.quantity is None else min(line.quantity, wish.quantity))


@given(lines, wishes)
def test_no_correction_ever_ships_more_than_the_platform_says(line: Line, wish: CorrectedLine) -> None:
    order, _ = corrected(an_order(lines=(line,)), standing(wish))
    assert order.lines[0].quantity <= line.quantity


def test_the_title_of_what_is_not_picked_is_not_shown() -> None:
    wish = CorrectedLine(line_id="1", sku="B", before=(LineBefore(line_id="1", sku="A", quantity=1),))
    order, _ = corrected(an_order(lines=(a_line("A", title="商品 A"),)), standing(wish))
    assert (order.lines[0].sku, order.lines[0].title) == ("B", "")


def test_an_order_that_is_over_is_left_as_it_is() -> None:
    order = an_order(status=OrderStatus.CANCELLED)
    assert corrected(order, standing(gifts=(GIFT,))) == (order, False)


def moved(order: Order) -> Standing:
    return standing(receiver=MOVED, receivers_before=(address_digest(order),))


def test_a_corrected_receiver_is_plain_and_carries_no_token_of_another() -> None:
    order = an_order()
    now, overtaken = corrected(order, moved(order))
    assert not overtaken
    assert (now.ship_to.street, now.ship_to.privacy) == ("示例路 9 号", Privacy.PLAIN)
    assert (now.ship_to.token, now.ship_to.receiver_key) == ("", "")
    assert corrected(now, moved(order)) == (now, False)


def test_another_address_of_the_platform_overtakes_it() -> None:
    order = an_order()
    later = replace(order, ship_to=a_ship_to(province="广东省"))
    assert corrected(later, moved(order)) == (later, True)


def test_one_receiver_that_is_encrypted_anew_is_the_same_receiver() -> None:
    one = an_order(ship_to=a_ship_to(name="~x1~", receiver_key="k"))
    other = an_order(ship_to=a_ship_to(name="~y2~", receiver_key="k"))
    assert address_digest(one) == address_digest(other)
    assert address_digest(one) != address_digest(an_order("2", ship_to=one.ship_to)), "salted with the order"


def test_less_is_still_settled_and_more_or_other_is_not() -> None:
    order = an_order(lines=(a_line("A", 2), a_line("B", line_id="2")))
    settled = settled_as(order, ("x",))
    less, more, other = (
        replace(order, lines=given)
        for given in (order.lines[:1], (a_line("A", 3),), (a_line("A", 2), a_line("C", line_id="2")))
    )
    assert still_settles(settled, order)
    assert still_settles(settled, less)
    assert not still_settles(settled, more)
    assert not still_settles(settled, other)
    assert not still_settles(settled, replace(order, ship_to=a_ship_to(city="宁波市")))
