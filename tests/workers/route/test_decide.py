"""What becomes of one order, whatever the rules, and how rules are weighed against each other."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import RuleEffect
from schemas.order import LineKind, LineStatus, Order, OrderStatus, PaymentStatus, RefundStatus
from schemas.plan import (
    Candidate,
    DeferredOrder,
    Disposition,
    OnShort,
    PlannedOrder,
    ReviewOrder,
    RuleMatch,
    TaggedOrder,
)
from tests.builders import (
    NOON,
    a_cancelled_order,
    a_flag,
    a_line,
    a_presale_order,
    a_tagged_order,
    an_order,
    an_unpaid_order,
)
from tests.sentences import effect_of, reason_of
from tests.workers.rules.examples import HEAD, ruleset_of
from workers.route.decide import decide, events_of
from workers.rules.ruleset import Ruleset

TO_HANGZHOU = "{id: to-hangzhou, priority: 5, when: {channel: taobao}, then: {assign: hangzhou}}"
TO_BEIJING = "{id: to-beijing, priority: 6, when: {channel: taobao}, then: {assign: beijing}}"
FORCE_COLD = "{id: force-cold, priority: 9, when: {shop: tea-house}, then: {force: shanghai-cold}}"
HOLD = "{id: look, priority: 9, when: {shop: tea-house, channel: taobao}, then: {hold: look at it}}"
SIMPLE = ruleset_of(TO_HANGZHOU, TO_BEIJING)


def plan(order: Order | TaggedOrder, ruleset: Ruleset = SIMPLE, at: datetime = NOON) -> PlannedOrder:
    return decide(a_tagged_order(order) if isinstance(order, Order) else order, ruleset, at)


def effects(planned: PlannedOrder) -> dict[str, str]:
    return {match.rule: effect_of(match) for match in planned.plan.matches}


def warehouses(candidates: tuple[Candidate, ...]) -> list[str]:
    return [candidate.warehouse_id for candidate in candidates]


# -- orders that no rule is asked about ------------------------------------------------------------------------------


def of(*lines: tuple[LineStatus, LineKind], status: OrderStatus = OrderStatus.TO_SHIP) -> Order:
    return an_order(
        status=status,
        lines=tuple(
            a_line(quantity=0 if is_ is LineStatus.CANCELLED else 1, line_id=str(number), status=is_, kind=kind)
            for number, (is_, kind) in enumerate(lines)
        ),
    )


OPEN, GONE, SENT = LineStatus.OPEN, LineStatus.CANCELLED, LineStatus.SHIPPED
GOODS, GIFT, SERVICE = LineKind.PURCHASE, LineKind.GIFT, LineKind.SERVICE


@pytest.mark.parametrize(
    ("order", "disposition", "reason"),
    [
        (a_cancelled_order(), Disposition.RELEASE, "the order is cancelled"),
        (a_cancelled_order(lines=()), Disposition.RELEASE, "the order is cancelled"),
        (an_order(payment=PaymentStatus.REFUNDED), Disposition.RELEASE, "the order is refunded in full"),
        (of((GONE, GOODS), (GONE, GIFT)), Disposition.RELEASE, "every line is cancelled or refunded"),
        (of((GONE, GOODS), (OPEN, SERVICE)), Disposition.RELEASE, "every line is cancelled or refunded"),
        (of((GONE, SERVICE)), Disposition.RELEASE, "every line is cancelled or refunded"),
        (an_order(status=OrderStatus.SHIPPED), Disposition.IGNORE, "the order is shipped already"),
        (an_order(status=OrderStatus.COMPLETED), Disposition.IGNORE, "the order is shipped already"),
        (
            an_order(status=OrderStatus.COMPLETED, payment=PaymentStatus.REFUNDED),
            Disposition.IGNORE,
            "the order is shipped already",
        ),
        (of((OPEN, SERVICE)), Disposition.IGNORE, "services only: nothing to ship"),
        (
            of((SENT, GOODS), (GONE, GOODS), status=OrderStatus.PART_SHIPPED),
            Disposition.IGNORE,
            "no line is left to ship",
        ),
    ],
)
def test_an_order_with_nothing_to_route(order: Order, disposition: Disposition, reason: str) -> None:
    planned = plan(order)
    assert planned.plan.disposition is disposition
    assert reason_of(planned) == reason
    assert planned.plan.ruleset == "test@1"
    assert planned.plan.matches == ()
    assert planned.plan.candidates == ()
    assert planned.plan.suggested == ()


def test_a_finished_order_is_not_held_back_by_flags() -> None:
    assert plan(a_tagged_order(a_cancelled_order(), flags=(a_flag(),))).plan.disposition is Disposition.RELEASE


def test_a_partly_shipped_order_is_routed_for_what_is_left() -> None:
    ruleset = ruleset_of("{id: two, priority: 1, when: {lines: 1, quantity: 1}, then: {assign: hangzhou}}")
    order = of((SENT, GOODS), (OPEN, GOODS), (GONE, GOODS), status=OrderStatus.PART_SHIPPED)
    assert plan(order, ruleset).plan.disposition is Disposition.RESERVE


# -- orders that a person must see -------------------------------------------------------------------------------------


def requested(status: LineStatus) -> Order:
    asked = a_line(line_id="2", status=status, refund=RefundStatus.REQUESTED)
    return an_order(lines=(a_line(), asked))


@pytest.mark.parametrize(
    ("tagged", "codes"),
    [
        (a_tagged_order(flags=(a_flag("gift-missing"), a_flag("sku-unknown"))), ("gift-missing", "sku-unknown")),
        (a_tagged_order(flags=(a_flag("sku-unknown"), a_flag("sku-unknown"))), ("sku-unknown",)),
        (a_tagged_order(an_order(holds=("risk-review", "ship-hold"))), ("risk-review", "ship-hold")),
        (a_tagged_order(an_order(status=OrderStatus.ON_HOLD)), ("platform-hold",)),
        (a_tagged_order(requested(OPEN)), ("refund-requested",)),
        (
            a_tagged_order(dataclasses.replace(requested(OPEN), holds=("paused",)), flags=(a_flag(),)),
            ("gift-missing", "paused", "refund-requested"),
        ),
    ],
)
def test_an_order_goes_to_review_with_every_reason(tagged: TaggedOrder, codes: tuple[str, ...]) -> None:
    planned = plan(tagged)
    assert planned.plan.disposition is Disposition.REVIEW
    assert planned.plan.hold_codes == codes
    assert reason_of(planned) == f"a person must decide: {', '.join(codes)}"
    assert planned.plan.candidates == ()
    assert warehouses(planned.plan.suggested) == ["hangzhou", "beijing"]
    assert effects(planned)["to-hangzhou"] == f"overruled by review: {', '.join(codes)}"


def test_a_flag_that_does_not_block_lets_the_order_through() -> None:
    planned = plan(a_tagged_order(flags=(a_flag("gift-surplus", blocks=False),)))
    assert planned.plan.disposition is Disposition.RESERVE
    assert [flag.code for flag in planned.flags] == ["gift-surplus"]


def test_a_refund_asked_for_after_the_line_has_left_does_not_hold_the_rest() -> None:
    assert plan(requested(SENT)).plan.disposition is Disposition.RESERVE


# -- presale -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order",
    [
        a_presale_order(),
        a_presale_order(payment=PaymentStatus.UNPAID),
        an_order(payment=PaymentStatus.DEPOSIT_PAID),
    ],
    ids=["deposit paid", "nothing paid", "the platform sends no presale block"],
)
def test_an_order_whose_final_part_is_unpaid_never_takes_stock_whatever_the_rules(order: Order) -> None:
    planned = plan(order, ruleset_of(FORCE_COLD))
    assert planned.plan.disposition is Disposition.DEFER
    assert reason_of(planned) == "the final part of the presale is unpaid"
    assert planned.plan.not_before is None
    assert warehouses(planned.plan.suggested) == ["shanghai-cold"]
    assert effects(planned)["force-cold"] == "overruled by the unpaid final part"


def test_an_ordinary_unpaid_order_takes_stock() -> None:
    planned = plan(an_unpaid_order())
    assert planned.plan.disposition is Disposition.RESERVE
    assert warehouses(planned.plan.candidates) == ["hangzhou", "beijing"]


# -- weighing ----------------------------------------------------------------------------------------------------------


def test_candidates_stand_in_rule_order_each_once() -> None:
    planned = plan(
        an_order(),
        ruleset_of(
            "{id: c, priority: 3, when: {always: true}, then: {assign: [hangzhou, guangzhou]}}",
            "{id: a, priority: 1, when: {always: true}, then: {assign: [beijing, hangzhou]}}",
            "{id: b, priority: 2, when: {always: true}, then: {assign: hangzhou}}",
        ),
    )
    assert planned.plan.candidates == (
        Candidate(warehouse_id="beijing", rule="a"),
        Candidate(warehouse_id="hangzhou", rule="a"),
        Candidate(warehouse_id="guangzhou", rule="c"),
    )
    assert effects(planned) == {
        "a": "candidate 1; candidate 2",
        "b": "already candidate 2",
        "c": "already candidate 2; candidate 3",
    }
    assert reason_of(planned) == "beijing first, by a; then hangzhou, guangzhou"


def test_rules_of_one_priority_stand_in_file_order() -> None:
    one = "{id: one, priority: 1, when: {always: true}, then: {assign: beijing}}"
    two = "{id: two, priority: 1, when: {always: true}, then: {assign: hangzhou}}"
    assert warehouses(plan(an_order(), ruleset_of(one, two)).plan.candidates) == ["beijing", "hangzhou"]
    assert warehouses(plan(an_order(), ruleset_of(two, one)).plan.candidates) == ["hangzhou", "beijing"]


@pytest.mark.parametrize("priority", [1, 9])
def test_force_beats_assign_whatever_the_priority(priority: int) -> None:
    force = FORCE_COLD.replace("priority: 9", f"priority: {priority}")
    planned = plan(an_order(), ruleset_of(TO_HANGZHOU, force, TO_BEIJING))
    assert planned.plan.candidates == (Candidate(warehouse_id="shanghai-cold", rule="force-cold", forced=True),)
    assert effects(planned) == {
        "to-hangzhou": "overruled by force of force-cold",
        "to-beijing": "overruled by force of force-cold",
        "force-cold": "the only candidate",
    }


def test_of_two_forces_the_first_by_priority_wins_and_the_trace_says_so() -> None:
    other = "{id: force-bj, priority: 2, when: {province: 浙江}, then: {force: beijing}}"
    same = "{id: force-again, priority: 10, when: {lines: 1}, then: {force: beijing}}"
    planned = plan(an_order(), ruleset_of(FORCE_COLD, other, same))
    assert warehouses(planned.plan.candidates) == ["beijing"]
    assert effects(planned) == {
        "force-bj": "the only candidate",
        "force-cold": "overruled by force of force-bj",
        "force-again": "agrees with force of force-bj",
    }


@pytest.mark.parametrize("priority", [1, 99])
def test_hold_beats_force_and_assign_whatever_the_priority(priority: int) -> None:
    planned = plan(an_order(), ruleset_of(TO_HANGZHOU, FORCE_COLD, HOLD.replace("9", str(priority))))
    assert planned.plan.disposition is Disposition.REVIEW
    assert planned.plan.hold_codes == ("look",)
    assert effects(planned)["look"] == "holds the order for review"
    assert effects(planned)["force-cold"] == "overruled by hold of look"
    assert warehouses(planned.plan.suggested) == ["shanghai-cold"]
    assert (
        RuleMatch(rule="look", priority=priority, action="hold: look at it", effects=(RuleEffect.HOLDS(),))
        in planned.plan.matches
    )


TOMORROW = "2026-11-12T12:00:00+08:00"
DEFER = f"{{id: wait, priority: 50, when: {{lines: 1}}, then: {{defer: {{until: {TOMORROW}}}}}}}"


def test_defer_until_a_time_beats_force_until_that_time() -> None:
    ruleset = ruleset_of(FORCE_COLD, DEFER)
    before = plan(an_order(), ruleset, NOON + timedelta(hours=23, minutes=59))
    assert before.plan.disposition is Disposition.DEFER
    assert before.plan.not_before == datetime(2026, 11, 12, 4, tzinfo=UTC)
    assert reason_of(before) == "deferred by wait until 2026-11-12T04:00+00:00"
    assert effects(before) == {"force-cold": "overruled by defer of wait", "wait": "defers the order"}
    after = plan(an_order(), ruleset, NOON + timedelta(hours=24))
    assert after.plan.disposition is Disposition.RESERVE
    assert effects(after) == {"force-cold": "the only candidate", "wait": "no effect: already due"}


def test_hold_beats_defer() -> None:
    planned = plan(an_order(), ruleset_of(TO_HANGZHOU, DEFER, HOLD))
    assert planned.plan.disposition is Disposition.REVIEW
    assert planned.plan.not_before is None
    assert effects(planned)["wait"] == "overruled by hold of look"


def test_the_first_defer_by_priority_says_until_when() -> None:
    later = DEFER.replace("id: wait, priority: 50", "id: later, priority: 51").replace("11-12", "11-13")
    planned = plan(an_order(), ruleset_of(TO_HANGZHOU, later, DEFER))
    assert planned.plan.not_before == datetime(2026, 11, 12, 4, tzinfo=UTC)
    assert effects(planned)["later"] == "overruled by defer of wait"


def test_a_defer_that_waits_for_a_presale_does_nothing_to_an_ordinary_order() -> None:
    rule = "{id: wait, priority: 1, when: {lines: 1}, then: {defer: {until: ship-not-before}}}"
    planned = plan(an_order(), ruleset_of(rule, TO_HANGZHOU))
    assert planned.plan.disposition is Disposition.RESERVE
    assert effects(planned)["wait"] == "no effect: already due"


def test_on_short_and_tags_go_with_any_action_and_the_first_on_short_wins() -> None:
    planned = plan(
        a_tagged_order(tags=("promo",)),
        ruleset_of(
            "{id: a, priority: 1, when: {lines: 1}, then: {assign: hangzhou, on_short: split, add_tag: [vip, promo]}}",
            "{id: b, priority: 2, when: {lines: 1}, then: {on_short: backorder}}",
        ),
    )
    assert planned.plan.on_short is OnShort.SPLIT
    assert planned.tags == ("promo", "vip")
    assert effects(planned) == {
        "a": "candidate 1; on short: split; adds tag vip, promo",
        "b": "on short overruled by a",
    }
    assert planned.plan.matches[0].action == "assign: hangzhou, on_short: split, add_tag: vip, promo"


def test_without_a_rule_about_shortage_the_next_candidate_is_tried() -> None:
    assert plan(an_order()).plan.on_short is OnShort.NEXT


def test_an_order_that_no_rule_gives_a_warehouse_goes_to_review() -> None:
    planned = plan(an_order(channel="jd"))
    assert planned.plan.disposition is Disposition.REVIEW
    assert planned.plan.hold_codes == ("no-rule-matched",)
    assert reason_of(planned) == "no-rule-matched: no rule names a warehouse for this order"


# -- determinism -------------------------------------------------------------------------------------------------------

POOL = (
    TO_HANGZHOU,
    TO_BEIJING.replace("priority: 6", "priority: 4"),
    FORCE_COLD,
    "{id: force-bj, priority: 8, when: {lines: 1}, then: {force: beijing}}",
    DEFER,
    HOLD.replace("priority: 9", "priority: 2"),
    "{id: short, priority: 3, when: {always: true}, then: {on_short: transfer}}",
    "{id: tag, priority: 1, when: {quantity: 1}, then: {add_tag: single, on_short: split}}",
)


@settings(deadline=None)
@given(chosen=st.permutations(POOL), count=st.integers(1, len(POOL)))
def test_with_distinct_priorities_the_order_of_the_file_does_not_matter(chosen: list[str], count: int) -> None:
    subset = chosen[:count]
    shuffled = plan(an_order(), ruleset_of(*subset))
    assert shuffled == plan(an_order(), ruleset_of(*sorted(subset)))


def test_the_same_order_and_rules_give_the_same_plan_every_time() -> None:
    plans = [plan(an_order(), ruleset_of(*rules)) for rules in permutations(POOL[:3]) for _ in range(2)]
    assert all(planned == plans[0] for planned in plans)


# -- gray rollout ------------------------------------------------------------------------------------------------------


def gray(percent: int) -> Ruleset:
    return ruleset_of(TO_HANGZHOU, head=HEAD.replace('version: "1"', f'version: "1", auto_percent: {percent}'))


def through(percent: int) -> set[int]:
    ruleset = gray(percent)
    orders = range(2000)
    return {n for n in orders if plan(an_order(str(n)), ruleset).plan.disposition is Disposition.RESERVE}


def test_a_share_goes_through_and_raising_it_only_adds_orders() -> None:
    some, more, most = through(10), through(35), through(100)
    assert through(0) == set()
    assert some < more < most
    assert len(most) == 2000
    assert 140 <= len(some) <= 260
    assert 600 <= len(more) <= 800


def test_the_rest_waits_in_review_with_the_suggestion() -> None:
    planned = plan(an_order(), gray(0))
    assert planned.plan.hold_codes == ("gray-rollout",)
    assert reason_of(planned) == "gray-rollout: outside the 0 % that go through without a person"
    assert warehouses(planned.plan.suggested) == ["hangzhou"]


def test_the_share_is_by_order_and_not_by_revision() -> None:
    ruleset = gray(50)
    for number in range(50):
        first, second = an_unpaid_order(str(number)), an_order(str(number))
        assert plan(first, ruleset).plan.disposition is plan(second, ruleset).plan.disposition


# -- what is sent on ---------------------------------------------------------------------------------------------------


def test_every_plan_is_sent_on_and_a_copy_to_those_who_review_or_wait() -> None:
    reserve, review, defer = plan(an_order()), plan(an_order(channel="jd")), plan(a_presale_order())
    release = plan(a_cancelled_order())
    assert list(events_of(reserve)) == [reserve]
    assert list(events_of(release)) == [release]
    assert list(events_of(review)) == [review, ReviewOrder(planned=review)]
    assert list(events_of(defer)) == [defer, DeferredOrder(planned=defer, not_before=None)]
