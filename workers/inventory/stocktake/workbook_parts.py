"""The parts of an .xlsx package that hold values, read by a streaming parser that counts as it goes.

Source: ECMA-376 part 1 (SpreadsheetML), 18.2 to 18.8. Drawings, links, themes and the like are never opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple, Protocol, TypeVar
from xml.parsers import expat

from workers.inventory.stocktake.table import MOST_COLUMNS, MOST_ROWS, Oddity, Row, too_many_cells, too_many_rows

MOST_SHEET_CELLS: Final = 500_000  # empty ones included: that many take a second

_LAST_ROW: Final = 1 << 20  # Excel has no more
_LAST_COLUMN: Final = 1 << 14
_MOST_DEPTH: Final = 60
_MOST_TEXT: Final = 32_767 * 2  # characters of a cell, twice what Excel lets in
_MOST_DIGITS: Final = 400  # of a number; a float has 309 before its point
_MOST_TAG_BYTES: Final = 1 << 20
_CHUNK: Final = 1 << 16

_NAMESPACES: Final = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_RELATION: Final = "relationships id"  # the end of the attribute's name in both namespaces
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_REFERENCE: Final = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")


class Damaged(Exception):
    """The part is not what a workbook holds."""


class ByteSource(Protocol):
    """What can be read piece by piece."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


class CellFormat(NamedTuple):
    """What the format of a cell makes of its number."""

    is_date: bool = False
    has_clock: bool = False
    is_percent: bool = False


class _Part:
    """Feeds a part to a parser, piece by piece; subclasses hear about elements. Raises Damaged."""

    most_elements = 150_000

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self.start
        self._parser.EndElementHandler = self.end
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._elements = self._depth = self._length = 0
        self._text: list[str] = []

    def read(self, part: ByteSource) -> None:
        """All of it."""
        fed = 0
        try:
            while chunk := part.read(_CHUNK):
                self._parser.Parse(chunk, False)
                fed += len(chunk)
                if fed - self._parser.CurrentByteIndex > _MOST_TAG_BYTES:
                    raise Damaged
            self._parser.Parse(b"", True)
        except expat.ExpatError:
            raise Damaged from None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self.count()

    def end(self, name: str) -> None:
        """An element ends."""
        self._depth -= 1

    def count(self) -> None:
        """One element more: neither too many nor too deep."""
        self._elements += 1
        self._depth += 1
        if self._elements > self.most_elements or self._depth > _MOST_DEPTH:
            raise self.excess()

    def excess(self) -> Exception:
        """What to say about it."""
        return Damaged() if self._depth > _MOST_DEPTH else too_many_cells(MOST_SHEET_CELLS)

    def hear_text(self) -> None:
        """Keep the text from here on."""
        self._text, self._length = [], 0
        self._parser.CharacterDataHandler = self._hear

    def heard(self) -> str:
        """The text since then."""
        self._parser.CharacterDataHandler = None
        return "".join(self._text)

    def _hear(self, text: str) -> None:
        self._length += len(text)
        if self._length > _MOST_TEXT:
            raise Damaged
        self._text.append(text)

    def _doctype(self, *_: object) -> None:
        raise Damaged  # entities expand; no workbook has any


def count_marks(part: ByteSource) -> tuple[int, int]:
    """Tags and cells in the raw bytes, which costs a tenth of parsing them. Comments count, too."""
    marks = cells = 0
    while chunk := part.read(_CHUNK):
        marks += chunk.count(b"<")
        cells += chunk.count(b"<c ") + chunk.count(b"<c>")
    return marks, cells


H = TypeVar("H")


def _named(handlers: Mapping[str, H]) -> dict[str, H]:
    return {f"{namespace} {name}": handler for namespace in _NAMESPACES for name, handler in handlers.items()}


def _local(name: str) -> str:
    """The element's name in the namespace of spreadsheets; "" in any other."""
    namespace, _, local = name.rpartition(" ")
    return local if namespace in _NAMESPACES else ""


# -- small parts ---------------------------------------------------------------------------------------------------


class _Relations(_Part):
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


class _Book(_Part):
    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[tuple[str, str]] = []
        self.since_1904 = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count()
        match _local(name):
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


class _Strings(_Part):
    most_elements = 450_000

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._pieces: list[str] = []
        self._spoken = 0  # within how a text is pronounced, which is not the text

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count()
        match _local(name):
            case "si":
                self._pieces = []
            case "rPh":
                self._spoken += 1
            case "t":
                self.hear_text()

    def end(self, name: str) -> None:
        self._depth -= 1
        match _local(name):
            case "t":
                text = self.heard()
                if not self._spoken:
                    self._pieces.append(text)
            case "rPh":
                self._spoken -= 1
            case "si":
                self.found.append(_unescaped("".join(self._pieces)))


def read_strings(part: ByteSource) -> list[str]:
    """The texts that cells name by their number."""
    reader = _Strings()
    reader.read(part)
    return reader.found


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class _Styles(_Part):
    def __init__(self) -> None:
        super().__init__()
        self.codes: dict[int, str] = {}
        self.formats: list[int] = []
        self._of_cells = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count()
        match _local(name):
            case "numFmt":
                self.codes[int(attributes.get("numFmtId", 0))] = attributes.get("formatCode", "")
            case "cellXfs":
                self._of_cells = True
            case "xf" if self._of_cells:
                self.formats.append(int(attributes.get("numFmtId", 0)))

    def end(self, name: str) -> None:
        self._depth -= 1
        if _local(name) == "cellXfs":
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


# -- sheets --------------------------------------------------------------------------------------------------------


class _Sheet(_Part):
    most_elements = 3 * MOST_SHEET_CELLS  # cell, value, formula, and the rows

    def __init__(self, strings: Sequence[str], formats: Sequence[CellFormat], since_1904: bool) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._strings, self._formats = strings, formats
        self._first_day = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)  # noqa: DTZ001  # wall time
        self._row = self._cells = 0
        self._place = -1
        self._values: list[Any] = []
        self._attributes: dict[str, str] = {}
        self._value = ""
        self._is_formula = False
        self._spoken = 0
        self._begin = _named({"sheetData": self._begin_data})
        self._finish: dict[str, Callable[[], None]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:  # a million times: the body of count() stands here
        self._elements += 1
        self._depth += 1
        if self._elements > self.most_elements or self._depth > _MOST_DEPTH:
            raise self.excess()
        begin = self._begin.get(name)
        if begin is not None:
            begin(attributes)

    def end(self, name: str) -> None:
        self._depth -= 1
        finish = self._finish.get(name)
        if finish is not None:
            finish()

    def _begin_data(self, _: dict[str, str]) -> None:
        inside = {"row": self._begin_row, "c": self._begin_cell, "v": self._hear_value, "t": self._hear_value}
        self._begin = _named({**inside, "f": self._begin_formula, "rPh": self._begin_spoken})
        finish = {"row": self._end_row, "c": self._end_cell, "v": self._end_value, "t": self._end_value}
        self._finish = _named({**finish, "rPh": self._end_spoken, "sheetData": self._end_data})

    def _end_data(self) -> None:
        self._begin, self._finish = {}, {}

    def _hear_value(self, _: dict[str, str]) -> None:
        self.hear_text()

    def _end_value(self) -> None:
        text = self.heard()
        if not self._spoken:
            self._value += text

    def _begin_formula(self, _: dict[str, str]) -> None:
        self._is_formula = True

    def _begin_spoken(self, _: dict[str, str]) -> None:
        self._spoken += 1

    def _end_spoken(self) -> None:
        self._spoken -= 1

    def _begin_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r")
        row = self._row + 1 if number is None else int(number)
        if not self._row < row <= _LAST_ROW:
            raise Damaged
        self._row, self._place, self._values = row, -1, []

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._cells += 1
        if self._cells > MOST_SHEET_CELLS:
            raise too_many_cells(MOST_SHEET_CELLS)
        reference = attributes.get("r")
        place = self._place + 1 if reference is None else _place(reference)
        if place <= self._place:
            raise Damaged
        self._place = place
        self._attributes, self._value, self._is_formula = attributes, "", False

    def _end_cell(self) -> None:
        if not (self._value or self._is_formula) or self._place >= MOST_COLUMNS:
            return
        value = self._read_value()
        if value in (None, ""):
            return
        self._values += [None] * (self._place - len(self._values))
        self._values.append(value)

    def _end_row(self) -> None:
        if self._values:
            if len(self.rows) >= MOST_ROWS:
                raise too_many_rows()
            self.rows.append(Row(self._row, self._values))

    def _read_value(self) -> Any:
        text = self._value
        match self._attributes.get("t", "n"):
            case "s":
                return self._strings[_index(text, len(self._strings))]
            case "str" | "inlineStr" | "e":
                return _unescaped(text)
            case _ if not text:
                return Oddity.UNCALCULATED
            case "b":
                return text.strip() in ("1", "true")
            case "d":
                return datetime.fromisoformat(text)
            case _:
                return self._read_number(text)

    def _read_number(self, text: str) -> Any:
        if len(text) > _MOST_DIGITS:
            raise Damaged
        number = float(text) if any(mark in text for mark in ".eEnN") else int(text)
        style = _index(self._attributes.get("s", "0"), len(self._formats) or 1)
        shown = self._formats[style] if self._formats else CellFormat()
        if shown.is_date:
            return self._read_date(number, shown.has_clock)
        return Oddity.PERCENT if shown.is_percent else number

    def _read_date(self, number: float, has_clock: bool) -> datetime | date | time:
        """A number that is shown as a date; 1900 was no leap year, but Excel's day 60 says so."""
        if self._first_day.year < 1900 and 0 < number < 60:
            number += 1
        try:
            moment = self._first_day + timedelta(milliseconds=round(number * 86_400_000))
        except OverflowError:
            return date.max
        if not has_clock:
            return moment.date()
        return moment.time() if 0 <= number < 1 else moment


def _index(text: str, length: int) -> int:
    number = int(text)
    if not 0 <= number < length:
        raise Damaged
    return number


def _place(reference: str) -> int:
    """C5 -> 2."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise Damaged
    place = 0
    for letter in found[1]:
        place = place * 26 + ord(letter) - 64
    if place > _LAST_COLUMN:
        raise Damaged
    return place - 1


def read_sheet(part: ByteSource, strings: Sequence[str], formats: Sequence[CellFormat], since_1904: bool) -> list[Row]:
    """The rows that hold anything; formulas as Excel last worked them out."""
    reader = _Sheet(strings, formats, since_1904)
    reader.read(part)
    return reader.rows
