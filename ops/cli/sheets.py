"""Tables that people hand over, whatever program wrote them: Excel workbooks, CSV in any usual encoding, YAML lists.

What a file is, its content decides, never its name. No file may cost more memory than the limits here allow.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

import yaml

from schemas.text import Text

MOST_FILE_BYTES: Final = 20 << 20
MOST_ROWS: Final = 100_000
MOST_COLUMNS: Final = 50

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_DELIMITERS: Final = ",\t;"
_ANSWERS: Final = (".yaml", ".yml", ".json")


class Unreadable(Exception):
    """The whole file cannot be used. `text` says why and what to do."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)


class Oddity(Enum):
    """A cell that holds no value."""

    UNCALCULATED = "a formula whose result was not saved"


class Row(NamedTuple):
    """The cells of one row; `number` is the one that Excel shows beside it."""

    number: int
    cells: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. `lettered`: its columns have letters, as in Excel; `delimited`: its cells are cut at commas."""

    rows: Sequence[Row]
    name: str = ""
    lettered: bool = True
    delimited: bool = False


def read_sheets(body: bytes, name: str) -> list[Sheet]:
    """All tables in a file, at least one. Raises Unreadable."""
    if len(body) > MOST_FILE_BYTES:
        size = MOST_FILE_BYTES >> 20
        raise Unreadable(
            f"is larger than {size} MB; split it, or delete what is no count from it",
            f"超过 {size} MB；请拆分文件，或删除与盘点无关的内容",
        )
    if body.startswith(b"PK\x03\x04"):
        from ops.cli.workbook import read_workbook

        return read_workbook(body)
    if body.startswith(_OLE):
        raise _old_or_locked(body)
    text = _decoded(body)
    if name.lower().endswith(_ANSWERS) or text.lstrip().startswith(("- ", "-\n", "[", "#")):
        return [_yaml_sheet(text)]
    return [_csv_sheet(text)]


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
    """UTF-8 and UTF-16 with their marks, plain UTF-8, else what Excel in China writes: GBK."""
    encodings = ("utf-16",) if body[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
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


def _csv_sheet(text: str) -> Sheet:
    if text.lstrip()[:1] == "<":
        raise Unreadable(
            "is a web page, whatever its name says; open it in Excel and save it as .xlsx",
            "实际是网页文件；请用 Excel 打开并另存为 .xlsx",
        )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows: list[Row] = []
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                _count_rows(rows)
                rows.append(Row(number, cells))
    except csv.Error:
        line = reader.line_num
        raise Unreadable(
            f"line {line} is not CSV: a quotation mark is not closed", f"第 {line} 行不是 CSV：引号没有闭合"
        ) from None
    return Sheet(rows, delimited=True)


def _delimiter(text: str) -> str:
    """The one that stands most often in the first line that has any."""
    for line in text.splitlines():
        if any(mark in line for mark in _DELIMITERS):
            return max(_DELIMITERS, key=line.count)
    return ","


def _count_rows(rows: Sequence[Row]) -> None:
    if len(rows) >= MOST_ROWS:
        raise too_many_rows()


def too_many_rows() -> Unreadable:
    """More rows than anybody counts."""
    return Unreadable(f"holds more than {MOST_ROWS} rows; split it", f"超过 {MOST_ROWS} 行；请拆分文件")


# -- YAML ----------------------------------------------------------------------------------------------------------


def _yaml_sheet(text: str) -> Sheet:
    """A list of mappings as a table: every key that occurs is a column. Rows count from 1, without a header."""
    entries = list(_yaml_entries(text))
    names = list(dict.fromkeys(name for entry in entries for name in entry))
    rows = [Row(number, [entry.get(name) for name in names]) for number, entry in enumerate(entries, start=1)]
    return Sheet([Row(0, names), *rows], lettered=False)


def _yaml_entries(text: str) -> Iterator[dict[str, Any]]:
    try:
        entries = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  # BaseLoader: text only, nothing is constructed
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise Unreadable(f"is not YAML at line {line}", f"第 {line} 行不是 YAML") from None
    if not isinstance(entries, list):
        raise Unreadable("should be a list of rows, each after a dash", "应该是列表，每行以短横线开头")
    if len(entries) > MOST_ROWS:
        raise too_many_rows()
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or not all(isinstance(name, str) for name in entry):
            raise Unreadable(
                f"row {number} should have fields: warehouse, sku, on_hand, safety",
                f"第 {number} 行应有字段：warehouse、sku、on_hand、safety",
            )
        yield entry
