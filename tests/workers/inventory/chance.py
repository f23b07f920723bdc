"""What may happen to the stock, as Hypothesis draws it: orders, what workers do about them, what a WMS says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hypothesis import strategies as st

from workers.inventory.records import (
    Claim,
    Count,
    Giving,
    Lost,
    Quantities,
    Taking,
)

T = TypeVar("T")
WAREHOUSES = ("hangzhou", "beijing")
SKUS = ("CUP", "NUT", "TEA")
ORDERS = ("taobao:tea-house:1", "jd:tea-house:2", "douyin:tea-house:3")
TRANSFERS = {"t1": {"NUT": 2}, "t2": {"CUP": 1, "TEA": 3}}
ALL = 99

warehouses = st.sampled_from(WAREHOUSES)
candidates = st.sampled_from((("hangzhou",), ("beijing",), WAREHOUSES, WAREHOUSES[::-1], ()))
quantities = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 3), min_size=1, max_size=2)
times = st.integers(1, 6)
figures = st.none() | st.integers(0, 8)
counts = st.dictionaries(
    st.sampled_from(SKUS), st.builds(Count, on_hand=figures, safety=st.none() | st.integers(0, 2)), min_size=1
)
picks = st.integers(0, 5)
seldom = st.sampled_from((False, False, False, True))
news = st.sampled_from((1, 1, 1, 0, -1))  # the next revision of an order, the same again, the one before
takings = st.sampled_from((Taking.TAKE, Taking.TAKE, Taking.TAKE, Taking.KEEP, Taking.STOP))
givings = st.sampled_from(Giving)
calls = st.sampled_from((ALL, ALL, ALL, ALL, 0, 1, 2, 3, 4, 5))


@dataclass(frozen=True)
class Wish:
    """What a revision of an order asks for."""

    quantities: Quantities
    paid: bool
    deadline_ms: int
    taking: Taking
    giving: Giving


wishes = st.builds(Wish, quantities, st.sampled_from((True, True, False)), st.just(0) | times, takings, givings)


@dataclass(frozen=True)
class Arrival:
    """A revision of an order comes to a worker that makes only so many calls."""

    order_uid: str
    newer: int
    named: tuple[str, ...]
    wish: Wish
    calls: int


@dataclass(frozen=True)
class Word:
    """Something that a WMS says."""

    says: str
    number: int
    units: Quantities
    at_ms: int
    is_late: bool
    lost: Lost


arrivals = st.builds(Arrival, st.sampled_from(ORDERS), news, candidates, wishes, calls)
words = st.builds(
    Word,
    st.sampled_from(("accepted", "withdrawn", "short", "shipped")),
    st.integers(1, 4),
    st.just({}) | quantities,
    times,
    seldom,
    st.sampled_from(Lost),
)


@dataclass(eq=False)
class Work:
    """One worker at work on one revision of one order, as far as it got."""

    order_uid: str
    revision: str
    claim: Claim
    named: tuple[str, ...]
    has: dict[str, Quantities]
    to_fence: list[str] = field(default_factory=list)
    steps: int = 0
    over: bool = False

    @property
    def places(self) -> list[str]:
        """Where it may go: only where its claim says."""
        return list(dict.fromkeys((*self.named, *self.claim.intent, *self.claim.holdings)))

    def next_fence(self) -> int:
        self.steps += 1
        return self.claim.fence + self.steps


def picked(things: Sequence[T], pick: int) -> T:
    """The newest is 0."""
    return things[-1 - pick % len(things)]
