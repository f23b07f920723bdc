"""Every predicate, once holding and once not, on orders that differ in nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.order import Line, LineKind, LineStatus, Order, OrderStatus, PaymentStatus, Privacy, lines_to_ship
from schemas.plan import Disposition
from tests.builders import (
    NOON,
    a_gift,
    a_line,
    a_presale,
    a_ship_to,
    a_tagged_order,
    an_order,
    an_unpaid_order,
    lines,
)
from tests.workers.rules.examples import HEAD, example_catalogue, ruleset_of
from workers.admin.rule_trial import try_order
from workers.route.decide import decide
from workers.rules.condition_parsing import PREDICATES
from workers.rules.facts import Facts
from workers.rules.ruleset import Ruleset


def asking(when: str, tagging: str = "", head: str = HEAD) -> Ruleset:
    return ruleset_of(
        f"{{id: asked, priority: 1, when: {when}, then: {{assign: hangzhou}}}}", tagging=tagging, head=head
    )


def holds(when: str, order: Order, at: datetime = NOON, tagging: str = "") -> bool:
    planned = try_order(asking(when, tagging), example_catalogue(), order, at)
    assert planned.plan.disposition in (Disposition.RESERVE, Disposition.REVIEW, Disposition.DEFER)
    return [match.rule for match in planned.plan.matches] == ["asked"]


def to(*place: str, **fields: Any) -> Order:
    return an_order(ship_to=a_ship_to(*place, **fields))


TWO = (a_line(line_id="1"), a_line("ICECREAM-8", 3, line_id="2", unit_price=7600, marks=("cold=1",)))

CASES: list[tuple[str, Order, Order]] = [
    # the receiver
    ("{country: [CN, HK]}", to(), to(country="US")),
    ("{region: 华东}", to("江西省"), to("湖北省")),
    ("{region: [华东, 华中]}", to("湖北省"), to("广东省")),
    ("{province: 浙江}", to("浙江省"), to("江苏省")),
    ("{province: 浙江省}", to("浙江"), to("江苏")),
    ("{province: [广西壮族自治区, 北京市]}", to("广西"), to("广东")),
    ("{province: 北京}", to("北京市", "北京市"), to("河北省")),
    ("{city: 杭州}", to("浙江省", "杭州市"), to("浙江省", "宁波市")),
    ("{city: 杭州市}", to("浙江省", "杭州"), to("浙江省", "")),
    ("{city: 上海}", to("上海市", ""), to("江苏省", "苏州市")),
    ("{district: [西湖, 余杭区]}", to("浙江省", "杭州市", "余杭区"), to("浙江省", "杭州市", "滨江区")),
    # lines: any of them
    ("{category: frozen}", an_order(lines=TWO), an_order()),
    ("{storage: [chilled, frozen]}", an_order(lines=lines("CHERRY-2KG")), an_order()),
    ("{sku: ICECREAM-8}", an_order(lines=TWO), an_order()),
    ('{sku: "ICE*"}', an_order(lines=TWO), an_order()),
    ("{kind: gift}", an_order(lines=(a_line(), a_gift("GIFT-TOTE"))), an_order()),
    ("{kind: purchase}", an_order(), an_order(lines=(a_gift("GIFT-TOTE"),))),
    ("{mark: cold=1}", an_order(lines=TWO), an_order()),
    ("{mark: vip}", an_order(marks=("vip",)), an_order(marks=("vap",))),
    # lines: one that is all of it, and every one
    (
        "{some: {category: frozen, quantity: 3}}",
        an_order(lines=TWO),
        an_order(lines=(a_line(quantity=3), *lines("PRAWN-800"))),
    ),
    ("{some: {sku: ICECREAM-8, mark: cold=1}}", an_order(lines=TWO), an_order(lines=lines("ICECREAM-8"))),
    ("{every: {storage: frozen}}", an_order(lines=lines("PRAWN-800", "ICECREAM-8")), an_order(lines=TWO)),
    ("{every: {category: [snacks, frozen]}}", an_order(lines=TWO), an_order(lines=lines("NUT-BOX-500", "MUG-350"))),
    ("{every: {kind: purchase}}", an_order(), an_order(lines=(a_line(), a_gift("GIFT-TOTE")))),
    ("{some: {amount_fen: {over: 20000}}}", an_order(lines=TWO), an_order()),
    ("{every: {weight_grams: {at_most: 650}}}", an_order(), an_order(lines=(a_line(quantity=2),))),
    ("{gift_only: true}", an_order(lines=(a_gift("GIFT-TOTE"),)), an_order(lines=(a_line(), a_gift("GIFT-TOTE")))),
    ("{gift_only: false}", an_order(), an_order(lines=(a_gift("GIFT-TOTE"),))),
    # the order
    ("{channel: taobao}", an_order(), an_order(channel="jd")),
    ("{shop: [tea-house, other]}", an_order(), an_order(shop_id="snack-bar")),
    ("{tag: presale}", an_order(presale=a_presale(final_paid=True)), an_order()),
    ("{currency: CNY}", an_order(), an_order(currency="USD")),
    ("{seller_flag: red}", an_order(seller_flag="red"), an_order(seller_flag="")),
    ("{payment: [paid, cash-on-delivery]}", an_order(payment=PaymentStatus.CASH_ON_DELIVERY), an_unpaid_order()),
    ("{status: to-ship}", an_order(), an_order(status=OrderStatus.PART_SHIPPED)),
    (
        "{buyer_remark: {contains: [加急, URGENT]}}",
        an_order(buyer_remark="请ｕｒｇｅｎｔ发货"),
        an_order(buyer_remark="不急"),
    ),
    ("{buyer_remark: {present: true}}", an_order(buyer_remark="x"), an_order()),
    ("{seller_memo: {present: false}}", an_order(), an_order(seller_memo="x")),
    ("{seller_memo: {contains: 换货}}", an_order(seller_memo="客户要求换货"), an_order(buyer_remark="换货")),
    # presale
    ("{presale: true}", an_order(presale=a_presale(final_paid=True)), an_order()),
    ("{presale: false}", an_order(), an_order(presale=a_presale(final_paid=True))),
    ("{presale: final-unpaid}", an_order(presale=a_presale()), an_order(presale=a_presale(final_paid=True))),
    ("{presale: final-unpaid}", an_order(payment=PaymentStatus.DEPOSIT_PAID), an_order()),
    (
        "{presale: not-due}",
        an_order(presale=a_presale(final_paid=True, ship_not_before=NOON + timedelta(seconds=1))),
        an_order(presale=a_presale(final_paid=True, ship_not_before=NOON)),
    ),
    (
        "{presale: due}",
        an_order(presale=a_presale(final_paid=True, ship_not_before=NOON)),
        an_order(presale=a_presale(final_paid=True, ship_not_before=NOON + timedelta(seconds=1))),
    ),
    # numbers
    ("{amount_fen: 12800}", an_order(), an_order(lines=(a_line(unit_price=12801),))),
    ("{amount_fen: {at_least: 12800, under: 12801}}", an_order(), an_order(lines=(a_line(unit_price=12801),))),
    ("{quantity: {over: 3}}", an_order(lines=TWO), an_order(lines=(a_line(quantity=3),))),
    ("{lines: {at_least: 2}}", an_order(lines=TWO), an_order(lines=(a_line(quantity=9),))),
    ("{weight_grams: 2990}", an_order(lines=TWO), an_order()),
    # times
    (
        "{placed: {from: 2026-11-11T12:00:00+08:00, to: 2026-11-11T12:00:01+08:00}}",
        an_order(),
        an_order(placed_at=NOON + timedelta(seconds=1)),
    ),
    ("{paid: {to: 2026-11-11T12:02:00+08:00}}", an_order(), an_unpaid_order()),
    ('{placed_time: {from: "12:00", to: "12:01"}}', an_order(), an_order(placed_at=NOON - timedelta(seconds=1))),
    ("{placed_time: {from: 22:00, to: 06:00}}", an_order(placed_at=NOON + timedelta(hours=11)), an_order()),
    ("{placed_time: {from: 22:00, to: 06:00}}", an_order(placed_at=NOON - timedelta(hours=7)), an_order()),
    # trees
    ("{province: 浙江, category: frozen}", an_order(lines=TWO), an_order()),
    ("{all: [{province: 浙江}, {category: frozen}]}", an_order(lines=TWO), an_order()),
    ("{any: [{province: 广东}, {category: frozen}]}", an_order(lines=TWO), an_order()),
    ("{not: {category: frozen}}", an_order(), an_order(lines=TWO)),
]


@pytest.mark.parametrize(("when", "yes", "no"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)])
def test_a_predicate_holds_for_one_order_and_not_for_the_other(when: str, yes: Order, no: Order) -> None:
    assert holds(when, yes)
    assert not holds(when, no)


def test_every_predicate_is_tried() -> None:
    """`always` and what asks for the time of the decision have tests of their own below."""
    tried = {word for when, _, _ in CASES for word in re.findall(r"(\w+): ", when)}
    assert set(PREDICATES) - tried == {"always", "decided", "decided_time"}


def test_lines_that_are_not_to_be_shipped_do_not_count() -> None:
    gone: list[Line] = [
        a_line("ICECREAM-8", line_id="2", status=LineStatus.CANCELLED),
        a_line("ICECREAM-8", line_id="2", status=LineStatus.SHIPPED),
        a_line("ICECREAM-8", 0, line_id="2"),
        a_line("ICECREAM-8", line_id="2", kind=LineKind.SERVICE),
    ]
    for line in gone:
        order = an_order(lines=(a_line(), line))
        assert not holds("{category: frozen}", order)
        assert holds("{every: {category: snacks}}", order)
        assert holds("{lines: 1}", order)


def test_the_time_of_the_decision_is_an_argument() -> None:
    window = "{decided: {from: 2026-11-11T00:00:00+08:00, to: 2026-11-12T00:00:00+08:00}}"
    assert holds(window, an_order(), at=NOON)
    assert not holds(window, an_order(), at=NOON + timedelta(hours=12))
    assert holds("{decided_time: {from: 12:00, to: 13:00}}", an_order(), at=NOON)
    assert not holds("{decided_time: {from: 12:00, to: 13:00}}", an_order(), at=NOON + timedelta(hours=1))


def test_times_of_day_are_told_in_the_rulesets_own_offset() -> None:
    head = HEAD.replace('version: "1"', 'version: "1", utc_offset: "-05:00"')
    ruleset = asking("{placed_time: {from: 23:00, to: 23:30}}", head=head)  # noon in Beijing is 23:00 in New York
    assert try_order(ruleset, example_catalogue(), an_order()).plan.disposition is Disposition.RESERVE


def test_a_tag_from_a_keyword_can_be_asked_for() -> None:
    tagging = "{id: urgent, look_in: buyer-remark, keywords: [加急], then: {tag: urgent}}"
    assert holds("{tag: urgent}", an_order(buyer_remark="加急！"), tagging=tagging)
    assert not holds("{tag: urgent}", an_order(buyer_remark=""), tagging=tagging)


def test_always_holds_even_for_an_order_that_goes_to_review() -> None:
    assert holds("{always: true}", an_order())
    assert holds("{always: true}", an_order(ship_to=a_ship_to(privacy=Privacy.MISSING)))


def test_every_line_of_no_lines_holds_for_nothing() -> None:
    ruleset = asking("{every: {kind: purchase}}")
    order = an_order(lines=())
    assert not ruleset.rules[0].holds(Facts(a_tagged_order(order), NOON, lines_to_ship(order)))


def test_an_order_of_500_lines_is_planned_like_any_other() -> None:
    order = an_order(lines=tuple(a_line(line_id=str(number)) for number in range(500)))
    planned = try_order(asking("{quantity: 500, lines: 500, category: snacks}"), example_catalogue(), order)
    assert planned.plan.disposition is Disposition.RESERVE
    assert len(planned.order.lines) == 500


# -- trees, against a truth table ---------------------------------------------------------------------------------

Tree = str | tuple[str, list["Tree"]]

NAMES = ("a", "b", "c", "d")
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: (
        st.tuples(st.sampled_from(("all", "any")), st.lists(inner, min_size=1, max_size=3))
        | st.tuples(st.just("not"), st.lists(inner, min_size=1, max_size=1))
    ),
    max_leaves=12,
)


def spelled(tree: Tree) -> str:
    if isinstance(tree, str):
        return f"{{mark: {tree}}}"
    operator, members = tree
    if operator == "not":
        return f"{{not: {spelled(members[0])}}}"
    return f"{{{operator}: [{', '.join(map(spelled, members))}]}}"


def truth(tree: Tree, marks: frozenset[str]) -> bool:
    if isinstance(tree, str):
        return tree in marks
    operator, members = tree
    values = [truth(member, marks) for member in members]
    return {"all": all(values), "any": any(values), "not": not values[0]}[operator]


@settings(deadline=None)
@given(tree=TREES, marks=st.frozensets(st.sampled_from(NAMES)))
def test_trees_agree_with_their_truth_table(tree: Tree, marks: frozenset[str]) -> None:
    order = an_order(marks=tuple(sorted(marks)))
    matched = decide(a_tagged_order(order), asking(spelled(tree)), datetime(2026, 1, 1, tzinfo=UTC)).plan.matches
    assert bool(matched) is truth(tree, marks)
