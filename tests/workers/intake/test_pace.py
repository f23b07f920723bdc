"""How often a shop is asked: at once faster in a rush, slowly calmer, and never faster than allowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.intake.pace import Pace, Peak, pause_after_failure

NOW = datetime(2026, 11, 9, 4, 0, tzinfo=UTC)  # noon in China
PACE = Pace(slowest=600, fastest=5, page_size=100)


def after(previous: float, news: int, *, covered: float = 600, behind: float = 0, pace: Pace = PACE) -> float:
    return pace.after(previous, news=news, covered=covered, behind=behind, now=NOW)


def test_without_news_a_shop_is_asked_at_its_own_interval() -> None:
    assert after(600, 0) == 600


def test_a_rush_shortens_the_wait_at_once_to_half_a_page_of_news() -> None:
    assert after(600, 1200) == 25  # two orders a second fill half a page of 100 in 25 s


def test_a_stampede_is_asked_at_the_fastest_pace() -> None:
    assert after(600, 1_000_000) == 5


def test_calm_after_a_rush_lengthens_the_wait_at_most_twofold() -> None:
    assert after(25, 0, covered=25) == 50


def test_a_reader_that_fell_behind_is_asked_again_at_once() -> None:
    assert after(60, 0, behind=61) == 5


def test_a_shop_may_be_asked_more_often_than_once_a_second() -> None:
    pace = Pace(slowest=0.2, fastest=0.2, page_size=100)
    assert after(0.2, 0, pace=pace) == 0.2
    assert after(0.2, 5000, covered=1, pace=pace) == 0.2


@given(
    previous=st.floats(0, 600),
    news=st.integers(0, 10**6),
    covered=st.floats(0, 10**6),
    behind=st.floats(0, 10**5),
)
def test_the_wait_is_always_within_what_the_shop_allows(
    previous: float, news: int, covered: float, behind: float
) -> None:
    assert 5 <= after(previous, news, covered=covered, behind=behind) <= 600


def test_in_a_daily_peak_the_pace_is_the_fastest() -> None:
    assert after(600, 0, pace=Pace(slowest=600, fastest=5, page_size=100, peaks=(Peak.parse("11:30/12:30"),))) == 5


def test_the_wait_ends_when_a_peak_begins() -> None:
    assert after(600, 0, pace=Pace(slowest=600, fastest=5, page_size=100, peaks=(Peak.parse("12:02/13:00"),))) == 120


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("12:00/13:00", 0),  # begins now
        ("11:00/12:00", 23 * 3600),  # has just ended: tomorrow
        ("20:00/22:30", 8 * 3600),
        ("22:00/12:30", 0),  # past midnight, still on
        ("22:00/02:00", 10 * 3600),
        ("2026-11-10T20:00/2026-11-12T00:00", 32 * 3600),
        ("2026-11-09T11:00/2026-11-09T13:00", 0),
        ("2026-11-08T11:00/2026-11-09T12:00", None),  # over for good
        ("2026-11-09T05:00+00:00/2026-11-09T06:00+00:00", 3600),
    ],
)
def test_a_peak_knows_when_it_begins(text: str, until: float | None) -> None:
    assert Peak.parse(text).seconds_until(NOW) == until


@pytest.mark.parametrize(
    "text", ["", "20:00", "25:00/26:00", "12:00/12:00", "2026-11-12T00:00/2026-11-10T00:00", "a/b"]
)
def test_a_peak_that_makes_no_sense_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="write 20:00/22:30"):
        Peak.parse(text)


def test_failures_are_waited_out_longer_and_longer_up_to_five_minutes() -> None:
    waits = [pause_after_failure(n, None, 1.0) for n in range(1, 12)]
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == 300
    assert pause_after_failure(10_000, None, 1.0) == 300


@given(failures=st.integers(1, 10**6), jitter=st.floats(0, 1), retry_after=st.floats(0.1, 3600))
def test_a_platform_that_names_a_time_is_never_asked_before_it(
    failures: int, jitter: float, retry_after: float
) -> None:
    assert pause_after_failure(failures, retry_after, jitter) >= retry_after


def test_a_platform_that_names_an_absurd_time_is_asked_again_within_about_an_hour() -> None:
    assert pause_after_failure(1, timedelta(days=365).total_seconds(), 1.0) <= 1.1 * 3600


@pytest.mark.parametrize("told", [0.0, -5.0])
def test_a_platform_that_names_no_real_time_is_waited_out_as_usual(told: float) -> None:
    assert pause_after_failure(3, told, 1.0) == 4
