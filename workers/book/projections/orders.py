"""What was decided about an order: orders.planned, and what goes to people, to the queue of later, or to wait. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workers.book.aspect import Row
from workers.book.excerpts import BackorderExcerpt, CandidateExcerpt, DeferredExcerpt, PlannedExcerpt, ReviewExcerpt
from workers.book.facts import Fact, Place, happened, identity, json, utc
from workers.book.order_aspects import BACKORDER, DEFERRED, PLANNED, REVIEW

_PLANNED, _REVIEW, _DEFERRED, _BACKORDER = range(4)
"""Where a plan is from. The first is preferred: the others repeat it, with a disposition of their own."""


def planned(said: PlannedExcerpt, place: Place) -> Sequence[Fact]:
    """Of orders.planned."""
    uid, revision = said.order.uid, said.order.revision
    codes = (said.plan.disposition, *said.plan.hold_codes)
    return [*_plan(said, place, _PLANNED), happened(uid, "planned", revision, place.at, codes)]


def reviewed(said: ReviewExcerpt, place: Place) -> Sequence[Fact]:
    """Of orders.review."""
    order, plan = said.planned.order, said.planned.plan
    codes = list(plan.hold_codes)
    row = (
        *identity(order.uid),
        order.revision,
        place.offset,
        place.at,
        codes,
        json(plan.explanation),
        _warehouses(plan.suggested),
        json(said.missing),
    )
    ref = f"{order.revision} {' '.join(codes)}"
    return [
        *_plan(said.planned, place, _REVIEW),
        (REVIEW, row),
        happened(order.uid, "review", ref, place.at, codes),
    ]


def deferred(said: DeferredExcerpt, place: Place) -> Sequence[Fact]:
    """Of orders.deferred."""
    order = said.planned.order
    row = (*identity(order.uid), order.revision, place.offset, utc(said.not_before))
    return [
        *_plan(said.planned, place, _DEFERRED),
        (DEFERRED, row),
        happened(order.uid, "deferred", order.revision, place.at),
    ]


def backordered(said: BackorderExcerpt, place: Place) -> Sequence[Fact]:
    """Of orders.backordered."""
    order = said.planned.order
    row = (*identity(order.uid), order.revision, place.offset, place.at, json(said.missing), said.after_expiry)
    return [
        *_plan(said.planned, place, _BACKORDER),
        (BACKORDER, row),
        happened(order.uid, "backordered", order.revision, place.at, sorted(said.missing)),
    ]


def _plan(said: PlannedExcerpt, place: Place, source: int) -> list[Fact]:
    order, plan = said.order, said.plan
    row: Row = (
        *identity(order.uid),
        order.revision,
        source,
        place.offset,
        place.at,
        utc(order.placed_at),
        utc(order.paid_at),
        utc(order.ship_by),
        order.status,
        order.payment,
        plan.disposition,
        plan.ruleset,
        order.ship_to.province,
        order.ship_to.city,
        order.currency,
        order.totals.paid,
        sum([line.quantity for line in order.lines]),
        len(order.lines),
        sorted({line.sku for line in order.lines if line.sku}),
        list(said.tags),
        [flag.code for flag in said.flags],
        list(plan.hold_codes),
        json(order.lines),
        json(_trace(said)),
    )
    return [(PLANNED, row)]


def _trace(said: PlannedExcerpt) -> dict[str, Any]:
    """Why it was decided so, in codes: wording is made where people read it."""
    plan = said.plan
    return {
        "disposition": plan.disposition,
        "ruleset": plan.ruleset,
        "on_short": plan.on_short,
        "candidates": _warehouses(plan.candidates),
        "suggested": _warehouses(plan.suggested),
        "matches": plan.matches,
        "gave_up": plan.gave_up,
        "returns": plan.returns,
        "flags": said.flags,
        "explanation": plan.explanation,
    }


def _warehouses(candidates: Sequence[CandidateExcerpt]) -> list[str]:
    return [each.warehouse_id for each in candidates]
