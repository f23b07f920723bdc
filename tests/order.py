"""In which order tests run: long ones begin first, for one that begins last is what all other processes wait for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeVar

LONG: Final = (
    "tests/end_to_end",
    "tests/interop",
    "tests/ops/cli/test_guarded_kafka.py",
    "tests/ops/cli/test_poll.py",
    "tests/ops/console/test_review.py",
    "tests/ops/testbed/local_stack/test_apache_kafka.py",
    "tests/ops/testbed/test_fuzz.py",
    "tests/ops/testbed/torture/test_torture.py",
    "tests/workers/apply/test_machine.py",
    "tests/workers/book/test_stage.py",
    "tests/workers/inventory/test_ledger_machine.py",
    "tests/workers/inventory/test_race.py",
)
"""Files and folders with tests of five seconds and more."""

T = TypeVar("T")


def is_long(place: str) -> bool:
    """Whether it is a place of LONG, or in a folder of it."""
    return any(place == long or place.startswith(f"{long}/") for long in LONG)


def long_first(items: Sequence[T], processes: int, file_of: Callable[[T], str]) -> list[T]:
    """The same tests, so that each process begins with a part of the long files.

    At first each process is given a run of neighbours, all runs alike in number (`--dist worksteal`); what is taken
    from one later is taken from its end. Tests of one file stay together, for they share servers.
    """
    files: dict[Hashable, list[T]] = {}
    for item in items:
        if is_long(file_of(item)):
            files.setdefault(file_of(item), []).append(item)
    others = [item for item in items if not is_long(file_of(item))]
    dealt: list[T] = []
    for number in range(processes):
        begin = [item for each in list(files.values())[number::processes] for item in each]
        share = (len(items) - len(dealt)) // (processes - number)
        fill = max(0, share - len(begin)) if number < processes - 1 else len(others)
        dealt += begin + others[:fill]
        others = others[fill:]
    return dealt
