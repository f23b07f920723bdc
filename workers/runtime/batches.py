"""Batches in which one order stands several times, cut so that many orders can be worked on side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def unique_key_batches(items: Iterable[Item], key: Callable[[Item], str]) -> Iterator[list[Item]]:
    """The items in runs in which no key stands twice; those of one key keep their order."""
    seen: dict[str, int] = {}
    runs: list[list[Item]] = []
    for item in items:
        name = key(item)
        turn = seen.get(name, 0)
        seen[name] = turn + 1
        if turn == len(runs):
            runs.append([])
        runs[turn].append(item)
    yield from runs
