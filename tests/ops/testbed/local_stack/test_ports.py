"""No two servers are given one port, in this process or in two."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ops.testbed.local_stack import ports


@pytest.fixture
def only_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """The range is this one port, on which nobody listens, and it was given."""
    port = ports.free_port()
    monkeypatch.setattr(ports, "_LOW", port)
    monkeypatch.setattr(ports, "_HIGH", port)
    return port


def _elsewhere(script: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"from ops.testbed.local_stack import ports; {script}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_port_that_was_given_is_not_given_again(only_port: int) -> None:
    with pytest.raises(OSError, match=f"no free port from {only_port}"):
        ports.free_port()


def test_a_port_that_was_given_is_not_given_by_another_process(only_port: int) -> None:
    asked = _elsewhere(f"ports._LOW = ports._HIGH = {only_port}; ports.free_port()")
    assert f"no free port from {only_port}" in asked.stderr


def test_a_claim_ends_with_its_process_however_that_ends() -> None:
    left = _elsewhere("print(ports.free_port(), flush=True); import os; os.kill(os.getpid(), 9)")
    assert ports._claim(int(left.stdout))
