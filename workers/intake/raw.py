"""The raw record of an order object, and the letter for one that cannot be taken in."""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final, Literal

from channel_adapters.contract import RawOrder, UnreadablePayload
from schemas.codes import LetterProblem
from schemas.dead_letter import DeadLetter, Failure
from schemas.ids import order_uid
from schemas.record import encode, record
from schemas.topics import ORDERS_QUARANTINED, ORDERS_RAW
from workers.intake.store import ShopKey
from workers.runtime.kafka.records import Record
from workers.runtime.wire import DEDUPE_HEADER, Encoder

STAGE: Final = "intake"

NOWHERE: Final = -1
"""Partition and offset in a letter about something that never stood in its topic."""

_FRAMING = 1024  # what Kafka and our headers add to a record, beyond twice its key, generously

_as_record = Encoder([ORDERS_QUARANTINED])


@record
class Arrival:
    """By which way something reached us, and when."""

    shop: ShopKey
    source: Literal["poll", "webhook", "reread"]
    at: datetime

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """As they stand on the record; the time in unix milliseconds."""
        milliseconds = int(self.at.timestamp() * 1000)
        return [
            ("shop", self.shop.shop_id.encode()),
            ("source", self.source.encode()),
            ("received-at", b"%d" % milliseconds),
        ]


def raw_record(arrival: Arrival, order: RawOrder, edition: int = 0) -> Record:
    """The order's bytes untouched under its uid; who it belongs to, where it came from and when, in headers.

    The header `dedupe-key` is the same whenever the platform shows the same order in the same state, by whatever way
    it came. `edition`: how many states with this modify time were published before it; above 0 it stands in a header
    of that name, and normalization counts it as so many milliseconds. An order larger than its topic takes becomes a
    letter instead: see `oversize_letter`.
    """
    key = _uid(arrival.shop, order).encode()
    if len(order.payload) + 2 * len(key) + _FRAMING > ORDERS_RAW.max_message_bytes:
        return oversize_letter(arrival, order)
    numbered = [("edition", b"%d" % edition)] if edition else []
    dedupe = key + b"@" + _state(order).encode() + (b"+%d" % edition if edition else b"")
    headers = [*arrival.headers, *numbered, (DEDUPE_HEADER, dedupe)]
    return Record(ORDERS_RAW.of(arrival.shop.channel), key, order.payload, headers)


def deletion_record(arrival: Arrival, order_id: str, after_ms: int) -> Record:
    """What says that the platform has deleted an order: the body of a push about it, and two headers.

    `event` is `deleted`; `deleted-after`, unix milliseconds, is when: after everything that was known of the order.
    Normalization makes a cancellation of it.
    """
    key = order_uid(*arrival.shop, order_id).encode()
    payload = b'{"id":%s}' % (order_id.encode() if order_id.isascii() and order_id.isdigit() else encode(order_id))
    event = [("event", b"deleted"), ("deleted-after", b"%d" % after_ms)]
    headers = [*arrival.headers, *event, (DEDUPE_HEADER, key + b"@%d.deleted" % after_ms)]
    return Record(ORDERS_RAW.of(arrival.shop.channel), key, payload, headers)


def dedupe_key(of: Record) -> bytes:
    """What tells a repeat of this record."""
    return next(value for name, value in of.headers if name == DEDUPE_HEADER)


def oversize_letter(arrival: Arrival, order: RawOrder) -> Record:
    """A letter that names an order object too large for its topic, without the object.

    What can become an order at all is smaller than what the topic takes, so nothing that could have shipped is given
    up; the platform still has the object, and the letter says which one to ask for. To hold back the window instead
    would stop the shop's other orders.
    """
    limit = ORDERS_RAW.max_message_bytes >> 20
    told = LetterProblem.RAW_ORDER_OVER(size=len(order.payload), megabytes=limit)
    failure = Failure(attempt=STAGE, where="", explanation=told)
    return _letter(arrival, "too-large", failure, key=_uid(arrival.shop, order), state=_state(order), payload=b"")


def unreadable_letter(arrival: Arrival, body: bytes, error: UnreadablePayload) -> Record:
    """A letter that keeps a signed push whole which does not fit its channel's format."""
    failure = Failure(attempt=STAGE, where=error.where, explanation=error.explanation)
    state = blake2b(body, digest_size=16).hexdigest()
    key = order_uid(*arrival.shop, "unreadable-push")
    return _letter(arrival, error.code, failure, key=key, state=state, payload=body)


def _letter(arrival: Arrival, reason: str, failure: Failure, *, key: str, state: str, payload: bytes) -> Record:
    topic = ORDERS_RAW.of(arrival.shop.channel)
    letter = DeadLetter(
        letter_id=f"{topic}/{STAGE}/{key}@{state}",
        stage=STAGE,
        reason=reason,
        failures=(failure,),
        topic=topic,
        partition=NOWHERE,
        offset=NOWHERE,
        key=key,
        headers={name: value.decode() for name, value in arrival.headers},
        payload_base64=base64.b64encode(payload).decode(),
        at=arrival.at.astimezone(UTC),
    )
    return _as_record(letter)


def _uid(shop: ShopKey, order: RawOrder) -> str:
    """JSON may hold half a surrogate pair, which has no UTF-8: it becomes a question mark."""
    return order_uid(*shop, order.platform_order_id.encode("utf-8", "replace").decode())


def _state(order: RawOrder) -> str:
    """`<modified, ms>.<digest>`, "-" for an object that does not say when it was modified."""
    modified = "-" if order.modified_at is None else str(int(order.modified_at.timestamp() * 1000))
    return f"{modified}.{blake2b(order.payload, digest_size=16).hexdigest()}"


class Confirmed:
    """What this process has had confirmed: the last state of each of the `capacity` orders that came last.

    Only the last one: an order may come back to a state that it had before, under the same modify time, and that is
    news again.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._last: OrderedDict[bytes, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._last)

    def news(self, records: Iterable[Record]) -> list[Record]:
        """Those that say something else about their order than was said last, by one before them or a confirmed one."""
        said: dict[bytes, bytes] = {}
        fresh = []
        for each in records:
            state = dedupe_key(each)
            if said.get(each.key, self._of(each.key)) != state:
                said[each.key] = state
                fresh.append(each)
        return fresh

    def add(self, records: Iterable[Record]) -> None:
        """Remember these, and forget the orders that did not come for the longest."""
        for each in records:
            self._last[each.key] = dedupe_key(each)
            self._last.move_to_end(each.key)
            if len(self._last) > self._capacity:
                self._last.popitem(last=False)

    def _of(self, order: bytes) -> bytes | None:
        state = self._last.get(order)
        if state is not None:
            self._last.move_to_end(order)
        return state
