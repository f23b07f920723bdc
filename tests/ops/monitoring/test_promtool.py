"""Prometheus's own tool accepts the rules and configuration, and the alerts fire when they should and only then."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.ops import compose
from tests.ops.monitoring.files import DASHBOARDS, ROOT, RULE_FILES, queries

CASES = sorted((ROOT / "tests" / "ops" / "monitoring" / "alerts").glob("*_test.yaml"))


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("promtool is missing: .ci/run installs it (Debian package prometheus)")
    if found is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    return found


@pytest.fixture(scope="module")
def amtool() -> str:
    found = shutil.which("amtool")
    if found is None:
        pytest.skip("amtool is not installed (Debian package prometheus-alertmanager)")
    return found


def run(command: Sequence[str]) -> str:
    """What it says when it finds fault; "" when all is well."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_alerts_fire_when_they_should_and_only_then(promtool: str, case: Path) -> None:
    assert run([promtool, "test", "rules", str(case)]) == ""


def test_rules_are_valid(promtool: str) -> None:
    assert run([promtool, "check", "rules", "--lint=none", *map(str, RULE_FILES)]) == ""


def test_the_configuration_is_valid(promtool: str, tmp_path: Path) -> None:
    path = compose.in_repository("prometheus", "/etc/prometheus/prometheus.yml")
    text = path.read_text(encoding="utf-8")
    for inside, source in compose.mounts("prometheus").items():
        text = text.replace(f"{inside}/", f"{ROOT / source}/") if source.startswith(".") else text
    (tmp_path / "prometheus.yml").write_text(text, encoding="utf-8")
    assert run([promtool, "check", "config", str(tmp_path / "prometheus.yml")]) == ""


def test_every_query_of_a_dashboard_can_be_read(promtool: str, tmp_path: Path) -> None:
    asked = [query for path in DASHBOARDS for query in queries(path)]
    rules = [f"  - record: query:number_{number}:x\n    expr: |\n      {query}" for number, query in enumerate(asked)]
    path = tmp_path / "queries.yaml"
    path.write_text("groups:\n- name: queries\n  rules:\n" + "\n".join(rules) + "\n", encoding="utf-8")
    assert run([promtool, "check", "rules", "--lint=none", str(path)]) == ""


def test_the_configuration_of_alertmanager_is_valid(amtool: str) -> None:
    path = compose.in_repository("alertmanager", "/etc/alertmanager/alertmanager.yml")
    assert run([amtool, "check-config", str(path)]) == ""
