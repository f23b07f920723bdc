"""What projections are made of: where a record stands, and what it says as rows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from schemas.ids import OrderUid
from schemas.record import encode
from workers.book.aspects import TIMELINE, Aspect, Row


class Place(NamedTuple):
    """Where a record stands, and when Kafka got it."""

    topic: str  # its base: without the prefix, and without the member of a family
    partition: int
    offset: int
    at: datetime


Fact = tuple[Aspect, Row]
Projection = Callable[[Any, Place], Sequence[Fact]]
"""(the record's value, where it stands) -> rows. Raises ValueError for a value that says nothing to the book."""

_known: Final[set[tuple[str, str]]] = set()  # channels and shops that are spelled as they must be: looked at once
_MOST_SHOPS: Final = 10_000
_ENDS_OF_TIME: Final = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


def identity(uid: str) -> Row:
    """The columns that tell an order. Raises ValueError for what is no order uid."""
    channel, _, rest = uid.partition(":")
    shop_id, _, platform_order_id = rest.partition(":")
    if not platform_order_id or (channel, shop_id) not in _known:
        OrderUid.parse(uid)
        if len(_known) < _MOST_SHOPS:
            _known.add((channel, shop_id))
    return (uid, channel, shop_id, platform_order_id)


def utc(at: datetime | None) -> datetime | None:
    """Aware, and within what can be subtracted from."""
    if at is None:
        return None
    aware = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return min(max(aware, _ENDS_OF_TIME[0]), _ENDS_OF_TIME[1])


def json(value: Any) -> str:
    """As JSON text."""
    return encode(value).decode()


def happened(
    uid: str, kind: str, ref: str, at: datetime | None, codes: Iterable[str] = (), warehouse_id: str = ""
) -> Fact:
    """A row of an order's timeline. Of one kind and `ref` in one warehouse, the earliest stays."""
    return TIMELINE, (uid, kind, ref, warehouse_id, at, [code for code in codes if code])
