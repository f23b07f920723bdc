"""`python -m ops.testbed.simulators` as a process: says where it listens, sells, tells its truth, and stops."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest


@contextmanager
def simulators(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its base URL."""
    command = [sys.executable, "-m", "ops.testbed.simulators", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
    finally:
        process.kill()
        process.communicate()


def test_it_sells_tells_the_truth_and_stops_when_told() -> None:
    with simulators("--orders", "40", "--rate", "400", "--seed", "11") as (process, base_url):
        deadline = time.monotonic() + 30
        with httpx.Client(base_url=base_url) as http:
            while not (progress := http.get("/_simulator/progress").json())["finished"]:
                assert time.monotonic() < deadline, progress
                time.sleep(0.05)
            lines = http.get("/_simulator/truth").text.splitlines()
        assert progress["placed"] == progress["target"] == len(lines) == 40
        assert progress["steps_left"] == 0
        assert set(progress["requests"]) == {"taobao", "pinduoduo", "douyin", "jd", "woocommerce", "shopify"}
        assert all(json.loads(line)["final"] for line in lines)
        process.terminate()
        assert process.wait(timeout=2) == 0


def test_a_catalogue_that_is_too_small_is_named(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.yaml"
    file.write_text(
        "skus: {TEA: {title: 茶, category: tea, storage: ambient, weight_grams: 1, price_fen: 1}}\n", "utf-8"
    )
    command = [sys.executable, "-m", "ops.testbed.simulators", "--catalogue", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert str(file) in done.stderr
    assert "too small" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("value", ["1", "-0.1"])
def test_a_fault_rate_that_leaves_nothing_is_refused(value: str) -> None:
    command = [sys.executable, "-m", "ops.testbed.simulators", "--faults", value]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
