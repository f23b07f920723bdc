"""`orderfleet stock template`: a workbook to fill in, which `orderfleet stock import` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from ops.cli.output import ExitCode, console, epilog, fail, say
from ops.cli.stock_import import CatalogueFile, RulesFile, load_known
from schemas.text import Text

HELP: Final = say(
    "Write a template for a stock count: an .xlsx workbook with an explanation, examples, and lists of your warehouses "
    "and SKUs to choose from; or a .csv file.",
    "生成盘点模板：带说明、示例、仓库与商品下拉列表的 .xlsx 工作簿，或 .csv 文件。",
)
EPILOG: Final = epilog(
    [
        ("orderfleet stock template", Text("writes stock-template.xlsx", "生成 stock-template.xlsx")),
        ("orderfleet stock template counts.csv", Text("as CSV, for any spreadsheet", "生成 CSV，供任何表格软件使用")),
    ],
    (ExitCode.OK, ExitCode.USAGE),
)


def template(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help=say("Where to write it: .xlsx or .csv.", "输出文件：.xlsx 或 .csv。"))
    ] = "stock-template.xlsx",
    rules: RulesFile = None,
    catalogue: CatalogueFile = None,
    force: Annotated[
        bool, typer.Option("--force", help=say("Overwrite the file if it is there.", "文件已存在时覆盖。"))
    ] = False,
) -> None:
    """Write it, unless a file of that name is there."""
    from workers.inventory.stocktake.template import csv_template, workbook_template

    path = Path(file)
    kind = path.suffix.lower()
    if kind not in (".xlsx", ".csv"):
        fail(Text(f"{file}: name it .xlsx or .csv", f"{file}：文件名应以 .xlsx 或 .csv 结尾"), ExitCode.USAGE)
    if path.exists() and not force:
        fail(
            Text(f"{file} is there already; name another, or add --force", f"{file} 已存在；请换文件名，或加 --force"),
            ExitCode.USAGE,
        )
    known = load_known(rules, catalogue)
    try:
        path.write_bytes(csv_template() if kind == ".csv" else workbook_template(known))
    except OSError as error:
        reason = error.strerror or "unwritable"
        fail(Text(f"{file} cannot be written: {reason}", f"无法写入 {file}：{reason}"), ExitCode.USAGE)
    console().print(
        say(
            f"wrote {file}: fill it in, then orderfleet stock import {file} --dry-run",
            f"已生成 {file}：填写后运行 orderfleet stock import {file} --dry-run",
        ),
        markup=False,
    )
