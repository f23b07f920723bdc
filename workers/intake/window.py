"""Which spans of platform time to read next. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from channel_adapters.contract import Window

_SECOND = timedelta(seconds=1)


def windows(
    cursor: datetime, now: datetime, *, overlap: timedelta, settle: timedelta, longest: timedelta
) -> Iterator[Window]:
    """The windows that bring a reader from `cursor` to the newest moment that may be read, oldest first.

    `cursor`: everything modified before it is safely stored. Together the windows cover everything from `cursor` minus
    `overlap` to `now` minus `settle`, and each begins a little before the one before it ends: platforms stamp to the
    second and compare in ways they do not tell, so windows that merely touch lose orders in between. None is longer
    than `longest`, none ends later than `now` minus `settle`, all bounds are whole seconds. None at all when the
    cursor is already there. Raises ValueError when `longest` is under two seconds.
    """
    if longest < 2 * _SECOND:
        raise ValueError("a window must span at least two seconds")
    horizon = horizon_of(now, settle)
    if horizon <= cursor:
        return
    longest -= longest % _SECOND
    seam = max(_SECOND, min(overlap, longest / 2))
    start = _floor(cursor - overlap)
    while True:
        end = min(start + longest, horizon)
        yield Window(start, end)
        if end == horizon:
            return
        start = _floor(end - seam)


def horizon_of(now: datetime, settle: timedelta) -> datetime:
    """The newest moment that may be read: later ones may still gain orders, or do not exist yet."""
    return _floor(now - settle)


def _floor(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def halves(window: Window) -> tuple[Window, Window] | None:
    """The window in two parts that overlap by a second; None when it is too short to be parted."""
    if window.end - window.start <= 2 * _SECOND:
        return None
    middle = _floor(window.start + (window.end - window.start) / 2)
    return Window(window.start, middle + _SECOND), Window(middle, window.end)
