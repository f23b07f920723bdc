"""What CONTRIBUTING.md promises besides places (test_places.py): the hooks check what `make check` checks."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_hooks_run_what_make_check_runs_without_any_network() -> None:
    [repo] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert repo["repo"] == "local"
    assert {hook["language"] for hook in repo["hooks"]} == {"system"}
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe is not None
    checks = re.findall(r'"\$\(BIN\)/([^"]+)"((?: [a-z-]+)*)', recipe[1])
    hooks = [hook["entry"].replace(" --force-exclude", "") for hook in repo["hooks"]]
    assert hooks == [f".venv/bin/{program}{words}" for program, words in checks]


def test_every_make_target_it_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", PAGE, re.MULTILINE))
    assert {"setup", "check", "test"} <= named <= targets


def test_every_module_it_runs_exists() -> None:
    modules = re.findall(r"python -m ([\w.]+)", PAGE)
    assert modules
    assert [name for name in modules if not (ROOT / f"{name.replace('.', '/')}.py").is_file()] == []
