"""The fulfill stage: brings a batch of WMS answers to the ledger, and orders that were given back to their next try."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from schemas.fulfillment import WmsEvent
from schemas.plan import PlannedOrder
from workers.fulfill.decide import (
    FollowUp,
    counts,
    events_of,
    follow_up_of,
    labels_of,
    limited,
    must_wait,
    note_of,
    overtaken,
    race_of,
    remembered,
    steps_of,
)
from workers.fulfill.reading import Answered, check_known, check_told, known_order, read, read_again, still_there
from workers.fulfill.told_anew import is_never_packed, newer_order
from workers.inventory.archive import Archive
from workers.inventory.ledger import Ledger
from workers.inventory.operations.record_return import RecordReturn, RecordReturnOutcome, ReturnAck
from workers.inventory.operations.ship import ShipOutcome
from workers.inventory.operations.short import ShortOutcome
from workers.inventory.operations.steps import Step
from workers.inventory.records import Answer, CorruptLedger, InstructionStatus
from workers.runtime import metrics
from workers.runtime.batches import unique_key_batches
from workers.runtime.errors import PermanentError, TransientError
from workers.runtime.settings import Settings
from workers.runtime.stage import Delivery, Outcome

log = logging.getLogger(__name__)


class Services(Protocol):
    """What this stage needs of the process."""

    @property
    def ledger(self) -> Ledger:
        """Where the stock is."""
        ...

    @property
    def archive(self) -> Archive:
        """Where planned orders are."""
        ...

    @property
    def settings(self) -> Settings:
        """How full a shelf may be that a missing unit writes off."""
        ...


def fulfill(services: Services) -> FulfillAgent:
    """The agent: every answer of a WMS in; orders to be placed anew and orders for a person out."""
    return FulfillAgent(services.ledger, services.archive, services.settings.short_limit_units)


class _Job:
    """One answer on its way."""

    def __init__(self, reading: Callable[[], Answered]) -> None:
        self.outcome: Outcome = ()
        self.answered: Answered = None  # type: ignore[assignment]  # set first of all, or the job has failed
        self.standing: InstructionStatus = None  # type: ignore[assignment]  # set by looking, or the job has failed
        self.steps: Sequence[Step] = ()
        self.answers: list[Answer] = []
        self.follow_up = FollowUp.DONE
        self.void = ""  # revision of an instruction that is never packed, as goods left by the one that is answered
        self.attempt(lambda: setattr(self, "answered", reading()))

    @property
    def event(self) -> WmsEvent:
        """What the WMS says."""
        return self.answered.event

    @property
    def answer(self) -> Answer | None:
        """What the ledger made of it; None when nothing was asked."""
        return self.answers[-1] if self.answers else None

    @property
    def failed(self) -> bool:
        """Whether it can never be processed."""
        return isinstance(self.outcome, PermanentError)

    def attempt(self, work: Callable[[], None]) -> None:
        """Do it; a PermanentError is this job's outcome and nobody else's business."""
        try:
            work()
        except PermanentError as error:
            self.outcome = error
            metrics.WMS_EVENTS.labels("any", error.reason).inc()


class FulfillAgent:
    """Four round trips for a batch in which all goes well; some more where warehouses give orders back."""

    def __init__(self, ledger: Ledger, archive: Archive, short_limit: int = -1) -> None:
        """`short_limit`: see Settings.short_limit_units; -1 = none."""
        self._orders, self._warehouses, self._stock = ledger.orders, ledger.warehouses, ledger.stock
        self._archive = archive
        self._short_limit = short_limit

    async def handle(self, batch: Sequence[Delivery[WmsEvent]]) -> Sequence[Outcome]:
        """Process a batch; the answers about one order are taken in their order."""
        jobs = [_Job(partial(read, delivery.value, delivery.timestamp_ms)) for delivery in batch]
        await self._check_known(_sound(jobs))
        for wave in unique_key_batches(_sound(jobs), lambda job: job.event.order_uid):
            await self._look(wave)
            await self._apply(_sound(wave))
            await self._find_what_is_never_packed(_sound(wave))
            await self._note(_sound(wave))
            await self._follow(_going_on(wave))
            await self._revive([job for job in _sound(wave) if job.follow_up is FollowUp.CHANGE_REFUSED])
        return [job.outcome for job in jobs]

    async def _check_known(self, jobs: Sequence[_Job]) -> None:
        """Set aside what comes from warehouses, or is about SKUs, that nobody ever counted."""
        if not jobs:
            return
        warehouses = frozenset(await self._stock.warehouses())
        pairs = list(dict.fromkeys((job.event.warehouse_id, sku) for job in jobs for sku in job.event.quantities))
        counted = await self._stock.counted(pairs)
        unknown = {pair for pair, known in zip(pairs, counted, strict=True) if not known}
        for job in jobs:
            job.attempt(partial(check_known, job.event, warehouses, unknown))

    async def _look(self, jobs: Sequence[_Job]) -> None:
        asked = [(job.event.order_uid, job.event.warehouse_id, job.answered.revision) for job in jobs]
        for job, standing in zip(jobs, await self._warehouses.get_status(asked), strict=True):
            job.attempt(partial(_set_out, job, standing))

    async def _apply(self, jobs: Sequence[_Job]) -> None:
        acting = [(job, step) for job in jobs for step in job.steps]
        answers = await self._orders.apply([limited(step, self._short_limit) for _, step in acting])
        for (job, _), answer in zip(acting, answers, strict=True):
            if isinstance(answer, CorruptLedger):
                job.outcome = answer
            else:
                job.answers.append(answer)
        for job in _sound(jobs):
            job.attempt(partial(_conclude, job))

    async def _find_what_is_never_packed(self, jobs: Sequence[_Job]) -> None:
        """Only of orders that were told anew since: it costs a round trip."""
        for job in jobs:
            job.void = newer_order(job.answered, job.standing) if job.follow_up is FollowUp.DONE else ""
        asked = [job for job in jobs if job.void]
        places = [(job.event.warehouse_id, job.event.order_uid) for job in asked]
        for job, found in zip(asked, await self._orders.reservations(places) if asked else (), strict=True):
            if is_never_packed(job.answered, job.standing, found):
                job.follow_up = FollowUp.NEVER_PACKED

    async def _note(self, jobs: Sequence[_Job]) -> None:
        notes = [note for job in jobs if (note := note_of(job.answered, job.standing)) is not None]
        if notes:
            await self._warehouses.update_stash(notes)

    async def _revive(self, jobs: Sequence[_Job]) -> None:
        """Take in what these warehouses had given back before they refused a change of it."""
        again = [(job, _Job(partial(read_again, one))) for job in jobs for one in job.standing.overtaken]
        if not again:
            return
        await self._look([one for _, one in again])
        again = [(job, one) for job, one in again if one.failed or counts(one.answered, one.standing)]
        counting = [one for _, one in again]
        await self._apply(_sound(counting))
        await self._follow(_going_on(counting))
        for job, one in reversed(again):  # the first of them tells why, as when they come one by one
            job.outcome = one.outcome or job.outcome

    async def _follow(self, jobs: Sequence[_Job]) -> None:
        """Note what was given back before anything is said of it: who works on the order at this moment must know."""
        if not jobs:
            return
        heard = list(zip(jobs, await self._warehouses.record_return([_hear(job) for job in jobs]), strict=True))
        late = [job for job, each in heard if _comes_late(job, each)]
        if late:
            await self._warehouses.update_stash([remembered(job.answered) for job in late])
        still_open = [(job, each) for job, each in heard if each.open]
        left = await self._orders.shipped([(job.event.order_uid, _warehouses(job, each)) for job, each in still_open])
        found = await self._archive.read([each.source for _, each in still_open if each.source is not None])
        planned = iter(found)
        for (job, each), shipped in zip(still_open, left, strict=True):
            job.attempt(partial(_say, job, next(planned) if each.source is not None else None, shipped))


def _sound(jobs: Iterable[_Job]) -> list[_Job]:
    return [job for job in jobs if not job.failed]


def _going_on(jobs: Iterable[_Job]) -> list[_Job]:
    return [job for job in _sound(jobs) if job.follow_up is not FollowUp.DONE]


def _comes_late(job: _Job, heard: ReturnAck) -> bool:
    """Whether the warehouse was told something newer while its answer was taken in."""
    stale = heard.outcome is RecordReturnOutcome.STALE
    if stale and job.follow_up is FollowUp.NEVER_PACKED and job.standing.told:
        raise TransientError("an order was changed while a warehouse's answer to it was taken in")
    return stale and job.follow_up not in (FollowUp.CHANGE_REFUSED, FollowUp.NEVER_PACKED)


def _set_out(job: _Job, standing: InstructionStatus | None) -> None:
    job.standing = known_order(standing)
    check_told(job.answered, job.standing)
    job.steps = steps_of(job.answered, job.standing)
    if must_wait(job.answered, job.standing, job.steps, int(time.time() * 1000)):
        raise TransientError("a warehouse answers an order that is being decided anew at this moment")


def _conclude(job: _Job) -> None:
    if overtaken(job.answered, job.standing, job.answers):
        raise TransientError("an order was changed while a warehouse's answer to it was taken in")
    job.follow_up = follow_up_of(job.answered, job.standing, job.answer)
    _count(job)


def _hear(job: _Job) -> RecordReturn:
    refused = job.follow_up is FollowUp.CHANGE_REFUSED
    revision = job.void if job.follow_up is FollowUp.NEVER_PACKED else job.answered.revision
    return RecordReturn(job.event.order_uid, job.event.warehouse_id, revision, change_only=refused)


def _warehouses(job: _Job, heard: ReturnAck) -> list[str]:
    return list(dict.fromkeys((job.event.warehouse_id, *heard.warehouses)))


def _say(job: _Job, planned: PlannedOrder | None, shipped: bool) -> None:
    job.outcome = events_of(job.answered, job.follow_up, still_there(planned), shipped=shipped)


def _count(job: _Job) -> None:
    kind, outcome = labels_of(job.answered, job.answer)
    metrics.WMS_EVENTS.labels(kind, outcome).inc()
    race = race_of(job.answered, job.answer)
    if race:
        metrics.REFUND_RACE.labels(job.event.warehouse_id, race).inc()
    if job.answer is not None and isinstance(job.answer.outcome, ShortOutcome):
        _ask_for_counts(job.event.warehouse_id, job.answer.quantities)
    if job.answer is not None and job.answer.outcome is ShipOutcome.AFTER_RELEASE:
        metrics.SHIP_AFTER_RELEASE.labels(job.event.warehouse_id).inc()
        log.warning(
            "%s shipped goods of order %s that had been given back; check for a refund",
            job.event.warehouse_id,
            job.event.order_uid,
        )


def _ask_for_counts(warehouse_id: str, promised: dict[str, int]) -> None:
    """Of these SKUs units were missing, and too many are promised to write them all off by the word of one picker."""
    for sku, units in promised.items():
        metrics.COUNT_WANTED.labels(warehouse_id).inc()
        log.warning(
            "%s did not find units of %s, of which %d more are available to promise: count the shelf and set its stock"
            " | 仓库未找到该 SKU，账面仍可售 %d 件：请盘点货位并更新库存",
            warehouse_id, sku, units, units,
        )  # fmt: skip
