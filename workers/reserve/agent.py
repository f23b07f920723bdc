"""The reserve stage: walks a batch of orders through the ledger side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol, TypeVar

from schemas.plan import PlannedOrder
from schemas.record import changed, decode, encode
from workers.inventory.ledger import Ledger
from workers.inventory.operations.claim import Claim, ClaimOutcome
from workers.inventory.operations.fence import Fence, FenceOutcome
from workers.inventory.operations.settle import Settlement, SettleOutcome
from workers.inventory.operations.steps import Step
from workers.inventory.operations.withdraw import Withdraw, WithdrawOutcome
from workers.inventory.records import LIVE, Answer, CorruptLedger, Holdings, OrderState, Quantities
from workers.inventory.waiting import WAITS, waiting_of
from workers.reserve.claimed import ClaimSuperseded, Steps, WorkflowResult, pays
from workers.reserve.decide import reservation_workflow, told_before
from workers.reserve.result import Result, decided_anew, events_of, repeated
from workers.runtime import metrics
from workers.runtime.batches import unique_key_batches
from workers.runtime.errors import TransientError
from workers.runtime.settings import Settings
from workers.runtime.stage import Delivery, Outcome

S = TypeVar("S", bound=Step)


class Services(Protocol):
    """What this stage needs of the process."""

    @property
    def settings(self) -> Settings:
        """How long an unpaid order keeps its stock."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Where the stock is."""
        ...


def reserve(services: Services) -> ReserveAgent:
    """The agent: every planned order in; instructions, backorders and transfer requests out."""
    silent = [name.strip() for name in services.settings.silent_warehouses.split(",") if name.strip()]
    return ReserveAgent(services.ledger, services.settings.hold_seconds, silent)


class _Job:
    """One order of a wave."""

    def __init__(self, number: int, delivery: Delivery[PlannedOrder]) -> None:
        self.number = number
        self.planned = delivery.value
        self.source = f"{delivery.partition}:{delivery.offset}"
        self.at_ms = delivery.timestamp_ms
        self.claim: Claim | None = None
        self.holdings: Holdings = {}
        self.left: Quantities = {}  # units that left warehouses which are not told to ship any more
        self.steps: Steps | None = None
        self.next: Sequence[Step] = ()
        self.result: WorkflowResult | None = None

    @property
    def may_have_waited(self) -> bool:
        """Whether the order may stand on the list of those that wait for stock."""
        return self.claim is not None and (self.claim.state in WAITS or self.claim.interrupted)


class ReserveAgent:
    """Claims, takes, settles: three round trips for a batch in which every first candidate has the stock."""

    def __init__(self, ledger: Ledger, hold_seconds: float, silent: Collection[str] = ()) -> None:
        self._orders, self._waiting = ledger.orders, ledger.waiting
        self._hold_seconds = hold_seconds
        self._silent = frozenset(silent)

    async def handle(self, batch: Sequence[Delivery[PlannedOrder]]) -> Sequence[Outcome]:
        """Process a batch; an order that stands in it several times is taken in its order."""
        outcomes: list[Outcome] = [()] * len(batch)
        jobs = [_Job(number, delivery) for number, delivery in enumerate(batch)]
        for wave in unique_key_batches(jobs, lambda job: job.planned.order.uid):
            await self._wave(wave, outcomes)
        return outcomes

    async def _wave(self, jobs: Sequence[_Job], outcomes: list[Outcome]) -> None:
        claimed = await self._claim(jobs, outcomes)
        await self._find_what_was_left(claimed, outcomes)
        await self._void_what_nobody_was_told(claimed, outcomes)
        claimed = [job for job in claimed if not outcomes[job.number]]
        await self._find_what_has_left(claimed)
        self._set_out(claimed)
        await self._walk(claimed, outcomes)
        ended = [job for job in claimed if job.result is not None]
        await self._put_on_list(ended)
        await self._settle(ended, outcomes)
        await self._take_off_list(ended)

    async def _claim(self, jobs: Sequence[_Job], outcomes: list[Outcome]) -> list[_Job]:
        asked = [
            (
                job.planned.order.uid,
                job.planned.order.revision,
                [c.warehouse_id for c in job.planned.plan.candidates],
                job.planned.decided,
            )
            for job in jobs
        ]
        claimed = []
        for job, claim in zip(jobs, await self._orders.claim(asked), strict=True):
            if isinstance(claim, CorruptLedger):
                outcomes[job.number] = claim
            elif claim.outcome is ClaimOutcome.REPEAT:
                said = decode(Result, claim.result) if claim.result else Result()
                outcomes[job.number] = repeated(job.planned, said)
            elif claim.outcome is ClaimOutcome.OVERRULED:
                outcomes[job.number] = decided_anew(job.planned, job.at_ms)
            elif claim.outcome is ClaimOutcome.CLAIMED:
                job.claim, job.holdings = claim, dict(claim.holdings)
                claimed.append(job)
        return claimed

    async def _find_what_was_left(self, jobs: Sequence[_Job], outcomes: list[Outcome]) -> None:
        """A claim before this one died at work: shut it out of every warehouse it may have touched, and look there."""
        asked = [
            (job, Fence(warehouse, job.planned.order.uid, job.claim.fence))
            for job in jobs
            if job.claim is not None and job.claim.interrupted
            for warehouse in dict.fromkeys((*job.claim.intent, *job.claim.holdings))
        ]
        for job, fence, answer in await self._answered(asked, outcomes):
            if answer.outcome is FenceOutcome.STALE:
                raise TransientError("an order was claimed twice at once")
            if answer.state in LIVE:
                job.holdings[fence.warehouse_id] = answer.quantities
            else:
                job.holdings.pop(fence.warehouse_id, None)

    async def _void_what_nobody_was_told(self, jobs: Sequence[_Job], outcomes: list[Outcome]) -> None:
        """A claim that died let units wait for a warehouse's answer, and the warehouse gave the order back by itself.

        It was never told to stop, so no answer will come but the one that it has given.
        """
        asked = [
            (job, Withdraw(warehouse, job.planned.order.uid, job.planned.order.revision, has))
            for job in jobs
            if job.claim is not None and not outcomes[job.number]
            for warehouse in job.claim.returned
            if (has := job.holdings.get(warehouse))
        ]
        for job, withdraw, answer in await self._answered(asked, outcomes):
            if answer.outcome is WithdrawOutcome.RELEASED:
                job.holdings.pop(withdraw.warehouse_id)

    async def _find_what_has_left(self, jobs: Sequence[_Job]) -> None:
        """What has left a warehouse that is not told to ship the order any more is not to be shipped from another."""
        asked = [
            (job, before) for job in jobs if job.claim is not None and (before := told_before(job.planned, job.claim))
        ]
        if asked:
            found = await self._orders.shipped_units([(job.planned.order.uid, before) for job, before in asked])
            for (job, _), left in zip(asked, found, strict=True):
                job.left = left

    async def _answered(self, asked: Sequence[tuple[_Job, S]], outcomes: list[Outcome]) -> list[tuple[_Job, S, Answer]]:
        """What the ledger answers to these steps; a damaged key is its order's outcome."""
        answered: list[tuple[_Job, S, Answer]] = []
        if asked:
            for (job, step), answer in zip(asked, await self._orders.apply([step for _, step in asked]), strict=True):
                if isinstance(answer, CorruptLedger):
                    outcomes[job.number] = answer
                else:
                    answered.append((job, step, answer))
        return answered

    def _set_out(self, jobs: Iterable[_Job]) -> None:
        for job in jobs:
            assert job.claim is not None
            job.steps = reservation_workflow(
                job.planned, job.claim, job.holdings, self._hold_seconds, self._silent, job.left
            )
            self._advance(job, None)

    def _advance(self, job: _Job, answers: Sequence[Answer] | None) -> None:
        assert job.steps is not None
        try:
            job.next = next(job.steps) if answers is None else job.steps.send(answers)
        except StopIteration as stop:
            job.next, job.result = (), stop.value
        except ClaimSuperseded:
            raise TransientError("an order was claimed twice at once") from None

    async def _walk(self, jobs: Iterable[_Job], outcomes: list[Outcome]) -> None:
        walking = [job for job in jobs if job.next]
        while walking:
            answers = iter(await self._orders.apply([step for job in walking for step in job.next]))
            for job in walking:
                mine = [next(answers) for _ in job.next]
                corrupt = next((answer for answer in mine if isinstance(answer, CorruptLedger)), None)
                if corrupt is not None:
                    outcomes[job.number], job.next = corrupt, ()
                else:
                    self._advance(job, [answer for answer in mine if isinstance(answer, Answer)])
            walking = [job for job in walking if job.next]

    async def _settle(self, jobs: Sequence[_Job], outcomes: list[Outcome]) -> None:
        settled = await self._orders.settle([_settlement(job) for job in jobs])
        for job, outcome in zip(jobs, settled, strict=True):
            if outcome is SettleOutcome.LOST:
                raise TransientError("an order was claimed twice at once")
            assert job.result is not None
            outcomes[job.number] = events_of(job.planned, job.result.result)
            _count_late_payment(job)

    async def _put_on_list(self, jobs: Iterable[_Job]) -> None:
        """Before they are settled: whoever dies in between leaves an entry too many, not one too few."""
        waiting = [job for job in jobs if job.result is not None and job.result.state in WAITS]
        if waiting:
            await self._waiting.put([waiting_of(job.planned, job.source) for job in waiting])

    async def _take_off_list(self, jobs: Iterable[_Job]) -> None:
        served = [
            job for job in jobs if job.may_have_waited and job.result is not None and job.result.state not in WAITS
        ]
        if served:
            await self._waiting.leave((job.planned.order.uid, job.planned.order.revision) for job in served)


def _settlement(job: _Job) -> Settlement:
    assert job.claim is not None
    assert job.result is not None
    order, ended = job.planned.order, job.result
    result = b"" if ended.result == Result() else encode(changed(ended.result, decided=job.planned.decided))
    fence = job.claim.fence
    return Settlement(order.uid, order.revision, fence, ended.state, ended.holdings, ended.routed, result, job.source)


def _count_late_payment(job: _Job) -> None:
    """An order paid after its hold was swept: the seller has promised what may be gone."""
    assert job.claim is not None
    assert job.result is not None
    if job.claim.state is OrderState.EXPIRED and pays(job.planned.order):
        if job.result.state in WAITS:
            metrics.PAID_AFTER_EXPIRY.labels("backordered").inc()
        elif job.result.state is OrderState.COMMITTED:
            metrics.PAID_AFTER_EXPIRY.labels("reserved").inc()
