"""From a platform's bytes to orders: the templates of a channel in their order, and what each said when none fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from channel_adapters.contract import ChannelAdapter, ChannelError, UnreadablePayload
from channel_adapters.shop import Shop
from schemas.codes import Explanation, in_both
from schemas.order import Order
from schemas.text import Text


@dataclass(frozen=True, slots=True)
class TemplateFailure:
    """Why one template does not fit: `code` and `where` as in UnreadablePayload."""

    template: str
    code: str
    where: str
    explanation: Explanation

    @property
    def text(self) -> Text:
        """What does not fit, in both languages."""
        return in_both(self.explanation)


class NoTemplateFits(ChannelError):
    """No template of the channel can read an order object. `failures`: one row per template, main one first."""

    def __init__(self, failures: Sequence[TemplateFailure], platform_order_id: str = "") -> None:
        Exception.__init__(self, *(failure.code for failure in failures))
        self.failures = tuple(failures)
        self.platform_order_id = platform_order_id

    @property
    def text(self) -> Text:
        """What each template says, in both languages."""
        return _tell(self.failures, self.platform_order_id)

    def __str__(self) -> str:
        return self.text.en

    @property
    def code(self) -> str:
        """What the main template says: it describes what the platform sends today."""
        return self.failures[0].code


def read_order(adapter: ChannelAdapter, payload: bytes, shop: Shop) -> Order:
    """The order that one platform order object describes, by the first template that fits.

    What fits none and is cancelled all the same is read as that: such news must not wait in quarantine. Raises
    NoTemplateFits.
    """
    failures: list[TemplateFailure] = []
    for template in adapter.templates:
        try:
            return template.read(payload, shop)
        except UnreadablePayload as error:
            failures.append(TemplateFailure(template.name, error.code, error.where, error.explanation))
    order = adapter.stopped(payload, shop)
    if order is not None:
        return order
    raise NoTemplateFits(failures)


def parse_body(adapter: ChannelAdapter, body: bytes, shop: Shop) -> list[Order | UnreadablePayload | NoTemplateFits]:
    """Everything a body of this platform says: each of its orders, or why that one cannot be read.

    A body without any order gives one UnreadablePayload. Raises ChannelRefused and ChannelUnavailable when it is the
    platform's own error message.
    """
    try:
        raw_orders = adapter.open_envelope(body)
    except UnreadablePayload as error:
        return [error]
    return [_read(adapter, raw.platform_order_id, raw.payload, shop) for raw in raw_orders]


def _read(adapter: ChannelAdapter, platform_order_id: str, payload: bytes, shop: Shop) -> Order | NoTemplateFits:
    try:
        return read_order(adapter, payload, shop)
    except NoTemplateFits as error:
        return NoTemplateFits(error.failures, platform_order_id)


def _tell(failures: Sequence[TemplateFailure], platform_order_id: str) -> Text:
    who = f"order {platform_order_id}" if platform_order_id else "the order"
    who_zh = f"订单 {platform_order_id}" if platform_order_id else "该订单"
    en = "; ".join(f"{each.template}: {_field(each.where)}{each.text.en}" for each in failures)
    zh = "；".join(f"{each.template}：{_field(each.where)}{each.text.zh}" for each in failures)
    return Text(en=f"{who} does not fit any known form ({en})", zh=f"{who_zh}不符合任何已知格式（{zh}）")


def _field(where: str) -> str:
    return f"{where} " if where else ""
