"""`orderfleet figures`: the seller's figures, and entering what nothing else knows."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from ops.cli.desk import at_desk
from ops.cli.inputs import read_input
from ops.cli.orders import AsJson, Shop
from ops.cli.output import (
    ExitCode,
    a_table,
    add_row,
    console,
    epilog,
    fail,
    note,
    print_json,
    print_table,
    say,
    say_error,
    tell,
)
from schemas.text import Text, moment

if TYPE_CHECKING:
    from workers.admin.desk.figures import FigureRow, Figures

EXITS: Final = (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY)

app = typer.Typer(
    help=say(
        "How long orders take, how many are shipped wrong, how many questions are about orders; with targets and the "
        "days on which rules changed.",
        "订单时效、错发率、订单咨询占比，以及目标值和规则变更日。",
    ),
    no_args_is_help=True,
)
FileName = Annotated[str, typer.Argument(metavar="FILE", help=say("Excel or CSV; - is stdin.", "Excel 或 CSV。"))]


@app.command(
    help=say("Show them, of orders by the day on which they were placed.", "按下单日显示各项指标。"),
    epilog=epilog(
        [
            ("orderfleet figures show", Text("two weeks, day by day", "近两周，按天")),
            ("orderfleet figures show --days 7 --by warehouse", Text("a week, by warehouse", "近一周，按仓库")),
        ],
        EXITS,
    ),
)
def show(
    days: Annotated[int, typer.Option("--days", min=1, max=400, help=say("So many, to today.", "最近天数。"))] = 14,
    by: Annotated[
        list[str] | None, typer.Option("--by", metavar="day|shop|warehouse", help=say("Rows for each.", "分组。"))
    ] = None,
    shop: Shop = None,
    warehouse: Annotated[
        str | None, typer.Option("--warehouse", metavar="ID", help=say("Only this one.", "只看该仓。"))
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Counts first what may have changed."""
    with at_desk() as (desk, actor):
        ends = desk.figures.today()
        begins = ends - timedelta(days=days - 1)
        found = desk.figures.show(actor, begins=begins, ends=ends, by=by or ["day"], shop=shop, warehouse=warehouse)
    if as_json:
        print_json(found)
        return
    _print(found)


def _print(found: Figures) -> None:
    names = [
        ("", ""), ("placed", "下单"), ("routed", "已分仓"), ("median", "中位"), ("p95", "p95"), ("shipped", "已发货"),
        ("median", "中位"), ("p95", "p95"), ("wrong", "错发"), ("about orders", "订单咨询"),
    ]  # fmt: skip
    table = a_table(
        Text("From placed to routed, to shipped", "下单到分仓、到发货"), [(Text(*name), True) for name in names]
    )
    for row in (*found.rows, found.total):
        add_row(table, *_cells(row, is_total=row is found.total))
    print_table(table)
    for measure, target in found.targets.items():
        shown = f"{target:.2%}" if measure.endswith("share") else _span(target)
        console().print(say(f"target {measure}: {shown}", f"目标 {measure}：{shown}"), markup=False)
    for change in found.rule_changes:
        console().print(
            say(f"rules {change.ruleset} since {moment(change.at)}", f"规则 {change.ruleset} 自 {moment(change.at)} 起")
        )


def _cells(row: FigureRow, *, is_total: bool) -> list[str]:
    name = " ".join(str(part) for part in (row.day, row.shop, row.warehouse) if part is not None)
    return [
        say("all", "合计") if is_total else name,
        f"{row.placed:,}",
        f"{row.routed:,}",
        _span(row.routed_median),
        _span(row.routed_p95),
        f"{row.shipped:,}",
        _span(row.shipped_median),
        _span(row.shipped_p95),
        f"{row.wrong}" + (f" ({row.wrong_share:.2%})" if row.wrong_share else ""),
        f"{row.question_share:.1%}" if row.question_share is not None else "",
    ]


def _span(seconds: float | None) -> str:
    """A time that people can read: 40 s, 12 min, 5.5 h, 3.1 d."""
    if seconds is None:
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


@app.command(
    help=say(
        "Report that an order was shipped wrong: wrong-item, missing-item, wrong-quantity, damaged, wrong-address, "
        "other.",
        "登记错发：wrong-item 发错货、missing-item 漏发、wrong-quantity 数量不符、damaged 破损、"
        "wrong-address 地址错误、other 其他。",
    ),
    epilog=epilog([("orderfleet figures wrong taobao:main:27 damaged", Text("one", "登记一单"))], EXITS),
)
def wrong(
    order: Annotated[str, typer.Argument(metavar="ORDER", help=say("Order uid.", "订单 uid。"))],
    kind: Annotated[str, typer.Argument(metavar="KIND", help=say("What was wrong.", "问题类型。"))],
    day: Annotated[str | None, typer.Option("--day", metavar="YYYY-MM-DD", help=say("When.", "日期。"))] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help=say("It was none.", "撤销登记。"))] = False,
) -> None:
    """Once for each order and kind."""
    from workers.admin.desk.entered import WrongShipment

    with at_desk() as (desk, actor):
        if withdraw:
            desk.figures.entered.withdraw_wrong(actor, order, kind)
            return
        when = _a_day(day) if day else desk.figures.today()
        new = desk.figures.entered.add_wrong(actor, [WrongShipment(order_uid=order, kind=kind, day=when)])
    note(Text(f"{new} reported", f"新登记 {new} 条"))


def _a_day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        fail(Text(f"--day {word}: write YYYY-MM-DD", f"--day {word}：请写 YYYY-MM-DD"), ExitCode.USAGE)


@app.command(
    name="import-wrong",
    help=say(
        "Report all wrong shipments of a sheet with the columns order, kind, day and perhaps warehouse; all or none.",
        "从表格导入错发登记（列：订单、类型、日期，可有仓库）；要么全部导入，要么不导入。",
    ),
    epilog=epilog([("orderfleet figures import-wrong returns.xlsx", Text("a workbook", "Excel 文件"))], EXITS),
)
def import_wrong(file: FileName) -> None:
    """Again, nothing counts twice."""
    from workers.admin.desk.figure_sheets import BadSheet, wrong_shipments
    from workers.inventory.stocktake.table import Unreadable

    try:
        reports = wrong_shipments(read_input(file), Path(file).name)
    except (BadSheet, Unreadable) as error:
        _refuse(error)
    with at_desk() as (desk, actor):
        new = desk.figures.entered.add_wrong(actor, reports)
    note(Text(f"{new} of {len(reports)} are new", f"共 {len(reports)} 条，新登记 {new} 条"))


@app.command(
    name="import-support",
    help=say(
        "Take customer service's counts from a sheet with the columns day, shop, questions, about orders; all or none.",
        "从表格导入客服咨询数（列：日期、店铺、咨询数、订单咨询数）；要么全部导入，要么不导入。",
    ),
    epilog=epilog([("orderfleet figures import-support week.csv", Text("a CSV", "CSV 文件"))], EXITS),
)
def import_support(file: FileName) -> None:
    """Said again, the last word counts."""
    from workers.admin.desk.figure_sheets import BadSheet, support_days
    from workers.inventory.stocktake.table import Unreadable

    try:
        days = support_days(read_input(file), Path(file).name)
    except (BadSheet, Unreadable) as error:
        _refuse(error)
    with at_desk() as (desk, actor):
        desk.figures.entered.set_support(actor, days)
    note(Text(f"{len(days)} days", f"{len(days)} 天"))


def _refuse(error: Exception) -> NoReturn:
    from workers.admin.desk.figure_sheets import BadSheet
    from workers.inventory.stocktake.table import Unreadable

    if isinstance(error, Unreadable):
        fail(Text(f"the file {error.text.en}", f"该文件{error.text.zh}"), ExitCode.USAGE)
    assert isinstance(error, BadSheet)
    for each in error.problems:
        say_error(Text(f"row {each.row}: {each.text.en}", f"第 {each.row} 行：{each.text.zh}"))
    fail(Text("nothing was taken", "未导入任何数据"), ExitCode.USAGE)


@app.command(
    help=say(
        "Set a target: routed-median, routed-p95, shipped-median, shipped-p95 in seconds; wrong-share, question-share "
        "from 0 to 1. Without a value it is taken away.",
        "设置目标：routed-median、routed-p95、shipped-median、shipped-p95（秒），"
        "wrong-share、question-share（0 到 1）。不给数值则取消。",
    ),
    epilog=epilog([("orderfleet figures target routed-p95 300", Text("five minutes", "五分钟"))], EXITS),
)
def target(
    measure: Annotated[str, typer.Argument(metavar="MEASURE", help=say("Which.", "指标。"))],
    value: Annotated[float | None, typer.Argument(metavar="[VALUE]", help=say("Seconds or a share.", "数值。"))] = None,
) -> None:
    """For all shops."""
    with at_desk() as (desk, actor):
        desk.figures.entered.set_target(actor, measure, value)
    console().print(tell(Text("done", "已设置")))
