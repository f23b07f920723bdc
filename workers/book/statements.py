"""The SQL of a sheet: how its rows come into a temporary table, and from there to where they belong. Pure."""

from __future__ import annotations

from typing import Final

from workers.book.aspect import JSONB, Aspect, Sheet

_BINARY: Final = {"timestamptz": "int8", "text[]": "bytea", JSONB: "text", "json": "text"}
"""How values are handed to the driver, where not as what they are: times as microseconds since 2000 and arrays as bytes
have the very form that PostgreSQL reads."""


class Statements:
    """All of one sheet, as text of our own: no input reaches it."""

    def __init__(self, sheet: Sheet) -> None:
        self.table = sheet.table
        self.at_hand = f"pg_temp.in_{sheet.name}"
        columns = sheet.columns
        names = ", ".join(columns)
        self.types: list[str] = [_BINARY.get(kind, kind) for kind in columns.values()]
        self.arrays = [place for place, kind in enumerate(columns.values()) if kind == "text[]"]
        self.make = f"CREATE TEMPORARY TABLE in_{sheet.name} ({_typed(sheet)}) ON COMMIT DELETE ROWS"
        self.copy = f"COPY {self.at_hand} ({names}) FROM STDIN (FORMAT BINARY)"
        self.empty = f"DELETE FROM {self.at_hand}"
        self.upsert = _upsert(sheet, self.at_hand)
        self.then = [each.then.format(at_hand=self.at_hand) for each in sheet.aspects if each.then]


def _typed(sheet: Sheet) -> str:
    def kind_of(kind: str) -> str:
        if kind == JSONB:
            return "text"
        return f'{kind} COLLATE "C"' if kind.startswith("text") else kind

    return ", ".join(f"{name} {kind_of(kind)}" for name, kind in sheet.columns.items())


def _upsert(sheet: Sheet, at_hand: str) -> str:
    carried = {name for aspect in sheet.aspects for name in aspect.carried}
    columns = {name: kind for name, kind in sheet.columns.items() if name not in carried}
    values = ", ".join(f"n.{name}::jsonb" if kind == JSONB else f"n.{name}" for name, kind in columns.items())
    guards = {aspect: _guard(aspect, alone=len(sheet.aspects) == 1) for aspect in sheet.aspects}
    sets = [each for aspect in sheet.aspects for each in _sets(aspect, guards[aspect])]
    gives_way = [*guards.values(), *(each.otherwise.when for each in sheet.aspects if each.otherwise)]
    return (  # of names and rules of ours
        f"INSERT INTO {sheet.table} AS o ({', '.join(columns)}) SELECT {values} FROM {at_hand} AS n "
        f"ON CONFLICT ({', '.join(sheet.key)}) DO UPDATE SET {', '.join(sets)} "
        f"WHERE {' OR '.join(f'({one})' for one in gives_way)}"
    )


def _guard(aspect: Aspect, *, alone: bool) -> str:
    return aspect.where if alone else f"excluded.{aspect.marker} IS NOT NULL AND ({aspect.where})"


def _sets(aspect: Aspect, guard: str) -> list[str]:
    values = {name: f"excluded.{name}" for name in aspect.columns if name not in aspect.carried} | dict(aspect.sets)
    stays = {name: f"o.{name}" for name in values}
    if (beside := aspect.otherwise) is not None:
        stays[beside.column] = f"CASE WHEN {beside.when} THEN {beside.value} ELSE o.{beside.column} END"
    return [f"{name} = CASE WHEN {guard} THEN {value} ELSE {stays[name]} END" for name, value in values.items()]
