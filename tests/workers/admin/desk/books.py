"""An order book with orders in it, as its stage writes them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import SecretStr

from schemas.codes import PlanReason
from schemas.plan import Disposition, PlannedOrder, to_review
from schemas.topics import ORDERS_PLANNED, ORDERS_REVIEW
from tests.builders import NOON, a_line, a_plan, a_planned_order, an_order
from tests.workers.book.records import Topics
from workers.book.agent import BookKeeper
from workers.runtime.stage import NotOurTurn


def in_review(
    number: str, *, shop: str = "tea-house", channel: str = "taobao", sku: str = "NUT-BOX-500", at: datetime = NOON
) -> PlannedOrder:
    """An order that a rule sends to a person."""
    order = an_order(number, shop_id=shop, channel=channel, lines=(a_line(sku),), placed_at=at)
    return a_planned_order(order, a_plan(disposition=Disposition.REVIEW))


def fill(
    url: str, waiting: Sequence[PlannedOrder], *, code: str = "no-rule", routed: Sequence[PlannedOrder] = ()
) -> None:
    """Write orders that wait for a person for one reason, and such that do not."""
    topics = Topics()
    for minutes, planned in enumerate(waiting):
        at = NOON + timedelta(minutes=minutes)
        topics.add(ORDERS_PLANNED, planned.order.uid, planned, at)
        topics.add(ORDERS_REVIEW, planned.order.uid, to_review(planned, code, PlanReason.NO_RULE()), at)
    for planned in routed:
        topics.add(ORDERS_PLANNED, planned.order.uid, planned)
    deadline = time.monotonic() + 10
    while True:
        try:
            with BookKeeper(SecretStr(url), 1).session() as session:
                session.write(topics.messages)
            return
        except NotOurTurn:  # the server has not noticed yet that the writer before has left
            assert time.monotonic() < deadline
            time.sleep(0.02)
