"""A file of stock counts: a row for each warehouse and SKU. All of it is right, or none is used."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from schemas.text import Text
from workers.inventory.records import Count
from workers.inventory.stocktake.cells import BadCell, counted_at, plain, sku_code, warehouse_id
from workers.inventory.stocktake.columns import TITLES, Columns, find_columns, names_all
from workers.inventory.stocktake.numbers import Separators, find_separators, number_text, units
from workers.inventory.stocktake.sheets import read_sheets
from workers.inventory.stocktake.table import Row, Sheet, Unreadable

EXAMPLE_MARK: Final = "示例 EXAMPLE"
EXAMPLES: Final = (
    ("example-warehouse", "EXAMPLE-SKU-1", 500, 20),
    ("example-warehouse", "EXAMPLE-SKU-2", 36, None),
    ("example-warehouse", "EXAMPLE-SKU-3", 0, 5),
)
"""The template's example rows: warehouse, SKU, on hand, safety."""
_MOST_KEPT: Final = 1000  # a file that is no list of counts need not be read to its end
_MOST_SUGGESTED: Final = 20


class Known(NamedTuple):
    """What a count may speak of: titles by warehouse id, and the catalogue's SKUs."""

    warehouses: Mapping[str, str]
    skus: Collection[str]


@dataclass(frozen=True, slots=True)
class Counted:
    """One row that can be used. `counted_at` None: now."""

    row: int
    warehouse_id: str
    sku: str
    count: Count
    counted_at: datetime | None = None


class RowProblem(NamedTuple):
    """One thing wrong with one row; `row` 0 and `column` "" for what concerns the whole file."""

    row: int
    column: Text
    text: Text

    def tell(self) -> Text:
        """`row 5, column C (on_hand): is -1 ...`"""
        if not self.row:
            return self.text
        return Text(
            f"row {self.row}, {self.column.en}: {self.text.en}", f"第 {self.row} 行，{self.column.zh}：{self.text.zh}"
        )


@dataclass(slots=True)
class CountFile:
    """What a file of counts says, and everything that is wrong with it."""

    rows: list[Counted] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    examples: int = 0
    ignored: tuple[str, ...] = ()

    def by_warehouse(self) -> dict[str, dict[str, Count]]:
        """Counts by warehouse and SKU."""
        found: dict[str, dict[str, Count]] = {}
        for row in self.rows:
            found.setdefault(row.warehouse_id, {})[row.sku] = row.count
        return found


def read_count_file(
    body: bytes,
    name: str,
    now: datetime,
    *,
    known: Known | None = None,
    warehouse: str | None = None,
    sheet: str | None = None,
    whole: bool = True,
) -> CountFile:
    """Read everything. `known` None: any warehouse and SKU; `warehouse`: of rows that name none; `sheet`: its name.

    `whole`: every row must say what is on hand; otherwise a row may set the safety stock alone. `now`: no row was
    counted after it.
    """
    needed = ("sku", "on_hand") if warehouse else ("warehouse", "sku", "on_hand")
    try:
        columns = _choose(read_sheets(body, name, partial(names_all, needed=needed)), sheet, needed)
    except Unreadable as error:
        return CountFile(problems=[RowProblem(0, Text("", ""), error.text)])
    reader = _Reader(columns, known, warehouse, whole, now, _separators(columns))
    for row in columns.rows:
        if len(reader.file.problems) >= _MOST_KEPT:
            reader.file.problems.append(RowProblem(0, Text("", ""), _gave_up(row.number)))
            break
        reader.read(row)
    return reader.done()


def _gave_up(row: int) -> Text:
    return Text(f"was not read from row {row} on: too many rows are wrong", f"第 {row} 行起未读取：错误过多")


def _separators(columns: Columns) -> Separators:
    """What commas and points mean in this file: all its numbers together may prove it."""
    places = [columns.places[name] for name in ("on_hand", "safety") if name in columns.places]
    cells = (row.cells[place] for row in columns.rows for place in places if place < len(row.cells))
    return find_separators((text for cell in cells if (text := number_text(cell))), columns.delimiter)


def _choose(sheets: Sequence[Sheet], wanted: str | None, needed: Sequence[str]) -> Columns:
    if wanted is not None:
        sheets = [sheet for sheet in sheets if sheet.name == wanted] or _no_such_sheet(sheets, wanted)
    found = [(sheet.name, columns) for sheet in sheets if (columns := find_columns(sheet, needed))]
    if not found:
        raise _no_headings(needed)
    if len(found) > 1:
        names = ", ".join(name for name, _ in found)
        raise Unreadable(
            f"has several sheets with counts: {names}; import them one by one with --sheet NAME",
            f"有多个盘点工作表：{names}；请用 --sheet 名称 逐个导入",
        )
    return found[0][1]


def _no_such_sheet(sheets: Sequence[Sheet], wanted: str) -> list[Sheet]:
    names = ", ".join(sheet.name for sheet in sheets if sheet.name) or "-"
    raise Unreadable(f"has no sheet {wanted}; it has: {names}", f"没有工作表 {wanted}；现有：{names}")


def _no_headings(needed: Sequence[str]) -> Unreadable:
    english = ", ".join(TITLES[name].en for name in needed)
    chinese = "、".join(TITLES[name].zh for name in needed)
    return Unreadable(
        f"has no heading row; one of its first rows should name the columns {english} (safety, counted_at may follow). "
        "orderfleet stock template writes a file to fill in",
        f"没有表头；前几行中应有一行写明列名：{chinese}（可另加安全库存、盘点时间）。"
        "orderfleet stock template 可生成模板",
    )


# -- rows ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Reader:
    columns: Columns
    known: Known | None
    warehouse: str | None
    whole: bool
    now: datetime
    separators: Separators
    file: CountFile = field(default_factory=CountFile)
    first: dict[tuple[str, str], int] = field(default_factory=dict)  # the row in which a pair stood first

    def read(self, row: Row) -> None:
        """One row more: a count, an example, or its problems. A row of blanks is nothing."""
        fields = {name: row.cells[at] for name, at in self.columns.places.items() if at < len(row.cells)}
        if _is_blank(fields) or self.columns.are_headings(row) or self._is_example(row.number, fields):
            return
        before = len(self.file.problems)
        self._refuse_more_cells(row)
        values = {name: self._cell(row.number, name, fields.get(name)) for name in TITLES if name != "note"}
        self._refuse_uncounted(row.number, values, before)
        if len(self.file.problems) == before and self._is_new(row.number, values):
            count = Count(on_hand=values["on_hand"], safety=values["safety"])
            row_read = Counted(row.number, values["warehouse"], values["sku"], count, values["counted_at"])
            self.file.rows.append(row_read)

    def done(self) -> CountFile:
        """All that was read."""
        self.file.ignored = self.columns.ignored
        if not self.file.rows and not self.file.problems:
            text = Text(
                "holds no counts; write at least one row under the headings", "没有盘点数据；请在表头下至少填写一行"
            )
            self.file.problems.append(RowProblem(0, Text("", ""), text))
        return self.file

    def _cell(self, number: int, name: str, value: Any) -> Any:
        try:
            return self._value(name, value)
        except BadCell as error:
            self._problem(number, name, error.text)
            return None

    def _value(self, name: str, value: Any) -> Any:
        match name:
            case "warehouse":
                given = self.warehouse if self.warehouse and not plain(value) else value
                return warehouse_id(given, self.known.warehouses if self.known else None)
            case "sku":
                suggest = len(self.file.problems) < _MOST_SUGGESTED  # with a large catalogue each takes a while
                return sku_code(value, self.known.skus if self.known else None, suggest=suggest)
            case "counted_at":
                return counted_at(value, self.now)
            case _:
                return units(value, self.separators)

    def _refuse_uncounted(self, number: int, values: Mapping[str, Any], before: int) -> None:
        unsaid = values["on_hand"] is None and (self.whole or values["safety"] is None)
        if unsaid and len(self.file.problems) == before:
            text = Text("is empty; write the units counted, 0 for none", "为空；请填写盘点件数，没有则写 0")
            self._problem(number, "on_hand", text)

    def _refuse_more_cells(self, row: Row) -> None:
        """In CSV a comma within a number makes two cells of it."""
        width = self.columns.width
        if width is not None and any(cell.strip() for cell in row.cells[width:]):
            text = Text(
                f"the row has more cells than the {width} headings; write numbers without commas, or in quotes",
                f"该行的格数多于 {width} 个表头；数字请不要带逗号，或加引号",
            )
            self._problem(row.number, "on_hand", text)

    def _is_new(self, number: int, values: Mapping[str, Any]) -> bool:
        pair = (values["warehouse"], values["sku"])
        before = self.first.setdefault(pair, number)
        if before != number:
            warehouse, sku = pair
            text = Text(
                f"{sku} in {warehouse} stands in row {before} already; make one row of the two, with the whole count",
                f"仓库 {warehouse} 的 {sku} 在第 {before} 行已有；两行请合并为一行，填写总数",
            )
            self._problem(number, "sku", text)
        return before == number

    def _is_example(self, number: int, fields: Mapping[str, Any]) -> bool:
        """A row that still is what the template wrote. A changed one may be meant: nothing is skipped in silence."""
        if str(fields.get("note") or "").strip() != EXAMPLE_MARK:
            return False
        if _example(fields) in EXAMPLES:
            self.file.examples += 1
        else:
            text = Text(
                "marks an example row, but the row was changed; clear this cell to import the row, or delete the row",
                "标为示例，但内容已修改；要导入请清空此格，否则请删除该行",
            )
            self._problem(number, "note", text)
        return True

    def _problem(self, number: int, name: str, text: Text) -> None:
        self.file.problems.append(RowProblem(number, self.columns.tell(name), text))


def _is_blank(fields: Mapping[str, Any]) -> bool:
    return all(value is None or (isinstance(value, str) and not value.strip()) for value in fields.values())


def _example(fields: Mapping[str, Any]) -> tuple[str, str, int | None, int | None] | None:
    try:
        return (
            plain(fields.get("warehouse")),
            plain(fields.get("sku")),
            units(fields.get("on_hand")),
            units(fields.get("safety")),
        )
    except BadCell:
        return None
