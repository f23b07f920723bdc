"""The pages for newcomers name places that are there: `path:function` is found in the file's syntax tree."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import topology
from schemas.topics import TOPICS
from workers.runtime.stage import Every

ROOT = Path(__file__).parents[3]
ONE_ORDER = "ops/docs/one-order.md"
PAGES = [ONE_ORDER, "CONTRIBUTING.md"]
OF_EVERY_STAGE = ("decide.py", "agent.py")
PLACE = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|lua|md|ya?ml|toml|json|example|sh))(?::([A-Za-z_][\w.]*))?`")


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def places(page: str) -> list[tuple[str, str]]:
    """Every file that the page names, and the function in it, "" for none."""
    return sorted(place for place in set(PLACE.findall(text(page))) if place[0] not in OF_EVERY_STAGE)


@cache
def names_in(path: str) -> frozenset[str]:
    """What the file defines: functions, classes with their members, and module variables."""
    found: set[str] = set()
    for node in ast.parse(text(path)).body:
        found |= _defined(node)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for member in node.body for name in _defined(member)}
    return frozenset(found)


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


@pytest.mark.parametrize(("page", "path", "name"), [(page, *place) for page in PAGES for place in places(page)])
def test_every_place_a_page_names_is_there(page: str, path: str, name: str) -> None:
    assert (ROOT / path).is_file(), f"{page} names {path}"
    if name:
        assert name in names_in(path), f"{page} names {name} in {path}"


@pytest.mark.parametrize("page", [*PAGES, "ops/docs/glossary.md"])
def test_every_link_leads_somewhere(page: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text(page)) if "://" not in link]
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def test_the_way_of_an_order_passes_every_stage() -> None:
    told = set(re.findall(r"\*\*(\w+)\*\*", text(ONE_ORDER)))
    assert told == {stage.name for stage in topology.STAGES}


def test_the_way_of_an_order_names_the_topics_it_passes() -> None:
    page = text(ONE_ORDER)
    read = {stage.reads for stage in topology.STAGES if not isinstance(stage.reads, Every)}
    passed = [topic.base for topic in TOPICS if topic in read | {*topology.ENTERING, *topology.LEAVING}]
    unnamed = [base for base in passed if f"`{base}" not in page]
    assert unnamed == []
    assert len(places(ONE_ORDER)) >= 40
    known = {topic.base for topic in TOPICS}
    named = set(re.findall(r"`((?:orders|inventory|wms|transfers|channels)\.[a-z]+)\b", page))
    assert named <= known
