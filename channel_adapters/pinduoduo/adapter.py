"""The format of Pinduoduo: the router's envelopes, its errors, and the frames of its message channel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn

from channel_adapters.contract import (
    ChannelError,
    ChannelRefused,
    ChannelUnavailable,
    ForgedRequest,
    Headers,
    RawOrder,
    Template,
    UnreadablePayload,
)
from channel_adapters.envelope import Envelope, raw_order, when
from channel_adapters.fields import small_number
from channel_adapters.pinduoduo.mapping import CHANNEL, is_over, to_order
from channel_adapters.pinduoduo.wire import Ending, FullOrder, LeanOrder, OrderId
from channel_adapters.reading import Reading, beijing_time, cancelled, hint, read_model, reject, required
from channel_adapters.shop import Shop, ShopSettings
from schemas.codes import PayloadProblem
from schemas.order import Order
from schemas.text import Text

_LISTS: Final = {
    "order_sn_increment_get_response": "order_sn_list",
    "order_list_get_response": "order_list",
    "order_basic_list_get_response": "order_list",
}
_DETAIL: Final = "order_info_get_response"

_LIMITS: Final = frozenset({52101, 70031})

_ADVICE: Final = {
    10019: ("the access token has expired; authorise the shop again", "授权已过期，请重新授权店铺"),
}

_ADVICE_FOR_THE_REST: Final = (
    "the request is refused; look the code up in the open platform docs",
    "请求被拒绝，请在开放平台文档中查阅该错误码",
)


@dataclass(frozen=True, slots=True)
class OrderTemplate:
    """One way to read an order."""

    name: str
    model: type[FullOrder] | type[LeanOrder]

    def read(self, payload: bytes, shop: Shop) -> Order:
        """The order this object describes. Raises UnreadablePayload."""
        reading = Reading(shop, self.name)
        return to_order(reading.model(self.model, payload), reading)


class PinduoduoAdapter:
    """Pinduoduo."""

    channel: str = CHANNEL
    templates: Sequence[Template] = (OrderTemplate("information", FullOrder), OrderTemplate("list", LeanOrder))

    def open_envelope(self, body: bytes) -> Sequence[RawOrder]:
        """The orders in a list page, a detail answer or one bare order.

        Raises ChannelRefused or ChannelUnavailable for an error answer, UnreadablePayload for everything else.
        """
        envelope = Envelope(body)
        if envelope.is_object("error_response"):
            raise explain(envelope.read("error_response"))
        for name, rows in _LISTS.items():
            if envelope.is_object(name):
                return [_raw_order(order) for order in envelope.rows(name, rows)]
        if (order := envelope.value(_DETAIL, "order_info")) is not None:
            return [_raw_order(order)]
        if "order_sn" not in envelope or "refund_id" in envelope:
            _refuse_what_is_no_order(envelope)
        return [_raw_order(envelope.body)]

    def stopped(self, payload: bytes, shop: Shop) -> Order | None:
        """See channel_adapters.contract.ChannelAdapter."""
        try:
            head = read_model(Ending, payload)
            at = required(beijing_time(head.updated_at, "updated_at"), "updated_at")
        except UnreadablePayload:
            return None
        return cancelled(CHANNEL, shop.shop_id, head.order_sn, at, "status", at) if is_over(head) else None

    def verify_headers(self, headers: Headers, shop: ShopSettings) -> None:
        """Refuses whatever comes: see `verify`."""
        self.verify(headers, b"", shop)

    def verify(self, headers: Headers, body: bytes, shop: ShopSettings) -> None:
        """Raises ForgedRequest, always: Pinduoduo signs no messages and calls no webhook. It is polled."""
        en = "pinduoduo sends no webhooks, so this request is not from it; orders come by polling"
        raise ForgedRequest(Text(en, "拼多多没有 webhook 推送，此请求并非来自拼多多；订单由轮询拉取"))


def explain(error: dict[str, Any]) -> ChannelError:
    """What the router's error answer asks of us (open platform docs: error codes).

    Codes 10000-39999 and 50000-52003 are faults of the request; all others may pass.
    """
    value = error.get("error_code")
    code = str(value) if isinstance(value, int | str) and re.fullmatch(r"[0-9]{1,9}", str(value)) else "unknown"
    number = small_number(code) or 0
    if number in _LIMITS:
        en = f"pinduoduo limits our calls ({code}); they go on by themselves"
        return ChannelUnavailable(Text(en, f"拼多多限流（{code}），稍后自动恢复"))
    if 10000 <= number <= 39999 or 50000 <= number <= 52003:
        en, zh = _ADVICE.get(number, _ADVICE_FOR_THE_REST)
        return ChannelRefused(code, Text(f"pinduoduo answered {code}: {en}", f"拼多多返回 {code}：{zh}"))
    en = f"pinduoduo has trouble on its side ({code}); it will be asked again"
    return ChannelUnavailable(Text(en, f"拼多多服务异常（{code}），稍后重试"))


def _raw_order(order: bytes) -> RawOrder:
    return raw_order(order, OrderId, _identify)


def _identify(head: OrderId) -> tuple[str, datetime | None]:
    return head.order_sn, when(lambda: beijing_time(head.updated_at, "updated_at"))


def _refuse_what_is_no_order(envelope: Envelope) -> NoReturn:
    if "commandType" in envelope or {"tid", "mall_id", "mallID"} & envelope.names():
        hint(
            PayloadProblem.PINDUODUO_MESSAGE(),
        )
    if "refund_id" in envelope or any(name.startswith("refund") for name in envelope.names()):
        hint(
            PayloadProblem.PINDUODUO_REFUND(),
        )
    reject("not-an-order", "", PayloadProblem.NOT_PINDUODUO_ORDER())


ADAPTER: Final = PinduoduoAdapter()
