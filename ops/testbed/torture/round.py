"""One round: input and faults at once, then rest, then the proof."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition
from redis.exceptions import RedisError

import topology
from channel_adapters.registry import CHANNELS
from ops.testbed.oracle.accounts import Expected
from ops.testbed.torture.accountant import Accountant, Outage
from ops.testbed.torture.decider import Decider
from ops.testbed.torture.feeder import Feeder
from ops.testbed.torture.plan import RoundPlan
from ops.testbed.torture.proof import Findings, misheld
from ops.testbed.torture.rig import PARTITIONS, Rig
from ops.testbed.torture.trouble import Troubles
from ops.testbed.torture.watch import StockWatch
from schemas.topics import Topic
from workers.inventory.records import Reservation
from workers.runtime.reader import topic_names
from workers.runtime.table import group_id, groups

GIVE_UP_SECONDS: Final = 60.0
_TURN_SECONDS: Final = 0.02
_LOOK_SECONDS: Final = 0.15
_LEAVE_SECONDS: Final = 10.0


@dataclass(slots=True)
class RoundReport:
    """How one round went. `findings` is empty when everything holds."""

    seed: int
    orders: int
    records: int
    repeated: int
    reordered: int
    faults: Counter[str]
    places: Counter[str]
    outages: list[Outage]
    seconds: float
    waited: dict[str, float]  # seconds, by what was waited for
    findings: Findings = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.findings


class Lag:
    """How far the fleet's groups are behind what stands in their topics."""

    def __init__(self, address: str) -> None:
        self._readers = {
            group.name: (self._member(address, group.name), topic_names(group.reads, tuple(CHANNELS)))
            for group in groups(topology.STAGES)
            if isinstance(group.reads, Topic)
        }

    @staticmethod
    def _member(address: str, group: str) -> Consumer:
        """It never joins: it only asks what the group has committed."""
        settings = {"bootstrap.servers": address, "group.id": group_id(group), "socket.timeout.ms": 3000}
        return Consumer({**settings, "log_level": 0})

    def none(self, ends: dict[tuple[str, int], int]) -> bool:
        """Whether everything before these offsets is acknowledged. False as well while the broker does not answer."""
        for member, names in self._readers.values():
            asked = [TopicPartition(name, number) for name in names for number in range(PARTITIONS)]
            try:
                committed = member.committed(asked, timeout=2)
            except KafkaException:
                return False
            if any(max(0, tp.offset) < ends.get((tp.topic, tp.partition), 0) for tp in committed):
                return False
        return True

    def close(self) -> None:
        """Let go of the broker."""
        for member, _ in self._readers.values():
            member.close()


def proof_at_rest(
    until_rest: Callable[[], str],
    prove: Callable[[str], Findings],
    moving: Callable[[], str],
    positions: Callable[[], Mapping[tuple[str, int], int]],
    patience: float,
) -> Findings:
    """The proof of a moment at which nothing moved: orders that wait may be tried again at any time.

    `until_rest` and `moving`: what moves, in words; `positions`: how far the books have been read; `patience`: seconds
    from the first rest on, however long that was in coming, after which the last proof counts. The positions are asked
    for last of all: what comes in while it is asked whether anything moves may be the very thing that the books did not
    know of and the stock did.
    """
    over = None
    while True:
        unrest = until_rest()
        over = over or time.monotonic() + patience
        before = positions()
        findings = prove(unrest)
        still = not moving() and before == positions()
        if unrest or still or time.monotonic() > over:
            return findings


class Rounds:
    """Runs rounds one after the other on one rig; every round is judged together with all before it."""

    def __init__(self, rig: Rig, books: Accountant, watch: StockWatch, feeder: Feeder, decider: Decider) -> None:
        self._rig, self._books, self._watch, self._feeder, self._decider = rig, books, watch, feeder, decider
        self._lag = Lag(rig.broker.address)
        self._stock = rig.stock
        self._truth: list[Expected] = []
        self._failed_before: dict[str, set[str]] = {}

    def run(self, plan: RoundPlan) -> RoundReport:
        """One round. What was found in an earlier round is not counted again."""
        began = time.monotonic()
        outages = len(self._books.outages)
        self._books.begin()
        self._rig.shorten_redis_file()
        self._stock.promise(plan.stock)
        self._truth += plan.truth
        troubles = Troubles(plan.faults, self._rig, self._books)
        self._feeder.feed(plan.feeds)
        self._decider.decide(plan.choices)
        waited: defaultdict[str, float] = defaultdict(float)
        findings = self._judged(plan, troubles, waited)
        self._feeder.close()
        self._decider.close()
        report = RoundReport(
            seed=plan.seed,
            orders=len(plan.truth),
            records=len(plan.feeds),
            repeated=plan.repeated,
            reordered=plan.reordered,
            faults=Counter(str(fault.kind) for fault in plan.faults),
            places=Counter(self._books.places(plan.truth).values()),
            outages=self._books.outages[outages:],
            seconds=0.0,
            waited=waited,
        )
        report.findings = self._new(findings)
        if report.findings:
            told = [one for found in report.findings.values() for one in found]
            self._books.write_history(self._rig.folder / f"seed-{plan.seed}.history.txt", told)
        report.seconds = time.monotonic() - began
        return report

    # -- until all is quiet

    def _judged(self, plan: RoundPlan, troubles: Troubles, waited: defaultdict[str, float]) -> Findings:
        return proof_at_rest(
            until_rest=lambda: self._until_rest(plan, troubles, waited),
            prove=self._prove,
            moving=lambda: self._moving(plan),
            positions=lambda: self._books.positions,
            patience=2 * GIVE_UP_SECONDS,
        )

    def _until_rest(self, plan: RoundPlan, troubles: Troubles, waited: defaultdict[str, float]) -> str:
        """Carry the faults on until everything has come to rest. What did not, in words; "" when all did."""
        deadline, looked, missing, turned = None, 0.0, "the input", time.monotonic()
        while True:
            self._books.check()
            troubles.advance()
            self._rig.supervise()
            now = time.monotonic()
            waited[missing.partition(":")[0]] += now - turned
            turned = now
            if not troubles.over or not self._feeder.done or not self._decider.done:
                missing = "the input" if troubles.over else "the faults"
            else:
                deadline = deadline or now + GIVE_UP_SECONDS
                if now - looked > _LOOK_SECONDS:
                    missing, looked = self._moving(plan), now
                if not missing or now > deadline:
                    return missing
            time.sleep(_TURN_SECONDS)

    def _moving(self, plan: RoundPlan) -> str:
        """What is not at rest yet; the cheapest question first.

        An order of an earlier round moves again when stock arrives for it, and may hold that stock for a while.
        """
        if not self._rig.fleet_ready():
            return "the processes"
        if not self._books.resting((*plan.truth, *self._touched())):
            return "the orders"
        if self._books.unanswered():
            return "the warehouses"
        if self._books.odd - self._books.odd_letters:
            return "the dead letters"
        if time.monotonic() - self._books.read_at < _LOOK_SECONDS:
            return "the messages"
        ends = dict(self._books.positions)
        for place, end in (*self._feeder.ends.items(), *self._decider.ends.items()):
            ends[place] = max(end, ends.get(place, 0))
        if not self._lag.none(ends):
            return "the lag"
        try:
            if not self._stock.outboxes_empty():
                return "the outboxes"
        except RedisError:
            return "Redis"
        return f"the books: {unread}" if (unread := self._books.unread()) else ""

    # -- the proof

    def _prove(self, moving: str) -> Findings:
        books, verdict = self._books, self._books.judge(self._truth)
        truth = self._touched()
        uids = [expected.uid for expected in truth]
        audit, levels, reservations = self._stock.audit(uids)
        below = [f"{key}: {lowest}" for key, lowest in books.replay.below_zero.items()]
        seen = [*self._watch.below_zero.items()]
        seen += [(f"{one.warehouse_id}/{one.sku}", one.available_to_promise) for one in levels]
        below += [f"{key}: {lowest}" for key, lowest in seen if lowest < min(0, -books.replay.revealed[key])]
        slow, unanswered = self._rig.slowest_leave, books.unanswered()
        return {
            "not at rest": [moving] if moving else [],
            "not fed": [*self._feeder.failures, *self._decider.failures],
            "decisions not answered once": [] if moving else books.undecided(self._decider.made),
            "against decisions": [] if moving else books.against_decisions(),
            "lost": verdict.lost,
            "misplaced": verdict.misplaced,
            "double": verdict.doubled,
            "unknown": verdict.unknown,
            "not set aside": sorted(books.odd - books.odd_letters),
            "oversold": below,
            "unanswered": unanswered,
            "misheld": [] if unanswered else self._misheld(truth, reservations),
            "audit": [f"{one.warehouse_id}: {one.message.en}" for one in audit.findings if one.is_error],
            "misjudged answers": [] if moving else books.misjudged(),
            "missing events": books.replay.missing(),
            "torn events": list(books.replay.torn),
            "torn instructions": list(books.torn),
            "events against counters": [] if moving else books.replay.differences(levels),
            "rebuild": [*self._rig.rebuilt_wrong, *self._forgotten()],
            "slow to leave": [f"{slow:.1f} s from SIGTERM to the end"] if slow > _LEAVE_SECONDS else [],
        }

    def _misheld(self, truth: Sequence[Expected], reservations: Sequence[Reservation]) -> list[str]:
        books, uids = self._books, [expected.uid for expected in truth]
        truth = books.as_decided(truth)
        return misheld(truth, books.places(truth), reservations, books.shipped(uids), books.told(uids))

    def _touched(self) -> list[Expected]:
        """The orders of any round of which something was heard in this one."""
        return [expected for expected in self._truth if expected.uid in self._books.touched]

    def _forgotten(self) -> list[str]:
        """Orders that waited for their time when Redis was emptied, and now do not, though nothing newer came."""
        waiting = self._stock.deferred() if self._rig.deferred else {}
        newest = self._books.planned(self._rig.deferred)
        return [
            f"{uid}: {revision} no longer waits for its time"
            for uid, revision in self._rig.deferred.items()
            if uid not in waiting and newest[uid] <= revision
        ]

    def _new(self, findings: Findings) -> Findings:
        """Without what earlier rounds found: one mistake is one finding."""
        new = {}
        for kind, found in findings.items():
            known = self._failed_before.setdefault(kind, set())
            if fresh := [one for one in found if one not in known]:
                new[kind] = fresh
                known.update(fresh)
        return new

    def close(self) -> None:
        """Let go of the broker."""
        self._lag.close()
