"""The profile goes the whole way. No test here looks at what a part took."""

from __future__ import annotations

import asyncio
from cProfile import Profile
from pathlib import Path

import pytest

from ops.bench.ground import Grounds
from ops.bench.parts import Clock
from ops.bench.profile import CHUNK, chosen, print_functions, print_parts, walk_all


def test_every_part_of_the_way_is_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clock, functions = Clock(repeats=1), Profile()
    with Grounds(tmp_path, partitions=1).fresh() as ground:
        asyncio.run(walk_all(ground, chosen(3 * CHUNK, channel=""), clock, functions))
    by_part = clock.microseconds(CHUNK)
    assert [part.partition(" ")[0] for part in by_part] == [str(number + 1) for number in range(18)]
    print_parts(by_part)
    print_functions(functions, 5, sum(by_part.values()))
    assert "normalize" in capsys.readouterr().out
