"""`orderfleet parse`: what a platform's payload means, as orders. Needs no server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from ops.cli.inputs import a_slug, read_input, shown
from ops.cli.output import ExitCode, epilog, fail, note, print_json, say, say_error
from schemas.text import Text

if TYPE_CHECKING:
    from channel_adapters.contract import UnreadablePayload
    from channel_adapters.parsing import NoTemplateFits
    from channel_adapters.registry import Channel
    from schemas.order import Order

    Refusal = UnreadablePayload | NoTemplateFits

HELP: Final = say(
    "Show the orders that a platform's payload means: one JSON order a line.\n\n"
    "FILE is anything the platform sends: a list page, a detail answer, a webhook body, one bare order object. "
    "What can't be read is refused by name on stderr: which order, which field, what is wrong, what to do.",
    "显示平台报文所表示的订单，每行一个 JSON。\n\n"
    "FILE 可以是平台发来的任何内容：列表页、详情、推送报文或单个订单对象。"
    "读不懂的内容会在 stderr 说明：哪个订单、哪个字段、问题是什么、怎么办。",
)
EPILOG: Final = epilog(
    [
        ("orderfleet parse taobao page.json", Text("every order of the page", "该页的所有订单")),
        (
            "orderfleet parse jd order.json --shop flagship --pretty",
            Text("for reading; uids as of shop flagship", "便于阅读；按店铺 flagship 生成订单 uid"),
        ),
        (
            "curl -s https://shop.example/wp-json/wc/v3/orders/1 -u KEY:SECRET | orderfleet parse woocommerce -",
            Text("from stdin", "从标准输入读取"),
        ),
        (
            "orderfleet parse douyin page.json | jq -r 'select(.status==\"to-ship\").uid'",
            Text("which orders are to be shipped", "哪些订单待发货"),
        ),
    ]
)


def parse(
    channel: Annotated[
        str,
        typer.Argument(
            metavar="CHANNEL",
            help=say(
                "taobao, pinduoduo, douyin, jd, woocommerce or shopify.",
                "taobao、pinduoduo、douyin、jd、woocommerce 或 shopify。",
            ),
        ),
    ],
    file: Annotated[
        str, typer.Argument(metavar="FILE", help=say("The payload; - is stdin.", "报文文件；- 表示标准输入。"))
    ],
    shop: Annotated[
        str, typer.Option("--shop", metavar="ID", help=say("The shop it came from.", "报文所属的店铺。"))
    ] = "main",
    pretty: Annotated[
        bool,
        typer.Option(
            "--pretty",
            help=say("For people: a summary without personal data.", "便于人阅读的摘要，不含个人信息。"),
        ),
    ] = False,
) -> None:
    """Print the orders, then fail if anything was refused."""
    from schemas.order import Order

    row = _channel(channel)
    shop_id = a_slug(shop, "--shop")
    body = read_input(file)
    outcomes = _read(row, body, shop_id, shown(file))
    orders = [outcome for outcome in outcomes if isinstance(outcome, Order)]
    _print_orders(orders, pretty)
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Order)]
    if refused:
        _tell_refusals(refused, shown(file), body)
        if not orders:
            _tell_better_channel(row, body, shop_id, file)
        raise typer.Exit(ExitCode.BAD)
    if not orders:
        note(Text("the payload holds no orders (an empty page)", "报文里没有订单（空页）"))


def _channel(name: str) -> Channel:
    from channel_adapters.registry import CHANNELS
    from workers.rules.problems import did_you_mean

    if name not in CHANNELS:
        hint = did_you_mean(name, CHANNELS)
        corrected = not all(known in hint.en for known in CHANNELS)  # else it is the list itself
        fail(
            Text(
                f"there is no channel {name}{hint.en}" + f" The channels are: {', '.join(CHANNELS)}" * corrected,
                f"没有渠道 {name}{hint.zh}" + f"渠道有：{'、'.join(CHANNELS)}" * corrected,
            ),
            ExitCode.USAGE,
        )
    return CHANNELS[name]


def _read(row: Channel, body: bytes, shop_id: str, name: str) -> list[Order | Refusal]:
    from channel_adapters.contract import ChannelError
    from channel_adapters.parsing import parse_body
    from channel_adapters.shop import Shop
    from workers.admin.refusal import tell_platform_error

    try:
        return parse_body(row.adapter, body, Shop(shop_id))
    except ChannelError as error:
        fail(tell_platform_error(error, name, row.name))


def _print_orders(orders: list[Order], pretty: bool) -> None:
    from ops.cli.order_view import print_order

    for order in orders:
        if pretty:
            print_order(order)
        else:
            print_json(order)


def _tell_refusals(refused: list[Refusal], name: str, body: bytes) -> None:
    from workers.admin.refusal import tell_refusal

    for refusal in refused:
        say_error(tell_refusal(refusal, name, body))


def _tell_better_channel(row: Channel, body: bytes, shop_id: str, file: str) -> None:
    from workers.admin.refusal import other_channels

    for other in other_channels(body, shop_id, row.name)[:1]:
        note(
            Text(
                f"this reads as a payload of {other}: try orderfleet parse {other} {file}",
                f"这看起来是 {other} 的报文：请试 orderfleet parse {other} {file}",
            )
        )
