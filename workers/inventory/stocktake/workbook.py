"""Reading an .xlsx workbook with limits, and with a plain word about what is no such workbook.

Parts are unpacked and parsed piece by piece, and everything is counted on the way: a row number of 1,048,576 costs
nothing, a million styled cells without a value cost a second, and what is larger is refused before it is unpacked.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from posixpath import join, normpath
from typing import Final, TypeVar

from workers.inventory.stocktake.package_part import MOST_SHEET_CELLS, ByteSource, Damaged, count_marks
from workers.inventory.stocktake.sheet_part import read_sheet
from workers.inventory.stocktake.table import Sheet, Unreadable, too_many_cells
from workers.inventory.stocktake.workbook_parts import read_relations, read_strings, read_styles, read_workbook_part

T = TypeVar("T")

MOST_UNPACKED_BYTES: Final = 100 << 20
MOST_SMALL_PART: Final = 16 << 20  # styles, shared texts
_MOST_MARKS: Final = 6 * MOST_SHEET_CELLS  # two for each element: cell, value, formula
_MOST_PARTS: Final = 2000
_MOST_DIRECTORY: Final = 1 << 20

_OTHER_PACKAGES: Final = {
    "xl/workbook.bin": ("a binary workbook (.xlsb)", "二进制工作簿（.xlsb）"),
    "content.xml": ("an OpenDocument file (.ods)", "OpenDocument 文件（.ods）"),
    "index/document.iwa": ("a Numbers document", "Numbers 文档"),
    "index.zip": ("a Numbers document", "Numbers 文档"),
    "word/document.xml": ("a Word document", "Word 文档"),
    "encryptioninfo": ("protected by a password", "有密码保护的文件"),
}


def read_workbook(body: bytes) -> list[Sheet]:
    """Every worksheet, hidden ones too, without its blank rows. Raises Unreadable."""
    try:
        return _Package(body).sheets()
    except (Damaged, zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, OSError, EOFError):
        raise _damaged() from None


def _damaged() -> Unreadable:
    return Unreadable(
        "is a damaged workbook; open it in Excel, let it be repaired, and save it again",
        "工作簿已损坏；请用 Excel 打开并修复后重新保存",
    )


def _too_large() -> Unreadable:
    size = MOST_UNPACKED_BYTES >> 20
    return Unreadable(
        f"unpacks to more than {size} MB; copy the counts alone into a new workbook",
        f"解压后超过 {size} MB；请只把盘点数据复制到新工作簿",
    )


def _check_directory(body: bytes) -> None:
    """The list of parts is read whole before anybody can count it: how long it is, its end says."""
    at = body.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(body):
        raise Damaged
    parts, size = struct.unpack_from("<HI", body, at + 10)
    if parts > _MOST_PARTS or size > _MOST_DIRECTORY:
        raise _too_large()
    if body.rfind(b"PK\x06\x07", 0, at) == at - 20:  # the end of a zip64, which would be believed instead
        raise Damaged


class _Package:
    """The zip file that a workbook is."""

    def __init__(self, body: bytes) -> None:
        _check_directory(body)
        self._zip = zipfile.ZipFile(io.BytesIO(body))
        self._parts = {_plain_name(part.filename): part for part in self._zip.infolist()}
        self._marks = self._cells = 0
        if sum(part.file_size for part in self._zip.infolist()) > MOST_UNPACKED_BYTES:
            raise _too_large()

    def sheets(self) -> list[Sheet]:
        book = self._main_part()
        base = book.rpartition("/")[0]
        relations = read_relations(self._open(join(base, "_rels", book.rpartition("/")[2] + ".rels")))
        parts, since_1904 = read_workbook_part(self._open(book))
        formats = self._of_kind(relations, "styles", base, read_styles)
        strings = self._of_kind(relations, "sharedStrings", base, read_strings)
        found = []
        for name, relation in parts:
            kind, target = relations.get(relation, ("", ""))
            if kind == "worksheet":
                rows = read_sheet(self._open(_target(base, target), MOST_UNPACKED_BYTES), strings, formats, since_1904)
                found.append(Sheet(rows, name))
        return found

    def _of_kind(
        self, relations: Mapping[str, tuple[str, str]], wanted: str, base: str, read: Callable[[ByteSource], list[T]]
    ) -> list[T]:
        for kind, target in relations.values():
            if kind == wanted and _plain_name(_target(base, target)) in self._parts:
                return read(self._open(_target(base, target)))
        return []

    def _main_part(self) -> str:
        if "_rels/.rels" in self._parts:
            for kind, target in read_relations(self._open("_rels/.rels")).values():
                if kind == "officeDocument" and _plain_name(target).endswith(".xml"):
                    name = _target("", target)
                    if not _plain_name(name).startswith("word/"):
                        return name
        if "xl/workbook.xml" in self._parts:
            return "xl/workbook.xml"
        raise self._no_workbook()

    def _no_workbook(self) -> Unreadable:
        english, chinese = next(
            (kind for name, kind in _OTHER_PACKAGES.items() if name in self._parts), ("a packed file", "压缩文件")
        )
        return Unreadable(
            f"is {english}, but no .xlsx workbook; save it as .xlsx (Excel Workbook) or as CSV UTF-8",
            f"是{chinese}，不是 .xlsx 工作簿；请另存为 .xlsx（Excel 工作簿）或 CSV UTF-8",
        )

    def _open(self, name: str, most: int = MOST_SMALL_PART) -> ByteSource:
        """A part, once its tags are counted. It never unpacks to more than the directory declares."""
        part = self._parts.get(_plain_name(name))
        if part is None or part.flag_bits & 1:
            raise Damaged
        if part.file_size > most:
            raise _too_large()
        marks, cells = count_marks(self._zip.open(part))
        self._marks += marks
        self._cells += cells
        if self._marks > _MOST_MARKS or self._cells > MOST_SHEET_CELLS:
            raise too_many_cells(MOST_SHEET_CELLS)
        return self._zip.open(part)


def _target(base: str, target: str) -> str:
    """The full name of a part that another one names: from the root, or from where that one lies."""
    return normpath(target.lstrip("/") if target.startswith("/") else join(base, target))


def _plain_name(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()
