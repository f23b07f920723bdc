"""Orders in the book: found by what is known of them, and one with all that happened to it.

Plain functions over a connection that finds the book's tables (`workers.book.database.connect`). Pages go by a place:
the one after which the next page begins, or before which the last one ends. `shops`: those that may be seen, each
`channel:shop`; None: all. All raise TransientError.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from psycopg import sql
from psycopg.rows import dict_row

from schemas.record import record
from workers.book.conditions import Condition, of_shops, seen_shops, together
from workers.book.database import Connection, told

MOST: Final = 500
"""Rows of one page, at the most."""

Place = tuple[datetime, str]
"""When the last order of a page was placed (or came to review), and its uid."""


@record
class OrderRow:
    """An order in a list. Money in minor units of `currency`."""

    uid: str
    channel: str
    shop_id: str
    platform_order_id: str
    stage: str
    placed_at: datetime | None
    paid_at: datetime | None
    ship_by: datetime | None
    payment: str | None
    province: str | None
    city: str | None
    currency: str | None
    paid: int | None
    units: int | None
    skus: tuple[str, ...]
    tags: tuple[str, ...]
    hold_codes: tuple[str, ...]
    review_codes: tuple[str, ...]
    routed_at: datetime | None
    shipped_at: datetime | None
    warehouses: tuple[str, ...]  # told to ship it, and not to stop


@record
class OrderFilter:
    """What orders are looked for: all that is given must hold."""

    uid: str = ""
    platform_order_id: str = ""
    shops: tuple[str, ...] = ()  # channel:shop
    shop_ids: tuple[str, ...] = ()  # whatever the channel
    stages: tuple[str, ...] = ()
    sku: str = ""
    warehouse_id: str = ""
    tag: str = ""
    placed_from: datetime | None = None
    placed_before: datetime | None = None


@record
class OrderPage:
    """Newest first. `after`: where the next page begins; None: this is the last one. `before`: the same backwards."""

    rows: tuple[OrderRow, ...]
    after: Place | None
    before: Place | None = None


@record
class ShipmentRow:
    """An order in a warehouse."""

    warehouse_id: str
    state: str
    kind: str | None
    revision: str | None
    parcel: int | None
    parcels: int | None
    units: int | None
    ship_by: datetime | None
    routed_at: datetime | None
    wms_kind: str | None
    wms_at: datetime | None
    wms_reason: str | None
    shipped_at: datetime | None
    stock_state: str | None  # None, too, when the warehouse's stock began anew since
    hold_until: datetime | None


@record
class TimelineEntry:
    """Something that happened to an order."""

    at: datetime
    kind: str
    ref: str  # a revision, a message id, a sequence or a letter id
    warehouse_id: str
    codes: tuple[str, ...]


@record
class DecisionRow:
    """What a person decided about an order. `state`: pending, done or refused; then `refusal` is the code."""

    decision_id: str
    order_uid: str
    kind: str
    who: str
    at: datetime
    state: str
    decided_at: datetime | None
    refusal: str | None
    refused_where: str | None
    revision: str | None
    issued: str | None


@record
class OrderView:
    """All that the book knows of one order."""

    order: OrderRow
    revision: str | None
    lines: tuple[dict[str, Any], ...]
    plan: dict[str, Any]  # codes and arguments: schemas.codes makes words of them
    review_why: dict[str, Any] | None
    suggested: tuple[str, ...]
    missing: dict[str, int]
    unshipped: dict[str, int]
    not_before: datetime | None
    shipments: tuple[ShipmentRow, ...]
    decisions: tuple[DecisionRow, ...]
    timeline: tuple[TimelineEntry, ...]


def find_orders(
    connection: Connection,
    wanted: OrderFilter,
    *,
    shops: Sequence[str] | None = None,
    after: Place | None = None,
    before: Place | None = None,
    most: int = 50,
) -> OrderPage:
    """A page of orders, newest first. Those of which nobody said when they were placed are found by their ids only.

    `after`, `before`: the place of another page, not both.
    """
    limit = min(most, MOST)
    conditions = order_conditions(wanted)
    if after is not None or before is not None:
        sign = "<" if before is None else ">"
        conditions.append((f"(o.placed_at, o.uid) {sign} (%s, %s)", list(after or before or ())))
    elif not is_by_id(wanted):
        conditions.append(("o.placed_at IS NOT NULL", []))
    direction = "DESC" if before is None else "ASC"
    text, values = _newest(conditions, seen_shops(wanted.shops, shops), direction, limit + 1)
    found = [order_row(row) for row in rows_of(connection, text, values)]
    page, is_more = found[:limit], len(found) > limit
    if before is not None:
        page.reverse()
    is_later, is_earlier = (is_more, after is not None) if before is None else (True, is_more)
    return OrderPage(
        rows=tuple(page),
        after=_place(page[-1]) if page and is_later else None,
        before=_place(page[0]) if page and is_earlier else None,
    )


def _place(row: OrderRow) -> Place | None:
    return None if row.placed_at is None else (row.placed_at, row.uid)


def _newest(conditions: list[Condition], shops: list[str] | None, direction: str, limit: int) -> tuple[str, list[Any]]:
    """The query. Of several shops, those of each are looked up by themselves: an index has them in this order."""
    order = f"ORDER BY o.placed_at {direction}, o.uid {direction} LIMIT %s"
    if shops is None or len(shops) < 2:
        where, values = together([*conditions, *([] if shops is None else [of_shops(shops)])])
        return f"SELECT {ORDER_COLUMNS} FROM orders AS o WHERE {where} {order}", [*values, limit]
    pairs = [value for shop in shops for value in shop.partition(":")[::2]]
    where, values = together(conditions)
    each = f"SELECT o.* FROM orders AS o WHERE o.channel = w.channel AND o.shop_id = w.shop_id AND {where} {order}"
    text = (
        f"SELECT {ORDER_COLUMNS} FROM (VALUES {', '.join(['(%s, %s)'] * len(shops))}) AS w (channel, shop_id) "
        f"CROSS JOIN LATERAL ({each}) AS o {order}"
    )
    return text, [*pairs, *values, limit, limit]


def is_by_id(wanted: OrderFilter) -> bool:
    """Whether single orders are looked for."""
    return bool(wanted.uid or wanted.platform_order_id)


def order_conditions(wanted: OrderFilter) -> list[Condition]:
    """What must hold of an order, but for its shop."""
    given: list[tuple[str, Any]] = [
        ("o.uid = %s", wanted.uid),
        ("o.platform_order_id = %s", wanted.platform_order_id),
        ("o.shop_id = ANY(%s)", list(wanted.shop_ids)),
        ("o.stage = ANY(%s)", list(wanted.stages)),
        ("o.skus @> ARRAY[%s]", wanted.sku),
        ("o.tags @> ARRAY[%s]", wanted.tag),
        ("o.placed_at >= %s", wanted.placed_from),
        ("o.placed_at < %s", wanted.placed_before),
        (_TOLD, wanted.warehouse_id),
    ]
    return [(text, [value]) for text, value in given if value]


def show_order(connection: Connection, uid: str, *, shops: Sequence[str] | None = None) -> OrderView | None:
    """One order; None when the book does not know it, or it may not be seen."""
    where, values = together([("o.uid = %s", [uid]), *([] if shops is None else [of_shops(shops)])])
    found = rows_of(connection, f"SELECT {ORDER_COLUMNS}, {_MORE} WHERE {where}", values)
    if not found:
        return None
    [row] = found
    shipments = rows_of(connection, _SHIPMENTS, [uid])
    timeline = rows_of(connection, _TIMELINE, [uid])
    decisions = rows_of(connection, _DECISIONS, [uid])
    return OrderView(
        order=order_row(row),
        revision=row["planned_revision"],
        lines=tuple(row["lines"] or ()),
        plan=row["plan"] or {},
        review_why=row["review_why"],
        suggested=tuple(row["suggested"] or ()),
        missing=row["missing"] or {},
        unshipped=row["unshipped"] or {},
        not_before=row["not_before"],
        shipments=tuple(ShipmentRow(**one) for one in shipments),
        decisions=tuple(DecisionRow(**one) for one in decisions),
        timeline=tuple(TimelineEntry(**{**one, "codes": tuple(one["codes"])}) for one in timeline),
    )


def order_row(row: dict[str, Any]) -> OrderRow:
    """From a row with at least these columns."""
    return OrderRow(**{name: _plain(row[name]) for name in _NAMES})


def rows_of(connection: Connection, text: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    """Ask in a transaction of its own. `text`: SQL of our own, with gaps for the values."""
    with told(), connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql.SQL(text), values).fetchall()


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_TOLD: Final = (
    "EXISTS (SELECT FROM shipments AS s WHERE s.order_uid = o.uid AND s.warehouse_id = %s AND s.kind <> 'cancel')"
)
_ARRAYS: Final = ("skus", "tags", "hold_codes", "review_codes")
_NAMES: Final = tuple(OrderRow.__struct_fields__)  # type: ignore[attr-defined]  # a record is a struct
ORDER_COLUMNS: Final = ", ".join(
    f"coalesce(o.{name}, '{{}}') AS {name}" if name in _ARRAYS else f"o.{name}"
    for name in _NAMES
    if name != "warehouses"
) + (
    ", ARRAY(SELECT s.warehouse_id FROM shipments AS s WHERE s.order_uid = o.uid AND s.kind <> 'cancel' "
    "ORDER BY s.warehouse_id) AS warehouses"
)
_MORE: Final = """
    o.planned_revision, o.review_why, o.suggested, o.missing, o.unshipped, o.not_before, d.lines, d.plan
    FROM orders AS o LEFT JOIN order_details AS d USING (uid)
"""
_SHIPMENTS: Final = """
    SELECT s.warehouse_id, s.state, s.kind, s.revision, s.parcel, s.parcels, s.units, s.ship_by, s.routed_at,
      s.wms_kind, s.wms_at, s.wms_reason, s.shipped_at, s.hold_until,
      CASE WHEN s.stock_sequence > coalesce(w.began_sequence, 0) THEN s.stock_state END AS stock_state
    FROM shipments AS s LEFT JOIN warehouses AS w USING (warehouse_id)
    WHERE s.order_uid = %s ORDER BY s.routed_at NULLS LAST, s.warehouse_id
"""
_DECISIONS: Final = """
    SELECT decision_id, order_uid, kind, who, at, state, decided_at, refusal, refused_where, revision, issued
    FROM decisions WHERE order_uid = %s ORDER BY at, decision_id
"""
_TIMELINE: Final = """
    SELECT at, kind, ref, warehouse_id, codes FROM timeline WHERE order_uid = %s ORDER BY at, kind, ref, warehouse_id
"""
