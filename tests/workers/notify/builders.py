"""Notices, and a clock that is set by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.codes import NoticeCode
from schemas.notice import FLEET, Notice, NoticeSeverity
from schemas.record import changed
from workers.notify.recipients import Recipient
from workers.runtime.stage import Delivery

NOON = datetime(2026, 11, 11, 4, 0, tzinfo=UTC)
"""In Shanghai."""


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> float:
        return self.at.timestamp()

    def moves(self, seconds: float) -> None:
        """So many seconds later."""
        self.at += timedelta(seconds=seconds)


def a_notice(key: str = "paid-backorders/NUT-BOX-500", **changes: Any) -> Notice:
    """Paid orders wait for nuts."""
    made = Notice(
        key=key,
        explanation=NoticeCode.PAID_BACKORDERS(sku="NUT-BOX-500"),
        severity=NoticeSeverity.WARNING,
        scope=FLEET,
        raised=True,
        at=NOON,
    )
    return changed(made, **changes)


def delivered(*notices: Notice, start: int = 0) -> list[Delivery[Notice]]:
    """As the stage gets them: one after the other of one partition."""
    return [Delivery(one, key=one.key.encode(), offset=start + number) for number, one in enumerate(notices)]


def a_recipient(**fields: Any) -> Recipient:
    """Who reads English and hears of everything from warnings up."""
    return Recipient.model_validate({"name": "ops", "language": "en", "url": "json://127.0.0.1", **fields})
