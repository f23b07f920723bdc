"""The apply stage: decisions of people in; what became of them, and orders to be decided anew, out. Decision 26."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from schemas.codes import LetterProblem
from schemas.dead_letter import Failure
from schemas.decision import MOST_DECISIONS, Decided, Decision, DecisionRefusal
from schemas.plan import PlannedOrder, ReturnedOrder
from schemas.record import decode, encode
from workers.apply.decide import Found, Known, answer_to, judge, returned_of
from workers.decisions.standing import NOTHING, Standing, fold, standing_of
from workers.inventory.archive import Archive, Place
from workers.inventory.ledger import Ledger
from workers.inventory.ledger.decisions import OrderAsItStands
from workers.inventory.operations.decide import Decide, DecideAck, DecideOutcome
from workers.inventory.records import Quantities
from workers.rules.provider import RulesProvider
from workers.rules.ruleset import Rulebook
from workers.runtime import metrics
from workers.runtime.batches import unique_key_batches
from workers.runtime.errors import PermanentError, TransientError
from workers.runtime.stage import Delivery, Outcome

log = logging.getLogger(__name__)

PATIENCE_MS: Final = 30_000
"""A claim that is open for longer may never be settled: nobody waits for it."""


class Services(Protocol):
    """What this stage needs of the process."""

    @property
    def ledger(self) -> Ledger:
        """Where orders stand, and what stands of people's decisions."""
        ...

    @property
    def archive(self) -> Archive:
        """Where planned orders are."""
        ...

    @property
    def rules(self) -> RulesProvider:
        """The warehouses and SKUs that there are."""
        ...


def apply(services: Services) -> ApplyAgent:
    """The agent."""
    return ApplyAgent(services.ledger, services.archive, services.rules)


class _Job:
    """One decision on its way."""

    def __init__(self, number: int, delivery: Delivery[Decision]) -> None:
        self.number = number
        self.decision = delivery.value
        self.at_ms = delivery.timestamp_ms
        self.order = OrderAsItStands()
        self.standing: Standing = NOTHING
        self.planned: PlannedOrder | None = None
        self.left: Quantities = {}
        self.failure: PermanentError | None = None
        self.decided: Decided | None = None

    @property
    def asks_for(self) -> list[tuple[str, str]]:
        """The stock that must be looked at, as (warehouse, SKU): that of the warehouse it names."""
        warehouse, planned = self.decision.warehouse_id, self.planned
        if warehouse is None or planned is None:
            return []
        return list(dict.fromkeys((warehouse, line.sku) for line in planned.order.lines))

    def available(self, there: Mapping[tuple[str, str], int]) -> dict[str, int]:
        """What that warehouse could give the order: what may be promised, and what it has of it already."""
        has = self.order.holdings.get(self.decision.warehouse_id or "", {})
        return {sku: there[where, sku] + has.get(sku, 0) for where, sku in self.asks_for}


class ApplyAgent:
    """Looks at the orders, judges, writes down what became of each decision, and only then says so."""

    def __init__(self, ledger: Ledger, archive: Archive, rules: RulesProvider) -> None:
        self._decisions, self._stock, self._orders = ledger.decisions, ledger.stock, ledger.orders
        self._archive = archive
        self._rules = rules

    async def handle(self, batch: Sequence[Delivery[Decision]]) -> Sequence[Outcome]:
        """Process a batch; the decisions about one order are taken in their order."""
        outcomes: list[Outcome] = [()] * len(batch)
        jobs = []
        for number, delivery in enumerate(batch):
            if delivery.key != delivery.value.order_uid.encode("utf-8", "replace"):
                outcomes[number] = _misplaced()
            else:
                jobs.append(_Job(number, delivery))
        read: dict[Place, PlannedOrder | None] = {}  # a thousand decisions about one order read it once
        for wave in unique_key_batches(jobs, lambda job: job.decision.order_uid):
            await self._wave(wave, outcomes, read)
        return outcomes

    async def _wave(
        self, jobs: Sequence[_Job], outcomes: list[Outcome], read: dict[Place, PlannedOrder | None]
    ) -> None:
        await self._look(jobs, read)
        for job in jobs:
            if job.failure is not None:
                outcomes[job.number] = job.failure
        jobs = [job for job in jobs if job.failure is None]
        there, book = await self._there(jobs), self._rules.current()
        acks = await self._decisions.decide([_judged(job, job.available(there), book) for job in jobs])
        for job, ack in zip(jobs, acks, strict=True):
            outcomes[job.number] = _said(job, ack)

    async def foresee(self, decisions: Sequence[Decision]) -> list[Decided]:
        """What would become of each of these if it came alone, now. Nothing is written down. Raises TransientError."""
        jobs = [_Job(number, Delivery(decision, key=b"", timestamp_ms=0)) for number, decision in enumerate(decisions)]
        await self._look(jobs, {})
        there, book = await self._there(jobs), self._rules.current()
        return [_foreseen(job, job.available(there), book) for job in jobs]

    async def _there(self, jobs: Sequence[_Job]) -> Mapping[tuple[str, str], int]:
        """What may be promised of the stock that the decisions ask for."""
        pairs = list(dict.fromkeys(pair for job in jobs for pair in job.asks_for))
        return dict(zip(pairs, await self._stock.available(pairs), strict=True)) if pairs else {}

    async def _look(self, jobs: Sequence[_Job], read: dict[Place, PlannedOrder | None]) -> None:
        asked = [(job.decision.order_uid, job.decision.decision_id) for job in jobs]
        for job, order in zip(jobs, await self._decisions.look(asked), strict=True):
            job.order = order
            try:
                job.standing = standing_of(order.standing) or NOTHING
            except PermanentError as error:
                job.failure = error
        places = [place for job in jobs if (place := job.order.place) is not None and place not in read]
        read.update(zip(places, await self._archive.read(places) if places else (), strict=True))
        for job in jobs:
            planned = read[job.order.place] if job.order.place is not None else None
            is_the_one = planned is not None and planned.order.uid == job.decision.order_uid
            job.planned = planned if is_the_one else None

        told = [job for job in jobs if job.order.told]
        if told:
            left = await self._orders.shipped_units([(job.decision.order_uid, job.order.told) for job in told])
            for job, units in zip(told, left, strict=True):
                job.left = units


def _judged(job: _Job, available: Mapping[str, int], book: Rulebook) -> Decide:
    """Raises TransientError while somebody works on the order: what is decided then would be decided of what was."""
    decision, order = job.decision, job.order
    if _is_at_work(order):
        decided = answer_to(decision, DecisionRefusal.BUSY, revision=order.revision)
    else:
        found = Found(order.revision, order.state, job.planned, order.told, job.left, job.standing)
        decided = judge(decision, found, Known(book.ruleset.warehouses, book.catalogue.skus, available))
    job.decided = decided
    receiver = decision.correction.receiver if decision.correction is not None else None
    standing = encode(fold(job.standing, decided, receiver)) if decided.issued else b""
    return Decide(
        decision.order_uid,
        decision.decision_id,
        order.revision,
        order.number,
        encode(decided),
        standing,
        decided.issued,
        MOST_DECISIONS,
    )


def _foreseen(job: _Job, available: Mapping[str, int], book: Rulebook) -> Decided:
    if job.failure is not None:
        return answer_to(job.decision, DecisionRefusal.MAKES_NO_SENSE, where="standing")
    try:
        _judged(job, available, book)
    except TransientError:  # somebody works on it: in a moment it is another
        return answer_to(job.decision, DecisionRefusal.BUSY, revision=job.order.revision)
    assert job.decided is not None
    return job.decided


def _is_at_work(order: OrderAsItStands) -> bool:
    """Whether a claim is open that may never be settled. Raises TransientError when it is fresh; it is over soon."""
    if not order.revision or order.settled or order.before:
        return False
    if int(time.time() * 1000) - order.fence // 1000 < PATIENCE_MS:
        raise TransientError("a person decides about an order that is being decided at this moment")
    return True


def _said(job: _Job, ack: DecideAck) -> Sequence[Decided | ReturnedOrder]:
    """What the world is told: the answer and, where the order is decided anew, the order."""
    assert job.decided is not None
    decided = job.decided
    match ack.outcome:
        case DecideOutcome.MOVED:
            raise TransientError("an order moved on while a decision about it was looked at")
        case DecideOutcome.FULL:
            decided = answer_to(job.decision, DecisionRefusal.TOO_MANY_DECISIONS)
        case DecideOutcome.REPEAT:
            decided = decode(Decided, ack.before)
    metrics.DECISIONS.labels(decided.kind.value, decided.code.value if decided.code else "done").inc()
    if decided.issued and job.planned is not None and job.order.revision < decided.issued:
        return (decided, returned_of(decided, job.planned, job.at_ms))
    return (decided,)


def _misplaced() -> PermanentError:
    failure = Failure(attempt="apply", where="key", explanation=LetterProblem.KEY_IS_NO_ORDER())
    return PermanentError("key-mismatch", [failure])
