"""Tables that people hand over, whatever program wrote them: Excel workbooks, CSV in any usual encoding, YAML lists.

What a file is, its content decides, never its name. No file may cost more time or memory than the limits here allow:
they are counted in the raw text before anything is made of it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from schemas.text import Text
from workers.inventory.stocktake.lists import is_list, list_sheet
from workers.inventory.stocktake.table import (
    HEADING_WITHIN,
    MOST_CELLS,
    MOST_FILE_BYTES,
    MOST_ROWS,
    MOST_TEXT_LINES,
    Row,
    Sheet,
    Unreadable,
    too_many_cells,
    too_many_rows,
)
from workers.inventory.stocktake.workbook import read_workbook

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_DELIMITERS: Final = ",\t;"
_LISTS: Final = (".yaml", ".yml", ".json")
_AS_FORMULA: Final = re.compile(r'="([^"]*)"')  # keeps Excel from making a number of 00123

Headed = Callable[[Sequence[Any]], bool]


def read_sheets(body: bytes, name: str, is_heading: Headed) -> list[Sheet]:
    """All tables in a file, at least one. `is_heading`: whether these cells are the headings. Raises Unreadable."""
    if len(body) > MOST_FILE_BYTES:
        size = MOST_FILE_BYTES >> 20
        raise Unreadable(
            f"is larger than {size} MB; split it, or delete what is no count from it",
            f"超过 {size} MB；请拆分文件，或删除与盘点无关的内容",
        )
    if body.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return read_workbook(body)
    _refuse_other_kinds(body)
    text = _decoded(body)
    if name.lower().endswith(_LISTS) or is_list(text):
        return [list_sheet(text)]
    return [_csv_sheet(text, is_heading)]


def _refuse_other_kinds(body: bytes) -> None:
    if body.startswith(_OLE):
        raise _old_or_locked(body)
    for mark, kind in _KINDS.items():
        if body.startswith(mark):
            raise Unreadable(
                f"is {kind.en}; save the table as .xlsx (Excel Workbook) or as CSV UTF-8",
                f"是{kind.zh}；请把表格另存为 .xlsx（Excel 工作簿）或 CSV UTF-8",
            )


_KINDS: Final = {
    b"%PDF": Text("a PDF", " PDF 文件"),
    b"\x89PNG": Text("a picture", "图片"),
    b"\xff\xd8\xff": Text("a picture", "图片"),
    b"{\\rtf": Text("a text document (RTF)", "文本文档（RTF）"),
    b"\x1f\x8b": Text("a packed file (gzip)", "压缩文件（gzip）"),
    b"Rar!": Text("a packed file (RAR)", "压缩文件（RAR）"),
    b"7z\xbc\xaf": Text("a packed file (7z)", "压缩文件（7z）"),
}


def _old_or_locked(body: bytes) -> Unreadable:
    if _ENCRYPTED in body:
        return Unreadable(
            "is protected by a password; open it in Excel, remove the password (File, Info, Protect Workbook), save",
            "有密码保护；请在 Excel 中打开，取消密码（文件 - 信息 - 保护工作簿）后保存",
        )
    return Unreadable(
        "is an old .xls workbook; open it in Excel and save it as .xlsx (Excel Workbook) or as CSV UTF-8",
        "是旧版 .xls 工作簿；请用 Excel 打开并另存为 .xlsx（Excel 工作簿）或 CSV UTF-8",
    )


# -- text ----------------------------------------------------------------------------------------------------------


def _decoded(body: bytes) -> str:
    """UTF-8 and UTF-16, with their marks or without, else what Excel in China writes: GBK."""
    for encoding in _encodings(body):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Unreadable(
        "is neither a workbook nor text in UTF-8 or GBK; save it as .xlsx or as CSV UTF-8",
        "既不是工作簿，也不是 UTF-8 或 GBK 文本；请另存为 .xlsx 或 CSV UTF-8",
    )


def _encodings(body: bytes) -> tuple[str, ...]:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ("utf-16",)
    if b"\0" in body[:1000]:
        return ("utf-16-le", "utf-16-be")
    return ("utf-8-sig", "gb18030")


def _csv_sheet(text: str, is_heading: Headed) -> Sheet:
    if text.lstrip()[:1] == "<":
        raise Unreadable(
            "is a web page or XML, whatever its name says; open it in Excel and save it as .xlsx",
            "实际是网页或 XML 文件；请用 Excel 打开并另存为 .xlsx",
        )
    if text[:5].lower() in ("sep=,", "sep=;", "sep=\t"):  # a line for Excel, which does not show it
        text = text.partition("\n")[2]
    _refuse_huge(text)
    delimiter = _delimiter(text, is_heading)
    if text.count(delimiter) > MOST_CELLS:
        raise too_many_cells()
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                _count_rows(rows)
                rows.append(Row(number, [_bare(cell) for cell in cells]))
    except csv.Error:
        line = reader.line_num
        raise Unreadable(
            f"line {line} is not CSV: a quotation mark is not closed", f"第 {line} 行不是 CSV：引号没有闭合"
        ) from None
    return Sheet(rows, delimiter=delimiter)


def _bare(cell: str) -> str:
    formula = _AS_FORMULA.fullmatch(cell) if cell.startswith("=") else None
    return formula[1] if formula else cell


def _refuse_huge(text: str) -> None:
    if text.count("\n") > MOST_TEXT_LINES or text.count("\r") > MOST_TEXT_LINES:
        raise too_many_rows()


def _delimiter(text: str, is_heading: Headed) -> str:
    """The one that cuts a line into the headings; else the one that stands most often in the first line with any."""
    for delimiter in _DELIMITERS:
        if any(is_heading(cells) for cells in _first_rows(text[:100_000], delimiter)):
            return delimiter
    for line in text[:100_000].splitlines():
        if any(mark in line for mark in _DELIMITERS):
            return max(_DELIMITERS, key=line.count)
    return ","


def _first_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from islice((cells for cells in reader if any(cells)), HEADING_WITHIN)
    except csv.Error:
        return


def _count_rows(rows: Sequence[Row]) -> None:
    if len(rows) >= MOST_ROWS:
        raise too_many_rows()
