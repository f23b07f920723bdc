"""`orderfleet orders`: finding orders in the order book, and seeing all that happened to one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ops.cli.desk import at_desk
from ops.cli.inputs import a_moment
from ops.cli.output import (
    ExitCode,
    a_table,
    add_row,
    console,
    epilog,
    money,
    note,
    print_json,
    print_table,
    say,
)
from schemas.text import Text, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workers.admin.desk.orders import OrderPage, OrderSummary
    from workers.admin.desk.paging import Page
    from workers.book.queries import TimelineEntry

EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY)
_UID: Final = "taobao:main:2700000000000000001"

app = typer.Typer(
    help=say("Orders in the order book: find them, and see what happened.", "订单台账：查找订单，查看经过。"),
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))]
Uid = Annotated[str, typer.Argument(metavar="ORDER", help=say("Order uid.", "订单 uid。"))]
Shop = Annotated[
    str | None, typer.Option("--shop", metavar="CHANNEL:SHOP", help=say("Only of this shop.", "只看该店铺。"))
]
Sku = Annotated[str | None, typer.Option("--sku", "-s", metavar="SKU", help=say("Only with it.", "只看含它的。"))]
Limit = Annotated[int, typer.Option("--limit", min=0, help=say("At most so many; 0: all.", "条数上限；0 为全部。"))]


@app.command(
    help=say(
        "Find orders, the newest first: by uid or the platform's order id, or by shop, stage, SKU and time. "
        "Stages: review, planned, unpaid, deferred, backordered, transfer, routed, part-shipped, shipped, cancelled, "
        "done, unknown.",
        "查找订单，最新的在前：按 uid 或平台订单号，或按店铺、阶段、SKU、时间。阶段：review、planned、unpaid、"
        "deferred、backordered、transfer、routed、part-shipped、shipped、cancelled、done、unknown。",
    ),
    epilog=epilog(
        [
            ("orderfleet orders find 2700000000000000001", Text("by the platform's id", "按平台订单号")),
            (
                "orderfleet orders find --shop taobao:main --stage backordered",
                Text("of one shop", "某店铺"),
            ),
            ("orderfleet orders find --since 6h --limit 0 --json", Text("one JSON object a line", "每行一个 JSON")),
        ],
        EXITS,
    ),
)
def find(
    text: Annotated[
        str | None, typer.Argument(metavar="[ORDER]", help=say("Order uid or platform order id.", "uid 或平台订单号。"))
    ] = None,
    shop: Shop = None,
    stage: Annotated[str | None, typer.Option("--stage", metavar="STAGE", help=say("Only there.", "阶段。"))] = None,
    sku: Sku = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help=say("Placed since: a time, or 6h, 2d.", "下单不早于。")),
    ] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """From the book."""
    from workers.admin.desk.filters import OrderFilter

    start = a_moment(since, "--since") if since else None
    wanted = OrderFilter(text=text, shop=shop, stage=stage, sku=sku, placed_from=start)
    with at_desk() as (desk, actor):
        found = pages(lambda cursor, most: desk.orders.find(actor, wanted, cursor=cursor, limit=most), limit)
        if as_json:
            for order in found:
                print_json(order)
            return
        _print(list(found))


def pages(ask: Callable[[str | None, int], Page[Any]], limit: int) -> Iterator[Any]:
    """Item by item over the pages, at most `limit` of them; 0: all."""
    from workers.admin.desk.paging import MOST

    cursor, left = None, limit
    while True:
        page = ask(cursor, min(left, MOST) if limit else MOST)
        yield from page.items
        left -= len(page.items)
        cursor = page.next
        if cursor is None or (limit and left <= 0):
            return


def _print(orders: list[OrderSummary]) -> None:
    names = (
        Text("order", "订单"),
        Text("stage", "阶段"),
        Text("placed", "下单时间"),
        Text("paid", "实付"),
        Text("to", "收货地"),
        Text("SKUs", "商品 SKU"),
    )
    table = a_table(Text("Orders", "订单"), [(name, False) for name in names])
    for order in orders:
        paid = money(order.paid, order.currency) if order.paid is not None and order.currency else ""
        place = " ".join(part for part in (order.province, order.city) if part)
        add_row(table, order.uid, order.stage, moment(order.placed_at), paid, place, ", ".join(order.skus))
    print_table(table)
    note(Text(f"{len(orders)} orders", f"共 {len(orders)} 单"))


@app.command(
    help=say("Show one order: where it is, its lines, each warehouse, what happened.", "查看一个订单的全部情况。"),
    epilog=epilog(
        [
            (f"orderfleet orders show {_UID}", Text("with what happened to it", "含经过")),
            (f"orderfleet orders show {_UID} --json", Text("for machines", "供程序读取")),
        ],
        EXITS,
    ),
)
def show(order: Uid, as_json: AsJson = False) -> None:
    """From the book; `explain` asks Redis and Kafka themselves."""
    with at_desk() as (desk, actor):
        page = desk.orders.show(actor, order)
        happened = desk.orders.timeline(actor, order)
    if as_json:
        print_json({"order": page, "timeline": happened})
        return
    tell_order(page)
    _tell_timeline(happened)


@app.command(
    help=say("What happened to one order, oldest first.", "一个订单的经过，按时间先后。"),
    epilog=epilog([(f"orderfleet orders timeline {_UID} --json", Text("for machines", "供程序读取"))], EXITS),
)
def timeline(order: Uid, as_json: AsJson = False) -> None:
    """From the book."""
    with at_desk() as (desk, actor):
        happened = desk.orders.timeline(actor, order)
    if as_json:
        for entry in happened:
            print_json(entry)
        return
    _tell_timeline(happened)


def tell_order(page: OrderPage) -> None:
    """One order for people."""
    from ops.cli.output import language
    from schemas.codes import Explanation, render

    _print([page.order])
    if page.review is not None:
        told = page.review.explanation
        why = "" if told is None else render(Explanation(code=told["code"], args=told["args"]), language())
        since, codes = moment(page.review.since), ", ".join(page.review.codes)
        console().print(
            say(f"waits for a person since {since}: {codes}. {why}", f"自 {since} 起等待人工：{codes}。{why}"),
            markup=False,
        )
    for each in page.shipments:
        answer = each.wms_kind or say("no answer yet", "尚无应答")
        console().print(f"  {each.warehouse_id}: {each.state} ({answer})", markup=False)


def _tell_timeline(happened: list[TimelineEntry]) -> None:
    table = a_table(
        Text("What happened", "经过"),
        [
            (name, False)
            for name in (Text("at", "时间"), Text("what", "事件"), Text("where", "仓库"), Text("codes", "代码"))
        ],
    )
    for entry in happened:
        add_row(table, _at(entry.at), entry.kind, entry.warehouse_id, ", ".join(entry.codes))
    print_table(table)


def _at(when: datetime) -> str:
    return moment(when)
