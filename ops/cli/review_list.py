"""`orderfleet review list`: which orders wait for a person, as the order book has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from ops.cli.output import ExitCode, a_table, add_row, epilog, language, note, print_json, print_table, say
from schemas.text import Text, moment

if TYPE_CHECKING:
    from workers.book.queries_work import ReviewPage, ReviewRow
    from workers.runtime.settings import Settings

HELP: Final = say(
    "List the orders that wait for a person, those first that wait longest: why, and where they would go. Read from "
    "the order book (orderfleet book).",
    "列出等待人工的订单，等待最久的在前：原因及建议发货仓。数据来自订单台账（orderfleet book）。",
)
EPILOG: Final = epilog(
    [
        ("orderfleet review list", Text("the 50 that wait longest", "等待最久的 50 单")),
        ("orderfleet review list --code sku-unknown --shop tb-flagship", Text("some of them", "只看其中一部分")),
        (
            "orderfleet review list --code sku-unknown --json | jq -r .order.uid",
            Text("for a loop over review redecide", "供循环执行 review redecide"),
        ),
    ],
    (ExitCode.OK, ExitCode.USAGE, ExitCode.AWAY),
)


def list_(
    code: Annotated[
        list[str] | None,
        typer.Option("--code", "-c", metavar="CODE", help=say("Only with one of these reasons.", "只看这些原因。")),
    ] = None,
    shop: Annotated[
        list[str] | None, typer.Option("--shop", metavar="ID", help=say("Only of these shops.", "只看这些店铺。"))
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help=say("At most so many.", "条数上限。"))] = 50,
    as_json: Annotated[bool, typer.Option("--json", help=say("One JSON object a line.", "每行一个 JSON。"))] = False,
) -> None:
    """As the book is now."""
    from ops.cli.book import ask_book

    page = ask_book(lambda known: _page(known, tuple(code or ()), tuple(shop or ()), limit))
    if as_json:
        from msgspec import to_builtins

        for row in page.rows:
            print_json(to_builtins(row))
        return
    _print(page)


def _page(known: Settings, codes: tuple[str, ...], shops: tuple[str, ...], limit: int) -> ReviewPage:
    from workers.admin.book import opened_book
    from workers.book.queries_work import ReviewFilter, list_reviews

    with opened_book(known) as connection:
        return list_reviews(connection, ReviewFilter(codes=codes, shop_ids=shops), most=limit)


def _print(page: ReviewPage) -> None:
    table = a_table(
        Text("Orders that wait for a person", "等待人工的订单"),
        [
            (Text("order", "订单"), False),
            (Text("since", "开始等待"), False),
            (Text("why", "原因"), False),
            (Text("suggested", "建议仓"), False),
        ],
    )
    for row in page.rows:
        add_row(table, row.order.uid, moment(row.review_at), _why(row), ", ".join(row.suggested))
    print_table(table)
    if page.after is not None:
        note(Text("there are more: --limit, or --code and --shop", "还有更多：请用 --limit，或 --code 与 --shop"))


def _why(row: ReviewRow) -> str:
    """Each reason in words; the name of a hold rule as the seller wrote it."""
    from schemas.codes import HoldCode

    known = {member.value: Text(member.en, member.zh) for member in HoldCode}
    told = [f"{code}: {known[code].tell(language())}" if code in known else code for code in row.order.review_codes]
    return "; ".join(told)
