"""Which matters follow from what is known. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from schemas.codes import NoticeCode
from schemas.dead_letter import DeadLetter
from schemas.notice import FLEET, Notice, NoticeSeverity
from schemas.order import GOOD_TO_SHIP
from schemas.plan import Backorder

LAPSE_SECONDS: Final = 86_400
"""What only happens, and is never over, is forgotten after a day without it."""


def of_letter(letter: DeadLetter, at: datetime) -> Notice:
    """A message was set aside. Letters of one stage and reason are one matter."""
    return Notice(
        key=f"dead-letters/{letter.stage}/{letter.reason}",
        explanation=NoticeCode.DEAD_LETTERS_NEW(stage=letter.stage, reason=letter.reason),
        severity=NoticeSeverity.WARNING,
        scope=FLEET,
        raised=True,
        at=at,
        lapse_seconds=LAPSE_SECONDS,
    )


def of_backorder(backorder: Backorder, at: datetime) -> list[Notice]:
    """A buyer has paid, and what they bought is not there: a matter for each SKU. An unpaid order is none."""
    if backorder.planned.order.payment not in GOOD_TO_SHIP:
        return []
    return [
        Notice(
            key=f"paid-backorders/{sku}",
            explanation=NoticeCode.PAID_BACKORDERS(sku=sku),
            severity=NoticeSeverity.WARNING,
            scope=FLEET,
            raised=True,
            at=at,
            lapse_seconds=LAPSE_SECONDS,
        )
        for sku in sorted(backorder.missing)
    ]
