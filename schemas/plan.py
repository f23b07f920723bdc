"""What was decided about an order: its tags and flags, where it may ship from, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schemas.codes import Explanation
from schemas.decision import Upheld
from schemas.ids import Slug
from schemas.order import Order
from schemas.record import changed, record


class Disposition(StrEnum):
    """What happens to an order next. Every revision gets exactly one."""

    RESERVE = "reserve"  # take stock: held while unpaid, committed once paid
    REVIEW = "review"  # a person decides; stock that the order already has stays with it
    DEFER = "defer"  # not yet due; stock that the order already has stays with it
    RELEASE = "release"  # cancelled: give back whatever the order has
    IGNORE = "ignore"  # nothing left for us to ship (shipped, completed, services only)


class OnShort(StrEnum):
    """What to do when no single candidate can fill the order."""

    NEXT = "next"  # try the candidates in order, then backorder
    SPLIT = "split"  # the fewest parcels over the candidates, then backorder
    TRANSFER = "transfer"  # ask for stock to be moved to the first candidate
    BACKORDER = "backorder"


@record
class Flag:
    """A finding about an order that a person should see. `blocks` sends the order to review."""

    code: str  # a hold code: gift-missing, gift-without-main, promised-gift-without-line, sku-unknown ...
    explanation: Explanation | None = None  # what exactly, a code of schemas.codes.FlagReason; None: see `message`
    message: str = ""  # English, in records of versions before this one had an explanation; empty since
    blocks: bool = True
    line_ids: tuple[str, ...] = ()


@record
class UpheldOrder:
    """An order as people have corrected it, with what else stands of their decisions; None: nobody decided anything."""

    order: Order
    upheld: Upheld | None = None


@record
class TaggedOrder:
    """An order whose lines carry kind, category and storage class, with what tagging found."""

    order: Order
    tags: tuple[str, ...] = ()  # promo, gift, free-shipping ... and tags that rules add
    flags: tuple[Flag, ...] = ()
    upheld: Upheld | None = None  # what stands of people's decisions


@record
class Candidate:
    """A warehouse that may ship the order, in the order in which it should be tried."""

    warehouse_id: Slug
    rule: str
    forced: bool = False


@record
class RuleMatch:
    """A rule whose conditions held, and what became of its action."""

    rule: str
    priority: int
    action: str  # as written: "assign: hangzhou"
    effects: tuple[Explanation, ...] = ()  # codes of schemas.codes.RuleEffect: one for each part of the action
    effect: str = ""  # English, in records of versions before this one had effects; empty since


MOST_RETURNS: Final = 9
"""So often an order that warehouses gave back is placed anew by itself; after that a person looks at it.

How often it waited for stock meanwhile does not count: that is no warehouse's refusal.
"""


@record
class RoutingPlan:
    """Where an order may ship from and why: the decision trace."""

    disposition: Disposition
    ruleset: str  # name@version of the ruleset that decided
    explanation: Explanation | None = None  # why this disposition, a code of PlanReason; None: see `reason`
    reason: str = ""  # English, in records of versions before this one had an explanation; empty since
    candidates: tuple[Candidate, ...] = ()
    on_short: OnShort = OnShort.NEXT
    matches: tuple[RuleMatch, ...] = ()
    not_before: datetime | None = None  # with DEFER: when it is looked at again, None = when the platform says so
    hold_codes: tuple[str, ...] = ()  # with REVIEW: the flags, holds and rules that ask for it
    suggested: tuple[Candidate, ...] = ()  # with REVIEW and DEFER: where it would go if released
    gave_up: tuple[Slug, ...] = ()  # warehouses whose WMS gave the order back: not asked again for this revision
    returns: int = 0  # how often warehouses gave it back since the platform changed it; tries for stock do not count


@record
class PlannedOrder:
    """On `orders.planned`: an order with everything decided about it."""

    order: Order
    plan: RoutingPlan
    tags: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    decided: int = 0  # how many decisions of people it takes into account: one that knows fewer takes no stock


@record
class ReviewOrder:
    """On `orders.review`: an order that a person must look at before it may ship."""

    planned: PlannedOrder
    missing: dict[str, int] = field(default_factory=dict)  # shipped in part: sku -> units that nobody is told to ship


def to_review(
    planned: PlannedOrder, code: str, explanation: Explanation, missing: Mapping[str, int] = MappingProxyType({})
) -> ReviewOrder:
    """An order that was to be reserved, now for a person to decide, under one more hold code and for this reason.

    Suggested are the candidates that have not given it back. The same for the same, byte by byte.
    """
    plan = planned.plan
    plan = changed(
        plan,
        disposition=Disposition.REVIEW,
        explanation=explanation,
        reason="",
        candidates=(),
        suggested=tuple(one for one in plan.candidates if one.warehouse_id not in plan.gave_up),
        hold_codes=(*plan.hold_codes, code),
    )
    return ReviewOrder(planned=changed(planned, plan=plan), missing=dict(missing))


@record
class DeferredOrder:
    """On `orders.deferred`: an order that is not yet due."""

    planned: PlannedOrder
    not_before: datetime | None
    tags: tuple[str, ...] = ()  # as tagging found them, before rules added theirs


@record
class ReturnedOrder:
    """On `orders.returned`: an order that waited long enough, to be decided anew as of `at`, under a retry revision."""

    tagged: TaggedOrder
    at: datetime


@record
class Backorder:
    """On `orders.backordered`: an order that no warehouse can fill now."""

    planned: PlannedOrder
    missing: dict[str, int]  # sku -> units short at the best candidate
    after_expiry: bool = False  # it was paid after its hold had been given back: tell the buyer


@record
class TransferRequest:
    """On `transfers.requested`: move these units to `to_warehouse` so that the order can be filled there."""

    transfer_id: str
    order_uid: str
    revision: str
    to_warehouse: Slug
    quantities: dict[str, int]  # sku -> units
    from_warehouse: Slug | None = None  # where enough was seen, None = replenishment decides
