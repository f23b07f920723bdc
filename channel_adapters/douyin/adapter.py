"""The format of doudian bodies: list pages, details, pushes, errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from channel_adapters.contract import (
    ChannelRefused,
    ChannelUnavailable,
    Headers,
    RawOrder,
    Template,
    UnreadablePayload,
)
from channel_adapters.douyin.mapping import CHANNEL, is_over, to_order
from channel_adapters.douyin.signature import verify_push, verify_push_headers
from channel_adapters.douyin.wire import FullOrder, Head, ReducedOrder, Stopped, whole
from channel_adapters.envelope import Envelope, raw_order, rows, when
from channel_adapters.fields import count_of
from channel_adapters.reading import Reading, cancelled, hint, read_model, read_object, reject, unix_time
from channel_adapters.shop import Shop, ShopSettings
from schemas.codes import PayloadProblem
from schemas.order import Order
from schemas.text import Text

SUCCESS = 10000

_TRY_LATER = frozenset({20000, 60000, 70000, 90000})
"""Service error, traffic limit, service switched off, unknown: the platform's trouble, not ours."""

_ADVICE = {
    "isv.access-token-expired": Text(
        "the access token has expired; authorise the shop again", "授权已过期，请重新授权店铺"
    ),
    "isv.access-token-no-existed": Text(
        "the access token is not known; authorise the shop again", "access token 不存在，请重新授权店铺"
    ),
    "isv.signature-invalid": Text(
        "the signature is wrong; check the app key and app secret in the shop's settings",
        "签名错误，请检查店铺设置中的 app key 与 app secret",
    ),
    "isv.timestamp-invalid": Text("the clock of this machine is off; set it right", "本机时钟不准，请校准时间"),
    30001: Text(
        "the app has no permission for this call, or the shop closed its authorisation; check both at doudian",
        "应用没有该接口权限，或店铺已关闭授权，请在抖店后台检查",
    ),
    50001: Text("no access token was made yet; authorise the shop", "尚未生成 access token，请授权店铺"),
}
_NO_ADVICE = Text("look the code up in the doudian documentation", "请在抖店开放平台文档中查询该错误码")


@dataclass(frozen=True, slots=True)
class DouyinTemplate:
    """One way to read the order object."""

    name: str
    model: type[ReducedOrder]

    def read(self, payload: bytes, shop: Shop) -> Order:
        """See channel_adapters.contract.Template."""
        reading = Reading(shop, self.name)
        return to_order(reading.model(self.model, payload), reading)


class DouyinAdapter:
    """See channel_adapters.contract.ChannelAdapter. A list row and a detail are the same object."""

    channel = CHANNEL
    templates: Sequence[Template] = (DouyinTemplate("full", FullOrder), DouyinTemplate("reduced", ReducedOrder))

    def open_envelope(self, body: bytes) -> Sequence[RawOrder]:
        """A list page, a detail answer or one bare order."""
        if body.lstrip()[:1] == b"[":
            _refuse_push(rows(body))
        root = Envelope(body)
        if "order_id" in root or "sku_order_list" in root:
            return [_raw(root.body)]
        if "p_id" in root or "msg_id" in root:
            _refuse_push([body])
        check_success({name: root.read(name) for name in ("code", "err_no", "sub_code", "log_id") if name in root})
        if root.value("data", "shop_order_list") is not None:
            return [_raw(row) for row in root.rows("data", "shop_order_list")]
        if found := root.rows("data", "shop_order_detail"):
            return [_raw(row) for row in found]
        raise UnreadablePayload("not-an-order", "data", PayloadProblem.NOT_DOUDIAN_ORDERS())

    def verify_headers(self, headers: Headers, shop: ShopSettings) -> None:
        """A push names the app it is for and carries an `event-sign`."""
        verify_push_headers(headers, shop.app_key)

    def verify(self, headers: Headers, body: bytes, shop: ShopSettings) -> None:
        """Check the `event-sign` of a push, made with the app secret."""
        verify_push(headers, body, shop.push_secret, shop.app_key)

    def stopped(self, payload: bytes, shop: Shop) -> Order | None:
        """See channel_adapters.contract.ChannelAdapter."""
        try:
            head = read_model(Stopped, payload)
        except UnreadablePayload:
            return None
        modified_at = _time(head.update_time, "update_time")
        if modified_at is None or not is_over(head, shop):
            return None
        placed_at = _time(head.create_time, "create_time") or modified_at
        return cancelled(CHANNEL, shop.shop_id, head.order_id, modified_at, "status", placed_at)


def check_success(root: dict[str, Any]) -> None:
    """Nothing, when the envelope says success. Raises ChannelUnavailable or ChannelRefused as its code asks."""
    code, sub_code = count_of(root.get("code")), root.get("sub_code")
    if code is None and "err_no" in root:
        code = SUCCESS if count_of(root["err_no"]) == 0 else count_of(root["err_no"])
    if code == SUCCESS:
        return
    if code is None:
        reject("not-an-order", "", PayloadProblem.NOT_DOUDIAN_ANSWER())
    told = sub_code[:60] if isinstance(sub_code, str) and sub_code else str(code)
    log_id = str(root.get("log_id", ""))[:60]
    if code in _TRY_LATER:
        en = f"douyin: the platform cannot answer now ({told}); it will be asked again (log_id {log_id})"
        raise ChannelUnavailable(Text(en, f"抖店：平台暂时无法应答（{told}），稍后重试（log_id {log_id}）"))
    advice = _ADVICE.get(told) or _ADVICE.get(code, _NO_ADVICE)
    raise ChannelRefused(
        told,
        Text(
            en=f"douyin refused the call ({told}): {advice.en} (log_id {log_id})",
            zh=f"抖店拒绝了请求（{told}）：{advice.zh}（log_id {log_id}）",
        ),
    )


def _raw(payload: bytes) -> RawOrder:
    return raw_order(payload, Head, _identify)


def _identify(head: Head) -> tuple[str, datetime | None]:
    return head.order_id, _time(head.update_time, "update_time")


def _time(value: Any, where: str) -> datetime | None:
    seconds = whole(value)
    return when(lambda: unix_time(seconds, where)) if seconds is not None and seconds > 0 else None


def _refuse_push(messages: Sequence[bytes]) -> NoReturn:
    """A hint when each of them is a message of the platform, whatever its tag."""
    rows = [read_object(message) for message in messages]
    if not rows or not all(_MESSAGE & row.keys() for row in rows):
        reject("not-an-order", "", PayloadProblem.NOT_DOUDIAN_PUSH())
    hint(
        PayloadProblem.DOUDIAN_PUSH(),
        *(row.get("p_id") for row in rows),
    )


_MESSAGE = frozenset({"tag", "msg_id", "p_id"})


ADAPTER = DouyinAdapter()
