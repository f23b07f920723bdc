"""The faults a round may hold: their kinds, where each is possible, and drawing some of them from a seed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final


class Kafka(StrEnum):
    """What the round's broker is."""

    EMBEDDED = "embedded"  # Tansu: in memory, so it cannot be restarted
    APACHE = "apache"  # one node of Apache Kafka
    APACHE3 = "apache3"  # three nodes, replication 3, two must confirm

    @property
    def nodes(self) -> int:
        """How many brokers there are."""
        return 3 if self is Kafka.APACHE3 else 1


class FaultKind(StrEnum):
    """What happens. The value is how reports call it.

    Workers that die at any time are hardly ever between two steps of an order, for they are a millisecond apart: one
    kind of kill lies in wait for that. Meanwhile stock arrives, so that whoever takes over may decide otherwise.

    Stock that arrives breaks nothing by itself: an order that was at work when something else broke finds other
    warehouses able to ship it than before.
    """

    WORKER_KILL = "worker kill -9"
    WORKER_STRIKE = "all workers kill -9 between two steps"
    WORKER_STOP = "worker SIGTERM"
    WORKER_JOIN = "worker joins, leaves"
    WORKER_FREEZE = "worker frozen past its session"
    TIMERS_KILL = "sweeper and relay kill -9"
    REDIS_KILL = "Redis kill -9"
    REDIS_RESTART = "Redis restart"
    REDIS_CUT = "Redis connections cut"
    REDIS_FLAP = "Redis connections flap"
    REDIS_REFUSE = "Redis refuses connections"
    REDIS_STALL = "Redis connections stall"
    REDIS_STRAND = "Redis connections go dead"
    REDIS_FULL = "Redis full"
    REDIS_READ_ONLY = "Redis read-only"
    REDIS_BUSY = "Redis busy"
    REDIS_LOADING = "Redis loads slowly"
    REDIS_EMPTY = "Redis emptied and rebuilt"
    BROKER_CUT = "broker connections cut"
    BROKER_REFUSE = "broker refuses connections"
    BROKER_STALL = "broker connections stall"
    BROKER_STRAND = "broker connections go dead"
    BROKER_KILL = "broker kill -9"
    BROKER_RESTART = "broker restart"
    STOCK_ARRIVES = "stock arrives"
    WMS_KILL = "WMS kill -9"
    ODD_RECORDS = "records of any kind on every topic"


KEEPS_ITS_DATA: Final = frozenset({FaultKind.BROKER_KILL, FaultKind.BROKER_RESTART})
"""Faults for brokers that keep their data when their process ends."""

_ONCE: Final = (KEEPS_ITS_DATA, frozenset({FaultKind.REDIS_EMPTY}), frozenset({FaultKind.WORKER_STRIKE}))
"""Sets of kinds of which a round holds one at most: with two brokers of three away nobody can promise anything, and
what takes the whole fleet away lasts so long that of a second one nothing would be left to see."""

# How often a kind is drawn, and how long it lasts, seconds from and to. A frozen worker's session ends after two.
_ODDS: Final = {
    FaultKind.WORKER_KILL: (4, 0.0, 1.0),
    FaultKind.WORKER_STRIKE: (4, 0.0, 1.0),
    FaultKind.WORKER_STOP: (2, 0.0, 1.0),
    FaultKind.WORKER_JOIN: (2, 1.0, 3.0),
    FaultKind.WORKER_FREEZE: (1, 2.5, 5.0),
    FaultKind.TIMERS_KILL: (2, 0.0, 1.0),
    FaultKind.REDIS_KILL: (2, 0.0, 1.5),
    FaultKind.REDIS_RESTART: (1, 0.0, 1.5),
    FaultKind.REDIS_CUT: (2, 0.0, 0.0),
    FaultKind.REDIS_FLAP: (1, 0.5, 2.5),
    FaultKind.REDIS_REFUSE: (1, 0.5, 2.0),
    FaultKind.REDIS_STALL: (1, 0.5, 3.0),
    FaultKind.REDIS_STRAND: (0.5, 0.0, 0.0),
    FaultKind.REDIS_FULL: (1, 0.5, 2.5),
    FaultKind.REDIS_READ_ONLY: (1, 0.5, 2.5),
    FaultKind.REDIS_BUSY: (1, 0.5, 2.5),
    FaultKind.REDIS_LOADING: (0.5, 0.5, 2.5),
    FaultKind.REDIS_EMPTY: (1, 0.0, 0.5),
    FaultKind.BROKER_CUT: (2, 0.0, 0.0),
    FaultKind.BROKER_REFUSE: (1, 0.5, 2.0),
    FaultKind.BROKER_STALL: (1, 0.5, 3.0),
    FaultKind.BROKER_STRAND: (0.5, 0.0, 0.0),
    FaultKind.BROKER_KILL: (1.5, 0.0, 2.0),
    FaultKind.BROKER_RESTART: (1, 0.0, 2.0),
    FaultKind.STOCK_ARRIVES: (1.5, 0.0, 2.0),
    FaultKind.WMS_KILL: (2, 0.0, 1.0),
    FaultKind.ODD_RECORDS: (2, 0.0, 0.0),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `at`: seconds into the round; `target`: which of several, modulo their number; `seconds`: how long."""

    at: float
    kind: FaultKind
    target: int
    seconds: float


def possible_faults(kafka: Kafka) -> tuple[FaultKind, ...]:
    """The kinds that this broker can bear."""
    return tuple(kind for kind in FaultKind if kafka is not Kafka.EMBEDDED or kind not in KEEPS_ITS_DATA)


def draw_faults(
    rng: Random, kinds: Sequence[FaultKind], count: int, seconds: float, lasting: float | None = None
) -> tuple[Fault, ...]:
    """Some faults of these kinds, in the order in which they happen, while input comes in for `seconds`.

    `lasting`: how long each of them lasts, seconds; None: as their kind does.

    There may be fewer than `count`: of kinds that happen once only, when no others are wished for.
    """
    drawn: list[Fault] = []
    while len(drawn) < count and (open_kinds := [kind for kind in kinds if not _is_used_up(kind, drawn)]):
        [kind] = rng.choices(open_kinds, [_ODDS[each][0] for each in open_kinds])
        _, shortest, longest = _ODDS[kind]
        at = rng.uniform(0.1, 0.8) * seconds
        target, lasts = rng.randrange(12), rng.uniform(shortest, longest) if lasting is None else lasting
        drawn.append(Fault(round(at, 3), kind, target, round(lasts, 3)))
    return tuple(sorted(drawn, key=lambda fault: fault.at))


def _is_used_up(kind: FaultKind, drawn: Sequence[Fault]) -> bool:
    return any(kind in once and any(fault.kind in once for fault in drawn) for once in _ONCE)
