"""What one kind of fact about an order is in the book: its columns, and which of two facts about the same stays. Pure.

Of each aspect there is the rule in SQL, for what is in the book already. Where that is a total order, a chunk that says
something twice is folded by it first. Otherwise its rows are written one after the other, as they stand in their topic.
So it does not matter which topic comes first, how often a record comes, and in what portions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol

Row = tuple[Any, ...]

JSON: Final = "json"
"""A column whose values come as JSON text."""


class Fold(Protocol):
    """Which of two rows of one key stays."""

    def __call__(self, before: Row, now: Row, /) -> Row:
        """`before`: what came first."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Aspect:
    """One kind of row that is written to a table. Values of a row stand in the order of `columns`."""

    name: str
    table: str
    key: tuple[str, ...]
    columns: Mapping[str, str]  # name -> type of PostgreSQL, or JSON; the key's first
    where: str  # when a row that is there gives way to the one at hand: `o` is there, `excluded` is at hand
    fold: Fold | None = None  # None: rows of one key are written in turn
    sets: Mapping[str, str] = field(default_factory=dict)  # columns that are not simply replaced, and by what
    only: str = ""  # which rows at hand are written at all: a condition on `n`
    then: str = ""  # a statement that follows the rows of one portion, which are `{at_hand}` still

    def portions(self, rows: Iterable[Row]) -> list[list[Row]]:
        """What is written at once, one row a key, and sorted by it: locks are taken in the same order by everybody."""
        width = len(self.key)
        kept: list[dict[Row, Row]] = [{}]
        for row in rows:
            key = row[:width]
            turn = 0 if self.fold is not None else next((n for n, one in enumerate(kept) if key not in one), len(kept))
            if turn == len(kept):
                kept.append({})
            before = kept[turn].get(key)
            kept[turn][key] = row if self.fold is None or before is None else self.fold(before, row)
        return [[one[key] for key in sorted(one)] for one in kept if one]


# -- rules ---------------------------------------------------------------------------------------------------------


def extreme(
    name: str,
    table: str,
    columns: Mapping[str, str],
    key: tuple[str, ...],
    ranks: Sequence[str],
    prefer: Literal["<", ">"],
    *,
    shared: Sequence[str] = (),
) -> Aspect:
    """The row with the smallest, or greatest, `ranks` stays. Where nothing is there of this aspect, any does.

    `shared`: columns that another aspect writes, too, and whose word counts: they are only filled where nothing is.
    """
    places = [list(columns).index(rank) for rank in ranks]

    def fold(before: Row, now: Row) -> Row:
        first, second = [before[one] for one in places], [now[one] for one in places]
        return now if (second < first if prefer == "<" else second > first) else before

    here, there = ", ".join(f"excluded.{rank}" for rank in ranks), ", ".join(f"o.{rank}" for rank in ranks)
    where = f"o.{ranks[0]} IS NULL OR ({here}) {prefer} ({there})"
    sets = {column: f"coalesce(o.{column}, excluded.{column})" for column in shared if column not in key}
    return Aspect(name, table, key, columns, where, fold, sets)


# -- orders --------------------------------------------------------------------------------------------------------

IDENTITY: Final = MappingProxyType({"uid": "text", "channel": "text", "shop_id": "text", "platform_order_id": "text"})

PLANNED: Final = Aspect(
    "planned",
    "orders",
    ("uid",),
    {
        **IDENTITY,
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
    },
    """
    o.planned_revision IS NULL
    OR (o.planned_source > 0 AND (excluded.planned_source = 0
      OR (excluded.planned_revision, -excluded.planned_source, -excluded.planned_offset)
        > (o.planned_revision, -o.planned_source, -o.planned_offset)))
    OR (o.planned_source = 0 AND excluded.planned_source = 0 AND excluded.planned_offset > o.planned_offset
      AND takes_over(excluded.planned_revision, o.planned_revision, o.repeated_revision))
    """,
    sets={
        "repeated_revision": "CASE WHEN is_same_state(excluded.planned_revision, o.planned_revision) "
        "THEN o.repeated_revision END"
    },
    then="""
    UPDATE orders AS o SET repeated_revision = n.planned_revision FROM {at_hand} AS n
    WHERE o.uid = n.uid AND o.planned_source = 0 AND n.planned_source = 0
      AND n.planned_revision > o.planned_revision AND is_same_state(n.planned_revision, o.planned_revision)
      AND (o.repeated_revision IS NULL OR n.planned_revision > o.repeated_revision)
    """,
)
"""The plan that is in force, as the ledger knows it: see `schemas.revision.Newest`.

Of a topic other than orders.planned (`planned_source` 0) only where that one says nothing: it reaches further back.
`repeated_revision`: the last one in which the platform only repeated the state that is in force.
"""

DETAILS: Final = Aspect(
    "details",
    "order_details",
    ("uid",),
    {"uid": "text", "revision": "text", "source": "int2", "record_offset": "int8", "lines": JSON, "plan": JSON},
    "true",
    only="EXISTS (SELECT FROM orders AS p WHERE p.uid = n.uid AND p.planned_revision = n.revision "
    "AND p.planned_source = n.source AND p.planned_offset = n.record_offset)",
)
"""Of the very record that the plan in orders is of."""

REVIEW: Final = Aspect(
    "review",
    "orders",
    ("uid",),
    {
        **IDENTITY,
        "review_revision": "text",
        "review_offset": "int8",
        "review_at": "timestamptz",
        "review_codes": "text[]",
        "review_why": JSON,
        "suggested": "text[]",
        "unshipped": JSON,
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
    "orders",
    {**IDENTITY, "deferred_revision": "text", "deferred_offset": "int8", "not_before": "timestamptz"},
    ("uid",),
    ("deferred_offset",),
    ">",
)
BACKORDER: Final = extreme(
    "backorder",
    "orders",
    {
        **IDENTITY,
        "backorder_revision": "text",
        "backorder_offset": "int8",
        "backordered_at": "timestamptz",
        "missing": JSON,
        "after_expiry": "bool",
    },
    ("uid",),
    ("backorder_offset",),
    ">",
)
TRANSFER_WANTED: Final = extreme(
    "transfer_wanted",
    "orders",
    {**IDENTITY, "transfer_revision": "text", "transfer_offset": "int8", "transfer_at": "timestamptz"},
    ("uid",),
    ("transfer_offset",),
    ">",
)
ROUTED: Final = extreme(
    "routed",
    "orders",
    {**IDENTITY, "routed_revision": "text", "routed_at": "timestamptz", "parcels": "int4"},
    ("uid",),
    ("routed_revision", "routed_at", "parcels"),
    ">",
)
"""The greatest as text, as no order holds among the topics of several warehouses: repeated states are not routed."""


def _both_shipped(before: Row, now: Row) -> Row:
    return (*now[:4], max(before[4], now[4]), sorted({*before[5], *now[5]}))


SHIPPED: Final = Aspect(
    "shipped",
    "orders",
    ("uid",),
    {**IDENTITY, "shipped_at": "timestamptz", "shipped_from": "text[]"},
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

FOUND: Final = extreme("found", "orders", {**IDENTITY, "found_revision": "text"}, ("uid",), ("found_revision",), ">")
"""For which revision stock and warehouses were already as wanted: nobody is told anything then."""

ACKNOWLEDGED: Final = extreme(
    "acknowledged",
    "orders",
    {**IDENTITY, "acknowledged_revision": "text"},
    ("uid",),
    ("acknowledged_revision",),
    ">",
)
"""Up to which revision a person has seen what nobody can change any more: its goods had left."""

# -- shipments -----------------------------------------------------------------------------------------------------

_SHIPMENT: Final = ("order_uid", "warehouse_id")

INSTRUCTION: Final = extreme(
    "instruction",
    "shipments",
    {
        "order_uid": "text",
        "warehouse_id": "text",
        "revision": "text",
        "instruction_offset": "int8",
        "instruction_id": "text",
        "kind": "text",
        "parcel": "int4",
        "parcels": "int4",
        "units": "int8",
        "ship_by": "timestamptz",
        "routed_at": "timestamptz",
    },
    _SHIPMENT,
    ("instruction_offset",),
    ">",
)
WMS: Final = extreme(
    "wms",
    "shipments",
    {
        "order_uid": "text",
        "warehouse_id": "text",
        "wms_at": "timestamptz",
        "wms_message": "text",
        "wms_kind": "text",
        "wms_instruction": "text",
        "wms_reason": "text",
    },
    _SHIPMENT,
    ("wms_at", "wms_message", "wms_kind", "wms_instruction", "wms_reason"),
    ">",
)
"""What the warehouse did last, by its own clock."""

LEFT: Final = extreme(
    "left",
    "shipments",
    {"order_uid": "text", "warehouse_id": "text", "shipped_at": "timestamptz"},
    _SHIPMENT,
    ("shipped_at",),
    ">",
)
STOCK: Final = extreme(
    "stock",
    "shipments",
    {
        "order_uid": "text",
        "warehouse_id": "text",
        "stock_sequence": "int8",
        "stock_state": "text",
        "hold_until": "timestamptz",
    },
    _SHIPMENT,
    ("stock_sequence",),
    ">",
)
WAREHOUSE: Final = extreme(
    "warehouse",
    "warehouses",
    {"warehouse_id": "text", "began_sequence": "int8", "began_at": "timestamptz"},
    ("warehouse_id",),
    ("began_sequence",),
    ">",
)

# -- decisions -----------------------------------------------------------------------------------------------------

_DECISION: Final = MappingProxyType(
    {"decision_id": "text", "order_uid": "text", "kind": "text", "who": "text", "at": "timestamptz"}
)
ASKED: Final = extreme(
    "asked",
    "decisions",
    {**_DECISION, "asked_offset": "int8", "seen": "text", "warehouse_id": "text", "codes": "text[]"},
    ("decision_id",),
    ("asked_offset",),
    "<",
    shared=tuple(_DECISION),
)
"""The same id is the same decision: the first counts."""

DECIDED: Final = extreme(
    "decided",
    "decisions",
    {
        **_DECISION,
        "decided_offset": "int8",
        "decided_at": "timestamptz",
        "refusal": "text",
        "refused_where": "text",
        "revision": "text",
        "issued": "text",
        "number": "int4",
    },
    ("decision_id",),
    ("decided_offset",),
    "<",
)

# -- what is told once ---------------------------------------------------------------------------------------------

TRANSFER: Final = extreme(
    "transfer",
    "transfers",
    {
        "transfer_id": "text",
        "order_uid": "text",
        "revision": "text",
        "to_warehouse": "text",
        "from_warehouse": "text",
        "quantities": JSON,
        "requested_at": "timestamptz",
    },
    ("transfer_id",),
    ("requested_at",),
    "<",
)
TIMELINE: Final = extreme(
    "timeline",
    "timeline",
    {
        "order_uid": "text",
        "kind": "text",
        "ref": "text",
        "warehouse_id": "text",
        "at": "timestamptz",
        "codes": "text[]",
    },
    ("order_uid", "kind", "ref", "warehouse_id"),
    ("at", "codes"),
    "<",
)
LETTER: Final = extreme(
    "letter",
    "dead_letters",
    {
        "letter_id": "text",
        "letter_offset": "int8",
        "quarantined_at": "timestamptz",
        "stage": "text",
        "reason": "text",
        "order_uid": "text",
        "topic": "text",
        "partition": "int4",
        "record_offset": "int8",
        "at": "timestamptz",
        "attempts": "int4",
        "failures": JSON,
    },
    ("letter_id",),
    ("letter_offset",),
    ">",
)

ASPECTS: Final[tuple[Aspect, ...]] = (
    PLANNED,
    REVIEW,
    DEFERRED,
    BACKORDER,
    TRANSFER_WANTED,
    ROUTED,
    SHIPPED,
    FOUND,
    ACKNOWLEDGED,
    DETAILS,
    INSTRUCTION,
    WMS,
    LEFT,
    STOCK,
    WAREHOUSE,
    ASKED,
    DECIDED,
    TRANSFER,
    TIMELINE,
    LETTER,
)
"""In the order in which they are written: a table's rows are always locked in the same one."""
