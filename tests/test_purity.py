"""What calls itself pure is held to it: it stands in the import contracts, and mutates nothing that it was given."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import pytest

from tests.product_code import ROOT, module_of, place_of, product_files, tree_of

CONTRACTS: Final = ("Decisions are pure", "What is drawn from a seed is pure but for that seed")

CHANGES_ITS_OWN: Final = {
    # The record that one workflow makes for itself and hands from step to step.
    "workers.reserve.decide._reserve": {"claimed"},
    "workers.reserve.place.place": {"claimed"},
    "workers.reserve.place._split": {"claimed"},
    "workers.reserve.release._add": {"claimed"},
    # A copy or a set that the only caller has just made for it.
    "workers.inventory.availability._fill": {"stock"},
    "workers.rules.loading._id": {"seen"},
    # The plan's own lives and sales, which it drew itself.
    "ops.testbed.torture.plan._alter": {"sale"},
    "ops.testbed.torture.plan._touches": {"life"},
    # The sheets of a workbook that is being made.
    "workers.inventory.stocktake.template._dress": {"counts"},
    "workers.inventory.stocktake.template._explain": {"sheet"},
    "workers.inventory.stocktake.template._list": {"sheet"},
}

_MUTATORS: Final = frozenset(
    {"append", "appendleft", "extend", "insert", "add", "update", "setdefault", "subtract"}
    | {"pop", "popitem", "popleft", "remove", "discard", "clear", "sort", "reverse"}
)
_VIEWS: Final = frozenset({"values", "items", "keys"})


def says_pure(tree: ast.Module) -> bool:
    """Whether the module's docstring claims it, as in "What follows from it. Pure."."""
    return re.search(r"\bPure\b", ast.get_docstring(tree) or "") is not None


def listed(module: str) -> bool:
    """Whether a contract names the module, or a package around it."""
    return any(fnmatchcase(module, name) or fnmatchcase(module, f"{name}.*") for name in _named_in_contracts())


def _named_in_contracts() -> list[str]:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return [name for each in linter["contracts"] if each["name"] in CONTRACTS for name in each["source_modules"]]


PURE: Final = [path for path in product_files() if listed(module_of(path))]


@pytest.mark.parametrize("path", [path for path in product_files() if says_pure(tree_of(path))], ids=place_of)
def test_what_calls_itself_pure_is_in_the_contract(path: Path) -> None:
    assert listed(module_of(path)), f'add it to "{CONTRACTS[0]}" in pyproject.toml, or do not call it pure'


def test_every_decision_is_in_the_contract() -> None:
    assert [place_of(path) for path in product_files() if path.name == "decide.py" and path not in PURE] == []


def test_a_module_that_only_says_so_is_noticed() -> None:
    assert says_pure(ast.parse('"""What the time is. Pure."""\nimport time'))
    assert not says_pure(ast.parse('"""Calls pure functions."""'))
    assert not listed("workers.inventory.ledger")
    assert listed("workers.rules.facts")


# -- mutation ------------------------------------------------------------------------------------------------------


def mutations(tree: ast.Module) -> set[tuple[str, str]]:
    """(function, parameter) where a function changes what it was given, or what stands in that. self is its own."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {(function.name, name) for function in functions for name in _mutated(function)}


def _mutated(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    given = _given(function)
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            changed = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATORS:
            changed = node.func.value
        else:
            continue
        if (name := _root(changed)) in given:
            yield given[name]


def _given(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, str]:
    """Names that stand for a parameter or for a part of one -> that parameter."""
    arguments = function.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    given = {name: name for name in names if name not in ("self", "cls")}
    for node in ast.walk(function):
        if isinstance(node, ast.For):
            source, targets = node.iter, [node.target]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute | ast.Subscript | ast.Name):
            source, targets = node.value, node.targets
        else:
            continue
        if (name := _root(source)) in given:
            found = (each for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))
            given |= {each.id: given[name] for each in found if isinstance(each.ctx, ast.Store)}
    return given


def _root(expression: ast.expr) -> str:
    """The name at the beginning of `name.a[b].values()`; "" when something new was made on the way."""
    while not isinstance(expression, ast.Name):
        if isinstance(expression, ast.Attribute | ast.Subscript):
            expression = expression.value
        elif isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute):
            if expression.func.attr not in _VIEWS:
                return ""
            expression = expression.func.value
        else:
            return ""
    return expression.id


@pytest.mark.parametrize("path", PURE, ids=place_of)
def test_what_is_pure_mutates_nothing_that_it_was_given(path: Path) -> None:
    module = module_of(path)
    wrong = {
        f"{function}({name})"
        for function, name in mutations(tree_of(path))
        if name not in CHANGES_ITS_OWN.get(f"{module}.{function}", ())
    }
    assert wrong == set()


def test_no_exception_is_out_of_date() -> None:
    found = {(f"{module_of(path)}.{function}", name) for path in PURE for function, name in mutations(tree_of(path))}
    assert {(function, name) for function, names in CHANGES_ITS_OWN.items() for name in names} == found


@pytest.mark.parametrize(
    "text",
    [
        "def f(trail): trail.done = None",
        "def f(trail, a): trail.told[a] += 1",
        "def f(*, trail): del trail.told['a']",
        "def f(trail): trail.told.setdefault('a', []).append(1)",
        "def f(trail):\n  for one in trail.told.values(): one.units = 0",
        "def f(trail):\n  told = trail.told\n  told['a'] = 1",
        "class A:\n  def f(self, trail): trail.open.sort()",
    ],
)
def test_a_mutation_is_noticed(text: str) -> None:
    assert {name for _, name in mutations(ast.parse(text))} == {"trail"}


@pytest.mark.parametrize(
    "text",
    [
        "def f(trail):\n  own = dict(trail.told)\n  own['a'] = 1",
        "def f(trail):\n  own = [*trail.told]\n  own.append(1)",
        "class A:\n  def f(self, trail): self.trails[trail.name] = trail",
        "def f(trail): return trail.told | {'a': 1}",
    ],
)
def test_what_is_made_anew_may_be_changed(text: str) -> None:
    assert mutations(ast.parse(text)) == set()
