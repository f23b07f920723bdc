"""The windows of a reader: never a gap, never too long, never ahead of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel_adapters.contract import Window
from workers.intake.window import halves, windows

NOON = datetime(2026, 11, 11, 12, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def seconds(low: float, high: float) -> st.SearchStrategy[timedelta]:
    return st.floats(low, high).map(lambda s: timedelta(seconds=s))


def at(minutes: float) -> datetime:
    return NOON + minutes * MINUTE


def test_one_window_reaches_from_the_overlap_before_the_cursor_to_the_settled_now() -> None:
    found = list(windows(at(0), at(10), overlap=MINUTE, settle=3 * MINUTE, longest=30 * MINUTE))
    assert found == [Window(at(-1), at(7))]


def test_a_long_absence_is_made_up_in_windows_that_overlap_each_other() -> None:
    found = list(windows(at(0), at(60), overlap=MINUTE, settle=timedelta(0), longest=30 * MINUTE))
    assert found == [Window(at(-1), at(29)), Window(at(28), at(58)), Window(at(57), at(60))]


def test_nothing_is_read_until_something_has_settled() -> None:
    assert list(windows(at(0), at(3), overlap=MINUTE, settle=3 * MINUTE, longest=30 * MINUTE)) == []


def test_a_cursor_ahead_of_the_clock_reads_nothing() -> None:
    assert list(windows(at(5), at(3), overlap=MINUTE, settle=timedelta(0), longest=30 * MINUTE)) == []


def test_an_overlap_longer_than_a_window_is_still_covered() -> None:
    found = list(windows(at(0), at(1), overlap=60 * MINUTE, settle=timedelta(0), longest=30 * MINUTE))
    assert found[0].start == at(-60)
    assert found[-1].end == at(1)


def test_bounds_are_whole_seconds() -> None:
    [found] = windows(at(0), NOON + timedelta(seconds=5.9), overlap=MINUTE, settle=timedelta(0), longest=30 * MINUTE)
    assert found.end == NOON + timedelta(seconds=5)


def test_a_window_too_short_to_move_on_is_refused() -> None:
    with pytest.raises(ValueError, match="two seconds"):
        list(windows(at(0), at(1), overlap=MINUTE, settle=timedelta(0), longest=timedelta(seconds=1)))


@given(behind=seconds(0, 90_000), overlap=seconds(0, 7200), settle=seconds(0, 600), longest=seconds(2, 7200))
def test_windows_cover_everything_without_a_gap_within_bounds(
    behind: timedelta, overlap: timedelta, settle: timedelta, longest: timedelta
) -> None:
    cursor = NOON - behind
    found = list(islice(windows(cursor, NOON, overlap=overlap, settle=settle, longest=longest), 200))
    if not found:
        assert NOON - settle - timedelta(seconds=1) <= cursor
        return
    assert found[0].start <= cursor - overlap
    for window in found:
        assert timedelta(0) < window.end - window.start <= longest
        assert window.end <= NOON - settle
    for earlier, later in pairwise(found):
        assert later.start < earlier.end < later.end
    if len(found) < 200:
        assert NOON - settle - found[-1].end < timedelta(seconds=1)


@given(st.data())
def test_every_order_is_read_that_shows_up_within_settle_and_overlap(data: st.DataObject) -> None:
    """Rounds at any times, clocks that jump back, crashes after any window: what is visible in time is read."""
    settle, overlap = data.draw(seconds(0, 200)), data.draw(seconds(0, 120))
    modified = NOON + timedelta(seconds=data.draw(st.integers(0, 3600)))
    visible = modified + data.draw(seconds(0, (settle + overlap).total_seconds()))
    cursor, now, read = NOON, NOON, False
    for pause in [*data.draw(st.lists(st.floats(-20, 900), min_size=1, max_size=12)), 4000.0]:
        now += timedelta(seconds=pause)
        last = pause == 4000.0
        survives = 10_000 if last else data.draw(st.integers(0, 4))
        for window in islice(
            windows(cursor, now, overlap=overlap, settle=settle, longest=timedelta(seconds=300)), survives
        ):
            read = read or (visible <= now and window.start <= modified < window.end)
            cursor = max(cursor, window.end)
    assert read


@given(length=st.integers(1, 100_000))
def test_halves_cover_the_whole_and_end_at_two_seconds(length: int) -> None:
    window = Window(NOON, NOON + timedelta(seconds=length))
    parts = halves(window)
    if length <= 2:
        assert parts is None
        return
    assert parts is not None
    first, second = parts
    assert first.start == window.start
    assert second.end == window.end
    assert second.start < first.end
    assert max(first.end - first.start, second.end - second.start) < window.end - window.start
