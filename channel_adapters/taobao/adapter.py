"""The format of Taobao and Tmall: TOP's envelopes, its errors, and the calls it makes to us."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

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
from channel_adapters.reading import Reading, beijing_time, cancelled, hint, read_model, reject, required
from channel_adapters.shop import Shop, ShopSettings
from channel_adapters.taobao.mapping import CHANNEL, is_over, to_order, trade_id
from channel_adapters.taobao.signature import matches, sign_inbound
from channel_adapters.taobao.wire import FullTrade, ListTrade, TradeId
from schemas.codes import PayloadProblem
from schemas.order import Order
from schemas.text import Text

_TradeModel: TypeAlias = type[FullTrade] | type[ListTrade]

_LISTS: Final = (
    "trades_sold_increment_get_response",
    "trades_sold_incrementv_get_response",
    "trades_sold_get_response",
    "trades_sold_history_get_response",
)
_DETAILS: Final = ("trade_fullinfo_get_response", "trade_get_response")

_BAN_SECONDS: Final = re.compile(r"ban will last for (\d{1,5}) more second")
_CODE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,80}")


_ADVICE: Final = {
    25: (
        "the signature is wrong; check the shop's app_key and app_secret",
        "签名错误，请检查店铺的 app_key 与 app_secret",
    ),
    26: ("the session is missing; authorise the shop again", "缺少授权，请重新授权店铺"),
    27: ("the session is invalid or expired; authorise the shop again", "授权无效或已过期，请重新授权店铺"),
}

_ADVICE_FOR_THE_REST: Final = (
    "the request is refused; look the code up in the TOP docs",
    "请求被拒绝，请在 TOP 文档中查阅该错误码",
)


@dataclass(frozen=True, slots=True)
class TradeTemplate:
    """One way to read a trade."""

    name: str
    model: _TradeModel

    def read(self, payload: bytes, shop: Shop) -> Order:
        """The order this trade describes. Raises UnreadablePayload."""
        reading = Reading(shop, self.name)
        return to_order(reading.model(self.model, payload), reading)


class TaobaoAdapter:
    """Taobao and Tmall."""

    channel: str = CHANNEL
    templates: Sequence[Template] = (TradeTemplate("fullinfo", FullTrade), TradeTemplate("list", ListTrade))

    def open_envelope(self, body: bytes) -> Sequence[RawOrder]:
        """The trades in a list page, a detail answer or one bare trade.

        Raises ChannelRefused or ChannelUnavailable for an error answer, UnreadablePayload for everything else.
        """
        envelope = Envelope(body)
        if envelope.is_object("error_response"):
            raise explain(envelope.read("error_response"))
        for name in _LISTS:
            if envelope.is_object(name):
                return [_raw_order(trade) for trade in envelope.rows(name, "trades", "trade")]
        for name in _DETAILS:
            if (trade := envelope.value(name, "trade")) is not None:
                return [_raw_order(trade)]
        _refuse_hints(envelope)
        if "orders" not in envelope and "tid" not in envelope and "tid_str" not in envelope:
            reject("not-an-order", "", PayloadProblem.NOT_TAOBAO_TRADE())
        return [_raw_order(envelope.body)]

    def stopped(self, payload: bytes, shop: Shop) -> Order | None:
        """See channel_adapters.contract.ChannelAdapter."""
        try:
            head = read_model(TradeId, payload)
            tid, modified_at = _identify(head)
        except UnreadablePayload:
            return None
        if modified_at is None or not is_over(head, shop):
            return None
        placed_at = _time(head.created, "created") or modified_at
        return cancelled(CHANNEL, shop.shop_id, tid, modified_at, "status", placed_at)

    def verify_headers(self, headers: Headers, shop: ShopSettings) -> None:
        """Refuse a call whose query carries no signature, or another app's key. Raises ForgedRequest."""
        query = _query(headers)
        if not _SIGN.fullmatch(query.get("sign", "")):
            raise ForgedRequest(_FORGED)
        if shop.app_key and query.get("app_key", shop.app_key) != shop.app_key:
            raise ForgedRequest(_OTHER_APP)

    def verify(self, headers: Headers, body: bytes, shop: ShopSettings) -> None:
        """Check a call the platform makes to us (SPI). The signature stands in the query: give it as header `:path`.

        TOP docs: the query's parameters and the headers named by `top-sign-list` are signed together with the body; a
        form is signed as parameters, in the place of its bytes. Raises ForgedRequest.
        """
        self.verify_headers(headers, shop)
        query, secret = _query(headers), shop.push_secret
        form = _form(headers, body)
        listed = [name.strip().lower() for name in headers.get("top-sign-list", "").split(",") if name.strip()]
        parameters = query | (form or {}) | {name: headers[name] for name in listed if name in headers}
        signed = sign_inbound(parameters, body if form is None else b"", secret)
        if not (secret and matches(query["sign"], signed)):
            raise ForgedRequest(_FORGED)


_SIGN: Final = re.compile(r"[0-9A-F]{32}")
_MOST_FIELDS: Final = 1000
_FORGED: Final = Text("taobao: the signature of this call is missing or wrong", "淘宝：请求签名缺失或不正确")
_OTHER_APP: Final = Text(
    "taobao: this call is meant for another app than the shop's app_key names; compare it with the app at TOP",
    "淘宝：该请求的 app_key 与店铺设置不是同一个应用，请与开放平台核对",
)


def _query(headers: Headers) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(headers.get(":path", "")).query, keep_blank_values=True))


def _form(headers: Headers, body: bytes) -> dict[str, str] | None:
    """The parameters in a body that says it is a form; None for every other. Raises ForgedRequest for too many."""
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return None
    try:
        text = body.decode("utf-8", "replace")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise ForgedRequest(_FORGED) from None


def explain(error: dict[str, Any]) -> ChannelError:
    """What TOP's error answer asks of us (TOP docs: error codes; limits tell the wait only in `sub_msg`)."""
    code, sub = _word(error.get("code")), _word(error.get("sub_code"))
    number = small_number(code) or 0
    told = " ".join(part for part in (code, sub) if part) or "an error without a code"
    if number == 7 or sub.startswith("accesscontrol.limited-by"):
        ban = _BAN_SECONDS.search(str(error.get("sub_msg", "")))
        text = Text(f"taobao limits our calls ({told}); they go on by themselves", f"淘宝限流（{told}），稍后自动恢复")
        return ChannelUnavailable(text, float(ban[1]) if ban else None)
    if not sub.startswith("isv.") and (sub.startswith("isp.") or 3 <= number <= 13 or number == 15):
        text = Text(
            f"taobao has trouble on its side ({told}); it will be asked again", f"淘宝服务异常（{told}），稍后重试"
        )
        return ChannelUnavailable(text)
    en, zh = _ADVICE.get(
        number, ("the request is refused; look the code up in the TOP docs", "请求被拒绝，请查阅 TOP 错误码")
    )
    return ChannelRefused(sub or code or "unknown", Text(f"taobao answered {told}: {en}", f"淘宝返回 {told}：{zh}"))


def _word(value: object) -> str:
    """A code as text; "" for what does not look like one, so that no text of an answer gets into ours."""
    text = str(value) if isinstance(value, int | str) else ""
    return text if _CODE.fullmatch(text) else ""


def _raw_order(trade: bytes) -> RawOrder:
    return raw_order(trade, TradeId, _identify)


def _identify(head: TradeId) -> tuple[str, datetime | None]:
    return required(trade_id(head), "tid"), _time(head.modified, "modified")


def _time(value: Any, where: str) -> datetime | None:
    text = str(value) if isinstance(value, str | int) else None
    return when(lambda: beijing_time(text, where))


def _refuse_hints(envelope: Envelope) -> None:
    """Messages that only say that something happened to a trade."""
    hints = ("tmc_messages_consume_response", "topic", "content", "oid", "refund_id")
    if any(name in envelope for name in hints):
        hint(
            PayloadProblem.TAOBAO_MESSAGE(),
            envelope.read("tid"),
        )
    if any(name.startswith("refund") and name.endswith("_response") for name in envelope.names()):
        hint(
            PayloadProblem.TAOBAO_REFUND(),
        )


ADAPTER: Final = TaobaoAdapter()
