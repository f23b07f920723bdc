"""Long tests begin first, and none is lost for that."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.order import LONG, is_long, long_first
from tests.product_code import ROOT

A, B, C = LONG[2:5]
SHORT = [("tests/test_texts.py", number) for number in range(20)]
TESTS = [*SHORT[:7], (A, 1), (A, 2), *SHORT[7:12], (B, 1), *SHORT[12:], (C, 1)]


def shares(tests: Sequence[tuple[str, int]], processes: int) -> list[list[tuple[str, int]]]:
    """As they are handed out at first."""
    left, found = list(tests), []
    for number in range(processes):
        share = len(left) // (processes - number)
        found.append(left[:share])
        left = left[share:]
    return found


def test_each_process_begins_with_long_ones_of_its_own() -> None:
    first, second, third = shares(long_first(TESTS, 3, lambda test: test[0]), 3)
    assert first[:3] == [(A, 1), (A, 2), SHORT[0]]
    assert second[0] == (B, 1)
    assert third[0] == (C, 1)
    assert not any(is_long(place) for place, _ in [*first[2:], *second[1:], *third[1:]])


@pytest.mark.parametrize("processes", [1, 2, 3, 7, 40])
def test_none_is_lost_and_none_comes_twice(processes: int) -> None:
    assert sorted(long_first(TESTS, processes, lambda test: test[0])) == sorted(TESTS)


def test_every_place_of_a_long_one_is_there() -> None:
    assert [place for place in LONG if not (ROOT / place).exists()] == []
    assert not is_long("tests/end_to_end_but_short.py")
