"""A warehouse gives an order back while a worker is at work on its next revision, and the worker dies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.fulfillment import InstructionKind
from schemas.plan import Disposition, PlannedOrder
from tests.builders import a_cancelled_order, a_plan, a_planned_order, an_order
from workers.inventory.ledger import Ledger
from workers.inventory.operations.claim import Claim
from workers.inventory.operations.record_return import RecordReturn
from workers.inventory.operations.release import Giving, Release, ReleaseOutcome
from workers.inventory.operations.reserve import Reserve, ReserveOutcome, Taking
from workers.inventory.operations.steps import Step
from workers.inventory.operations.withdraw import Withdraw, WithdrawOutcome
from workers.inventory.records import Answer, Count, ReservationState
from workers.reserve.agent import ReserveAgent
from workers.runtime.stage import Delivery

HZ, BJ, NUT = "hangzhou", "beijing", "NUT-BOX-500"
UID = an_order().uid


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis)


@pytest.fixture
async def agent(ledger: Ledger) -> ReserveAgent:
    """Revision r1 was taken in Hangzhou, and Hangzhou was told to ship it."""
    agent = ReserveAgent(ledger, 60)
    for warehouse in (HZ, BJ):
        await ledger.stock.set_counts(warehouse, {NUT: Count(on_hand=10)})
    assert [told.kind for told in await handled(agent, a_revision("r1"))] == [InstructionKind.FULFIL]
    return agent


def a_revision(revision: str, disposition: Disposition = Disposition.RESERVE, *warehouses: str) -> PlannedOrder:
    made = a_cancelled_order if disposition is Disposition.RELEASE else an_order
    return a_planned_order(made(revision=revision), a_plan(*warehouses, disposition=disposition))


async def handled(agent: ReserveAgent, order: PlannedOrder) -> Sequence[Any]:
    [outcome] = await agent.handle([Delivery(order, key=b"")])
    assert isinstance(outcome, Sequence), outcome
    return list(outcome)


async def claimed(ledger: Ledger, revision: str) -> int:
    """A worker begins with this revision. The number of its claim."""
    [claim] = await ledger.orders.claim([(UID, revision, [HZ])])
    assert isinstance(claim, Claim)
    return claim.fence


async def outcome_of(ledger: Ledger, step: Step) -> object:
    [answer] = await ledger.orders.apply([step])
    assert isinstance(answer, Answer)
    return answer.outcome


def asking(revision: str, fence: int) -> Release:
    """Give back, once the warehouse says that it does not ship."""
    return Release(HZ, UID, revision, fence + 1, [NUT], Giving.ASK)


async def given_back(ledger: Ledger) -> None:
    """What the fulfill stage does last when a warehouse gives r1 back; it had found nobody who had said stop."""
    [heard] = await ledger.warehouses.record_return([RecordReturn(UID, HZ, "r1")])
    assert not heard.open


async def committed(ledger: Ledger, warehouse: str = HZ) -> int:
    [level] = await ledger.stock.levels(warehouse)
    assert (await ledger.stock.audit()).findings == ()
    return level.committed


async def test_a_cancelled_order_that_comes_back_by_itself_leaves_nothing_behind(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    fence = await claimed(ledger, "r2")
    assert await outcome_of(ledger, asking("r2", fence)) is ReleaseOutcome.WAITING
    await given_back(ledger)

    assert await handled(agent, a_revision("r2", Disposition.RELEASE)) == []

    assert await committed(ledger) == 0


async def test_it_leaves_nothing_behind_either_when_the_worker_asks_after_the_warehouse_has_spoken(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    fence = await claimed(ledger, "r2")
    await given_back(ledger)
    assert await outcome_of(ledger, asking("r2", fence)) is ReleaseOutcome.WAITING

    assert await handled(agent, a_revision("r2", Disposition.RELEASE)) == []

    assert await committed(ledger) == 0


async def test_nor_when_a_newer_revision_comes_before_the_worker_is_back(ledger: Ledger, agent: ReserveAgent) -> None:
    fence = await claimed(ledger, "r2")
    assert await outcome_of(ledger, asking("r2", fence)) is ReleaseOutcome.WAITING
    await given_back(ledger)

    assert await handled(agent, a_revision("r3", Disposition.RELEASE)) == []

    assert await committed(ledger) == 0


async def test_an_order_that_is_to_ship_again_is_told_to_its_new_warehouse_and_held_once(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    fence = await claimed(ledger, "r2")
    assert await outcome_of(ledger, asking("r2", fence)) is ReleaseOutcome.WAITING
    await given_back(ledger)

    [told] = await handled(agent, a_revision("r3", Disposition.RESERVE, BJ))

    assert (told.kind, told.warehouse_id) == (InstructionKind.FULFIL, BJ)
    assert (await committed(ledger), await committed(ledger, BJ)) == (0, 1)


async def test_an_order_that_was_to_be_kept_waits_for_no_answer_any_more(ledger: Ledger, agent: ReserveAgent) -> None:
    fence = await claimed(ledger, "r2")
    keep = Reserve(HZ, UID, "r2", fence + 1, ReservationState.COMMITTED, {NUT: 1}, 0, [NUT], Taking.STOP)
    assert await outcome_of(ledger, keep) is ReserveOutcome.RESERVED
    await given_back(ledger)

    assert await handled(agent, a_revision("r2", Disposition.REVIEW)) == []
    assert await committed(ledger) == 1
    await handled(agent, a_revision("r3", Disposition.RELEASE))

    assert await committed(ledger) == 0


async def test_a_warehouse_that_was_really_told_to_stop_is_still_waited_for(
    ledger: Ledger, agent: ReserveAgent
) -> None:
    assert [told.kind for told in await handled(agent, a_revision("r2", Disposition.RELEASE))] == [
        InstructionKind.CANCEL
    ]
    await handled(agent, a_revision("r3", Disposition.RELEASE))

    assert await committed(ledger) == 1
    assert await outcome_of(ledger, Withdraw(HZ, UID, "r3")) is WithdrawOutcome.RELEASED
    assert await committed(ledger) == 0
