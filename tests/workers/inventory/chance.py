"""What may happen to the stock, as Hypothesis draws it: orders, what workers do about them, what a WMS says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from workers.inventory.operations.claim import Claim
from workers.inventory.operations.release import Giving
from workers.inventory.operations.reserve import Taking
from workers.inventory.operations.short import Lost
from workers.inventory.operations.transfer import TransferAction
from workers.inventory.records import Count, Quantities

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
takings = st.sampled_from((Taking.TAKE, Taking.TAKE, Taking.TAKE, Taking.GROW, Taking.KEEP, Taking.STOP))
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


wishes = st.builds(Wish, quantities, st.sampled_from((True, True, False)), st.integers(0, 6), takings, givings)


@dataclass(frozen=True)
class Word:
    """Something that a WMS says."""

    says: str
    number: int
    units: Quantities
    at_ms: int
    is_late: bool
    lost: Lost
    told: Quantities | None = None  # what the instruction asked for, where that is known


words = st.builds(
    Word,
    st.sampled_from(("accepted", "accepted", "withdrawn", "short", "shipped")),
    st.integers(1, 4),
    st.just({}) | quantities,
    times,
    seldom,
    st.sampled_from(Lost),
    st.none() | quantities,
)


class Happening(NamedTuple):
    """One of the machine's methods, and what it is called with."""

    name: str
    arguments: dict[str, Any]


def happening(name: str, **arguments: SearchStrategy[Any]) -> SearchStrategy[Happening]:
    return st.builds(Happening, st.just(name), st.fixed_dictionaries(arguments))


an_order_comes = happening(
    "an_order_comes",
    order_uid=st.sampled_from(ORDERS),
    newer=news,
    named=candidates,
    wish=wishes,
    calls=calls,
)
a_worker_wakes_up = happening(
    "a_worker_wakes_up",
    pick=picks,
    places=st.lists(picks, min_size=1, max_size=3),
    wish=wishes,
    act=st.sampled_from(("take", "give back", "settle")),
)
a_sweeper_comes = happening("a_sweeper_comes", warehouse=warehouses, now_ms=times, dies=st.booleans())
a_sweeper_wakes_up = happening("a_sweeper_wakes_up", chosen=st.lists(picks, min_size=1, max_size=3), now_ms=times)
a_count_comes = happening("count", warehouse=warehouses, counts=counts, at_ms=times)
goods_move = happening(
    "goods_move",
    warehouse=warehouses,
    transfer_id=st.sampled_from(sorted(TRANSFERS)),
    action=st.sampled_from(TransferAction),
    at_ms=times,
)
the_wms_speaks = happening(
    "the_wms_speaks",
    pick=st.sampled_from((0, 0, 0, 1, 1, 2, 3, 4, 5)),
    words=st.lists(words, min_size=1, max_size=3),
)
the_wms_gives_back = happening(
    "the_wms_gives_back",
    pick=st.sampled_from((0, 0, 0, 1, 1, 2, 3, 4, 5)),
    which=st.sampled_from((0, 0, 0, 1, 1, 2, 3)),
    number=st.integers(1, 3),
    says=st.sampled_from(("give back", "refuse", "remember", "remember", "follow")),
)
a_relay_comes = happening(
    "a_relay_comes",
    warehouse=warehouses,
    turn=st.sampled_from((0, 1)),
    limit=st.integers(1, 9),
    dies=seldom,
    lapses=seldom,
)
happenings = st.lists(
    st.one_of(
        an_order_comes,
        an_order_comes,
        an_order_comes,
        a_worker_wakes_up,
        a_worker_wakes_up,
        a_sweeper_comes,
        a_sweeper_wakes_up,
        a_count_comes,
        goods_move,
        the_wms_speaks,
        the_wms_speaks,
        the_wms_gives_back,
        the_wms_gives_back,
        a_relay_comes,
    ),
    min_size=1,
    max_size=8,
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
