"""Private names of foreign packages are touched behind the fence only, and those packages are pinned to the letter."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.product_code import ROOT, place_of, private_names, product_files, tree_of

FENCE: Final = ("workers/runtime/faust_bridge/", "workers/runtime/redis/")

EXCEPTIONS: Final = {
    # The torture writes records that no client can be made to write. Nothing of it runs in production.
    "ops/testbed/torture/odd_records.py": {"_DefaultRecordBatchBuilderPy", "_builder", "_relative_offset"},
}

OVERRIDDEN: Final = {"aiokafka", "faust-streaming", "mode-streaming", "redis", "hiredis"}
"""Packages whose insides the fence touches. hiredis is what redis-py's parser is made of."""


def planted(text: str) -> set[str]:
    return {each.name for each in private_names(ast.parse(text))}


def test_private_names_of_others_are_touched_behind_the_fence_only() -> None:
    wrong = [
        (place, each)
        for path in product_files()
        if not (place := place_of(path)).startswith(FENCE)
        for each in private_names(tree_of(path))
        if each.name not in EXCEPTIONS.get(place, set())
    ]
    assert wrong == [], "put it behind the fence (workers/runtime/faust_bridge or redis), with a canary"


def test_no_exception_is_out_of_date() -> None:
    touched = {place: {each.name for each in private_names(tree_of(ROOT / place))} for place in EXCEPTIONS}
    assert touched == EXCEPTIONS


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("def lag(consumer): return consumer._committed_offset", "_committed_offset"),
        ("import redis\nredis.Redis()._pool = None", "_pool"),
        ("from typer.rich_utils import _make_rich_text", "_make_rich_text"),
        ("from redis._parsers import hiredis", "_parsers"),
        ("import redis._parsers.hiredis", "_parsers"),
        ("def f(x): return getattr(x, '_fetcher')", "_fetcher"),
        ("from aiokafka import AIOKafkaConsumer as C\nclass Ours(C):\n  def f(self): return self._client", "_client"),
        ("import faust\nclass Ours(faust.App):\n  def f(self): return super()._stop()", "_stop"),
        ("import faust\nApp = faust.App\nclass Ours(App):\n  def f(self): return self._stop()", "_stop"),
        ("import faust\nclass Ours(faust.App):\n  def _stop(self): pass", "_stop"),
        ("import redis\nclass Ours(redis.Redis):\n  def __init__(self): self._pool = 1", "_pool"),
        ("def f(x):\n  _client = x._client\n  return _client", "_client"),
        ("import faust\nfor _name in (): pass\nfaust._name", "_name"),
        ("import faust\nclass A:\n  _app = 1\n  def f(self, app: faust.App): return app._app", "_app"),
        ("import faust\nclass A:\n  _app = 1\n  def f(self):\n    app = faust.App()\n    return app._app", "_app"),
        ("def f(x): return getattr(x, '_' + name)", "_..."),
        ("def f(x): return getattr(x, f'_{name}')", "_..."),
        ("from builtins import getattr as g\ndef f(x): return g(x, '_fetcher')", "_fetcher"),
        ("def f(x): return x.__dict__['_fetcher']", "_fetcher"),
        ("def f(x): return vars(x)['_fetcher']", "_fetcher"),
        ("from operator import attrgetter as of\ndef f(x): return of('a._fetcher')(x)", "_fetcher"),
        ("def f(x): object.__setattr__(x, '_fetcher', 1)", "_fetcher"),
        ("def f(x):\n  match x:\n    case A(_fetcher=y): return y", "_fetcher"),
        ("import importlib\nimportlib.import_module('redis._parsers')", "_parsers"),
    ],
)
def test_a_private_name_outside_the_fence_is_noticed(text: str, name: str) -> None:
    assert planted(text) == {name}


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n  def __init__(self): self._x = 1\n  def same(self, other): return self._x == other._x",
        "class A:\n  def f(self): return self._x",  # of a class of ours in another file
        "def f(one): return one._replace(a=1)._asdict()",
        "import os\nos._exit(1)",
        "from confluent_kafka import KafkaError\nKafkaError._PARTITION_EOF",
        "def f(x): return x.__dict__",
    ],
)
def test_what_is_a_files_own_or_documented_is_left_alone(text: str) -> None:
    assert planted(text) == set()


# -- pins ----------------------------------------------------------------------------------------------------------


def requirements() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {canonicalize_name(one.name): one for one in map(Requirement, project["dependencies"])}


def locked() -> dict[str, str]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return {canonicalize_name(name): version for name, version in re.findall(r"^(\S+?)==(\S+)", text, re.MULTILINE)}


def wrongly_pinned(wanted: dict[str, Requirement]) -> set[str]:
    """Overridden and not pinned to the letter, or the other way round."""
    exact = {name for name, one in wanted.items() if [each.operator for each in one.specifier] == ["=="]}
    return exact ^ OVERRIDDEN


def test_whoever_is_overridden_is_pinned_to_the_letter_and_the_others_by_range() -> None:
    assert wrongly_pinned(requirements()) == set()


def test_a_package_that_is_pinned_the_wrong_way_is_noticed() -> None:
    wanted = requirements()
    assert wrongly_pinned(wanted | {"redis": Requirement("redis>=8,<9")}) == {"redis"}
    assert wrongly_pinned(wanted | {"orjson": Requirement("orjson==3.11.0")}) == {"orjson"}


@pytest.mark.parametrize("name", sorted(requirements()))
def test_the_lock_holds_what_is_asked_for(name: str) -> None:
    assert requirements()[name].specifier.contains(locked()[name])
