"""The stages that turn what happens into notices: nothing on the way of orders waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from schemas.dead_letter import DeadLetter
from schemas.notice import Notice
from schemas.plan import Backorder
from workers.runtime.stage import Delivery, EachOf
from workers.watch.decide import of_backorder, of_letter


def notice_letters(_services: object) -> EachOf[DeadLetter]:
    """The agent that reads `orders.quarantined`."""
    return EachOf(_letter)


def notice_backorders(_services: object) -> EachOf[Backorder]:
    """The agent that reads `orders.backordered`."""
    return EachOf(_backorder)


def _letter(delivery: Delivery[DeadLetter]) -> Sequence[Notice]:
    return [of_letter(delivery.value, _at(delivery))]


def _backorder(delivery: Delivery[Backorder]) -> Sequence[Notice]:
    return of_backorder(delivery.value, _at(delivery))


def _at(delivery: Delivery[Any]) -> datetime:
    """The record's own time: the same on every repeat."""
    return datetime.fromtimestamp(delivery.timestamp_ms / 1000, UTC)
