"""The format of WooCommerce: its envelopes, its one template, its webhook signature."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from channel_adapters.contract import (
    ChannelAdapter,
    ChannelError,
    ChannelRefused,
    ChannelUnavailable,
    Headers,
    RawOrder,
    Template,
    UnreadablePayload,
)
from channel_adapters.envelope import Envelope, raw_order, rows, unidentified, when
from channel_adapters.limits import check_body
from channel_adapters.reading import Reading, cancelled, deleted_id, hint, iso_time, read_model, reject, required
from channel_adapters.shop import Shop, ShopSettings
from channel_adapters.woocommerce.mapping import CHANNEL, is_over, to_order
from channel_adapters.woocommerce.signature import WEBHOOK
from channel_adapters.woocommerce.wire import Ending, Head, OrderObject
from schemas.codes import PayloadProblem
from schemas.order import Order
from schemas.text import Text

_PING = re.compile(rb"\s*webhook_id=\d+\s*")


class RestV3:
    """The order object of REST API v3, as lists, single answers and webhooks carry it alike.

    There is no backup: older API versions give times without a zone, which no reading could make exact.
    """

    name: Final = "rest-v3"

    def read(self, payload: bytes, shop: Shop) -> Order:
        """The order. Raises UnreadablePayload."""
        reading = Reading(shop, self.name)
        return to_order(reading.model(OrderObject, payload), reading)


class WooCommerce:
    """The format of one generic WooCommerce shop."""

    channel: Final = CHANNEL
    templates: Sequence[Template] = (RestV3(),)

    def open_envelope(self, body: bytes) -> Sequence[RawOrder]:
        """The orders of a list page, a single answer or a webhook. Raises ChannelError: see the contract."""
        if _PING.fullmatch(body):
            hint(
                PayloadProblem.WOOCOMMERCE_PING(),
            )
        bare = body.removeprefix(b"\xef\xbb\xbf").strip()
        if not bare.startswith(b"["):
            return [_opened(Envelope(body))]
        check_body(bare)
        return _page(bare)

    def stopped(self, payload: bytes, shop: Shop) -> Order | None:
        """See channel_adapters.contract.ChannelAdapter."""
        try:
            head = read_model(Ending, payload)
            at = required(iso_time(head.date_modified_gmt, "date_modified_gmt", assume_utc=True), "date_modified_gmt")
        except UnreadablePayload:
            return None
        if not is_over(head.status, shop):
            return None
        return cancelled(CHANNEL, shop.shop_id, head.id, at, "status", at)

    def verify_headers(self, headers: Headers, shop: ShopSettings) -> None:
        """Refuse a push without X-WC-Webhook-Signature. Raises ForgedRequest."""
        WEBHOOK.check_form(headers)

    def verify(self, headers: Headers, body: bytes, shop: ShopSettings) -> None:
        """Check X-WC-Webhook-Signature. Raises ForgedRequest."""
        WEBHOOK.check(headers, body, shop.push_secret)

    def deleted_order(self, headers: Headers, body: bytes) -> str | None:
        """`order.deleted`, for the trash as for good. Its body is `{"id": n}`, as that of a deleted product is."""
        return deleted_id(body) if headers.get("x-wc-webhook-topic", "").strip().lower() == "order.deleted" else None


ADAPTER: ChannelAdapter = WooCommerce()


def platform_error(answer: Mapping[str, Any]) -> ChannelError | None:
    """What an answer like {"code": "woocommerce_rest_cannot_view", "data": {"status": 401}} means; None for others."""
    code, data = answer.get("code"), answer.get("data")
    status = data.get("status") if isinstance(data, dict) else None
    if not isinstance(code, str) or "id" in answer:
        return None
    if isinstance(status, int) and (status == 429 or status >= 500):
        return ChannelUnavailable(
            Text(en=f"the shop cannot answer now ({code}, {status})", zh=f"店铺暂时无法应答（{code}，{status}）")
        )
    hint = _HINTS.get(status) if isinstance(status, int) else None
    en, zh = hint or ("check the shop's settings", "请检查店铺设置")
    return ChannelRefused(
        code, Text(en=f"the shop refuses ({code}, {status}): {en}", zh=f"店铺拒绝了请求（{code}，{status}）：{zh}")
    )


_CHECK_KEY = (
    "check the consumer key and secret and their permission to read (WooCommerce > Settings > Advanced > REST API)",
    "请在 WooCommerce > 设置 > 高级 > REST API 中检查密钥及其读取权限",
)
_HINTS: Final = {
    400: ("the shop does not know a parameter of the query: update WooCommerce to 5.8 or later",
          "店铺不认识查询参数：请把 WooCommerce 升级到 5.8 或更高版本"),
    401: _CHECK_KEY,
    403: _CHECK_KEY,
    404: ("there is nothing at this address: check base_url, or the order was deleted",
          "地址不存在：请检查 base_url，或订单已被删除"),
}  # fmt: skip


def _page(body: bytes) -> Sequence[RawOrder]:
    """The rows of a list. One that is no order travels on, so that it does not stop the others; when none is one, the
    body is refused.
    """
    found: list[RawOrder] = []
    refusal: UnreadablePayload | None = None
    any_order = False
    for row in rows(body):
        try:
            found.append(_opened(Envelope(row)))
            any_order = True
        except UnreadablePayload as error:
            refusal = refusal or error
            found.append(unidentified(row))
    if refusal is not None and not any_order:
        raise refusal
    return found


def _opened(row: Envelope) -> RawOrder:
    if "code" in row:
        error = platform_error({name: row.read(name) for name in ("code", "data", "id") if name in row})
        if error is not None:
            raise error
    _check_is_an_order(row)
    return raw_order(row.body, Head, _identify)


def _identify(head: Head) -> tuple[str, datetime | None]:
    text = head.date_modified_gmt
    if not isinstance(text, str):
        return head.id, None
    return head.id, when(lambda: iso_time(text, "date_modified_gmt", assume_utc=True))


def _check_is_an_order(row: Envelope) -> None:
    if "line_items" in row and ("status" in row or "amount" not in row):
        return
    if "status" in row and "currency" in row:
        return
    if "refunded_by" in row or "amount" in row:
        hint(
            PayloadProblem.WOOCOMMERCE_REFUND(),
            row.read("parent_id"),
        )
    if row.names() == {"id"}:
        hint(
            PayloadProblem.ORDER_WAS_DELETED(),
            row.read("id"),
        )
    reject("not-an-order", "", PayloadProblem.NOT_WOOCOMMERCE_ORDER())
