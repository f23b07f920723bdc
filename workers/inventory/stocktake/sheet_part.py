"""The part of an .xlsx package that holds one sheet: its rows, with the values that Excel shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from workers.inventory.stocktake.package_part import (
    MOST_DEPTH,
    MOST_SHEET_CELLS,
    ByteSource,
    Damaged,
    Part,
    named,
    unescaped,
)
from workers.inventory.stocktake.table import MOST_COLUMNS, MOST_ROWS, Oddity, Row, too_many_cells, too_many_rows
from workers.inventory.stocktake.workbook_parts import CellFormat

_LAST_ROW: Final = 1 << 20  # Excel has no more
_LAST_COLUMN: Final = 1 << 14
_MOST_DIGITS: Final = 400  # of a number; a float has 309 before its point
_REFERENCE: Final = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")


class _Sheet(Part):
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
        self._begin = named({"sheetData": self._begin_data})
        self._finish: dict[str, Callable[[], None]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:  # a million times: the body of count() stands here
        self._elements += 1
        self._depth += 1
        if self._elements > self.most_elements or self._depth > MOST_DEPTH:
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
        self._begin = named({**inside, "f": self._begin_formula, "rPh": self._begin_spoken})
        finish = {"row": self._end_row, "c": self._end_cell, "v": self._end_value, "t": self._end_value}
        self._finish = named({**finish, "rPh": self._end_spoken, "sheetData": self._end_data})

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
                return unescaped(text)
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
