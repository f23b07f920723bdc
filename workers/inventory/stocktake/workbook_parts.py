"""The small parts of an .xlsx package: relations, the list of sheets, shared strings, styles."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from workers.inventory.stocktake.package_part import ByteSource, Damaged, Part, local_name, unescaped

_RELATION: Final = "relationships id"  # the end of the attribute's name in both namespaces


class CellFormat(NamedTuple):
    """What the format of a cell makes of its number."""

    is_date: bool = False
    has_clock: bool = False
    is_percent: bool = False


class _Relations(Part):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count()
        if name.endswith(" Relationship") and attributes.get("TargetMode") != "External":
            kind = attributes.get("Type", "").rpartition("/")[2]
            self.found[attributes.get("Id", "")] = (kind, attributes.get("Target", ""))


def read_relations(part: ByteSource) -> dict[str, tuple[str, str]]:
    """Kind and target of each relation, by its id."""
    reader = _Relations()
    reader.read(part)
    return reader.found


class _Book(Part):
    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[tuple[str, str]] = []
        self.since_1904 = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count()
        match local_name(name):
            case "sheet":
                relation = next((value for key, value in attributes.items() if key.endswith(_RELATION)), "")
                self.sheets.append((attributes.get("name", ""), relation))
            case "workbookPr":
                self.since_1904 = attributes.get("date1904") in ("1", "true")


def read_workbook_part(part: ByteSource) -> tuple[list[tuple[str, str]], bool]:
    """Name and relation of each sheet; and whether its dates are counted from 1904."""
    reader = _Book()
    reader.read(part)
    if not reader.sheets:
        raise Damaged
    return reader.sheets, reader.since_1904


class _Strings(Part):
    most_elements = 450_000

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._pieces: list[str] = []
        self._spoken = 0  # within how a text is pronounced, which is not the text

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count()
        match local_name(name):
            case "si":
                self._pieces = []
            case "rPh":
                self._spoken += 1
            case "t":
                self.hear_text()

    def end(self, name: str) -> None:
        self._depth -= 1
        match local_name(name):
            case "t":
                text = self.heard()
                if not self._spoken:
                    self._pieces.append(text)
            case "rPh":
                self._spoken -= 1
            case "si":
                self.found.append(unescaped("".join(self._pieces)))


def read_strings(part: ByteSource) -> list[str]:
    """The texts that cells name by their number."""
    reader = _Strings()
    reader.read(part)
    return reader.found


class _Styles(Part):
    def __init__(self) -> None:
        super().__init__()
        self.codes: dict[int, str] = {}
        self.formats: list[int] = []
        self._of_cells = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count()
        match local_name(name):
            case "numFmt":
                self.codes[int(attributes.get("numFmtId", 0))] = attributes.get("formatCode", "")
            case "cellXfs":
                self._of_cells = True
            case "xf" if self._of_cells:
                self.formats.append(int(attributes.get("numFmtId", 0)))

    def end(self, name: str) -> None:
        self._depth -= 1
        if local_name(name) == "cellXfs":
            self._of_cells = False


def read_styles(part: ByteSource) -> list[CellFormat]:
    """What each cell style makes of a number."""
    reader = _Styles()
    reader.read(part)
    known = {number: _cell_format(number, reader.codes.get(number)) for number in set(reader.formats)}
    return [known[number] for number in reader.formats]


_DAYS: Final = frozenset((*range(14, 18), *range(27, 32), 36, *range(50, 55), 57, 58))  # 27 to 58 in Chinese Excel
_CLOCKS: Final = frozenset((*range(18, 23), *range(32, 36), 45, 46, 47, 55, 56))
_QUOTED: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h|m|s|H|M|S)[^\]]*\]')


def _cell_format(number: int, code: str | None) -> CellFormat:
    if code is None:
        is_date = number in _DAYS or number in _CLOCKS
        return CellFormat(is_date, number in _CLOCKS, number in (9, 10))
    bare = _QUOTED.sub("", code).partition(";")[0].casefold().replace("general", "")
    return CellFormat(any(mark in bare for mark in "dmyhs"), "h" in bare, "%" in bare)
