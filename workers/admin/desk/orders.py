"""Orders at the desk, as the order book knows them: found, shown with what happened to them, and those in review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Any, Final

from schemas.record import changed, record
from schemas.text import Text
from workers.admin.desk.access import Actor, Deed, shop_of
from workers.admin.desk.deeds import Deeds
from workers.admin.desk.filters import SEEN, Conditions, OrderFilter, ReviewFilter, of_orders, of_review
from workers.admin.desk.paging import Page, checked_limit, cut, from_cursor
from workers.admin.errors import NotFound
from workers.book.queries import OrderView, ShipmentRow, TimelineEntry, show_order
from workers.runtime.postgres.database import Connection, Database

MOST_ENTRIES: Final = 1000
"""Of a timeline: the newest."""

_SUMMARY: Final = (
    "uid", "channel", "shop_id", "platform_order_id", "planned_revision", "stage", "placed_at", "paid_at", "ship_by",
    "payment", "platform_status", "province", "city", "currency", "paid", "units", "line_count", "skus", "tags",
)  # fmt: skip


@record
class OrderSummary:
    """One order in a list. Amounts in minor units (fen), times in UTC. No receiver beyond province and city."""

    uid: str
    channel: str
    shop_id: str
    platform_order_id: str
    revision: str | None
    stage: str
    placed_at: datetime | None
    paid_at: datetime | None
    ship_by: datetime | None
    payment: str | None
    platform_status: str | None
    province: str | None
    city: str | None
    currency: str | None
    paid: int | None
    units: int | None
    line_count: int | None
    skus: list[str]
    tags: list[str]


@record
class InReview:
    """An order that waits for a person: since when, why, and what was suggested."""

    order: OrderSummary
    revision: str  # hand it back as `seen` with a decision
    since: datetime | None
    codes: list[str]
    explanation: dict[str, Any] | None  # a code and its arguments
    suggested: list[str]  # warehouses, best first
    flags: list[dict[str, Any]] = field(default_factory=list)  # what tagging found: code, explanation, blocks, line_ids


@record
class ReviewTotals:
    """How many orders wait for a person, by what can be asked for. One with two reasons is counted with both."""

    at: datetime  # when it was counted
    orders: int
    codes: dict[str, int]
    shops: dict[str, int]  # channel:shop
    warehouses: dict[str, int]  # suggested first


@record
class OrderPage:
    """Everything that the book knows of one order."""

    order: OrderSummary
    review: InReview | None
    lines: list[dict[str, Any]]
    plan: dict[str, Any] | None
    shipments: list[ShipmentRow]
    dead_letters: list[str]


class OrderDesk:
    """Reads the book. All methods raise NotAllowed, InvalidRequest, TransientError."""

    def __init__(self, database: Database, deeds: Deeds) -> None:
        self._database, self._deeds = database, deeds

    def find(
        self, actor: Actor, wanted: OrderFilter, *, cursor: str | None = None, limit: int = 50
    ) -> Page[OrderSummary]:
        """The newest first."""
        with self._deeds.doing(actor, Deed.ORDERS_FIND, subject=wanted.text or wanted.shop or ""):
            checked_limit(limit)
            conditions = of_orders(actor, wanted)
            after = from_cursor(cursor, datetime, str)
            if after is not None:
                conditions.add("(placed_at, uid) < (%(at)s, %(after)s)", at=after[0], after=after[1])
            rows = self._orders(_SUMMARY, conditions, "placed_at DESC, uid DESC", limit)
            return cut([_summary(row) for row in rows], limit, lambda each: (each.placed_at, each.uid))

    def show(self, actor: Actor, order_uid: str) -> OrderPage:
        """One order. Raises NotFound."""
        with self._deeds.doing(actor, Deed.ORDERS_SHOW, subject=order_uid, shop=shop_of(order_uid)):
            return self.read(actor, order_uid)

    def read(self, actor: Actor, order_uid: str) -> OrderPage:
        """The same within another deed, which is checked and written down. Raises NotFound."""
        conditions = Conditions(actor)
        conditions.add("uid = %(uid)s", uid=order_uid)
        with self._database.transaction() as connection:
            self._database.snapshot(connection)
            row = self._one(connection, conditions, order_uid)
            view = _viewed(connection, order_uid)
            letters = connection.execute(_LETTERS, (order_uid,)).fetchall()
        return OrderPage(
            order=_summary(row),
            review=_in_review(row) if row["stage"] == "review" else None,
            lines=list(view.lines),
            plan=view.plan or None,
            shipments=list(view.shipments),
            dead_letters=[letter_id for (letter_id,) in letters],
        )

    def timeline(self, actor: Actor, order_uid: str) -> list[TimelineEntry]:
        """What happened to it, oldest first, at most the newest thousand. Raises NotFound."""
        with self._deeds.doing(actor, Deed.ORDERS_SHOW, subject=order_uid, shop=shop_of(order_uid)):
            conditions = Conditions(actor)
            conditions.add("uid = %(uid)s", uid=order_uid)
            with self._database.transaction() as connection:
                self._one(connection, conditions, order_uid)
                return list(_viewed(connection, order_uid).timeline[-MOST_ENTRIES:])

    def review(
        self, actor: Actor, wanted: ReviewFilter, *, cursor: str | None = None, limit: int = 50
    ) -> Page[InReview]:
        """Those that wait for a person, the longest first."""
        with self._deeds.doing(actor, Deed.REVIEW_LIST, subject=wanted.code or wanted.shop or ""):
            checked_limit(limit)
            conditions = of_review(actor, wanted)
            after = from_cursor(cursor, datetime, str)
            if after is not None:
                conditions.add("(review_at, uid) > (%(at)s, %(after)s)", at=after[0], after=after[1])
            rows = self._orders((*_SUMMARY, *_REVIEW), conditions, "review_at, uid", limit)
            page = cut([_in_review(row) for row in rows], limit, lambda each: (each.since, each.order.uid))
            found = dict(self._database.rows(_FLAGS, ([each.order.uid for each in page.items],)))
            items = [changed(each, flags=found.get(each.order.uid) or []) for each in page.items]
            return Page(items=items, next=page.next)

    def review_totals(self, actor: Actor) -> ReviewTotals:
        """What waits, counted now."""
        with self._deeds.doing(actor, Deed.REVIEW_LIST, subject="totals"):
            conditions = of_review(actor, ReviewFilter())
            rows = self._database.rows(_TOTALS.format(conditions=conditions), conditions.values)
            by: dict[str, dict[str, int]] = {"all": {}, "code": {}, "shop": {}, "warehouse": {}}
            for kind, name, count in rows:
                by[kind][name] = count
            return ReviewTotals(
                at=datetime.now(UTC),
                orders=by["all"].get("", 0),
                codes=by["code"],
                shops=by["shop"],
                warehouses=by["warehouse"],
            )

    def uids_in_review(self, actor: Actor) -> list[str]:
        """All that wait for a person and that the actor sees, within another deed."""
        conditions = of_review(actor, ReviewFilter())
        query = f"SELECT uid FROM book.orders WHERE {conditions} ORDER BY review_at, uid"  # noqa: S608
        return [uid for (uid,) in self._database.rows(query, conditions.values)]

    def review_counts(self, actor: Actor) -> dict[str, int]:
        """How many orders wait for each reason; one that waits for two is counted with both."""
        with self._deeds.doing(actor, Deed.REVIEW_LIST, subject="counts"):
            conditions = of_review(actor, ReviewFilter())
            rows = self._database.rows(
                "SELECT code, count(*) FROM book.orders, unnest(review_codes) AS code "  # noqa: S608
                f"WHERE {conditions} GROUP BY code ORDER BY count(*) DESC, code",
                conditions.values,
            )
            return {str(code): int(count) for code, count in rows}

    def _orders(self, columns: Sequence[str], conditions: Conditions, order: str, limit: int) -> list[dict[str, Any]]:
        query = f"SELECT {', '.join(columns)} FROM book.orders WHERE {conditions} ORDER BY {order} LIMIT %(most)s"  # noqa: S608
        rows = self._database.rows(query, {**conditions.values, "most": limit + 1})
        return [_named(columns, row) for row in rows]

    def _one(self, connection: Connection, conditions: Conditions, order_uid: str) -> dict[str, Any]:
        columns = (*_SUMMARY, *_REVIEW)
        query = f"SELECT {', '.join(columns)} FROM book.orders WHERE {conditions}"  # noqa: S608
        row = connection.execute(query.encode(), conditions.values).fetchone()
        if row is None:
            raise NotFound(
                Text(f"no order {order_uid} is known", f"没有订单 {order_uid}"),
                "unknown-order",
                Text(
                    "check the uid, that its shop is polled, and that the order book keeps up: orderfleet explain",
                    "请核对 uid、店铺是否在拉取、订单台账是否跟上：orderfleet explain",
                ),
            )
        return _named(columns, row)


_REVIEW: Final = (f"{SEEN} AS seen", "review_at", "planned_at", "review_codes", "hold_codes", "review_why", "suggested")
_FLAGS: Final = "SELECT uid, plan->'flags' FROM book.order_details WHERE uid = ANY(%s)"
_TOTALS: Final = """
WITH waiting AS MATERIALIZED (
  SELECT review_codes, channel || ':' || shop_id AS shop, suggested[1] AS warehouse FROM book.orders WHERE {conditions}
)
SELECT 'all', '', count(*) FROM waiting
UNION ALL SELECT 'code', code, count(*) FROM waiting, unnest(review_codes) AS code GROUP BY code
UNION ALL SELECT 'shop', shop, count(*) FROM waiting GROUP BY shop
UNION ALL SELECT 'warehouse', warehouse, count(*) FROM waiting WHERE warehouse IS NOT NULL GROUP BY warehouse
ORDER BY 3 DESC, 2
"""
_LETTERS: Final = "SELECT letter_id FROM book.dead_letters WHERE order_uid = %s ORDER BY quarantined_at, letter_id"


def _named(columns: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip([column.rpartition(" ")[2] for column in columns], row, strict=True))


def _viewed(connection: Connection, order_uid: str) -> OrderView:
    """All that the book knows of an order that is there, in the transaction at hand."""
    connection.execute("SET LOCAL search_path = book")
    view = show_order(connection, order_uid)
    assert view is not None
    return view


def _summary(row: dict[str, Any]) -> OrderSummary:
    fields = {name: row[name] for name in _SUMMARY if name != "planned_revision"}
    return OrderSummary(
        **fields | {"revision": row["planned_revision"], "skus": row["skus"] or [], "tags": row["tags"] or []}
    )


def _in_review(row: dict[str, Any]) -> InReview:
    return InReview(
        order=_summary(row),
        revision=row["seen"] or "",
        since=row["review_at"] or row["planned_at"],
        codes=row["review_codes"] or row["hold_codes"] or [],
        explanation=row["review_why"],
        suggested=row["suggested"] or [],
    )
