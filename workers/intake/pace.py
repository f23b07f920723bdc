"""How long a poller waits between two rounds, and after a failure. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone

from schemas.record import record

_CHINA = timezone(timedelta(hours=8))
_DAILY = re.compile(r"\d\d:\d\d/\d\d:\d\d")
_LONGEST_PAUSE = 3600.0


@record
class Peak:
    """A time in which orders are worth asking for as often as is allowed: `start` included, `end` not.

    With a date it happens once; without, every day, and `end` before `start` means past midnight.
    """

    start: time
    end: time
    first_day: date | None = None
    last_day: date | None = None

    @classmethod
    def parse(cls, text: str) -> Peak:
        """`20:00/22:30` (every day, China time) or `2026-11-10T20:00/2026-11-12T00:00` (once, China time).

        Raises ValueError.
        """
        try:
            return cls._daily(text) if _DAILY.fullmatch(text) else cls._once(text)
        except ValueError:
            raise ValueError(
                f"not a peak period: {text!r}; write 20:00/22:30 for every day, or "
                "2026-11-10T20:00/2026-11-12T00:00 for once (both in China time, the start before the end)"
            ) from None

    @classmethod
    def _daily(cls, text: str) -> Peak:
        start, end = (time.fromisoformat(part) for part in text.split("/"))
        if start == end:
            raise ValueError
        return cls(start=start, end=end)

    @classmethod
    def _once(cls, text: str) -> Peak:
        start, end = (_in_china(datetime.fromisoformat(part)) for part in text.split("/"))
        if start >= end:
            raise ValueError
        return cls(start=start.time(), end=end.time(), first_day=start.date(), last_day=end.date())

    def seconds_until(self, now: datetime) -> float | None:
        """Seconds until it next begins; 0 while it lasts; None when it is over for good."""
        local = _in_china(now)
        for start, end in self._occurrences(local.date()):
            if local < start:
                return (start - local).total_seconds()
            if local < end:
                return 0.0
        return None

    def _occurrences(self, today: date) -> Iterable[tuple[datetime, datetime]]:
        """In the order of time, those that may be under way or next on this day."""
        if self.first_day is not None and self.last_day is not None:
            yield _china(self.first_day, self.start), _china(self.last_day, self.end)
            return
        length = timedelta(days=self.end < self.start)
        for shift in (-1, 0, 1):
            day = today + timedelta(days=shift)
            yield _china(day, self.start), _china(day + length, self.end)


@record
class Pace:
    """The pace of one shop. Seconds everywhere."""

    slowest: float  # with no news
    fastest: float  # never asked more often than this
    page_size: int
    peaks: tuple[Peak, ...] = ()

    def after(self, previous: float, *, news: int, covered: float, behind: float, now: datetime) -> float:
        """The wait after a round that found `news` new orders in `covered` seconds of platform time.

        Aims at half a page of news a round: a rush shortens the wait at once, calm lengthens it at most twofold a
        round. `behind` is how old the newest moment read is by now, beyond what the platform asks us to wait.
        """
        if behind > previous:
            return self.fastest
        wanted = self.page_size / 2 * covered / news if news else self.slowest
        return self.clamp(min(wanted, 2 * max(previous, self.fastest)), now)

    def clamp(self, seconds: float, now: datetime) -> float:
        """`seconds` within what this shop allows, and not past the beginning of a peak."""
        untils = [until for peak in self.peaks if (until := peak.seconds_until(now)) is not None]
        return max(self.fastest, min(seconds, self.slowest, *untils))


def pause_after_failure(failures: int, retry_after: float | None, jitter: float) -> float:
    """Seconds to wait after the `failures`-th failure in a row (from 1). `jitter` is a random number from 0 to 1.

    Never sooner than the platform asked for, but never longer than an hour: asking once more is harmless, and a
    platform that names a wrong time must not silence a shop for days. Otherwise doubling from one second to five
    minutes. Jitter keeps a hundred shops from coming back in the same instant.
    """
    if retry_after is not None and retry_after > 0:
        return min(retry_after, _LONGEST_PAUSE) * (1 + 0.1 * jitter)
    return float(min(300.0, 2.0 ** min(failures - 1, 16)) * (0.5 + 0.5 * jitter))


def _china(day: date, at: time) -> datetime:
    return datetime.combine(day, at, _CHINA)


def _in_china(moment: datetime) -> datetime:
    return moment.replace(tzinfo=_CHINA) if moment.tzinfo is None else moment.astimezone(_CHINA)
