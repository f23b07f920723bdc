"""What one kind of fact is in the book: its columns, and which of two facts about the same stays. Pure.

Of each aspect there is the rule in SQL, for what is in the book already. Where that is a total order, a chunk that says
something twice is folded by it first. Otherwise its rows are written one after the other, as they stand in their topic.
So it does not matter which topic comes first, how often a record comes, and in what portions.

Aspects of one table that have the same key share a sheet: they are written in one statement, a row for each key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, Protocol

Row = tuple[Any, ...]

JSONB: Final = "jsonb"
"""A column whose values come as JSON text."""

JSON: Final = "json"
"""The same for what is only shown: PostgreSQL does not take it apart."""


class Fold(Protocol):
    """Which of two facts about one key stays."""

    def __call__(self, before: Sequence[Any], now: Sequence[Any], /) -> Sequence[Any] | None:
        """Values of the aspect's own columns; `before`: what came first. None: both, one written after the other."""
        ...


def in_turn(before: Sequence[Any], now: Sequence[Any], /) -> None:
    """Both: a fold for facts whose rule is no total order."""


class Otherwise(NamedTuple):
    """What is written to another column although the row that is there stays."""

    column: str
    when: str
    value: str


@dataclass(frozen=True, slots=True, eq=False)
class Aspect:
    """One kind of fact. Its own columns, of which the first is never NULL, are written by nobody else."""

    name: str
    columns: Mapping[str, str]  # name -> type of PostgreSQL
    where: str  # when what is there gives way to what is at hand: `o` is there, `excluded` is at hand
    fold: Fold = in_turn
    sets: Mapping[str, str] = field(default_factory=dict)  # columns that are not simply replaced, and by what
    otherwise: Otherwise | None = None
    carried: tuple[str, ...] = ()  # columns that are of another table: `then` writes them
    then: str = ""  # a statement that follows; the rows are `{at_hand}` still

    @property
    def marker(self) -> str:
        """The column that tells whether anything of this aspect is there."""
        return next(iter(self.columns))


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Aspects that are written together: one row for each key."""

    table: str
    key: tuple[str, ...]
    shared: Mapping[str, str]  # columns that every aspect says alike: the key's first
    aspects: tuple[Aspect, ...]

    @property
    def name(self) -> str:
        """What tells it from others of its table."""
        return f"{self.table}_{self.aspects[0].name}"

    @property
    def columns(self) -> Mapping[str, str]:
        """All of them, in the order in which the values of a row stand."""
        return MappingProxyType(
            dict(self.shared) | {n: kind for each in self.aspects for n, kind in each.columns.items()}
        )


def extreme(
    name: str,
    columns: Mapping[str, str],
    ranks: Sequence[str],
    prefer: Literal["<", ">"],
    *,
    filled: Sequence[str] = (),
) -> Aspect:
    """The fact with the smallest, or greatest, `ranks` stays. Where nothing is there of this aspect, any does.

    `filled`: columns that another aspect writes, too, and whose word counts: they are only filled where nothing is.
    """
    rank = itemgetter(*[list(columns).index(each) for each in ranks])

    def least(before: Sequence[Any], now: Sequence[Any]) -> Sequence[Any]:
        return now if rank(now) < rank(before) else before

    def greatest(before: Sequence[Any], now: Sequence[Any]) -> Sequence[Any]:
        return now if rank(now) > rank(before) else before

    here, there = ", ".join(f"excluded.{each}" for each in ranks), ", ".join(f"o.{each}" for each in ranks)
    where = f"o.{ranks[0]} IS NULL OR ({here}) {prefer} ({there})"
    sets = {column: f"coalesce(o.{column}, excluded.{column})" for column in filled}
    return Aspect(name, columns, where, least if prefer == "<" else greatest, sets)
