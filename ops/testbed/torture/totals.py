"""What all rounds of a run come to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from ops.testbed.torture.faults import Kafka
from ops.testbed.torture.round import RoundReport


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long it took until an order reached a warehouse's topic again, in seconds, over the outages of one kind."""

    count: int
    median: float
    worst: float
    unseen: int  # outages after which nothing was left to route

    @classmethod
    def of(cls, seconds: Sequence[float | None]) -> Recovery:
        """Sum up."""
        seen = [one for one in seconds if one is not None]
        unseen = len(seconds) - len(seen)
        return cls(len(seen), median(seen), max(seen), unseen) if seen else cls(0, 0.0, 0.0, unseen)


@dataclass(slots=True)
class Totals:
    """Adds up rounds as they end."""

    kafka: Kafka
    rounds: int = 0
    orders: int = 0
    records: int = 0
    repeated: int = 0
    reordered: int = 0
    seconds: float = 0.0
    waited: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    faults: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    failed: list[RoundReport] = field(default_factory=list)
    outages: dict[str, list[float | None]] = field(default_factory=dict)

    def add(self, report: RoundReport) -> None:
        """Take in one round."""
        self.rounds += 1
        self.orders += report.orders
        self.records += report.records
        self.repeated += report.repeated
        self.reordered += report.reordered
        self.seconds += report.seconds
        for what, seconds in report.waited.items():
            self.waited[what] += seconds
        self.faults += report.faults
        self.places += report.places
        self.findings += Counter({kind: len(found) for kind, found in report.findings.items()})
        for outage in report.outages:
            self.outages.setdefault(outage.what, []).append(outage.recovered)
        if not report.clean:
            self.failed.append(report)

    @property
    def clean(self) -> bool:
        """Whether nothing was found in any round."""
        return not self.failed

    def recoveries(self) -> dict[str, Recovery]:
        """By kind of outage."""
        return {what: Recovery.of(seconds) for what, seconds in sorted(self.outages.items())}

    def as_json(self, **others: Any) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            "clean": self.clean,
            "kafka": str(self.kafka),
            "rounds": self.rounds,
            "orders": self.orders,
            "records": self.records,
            "repeated_input": self.repeated,
            "reordered_orders": self.reordered,
            "seconds": round(self.seconds, 1),
            "waited_seconds": {what: round(seconds, 1) for what, seconds in self.waited.items()},
            "faults": dict(self.faults.most_common()),
            "places": dict(self.places.most_common()),
            "lost": self.findings["lost"],
            "oversold": self.findings["oversold"],
            "double": self.findings["double"] + self.findings["misheld"],
            "findings": dict(self.findings),
            "recovery_seconds": {
                what: {"count": r.count, "median": round(r.median, 2), "worst": round(r.worst, 2), "unseen": r.unseen}
                for what, r in self.recoveries().items()
            },
            "failed": [{"seed": report.seed, "findings": report.findings} for report in self.failed],
            **others,
        }
