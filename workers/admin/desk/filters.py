"""Which orders are meant, as a condition on the order book's table `orders`."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schemas.record import record
from workers.admin.desk.access import Actor, check_shop

STAGES: Final = (
    "review", "cancelled", "done", "shipped", "part-shipped", "routed", "transfer", "backordered", "unknown",
    "deferred", "unpaid", "planned",
)  # fmt: skip
"""Where an order can be; see workers/book/schema/."""


SEEN: Final = (
    "CASE WHEN book.is_current(review_revision, planned_revision) THEN review_revision ELSE planned_revision END"
)
"""The revision that a person looks at who sees an order in review: an older one may have come to review later."""


@record
class OrderFilter:
    """What is not given does not matter."""

    text: str | None = None  # an order uid, or a platform's order id
    shop: str | None = None  # channel:shop
    stage: str | None = None
    sku: str | None = None
    warehouse: str | None = None  # that was told to ship it, and not to stop
    placed_from: datetime | None = None
    placed_to: datetime | None = None


@record
class ReviewFilter:
    """Orders in review. What is not given does not matter."""

    code: str | None = None  # a reason why it waits
    shop: str | None = None  # channel:shop
    sku: str | None = None
    warehouse: str | None = None  # that is suggested
    until: datetime | None = None  # only what waits since before then
    uids: tuple[str, ...] = field(default_factory=tuple)  # only these
    refused_in: UUID | None = None  # only what this job was refused for
    refused_code: str | None = None  # with `refused_in`: for this reason
    not_ruleset: str | None = None  # planned by other rules than these, name@version
    without_skus: tuple[str, ...] = field(default_factory=tuple)  # with none of these


class Conditions:
    """Collects conditions and their values."""

    def __init__(self, actor: Actor) -> None:
        self._parts: list[str] = []
        self.values: dict[str, Any] = {}
        if actor.shops is not None:
            self.add("channel || ':' || shop_id = ANY(%(shops)s)", shops=sorted(actor.shops))

    def add(self, condition: str, **values: Any) -> None:
        """One more, with the values that it names."""
        self._parts.append(f"({condition})")
        self.values |= values

    def shop(self, actor: Actor, shop: str) -> None:
        """Of one shop. Raises NotAllowed when it is not the actor's."""
        check_shop(actor, shop)
        channel, _, shop_id = shop.partition(":")
        self.add("channel = %(channel)s AND shop_id = %(shop_id)s", channel=channel, shop_id=shop_id)

    def __str__(self) -> str:
        return " AND ".join(self._parts) or "true"


def of_orders(actor: Actor, wanted: OrderFilter) -> Conditions:
    """Orders that the actor sees and that are meant. Raises NotAllowed."""
    conditions = Conditions(actor)
    if wanted.text is not None:
        conditions.add("uid = %(text)s OR platform_order_id = %(text)s", text=wanted.text)
    else:
        conditions.add("placed_at IS NOT NULL")
    if wanted.shop is not None:
        conditions.shop(actor, wanted.shop)
    if wanted.stage is not None:
        conditions.add("stage = %(stage)s", stage=wanted.stage)
    if wanted.sku is not None:
        conditions.add("skus @> ARRAY[%(sku)s::text]", sku=wanted.sku)
    if wanted.warehouse is not None:
        conditions.add(_AT_WAREHOUSE, warehouse=wanted.warehouse)
    if wanted.placed_from is not None:
        conditions.add("placed_at >= %(placed_from)s", placed_from=wanted.placed_from)
    if wanted.placed_to is not None:
        conditions.add("placed_at < %(placed_to)s", placed_to=wanted.placed_to)
    return conditions


def of_review(actor: Actor, wanted: ReviewFilter) -> Conditions:
    """Orders in review that the actor sees and that are meant. Raises NotAllowed."""
    conditions = Conditions(actor)
    conditions.add("stage = 'review' AND review_at IS NOT NULL")  # as the index has them
    if wanted.code is not None:
        conditions.add("review_codes @> ARRAY[%(code)s::text]", code=wanted.code)
    if wanted.shop is not None:
        conditions.shop(actor, wanted.shop)
    if wanted.sku is not None:
        conditions.add("skus @> ARRAY[%(sku)s::text]", sku=wanted.sku)
    if wanted.warehouse is not None:
        conditions.add("suggested @> ARRAY[%(warehouse)s::text]", warehouse=wanted.warehouse)
    if wanted.until is not None:
        conditions.add("review_at <= %(until)s", until=wanted.until)
    if wanted.uids:
        conditions.add("uid = ANY(%(uids)s)", uids=list(wanted.uids))
    if wanted.not_ruleset is not None:
        conditions.add("ruleset <> %(not_ruleset)s", not_ruleset=wanted.not_ruleset)
    if wanted.without_skus:
        conditions.add("NOT skus && %(without_skus)s", without_skus=list(wanted.without_skus))
    if wanted.refused_in is not None:
        conditions.add(_REFUSED, refused_in=wanted.refused_in, refused_code=wanted.refused_code)
    return conditions


_AT_WAREHOUSE: Final = (
    "EXISTS (SELECT FROM book.shipments AS s WHERE s.order_uid = orders.uid AND s.warehouse_id = %(warehouse)s "
    "AND s.kind <> 'cancel')"
)
_REFUSED: Final = (
    "uid IN (SELECT order_uid FROM desk.job_orders WHERE job_id = %(refused_in)s AND state = 'refused' "
    "AND (%(refused_code)s::text IS NULL OR code = %(refused_code)s))"
)
