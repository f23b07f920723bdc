"""Which column of a table holds what: headings in English or Chinese or both, wherever the heading row stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from schemas.text import Text
from workers.inventory.stocktake.table import HEADING_WITHIN, Row, Sheet, Unreadable

TITLES: Final[Mapping[str, Text]] = {
    "warehouse": Text("warehouse", "仓库"),
    "sku": Text("SKU", "商品编码"),
    "on_hand": Text("on_hand", "在库数量"),
    "safety": Text("safety", "安全库存"),
    "counted_at": Text("counted_at", "盘点时间"),
    "note": Text("note", "备注"),
}
"""The fields of a count, with the headings that the template gives them."""

_OTHER_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "warehouse": ("warehouse id", "仓库编码", "仓库编号", "仓库id", "仓库名称", "仓"),
    "sku": ("sku code", "seller sku", "sku编码", "sku编号", "商家编码", "货号", "商品编号"),
    "on_hand": ("on hand", "quantity", "在库", "在库数", "库存", "库存数量", "数量", "实盘数", "实盘数量", "盘点数",
                "盘点数量"),
    "safety": ("safety stock", "安全库存数量", "安全库存数"),
    "counted_at": ("counted at", "time of count", "盘点日期时间"),
    "note": ("notes", "remark", "说明"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands (0 = column A), which rows hold data, and which headings mean nothing to us.

    `width`: how many cells a row may have; None: any number. `delimiter`: as in Sheet.
    """

    places: Mapping[str, int]
    rows: Sequence[Row]
    lettered: bool
    ignored: tuple[str, ...] = ()
    width: int | None = None
    delimiter: str = ""

    def are_headings(self, row: Row) -> bool:
        """Whether a row repeats the headings, as at the top of a printed page."""
        return all(_field(_at(row.cells, place)) == field for field, place in self.places.items())

    def tell(self, field: str) -> Text:
        """A column as the reader sees it: `column C (on_hand)`."""
        title = TITLES[field]
        if not self.lettered or field not in self.places:
            return title
        letter = column_letter(self.places[field])
        return Text(f"column {letter} ({title.en})", f"{letter} 列（{title.zh}）")


def column_letter(place: int) -> str:
    """0 -> A, 25 -> Z, 26 -> AA."""
    letters = ""
    while place >= 0:
        place, digit = divmod(place, 26)
        letters = chr(ord("A") + digit) + letters
        place -= 1
    return letters


def find_columns(sheet: Sheet, needed: Sequence[str]) -> Columns | None:
    """The columns of a sheet of counts; None when it holds no heading row. Raises Unreadable."""
    for start, row in enumerate(sheet.rows[:HEADING_WITHIN]):
        headings, height = _headings(sheet, start, needed)
        if headings:
            return _columns(headings, sheet, start + height, row.number)
    return None


def _headings(sheet: Sheet, start: int, needed: Sequence[str]) -> tuple[Sequence[Any], int]:
    """The row's cells if they are headings, perhaps with the row below: a merged heading stands over two of its own."""
    upper = sheet.rows[start].cells
    if names_all(upper, needed):
        return upper, 1
    if sheet.lettered and start + 1 < len(sheet.rows):
        lower = sheet.rows[start + 1].cells
        width = max(len(upper), len(lower))
        both = [_at(lower, place) or _at(upper, place) for place in range(width)]
        if names_all(both, needed) and any(_field(cell) for cell in upper) and any(_field(cell) for cell in lower):
            return both, 2
    return (), 0


def _at(cells: Sequence[Any], place: int) -> Any:
    return cells[place] if place < len(cells) else None


def names_all(cells: Sequence[Any], needed: Sequence[str]) -> bool:
    """Whether these cells head every column that is needed."""
    found = {_field(cell) for cell in cells}
    return all(field in found for field in needed)


def _columns(headings: Sequence[Any], sheet: Sheet, first: int, number: int) -> Columns:
    places: dict[str, int] = {}
    ignored: list[str] = []
    for place, heading in enumerate(headings):
        field = _field(heading)
        if field in places:
            raise _twice(field, places[field], place, number)
        if field:
            places[field] = place
        elif heading not in (None, "") and str(heading).strip():
            _refuse_typo(str(heading), number)
            ignored.append(str(heading).strip())
    width = len(headings) if sheet.delimiter else None
    return Columns(places, sheet.rows[first:], sheet.lettered, tuple(ignored), width, sheet.delimiter)


def _twice(field: str, one: int, other: int, number: int) -> Unreadable:
    first, second, title = column_letter(one), column_letter(other), TITLES[field]
    return Unreadable(
        f"row {number}: columns {first} and {second} are both headed as {title.en}; rename or delete one of them",
        f"第 {number} 行：{first} 列和 {second} 列都是“{title.zh}”；请改名或删除其中一列",
    )


def _refuse_typo(heading: str, number: int) -> None:
    """A column that nearly has a field's name would be left out without anybody noticing."""
    near = get_close_matches(_normal(heading), _KNOWN, n=1, cutoff=0.82)
    if near:
        title = TITLES[_KNOWN[near[0]]]
        raise Unreadable(
            f"row {number}: there is no column {heading.strip()}; did you mean {title.en}?",
            f"第 {number} 行：没有“{heading.strip()}”这一列；是不是想写 {title.zh}？",
        )


def _field(heading: Any) -> str:
    return _KNOWN.get(_normal(heading), "") if isinstance(heading, str) else ""


def _normal(heading: str) -> str:
    folded = unicodedata.normalize("NFKC", heading).casefold()
    return re.sub(r"[\s_\-*/()（）:.]+", "", folded)


def _spellings() -> dict[str, str]:
    known: dict[str, str] = {}
    for field, title in TITLES.items():
        both = (f"{title.zh}{title.en}", f"{title.en}{title.zh}", *title, *_OTHER_NAMES[field])
        known |= {_normal(name): field for name in both}
    return known


_KNOWN: Final = _spellings()


def heading(field: str) -> str:
    """The heading of the template, in both languages."""
    title = TITLES[field]
    return f"{title.zh} {title.en}"
