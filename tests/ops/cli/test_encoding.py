"""A terminal that cannot show Chinese gets question marks, not a traceback."""

from __future__ import annotations

import os
import subprocess
import sys


def test_a_terminal_without_chinese() -> None:
    told = {**os.environ, "PYTHONIOENCODING": "ascii", "ORDERFLEET_LANG": "zh"}
    command = [sys.executable, "-m", "ops.cli", "--help"]
    ended = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "??" in ended.stdout
