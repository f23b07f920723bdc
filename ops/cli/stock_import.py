"""`orderfleet stock import`: a snapshot of what lies in small warehouses, from the file their people keep in Excel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ops.cli.inputs import a_slug, read_input, shown
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
    settings,
)
from ops.cli.stock import tell_short
from schemas.text import Text

if TYPE_CHECKING:
    from ops.cli.counts import Counted, CountFile, Known, RowProblem
    from workers.inventory.ledger import Ledger
    from workers.inventory.records import StockLevel

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


@dataclass(frozen=True, slots=True)
class Change:
    """What an import makes of one SKU in one warehouse, in units."""

    row: int
    warehouse_id: str
    sku: str
    counted_at: datetime | None
    on_hand: int
    on_hand_after: int
    safety: int
    safety_after: int
    available_to_promise: int
    available_to_promise_after: int


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
    rules: Annotated[
        str | None,
        typer.Option("--rules", metavar="FILE", help=say("Ruleset that names the warehouses.", "列出仓库的规则集。")),
    ] = None,
    catalogue: Annotated[
        str | None,
        typer.Option("--catalogue", metavar="FILE", help=say("Catalogue of all SKUs.", "商品目录。")),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=say("JSON, for machines.", "输出 JSON，供程序读取。"))
    ] = False,
) -> None:
    """Read all, compare with the ledger, and write unless told not to."""
    from ops.cli.counts import read_count_file
    from ops.cli.servers import ask_ledger

    known = load_known(rules, catalogue)
    if warehouse is not None and warehouse not in known.warehouses:
        _refuse_warehouse(a_slug(warehouse, "--warehouse"), known)
    found = read_count_file(read_input(file), file, known=known, warehouse=warehouse, sheet=sheet)
    if found.problems:
        _tell_problems(file, found.problems, as_json)
        raise typer.Exit(ExitCode.USAGE)
    changes, untouched = ask_ledger(settings(), lambda ledger: _compare(ledger, found.rows))
    if not dry_run:
        after = ask_ledger(settings(), lambda ledger: write_snapshot(ledger, found.rows))
        changes = [_with_available(change, after) for change in changes]
    _tell(changes, dry_run=dry_run, as_json=as_json)
    _tell_notes(found, untouched)
    short = [change for change in changes if change.available_to_promise_after < 0]
    if short:
        tell_short((change.warehouse_id, change.sku, change.available_to_promise_after) for change in short)
        raise typer.Exit(ExitCode.BAD)


def load_known(rules: str | None, catalogue: str | None) -> Known:
    """The warehouses of the ruleset and the SKUs of the catalogue. Ends the command when a file cannot be used."""
    from ops.cli.counts import Known
    from ops.cli.rules import load_files
    from workers.rules.problems import RulesetErrors

    try:
        ruleset, skus = load_files(rules or str(settings().rules_file), catalogue)
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


# -- the ledger ----------------------------------------------------------------------------------------------------


async def write_snapshot(ledger: Ledger, rows: Sequence[Counted]) -> dict[tuple[str, str], int]:
    """Write the counts, here and nowhere else. What may be promised then, by warehouse and SKU."""
    available: dict[tuple[str, str], int] = {}
    for warehouse_id, of_warehouse in _by_warehouse(rows).items():
        counts = {row.sku: row.count for row in of_warehouse}
        for sku, units in (await ledger.set_stock(warehouse_id, counts)).items():
            available[warehouse_id, sku] = units
    return available


async def _compare(ledger: Ledger, rows: Sequence[Counted]) -> tuple[list[Change], dict[str, int]]:
    """What the rows would change; and how many SKUs of each warehouse they do not speak of."""
    changes: list[Change] = []
    untouched: dict[str, int] = {}
    for warehouse_id, of_warehouse in _by_warehouse(rows).items():
        levels = {level.sku: level for level in await ledger.stock(warehouse_id)}
        named = [row.sku for row in of_warehouse]
        levels |= {level.sku: level for level in await ledger.stock(warehouse_id, set(named) - set(levels))}
        changes += [_change(row, levels[row.sku]) for row in of_warehouse]
        untouched[warehouse_id] = len(set(levels) - set(named))
    return changes, untouched


def _by_warehouse(rows: Sequence[Counted]) -> dict[str, list[Counted]]:
    found: dict[str, list[Counted]] = {}
    for row in rows:
        found.setdefault(row.warehouse_id, []).append(row)
    return found


def _change(row: Counted, level: StockLevel) -> Change:
    on_hand = level.on_hand if row.count.on_hand is None else row.count.on_hand
    safety = level.safety if row.count.safety is None else row.count.safety
    return Change(
        row=row.row,
        warehouse_id=row.warehouse_id,
        sku=row.sku,
        counted_at=row.counted_at,
        on_hand=level.on_hand,
        on_hand_after=on_hand,
        safety=level.safety,
        safety_after=safety,
        available_to_promise=level.available_to_promise,
        available_to_promise_after=level.available_to_promise + (on_hand - level.on_hand) - (safety - level.safety),
    )


def _with_available(change: Change, after: Mapping[tuple[str, str], int]) -> Change:
    """Orders go on while a file is imported: the ledger's own answer counts."""
    from dataclasses import replace

    return replace(change, available_to_promise_after=after[change.warehouse_id, change.sku])


# -- telling -------------------------------------------------------------------------------------------------------


def _tell_problems(name: str, problems: Sequence[RowProblem], as_json: bool) -> None:
    from ops.cli.counts import tell_problems

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


def _tell(changes: Sequence[Change], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        rows = [asdict(change) for change in changes]
        print_json({"ok": True, "written": not dry_run, "changes": rows})
        return
    title = (
        Text("What an import would change, in units", "导入后会有的变化（件）")
        if dry_run
        else Text("Imported, in units", "已导入（件）")
    )
    _print_changes(title, [change for change in changes if _differs(change)])
    same = sum(not _differs(change) for change in changes)
    console().print(
        say(
            f"{len(changes)} counts, {len(changes) - same} of them change something"
            + ("; nothing was written" if dry_run else ""),
            f"共 {len(changes)} 条，其中 {len(changes) - same} 条有变化" + ("；未写入" if dry_run else ""),
        )
    )


def _differs(change: Change) -> bool:
    return (change.on_hand, change.safety) != (change.on_hand_after, change.safety_after)


def _print_changes(title: Text, changes: Sequence[Change]) -> None:
    if not changes:
        return
    table = a_table(
        title,
        [
            (Text("warehouse", "仓库"), False),
            (Text("SKU", "SKU"), False),
            (Text("on hand", "在库"), True),
            (Text("safety", "安全库存"), True),
            (Text("available", "可售"), True),
        ],
    )
    for change in changes:
        add_row(
            table,
            change.warehouse_id,
            change.sku,
            _arrow(change.on_hand, change.on_hand_after),
            _arrow(change.safety, change.safety_after),
            _arrow(change.available_to_promise, change.available_to_promise_after),
            style="red" if change.available_to_promise_after < 0 else None,
        )
    print_table(table)


def _arrow(before: int, after: int) -> str:
    return str(before) if before == after else f"{before} -> {after}"


def _tell_notes(found: CountFile, untouched: Mapping[str, int]) -> None:
    """What was left out of the file, and what the file leaves out."""
    if found.examples:
        note(Text(f"{found.examples} example rows were left out", f"已跳过 {found.examples} 行示例"))
    if found.ignored:
        names = ", ".join(found.ignored)
        note(Text(f"columns that were not read: {names}", f"未读取的列：{names}"))
    for warehouse_id, number in untouched.items():
        if number:
            note(
                Text(
                    f"{number} more SKUs in {warehouse_id} are not in the file and stay as they are",
                    f"仓库 {warehouse_id} 另有 {number} 个商品不在文件中，保持不变",
                )
            )
