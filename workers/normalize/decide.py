"""Read one raw order: the platform's bytes in, our Order out, or why it can never become one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NoReturn

from channel_adapters.contract import ChannelAdapter
from channel_adapters.parsing import NoTemplateFits, read_order
from channel_adapters.reading import MAX_PAYLOAD_BYTES
from schemas.dead_letter import Failure
from schemas.ids import SLUG
from schemas.limits import ORDINARY_BYTES, TooLong, fitted
from schemas.order import Order, Source
from schemas.record import changed
from schemas.revision import received, revision_of
from workers.runtime.errors import PermanentError
from workers.runtime.stage import Delivery

MAX_CLOCK_LEAD: Final = timedelta(hours=1)
"""How far a platform's modify time may be ahead of our receipt. Further, and it would make every later revision of the
order look old: nothing could cancel it any more."""

_MAX_DIGITS: Final = 14  # milliseconds up to the year 5138; Kafka itself writes -1 when it has no time
_MAX_MEGABYTES: Final = MAX_PAYLOAD_BYTES >> 20


def decide(delivery: Delivery[bytes], adapters: Mapping[str, ChannelAdapter]) -> Order:
    """The order that this record of `orders.raw.<channel>` describes, with where its bytes can be found again.

    The record's headers give the shop (`shop`) and when we received it (`received-at`, milliseconds; else the record's
    own time). Raises PermanentError: unknown-channel, bad-header, too-large, key-mismatch, time-in-future, or what the
    channel's main template says, with one failure per template.
    """
    channel = delivery.topic.rpartition(".")[2]
    adapter = adapters.get(channel)
    if adapter is None:
        _refuse("unknown-channel", "topic", f"no channel is named {channel!r}", f"没有名为 {channel!r} 的渠道")
    shop_id, received_at = _origin(delivery)
    order = _read(adapter, delivery.value, shop_id)
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


def _origin(delivery: Delivery[bytes]) -> tuple[str, datetime]:
    """Shop and time of receipt."""
    shop, received = b"", b""
    for name, value in delivery.headers:
        if name == "shop":
            shop = value or b""
        elif name == "received-at":
            received = value or b""
    return _shop(shop), _moment(received or b"%d" % delivery.timestamp_ms)


@lru_cache(4096)
def _shop(header: bytes) -> str:
    shop_id = header.decode("ascii", "replace")
    if SLUG.fullmatch(shop_id) is None:
        _refuse(
            "bad-header",
            "shop",
            "does not name a shop: lower-case letters, digits and hyphens",
            "未给出有效的店铺标识（小写字母、数字和连字符）",
        )
    return shop_id


@lru_cache(256)  # the orders of one page were received together
def _moment(milliseconds: bytes) -> datetime:
    if not milliseconds.isdigit() or len(milliseconds) > _MAX_DIGITS:
        _refuse("bad-header", "received-at", "is not a time in milliseconds", "不是有效的毫秒时间戳")
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _read(adapter: ChannelAdapter, payload: bytes, shop_id: str) -> Order:
    if len(payload) > MAX_PAYLOAD_BYTES:
        _refuse(
            "too-large",
            "",
            f"is {len(payload):,} bytes; an order may have {_MAX_MEGABYTES} MB",
            f"大小为 {len(payload):,} 字节，单个订单上限 {_MAX_MEGABYTES} MB",
        )
    try:
        return read_order(adapter, payload, shop_id)
    except NoTemplateFits as error:
        raise PermanentError(error.code, _failures(error)) from None


def _fitted(order: Order) -> Order:
    """Cut to what fits all topics. Another content is another revision."""
    try:
        fit = fitted(order)
    except TooLong as error:
        _refuse("too-long", error.where, error.text.en, error.text.zh, attempt=order.source.template)
    return order if fit is order else changed(fit, revision=revision_of(fit))


def _failures(error: NoTemplateFits) -> Sequence[Failure]:
    return [
        Failure(attempt=each.template, where=each.where, problem=each.text.en, problem_zh=each.text.zh)
        for each in error.failures
    ]


def _check_key(order: Order, key: bytes) -> None:
    """All that happens to one order must share its key, or it could happen out of order."""
    if order.uid.encode("utf-8", "replace") != key:
        _refuse(
            "key-mismatch",
            "",
            f"describes order {order.uid}, but came under the key of another one",
            f"内容属于订单 {order.uid}，但消息键属于另一个订单",
            attempt=order.source.template,
        )


def _check_time(order: Order, received_at: datetime) -> None:
    if order.modified_at - received_at > MAX_CLOCK_LEAD:
        _refuse(
            "time-in-future",
            "modified_at",
            f"is {order.modified_at:%Y-%m-%d %H:%M:%S} UTC, more than an hour after we received it "
            f"({received_at:%Y-%m-%d %H:%M:%S} UTC); check the clock and time zone of the shop",
            f"修改时间 {order.modified_at:%Y-%m-%d %H:%M:%S} UTC 比接收时间（{received_at:%Y-%m-%d %H:%M:%S} UTC）"
            "晚一小时以上，请检查店铺的时钟与时区",
            attempt=order.source.template,
        )


def _refuse(reason: str, where: str, en: str, zh: str, *, attempt: str = "normalize") -> NoReturn:
    raise PermanentError(reason, [Failure(attempt=attempt, where=where, problem=en, problem_zh=zh)])
