"""Lists of counts in YAML and JSON, as tables. Limits are counted in the raw text, before it is parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import yaml

from workers.inventory.stocktake.table import (
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    Oddity,
    Row,
    Sheet,
    Unreadable,
    too_many_rows,
)

MOST_YAML: Final = 512 << 10  # characters: its parser is slow
MOST_JSON: Final = 10 << 20
_MOST_DEPTH: Final = 20
_MOST_INDENT: Final = 100

_LIST: Final = re.compile(r"-\s*$|-\s+[\w\"']+\s*:(\s|$)|-\s+\{|\[\s*($|\{|\])")
_BRACKETS: Final = re.compile(r"[\[\]{}]")
_STACKED: Final = re.compile(rf"(?:[-?:][ \t]+){{{_MOST_DEPTH}}}|^[ \t]{{{_MOST_INDENT}}}", re.MULTILINE)

Pairs = Iterable[tuple[Any, Any]]


def is_list(text: str) -> bool:
    """Whether its first line that is no comment begins a list; a CSV file may begin with a # or a dash, too."""
    lines = (line.strip() for line in text[:10_000].splitlines())
    spoken = [line for line in lines if line and not line.startswith("#") and line != "---"]
    if not spoken or _LIST.match(spoken[0]):
        return bool(spoken)
    return all(line.startswith("- ") and not any(mark in line for mark in ",;\t") for line in spoken)


def list_sheet(text: str) -> Sheet:
    """A list of mappings as a table: every key that occurs is a column. Rows count from 1, without a header."""
    entries = [_entry(number, pairs) for number, pairs in enumerate(_rows(text), start=1)]
    if len(entries) > MOST_ROWS:
        raise too_many_rows()
    names = list(dict.fromkeys(name for entry in entries for name in entry))
    if len(names) > MOST_COLUMNS:
        raise Unreadable(f"has more than {MOST_COLUMNS} fields", f"字段超过 {MOST_COLUMNS} 个")
    rows = [Row(number, [entry.get(name) for name in names]) for number, entry in enumerate(entries, start=1)]
    return Sheet([Row(0, names), *rows], lettered=False)


def _rows(text: str) -> Iterator[Pairs | None]:
    if len(text) > MOST_JSON:
        raise _too_long(MOST_JSON)
    _refuse_deep(text)
    if text.lstrip().startswith("[") and (found := _json_list(text)) is not None:
        return iter(found)
    return _yaml_rows(text)


def _refuse_deep(text: str) -> None:
    if text.count("{") + text.count("[") > 2 * MOST_ROWS:
        raise too_many_rows()
    depth = 0
    for bracket in _BRACKETS.finditer(text):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > _MOST_DEPTH:
            break
    if depth > _MOST_DEPTH or _STACKED.search(text):
        raise Unreadable("is nested too deep for a list of counts", "嵌套过深，不是盘点列表")


def _entry(number: int, pairs: Pairs | None) -> dict[str, Any]:
    if pairs is None:
        raise Unreadable(
            f"row {number} should have fields: warehouse, sku, on_hand, safety",
            f"第 {number} 行应有字段：warehouse、sku、on_hand、safety",
        )
    entry: dict[str, Any] = {}
    for name, value in pairs:
        if not isinstance(name, str) or name in entry:
            shown = str(name)[:40] if isinstance(name, str) else "?"
            raise Unreadable(
                f"row {number} names the field {shown} twice; delete one",
                f"第 {number} 行的字段 {shown} 出现两次；请删除一个",
            )
        entry[name] = value if isinstance(value, str) else Oddity.NESTED
    return entry


def _too_long(most: int) -> Unreadable:
    shown = f"{most >> 20} MB" if most >> 20 else f"{most >> 10} KB"
    return Unreadable(
        f"is a list of more than {shown}; write it as CSV, or split it",
        f"列表超过 {shown}；请改用 CSV，或拆分文件",
    )


# -- JSON ----------------------------------------------------------------------------------------------------------


class _Object(tuple[tuple[str, Any], ...]):
    """A JSON object with every pair that it has, repeated names too."""


def _json_list(text: str) -> list[Pairs | None] | None:
    """Its entries, numbers as they are written; None when it is no JSON (a list of YAML may begin with [, too)."""
    if text.count(",") + text.count("{") + text.count("[") > MOST_CELLS:
        raise _too_long(MOST_JSON)
    try:
        found = json.loads(text, object_pairs_hook=_Object, parse_int=str, parse_float=str, parse_constant=str)
    except ValueError:
        return None
    return [_text_pairs(each) if isinstance(each, _Object) else None for each in found]


def _text_pairs(found: _Object) -> Sequence[tuple[str, Any]]:
    return [(name, "" if value is None else value) for name, value in found]


# -- YAML ----------------------------------------------------------------------------------------------------------


def _yaml_rows(text: str) -> Iterator[Pairs | None]:
    if len(text) > MOST_YAML:
        raise _too_long(MOST_YAML)
    try:
        document = yaml.compose(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise Unreadable(f"is not YAML at line {line}", f"第 {line} 行不是 YAML") from None
    if not isinstance(document, yaml.SequenceNode):
        raise Unreadable("should be a list of rows, each after a dash", "应该是列表，每行以短横线开头")
    for row in document.value:
        yield [(_scalar(name), _scalar(value)) for name, value in row.value] if _is_mapping(row) else None


def _is_mapping(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode)


def _scalar(node: yaml.Node) -> str | None:
    """The text of a value as it is written: 00123 stays 00123. None for a list or a mapping."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None
