"""Decisions of people on a real Redis, through the way of all orders: what they come to, once, and what lasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.codes import HoldCode
from schemas.decision import Correction, DecisionKind, DecisionRefusal, LineCorrection, ReceiverCorrection
from schemas.fulfillment import InstructionKind
from schemas.order import OrderStatus
from schemas.plan import Disposition
from schemas.revision import is_same_state, tries_of
from tests.builders import a_line, a_ship_to, an_order
from tests.workers.apply.fleet import BJ, COOKIES, HZ, NUT, Fleet, a_decision, touched
from workers.apply.agent import ApplyAgent
from workers.inventory.keys import order_key
from workers.inventory.records import OrderState
from workers.runtime.errors import PermanentError
from workers.runtime.stage import Delivery
from workers.uphold.agent import uphold_new

UNKNOWN = "NO-SUCH-SKU"
RELEASE, HOLD, CANCEL = DecisionKind.RELEASE, DecisionKind.HOLD, DecisionKind.CANCEL
REDECIDE, CORRECT, NOTE = DecisionKind.REDECIDE, DecisionKind.CORRECT, DecisionKind.NOTE
RISKY = an_order(status=OrderStatus.ON_HOLD, holds=(HoldCode.RISK_REVIEW,))


@pytest.fixture
def fleet(redis: Redis) -> Fleet:
    return Fleet(redis)


async def in_review(fleet: Fleet) -> None:
    await fleet.stocked(100, HZ, BJ)
    await fleet.platform(RISKY)
    assert (await fleet.plan(RISKY.uid)).plan.disposition is Disposition.REVIEW
    assert not fleet.told


async def test_a_released_order_ships_as_suggested(fleet: Fleet) -> None:
    await in_review(fleet)
    [answer] = await fleet.decide(a_decision(RISKY, RELEASE))
    assert answer.is_done
    assert [(each.kind, each.warehouse_id) for each in fleet.told] == [(InstructionKind.FULFIL, HZ)]
    assert is_same_state(answer.issued, RISKY.revision)
    assert (await fleet.state(RISKY.uid)).revision == answer.issued
    await fleet.is_sound()


async def test_a_released_order_ships_from_the_named_warehouse_and_goes_on_doing_so(fleet: Fleet) -> None:
    await in_review(fleet)
    await fleet.decide(a_decision(RISKY, RELEASE, warehouse_id=BJ))
    assert fleet.told[-1].warehouse_id == BJ
    await fleet.last_told("short", reason="other")
    assert (await fleet.state(RISKY.uid)).state is OrderState.BACKORDERED, "no other warehouse was named"


async def test_what_is_settled_does_not_ask_again_when_the_platform_touches_the_order(fleet: Fleet) -> None:
    await in_review(fleet)
    await fleet.decide(a_decision(RISKY, RELEASE))
    later = touched(RISKY, seller_flag="red")
    await fleet.platform(later)
    assert (await fleet.plan(RISKY.uid)).order.revision == later.revision
    assert (await fleet.plan(RISKY.uid)).plan.disposition is Disposition.RESERVE
    assert InstructionKind.CANCEL not in fleet.kinds()


@pytest.mark.parametrize(
    "change",
    [
        {"lines": (a_line(quantity=2),)},
        {"ship_to": a_ship_to(province="广东省", city="广州市")},
        {"holds": (HoldCode.RISK_REVIEW, HoldCode.REFUND_REQUESTED)},
    ],
    ids=["more units", "another address", "a new reason"],
)
async def test_more_units_another_address_or_a_new_reason_asks_again(fleet: Fleet, change: dict[str, Any]) -> None:
    await in_review(fleet)
    await fleet.decide(a_decision(RISKY, RELEASE))
    await fleet.platform(touched(RISKY, **change))
    plan = (await fleet.plan(RISKY.uid)).plan
    assert plan.disposition is Disposition.REVIEW
    assert fleet.kinds()[-1] is InstructionKind.CANCEL, "the warehouse is told to stop until a person has looked"


async def test_a_hold_stops_a_warehouse_that_was_told_and_outlives_the_platforms_word(fleet: Fleet) -> None:
    await fleet.stocked()
    order = an_order()
    await fleet.platform(order)
    [answer] = await fleet.decide(a_decision(order, HOLD))
    assert answer.is_done
    assert fleet.kinds() == [InstructionKind.FULFIL, InstructionKind.CANCEL]
    later = touched(order)
    await fleet.platform(later)
    assert (await fleet.plan(order.uid)).plan.hold_codes == (HoldCode.OPERATOR_HOLD,)
    await fleet.last_told("cancelled")
    [answer] = await fleet.decide(a_decision(later, RELEASE, 2))
    assert answer.is_done
    assert fleet.kinds()[-1] is InstructionKind.FULFIL
    await fleet.is_sound()


async def test_a_cancelled_order_gives_its_stock_back_once_the_warehouse_has_stopped(fleet: Fleet) -> None:
    await fleet.stocked(10)
    order = an_order()
    await fleet.platform(order)
    await fleet.decide(a_decision(order, CANCEL))
    assert (await fleet.state(order.uid)).state is OrderState.STOPPING
    await fleet.last_told("cancelled")
    await fleet.platform(touched(order))
    assert (await fleet.state(order.uid)).state is OrderState.RELEASED
    assert [level.available_to_promise for level in await fleet.ledger.stock.levels(HZ)] == [10]


async def test_a_corrected_sku_outlives_later_revisions(fleet: Fleet) -> None:
    await fleet.stocked()
    order = an_order(lines=(a_line(UNKNOWN),))
    await fleet.platform(order)
    wish = Correction(lines=(LineCorrection(line_id="1", sku=NUT),))
    [answer] = await fleet.decide(a_decision(order, CORRECT, correction=wish))
    assert answer.is_done
    assert [line.sku for line in fleet.told[-1].purchased] == [NUT]
    await fleet.platform(touched(order))
    assert [line.sku for line in (await fleet.plan(order.uid)).order.lines] == [NUT]
    assert fleet.kinds() == [InstructionKind.FULFIL], "nothing changes for the warehouse"


async def test_no_instruction_says_another_thing_when_the_platforms_record_is_read_again(fleet: Fleet) -> None:
    """As a worker does that died before it had acknowledged the record: by then, people have decided."""
    await fleet.stocked(100, HZ)
    await fleet.stocked(100, HZ, sku=COOKIES)
    order = an_order()
    await fleet.platform(order)
    carried_out = fleet.planned[-1]
    await fleet.decide(
        a_decision(order, CORRECT, correction=Correction(lines=(LineCorrection(line_id="1", sku=COOKIES),)))
    )
    told = {each.instruction_id: each for each in fleet.told}
    await fleet.platform(order)
    await fleet.carry(await fleet.reserve(carried_out))
    assert [each for each in fleet.told if each != told[each.instruction_id]] == []
    assert len(fleet.told) > len(told), "what was carried out is said again"


async def test_a_platform_that_changes_what_was_corrected_brings_the_order_back(fleet: Fleet) -> None:
    await fleet.stocked(100, sku=COOKIES)
    await fleet.stocked()
    order = an_order(lines=(a_line(UNKNOWN),))
    await fleet.platform(order)
    wish = Correction(lines=(LineCorrection(line_id="1", sku=NUT),))
    await fleet.decide(a_decision(order, CORRECT, correction=wish))
    later = touched(order, lines=(a_line(COOKIES),))
    await fleet.platform(later)
    plan = (await fleet.plan(order.uid)).plan
    assert plan.hold_codes == (HoldCode.CORRECTION_OVERTAKEN,)
    [answer] = await fleet.decide(a_decision(later, RELEASE, 2))
    assert answer.is_done
    await fleet.last_told("cancelled")
    assert [line.sku for line in (await fleet.plan(order.uid)).order.lines] == [COOKIES], (
        "the platform's word counts then"
    )


async def test_a_corrected_receiver_outlives_a_touch_but_not_another_address(fleet: Fleet) -> None:
    await fleet.stocked()
    order = an_order()
    await fleet.platform(order)
    moved = ReceiverCorrection(province="上海", city="上海市", street="示例路 9 号", name="示例", phone="00000000000")
    await fleet.decide(a_decision(order, CORRECT, correction=Correction(receiver=moved)))
    assert fleet.told[-1].ship_to.street == "示例路 9 号"
    await fleet.platform(touched(order))
    assert (await fleet.plan(order.uid)).order.ship_to.street == "示例路 9 号"
    await fleet.platform(touched(order, 120, ship_to=a_ship_to(province="广东省")))
    assert (await fleet.plan(order.uid)).plan.hold_codes == (HoldCode.CORRECTION_OVERTAKEN,)


async def test_a_decision_comes_into_force_though_a_newer_revision_was_planned_without_it(fleet: Fleet) -> None:
    await fleet.stocked()
    order = an_order()
    await fleet.platform(order)
    later = touched(order)
    on_its_way = await fleet.plan_new(later)
    await fleet.decide(a_decision(order, HOLD))
    await fleet.carry(on_its_way)
    plan = await fleet.plan(order.uid)
    assert is_same_state(plan.order.revision, later.revision)
    assert plan.plan.hold_codes == (HoldCode.OPERATOR_HOLD,)
    assert fleet.kinds()[-1] is InstructionKind.CANCEL


async def test_a_decision_that_comes_twice_is_applied_once(fleet: Fleet) -> None:
    await in_review(fleet)
    one = a_decision(RISKY, RELEASE)
    first = await fleet.apply(one)
    assert await fleet.apply(one) == first, "the same, byte by byte, while nothing of it is known to be in force"
    await fleet.carry(first)
    again = await fleet.apply(one)
    assert again == first[:1], "only the answer once it is in force"
    await fleet.carry(again)
    assert fleet.kinds() == [InstructionKind.FULFIL]


async def test_two_decisions_before_any_is_in_force_are_both_in_it(fleet: Fleet) -> None:
    await in_review(fleet)
    first = await fleet.apply(a_decision(RISKY, RELEASE))
    second = await fleet.apply(a_decision(RISKY, HOLD, 2))
    await fleet.carry([*first, *second])
    plan = await fleet.plan(RISKY.uid)
    assert plan.plan.hold_codes == (HoldCode.OPERATOR_HOLD,)
    assert tries_of(plan.order.revision) == 4


async def test_a_note_changes_nothing(fleet: Fleet) -> None:
    await in_review(fleet)
    [answer] = await fleet.decide(a_decision(RISKY, NOTE))
    assert (answer.is_done, answer.issued) == (True, "")


async def test_an_unknown_order_is_refused(fleet: Fleet) -> None:
    [answer] = await fleet.decide(a_decision(an_order("404"), HOLD))
    assert answer.code is DecisionRefusal.UNKNOWN_ORDER


async def test_redeciding_takes_the_rules_of_today(fleet: Fleet) -> None:
    from tests.workers.rules.examples import example_catalogue, ruleset_of
    from workers.rules.provider import FixedRules
    from workers.rules.ruleset import Rulebook

    await fleet.stocked(100, HZ, BJ)
    fleet.rules = FixedRules(
        Rulebook(ruleset_of("{id: stop, priority: 1, when: {always: true}, then: {hold: a look}}"), example_catalogue())
    )
    order = an_order()
    await fleet.platform(order)
    assert (await fleet.plan(order.uid)).plan.hold_codes == ("stop",)
    fleet.rules = FixedRules(
        Rulebook(
            ruleset_of("{id: go, priority: 1, when: {always: true}, then: {assign: beijing}}"), example_catalogue()
        )
    )
    await fleet.decide(a_decision(order, REDECIDE))
    assert fleet.told[-1].warehouse_id == BJ


async def test_ten_thousand_decisions_for_one_order_end_and_hold_up_no_other(fleet: Fleet) -> None:
    """In one chunk with a decision about another order, as one partition would bring them."""
    await in_review(fleet)
    other = replace(RISKY, uid="taobao:tea-house:2", platform_order_id="2")
    await fleet.platform(other)
    flood = [a_decision(RISKY, NOTE, number) for number in range(1, 10_001)]
    reads = fleet.reads

    said = await fleet.apply_all([*flood, a_decision(other, RELEASE)])

    codes = [answer[0].code for answer in said]
    assert codes == [None] * 100 + [DecisionRefusal.TOO_MANY_DECISIONS] * 9_900 + [None]
    assert fleet.reads - reads <= 2, "the order is read from Kafka once"


async def test_a_damaged_standing_sets_its_order_aside_and_no_other(fleet: Fleet, redis: Redis) -> None:
    await in_review(fleet)
    await redis.hset(order_key(RISKY.uid), "standing", b"{")
    other = replace(RISKY, uid="taobao:tea-house:2", platform_order_id="2")
    deliveries = [Delivery(order, key=order.uid.encode()) for order in (touched(RISKY), other)]

    first, second = await uphold_new(fleet).handle(deliveries)

    assert isinstance(first, PermanentError)
    assert first.reason == "unreadable-standing"
    assert isinstance(second, Sequence)
    decisions = [Delivery(a_decision(order, HOLD), key=order.uid.encode()) for order in (RISKY, other)]
    outcomes = await ApplyAgent(fleet.ledger, fleet, fleet.rules).handle(decisions)
    assert [isinstance(outcome, PermanentError) for outcome in outcomes] == [True, False]
