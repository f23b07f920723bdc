"""Numbers of units as people all over the world write them, read only where one meaning is possible.

`5,000` is five thousand in one country and five in another, and nobody may find out which by selling it. What the
other numbers of the same file prove decides; where nothing proves it, the cell is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, time, timedelta
from enum import Enum
from typing import Any, Final

from workers.inventory.stocktake.cells import BadCell, plain

MOST_UNITS: Final = 10**9

_WHOLE: Final = re.compile(r"[0-9]{1,12}\.?")
_SPACED: Final = re.compile(r"[1-9][0-9]{0,2}(?:[ '\u2019][0-9]{3})+(?:[.,](?P<rest>[0-9]*))?")
_POINTED: Final = re.compile(r"(?P<whole>[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]{1,12})(?:\.(?P<rest>[0-9]*))?")
_COMMAED: Final = re.compile(r"(?P<whole>[1-9][0-9]{0,2}(?:\.[0-9]{3})+|[0-9]{1,12})(?:,(?P<rest>[0-9]*))?")
_COULD_BE_BOTH: Final = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")

_PROVES_POINT: Final = re.compile(
    r"[0-9]{1,3}(?:,[0-9]{3}){2,}(?:\.[0-9]*)?"  # 1,234,567
    r"|[0-9]{1,3}(?:[, '\u2019][0-9]{3})+\.[0-9]+"  # 1,234.5
    r"|0+\.[0-9]+|[0-9]{4,}\.[0-9]+"  # 0.000, 1234.000
    r"|[0-9]+\.(?:[0-9]{1,2}|[0-9]{4,})"  # 12.5
)
_PROVES_COMMA: Final = re.compile(
    r"[0-9]{1,3}(?:\.[0-9]{3}){2,}(?:,[0-9]*)?"
    r"|[0-9]{1,3}(?:[. '\u2019][0-9]{3})+,[0-9]+"
    r"|0+,[0-9]+|[0-9]{4,},[0-9]{1,3}"
)
_HINTS_AT_COMMA: Final = re.compile(r"[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})")  # elsewhere a slip of the finger: 1,00

_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9.,' \u2019]*")
_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_MONTH: Final = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE: Final = re.compile(
    r"[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}|[0-9]{1,2}[-/][0-9]{1,4}|[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?"
    r"|[0-9]{1,4}年.*|[0-9]{1,2}月[0-9]{1,2}日|(?i:[0-9]{1,2}[- ]?" + _MONTH + "|" + _MONTH + r"[- ]?[0-9]{1,4})"
)
_MINUS: Final = "-\u2212\u2010\u2011\u2012\u2013\u2014\u25b3\u25b2"


class Separators(Enum):
    """What the points and commas in the numbers of one file mean."""

    UNKNOWN = "nothing proves it"
    QUOTED = "commas separate the cells, so whoever wrote it does not take them for decimals"
    SEMICOLONS = "semicolons separate the cells, so commas may be decimals"
    POINT = "the point is decimal: 1,234.5"
    COMMA = "the comma is decimal: 1.234,5"
    CONTRADICTORY = "some numbers say this, some that"


def find_separators(texts: Iterable[str], delimiter: str) -> Separators:
    """What the numbers of a file prove together. `delimiter`: what stands between its cells; "" in a workbook."""
    semicolons = delimiter == ";"
    point = comma = False
    for text in texts:
        number = text.lstrip("+-")
        point = point or _PROVES_POINT.fullmatch(number) is not None
        comma = comma or _PROVES_COMMA.fullmatch(number) is not None
        comma = comma or (semicolons and _HINTS_AT_COMMA.fullmatch(number) is not None)
    if point and comma:
        return Separators.CONTRADICTORY
    if point or comma:
        return Separators.POINT if point else Separators.COMMA
    return {",": Separators.QUOTED, ";": Separators.SEMICOLONS}.get(delimiter, Separators.UNKNOWN)


def number_text(value: Any) -> str:
    """A text cell that may be a number, in ASCII digits; "" for a cell of any other kind. Never raises."""
    if not isinstance(value, str) or not any(mark in value for mark in ".,\uff0c\uff0e"):
        return ""
    try:
        return _ascii_digits(plain(value))
    except BadCell:
        return ""


def units(value: Any, separators: Separators = Separators.UNKNOWN) -> int | None:
    """A whole number, 0 or more; None for an empty cell. Raises BadCell."""
    if isinstance(value, date | time | timedelta):
        raise _is_date()
    text = _ascii_digits(plain(value))
    if not text:
        return None
    if isinstance(value, str) and any(unicodedata.category(char) == "No" for char in value):
        raise _no_number(value.strip()[:40])  # 5² is no 52
    if isinstance(value, int | float):
        separators = Separators.POINT  # a number of the file's own, not one that somebody spelled
        if not value <= MOST_UNITS:
            raise _too_many()
    number = _whole(text.removeprefix("+"), separators)
    if number > MOST_UNITS:
        raise _too_many()
    return number


def _ascii_digits(text: str) -> str:
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)


# -- one meaning or none -------------------------------------------------------------------------------------------


def _whole(text: str, separators: Separators) -> int:
    if _WHOLE.fullmatch(text):
        return int(text.rstrip("."))
    if spaced := _SPACED.fullmatch(text):
        if (spaced["rest"] or "").strip("0"):
            raise _no_whole(text)
        return int(re.sub(r"[^0-9]", "", re.split("[.,]", text)[0]))
    if text.isdecimal():
        raise _too_many()
    if not _NUMBER.fullmatch(text):
        raise _no_number(text[:40])
    if text.startswith("-"):
        raise _below_zero(text[:40])
    return _with_separators(text, separators)


def _with_separators(text: str, separators: Separators) -> int:
    match separators:
        case Separators.POINT:
            return _by(_POINTED, text)
        case Separators.COMMA:
            return _by(_COMMAED, text)
        case Separators.CONTRADICTORY:
            raise _contradictory(text)
    if not _COULD_BE_BOTH.fullmatch(text):
        raise _unclear(text)
    means_thousands = separators is Separators.QUOTED or (
        separators is Separators.UNKNOWN and not text.endswith("000")  # 1,250 is no 1.25 units
    )
    if "," in text and means_thousands:
        return int(text.replace(",", ""))
    raise _two_meanings(text)


def _by(form: re.Pattern[str], text: str) -> int:
    found = form.fullmatch(text)
    if found is None:
        raise _unclear(text)
    if (found["rest"] or "").strip("0"):
        raise _no_whole(text)
    return int(found["whole"].replace(",", "").replace(".", ""))


# -- refusals ------------------------------------------------------------------------------------------------------


def _no_number(shown: str) -> BadCell:
    if any(shown.startswith(mark) or shown.endswith(mark) for mark in _MINUS) or re.fullmatch(r"\(.*[0-9].*\)", shown):
        if re.search("[0-9]", shown) and not _DATE.fullmatch(shown.strip(_MINUS)):
            return _below_zero(shown)
        return BadCell(f"is {shown!r}; write 0 for none", f"是“{shown}”；没有请写 0")
    if _DATE.fullmatch(shown):
        return _is_date()
    if _SCIENTIFIC.fullmatch(shown):
        return BadCell(
            f"is {shown}, a number in scientific notation; set the cell's format to Number and type the units again",
            f"是科学计数法 {shown}；请把单元格格式改为“数值”并重新输入件数",
        )
    if shown.endswith("%"):
        return is_percent(shown)
    return BadCell(
        f"is {shown!r}; write a whole number alone, 0 or more, without a unit",
        f"是“{shown}”；请只写不小于 0 的整数，不带单位",
    )


def is_percent(shown: str) -> BadCell:
    """A share is no number of units."""
    return BadCell(f"is {shown}, a percentage; write the units", f"是百分数 {shown}；请填写件数")


def _is_date() -> BadCell:
    return BadCell(
        "is a date; set the cell's format to Number and type the units again",
        "是日期；请把单元格格式改为“数值”并重新输入件数",
    )


def _below_zero(shown: str) -> BadCell:
    return BadCell(
        f"is {shown}, below zero; write 0 or more: it is what lies there, reservations are counted by orderfleet",
        f"是负数 {shown}；请写 0 或以上：填实物数量，占用由系统计算",
    )


def _no_whole(text: str) -> BadCell:
    return BadCell(f"is {text[:40]}, no whole number; write whole units", f"是 {text[:40]}，不是整数；请写整件数")


def _too_many() -> BadCell:
    return BadCell(f"is more than {MOST_UNITS} units; check it", f"超过 {MOST_UNITS} 件；请核对")


def _unclear(text: str) -> BadCell:
    shown = text[:40]
    return BadCell(
        f"is {shown}; write the digits without commas and points, as it is not clear what they mean",
        f"是 {shown}；逗号或小数点的含义不清楚，请只写数字",
    )


def _two_meanings(text: str) -> BadCell:
    large, small = re.sub("[.,]", "", text), text.replace(",", ".").rstrip("0").rstrip(".")
    return BadCell(
        f"is {text}, which can mean {large} or {small}; write the digits without commas and points",
        f"是 {text}，可能是 {large}，也可能是 {small}；请只写数字，不带逗号和小数点",
    )


def _contradictory(text: str) -> BadCell:
    shown = text[:40]
    return BadCell(
        f"is {shown}, but in some numbers of this file the comma is decimal and in others the point; "
        "write all of them without commas and points",
        f"是 {shown}，但本文件中有的数字以逗号为小数点，有的以句点为小数点；请全部只写数字",
    )
