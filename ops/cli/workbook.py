"""Reading an .xlsx workbook with limits, and with a plain word about what is no such workbook."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from ops.cli.sheets import MOST_COLUMNS, MOST_ROWS, Oddity, Row, Sheet, Unreadable, too_many_rows

MOST_UNPACKED_BYTES: Final = 200 << 20
_MOST_PARTS: Final = 2000


def read_workbook(body: bytes) -> list[Sheet]:
    """Every worksheet, hidden ones too, without its blank rows. Raises Unreadable."""
    _check_package(body)
    try:
        return [_merged_results(body, name, rows) for name, rows in _load(body, results=False)]
    except Unreadable:
        raise
    except Exception:  # noqa: BLE001  # openpyxl raises whatever a damaged part makes its parsers raise
        raise _damaged() from None


def _check_package(body: bytes) -> None:
    """A zip entry never unpacks to more than its directory declares: enough to stop a bomb before it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError):
        raise _damaged() from None
    if sum(part.file_size for part in parts) > MOST_UNPACKED_BYTES or len(parts) > _MOST_PARTS:
        size = MOST_UNPACKED_BYTES >> 20
        raise Unreadable(
            f"unpacks to more than {size} MB; copy the counts alone into a new workbook",
            f"解压后超过 {size} MB；请只把盘点数据复制到新工作簿",
        )
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise Unreadable(
            "is a packed file, but no .xlsx workbook; save it as .xlsx (Excel Workbook) or as CSV UTF-8",
            "是压缩文件，但不是 .xlsx 工作簿；请另存为 .xlsx（Excel 工作簿）或 CSV UTF-8",
        )


def _damaged() -> Unreadable:
    return Unreadable(
        "is a damaged workbook; open it in Excel, let it be repaired, and save it again",
        "工作簿已损坏；请用 Excel 打开并修复后重新保存",
    )


def _load(body: bytes, *, results: bool) -> Iterator[tuple[str, list[Row]]]:
    """Sheets with formulas as formulas, or (`results`) as what Excel last worked out for them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about features of the workbook that reading values does not need
        workbook = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=results, keep_links=False)
        try:
            for sheet in workbook.worksheets:
                yield sheet.title, _rows(sheet)
        finally:
            workbook.close()


def _rows(sheet: Worksheet) -> list[Row]:
    rows: list[Row] = []
    for number, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS), start=1):
        values = [_value(cell) for cell in cells]
        while values and values[-1] in (None, ""):
            values.pop()
        if values:
            if len(rows) >= MOST_ROWS:
                raise too_many_rows()
            rows.append(Row(number, values))
    return rows


def _value(cell: Any) -> Any:
    """The cell's value; a formula as Oddity.UNCALCULATED; a time that is shown as a date only as a date."""
    if cell.value is None:
        return None
    if cell.data_type == "f":
        return Oddity.UNCALCULATED
    if isinstance(cell.value, datetime) and "h" not in (cell.number_format or "").lower():
        return cell.value.date()
    return cell.value


def _merged_results(body: bytes, name: str, rows: list[Row]) -> Sheet:
    """The sheet with the results of its formulas put in where they were saved."""
    if not any(Oddity.UNCALCULATED in row.cells for row in rows):
        return Sheet(rows, name)
    loaded = dict(_load(body, results=True))
    results = {row.number: row.cells for row in loaded[name]}
    return Sheet([Row(row.number, _filled(row.cells, results.get(row.number, ()))) for row in rows], name)


def _filled(cells: Sequence[Any], results: Sequence[Any]) -> list[Any]:
    known = dict(enumerate(results))
    return [
        cell if cell is not Oddity.UNCALCULATED or known.get(place) is None else known[place]
        for place, cell in enumerate(cells)
    ]
