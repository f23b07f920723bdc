"""A file of stock counts: rows of warehouse, sku, on_hand, safety. All of it is right, or none is used."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

import typer
import yaml

from ops.cli.inputs import read_input, shown
from ops.cli.output import ExitCode, say_error
from schemas.ids import SLUG
from schemas.text import Text
from workers.inventory.records import Count

FIELDS: Final = ("warehouse", "sku", "on_hand", "safety")
_MOST_UNITS: Final = 10**9

Row = tuple[str, Mapping[str, Any]]
"""Where a row stands, for messages, and its fields."""


class BadRow(Exception):
    """One row cannot be used."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)


def read_counts(name: str) -> dict[str, dict[str, Count]]:
    """Counts by warehouse and SKU. Tells every bad row on stderr and ends the command when there is one."""
    counts: dict[str, dict[str, Count]] = {}
    bad = 0
    try:
        for place, row in _rows(name):
            try:
                _add(row, counts)
            except BadRow as error:
                bad += 1
                _tell(name, place, error)
    except BadRow as error:
        bad += 1
        _tell(name, "", error)
    if not bad and not counts:
        bad += 1
        _tell(name, "", BadRow("holds no rows; write warehouse, sku, on_hand, safety", "没有任何行"))
    if bad:
        raise typer.Exit(ExitCode.USAGE)
    return counts


def _tell(name: str, place: str, error: BadRow) -> None:
    where = f"{shown(name)}, {place}" if place else shown(name)
    say_error(Text(f"{where}: {error.text.en}", f"{where}：{error.text.zh}"))


def _rows(name: str) -> Iterator[Row]:
    try:
        text = read_input(name).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRow("is not UTF-8 text; save it as UTF-8", "不是 UTF-8 文本；请另存为 UTF-8") from None
    if name.lower().endswith((".yaml", ".yml", ".json")) or text.lstrip().startswith(("-", "[", "#")):
        return _yaml_rows(text)
    return _csv_rows(text)


def _csv_rows(text: str) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    try:
        _check_fields(reader.fieldnames or ())
        for row in reader:
            if None in row or None in row.values():
                yield f"line {reader.line_num}", {}
            else:
                yield f"line {reader.line_num}", {name.strip(): value.strip() for name, value in row.items()}
    except csv.Error:
        raise BadRow(f"line {reader.line_num} is not CSV", f"第 {reader.line_num} 行不是 CSV") from None


def _yaml_rows(text: str) -> Iterator[Row]:
    try:
        rows = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  # BaseLoader: text only, nothing is constructed
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise BadRow(f"is not YAML{line}", f"不是 YAML{line}") from None
    if not isinstance(rows, list):
        raise BadRow("should be a list of rows, each after a dash", "应该是列表，每行以短横线开头")
    for number, row in enumerate(rows, start=1):
        yield f"row {number}", row if isinstance(row, dict) else {}


def _check_fields(names: Any) -> None:
    unknown = [name for name in names if name.strip() not in FIELDS]
    missing = [name for name in FIELDS[:3] if name not in [each.strip() for each in names]]
    if unknown or missing:
        raise BadRow(
            f"the first line should be {','.join(FIELDS)} (safety may be left out)",
            f"首行应为 {','.join(FIELDS)}（safety 可省略）",
        )


def _add(row: Mapping[str, Any], counts: dict[str, dict[str, Count]]) -> None:
    unknown = [name for name in row if name not in FIELDS]
    if not row or unknown:
        raise BadRow(f"should have the fields {', '.join(FIELDS)}", f"字段应为 {'、'.join(FIELDS)}")
    warehouse_id, sku = row.get("warehouse", ""), row.get("sku", "")
    if not isinstance(warehouse_id, str) or not SLUG.fullmatch(warehouse_id) or len(warehouse_id) > 63:
        raise BadRow("warehouse should be small letters, digits and hyphens", "warehouse 只能是小写字母、数字和短横线")
    if not isinstance(sku, str) or not sku:
        raise BadRow("sku is missing", "缺少 sku")
    of_warehouse = counts.setdefault(warehouse_id, {})
    if sku in of_warehouse:
        raise BadRow(f"{sku} in {warehouse_id} stands twice", f"仓库 {warehouse_id} 的 {sku} 重复")
    of_warehouse[sku] = Count(on_hand=_units(row, "on_hand"), safety=_units(row, "safety"))
    if of_warehouse[sku] == Count():
        raise BadRow("on_hand is missing", "缺少 on_hand")


def _units(row: Mapping[str, Any], name: str) -> int | None:
    value = row.get(name, "")
    if value == "":
        return None
    if not isinstance(value, str) or not (value.isascii() and value.isdecimal()) or int(value) > _MOST_UNITS:
        raise BadRow(f"{name} should be a whole number, 0 or more", f"{name} 应为不小于 0 的整数")
    return int(value)
