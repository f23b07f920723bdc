"""The whole fleet, on real servers and simulated platforms, with a worker killed in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson

ROOT = Path(__file__).parents[2]


def demo(*options: str) -> tuple[int, dict[str, object]]:
    command = [sys.executable, "-m", "ops.cli", "demo", "--json", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, env=dict(os.environ), timeout=300, check=False)
    assert done.stdout, done.stderr.decode()[-2000:]
    return done.returncode, orjson.loads(done.stdout)


WRONG = ("lost", "misplaced", "double", "unknown", "oversold", "missing_events", "unanswered", "audit_findings")


def faults(report: dict[str, object]) -> dict[str, object]:
    """What a report finds wrong, by name."""
    return {name: report[name] for name in WRONG if report[name]}


def test_every_order_is_accounted_for_once_though_a_worker_is_killed() -> None:
    code, report = demo("--orders", "900", "--rate", "90", "--seed", "5", "--kill")
    assert report["restarts"] == 1
    assert faults(report) == {}
    assert code == 0
    channels = report["channels"]
    assert isinstance(channels, dict)
    assert set(channels) == {"taobao", "pinduoduo", "douyin", "jd", "woocommerce", "shopify"}


def test_each_stage_runs_in_a_process_of_its_own() -> None:
    """Every hand-over on a topic, every group started by name: the same books."""
    code, report = demo("--orders", "200", "--rate", "60", "--seed", "6", "--apart")
    assert faults(report) == {}
    assert (code, report["clean"]) == (0, True)
