"""The template of a stock count: a workbook to fill in, or CSV. What `counts` reads. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from schemas.text import Text
from workers.inventory.stocktake.columns import heading
from workers.inventory.stocktake.counts import EXAMPLE_MARK, EXAMPLES, Known

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_FIELDS: Final = ("warehouse", "sku", "on_hand", "safety", "counted_at", "note")
_WIDTHS: Final = (20, 26, 18, 18, 24, 20)
_LAST_ROW: Final = 5000
_COUNTS: Final = "盘点 Counts"
_HELP: Final = "说明 Help"
_LISTS: Final = "清单 Lists"

_EXPLANATION: Final = (
    Text("How to fill in this file", "如何填写"),
    Text(
        "One row for each warehouse and SKU, under the headings of the sheet Counts.",
        "在“盘点 Counts”表的表头下，每个仓库的每个商品填一行。",
    ),
    Text(
        "warehouse: the id or the name of the warehouse, from the sheet Lists.",
        "仓库：仓库编码或名称，见“清单 Lists”表。",
    ),
    Text(
        "SKU: as in the catalogue. The column is text, so that Excel keeps long numbers and leading zeros.",
        "商品编码：与商品目录一致。该列为文本格式，避免 Excel 改动长数字和前导 0。",
    ),
    Text(
        "on_hand: whole units that lie in the warehouse, reserved ones included; 0 for none.",
        "在库数量：仓库里实际有的整件数，包括已被占用的；没有写 0。",
    ),
    Text(
        "safety: units that are never sold. Empty: stays as it is.",
        "安全库存：不对外销售的件数。留空则不变。",
    ),
    Text(
        "counted_at: date and time of the count, local time, such as 2026-11-11 18:30. Empty: the time of the import.",
        "盘点时间：盘点的日期和时刻（本地时间），如 2026-11-11 18:30。留空表示导入时。",
    ),
    Text(
        "note: for yourself; it is not read. Rows marked as examples are left out, you may delete them.",
        "备注：给自己看，不会读取。标为示例的行会跳过，可以删除。",
    ),
    Text(
        "Hidden and filtered rows are read, too. SKUs that are not in the file stay as they are.",
        "隐藏或被筛选掉的行也会读取。文件中没有的商品保持不变。",
    ),
    Text(
        "Then: orderfleet stock import FILE --dry-run shows what would change; without --dry-run it is written. "
        "If one row is wrong, nothing is written.",
        "然后：orderfleet stock import 文件 --dry-run 查看变化；去掉 --dry-run 即写入。"
        "只要有一行不对，就不写入任何数据。",
    ),
)


def csv_template() -> bytes:
    """Headings and examples, for any spreadsheet."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows(_rows())
    return file.getvalue().encode("utf-8-sig")  # with the mark, or Excel takes it for GBK


def workbook_template(known: Known) -> bytes:
    """The same as .xlsx, with an explanation, and lists of these warehouses and SKUs to choose from."""
    file = io.BytesIO()
    _workbook(known).save(file)
    return file.getvalue()


def _rows() -> Iterator[list[Any]]:

    yield [heading(field) for field in _FIELDS]
    for example in EXAMPLES:
        yield [*example, None, EXAMPLE_MARK]


# -- the workbook --------------------------------------------------------------------------------------------------


def _workbook(known: Known) -> Workbook:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    counts = book.create_sheet(_COUNTS)
    for row in _rows():
        counts.append(row)
    _dress(counts)
    _validate(counts, len(known.warehouses), len(known.skus))
    _explain(book.create_sheet(_HELP))
    _list(book.create_sheet(_LISTS), known)
    return book


def _dress(counts: Worksheet) -> None:
    from openpyxl.styles import Font, PatternFill

    counts.freeze_panes = "A2"
    for letter, width in zip("ABCDEF", _WIDTHS, strict=True):
        counts.column_dimensions[letter].width = width
    for cell in counts[1]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", start_color="DDEBF7")
    for row in counts.iter_rows(min_row=2, max_row=counts.max_row):
        for cell in row:
            cell.font = Font(italic=True, color="808080")
    for (sku,) in counts.iter_rows(min_row=2, max_row=_LAST_ROW, min_col=2, max_col=2):
        sku.number_format = "@"
    for (when,) in counts.iter_rows(min_row=2, max_row=_LAST_ROW, min_col=5, max_col=5):
        when.number_format = "yyyy-mm-dd hh:mm"


def _validate(counts: Worksheet, warehouses: int, skus: int) -> None:
    """What Excel itself refuses while people type; the import checks all of it again."""
    from openpyxl.worksheet.datavalidation import DataValidation

    def rule(column: str, error: Text, **what: Any) -> None:
        validation = DataValidation(allow_blank=True, showErrorMessage=True, **what)
        validation.error, validation.errorTitle = f"{error.zh}\n{error.en}", "orderfleet"
        validation.add(f"{column}2:{column}{_LAST_ROW}")
        counts.add_data_validation(validation)

    units = Text("A whole number, 0 or more.", "请填写不小于 0 的整数。")
    lists = Text("Choose from the list.", "请从列表中选择。")
    rule("A", lists, type="list", formula1=f"'{_LISTS}'!$A$2:$A${warehouses + 1}", errorStyle="warning")
    rule("B", lists, type="list", formula1=f"'{_LISTS}'!$C$2:$C${skus + 1}", errorStyle="warning")
    for column in "CD":
        rule(column, units, type="whole", operator="between", formula1="0", formula2="1000000000")
    when = Text("A date with a time of day: 2026-11-11 18:30.", "请填写日期和时刻：2026-11-11 18:30。")
    rule("E", when, type="date", operator="greaterThan", formula1="36526")


def _explain(sheet: Worksheet) -> None:
    from openpyxl.styles import Alignment, Font

    sheet.column_dimensions["A"].width = sheet.column_dimensions["B"].width = 70
    for text in _EXPLANATION:
        sheet.append([text.zh, text.en])
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=cell.row == 1)


def _list(sheet: Worksheet, known: Known) -> None:
    from itertools import zip_longest

    sheet.append(["仓库编码 warehouse id", "仓库名称 name", "商品目录 catalogue"])
    for warehouse, sku in zip_longest(known.warehouses.items(), known.skus):
        sheet.append([*(warehouse or (None, None)), sku])
    for letter in "ABC":
        sheet.column_dimensions[letter].width = 26
    for (cell,) in sheet.iter_rows(min_row=2, min_col=3, max_col=3):
        cell.number_format = "@"
