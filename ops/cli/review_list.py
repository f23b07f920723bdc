"""`orderfleet review list`: which orders wait for a person, as the order book has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from ops.cli.desk import at_desk
from ops.cli.orders import Limit, Shop, Sku, pages
from ops.cli.output import ExitCode, a_table, add_row, epilog, language, note, print_json, print_table, say
from schemas.text import Text, moment

if TYPE_CHECKING:
    from workers.admin.desk.orders import InReview

HELP: Final = say(
    "List the orders that wait for a person, those first that wait longest: why, and where they would go. Read from "
    "the order book (orderfleet book).",
    "列出等待人工的订单，等待最久的在前：原因及建议发货仓。数据来自订单台账（orderfleet book）。",
)
EPILOG: Final = epilog(
    [
        ("orderfleet review list", Text("the 50 that wait longest", "等待最久的 50 单")),
        ("orderfleet review list --code sku-unknown --shop taobao:tb-flagship", Text("some of them", "只看其中一部分")),
        (
            "orderfleet review list --code sku-unknown --json | jq -r .order.uid",
            Text("for a loop over review redecide", "供循环执行 review redecide"),
        ),
    ],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY),
)


def list_(
    code: Annotated[
        str | None, typer.Option("--code", "-c", metavar="CODE", help=say("Only for this reason.", "只看该原因。"))
    ] = None,
    shop: Shop = None,
    sku: Sku = None,
    limit: Limit = 50,
    as_json: Annotated[bool, typer.Option("--json", help=say("One JSON object a line.", "每行一个 JSON。"))] = False,
) -> None:
    """As the book is now."""
    from workers.admin.desk.filters import ReviewFilter

    wanted = ReviewFilter(code=code, shop=shop, sku=sku)
    with at_desk() as (desk, actor):
        found = pages(lambda cursor, most: desk.orders.review(actor, wanted, cursor=cursor, limit=most), limit)
        if as_json:
            for each in found:
                print_json(each)
            return
        waiting = list(found)
    _print(waiting)
    if limit and len(waiting) == limit:
        note(
            Text("there may be more: --limit, or --code and --shop", "可能还有更多：请用 --limit，或 --code 与 --shop")
        )


def _print(waiting: list[InReview]) -> None:
    table = a_table(
        Text("In review", "等待人工"),
        [
            (Text("order", "订单"), False),
            (Text("since", "开始时间"), False),
            (Text("why", "原因"), False),
            (Text("suggested", "建议仓"), False),
        ],
    )
    for each in waiting:
        why = "; ".join(reason(code) for code in each.codes)
        add_row(table, each.order.uid, moment(each.since), why, ", ".join(each.suggested))
    print_table(table)


def reason(code: str) -> str:
    """A reason in words; the name of a hold rule as the seller wrote it."""
    from schemas.codes import HoldCode

    known = {member.value: Text(member.en, member.zh) for member in HoldCode}
    return f"{code}: {known[code].tell(language())}" if code in known else code
