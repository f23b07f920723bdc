"""What is said of an order: the columns of the table orders, and its details. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Final

from workers.book.aspect import JSON, JSONB, Aspect, Otherwise, Sheet, extreme

IDENTITY: Final = MappingProxyType({"uid": "text", "channel": "text", "shop_id": "text", "platform_order_id": "text"})


def _newer_plan(before: Sequence[Any], now: Sequence[Any]) -> Sequence[Any] | None:
    """As the guard below says, where it is a total order."""
    (revision, source, offset), (later, from_source, at) = before[:3], now[:3]
    if source == 0 == from_source:
        return None
    if source == 0 or from_source == 0:
        return before if source == 0 else now
    return now if (later, -from_source, -at) > (revision, -source, -offset) else before


PLANNED: Final = Aspect(
    "planned",
    {
        "planned_revision": "text",
        "planned_source": "int2",
        "planned_offset": "int8",
        "planned_at": "timestamptz",
        "placed_at": "timestamptz",
        "paid_at": "timestamptz",
        "ship_by": "timestamptz",
        "platform_status": "text",
        "payment": "text",
        "disposition": "text",
        "ruleset": "text",
        "province": "text",
        "city": "text",
        "currency": "text",
        "paid": "int8",
        "units": "int8",
        "line_count": "int4",
        "skus": "text[]",
        "tags": "text[]",
        "flags": "text[]",
        "hold_codes": "text[]",
        "lines": JSON,
        "plan": JSON,
    },
    """
    o.planned_revision IS NULL
    OR (o.planned_source > 0 AND (excluded.planned_source = 0
      OR (excluded.planned_revision, -excluded.planned_source, -excluded.planned_offset)
        > (o.planned_revision, -o.planned_source, -o.planned_offset)))
    OR (o.planned_source = 0 AND excluded.planned_source = 0 AND excluded.planned_offset > o.planned_offset
      AND takes_over(excluded.planned_revision, o.planned_revision, o.repeated_revision))
    """,
    _newer_plan,
    sets={
        "repeated_revision": "CASE WHEN is_same_state(excluded.planned_revision, o.planned_revision) "
        "THEN o.repeated_revision END"
    },
    otherwise=Otherwise(
        "repeated_revision",
        """
        o.planned_source = 0 AND excluded.planned_source = 0
        AND excluded.planned_revision > o.planned_revision
        AND is_same_state(excluded.planned_revision, o.planned_revision)
        AND (o.repeated_revision IS NULL OR excluded.planned_revision > o.repeated_revision)
        """,
        "excluded.planned_revision",
    ),
    carried=("lines", "plan"),
    then="""
    INSERT INTO order_details AS d (uid, revision, source, record_offset, lines, plan)
    SELECT n.uid, n.planned_revision, n.planned_source, n.planned_offset, n.lines, n.plan FROM {at_hand} AS n
    WHERE n.planned_revision IS NOT NULL AND EXISTS (SELECT FROM orders AS p
      WHERE p.uid = n.uid AND p.planned_revision = n.planned_revision
        AND p.planned_source = n.planned_source AND p.planned_offset = n.planned_offset)
    ON CONFLICT (uid) DO UPDATE SET revision = excluded.revision, source = excluded.source,
      record_offset = excluded.record_offset, lines = excluded.lines, plan = excluded.plan
    """,
)
"""The plan that is in force, as the ledger knows it: see `schemas.revision.Newest`. Details are of the same record.

Of a topic other than orders.planned (`planned_source` 0) only where that one says nothing: it reaches further back.
`repeated_revision`: the last one in which the platform only repeated the state that is in force.
"""

REVIEW: Final = Aspect(
    "review",
    {
        "review_revision": "text",
        "review_offset": "int8",
        "review_at": "timestamptz",
        "review_codes": "text[]",
        "review_why": JSONB,
        "suggested": "text[]",
        "unshipped": JSONB,
    },
    """
    o.review_revision IS NULL OR CASE
      WHEN is_same_state(excluded.review_revision, o.review_revision)
      THEN (tries_of(excluded.review_revision), excluded.review_offset)
        > (tries_of(o.review_revision), o.review_offset)
      ELSE excluded.review_revision > o.review_revision
    END
    """,
)
"""Of the newest state the last one, but none of an earlier try: a repetition does not undo what a warehouse said of it.

An older state may come to review after a newer one: who decides about that would decide about what nobody has any more.
"""

DEFERRED: Final = extreme(
    "deferred",
    {"deferred_revision": "text", "deferred_offset": "int8", "not_before": "timestamptz"},
    ("deferred_offset",),
    ">",
)
BACKORDER: Final = extreme(
    "backorder",
    {
        "backorder_revision": "text",
        "backorder_offset": "int8",
        "backordered_at": "timestamptz",
        "missing": JSONB,
        "after_expiry": "bool",
    },
    ("backorder_offset",),
    ">",
)
TRANSFER_WANTED: Final = extreme(
    "transfer_wanted",
    {"transfer_revision": "text", "transfer_offset": "int8", "transfer_at": "timestamptz"},
    ("transfer_offset",),
    ">",
)
ROUTED: Final = extreme(
    "routed",
    {"routed_revision": "text", "routed_at": "timestamptz", "parcels": "int4"},
    ("routed_revision", "routed_at", "parcels"),
    ">",
)
"""The greatest as text, as no order holds among the topics of several warehouses: repeated states are not routed."""


def _both_shipped(before: Sequence[Any], now: Sequence[Any]) -> Sequence[Any]:
    return max(before[0], now[0]), sorted({*before[1], *now[1]})


SHIPPED: Final = Aspect(
    "shipped",
    {"shipped_at": "timestamptz", "shipped_from": "text[]"},
    "o.shipped_at IS NULL OR excluded.shipped_at > o.shipped_at OR NOT excluded.shipped_from <@ o.shipped_from",
    _both_shipped,
    {
        "shipped_at": "greatest(o.shipped_at, excluded.shipped_at)",
        "shipped_from": "CASE WHEN o.shipped_from IS NULL THEN excluded.shipped_from ELSE "
        'ARRAY(SELECT DISTINCT one COLLATE "C" FROM unnest(o.shipped_from || excluded.shipped_from) AS one ORDER BY 1) '
        "END",
    },
)
"""When goods left last, and from which warehouses."""

FOUND: Final = extreme("found", {"found_revision": "text"}, ("found_revision",), ">")
"""For which revision stock and warehouses were already as wanted: nobody is told anything then."""

ACKNOWLEDGED: Final = extreme("acknowledged", {"acknowledged_revision": "text"}, ("acknowledged_revision",), ">")
"""Up to which revision a person has seen what nobody can change any more: its goods had left."""

ORDERS: Final = Sheet(
    "orders",
    ("uid",),
    IDENTITY,
    (PLANNED, REVIEW, DEFERRED, BACKORDER, TRANSFER_WANTED, ROUTED, SHIPPED, FOUND, ACKNOWLEDGED),
)
