"""Read one raw order: the platform's bytes in, our Order out, or why it can never become one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, NoReturn, Protocol

from channel_adapters.contract import ChannelAdapter, UnreadablePayload
from channel_adapters.fields import Key, Wire
from channel_adapters.parsing import NoTemplateFits, read_order
from channel_adapters.reading import MAX_PAYLOAD_BYTES, cancelled, read_model
from channel_adapters.shop import Shop
from schemas import plain
from schemas.codes import Explanation, LetterProblem
from schemas.dead_letter import Failure
from schemas.ids import SLUG
from schemas.limits import ORDINARY_BYTES, TooLong, fitted
from schemas.order import Order, Source
from schemas.record import changed
from schemas.revision import MOST_EDITIONS, received, revision_of
from workers.runtime.errors import PermanentError
from workers.runtime.stage import Delivery

MAX_CLOCK_LEAD: Final = timedelta(hours=1)
"""How far a platform's modify time may be ahead of our receipt. Further, and it would make every later revision of the
order look old: nothing could cancel it any more."""

_MAX_DIGITS: Final = 14  # milliseconds up to the year 5138; Kafka itself writes -1 when it has no time
_MAX_MEGABYTES: Final = MAX_PAYLOAD_BYTES >> 20
_DELETED: Final = "deleted"
_RARE: Final = {"event": "event", "deleted-after": "deleted_after", "edition": "edition"}


class _Gone(Wire):
    """What is left of an order that its platform has deleted."""

    id: Key


class Shops(Protocol):
    """What the owners of shops have set."""

    def shop(self, channel: str, shop_id: str) -> Shop:
        """One shop, with its owner's settings where there are any."""
        ...


class _NothingSet:
    def shop(self, channel: str, shop_id: str) -> Shop:
        return Shop(shop_id)


_NOTHING_SET: Final = _NothingSet()


def decide(delivery: Delivery[bytes], adapters: Mapping[str, ChannelAdapter], shops: Shops = _NOTHING_SET) -> Order:
    """The order that this record of `orders.raw.<channel>` describes, with where its bytes can be found again.

    The record's headers give the shop (`shop`) and when we received it (`received-at`, milliseconds; else the record's
    own time). `event: deleted` says that its platform no longer has the order: the payload is then `{"id": ...}`, and
    the order is cancelled as of `deleted-after` (milliseconds: later than every state of it that we know of, and not
    than one that it has after it was restored), or as of its receipt without that header. `edition`
    (1 to MOST_EDITIONS) tells states apart that share a modify time: it counts as so many milliseconds.

    Raises PermanentError: unknown-channel, bad-header, too-large, key-mismatch, time-in-future, or what the channel's
    main template says, with one failure per template.
    """
    channel = delivery.topic.rpartition(".")[2]
    adapter = adapters.get(channel)
    if adapter is None:
        _refuse("unknown-channel", "topic", LetterProblem.CHANNEL_UNKNOWN(channel=channel))
    origin = _origin(delivery)
    received_at = origin.received_at
    shop = shops.shop(channel, origin.shop_id)
    if origin.event == b"deleted":
        order = _deleted(channel, origin, delivery.value)
    else:
        order = _read(adapter, delivery.value, shop)
    if origin.edition:
        order = _edition(order, origin.edition)
    if len(delivery.value) > ORDINARY_BYTES:
        order = _fitted(order)
    _check_key(order, delivery.key)
    _check_time(order, received_at)
    # Building ends here: the order was made a moment ago, and nobody else holds it.
    order.source = Source(  # type: ignore[misc]
        template=order.source.template,
        topic=delivery.topic,
        partition=delivery.partition,
        offset=delivery.offset,
        received_at=received_at,
    )
    order.revision = received(order.revision, received_at)  # type: ignore[misc]
    return order


class _Origin(NamedTuple):
    """What a record's headers say."""

    shop_id: str
    received_at: datetime
    event: bytes = b""
    deleted_after: bytes = b""
    edition: bytes = b""


def _origin(delivery: Delivery[bytes]) -> _Origin:
    """Shop, time of receipt, and what else the record was marked with."""
    shop, received = b"", b""
    more: dict[str, bytes] | None = None
    for name, value in delivery.headers:
        if name == "shop":
            shop = value or b""
        elif name == "received-at":
            received = value or b""
        elif name in _RARE and value:
            more = more or {}
            more[_RARE[name]] = value
    shop_id, received_at = _shop(shop), _moment(received or b"%d" % delivery.timestamp_ms)
    return _Origin(shop_id, received_at) if more is None else _Origin(shop_id, received_at, **more)


def _deleted(channel: str, origin: _Origin, payload: bytes) -> Order:
    """The order that its platform no longer has."""
    try:
        order_id = read_model(_Gone, payload).id
    except UnreadablePayload as error:
        raise PermanentError(
            error.code, [Failure(attempt=_DELETED, where=error.where, explanation=error.explanation)]
        ) from None
    at = _moment(origin.deleted_after, "deleted-after") if origin.deleted_after else origin.received_at
    return cancelled(channel, origin.shop_id, order_id, at, _DELETED, at)


def _edition(order: Order, edition: bytes) -> Order:
    """The order with its modify time later by the number of its edition, in milliseconds."""
    if not edition.isdigit() or len(edition) > len(str(MOST_EDITIONS)):
        _refuse("bad-header", "edition", LetterProblem.NOT_AN_EDITION(most=MOST_EDITIONS))
    later = changed(order, modified_at=order.modified_at + timedelta(milliseconds=int(edition)))
    later.revision = revision_of(later)  # type: ignore[misc]  # building ends here
    return later


@lru_cache(4096)
def _shop(header: bytes) -> str:
    shop_id = header.decode("ascii", "replace")
    if SLUG.fullmatch(shop_id) is None:
        _refuse(
            "bad-header",
            "shop",
            LetterProblem.NO_SHOP_NAMED(),
        )
    return shop_id


@lru_cache(256)  # the orders of one page were received together
def _moment(milliseconds: bytes, header: str = "received-at") -> datetime:
    if not milliseconds.isdigit() or len(milliseconds) > _MAX_DIGITS:
        _refuse("bad-header", header, LetterProblem.NOT_MILLISECONDS())
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _read(adapter: ChannelAdapter, payload: bytes, shop: Shop) -> Order:
    if len(payload) > MAX_PAYLOAD_BYTES:
        _refuse(
            "too-large",
            "",
            LetterProblem.ORDER_OVER(size=len(payload), megabytes=_MAX_MEGABYTES),
        )
    try:
        return read_order(adapter, payload, shop)
    except NoTemplateFits as error:
        raise PermanentError(error.code, _failures(error)) from None


def _fitted(order: Order) -> Order:
    """Cut to what fits all topics. Another content is another revision."""
    try:
        fit = fitted(order)
    except TooLong as error:
        _refuse("too-long", error.where, error.explanation, attempt=order.source.template)
    return order if fit is order else changed(fit, revision=revision_of(fit))


def _failures(error: NoTemplateFits) -> Sequence[Failure]:
    return [Failure(attempt=one.template, where=one.where, explanation=one.explanation) for one in error.failures]


def _check_key(order: Order, key: bytes) -> None:
    """All that happens to one order must share its key, or it could happen out of order."""
    if order.uid.encode("utf-8", "replace") != key:
        _refuse(
            "key-mismatch",
            "",
            LetterProblem.ANOTHER_KEY(order=plain.key(order.uid)),
            attempt=order.source.template,
        )


def _check_time(order: Order, received_at: datetime) -> None:
    if order.modified_at - received_at > MAX_CLOCK_LEAD:
        _refuse(
            "time-in-future",
            "modified_at",
            LetterProblem.AHEAD_OF_RECEIPT(time=_told(order.modified_at), received=_told(received_at)),
            attempt=order.source.template,
        )


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _refuse(reason: str, where: str, explanation: Explanation, *, attempt: str = "normalize") -> NoReturn:
    raise PermanentError(reason, [Failure(attempt=attempt, where=where, explanation=explanation)])
