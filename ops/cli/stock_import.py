"""`orderfleet stock import`: a snapshot of what lies in small warehouses, from the file their people keep in Excel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ops.cli.inputs import a_slug, read_input, shown
from ops.cli.output import (
    ExitCode,
    epilog,
    fail,
    note,
    print_json,
    say,
    say_error,
    settings,
)
from ops.cli.stock import tell_short
from ops.cli.stock_changes import tell_changes, tell_left_out, tell_moved
from schemas.text import Text

if TYPE_CHECKING:
    from workers.inventory.stocktake.counts import Known, RowProblem

HELP: Final = say(
    "Set on-hand units and safety stock from an Excel workbook or a CSV file, a row for each warehouse and SKU. "
    "Every row is checked first, against the ruleset's warehouses and the catalogue's SKUs; when one is bad, all bad "
    "ones are named and nothing is written (exit 2). Reservations stay. SKUs that are not in the file stay as they "
    "are. Exits 1 when more is promised of a SKU than was counted.",
    "从 Excel 工作簿或 CSV 导入在库数量与安全库存，每行一个仓库和商品。"
    "先按规则集的仓库和商品目录检查所有行；有一行不对，就逐条指出且不写入任何数据（退出码 2）。"
    "已有占用不变；文件中没有的商品不变。若某商品承诺数量超过盘点数量，退出码为 1。",
)
EPILOG: Final = epilog(
    [
        ("orderfleet stock template counts.xlsx", Text("a file to fill in", "生成要填写的模板")),
        (
            "orderfleet stock import counts.xlsx --dry-run",
            Text("what would change, per warehouse and SKU", "按仓库和商品列出会有的变化"),
        ),
        ("orderfleet stock import counts.xlsx", Text("do it", "写入")),
        (
            "orderfleet stock import export.csv --warehouse hangzhou",
            Text("a file that names no warehouse", "文件中没有仓库列时"),
        ),
    ],
    (ExitCode.OK, ExitCode.BAD, ExitCode.USAGE, ExitCode.AWAY),
)


RulesFile = Annotated[
    str | None,
    typer.Option("--rules", metavar="FILE", help=say("Ruleset that names the warehouses.", "列出仓库的规则集。")),
]
CatalogueFile = Annotated[
    str | None, typer.Option("--catalogue", metavar="FILE", help=say("Catalogue of all SKUs.", "商品目录。"))
]


def stock_import(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help=say(".xlsx or .csv; - is stdin.", ".xlsx 或 .csv；- 为标准输入。"))
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=say("Show the difference, write nothing.", "只显示差异，不写入。"))
    ] = False,
    warehouse: Annotated[
        str | None,
        typer.Option("--warehouse", "-w", metavar="ID", help=say("Of rows that name none.", "未写仓库的行属于该仓。")),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", metavar="NAME", help=say("Only this sheet.", "只读这个工作表。"))
    ] = None,
    rules: RulesFile = None,
    catalogue: CatalogueFile = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))
    ] = False,
) -> None:
    """Read all, compare with the ledger, and write unless told not to."""
    from ops.cli.servers import ask_ledger
    from workers.admin.stock import compare, write_snapshot
    from workers.inventory.stocktake.counts import read_count_file
    from workers.inventory.stocktake.differences import as_it_came

    known = load_known(rules, catalogue)
    if warehouse is not None and warehouse not in known.warehouses:
        _refuse_warehouse(a_slug(warehouse, "--warehouse"), known)
    found = read_count_file(read_input(file), file, datetime.now(UTC), known=known, warehouse=warehouse, sheet=sheet)
    if found.problems:
        _tell_problems(file, found.problems, as_json)
        raise typer.Exit(ExitCode.USAGE)
    changes, untouched = ask_ledger(settings(), lambda ledger: compare(ledger, found.rows))
    if not dry_run:
        after = ask_ledger(settings(), lambda ledger: write_snapshot(ledger, found.rows), writes=True)
        changes = [as_it_came(change, after) for change in changes]
    tell_changes(changes, dry_run=dry_run, as_json=as_json)
    tell_left_out(found, untouched)
    tell_moved(found.rows, changes, dry_run=dry_run)
    short = [change for change in changes if change.available_to_promise_after < 0]
    if short:
        tell_short((change.warehouse_id, change.sku, change.available_to_promise_after) for change in short)
        raise typer.Exit(ExitCode.BAD)


def load_known(rules: str | None, catalogue: str | None) -> Known:
    """The warehouses of the ruleset and the SKUs of the catalogue. Ends the command when a file cannot be used."""
    from ops.cli.rules import load_files
    from workers.inventory.stocktake.counts import Known
    from workers.rules.problems import RulesetErrors

    default = settings().rules_file
    if rules is None and not default.exists():
        fail(
            Text(
                f"there is no ruleset {shown(str(default))}; name yours with --rules FILE or ORDERFLEET_RULES_FILE",
                f"没有规则集 {shown(str(default))}；请用 --rules FILE 或 ORDERFLEET_RULES_FILE 指定规则集",
            ),
            ExitCode.USAGE,
        )
    try:
        ruleset, skus = load_files(rules or str(default), catalogue)
    except RulesetErrors as error:
        for problem in error.problems:
            say_error(Text(problem.tell("en"), problem.tell("zh")))
        raise typer.Exit(ExitCode.USAGE) from None
    return Known({one.warehouse_id: one.title for one in ruleset.warehouses.values()}, skus.skus)


def _refuse_warehouse(warehouse: str, known: Known) -> None:
    names = ", ".join(known.warehouses)
    fail(
        Text(
            f"--warehouse {warehouse}: the ruleset has no such warehouse; there are: {names}",
            f"--warehouse {warehouse}：规则集中没有该仓库；可用的有：{names}",
        ),
        ExitCode.USAGE,
    )


# -- telling -------------------------------------------------------------------------------------------------------


def _tell_problems(name: str, problems: Sequence[RowProblem], as_json: bool) -> None:
    from ops.cli.count_files import tell_problems

    if as_json:
        print_json({"ok": False, "file": shown(name), "problems": [_problem_as_json(problem) for problem in problems]})
        return
    tell_problems(name, problems)
    note(Text("nothing was written; correct the rows and import again", "没有写入任何数据；请改正后重新导入"))


def _problem_as_json(problem: RowProblem) -> dict[str, Any]:
    return {
        "row": problem.row,
        "column": problem.column.en,
        "message": problem.text.en,
        "message_zh": problem.text.zh,
    }
