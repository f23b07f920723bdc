"""The format of JD bodies: list pages, details, errors, and the rows that only look like orders."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from channel_adapters.contract import (
    ChannelRefused,
    ChannelUnavailable,
    ForgedRequest,
    Headers,
    RawOrder,
    Template,
    UnreadablePayload,
)
from channel_adapters.envelope import Envelope, raw_order
from channel_adapters.fields import flag_of
from channel_adapters.jd.mapping import CHANNEL, is_over, read_detail, read_lean
from channel_adapters.jd.wire import Ending, Head
from channel_adapters.reading import Reading, beijing_time, cancelled, hint, read_model, reject, required
from channel_adapters.shop import Shop, ShopSettings
from schemas.codes import PayloadProblem
from schemas.order import Order
from schemas.text import Text

RESULT, ROWS = "searchorderinfo_result", "orderInfoList"
DETAIL, ORDER = "orderDetailInfo", "orderInfo"

_LIMITED = "2"

_ADVICE = {
    "8": Text("the clock of this machine is off; set it right", "本机时钟不准，请校准时间"),
    "12": Text(
        "the signature is wrong; check the app key and app secret in the shop's settings",
        "签名错误，请检查店铺设置中的 app key 与 app secret",
    ),
    "19": Text(
        "the access token is expired or unknown; authorise the shop again", "授权已过期或不存在，请重新授权店铺"
    ),
    "21": Text("the app key is not known; check it in the shop's settings", "app key 无效，请检查店铺设置"),
    "2001": Text(
        "the app has no permission for this call; ask for it at JD's open platform",
        "应用没有该接口权限，请在京东开放平台申请",
    ),
}
_NO_ADVICE = Text("look the code up in JD's documentation", "请在京东开放平台文档中查询该错误码")

_TOKEN_LIKE = re.compile(r"[0-9A-Za-z_\-+/=*]{8,}")


@dataclass(frozen=True, slots=True)
class JdTemplate:
    """One way to read the order object."""

    name: str
    reader: Callable[[bytes, Reading], Order]

    def read(self, payload: bytes, shop: Shop) -> Order:
        """See channel_adapters.contract.Template."""
        return self.reader(payload, Reading(shop, self.name))


class JdAdapter:
    """See channel_adapters.contract.ChannelAdapter. A list row and a detail are the same object."""

    channel = CHANNEL
    templates: Sequence[Template] = (JdTemplate("detail", read_detail), JdTemplate("lean", read_lean))

    def open_envelope(self, body: bytes) -> Sequence[RawOrder]:
        """A list page, a detail answer or one bare order."""
        root = Envelope(body)
        if "itemInfoList" in root or "orderStartTime" in root:
            return [_raw(root.body)]
        _refuse_bare_row(root)
        name, _ = open_answer(_without_rows(root))
        if root.is_object(name, RESULT):
            return [_raw(row) for row in root.rows(name, RESULT, ROWS)]
        if rows := root.rows(name, DETAIL, ORDER):
            return [_raw(row) for row in rows]
        if "presale" in name.lower():
            hint(PayloadProblem.JD_PRESALE_ROW())
        if "notpay" in name.lower():
            hint(PayloadProblem.JD_UNPAID_ROW())
        raise UnreadablePayload("not-an-order", name, PayloadProblem.NOT_JD_ORDERS(rows=RESULT, detail=DETAIL))

    def verify_headers(self, headers: Headers, shop: ShopSettings) -> None:
        """Refuses whatever comes: see `verify`."""
        self.verify(headers, b"", shop)

    def stopped(self, payload: bytes, shop: Shop) -> Order | None:
        """See channel_adapters.contract.ChannelAdapter."""
        try:
            head = read_model(Ending, payload)
            at = required(beijing_time(head.modified, "modified"), "modified")
        except UnreadablePayload:
            return None
        if not is_over(head, shop):
            return None
        placed_at = _moment(head.order_start_time) or at
        return cancelled(CHANNEL, shop.shop_id, head.order_id, at, "status", placed_at)

    def verify(self, headers: Headers, body: bytes, shop: ShopSettings) -> None:
        """JD pushes nothing to POP sellers, so whatever claims to be a push is forged."""
        raise ForgedRequest(
            Text(
                en="jd: JD sends no webhooks for POP orders; remove the webhook, the poller fetches the orders",
                zh="京东：POP 订单没有推送消息，请移除该 webhook，订单由轮询程序拉取",
            )
        )


def _without_rows(root: Envelope) -> dict[str, Any]:
    """The answer for `open_answer`, of its two parts only what they say of themselves."""
    found: dict[str, Any] = {}
    for name in root.names():
        if not name.endswith(("_responce", "_response")):
            continue
        if not root.is_object(name):
            found[name] = None
            continue
        found[name] = {key: root.read(name, key) for key in ("code",) if root.value(name, key) is not None}
        for part in (RESULT, DETAIL):
            if root.is_object(name, part):
                found[name][part] = {"apiResult": root.read(name, part, "apiResult")}
    return found


def open_answer(root: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name and the content of a call's answer, once both the call and what it was for have succeeded.

    `code` "0" says that the gateway passed the call on, `apiResult` whether it did what was asked. Raises
    ChannelUnavailable, ChannelRefused, UnreadablePayload.
    """
    error = root.get("error_response")
    if isinstance(error, dict):
        _raise_gateway_error(str(error.get("code", "")))
    # The misspelled "responce" is JD's own.
    name = next((key for key in root if key.endswith(("_responce", "_response"))), "")
    answer = root.get(name)
    if not isinstance(answer, dict):
        reject("not-an-order", "", PayloadProblem.NOT_JD_ANSWER())
    for part in (answer.get(RESULT), answer.get(DETAIL)):
        if isinstance(part, dict):
            _check_api_result(part.get("apiResult"))
    if str(answer.get("code", "0")) != "0":
        _raise_gateway_error(str(answer["code"]))
    return name, answer


def _raise_gateway_error(code: str) -> NoReturn:
    code = code[:40] or "unknown"
    if code == _LIMITED:
        en = f"jd: the platform limits our calls (code {code}); it will be asked again"
        raise ChannelUnavailable(Text(en, f"京东：调用次数受限（错误码 {code}），稍后重试"))
    advice = _ADVICE.get(code, _NO_ADVICE)
    en = f"jd refused the call (code {code}): {advice.en}"
    raise ChannelRefused(code, Text(en, f"京东拒绝了请求（错误码 {code}）：{advice.zh}"))


def _check_api_result(result: object) -> None:
    """The refusal quotes JD's own words about the query; anything in them like an id or a token is cut out."""
    if not isinstance(result, dict):
        return
    success = flag_of(result.get("success"))
    if success or (success is None and not result.get("numberCode") and not result.get("englishErrCode")):
        return
    code = str(result.get("numberCode", "unknown"))[:40]
    words = " / ".join(filter(None, (_quotable(result.get("englishErrCode")), _quotable(result.get("chineseErrCode")))))
    raise ChannelRefused(
        code,
        Text(
            en=f"jd refused the query (code {code}): {words or _NO_ADVICE.en}",
            zh=f"京东拒绝了查询（错误码 {code}）：{words or _NO_ADVICE.zh}",
        ),
    )


def _quotable(words: object) -> str:
    if not isinstance(words, str):
        return ""
    return _TOKEN_LIKE.sub(lambda match: match[0] if match[0].isalpha() else "…", words)[:80]


def _refuse_bare_row(root: Envelope) -> None:
    if "presaleId" in root:
        hint(PayloadProblem.JD_PRESALE_ROW())
    if "Response" in root or "updateTime" in root:
        hint(PayloadProblem.JD_SP_API())
    if "orderId" in root:
        hint(PayloadProblem.JD_UNPAID_ROW())


def _raw(payload: bytes) -> RawOrder:
    return raw_order(payload, Head, lambda head: (head.order_id, _moment(head.modified)))


def _moment(text: object) -> datetime | None:
    try:
        return beijing_time(str(text), "modified") if type(text) in (str, int) else None
    except UnreadablePayload:
        return None


ADAPTER = JdAdapter()
