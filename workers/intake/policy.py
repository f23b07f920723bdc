"""What an operator may set about polling, beyond what each shop's own settings say."""

from __future__ import annotations

from datetime import timedelta

from schemas.record import record
from workers.intake.pace import Peak


@record
class PollPolicy:
    """The same for all shops of a process."""

    fastest_seconds: float = 5.0
    """Never asked more often than this, peak or not. A shop whose own `poll_seconds` is lower is taken at its word."""

    peaks: tuple[Peak, ...] = ()

    longest_window: timedelta = timedelta(minutes=30)
    """Taobao advises at most this; shorter windows also lose less when one fails in the middle."""

    first_lookback: timedelta = timedelta(days=1)
    """How far back a shop is read that was never read before."""

    refused_seconds: float = 900.0
    """How long a shop is left alone after its platform refused us."""

    remember: int = 20_000
    """Order states kept in mind per shop, so that an overlap is not published twice."""

    split_budget: int = 48
    """How many reads of one round may be unreadable before the whole format counts as changed."""
