"""The format of Shopify: its envelopes, its two templates, its webhook signature."""

from __future__ import annotations

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
from channel_adapters.envelope import Envelope, raw_order, unidentified, when
from channel_adapters.reading import Reading, cancelled, deleted_id, hint, iso_time, read_model, reject, required
from channel_adapters.shop import Shop, ShopSettings
from channel_adapters.shopify.mapping import CHANNEL, to_order
from channel_adapters.shopify.signature import WEBHOOK
from channel_adapters.shopify.wire import CurrentOrderObject, Ending, Head, OrderObject
from schemas.codes import PayloadProblem
from schemas.order import Order
from schemas.text import Text


class _Reading:
    """One form of the order object."""

    def __init__(self, name: str, model: type[OrderObject]) -> None:
        self.name: Final = name
        self._model = model

    def read(self, payload: bytes, shop: Shop) -> Order:
        """The order. Raises UnreadablePayload."""
        reading = Reading(shop, self.name)
        return to_order(reading.model(self._model, payload), reading)


class Shopify:
    """The format of one Shopify shop. The backup reads forms from before lines said what is left to ship."""

    channel: Final = CHANNEL
    templates: Sequence[Template] = (_Reading("rest", CurrentOrderObject), _Reading("rest-classic", OrderObject))

    def open_envelope(self, body: bytes) -> Sequence[RawOrder]:
        """The orders of a list page, a single answer or a webhook. Raises ChannelError: see the contract."""
        answer = Envelope(body)
        if "errors" in answer:
            error = platform_error({name: answer.read(name) for name in ("errors", "extensions") if name in answer})
            if error is not None:
                raise error
        if (orders := answer.value("orders")) is not None and orders.startswith(b"["):
            return [_row(payload) for payload in answer.rows("orders")]
        if answer.is_object("order"):
            return [_row(answer.value("order") or b"")]
        _check_is_an_order(answer)
        return [_row(answer.body)]

    def stopped(self, payload: bytes, shop: Shop) -> Order | None:
        """See channel_adapters.contract.ChannelAdapter."""
        try:
            head = read_model(Ending, payload)
            at = required(iso_time(head.updated_at, "updated_at"), "updated_at")
        except UnreadablePayload:
            return None
        if not head.cancelled_at and head.financial_status != "refunded":
            return None
        return cancelled(CHANNEL, shop.shop_id, head.id, at, "status", at)

    def verify_headers(self, headers: Headers, shop: ShopSettings) -> None:
        """Refuse a push without X-Shopify-Hmac-Sha256. Raises ForgedRequest."""
        WEBHOOK.check_form(headers)

    def verify(self, headers: Headers, body: bytes, shop: ShopSettings) -> None:
        """Check X-Shopify-Hmac-Sha256. Raises ForgedRequest."""
        WEBHOOK.check(headers, body, shop.push_secret)

    def deleted_order(self, headers: Headers, body: bytes) -> str | None:
        """`orders/delete`. Its body is `{"id": n}`, as that of a deleted product is."""
        return deleted_id(body) if headers.get("x-shopify-topic", "").strip().lower() == "orders/delete" else None


ADAPTER: ChannelAdapter = Shopify()


def platform_error(answer: Mapping[str, Any]) -> ChannelError | None:
    """What an answer with `errors` means: a text, a table of fields, or GraphQL's list. None for others."""
    errors = answer.get("errors")
    if not errors:
        return None
    if isinstance(errors, list):
        return _graphql_error(errors, answer)
    if isinstance(errors, str) and "exceeded" in errors.lower():
        return ChannelUnavailable(
            Text(
                en="Shopify limits the rate of our calls; they go on by themselves", zh="Shopify 正在限流，稍后自动继续"
            )
        )
    code = _CODES.get(errors, "refused") if isinstance(errors, str) else "bad-request"
    return ChannelRefused(
        code,
        Text(
            en=f"Shopify refuses the request ({code}): check the access token, its scope read_orders and base_url",
            zh=f"Shopify 拒绝了请求（{code}）：请检查访问令牌、read_orders 权限和 base_url",
        ),
    )


_CODES: Final = {
    "Not Found": "not-found",
    "[API] Invalid API key or access token (unrecognized login or wrong password)": "unauthorized",
    "Unavailable Shop": "unavailable-shop",
}


def _graphql_error(errors: Sequence[Any], answer: Mapping[str, Any]) -> ChannelError:
    first = errors[0] if isinstance(errors[0], dict) else {}
    extensions = first.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    if code == "THROTTLED" or first.get("message") == "Throttled":
        return ChannelUnavailable(
            Text(
                en="Shopify limits the cost of our queries; they go on by themselves",
                zh="Shopify 查询额度不足，稍后自动继续",
            ),
            _refill_seconds(answer),
        )
    name = code if isinstance(code, str) else "graphql"
    return ChannelRefused(
        name,
        Text(
            en=f"Shopify refuses the query ({name}): check the app's scopes",
            zh=f"Shopify 拒绝了查询（{name}）：请检查应用权限",
        ),
    )


def _refill_seconds(answer: Mapping[str, Any]) -> float | None:
    """How long until the query that was refused can be paid for."""
    try:
        cost = answer["extensions"]["cost"]
        status = cost["throttleStatus"]
        missing = float(cost["requestedQueryCost"]) - float(status["currentlyAvailable"])
        return max(0.0, missing / float(status["restoreRate"]))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def _row(payload: bytes) -> RawOrder:
    """One row of a list. What is not even an object travels on, so that it does not stop the others."""
    return raw_order(payload, Head, _identify) if payload.startswith(b"{") else unidentified(payload)


def _identify(head: Head) -> tuple[str, datetime | None]:
    text = head.updated_at
    return head.id, when(lambda: iso_time(text, "updated_at")) if isinstance(text, str) else None


def _check_is_an_order(answer: Envelope) -> None:
    if "order_id" in answer or "refund" in answer:
        hint(
            PayloadProblem.SHOPIFY_PART(),
            answer.read("order_id") or answer.read("refund", "order_id"),
        )
    if answer.names() == {"id"}:
        hint(
            PayloadProblem.ORDER_WAS_DELETED(),
            answer.read("id"),
        )
    if answer.is_object("order_edit"):
        hint(
            PayloadProblem.SHOPIFY_EDIT(),
            answer.read("order_edit", "order_id"),
        )
    if "data" in answer:
        reject(
            "not-an-order",
            "data",
            PayloadProblem.SHOPIFY_GRAPHQL(),
        )
    if "line_items" not in answer and "financial_status" not in answer:
        reject("not-an-order", "", PayloadProblem.NOT_SHOPIFY_ORDER())
