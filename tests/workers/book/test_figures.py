"""How long orders took: which days are counted again, and what a histogram says."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.book.figures import CHANGING_DAYS, STEPS, days_due, quantile

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 11, 20, 0, tzinfo=UTC)  # in Shanghai it is the twelfth
TODAY = date(2026, 11, 12)


def test_a_book_without_orders_has_no_days() -> None:
    assert days_due({}, None, NOW, ZONE, 180) == []


def test_every_day_is_made_once_and_only_those_that_may_change_again() -> None:
    first = TODAY - timedelta(days=100)
    due = days_due({}, first, NOW, ZONE, 180)
    assert (due[0], due[-1], len(due)) == (first, TODAY, 101)
    made = dict.fromkeys(due, NOW)
    assert days_due(made, first, NOW, ZONE, 180) == []
    assert days_due(made, first, NOW + timedelta(minutes=2), ZONE, 180) == [TODAY - timedelta(days=1), TODAY]
    tomorrow = days_due(made, first, NOW + timedelta(hours=25), ZONE, 180)
    assert tomorrow == [TODAY + timedelta(days=1 - n) for n in range(CHANGING_DAYS, -1, -1)]


def test_a_day_whose_orders_are_given_up_stays_as_it_was() -> None:
    due = days_due({}, TODAY - timedelta(days=100), NOW, ZONE, 10)
    assert due[0] == TODAY - timedelta(days=9)


@given(st.lists(st.floats(0, 3_000_000), min_size=1, max_size=300), st.sampled_from([0.5, 0.95]))
def test_a_quantile_of_the_histogram_is_near_the_true_one(seconds: list[float], share: float) -> None:
    histogram: dict[int, int] = {}
    for each in seconds:
        bucket = math.floor(STEPS * math.log2(1 + each))
        histogram[bucket] = histogram.get(bucket, 0) + 1
    true = sorted(seconds)[max(1, math.ceil(share * len(seconds))) - 1]
    found = quantile(histogram, share)
    assert found is not None
    assert 1 + found == pytest.approx(1 + true, rel=0.045)


def test_nothing_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None
