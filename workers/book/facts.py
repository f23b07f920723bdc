"""What projections are made of: where a record stands, and what it says as rows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from schemas.ids import OrderUid
from schemas.record import encode
from workers.book.aspect import Aspect, Row
from workers.book.aspects import TIMELINE


class Place(NamedTuple):
    """Where a record stands, and when Kafka got it."""

    topic: str  # its base: without the prefix, and without the member of a family
    partition: int
    offset: int
    at: int  # as `utc` gives it


Fact = tuple[Aspect, Row]
Projection = Callable[[Any, Place], Sequence[Fact]]
"""(the record's value, where it stands) -> rows. Raises ValueError for a value that says nothing to the book."""

_known: Final[set[tuple[str, str]]] = set()  # channels and shops that are spelled as they must be: looked at once
_MOST_SHOPS: Final = 10_000
_2000: Final = datetime(2000, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400_000_000
_ENDS_OF_TIME: Final = (-10_957 * _DAY, 2_921_575 * _DAY)  # 1970 and 9999: what can be subtracted from


def identity(uid: str) -> Row:
    """The columns that tell an order. Raises ValueError for what is no order uid."""
    channel, _, rest = uid.partition(":")
    shop_id, _, platform_order_id = rest.partition(":")
    if not platform_order_id or (channel, shop_id) not in _known:
        OrderUid.parse(uid)
        if len(_known) < _MOST_SHOPS:
            _known.add((channel, shop_id))
    return (uid, channel, shop_id, platform_order_id)


def utc(at: datetime | None) -> int | None:
    """Microseconds since 2000, as PostgreSQL has times. One without a zone is UTC."""
    if at is None:
        return None
    since = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - _2000
    micros = since.days * _DAY + since.seconds * 1_000_000 + since.microseconds
    return micros if 0 <= micros < _ENDS_OF_TIME[1] else within_time(micros)


def within_time(at: int) -> int:
    """The nearest time that every reader can handle."""
    return min(max(at, _ENDS_OF_TIME[0]), _ENDS_OF_TIME[1])


def since_1970(milliseconds: int) -> int:
    """A time of Kafka's as `utc` gives it."""
    at = milliseconds * 1000 + _ENDS_OF_TIME[0]
    return at if 0 <= at < _ENDS_OF_TIME[1] else within_time(at)


def as_datetime(at: int) -> datetime:
    """What `utc` was given."""
    return _2000 + timedelta(microseconds=at)


def json(value: Any) -> str:
    """As JSON text."""
    return encode(value).decode()


def happened(uid: str, kind: str, ref: str, at: int | None, codes: Iterable[str] = (), warehouse_id: str = "") -> Fact:
    """A row of an order's timeline. Of one kind and `ref` in one warehouse, the earliest stays."""
    return TIMELINE, (uid, kind, ref, warehouse_id, at, [code for code in codes if code])
