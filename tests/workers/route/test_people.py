"""What people decided, weighed with what rules say: settled reasons are silent, waiting is not, stops are stops."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from schemas.codes import HoldCode, PlanReason
from schemas.decision import Upheld
from schemas.order import Order, OrderStatus
from schemas.plan import Disposition, OnShort, PlannedOrder, TaggedOrder
from tests.builders import NOON, a_flag, a_line, a_presale_order, an_order
from tests.workers.rules.examples import ruleset_of
from workers.decisions.standing import settled_as
from workers.route.decide import decide
from workers.route.people import BY_HAND

ANYWHERE = "{id: all, priority: 9, when: {always: true}, then: {assign: hangzhou}}"
LOOK = "{id: look, priority: 1, when: {channel: [taobao]}, then: {hold: a look}}"
PRESALE = "{id: pre, priority: 2, when: {presale: true}, then: {defer: {until: final-payment}}}"
GRAY = """\
ruleset: {name: test, version: "1", auto_percent: 0}
warehouses: [{id: hangzhou}, {id: shanghai-cold}, {id: guangzhou}, {id: beijing}]
"""
RISKY = an_order(status=OrderStatus.ON_HOLD, holds=(HoldCode.RISK_REVIEW,))


def planned(
    order: Order, upheld: Upheld | None, *rules: str, head: str = "", flags: tuple[str, ...] = ()
) -> PlannedOrder:
    tagged = TaggedOrder(order=order, upheld=upheld, flags=tuple(a_flag(code) for code in flags))
    ruleset = ruleset_of(*(rules or (ANYWHERE,)), **({"head": head} if head else {}))
    return decide(tagged, ruleset, NOON)


def settling(order: Order, *codes: str, to: tuple[str, ...] = (), split: bool = False) -> Upheld:
    return Upheld(number=1, settled=settled_as(order, codes, to, split=split))


def test_what_nobody_decided_about_is_decided_by_the_rules_alone() -> None:
    assert planned(RISKY, None).plan == planned(RISKY, Upheld()).plan


def test_a_plan_says_how_many_decisions_it_knows() -> None:
    assert planned(RISKY, Upheld(number=7)).decided == 7


def test_a_settled_reason_a_settled_rule_and_the_rollout_ask_no_more() -> None:
    upheld = settling(RISKY, HoldCode.RISK_REVIEW, "look", HoldCode.GRAY_ROLLOUT)
    plan = planned(RISKY, upheld, LOOK, ANYWHERE, head=GRAY).plan
    assert (plan.disposition, [one.warehouse_id for one in plan.candidates]) == (Disposition.RESERVE, ["hangzhou"])


def test_each_of_them_asks_when_it_alone_is_not_settled() -> None:
    every = (HoldCode.RISK_REVIEW, "look", HoldCode.GRAY_ROLLOUT)
    for missing in every:
        upheld = settling(RISKY, *(code for code in every if code != missing))
        assert planned(RISKY, upheld, LOOK, ANYWHERE, head=GRAY).plan.hold_codes == (missing,)


def test_more_units_than_were_settled_ask_for_all_again() -> None:
    more = replace(RISKY, lines=(a_line(quantity=9),))
    assert planned(more, settling(RISKY, HoldCode.RISK_REVIEW)).plan.hold_codes == (HoldCode.RISK_REVIEW,)


def test_a_persons_warehouse_stands_before_the_rules_and_where_they_name_none() -> None:
    for rules in ((ANYWHERE,), ("{id: none, priority: 1, when: {channel: [jd]}, then: {assign: beijing}}",)):
        plan = planned(RISKY, settling(RISKY, HoldCode.RISK_REVIEW, to=("guangzhou",)), *rules).plan
        assert plan.disposition is Disposition.RESERVE
        assert [(one.warehouse_id, one.rule) for one in plan.candidates] == [("guangzhou", BY_HAND)]
        assert plan.explanation == PlanReason.ASSIGNED_BY_HAND(warehouses="guangzhou")


def test_a_release_does_not_ship_what_is_not_paid_in_full() -> None:
    order = a_presale_order(holds=(HoldCode.RISK_REVIEW,))
    plan = planned(order, settling(order, HoldCode.RISK_REVIEW, to=("guangzhou",)), PRESALE, ANYWHERE).plan
    assert plan.disposition is Disposition.DEFER
    assert [one.warehouse_id for one in plan.suggested] == ["guangzhou"]


def test_a_hold_a_new_flag_and_an_overtaken_correction_ask_though_all_else_is_settled() -> None:
    upheld = replace(settling(RISKY, HoldCode.RISK_REVIEW), held=True, overtaken=True)
    plan = planned(RISKY, upheld, flags=(HoldCode.GIFT_MISSING,)).plan
    assert set(plan.hold_codes) == {HoldCode.OPERATOR_HOLD, HoldCode.CORRECTION_OVERTAKEN, HoldCode.GIFT_MISSING}


def test_a_cancellation_stands_whatever_else_is_said() -> None:
    upheld = replace(settling(RISKY, HoldCode.RISK_REVIEW), cancelled=True, held=True)
    later = replace(RISKY, modified_at=NOON + timedelta(days=1))
    for order in (RISKY, later, an_order(status=OrderStatus.SHIPPED)):
        plan = planned(order, upheld).plan
        assert (plan.disposition, plan.explanation) == (Disposition.RELEASE, PlanReason.CANCELLED_BY_HAND())


def test_consent_to_several_parcels_is_part_of_the_plan() -> None:
    assert planned(RISKY, settling(RISKY, HoldCode.RISK_REVIEW, split=True)).plan.on_short is OnShort.SPLIT


def test_warehouses_that_gave_it_back_stay_known() -> None:
    plan = planned(RISKY, Upheld(number=1, gave_up=("hangzhou",), returns=2)).plan
    assert (plan.gave_up, plan.returns) == (("hangzhou",), 2)
