"""Sheets for the figures: wrong shipments and customer service's counts, from Excel or CSV; every row is checked."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, TypeVar

from schemas.record import record
from schemas.text import Text
from workers.admin.desk.entered import WRONG_KINDS, SupportDay, WrongShipment
from workers.inventory.stocktake.cells import BadCell, plain
from workers.inventory.stocktake.numbers import units
from workers.inventory.stocktake.sheets import read_sheets
from workers.inventory.stocktake.table import HEADING_WITHIN, Row, Sheet, Unreadable

T = TypeVar("T")

MOST_PROBLEMS: Final = 50
_DATES: Final = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日")

WRONG_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "order": ("order", "order uid", "订单", "订单uid"),
    "kind": ("kind", "type", "类型", "问题类型"),
    "day": ("day", "date", "日期", "登记日期"),
    "warehouse": ("warehouse", "仓库"),
}
SUPPORT_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("day", "date", "日期"),
    "shop": ("shop", "店铺"),
    "questions": ("questions", "all questions", "咨询数", "咨询总数"),
    "about_orders": ("about orders", "about_orders", "order questions", "订单咨询数", "订单相关咨询数"),
}
_KINDS_ZH: Final = dict(zip(("发错货", "漏发", "数量不符", "破损", "地址错误", "其他"), WRONG_KINDS, strict=True))


@record
class SheetProblem:
    """A row that cannot be taken. The row number is the one that Excel shows."""

    row: int
    text: Text


class BadSheet(Exception):
    """Rows cannot be taken; so none is."""

    def __init__(self, problems: Sequence[SheetProblem]) -> None:
        super().__init__(f"{len(problems)} rows")
        self.problems = list(problems)


def wrong_shipments(body: bytes, name: str) -> list[WrongShipment]:
    """The reports of a sheet. `name`: the file's. Raises Unreadable, BadSheet."""

    def one(cells: Mapping[str, Any]) -> WrongShipment:
        kind = plain(cells.get("kind"))
        kind = _KINDS_ZH.get(kind, kind)
        if kind not in WRONG_KINDS:
            raise BadCell(f"kind: write one of {', '.join(WRONG_KINDS)}", f"类型：可选 {'、'.join(_KINDS_ZH)}")
        return WrongShipment(
            order_uid=plain(cells.get("order")),
            kind=kind,
            day=_day(cells.get("day")),
            warehouse=plain(cells.get("warehouse")),
        )

    return _read(body, name, WRONG_COLUMNS, ("order", "kind", "day"), one)


def support_days(body: bytes, name: str) -> list[SupportDay]:
    """The days of a sheet. Raises Unreadable, BadSheet."""

    def one(cells: Mapping[str, Any]) -> SupportDay:
        questions, about = units(cells.get("questions")), units(cells.get("about_orders"))
        if questions is None or about is None:
            raise BadCell("a number is missing", "缺少数量")
        return SupportDay(
            day=_day(cells.get("day")), shop=plain(cells.get("shop")), questions=questions, about_orders=about
        )

    return _read(body, name, SUPPORT_COLUMNS, tuple(SUPPORT_COLUMNS), one)


def _read(
    body: bytes,
    name: str,
    columns: Mapping[str, tuple[str, ...]],
    needed: Sequence[str],
    one: Callable[[Mapping[str, Any]], T],
) -> list[T]:
    def is_heading(cells: Sequence[Any]) -> bool:
        return set(needed) <= _places(cells, columns).keys()

    rows, places = _headed(read_sheets(body, name, is_heading), columns, is_heading, needed)
    found: list[T] = []
    problems: list[SheetProblem] = []
    for row in rows:
        cells = {field: row.cells[place] for field, place in places.items() if place < len(row.cells)}
        if all(value in (None, "") for value in cells.values()):
            continue
        try:
            found.append(one(cells))
        except BadCell as error:
            problems.append(SheetProblem(row=row.number, text=error.text))
    if problems:
        raise BadSheet(problems[:MOST_PROBLEMS])
    return found


def _headed(
    sheets: Sequence[Sheet],
    columns: Mapping[str, tuple[str, ...]],
    is_heading: Callable[[Sequence[Any]], bool],
    needed: Sequence[str],
) -> tuple[Sequence[Row], dict[str, int]]:
    for sheet in sheets:
        for number, row in enumerate(sheet.rows[:HEADING_WITHIN]):
            if is_heading(row.cells):
                return sheet.rows[number + 1 :], _places(row.cells, columns)
    names_en, names_zh = (", ".join(columns[field][place] for field in needed) for place in (0, -1))
    raise Unreadable(f"has no row of headings: {names_en}", f"没有标题行：{names_zh}")


def _places(cells: Sequence[Any], columns: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    spelled = {spelling: field for field, spellings in columns.items() for spelling in spellings}
    found: dict[str, int] = {}
    for place, cell in enumerate(cells):
        text = unicodedata.normalize("NFKC", cell).strip().lower() if isinstance(cell, str) else ""
        if text in spelled:
            found.setdefault(spelled[text], place)
    return found


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = plain(value)
    for form in _DATES:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  # a day of the wall calendar
        except ValueError:
            continue
    raise BadCell("the day is none; write 2026-11-11", "日期无法识别；请写成 2026-11-11")
