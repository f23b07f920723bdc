"""How long the ledger remembers. Nothing that comes later than that is recognised as a repeat."""

from __future__ import annotations

from typing import Final

_DAY_MS: Final = 24 * 3600 * 1000

REMEMBER_MS: Final = 45 * _DAY_MS
"""How long an order is remembered after its end: its tombstones, and what was said of it."""

MOVED_MS: Final = 7 * _DAY_MS
"""How long movements of on-hand units are kept for counts that come late."""
