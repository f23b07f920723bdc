"""What a platform said of an order, message by message: what is personal is hidden, or shown for a reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import orjson

from schemas.ids import OrderUid
from schemas.record import record
from schemas.topics import ORDERS_RAW
from workers.admin.desk.access import Actor, Deed, shop_of
from workers.admin.desk.asking import ask_topics
from workers.admin.desk.deeds import Deeds, checked_why
from workers.admin.desk.masking import masked
from workers.runtime.settings import Settings

MOST: Final = 50
"""Revisions: the newest."""


@record
class RawRevision:
    """One message of a platform. `body`: its JSON; None where it is none, or nothing of it may be shown."""

    place: str  # topic/partition@offset
    at: datetime  # when Kafka took it
    size: int  # bytes
    body: Any


@record
class RawRevisions:
    """The newest messages, oldest first. `masked`: what is personal, or might be, is hidden."""

    order_uid: str
    masked: bool
    total: int
    items: list[RawRevision]


class RawDesk:
    """Reads `orders.raw.<channel>`: a second or more. Raises NotAllowed, InvalidRequest, ServerAway, TransientError."""

    def __init__(self, settings: Settings, deeds: Deeds) -> None:
        self._settings, self._deeds = settings, deeds

    def of(self, actor: Actor, order_uid: str) -> RawRevisions:
        """With all hidden that is not known to be harmless. Each look is written down."""
        with self._deeds.doing(actor, Deed.ORDERS_RAW, subject=order_uid, shop=shop_of(order_uid)):
            return self._read(order_uid, hide=True)

    def reveal(self, actor: Actor, order_uid: str, why: str) -> RawRevisions:
        """As it came, receivers and all, for a reason that is kept. People only, no token. Written down before."""
        with self._deeds.doing(actor, Deed.ORDERS_REVEAL, subject=order_uid, shop=shop_of(order_uid), why=why):
            checked_why(why)
            return self._read(order_uid, hide=False)

    def _read(self, order_uid: str, *, hide: bool) -> RawRevisions:
        topic = ORDERS_RAW.of(OrderUid.parse(order_uid).channel)
        found = ask_topics(self._settings, lambda topics: list(topics.having_key(order_uid, [topic])))
        newest = sorted(found, key=lambda one: one.at)[-MOST:]
        items = [
            RawRevision(place=one.place, at=one.at, size=len(one.value), body=_body(one.value, hide=hide))
            for one in newest
        ]
        return RawRevisions(order_uid=order_uid, masked=hide, total=len(found), items=items)


def _body(value: bytes, *, hide: bool) -> Any:
    try:
        body = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    return masked(body) if hide else body
