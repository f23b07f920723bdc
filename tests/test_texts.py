"""Texts for people are complete in both languages: tables of them have every member, and no Chinese one is English."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from types import ModuleType
from typing import Final

import pytest

from schemas.text import Text
from tests.product_code import module_of, place_of, product_files, tree_of

_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_WORD: Final = re.compile(r"[A-Za-z]{4}")
_BOTH: Final = frozenset({"Text", "say", "TextError", "Unreadable"})  # called with the English and the Chinese text
_DEMANDED: Final = frozenset({"success"})  # by Douyin, of the answer to a push

WITH_TEXTS: Final = [
    module_of(path)
    for path in product_files()
    if place_of(path).startswith(("schemas/", "workers/admin/", "workers/rules/", "workers/inventory/"))
]


def written(node: ast.expr) -> str | None:
    """What a text says by itself, without what is filled in; None when it is put together elsewhere."""
    if isinstance(node, ast.Constant | ast.JoinedStr):
        parts = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
        return "".join(part for part in parts if isinstance(part, str))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return f"{written(node.left) or ''}{written(node.right) or ''}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return written(node.func.value)
    return None


def untold(tree: ast.Module) -> Iterator[str]:
    """English texts that have no Chinese one."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] not in _BOTH:
            continue
        by_name = {each.arg: each.value for each in node.keywords}
        pair = [*node.args[:2], *(by_name[name] for name in ("en", "zh") if name in by_name)]
        en, zh = [written(each) for each in pair] if len(pair) == 2 else (None, None)
        if en and zh is not None and en not in _DEMANDED and _WORD.search(en) and not _CHINESE.search(zh):
            yield f"line {node.lineno}: {en!r}"


def test_every_text_is_told_in_chinese_too() -> None:
    found = [f"{place_of(path)}, {each}" for path in product_files() for each in untold(tree_of(path))]
    assert found == []


@pytest.mark.parametrize(
    "planted",
    [
        'Text("the shop is away", "the shop is away")',
        'say(f"{count} letters", f"{count}")',
        'Text(en="is missing", zh="")',
        'raise TextError("no such order", "order")',
    ],
)
def test_a_planted_text_without_chinese_is_found(planted: str) -> None:
    assert len(list(untold(ast.parse(planted)))) == 1


_SHOWS: Final = frozenset(
    {"echo", "secho", "print", "prompt", "confirm", "Option", "Argument", "BadParameter", "UsageError", "HTTPException"}
)
"""Called with what a person sees."""


def in_one_language(tree: ast.Module) -> Iterator[str]:
    """Sentences that are shown as they are written, and other names under which `untold` would not look for them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not str(node.module).startswith("rich"):
            renamed = (alias.name for alias in node.names if alias.name in _BOTH and alias.asname)
            yield from (f"{name} has another name here" for name in renamed)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _SHOWS:
            for each in [*node.args, *(one.value for one in node.keywords)]:
                shown = written(each) or ""
                if re.search(r"[A-Za-z]+ [a-z]+ [a-z]+", shown) and not _CHINESE.search(shown):
                    yield f"line {node.lineno}: {shown!r}"


def test_no_command_speaks_one_language_only() -> None:
    asked = [path for path in product_files() if place_of(path).startswith(("ops/cli/", "ops/api/", "workers/admin/"))]
    assert [f"{place_of(path)}, {each}" for path in asked for each in in_one_language(tree_of(path))] == []


@pytest.mark.parametrize(
    "planted",
    [
        'typer.echo("no such order")',
        'console().print(f"no such order: {uid}")',
        'raise typer.BadParameter("no such order")',
        'raise HTTPException(404, detail="no such order")',
        'typer.Option(help="which of the orders")',
        "from schemas.text import Text as T",
    ],
)
def test_a_planted_sentence_in_one_language_is_found(planted: str) -> None:
    assert len(list(in_one_language(ast.parse(planted)))) == 1


def tables(module: ModuleType) -> Iterator[tuple[str, Mapping[Enum, Text]]]:
    """The module's tables from the members of an enumeration to texts."""
    for name, table in vars(module).items():
        if isinstance(table, Mapping) and table and all(isinstance(text, Text) for text in table.values()):
            kinds = {type(key) for key in table}
            if len(kinds) == 1 and issubclass(kinds.pop(), Enum):
                yield name, table


def test_a_table_of_texts_has_every_member_of_its_enumeration() -> None:
    found = {}
    for module in WITH_TEXTS:
        for name, table in tables(importlib.import_module(module)):
            found[f"{module}.{name}"] = set(type(next(iter(table)))) - set(table)
    assert len(found) >= 3, found
    assert {name: missing for name, missing in found.items() if missing} == {}
