"""What waits for somebody, as the book has it: reviews, backorders, parcels to ship, dead letters; and how many.

As in workers/book/queries.py: plain functions over a connection, pages by a place. Counts look at all that they count
(40 ms for 150,000 open reviews): keep an answer for some seconds where many ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from schemas.record import record
from workers.book.conditions import Condition, of_shops, seen_shops, together
from workers.book.database import Connection
from workers.book.queries import MOST, ORDER_COLUMNS, OrderRow, Place, order_row, rows_of


@record
class ReviewRow:
    """An order that waits for a person."""

    order: OrderRow
    revision: str | None  # what is to be decided about: a decision names it
    review_at: datetime
    why: dict[str, Any] | None  # code and arguments
    suggested: tuple[str, ...]
    unshipped: dict[str, int]


@record
class ReviewFilter:
    """Which reviews: all that is given must hold. `codes`: any of them."""

    shops: tuple[str, ...] = ()  # channel:shop
    shop_ids: tuple[str, ...] = ()  # whatever the channel
    codes: tuple[str, ...] = ()
    before: datetime | None = None  # came to review before


@record
class ReviewPage:
    """Those that wait longest first. `after`: where the next page begins; None: this is the last one."""

    rows: tuple[ReviewRow, ...]
    after: Place | None


@record
class WaitingRow:
    """An order that waits for stock. `missing`: SKU -> units that the best candidate lacks."""

    order: OrderRow
    missing: dict[str, int]
    backordered_at: datetime | None
    transfer_at: datetime | None


@record
class WaitingPage:
    """Those placed first come first."""

    rows: tuple[WaitingRow, ...]
    after: Place | None


@record
class LetterRow:
    """A message that was set aside. Its bytes are in Kafka: `orderfleet dead-letters`."""

    letter_id: str
    quarantined_at: datetime
    stage: str
    reason: str
    order_uid: str | None
    topic: str
    partition: int
    record_offset: int
    attempts: int
    failures: tuple[dict[str, Any], ...]


@record
class LetterPage:
    """Newest first."""

    rows: tuple[LetterRow, ...]
    after: Place | None


@record
class StageTotal:
    """How many orders of a shop are in a stage."""

    channel: str
    shop_id: str
    stage: str
    orders: int


def list_reviews(
    connection: Connection,
    wanted: ReviewFilter,
    *,
    shops: Sequence[str] | None = None,
    after: Place | None = None,
    most: int = 50,
) -> ReviewPage:
    """A page of what waits for a person."""
    given: list[tuple[str, Any]] = [
        ("o.shop_id = ANY(%s)", list(wanted.shop_ids)),
        ("o.review_codes && %s", list(wanted.codes)),
        ("o.review_at < %s", wanted.before),
    ]
    where, values = _and([(text, [value]) for text, value in given if value], seen_shops(wanted.shops, shops))
    if after is not None:
        where, values = f"{where} AND (o.review_at, o.uid) > (%s, %s)", [*values, *after]
    limit = min(most, MOST)
    rows = rows_of(
        connection,
        f"SELECT {ORDER_COLUMNS}, o.planned_revision, o.review_revision, o.review_at, o.review_why, o.suggested, "
        f"o.unshipped FROM orders AS o WHERE o.stage = 'review' AND o.review_at IS NOT NULL{where} "
        "ORDER BY o.review_at, o.uid LIMIT %s",
        [*values, limit + 1],
    )
    last = rows[limit - 1] if len(rows) > limit else None
    return ReviewPage(
        rows=tuple(_review(row) for row in rows[:limit]),
        after=None if last is None else (last["review_at"], last["uid"]),
    )


def _review(row: dict[str, Any]) -> ReviewRow:
    return ReviewRow(
        order=order_row(row),
        revision=row["planned_revision"] or row["review_revision"],
        review_at=row["review_at"],
        why=row["review_why"],
        suggested=tuple(row["suggested"] or ()),
        unshipped=row["unshipped"] or {},
    )


def count_reviews(connection: Connection, *, shops: Sequence[str] | None = None) -> dict[str, int]:
    """How many orders wait for a person, by reason; one with several reasons counts for each. Most first."""
    where, values = _and([], shops)
    rows = rows_of(
        connection,
        "SELECT code, count(*) AS orders FROM orders AS o, unnest(o.review_codes) AS code "
        f"WHERE o.stage = 'review'{where} GROUP BY code ORDER BY orders DESC, code",
        values,
    )
    return {row["code"]: row["orders"] for row in rows}


def totals(
    connection: Connection,
    *,
    shops: Sequence[str] | None = None,
    placed_from: datetime | None = None,
    placed_before: datetime | None = None,
) -> tuple[StageTotal, ...]:
    """How many orders are in each stage, by shop. Without a time it looks at every order: a second a million."""
    given: list[Condition] = []
    if placed_from is not None:
        given.append(("o.placed_at >= %s", [placed_from]))
    if placed_before is not None:
        given.append(("o.placed_at < %s", [placed_before]))
    where, values = _and(given, shops)
    rows = rows_of(
        connection,
        "SELECT o.channel, o.shop_id, o.stage, count(*) AS orders FROM orders AS o "
        f"WHERE true{where} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        values,
    )
    return tuple(StageTotal(**row) for row in rows)


def list_waiting(
    connection: Connection, *, shops: Sequence[str] | None = None, after: Place | None = None, most: int = 50
) -> WaitingPage:
    """A page of orders that wait for stock: backordered, or for a transfer."""
    where, values = _and([], shops)
    if after is not None:
        where, values = f"{where} AND (o.placed_at, o.uid) > (%s, %s)", [*values, *after]
    limit = min(most, MOST)
    rows = rows_of(
        connection,
        f"SELECT {ORDER_COLUMNS}, o.missing, o.backordered_at, o.transfer_at FROM orders AS o "
        f"WHERE o.stage IN ('backordered', 'transfer') AND o.placed_at IS NOT NULL{where} "
        "ORDER BY o.placed_at, o.uid LIMIT %s",
        [*values, limit + 1],
    )
    last = rows[limit - 1] if len(rows) > limit else None
    found = tuple(
        WaitingRow(
            order=order_row(row),
            missing=row["missing"] or {},
            backordered_at=row["backordered_at"],
            transfer_at=row["transfer_at"],
        )
        for row in rows[:limit]
    )
    return WaitingPage(rows=found, after=None if last is None else (last["placed_at"], last["uid"]))


def list_letters(
    connection: Connection,
    *,
    reason: str = "",
    stage: str = "",
    order_uid: str = "",
    after: Place | None = None,
    most: int = 50,
) -> LetterPage:
    """A page of what was set aside."""
    given = [("reason = %s", reason), ("stage = %s", stage), ("order_uid = %s", order_uid)]
    where, values = _and([(text, [value]) for text, value in given if value])
    if after is not None:
        where, values = f"{where} AND (quarantined_at, letter_id) < (%s, %s)", [*values, *after]
    limit = min(most, MOST)
    names = ", ".join(LetterRow.__struct_fields__)  # type: ignore[attr-defined]  # a record is a struct
    rows = rows_of(
        connection,
        f"SELECT {names} FROM dead_letters WHERE true{where} ORDER BY quarantined_at DESC, letter_id DESC LIMIT %s",
        [*values, limit + 1],
    )
    last = rows[limit - 1] if len(rows) > limit else None
    return LetterPage(
        rows=tuple(LetterRow(**{**row, "failures": tuple(row["failures"])}) for row in rows[:limit]),
        after=None if last is None else (last["quarantined_at"], last["letter_id"]),
    )


def count_letters(connection: Connection) -> dict[tuple[str, str], int]:
    """How many letters there are, by stage and reason."""
    rows = rows_of(connection, "SELECT stage, reason, count(*) AS letters FROM dead_letters GROUP BY 1, 2", ())
    return {(row["stage"], row["reason"]): row["letters"] for row in rows}


def count_to_ship(connection: Connection) -> dict[str, int]:
    """How many parcels each warehouse was told to ship and has not shipped yet."""
    rows = rows_of(
        connection,
        "SELECT warehouse_id, count(*) AS parcels FROM shipments "
        "WHERE state IN ('sent', 'accepted', 'picked', 'short') GROUP BY 1 ORDER BY 1",
        (),
    )
    return {row["warehouse_id"]: row["parcels"] for row in rows}


def _and(given: Sequence[Condition], shops: Sequence[str] | None = None) -> Condition:
    """Further conditions, and that an order is of one of these shops; None: of any."""
    conditions = [*given, *([] if shops is None else [of_shops(shops)])]
    text, values = together(conditions)
    return (f" AND {text}" if conditions else ""), values
