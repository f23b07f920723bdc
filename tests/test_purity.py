"""What calls itself pure is held to it: it stands in the import contracts, and mutates nothing that it was given."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import Final, TypeAlias

import pytest

from tests.product_code import ROOT, imports_of, module_of, place_of, product_files, tree_of, within

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

CONTRACTS: Final = ("Decisions are pure", "What is drawn from a seed is pure but for that seed")

CHANGES_ITS_OWN: Final = {
    # The record that one workflow makes for itself and hands from step to step.
    "workers.reserve.decide._reserve": {"claimed"},
    "workers.reserve.place.place": {"claimed"},
    "workers.reserve.place._split": {"claimed"},
    "workers.reserve.release._add": {"claimed"},
    # A copy or a set that the only caller has just made for it.
    "workers.inventory.availability._fill": {"stock"},
    "workers.book.folding._fold": {"turns"},
    "workers.rules.loading._id": {"seen"},
    # A memory of what was looked at before: the answer is the same without it.
    "workers.book.facts.identity": {"_known"},
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
_MUTATORS_ALSO: Final = frozenset(
    {"__setitem__", "__delitem__", "__setattr__", "intersection_update", "difference_update", "move_to_end"}
)
_OF_THE_FIRST: Final = frozenset(
    {"setattr", "delattr", "object.__setattr__", "heapq.heappush", "heapq.heappop", "heapq.heapify", "heappush"}
    | {"heappop", "heapify", "bisect.insort", "insort", "random.shuffle", "shuffle"}
    | {f"{kind}.{name}" for kind in ("list", "dict", "set") for name in _MUTATORS}
)
"""Called with what they change as the first argument."""

_VIEWS: Final = frozenset({"values", "items", "keys", "get"})
_SAME_THINGS: Final = frozenset({"enumerate", "zip", "sorted", "reversed", "list", "tuple", "iter", "next", "filter"})
"""What they give holds the very things that they were given."""

_IO_OF_RUNTIME: Final = {
    "workers.rules.provider": {"workers.runtime.metrics", "workers.runtime.tasks"},  # reads the files anew
    "workers.normalize.decide": {"workers.runtime.stage"},  # the type of what it is given
    "workers.admin.redis_checks": {"workers.runtime.redis.epoch"},  # a constant
    "ops.testbed.torture.plan": {"workers.runtime.kafka.records"},  # the type of what it draws
}
"""Beside the errors, which say what becomes of a message."""

_OF_NOW_OR_OUTSIDE: Final = frozenset(
    {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "open", "input", "print"}
    | {"datetime.datetime.now", "datetime.date.today", "Path.cwd", "Path.home"}
)
_OF_FILES: Final = frozenset({"read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "glob", "rglob"})


def says_pure(tree: ast.Module) -> bool:
    """Whether the module's docstring claims it, as in "What follows from it. Pure."."""
    return re.search(r"\bPure\b", ast.get_docstring(tree) or "") is not None


def listed(module: str) -> bool:
    """Whether a contract names the module, or a package around it."""
    return any(fnmatchcase(module, name) or fnmatchcase(module, f"{name}.*") for name in _named_in_contracts())


@cache
def _named_in_contracts() -> list[str]:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return [name for each in linter["contracts"] if each["name"] in CONTRACTS for name in each["source_modules"]]


PURE: Final = [path for path in product_files() if listed(module_of(path))]


def test_what_calls_itself_pure_is_in_the_contract() -> None:
    pure = [path for path in product_files() if says_pure(tree_of(path))]
    assert len(pure) > 20
    missing = [place_of(path) for path in pure if path not in PURE]
    assert missing == [], f'add it to "{CONTRACTS[0]}" in pyproject.toml, or do not call it pure'


def test_every_decision_is_in_the_contract() -> None:
    assert [place_of(path) for path in product_files() if path.name == "decide.py" and path not in PURE] == []


def test_a_module_that_only_says_so_is_noticed() -> None:
    assert says_pure(ast.parse('"""What the time is. Pure."""\nimport time'))
    assert not says_pure(ast.parse('"""Calls pure functions."""'))
    assert not listed("workers.inventory.ledger")
    assert listed("workers.rules.facts")


# -- what the contract cannot see -----------------------------------------------------------------------------------


def outside(module: str, tree: ast.Module) -> set[str]:
    """What a pure module asks of the world: the time, files, the terminal, what threads share, agents."""
    found = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Global | ast.AsyncFunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in _OF_NOW_OR_OUTSIDE or (isinstance(node.func, ast.Attribute) and node.func.attr in _OF_FILES):
                found.add(ast.unparse(node))
    for each in imports_of(tree):
        name = each.module
        if within(name, "workers.runtime") and not each.for_types and name != "workers.runtime":
            allowed = {"workers.runtime.errors", *_IO_OF_RUNTIME.get(module, ())}
            if not any(within(name, one) or within(one, name) for one in allowed):
                found.add(name)
        if name.split(".")[-1] == "agent" or name.split(".")[0] in _SHARED_OR_OUTSIDE:
            found.add(name)
    return found


_SHARED_OR_OUTSIDE: Final = frozenset(
    {"psycopg", "psycopg_pool", "threading", "multiprocessing", "concurrent", "contextvars", "sys", "sqlite3", "signal"}
    | {"tempfile", "shutil", "urllib3", "requests", "importlib", "platform", "locale", "getpass", "queue", "select"}
)

_READS_FILES: Final = {"workers.rules.provider"}
"""Named pure with the rest of workers.rules; watches the files, and says so."""


def test_what_is_pure_asks_nothing_of_the_world() -> None:
    wrong = {
        (module, each)
        for module, path in ((module_of(path), path) for path in PURE)
        for each in outside(module, tree_of(path))
        if module not in _READS_FILES or each.startswith("workers.")
    }
    assert wrong == set()


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import UTC, datetime\ndef f(): return datetime.now(UTC)",
        "import datetime\ndef f(): return datetime.date.today()",
        "def f(path): return path.read_text()",
        "def f(path):\n  with open(path) as file: return file",
        "def f(x): print(x)",
        "def f():\n  global n\n  n = 1",
        "async def f(): pass",
        "from workers.runtime.metrics import ORDERS\ndef f(): ORDERS.inc()",
        "from workers.runtime import metrics",
        "from workers.tag.agent import tag",
        "def f():\n  import psycopg",
    ],
)
def test_what_is_asked_of_the_world_is_noticed(text: str) -> None:
    assert outside("workers.tag.decide", ast.parse(text)) != set()


# -- mutation ------------------------------------------------------------------------------------------------------


def mutations(tree: ast.Module) -> set[tuple[str, str]]:
    """(function, parameter) where a function changes what it was given, or what stands in that. self is its own."""
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    ]
    shared = {name for node in tree.body for name in _assigned(node)}
    found = {(_name(function), name) for function in functions for name in _mutated(function, _given(function))}
    return found | {(_name(one), name) for one in functions for name in _mutated(one, _shared_in(one, shared))}


def _name(function: _Function) -> str:
    return "lambda" if isinstance(function, ast.Lambda) else function.name


def _assigned(node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return (target.id for target in targets if isinstance(target, ast.Name))


def _shared_in(function: _Function, shared: set[str]) -> dict[str, str]:
    """Variables of the module, where no parameter or local variable has the name."""
    own = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
    own |= {one.id for one in ast.walk(function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return {name: name for name in shared - own}


def _mutated(function: _Function, given: dict[str, str]) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            changed = node.value
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in _OF_THE_FIRST and node.args:
            changed = node.args[0]
        elif isinstance(node, ast.Attribute) and node.attr in _MUTATORS | _MUTATORS_ALSO:
            changed = node.value  # called, or kept to be called
        else:
            continue
        if (name := _root(changed)) in given:
            yield given[name]


def _given(function: _Function) -> dict[str, str]:
    """Names that stand for a parameter or for a part of one -> that parameter."""
    arguments = function.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    given = {name: name for name in names if name not in ("self", "cls")}
    for _ in range(3):  # a name of a name of a name
        for source, target in _bound(function):
            if (name := _root(source)) in given:
                found = (each for each in ast.walk(target) if isinstance(each, ast.Name))
                given |= {each.id: given[name] for each in found if isinstance(each.ctx, ast.Store)}
    return given


def _bound(function: _Function) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What is given a name, and the name."""
    for node in ast.walk(function):
        if isinstance(node, ast.For | ast.comprehension):
            yield from _looped(node.iter, node.target)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _paired(node.value, target)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            yield from _paired(node.value, node.target)


def _looped(source: ast.expr, target: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(source, ast.Call) and ast.unparse(source.func) in _SAME_THINGS:
        if ast.unparse(source.func) == "zip" and isinstance(target, ast.Tuple) and len(target.elts) == len(source.args):
            for one, name in zip(source.args, target.elts, strict=True):
                yield from _looped(one, name)
        else:
            for one in source.args:
                yield from _looped(one, target)
    else:
        yield source, target


def _paired(source: ast.expr, target: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(source, ast.Tuple) and isinstance(target, ast.Tuple) and len(source.elts) == len(target.elts):
        for one, name in zip(source.elts, target.elts, strict=True):
            yield from _paired(one, name)
    elif isinstance(source, ast.IfExp):
        yield from ((source.body, target), (source.orelse, target))
    elif isinstance(source, ast.BoolOp):
        yield from ((one, target) for one in source.values)
    elif isinstance(source, ast.Attribute | ast.Subscript | ast.Name):
        yield source, target


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


def test_what_is_pure_mutates_nothing_that_it_was_given() -> None:
    wrong = {
        f"{module_of(path)}.{function}({name})"
        for path in PURE
        for function, name in mutations(tree_of(path))
        if name not in CHANGES_ITS_OWN.get(f"{module_of(path)}.{function}", ())
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
        "def f(trail): setattr(trail, 'a', 1)",
        "def f(trail): trail.told.get('a').append(1)",
        "def f(trail): [one.append(1) for one in trail.x]",
        "import heapq\ndef f(trail): heapq.heappush(trail.heap, 1)",
        "def f(trail): list.append(trail.x, 1)",
        "def f(trail):\n  add = trail.told.append\n  add(1)",
        "def f(trail):\n  for n, one in enumerate(sorted(trail.told)): one.units = 0",
        "def f(trail, b):\n  for one, two in zip(trail.told, b): one.units = 0",
        "def f(trail):\n  a, b = 1, trail.y\n  b.z = 1",
        "def f(trail):\n  if (a := trail.x): a.z = 1",
        "def f(trail):\n  x = trail.a if trail.b else trail.c\n  x.y = 1",
        "def f(trail):\n  x = trail.a or []\n  x.append(1)",
        "f = lambda trail: trail.x.append(1)",
        "trail = {}\ndef f(a): trail[a] = 1",
        "trail = []\ndef f(a): trail.append(a)",
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
        "trail = {}\ndef f():\n  trail = []\n  trail.append(1)",
    ],
)
def test_what_is_made_anew_may_be_changed(text: str) -> None:
    assert mutations(ast.parse(text)) == set()
