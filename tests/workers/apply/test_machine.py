"""People, a platform, a warehouse and dying workers at one order, in any order: what must stand when all is at rest.

What each topic carries is taken in its order, and any topic may be ahead of any other. A worker may die before or after
any call of the ledger; then its message comes again. ORDERFLEET_TEST_PROFILE=slow looks ten times as far.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Awaitable
from itertools import permutations
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from redis.asyncio import Redis

from ops.testbed.local_stack.redis_server import RedisServer
from schemas.codes import HoldCode
from schemas.decision import Correction, Decided, Decision, DecisionKind, LineCorrection
from schemas.fulfillment import FulfillmentInstruction, InstructionKind, WmsEvent
from schemas.order import Order, OrderStatus
from schemas.plan import Disposition, PlannedOrder, ReturnedOrder
from tests.builders import a_line, a_ship_to, a_wms_event, an_order
from tests.fakes import DyingLedger
from tests.workers.apply.fleet import BJ, COOKIES, HZ, NUT, Fleet, a_decision, touched
from workers.apply.agent import ApplyAgent
from workers.fulfill.agent import FulfillAgent
from workers.inventory.records import OrderState
from workers.runtime.errors import TransientError
from workers.runtime.stage import Delivery

T = TypeVar("T")

OTHER = "OATBAR-12"
CHANGES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "more units": {"lines": (a_line(quantity=3),)},
    "another SKU": {"lines": (a_line(OTHER),)},
    "another address": {"ship_to": a_ship_to(province="广东省", city="广州市")},
    "a hold": {"status": OrderStatus.ON_HOLD, "holds": (HoldCode.RISK_REVIEW,)},
    "cancelled": {"status": OrderStatus.CANCELLED},
}
KINDS = list(DecisionKind)


async def _awaited(work: Awaitable[T]) -> T:
    return await work


class People(RuleBasedStateMachine):
    """One order and all who have to do with it."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.redis = Redis.from_url(self.url)
        self.fleet = Fleet(self.redis)
        self.order = an_order()
        self.raw: deque[Order] = deque()
        self.planned: deque[PlannedOrder] = deque()
        self.returned: deque[ReturnedOrder] = deque()
        self.decisions: deque[Decision] = deque()
        self.answers: deque[WmsEvent] = deque()
        self.made: list[Decision] = []
        self.clock = 0

    def run(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(_awaited(work))

    @initialize()
    def begin(self) -> None:
        self.run(self.redis.flushall())
        for sku in (NUT, OTHER, COOKIES):
            self.run(self.fleet.stocked(50, HZ, BJ, sku=sku))
        self.raw.append(self.order)
        self.drain()

    # -- what people and platforms do

    @rule(change=st.sampled_from(sorted(CHANGES)))
    def the_platform_says(self, change: str) -> None:
        self.clock += 10
        self.order = touched(self.order, self.clock, **CHANGES[change])
        self.raw.append(self.order)

    @rule(kind=st.sampled_from(KINDS), stale=st.booleans(), to=st.sampled_from((None, BJ, HZ, "nowhere")))
    def somebody_decides(self, kind: DecisionKind, stale: bool, to: str | None) -> None:
        seen = self.order.revision if stale else self.run(self.fleet.state(self.order.uid)).revision
        given: dict[str, Any] = {"seen": seen}
        if kind is DecisionKind.RELEASE:
            given["warehouse_id"] = to
        if kind is DecisionKind.CORRECT:
            given["correction"] = Correction(lines=(LineCorrection(line_id="1", sku=COOKIES, quantity=1),))
        if kind is DecisionKind.SETTLE_FLAG:
            given["codes"] = (HoldCode.RISK_REVIEW,)
        decision = a_decision(self.order, kind, len(self.made), **given)
        self.made.append(decision)
        self.decisions += [decision, decision] if stale else [decision]

    @precondition(lambda self: self.fleet.told)
    @rule(kind=st.sampled_from(("accepted", "cancelled", "short", "rejected")))
    def the_warehouse_answers(self, kind: str) -> None:
        told = self.fleet.told[-1]
        stops = told.kind is InstructionKind.CANCEL
        if stops != (kind == "cancelled"):
            return
        self.clock += 1
        given = {"reason": "other"} if kind in ("short", "rejected") else {}
        self.answers.append(a_wms_event(told, kind, f"m{self.clock}", **given))

    @rule(change=st.sampled_from(sorted(CHANGES)), kind=st.sampled_from(KINDS))
    def both_at_once(self, change: str, kind: DecisionKind) -> None:
        """What the platform says is planned already when somebody decides, and reaches the ledger after that."""
        self.the_platform_says(change)
        while self.raw:
            self.step("raw")
        self.somebody_decides(kind, stale=False, to=None)
        while self.decisions:
            self.step("decisions")

    @precondition(lambda self: self.fleet.told and self.fleet.told[-1].kind is InstructionKind.FULFIL)
    @rule(kind=st.sampled_from(KINDS), first=st.booleans())
    def a_warehouse_gives_back_at_the_same_time(self, kind: DecisionKind, first: bool) -> None:
        self.the_warehouse_answers("short")
        self.somebody_decides(kind, stale=False, to=None)
        for which in ("answers", "decisions") if first else ("decisions", "answers"):
            self.step(which)

    # -- what the fleet does

    @rule(which=st.sampled_from(("raw", "planned", "returned", "decisions", "answers")))
    def goes_on(self, which: str) -> None:
        self.step(which)

    @precondition(lambda self: self.decisions)
    @rule(at=st.integers(1, 3), after=st.booleans())
    def a_worker_dies_while_it_applies(self, at: int, after: bool) -> None:
        agent = ApplyAgent(DyingLedger(self.redis, at, after=after), self.fleet, self.fleet.rules)
        try:
            said = self.run(self.fleet.apply(self.decisions[0], agent))
        except TransientError:
            return  # the message comes again
        self.decisions.popleft()
        self.send(said)

    def step(self, which: str) -> None:
        queue: deque[Any] = getattr(self, which)
        if not queue:
            return
        try:
            said = self.run(self.work(which, queue[0]))
        except TransientError:
            return
        queue.popleft()
        self.send(said)

    async def work(self, which: str, value: Any) -> list[Any]:
        match which:
            case "raw":
                return await self.fleet.plan_new(value)
            case "planned":
                return await self.fleet.reserve(value)
            case "returned":
                return await self.fleet.plan_again(value)
            case "decisions":
                return await self.fleet.apply(value)
        [outcome] = await FulfillAgent(self.fleet.ledger, self.fleet).handle(
            [Delivery(value, key=value.order_uid.encode(), timestamp_ms=0)]
        )
        return [] if isinstance(outcome, Exception) else list(outcome)

    def send(self, said: list[Any]) -> None:
        for event in said:
            match event:
                case PlannedOrder():
                    self.planned.append(event)
                case ReturnedOrder():
                    self.returned.append(event)
                case Decided():
                    self.fleet.decided.append(event)
                case FulfillmentInstruction():
                    if all(one.instruction_id != event.instruction_id for one in self.fleet.told):
                        self.fleet.told.append(event)

    def drain(self) -> None:
        for _ in range(300):
            if not any((self.raw, self.planned, self.returned, self.decisions, self.answers)):
                return
            for which in ("raw", "planned", "returned", "decisions", "answers"):
                self.step(which)
        raise AssertionError("it does not come to rest")

    # -- what must be

    def teardown(self) -> None:
        try:
            self.drain()
            self.check()
        finally:
            self.run(self.redis.aclose())
            self.loop.close()

    def check(self) -> None:
        answers = {answer.decision_id: answer for answer in self.fleet.decided}
        assert set(answers) == {decision.decision_id for decision in self.made}, "each is answered"
        assert all(answers[one.decision_id] == one for one in self.fleet.decided), "and in one way"
        effective = sorted((one for one in answers.values() if one.issued), key=lambda one: one.number)
        assert [one.number for one in effective] == list(range(1, len(effective) + 1))
        self.run(self.fleet.is_sound())
        state = self.run(self.fleet.state(self.order.uid))
        plan = self.run(self.fleet.plan(self.order.uid))
        assert plan.decided == len(effective), "what is in force knows of all"
        self.check_stops([one.kind for one in effective], plan, state.state)
        self.check_news(plan)

    def check_stops(self, kinds: list[DecisionKind], plan: PlannedOrder, state: OrderState | None) -> None:
        last = max((n for n, kind in enumerate(kinds) if kind is DecisionKind.RELEASE), default=-1)
        since = kinds[last + 1 :]
        if DecisionKind.CANCEL in since:
            assert plan.plan.disposition is Disposition.RELEASE
            assert state in (OrderState.RELEASED, OrderState.STOPPING, OrderState.NOTHING)
        elif DecisionKind.HOLD in since and plan.order.status is not OrderStatus.CANCELLED:
            assert HoldCode.OPERATOR_HOLD in plan.plan.hold_codes

    def check_news(self, plan: PlannedOrder) -> None:
        """The newest that the platform said is what was decided about, corrected or not."""
        assert plan.order.modified_at == self.order.modified_at
        assert plan.order.status is self.order.status
        if plan.plan.disposition is Disposition.RESERVE and self.order.holds:
            settled = [one for one in self.fleet.decided if one.settled and HoldCode.RISK_REVIEW in one.settled.codes]
            assert settled, "nobody settled what the platform asks for"


def test_people_platforms_warehouses_and_deaths_in_any_order(redis_server: RedisServer) -> None:
    People.url = redis_server.url
    slow = os.environ.get("ORDERFLEET_TEST_PROFILE") == "slow"
    run_state_machine_as_test(
        People,
        settings=settings(
            max_examples=600 if slow else 60,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_decision_meets_every_other_thing_at_every_step(redis_server: RedisServer) -> None:
    """Each thing that can overtake a decision, before it, after it and in the middle of it, each of them twice."""
    People.url = redis_server.url
    for change in CHANGES:
        for kind in (DecisionKind.RELEASE, DecisionKind.HOLD, DecisionKind.CANCEL, DecisionKind.CORRECT):
            for steps in permutations(("decisions", "raw", "planned", "returned")):
                people = People()
                people.begin()
                people.somebody_decides(kind, stale=True, to=None)
                people.the_platform_says(change)
                for which in (*steps, *steps):
                    people.step(which)
                people.teardown()
