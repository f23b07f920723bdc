"""What somebody should be told of: a code with arguments, how bad it is, and whom it concerns. No personal data."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from schemas.codes.explanation import Explanation
from schemas.record import record

FLEET: Final = "fleet"
"""The scope of what concerns all of it."""


class NoticeSeverity(StrEnum):
    """How bad it is: `info` can wait for the daily digest, `critical` wakes somebody up."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return tuple(NoticeSeverity).index(self)


def shop_scope(channel: str, shop_id: str) -> str:
    """The scope of what concerns one shop."""
    return f"shop:{channel}/{shop_id}"


def warehouse_scope(warehouse_id: str) -> str:
    """The scope of what concerns one warehouse."""
    return f"warehouse:{warehouse_id}"


@record
class Notice:
    """On `notices`, keyed by the matter. The same `key` is the same matter: people are told of it once.

    `raised`: it began, or was seen once more; else it is over. `count`: how often this notice saw it; 0: not once more,
    it has only changed. `lapse_seconds`: so long after the last notice of it nobody is reminded; 0 = it stands until a
    notice says that it is over.
    """

    key: str
    explanation: Explanation
    severity: NoticeSeverity
    scope: str
    raised: bool
    at: datetime
    count: int = 1
    lapse_seconds: int = 0

    @property
    def notice_id(self) -> str:
        """The same for a repeat of the same notice."""
        return f"{self.key}@{self.at.isoformat()}/{'raised' if self.raised else 'cleared'}"
