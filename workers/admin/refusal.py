"""Why an order or a body was refused, so that a shop's IT person knows what is wrong, where, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from channel_adapters.contract import ChannelError, ChannelRefused, ChannelUnavailable, UnreadablePayload
from channel_adapters.parsing import NoTemplateFits, TemplateFailure, parse_body
from channel_adapters.registry import CHANNELS
from channel_adapters.shop import Shop
from schemas.order import Order
from schemas.text import Text

_ASK_FOR_VERSION: Final = Text(
    "this version of orderfleet does not know what the platform sends here: look for a newer one, or report the "
    "field and its value",
    "当前版本不认识平台发来的这个内容：请查看是否有新版本，或上报该字段及其取值",
)
_FETCH_AGAIN: Final = Text(
    "fetch the order again from the platform and compare this field; if the platform really sends it so, report it",
    "请从平台重新拉取该订单并核对此字段；若平台确实如此返回，请上报",
)
ADVICE: Final = {
    "broken-json": Text(
        "the file was cut off or changed on its way: save the platform's answer again, whole, as UTF-8 JSON",
        "文件可能被截断或改动：请重新保存平台返回的完整 UTF-8 JSON",
    ),
    "not-an-order": Text(
        "give a list page, a detail answer, a webhook body or one order object of this channel",
        "请提供该渠道的列表页、详情、推送报文或单个订单对象",
    ),
    "unknown-status": _ASK_FOR_VERSION,
    "too-large": Text(
        "split the page into smaller ones, or give one order at a time", "请拆小分页，或一次只给一个订单"
    ),
    "no-lines": Text(
        "an order without lines cannot be shipped: fetch it again with its lines (the full detail)",
        "没有商品行的订单无法发货：请重新拉取包含商品行的完整详情",
    ),
}
"""What to do about a refusal, by its code; for all others: fetch it again."""


def tell_refusal(refusal: UnreadablePayload | NoTemplateFits, name: str, body: bytes) -> Text:
    """Everything about one refused order or body, over several lines. `name` is the file's."""
    if isinstance(refusal, UnreadablePayload):
        return _lines(
            Text(f"{name}: refused ({refusal.code}): {refusal.where or 'the payload'} {refusal.text.en}",
                 f"{name}：无法解读（{refusal.code}）：{refusal.where}{' ' * bool(refusal.where)}{refusal.text.zh}"),
            _look(body) or ADVICE.get(refusal.code, _FETCH_AGAIN),
        )  # fmt: skip
    order_id = refusal.platform_order_id
    who = (
        Text(f"order {order_id}", f"订单 {order_id}")
        if order_id
        else Text("an order without an id", "一个没有订单号的订单")
    )
    head = Text(f"{name}: {who.en}: refused ({refusal.code})", f"{name}：{who.zh}：无法解读（{refusal.code}）")
    return _lines(head, ADVICE.get(refusal.code, _FETCH_AGAIN), tuple(_by_template(refusal.failures)))


def _by_template(failures: tuple[TemplateFailure, ...]) -> Iterator[Text]:
    for failure in failures:
        yield Text(
            f"by template {failure.template}: {failure.where or 'the order'} {failure.text.en}",
            f"按模板 {failure.template}：{failure.where}{' ' * bool(failure.where)}{failure.text.zh}",
        )


def _lines(head: Text, advice: Text, details: tuple[Text, ...] = ()) -> Text:
    return Text(
        en="\n".join([head.en, *(f"  {detail.en}" for detail in details), f"  what to do: {advice.en}"]),
        zh="\n".join([head.zh, *(f"  {detail.zh}" for detail in details), f"  怎么办：{advice.zh}"]),
    )


def tell_platform_error(error: ChannelError, name: str, channel: str) -> Text:
    """The file is not an order but the platform's own error message."""
    code = f" ({error.code})" if isinstance(error, ChannelRefused) else ""
    again = isinstance(error, ChannelUnavailable)
    return Text(
        f"{name}: this is an error message of {channel}{code}, not an order: {error.text.en}"
        + ("; fetch again later" if again else ""),
        f"{name}：这是 {channel} 的错误报文{code}，不是订单：{error.text.zh}" + ("；请稍后重新拉取" if again else ""),
    )


_NOT_TEXT: Final = Text(
    "the file is binary, or text that is not UTF-8 (GBK?): save the platform's answer as UTF-8 JSON",
    "文件是二进制，或不是 UTF-8 文本（是否 GBK？）：请以 UTF-8 JSON 保存平台返回内容",
)


def _look(body: bytes) -> Text | None:
    """What a body that is no JSON probably is, and what to do then."""
    head = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return Text("the file is empty: save the platform's answer again", "文件为空：请重新保存平台的返回内容")
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return Text(
            "this is a web page or XML, not JSON: a login, error or gateway page was saved instead of the answer; "
            "ask the platform for JSON and check the session",
            "这是网页或 XML，不是 JSON：可能保存了登录页、错误页或网关页；请以 JSON 格式调用接口并检查授权",
        )
    if head.startswith((b"\x1f\x8b", b"pk\x03\x04")):
        return Text("the file is compressed: unpack it first", "文件是压缩包：请先解压")
    return None if _is_text(body) else _NOT_TEXT


def _is_text(body: bytes) -> bool:
    try:
        return "\0" not in body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False


def other_channels(body: bytes, shop_id: str, channel: str) -> list[str]:
    """The other channels that read at least one order in this body: it was probably meant for one of them."""
    return [name for name in CHANNELS if name != channel and _reads(name, body, shop_id)]


def _reads(channel: str, body: bytes, shop_id: str) -> bool:
    try:
        return any(isinstance(each, Order) for each in parse_body(CHANNELS[channel].adapter, body, Shop(shop_id)))
    except ChannelError:
        return False
