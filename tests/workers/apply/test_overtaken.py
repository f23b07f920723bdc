"""What a person looked at is another by now: each decision comes twice, and its worker dies meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.codes import HoldCode
from schemas.decision import Decided, Decision, DecisionKind, DecisionRefusal
from schemas.order import OrderStatus
from tests.builders import a_line, an_order
from tests.fakes import DyingLedger
from tests.workers.apply.fleet import BJ, HZ, Fleet, a_decision, touched
from workers.apply.agent import ApplyAgent
from workers.runtime.errors import TransientError

RISKY = an_order(status=OrderStatus.ON_HOLD, holds=(HoldCode.RISK_REVIEW,))
DEATHS = [(at, after) for at in (1, 2) for after in (False, True)]


@pytest.fixture
def fleet(redis: Redis) -> Fleet:
    return Fleet(redis)


async def decided_while_workers_die(fleet: Fleet, decision: Decision) -> Decided:
    """At every call of the ledger, before and after; then it comes twice more. The answer, which is always the same."""
    before = len(fleet.decided)
    for at, after in DEATHS:
        agent = ApplyAgent(DyingLedger(fleet.redis, at, after=after), fleet, fleet.rules)
        try:
            said = await fleet.apply(decision, agent)
        except TransientError:
            continue
        await fleet.carry(said)
    await fleet.decide(decision, decision)
    answers = fleet.decided[before:]
    assert len(answers) >= 2
    assert all(answer == answers[0] for answer in answers), "said in one way, however often it is asked"
    return answers[0]


async def as_it_is(fleet: Fleet, uid: str) -> tuple[Any, ...]:
    state = await fleet.state(uid)
    return state.revision, state.state, state.holdings, fleet.kinds()


async def test_overtaken_by_its_platform(fleet: Fleet) -> None:
    await fleet.stocked(100, HZ, BJ)
    await fleet.platform(RISKY)
    await fleet.platform(touched(RISKY, lines=(a_line(quantity=3),)))
    before = await as_it_is(fleet, RISKY.uid)
    answer = await decided_while_workers_die(fleet, a_decision(RISKY, DecisionKind.RELEASE))
    assert answer.code is DecisionRefusal.OVERTAKEN_BY_PLATFORM
    assert await as_it_is(fleet, RISKY.uid) == before, "nothing half done"


async def test_overtaken_by_a_shipment(fleet: Fleet) -> None:
    order = an_order()
    await fleet.stocked(100, HZ, BJ)
    await fleet.platform(order)
    await fleet.last_told("shipped")
    before = await as_it_is(fleet, order.uid)
    for number, kind in enumerate((DecisionKind.CANCEL, DecisionKind.HOLD, DecisionKind.REDECIDE)):
        answer = await decided_while_workers_die(fleet, a_decision(order, kind, number))
        assert answer.code is DecisionRefusal.ALREADY_SHIPPED
    assert await as_it_is(fleet, order.uid) == before


async def test_overtaken_by_another_decision(fleet: Fleet) -> None:
    await fleet.stocked(100, HZ, BJ)
    await fleet.platform(RISKY)
    await fleet.decide(a_decision(RISKY, DecisionKind.RELEASE, warehouse_id=BJ))
    before = await as_it_is(fleet, RISKY.uid)
    answer = await decided_while_workers_die(fleet, a_decision(RISKY, DecisionKind.CANCEL, 2))
    assert answer.code is DecisionRefusal.OVERTAKEN_BY_DECISION
    assert await as_it_is(fleet, RISKY.uid) == before


@pytest.mark.parametrize("overtaker", ["platform", "shipment", "decision"])
async def test_what_was_done_before_stays_done_once_and_is_said_so_again(fleet: Fleet, overtaker: str) -> None:
    await fleet.stocked(100, HZ, BJ)
    await fleet.platform(RISKY)
    decision = a_decision(RISKY, DecisionKind.RELEASE)
    first = await decided_while_workers_die(fleet, decision)
    assert first.is_done
    assert [told.warehouse_id for told in fleet.told] == [HZ], "one parcel"
    if overtaker == "platform":
        await fleet.platform(touched(RISKY, lines=(a_line(quantity=3),)))
    elif overtaker == "shipment":
        await fleet.last_told("shipped")
    else:
        await fleet.decide(a_decision(RISKY, DecisionKind.HOLD, 2, seen=""))
    before = await as_it_is(fleet, RISKY.uid)
    assert await decided_while_workers_die(fleet, decision) == first
    assert await as_it_is(fleet, RISKY.uid) == before
    await fleet.is_sound()
