"""A table that somebody handed over, and how much of one is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

from schemas.text import Text

MOST_FILE_BYTES: Final = 20 << 20
MOST_ROWS: Final = 100_000
MOST_COLUMNS: Final = 50
MOST_CELLS: Final = 1_000_000
MOST_TEXT_LINES: Final = 1_100_000  # as many as Excel has, blank ones included
HEADING_WITHIN: Final = 20  # rows: above it may stand a title, a date, a company's name


class Unreadable(Exception):
    """The whole file cannot be used. `text` says why and what to do."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)


class Oddity(Enum):
    """A cell that holds no value."""

    UNCALCULATED = "a formula whose result was not saved"
    PERCENT = "a number that is shown as a percentage"
    NESTED = "a list or a mapping in YAML"


class Row(NamedTuple):
    """The cells of one row; `number` is the one that Excel shows beside it."""

    number: int
    cells: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. `lettered`: its columns have letters, as in Excel; `delimiter`: what its cells are cut at, in CSV."""

    rows: Sequence[Row]
    name: str = ""
    lettered: bool = True
    delimiter: str = ""


def too_many_rows() -> Unreadable:
    """More rows than anybody counts."""
    return Unreadable(f"holds more than {MOST_ROWS} rows; split it", f"超过 {MOST_ROWS} 行；请拆分文件")


def too_many_cells(most: int = MOST_CELLS) -> Unreadable:
    """More cells than a file of counts has."""
    return Unreadable(
        f"holds more than {most} cells, empty ones included; copy the counts alone into a new file",
        f"超过 {most} 个单元格（含空单元格）；请只把盘点数据复制到新文件",
    )
