"""Revisions compare as text: what happened later is greater, and a retry stands between the two."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.order import Line, LineStatus, Order, OrderStatus, PaymentStatus, RefundStatus, Source
from schemas.revision import (
    MOST_TRIES,
    Newest,
    is_same_state,
    modified_at_of,
    received,
    retry_of,
    revision_of,
    tries_of,
)
from tests.builders import NOON, a_cancelled_order, a_line, an_order, an_unpaid_order

ANY_REVISION = st.builds(
    "{:015d}.{:011d}.{:014d}.{:012x}".format,
    st.integers(0, 10**15 - 1),
    st.integers(0, 79999999999),
    st.integers(0, 10**14 - 1),
    st.integers(0, 16**12 - 1),
)


def revision(seconds: float = 0, lines: tuple[Line, ...] = (a_line(),)) -> str:
    return an_order(modified_at=NOON + timedelta(seconds=seconds), lines=lines).revision


def test_a_retry_is_newer_than_what_it_retries_and_older_than_what_the_platform_says_next() -> None:
    first = revision()

    assert first < retry_of(first) < retry_of(retry_of(first)) < revision(seconds=0.001)


def test_a_retry_of_another_description_of_the_same_instant_keeps_their_order() -> None:
    one, other = sorted((revision(), revision(lines=(a_line(quantity=2),))))

    assert one < retry_of(one) < other < retry_of(other)


@given(ANY_REVISION, ANY_REVISION, st.integers(1, MOST_TRIES))
def test_no_number_of_retries_outgrows_a_newer_revision(one: str, other: str, number: int) -> None:
    older, newer = sorted((one, other))
    tried = f"{older}+{number:03d}"

    assert older < tried
    assert older == newer or tried < newer


@given(ANY_REVISION, ANY_REVISION)
def test_bytes_compare_as_text_does(one: str, other: str) -> None:
    """The scripts compare bytes."""
    retried = retry_of(one)

    assert (retried.encode() < other.encode()) == (retried < other)


def test_retries_are_counted() -> None:
    once = retry_of(revision())
    assert (tries_of(revision()), tries_of(once), tries_of(retry_of(once))) == (0, 1, 2)
    assert once == f"{revision()}+001"
    assert modified_at_of(once) == modified_at_of(revision())


def test_retries_end() -> None:
    assert retry_of(f"{revision()}+{MOST_TRIES - 1}") == f"{revision()}+{MOST_TRIES}"
    with pytest.raises(ValueError, match="was tried 999 times"):
        retry_of(f"{revision()}+{MOST_TRIES}")


TWO = (a_line(quantity=2), a_line("TEA-LONGJING-250", line_id="2"))
HOLD = OrderStatus.ON_HOLD
UNPAID = PaymentStatus.UNPAID


def a_tie(**fields: Any) -> Order:
    """A state of the order that is stamped at noon, as nearly all here."""
    return an_order(**{"modified_at": NOON, "lines": TWO, **fields})


@pytest.mark.parametrize(
    ("loses", "wins"),
    [
        pytest.param(an_unpaid_order(modified_at=NOON, lines=TWO), a_tie(), id="paid after placed"),
        pytest.param(
            a_tie(status=HOLD, payment=UNPAID, holds=("on-hold",)), a_tie(), id="paid after waiting for a bank transfer"
        ),
        pytest.param(
            a_tie(status=HOLD, holds=("group-incomplete",)), a_tie(), id="the group of a group purchase is full"
        ),
        pytest.param(a_tie(), a_tie(status=HOLD, holds=("risk-review",)), id="a hold of a paid order"),
        pytest.param(a_tie(), a_tie(status=HOLD, payment=UNPAID, holds=("unknown-status",)), id="an unknown word"),
        pytest.param(
            a_tie(status=OrderStatus.PART_SHIPPED), a_tie(status=HOLD, holds=("ship-hold",)), id="a hold of the rest"
        ),
        pytest.param(a_tie(status=HOLD, holds=("x",)), a_tie(status=OrderStatus.SHIPPED), id="shipped after all"),
        pytest.param(a_tie(status=OrderStatus.SHIPPED), a_cancelled_order(modified_at=NOON, lines=TWO), id="cancelled"),
        pytest.param(
            a_tie(), a_tie(lines=(a_line(quantity=2, refund=RefundStatus.REQUESTED), TWO[1])), id="a refund requested"
        ),
        pytest.param(
            a_tie(lines=(a_line(quantity=1), TWO[1])),
            a_tie(lines=(TWO[0], a_line("TEA-LONGJING-250", line_id="2", status=LineStatus.CANCELLED))),
            id="a line cancelled, though more units are left",
        ),
        pytest.param(a_tie(), a_tie(lines=(a_line(quantity=1), TWO[1])), id="a smaller quantity"),
    ],
)
def test_a_tie_goes_to_what_came_later_for_certain_then_to_what_stops_then_to_what_reduces(
    loses: Order, wins: Order
) -> None:
    late, early = NOON + timedelta(hours=1), NOON + timedelta(minutes=1)
    assert received(loses.revision, late) < received(wins.revision, early)


def test_among_others_what_was_received_later_wins_and_only_between_equal_stamps() -> None:
    one, other, newer = a_tie(), a_tie(buyer_remark="ring twice"), a_tie(modified_at=NOON + timedelta(seconds=1))
    early, late = NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)

    assert received(one.revision, early) < received(other.revision, late)
    assert received(other.revision, early) < received(one.revision, late)
    assert received(one.revision, late) < received(newer.revision, early)


def test_the_time_of_receipt_may_be_known_from_the_start() -> None:
    at = NOON + timedelta(minutes=1)
    order = a_tie(source=Source(template="test", received_at=at))
    assert order.revision == revision_of(order) == received(a_tie().revision, at)
    assert (len(order.revision), len(retry_of(order.revision))) == (55, 59)


def test_the_same_said_once_more_is_no_news_but_what_comes_in_between_is_too_late() -> None:
    first, between, again = (
        received(a_tie(buyer_remark=remark).revision, NOON + timedelta(minutes=minute))
        for minute, remark in enumerate(("", "ring twice", ""))
    )
    assert is_same_state(first, again)
    assert not is_same_state(first, between)

    assert Newest().after(first).after(again) == Newest(first, again)
    assert Newest(first, again).after(between) == Newest(first, again)
    assert Newest(first).after(between).after(again) == Newest(again)
    assert Newest(first, again).after(retry_of(first)) == Newest(retry_of(first), again)
