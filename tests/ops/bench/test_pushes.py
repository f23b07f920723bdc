"""The receiver of pushes as a process, among strangers, in small: nothing is timed, but all must hold."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ops.bench.pushes import MOST_MEMORY, QUICK, measure


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's books of memory are read in /proc")
def test_strangers_take_little_memory_and_stop_neither_honest_pushes_nor_polling(tmp_path: Path) -> None:
    outcome = measure(tmp_path, QUICK)
    assert 0 < outcome.memory_before <= outcome.memory_peak < MOST_MEMORY
    assert len(outcome.pushes) > 10
    assert not outcome.refused_pushes
    assert outcome.forged_alone.total() == outcome.forged.total() == QUICK.forged
    assert set(outcome.forged_alone) <= {"401", "408", "503", "closed"}
    assert outcome.dropped["too-many"] > 0
    assert outcome.rounds_during > 0
