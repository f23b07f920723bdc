"""`orderfleet review show`: an order that waits for a person, why, where it could ship from, and what may be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ops.cli.desk import at_desk
from ops.cli.orders import AsJson, Uid, tell_order
from ops.cli.output import ExitCode, a_table, add_row, console, epilog, fail, language, print_json, print_table, say
from ops.cli.review_list import reason
from schemas.text import Text

if TYPE_CHECKING:
    from workers.admin.desk.choices import Candidate, Choice
    from workers.admin.desk.orders import OrderPage

HELP: Final = say(
    "Show an order that waits for a person: its lines, gifts apart; why it waits; where it could ship from and what "
    "stock is there now; what may be done with it, and what not and why.",
    "查看一个等待人工的订单：商品行（赠品另列）、原因、可发仓库与当前库存、可执行的操作及不可执行的原因。",
)
EPILOG: Final = epilog(
    [("orderfleet review show taobao:main:2700000000000000001", Text("before a decision", "操作之前"))],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY),
)


def show(order: Uid, as_json: AsJson = False) -> None:
    """Exits 1 when it does not wait for anybody. Lines and reasons from the book, the rest asked of the ledger now."""
    with at_desk() as (desk, actor):
        page = desk.orders.show(actor, order)
        if page.review is None:
            fail(
                Text(
                    f"{order} waits for nobody: it is {page.order.stage}",
                    f"{order} 无需人工：当前阶段 {page.order.stage}",
                )
            )
        choices = desk.choices.of(actor, order)
    if as_json:
        print_json({"order": page, "review": page.review, "choices": choices})
        return
    tell_order(page)
    for code in page.review.codes:
        console().print(f"  - {reason(code)}", markup=False)
    for told in _flags(page):
        console().print(f"  ! {told}", markup=False)
    _print_lines(Text("Purchased", "购买项"), [line for line in page.lines if line.get("kind") != "gift"])
    _print_lines(Text("Gifts", "附赠项"), [line for line in page.lines if line.get("kind") == "gift"])
    _print_candidates(choices.candidates)
    _print_choices(choices.choices)


def _flags(page: OrderPage) -> list[str]:
    from schemas.codes import Explanation, render

    flags = (page.plan or {}).get("flags") or ()
    told = [flag["explanation"] for flag in flags if flag.get("explanation")]
    return [render(Explanation(code=each["code"], args=each["args"]), language()) for each in told]


def _print_lines(title: Text, lines: Sequence[dict[str, Any]]) -> None:
    if not lines:
        return
    names = (
        Text("line", "行号"),
        Text("SKU", "SKU"),
        Text("units", "数量"),
        Text("status", "状态"),
        Text("title", "名称"),
    )
    table = a_table(title, [(name, name.en == "units") for name in names])
    for line in lines:
        add_row(
            table,
            line["line_id"],
            line.get("sku") or "-",
            str(line["quantity"]),
            str(line.get("status", "")),
            line.get("title", ""),
        )
    print_table(table)


def _print_candidates(candidates: Sequence[Candidate]) -> None:
    names = (
        Text("warehouse", "仓库"),
        Text("suggested", "建议"),
        Text("has all", "齐全"),
        Text("stock now", "当前库存"),
    )
    table = a_table(Text("Where it could ship from", "可发仓库"), [(name, False) for name in names])
    for each in candidates:
        stock = ", ".join(f"{one.sku} {one.available + one.has}/{one.needs}" for one in each.stock)
        add_row(table, each.warehouse_id, _yes(each.suggested), _yes(each.enough), stock)
    print_table(table)


def _yes(holds: bool) -> str:
    return say("yes", "是") if holds else ""


def _print_choices(choices: Sequence[Choice]) -> None:
    from workers.admin.desk.choices import choice_text

    names = (Text("decision", "操作"), Text("may be made", "可执行"), Text("why not", "不可执行的原因"))
    table = a_table(Text("What may be done", "可执行的操作"), [(name, False) for name in names])
    for each in choices:
        add_row(table, each.kind, _yes(each.allowed), choice_text(each).tell(language()))
    print_table(table)
