"""Runs rounds with everything they need, and takes it all down again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ops.testbed.demo.run import load_rules
from ops.testbed.oracle.tail import TopicTail
from ops.testbed.simulators.catalogue import Catalogue, load_catalogue
from ops.testbed.torture.accountant import Accountant
from ops.testbed.torture.decider import Decider
from ops.testbed.torture.faults import FaultKind, Kafka, possible_faults
from ops.testbed.torture.feeder import Feeder
from ops.testbed.torture.plan import Size, plan_round
from ops.testbed.torture.rig import PARTITIONS, Rig
from ops.testbed.torture.round import RoundReport, Rounds
from ops.testbed.torture.totals import Totals
from ops.testbed.torture.watch import StockWatch
from workers.runtime.kafka.topics import wanted_topics
from workers.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Run:
    """What to run. `kinds`: only these faults, of those that are possible; none: all of them."""

    kafka: Kafka
    rounds: int
    seed: int
    size: Size = field(default_factory=Size)
    kinds: tuple[FaultKind, ...] = ()
    redis: str | None = None  # the program of another Redis than the embedded one

    def faults(self) -> tuple[FaultKind, ...]:
        """The kinds that may be drawn. Raises ValueError when none of the wished is possible."""
        possible = possible_faults(self.kafka)
        chosen = tuple(kind for kind in possible if not self.kinds or kind in self.kinds)
        if not chosen:
            raise ValueError(f"none of these faults is possible with the broker {self.kafka}: {', '.join(self.kinds)}")
        return chosen


@dataclass(slots=True)
class Outcome:
    """How a run ended. `revived`: processes that ended by themselves; `looks`: at all stock counters."""

    totals: Totals
    revived: dict[str, int]
    looks: int
    repeats: int  # messages that came a second time out of the fleet
    slowest_leave: float
    answers: dict[str, int]  # of warehouses, by kind
    letters: int  # dead letters


def torture(run: Run, settings: Settings, folder: Path, show: Callable[[RoundReport], None]) -> Outcome:
    """Run all rounds; `show` is told of each. Raises RuntimeError when something does not start."""
    rules = load_rules(settings)
    warehouses, skus = tuple(rules.ruleset.warehouses), tuple(rules.catalogue.skus)
    totals = Totals(run.kafka)
    with ExitStack() as stack:
        rig = stack.enter_context(Rig(run.kafka, folder, warehouses, run.redis))
        rig.start()
        tail = TopicTail(rig.broker.address, _topics(warehouses), PARTITIONS)
        books = stack.enter_context(Accountant(tail, rig.silent))
        watch = stack.enter_context(StockWatch(rig.redis.url, [(w, sku) for w in warehouses for sku in skus]))
        decider = Decider(rig.broker.address, books.seen, warehouses, skus)
        rounds = Rounds(rig, books, watch, Feeder(rig.broker.address), decider)
        stack.callback(rounds.close)
        for report in _each(run, rounds, load_catalogue(settings.catalogue_file), warehouses):
            totals.add(report)
            show(report)
        return Outcome(
            totals,
            dict(rig.revived),
            watch.looks,
            books.books.repeats,
            rig.slowest_leave,
            dict(books.books.answers),
            books.books.messages["orders.quarantined"],
        )


def _topics(warehouses: Sequence[str]) -> list[str]:
    wanted = wanted_topics(channels=(), warehouses=warehouses, partitions=1, replication=1)
    return [topic.topic for topic in wanted]


def _each(run: Run, rounds: Rounds, catalogue: Catalogue, warehouses: Sequence[str]) -> Iterator[RoundReport]:
    for seed in range(run.seed, run.seed + run.rounds):
        yield rounds.run(plan_round(seed, run.size, run.faults(), catalogue, warehouses, int(time.time())))
