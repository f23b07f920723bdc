"""The facts of a chunk as rows to be written: one a key, with what each aspect says of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from workers.book.aspect import Aspect, Fold, Row, Sheet
from workers.book.aspects import SHEETS
from workers.book.facts import Fact

_Kept = dict[Any, list[Any]]  # key -> values of a row
Turns = list[list[list[Any]]]
"""Rows of one sheet: those of a turn are written at once, sorted by key: everybody locks them in the same order."""


class _Place(NamedTuple):
    """Where in a row an aspect has its values."""

    sheet: Sheet
    width: int  # of the key
    shared: int
    start: int
    end: int
    blank: tuple[None, ...]  # what follows the shared values in a row of which nothing is known yet
    fold: Fold


def _places() -> Mapping[Aspect, _Place]:
    found = {}
    for sheet in SHEETS:
        shared, total = len(sheet.shared), len(sheet.columns)
        start = shared
        for aspect in sheet.aspects:
            end = start + len(aspect.columns)
            found[aspect] = _Place(sheet, len(sheet.key), shared, start, end, (None,) * (total - shared), aspect.fold)
            start = end
    return found


_PLACES: Final = _places()


def folded(facts: Iterable[Fact]) -> dict[Sheet, Turns]:
    """What is to be written of each sheet, turn by turn: mostly there is one."""
    kept: dict[Sheet, list[_Kept]] = {}
    places = _PLACES
    for aspect, row in facts:
        sheet, width, shared, start, end, blank, _ = place = places[aspect]
        turns = kept.get(sheet)
        if turns is None:
            turns = kept[sheet] = [{}]
        key = row[0] if width == 1 else row[:width]
        there = turns[0].get(key)
        if there is None:
            there = turns[0][key] = [*row[:shared], *blank]
            there[start:end] = row[shared:]
        elif there[start] is None:
            there[start:end] = row[shared:]
        else:
            _fold(turns, key, row, place)
    return {sheet: [[one[key] for key in sorted(one)] for one in turns] for sheet, turns in kept.items()}


def _fold(turns: list[_Kept], key: Any, row: Row, place: _Place) -> None:
    """Something is there of this aspect: in the first turn, and in none after one that lacks it."""
    last = 0
    while last + 1 < len(turns) and _has(turns[last + 1].get(key), place.start):
        last += 1
    there = turns[last][key]
    now: Sequence[Any] = row[place.shared :]
    stays = place.fold(there[place.start : place.end], now)
    if stays is not None:
        there[place.start : place.end] = stays
        return
    if last + 1 == len(turns):
        turns.append({})
    following = turns[last + 1].setdefault(key, [*row[: place.shared], *place.blank])
    following[place.start : place.end] = now


def _has(row: list[Any] | None, start: int) -> bool:
    return row is not None and row[start] is not None
