"""What several platforms' order objects need."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from ops.testbed.simulators.sale import Oddity, Sale, yuan

Json = dict[str, Any]

BEIJING = timezone(timedelta(hours=8))


@lru_cache(maxsize=1 << 14)
def beijing(seconds: int) -> str:
    """`yyyy-MM-dd HH:mm:ss` in Beijing."""
    return datetime.fromtimestamp(seconds, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def beijing_or(seconds: int, never: str) -> str:
    """As `beijing`, and the platform's own word for "has not happened"."""
    return beijing(seconds) if seconds else never


def paid_text(sale: Sale) -> str:
    """What the buyer pays, in yuan; with a second point when the story breaks the money."""
    return yuan(sale.total) + (".5" if sale.oddity is Oddity.MONEY else "")
