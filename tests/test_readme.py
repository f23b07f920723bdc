"""The README keeps its word: both languages give the same commands, and every file they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import topology
from ops.cli.main import app
from workers.rules.loading import load_catalogue, load_ruleset

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "README.zh-CN.md")


def blocks(page: str) -> list[str]:
    return re.findall(r"```.*?\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def test_both_languages_give_the_same_commands() -> None:
    assert blocks("README.md") == blocks("README.zh-CN.md")


def places(page: str) -> list[str]:
    """The first column of the table of places."""
    return re.findall(r"^\| `(\w+/[\w/<>.]*)` \|", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)


def test_both_languages_name_the_same_places_and_all_are_there() -> None:
    assert places("README.md") == places("README.zh-CN.md")
    assert len(set(places("README.md"))) == len(places("README.md")), "one is named twice"
    named = [ROOT / place.replace("<stage>", "reserve") for place in places("README.md")]
    assert [str(path) for path in named if not path.exists()] == []


def test_the_table_of_places_names_every_room() -> None:
    stages = {stage.agent.__module__.split(".")[1] for stage in topology.STAGES}
    rooms = {
        f"{part}/{path.name}/"
        for part in ("workers", "ops")
        for path in (ROOT / part).iterdir()
        if path.is_dir()
        and not path.name.startswith("__")
        and any("__pycache__" not in found.parts for found in path.rglob("*.*"))
    } - {f"workers/{stage}/" for stage in stages}
    assert rooms | {"schemas/", "channel_adapters/"} == {place for place in places("README.md") if "<" not in place}


@pytest.mark.parametrize("page", PAGES)
def test_every_file_it_links_to_is_there(page: str) -> None:
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_subcommand_it_names_exists() -> None:
    known = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    named = {
        word for block in blocks("README.md") for word in re.findall(r"^orderfleet ([a-z-]+)", block, re.MULTILINE)
    }
    assert named <= known


def test_every_make_target_it_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {word for block in blocks("README.md") for word in re.findall(r"^make ([a-z]+)", block, re.MULTILINE)}
    assert named <= targets


def test_the_rule_it_shows_is_a_rule() -> None:
    [shown] = [block for block in blocks("README.md") if block.startswith("- id: zhejiang")]
    catalogue = load_catalogue((ROOT / "ops/docs/examples/catalogue.yaml").read_bytes(), "catalogue.yaml")
    ruleset = {
        "ruleset": {"name": "shown", "version": "1"},
        "warehouses": [{"id": "hangzhou", "title": "杭州仓"}],
        "rules": yaml.safe_load(shown),
    }
    loaded = load_ruleset(yaml.safe_dump(ruleset, allow_unicode=True).encode(), "shown.yaml", catalogue)
    assert loaded.label == "shown@1"
