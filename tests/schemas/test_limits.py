"""Texts of any length: an order fits its topics, or is refused by the name of what is too long."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import HoldCode
from schemas.limits import MOST_ID, MOST_ORDER_BYTES, TooLong, fitted
from schemas.order import Order, OrderStatus
from schemas.plan import Backorder, DeferredOrder, ReturnedOrder, ReviewOrder, TaggedOrder
from schemas.record import changed, encode
from schemas.topics import ORDERS_BACKORDERED, ORDERS_PLANNED
from tests.builders import a_line, a_promised_gift, a_promotion, a_ship_to, an_order
from tests.workers.rules.examples import example_catalogue, text_of
from workers.route.decide import decide as route
from workers.route.decide import events_of
from workers.rules.loading import load_ruleset
from workers.tag.decide import decide as tag

LONG = "长" * 30_000


def test_an_ordinary_order_is_left_as_it_is() -> None:
    order = an_order(buyer_remark="请放门口", seller_memo="加急", marks=("a", "b"), promotions=(a_promotion(),))
    assert fitted(order) is order


def test_decoration_is_cut_and_says_so() -> None:
    order = an_order(
        lines=(a_line(title=LONG, marks=(LONG,) * 80),),
        buyer_remark=LONG,
        seller_memo=LONG,
        marks=tuple(f"mark-{number}" for number in range(300)),
        promotions=(a_promotion(name=LONG, code=LONG),) * 300,
        promised_gifts=(a_promised_gift(name=LONG, platform_item_id=LONG),) * 300,
    )
    fit = fitted(order)
    assert len(encode(fit)) < 250_000
    for text in (fit.lines[0].title, fit.buyer_remark, fit.seller_memo, fit.marks[-1], fit.promotions[0].name):
        assert text.endswith("…")
    assert fit.buyer_remark.startswith("长长长")
    assert (fit.uid, fit.lines[0].sku, fit.lines[0].quantity, fit.totals) == (
        order.uid,
        order.lines[0].sku,
        order.lines[0].quantity,
        order.totals,
    )
    assert fitted(fit) is fit


def test_an_address_that_is_too_long_is_for_a_person() -> None:
    fit = fitted(an_order(ship_to=a_ship_to(street=LONG), holds=("risk-review",)))
    assert fit.holds == ("risk-review", HoldCode.ADDRESS_TOO_LONG)
    assert len(fit.ship_to.street) == 1000


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"lines": (a_line(), a_line(sku="S" * 201, line_id="2"))}, "lines.1.sku"),
        ({"lines": (a_line(line_id="1" * 201),)}, "lines.0.line_id"),
        ({"lines": (a_line(bound_to=("1" * 201,)),)}, "lines.0.bound_to"),
        ({"platform_order_id": "1" * 201}, "platform_order_id"),
    ],
)
def test_what_names_something_is_refused_by_its_name_and_not_quoted(fields: dict[str, Any], where: str) -> None:
    order = an_order(**fields)
    with pytest.raises(TooLong) as refusal:
        fitted(order)
    assert refusal.value.where == where
    assert f"{MOST_ID} fit" in str(refusal.value)
    assert "SSSS" not in str(refusal.value)
    assert "1111" not in str(refusal.value)


def test_that_an_order_is_cancelled_counts_whatever_it_holds() -> None:
    lines = tuple(a_line(sku="S" * 5_000, line_id=str(number)) for number in range(2_000))
    fit = fitted(an_order(lines=lines, status=OrderStatus.CANCELLED))
    assert fit.status is OrderStatus.CANCELLED


def test_more_lines_than_fit_are_refused_with_their_number() -> None:
    lines = tuple(a_line(sku=f"{'长' * 180}{number}", line_id=f"{'长' * 180}{number}") for number in range(2_000))
    with pytest.raises(TooLong, match="2,000 lines"):
        fitted(an_order(lines=lines))


def largest(title: str) -> Order:
    """2,000 lines of a SKU that nobody knows, with decoration of any length."""
    lines = tuple(
        a_line(sku=f"UNKNOWN-{number}", line_id=f"3000000000000{number:05d}", title=title, marks=(title,) * 60)
        for number in range(2_000)
    )
    return fitted(an_order(lines=lines, buyer_remark=title, seller_memo=title))


@pytest.mark.parametrize("title", ["长" * 1000, "\x01" * 1000, "x"])
def test_the_plan_of_the_largest_order_fits_its_topic_with_a_thousand_rules_that_hold(title: str) -> None:
    rules = [f"{{id: rule-{n}, priority: 1, when: {{always: true}}, then: {{add_tag: t{n}}}}}" for n in range(999)]
    rules.append("{id: last, priority: 2, when: {always: true}, then: {assign: hangzhou}}")
    order = largest(title)
    assert len(encode(order)) <= MOST_ORDER_BYTES
    ruleset = load_ruleset(text_of(*rules), "rules.yaml")
    tagged = tag(order, example_catalogue(), ruleset.tagging)
    planned = route(tagged, ruleset, order.modified_at)
    assert planned.flags
    for event in (*events_of(planned), tagged):
        assert len(encode(event)) < ORDERS_PLANNED.max_message_bytes
    short = {line.sku: line.quantity for line in order.lines}
    for about in (
        Backorder(planned=planned, missing=short),
        ReviewOrder(planned=planned, missing=short),
        DeferredOrder(planned=planned, not_before=None, tags=planned.tags),
        ReturnedOrder(tagged=TaggedOrder(order=order, tags=planned.tags, flags=planned.flags), at=order.modified_at),
    ):
        assert len(encode(about)) < ORDERS_BACKORDERED.max_message_bytes


texts = st.text(max_size=3).map(lambda text: text * 99)


@settings(max_examples=50)
@given(texts, texts, texts, st.integers(1, 40), st.sampled_from(OrderStatus))
def test_an_order_fits_or_is_refused_by_name(one: str, two: str, three: str, count: int, status: OrderStatus) -> None:
    lines = tuple(a_line(sku=one, line_id=f"{two}{n}", title=three, marks=(one, two) * n) for n in range(count))
    order = an_order(lines=lines, status=status, marks=(one,) * count, ship_to=a_ship_to(street=two, name=three))
    if status is not OrderStatus.CANCELLED and max(len(one), len(two) + len(str(count - 1))) > MOST_ID:
        with pytest.raises(TooLong):
            fitted(order)
        return
    fit = fitted(order)
    assert len(encode(fit)) <= MOST_ORDER_BYTES
    assert fitted(fit) == fit
    assert changed(fit, lines=(), marks=(), ship_to=order.ship_to, holds=()).uid == order.uid
