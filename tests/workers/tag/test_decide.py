"""What tagging finds out about one order."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codes import FlagReason
from schemas.order import Line, LineKind, LineStatus, Order, OrderStatus, PaymentStatus, RelatedOrder, StorageClass
from schemas.plan import Flag, TaggedOrder
from tests.builders import (
    a_cancelled_order,
    a_gift,
    a_gift_of,
    a_line,
    a_presale,
    a_presale_order,
    a_promised_gift,
    a_promotion,
    a_ship_to,
    an_order,
    an_unpaid_order,
    lines,
    no_receiver,
)
from tests.sentences import message_of
from tests.workers.rules.examples import example_catalogue, example_ruleset, ruleset_of
from workers.rules.catalogue import Binding, Catalogue, Sku
from workers.rules.tagging import Tagging
from workers.tag.decide import decide

RULE = "{id: a, priority: 1, when: {always: true}, then: {assign: hangzhou}}"


def tag(order: Order) -> TaggedOrder:
    return decide(order, example_catalogue(), example_ruleset().tagging)


def with_keywords(order: Order, *rules: str) -> TaggedOrder:
    return decide(order, example_catalogue(), ruleset_of(RULE, tagging=", ".join(rules)).tagging)


def codes(tagged: TaggedOrder) -> list[str]:
    return [flag.code for flag in tagged.flags]


def cancelled(line: Line) -> Line:
    return dataclasses.replace(line, status=LineStatus.CANCELLED, quantity=0)


def shipped(line: Line) -> Line:
    return dataclasses.replace(line, status=LineStatus.SHIPPED)


# -- from the catalogue ------------------------------------------------------------------------------------------------


def test_a_line_gets_its_category_storage_and_weight_and_keeps_all_else() -> None:
    line = a_line(
        "ICECREAM-8",
        2,
        line_id="7",
        unit_price=7600,
        paid=15000,
        platform_sku="p1",
        title="冰淇淋",
        bound_to=("1",),
        marks=("m",),
    )
    (filled,) = tag(an_order(lines=(line,))).order.lines
    assert filled == dataclasses.replace(line, category="frozen", storage_class=StorageClass.FROZEN, weight_grams=780)


def test_the_order_itself_is_not_changed() -> None:
    order = an_order(lines=lines("ICECREAM-8"))
    tagged = tag(order)
    assert order.lines[0].category == ""
    assert dataclasses.replace(tagged.order, lines=order.lines) == order


def test_tagging_twice_changes_nothing() -> None:
    once = tag(an_order(lines=(a_line("COFFEE-1KG"), a_gift("GIFT-DRIPPER"))))
    assert tag(once.order) == once


@pytest.mark.parametrize(("paid", "kind"), [(0, LineKind.GIFT), (990, LineKind.PURCHASE)], ids=["free", "paid for"])
def test_a_gift_sku_is_a_gift_unless_somebody_paid_for_it(paid: int, kind: LineKind) -> None:
    line = a_line("GIFT-TOTE", line_id="2", unit_price=990, paid=paid, title="帆布袋")
    assert tag(an_order(lines=(a_line(), line))).order.lines[1].kind is kind


def test_what_the_platform_calls_a_gift_stays_one() -> None:
    assert tag(an_order(lines=(a_line(), a_gift("MUG-350")))).order.lines[1].kind is LineKind.GIFT


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (
            an_order(lines=lines("NUT-BOX-500", "NO-SUCH")),
            Flag(
                code="sku-unknown",
                explanation=FlagReason.SKUS_UNKNOWN(skus="NO-SUCH"),
                line_ids=("2",),
            ),
        ),
        (
            an_order(lines=lines("", "NUT-BOX-500", "")),
            Flag(
                code="sku-unknown",
                explanation=FlagReason.LINES_WITHOUT_SKU(count=2),
                line_ids=("1", "3"),
            ),
        ),
        (
            an_order(lines=lines(*"ABCDEFGA")),
            Flag(
                code="sku-unknown",
                explanation=FlagReason.MANY_SKUS_UNKNOWN(skus="A, B, C, D, E", more=2),
                line_ids=("1", "2", "3", "4", "5", "6", "7", "8"),
            ),
        ),
    ],
)
def test_an_unknown_sku_blocks_and_is_named(order: Order, said: Flag) -> None:
    assert tag(order).flags == (said,)
    assert said.blocks is True


def test_a_service_or_a_cancelled_line_needs_no_known_sku() -> None:
    service = a_line("INSURANCE", line_id="2", kind=LineKind.SERVICE)
    assert tag(an_order(lines=(a_line(), service, cancelled(a_line("GONE", line_id="3"))))).flags == ()


# -- keywords and tags -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["【赠品】小样", "买赠 试用装", "FREE GIFT cup", "ｆｒｅｅ　ｇｉｆｔ"])
def test_a_title_makes_a_line_a_gift(title: str) -> None:
    tagged = tag(an_order(lines=(a_line(), a_line("MUG-350", line_id="2", title=title))))
    assert tagged.order.lines[1].kind is LineKind.GIFT
    assert tagged.tags == ("gift",)


def test_a_title_that_says_it_is_no_gift_does_not() -> None:
    assert tag(an_order(lines=(a_line(title="正装（非赠品）"),))).order.lines[0].kind is LineKind.PURCHASE


def test_a_keyword_rule_may_be_for_some_channels_only() -> None:
    rule = "{id: k, look_in: sku, keywords: [mug], channels: [taobao], then: {kind: gift}}"
    for channel, kind in (("taobao", LineKind.GIFT), ("jd", LineKind.PURCHASE)):
        order = an_order(channel=channel, lines=(a_line(), a_line("MUG-350", line_id="2")))
        assert with_keywords(order, rule).order.lines[1].kind is kind


@pytest.mark.parametrize(
    ("order", "place"),
    [
        (an_order(lines=(a_line(title="FreeShip 包装"),)), "title"),
        (an_order(lines=(a_line(marks=("freeship",)),)), "line-mark"),
        (an_order(promotions=(a_promotion("FREESHIP 11.11"),)), "promotion"),
        (an_order(promotions=(a_promotion("券", code="ＦＲＥＥＳＨＩＰ"),)), "promotion-code"),
        (an_order(marks=("freeship=1",)), "order-mark"),
        (an_order(buyer_remark="please freeship"), "buyer-remark"),
        (an_order(seller_memo="freeship"), "seller-memo"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_a_keyword_is_looked_for_where_the_rule_says(order: Order, place: str) -> None:
    places = {"title", "line-mark", "promotion", "promotion-code", "order-mark", "buyer-remark", "seller-memo"}
    rule = "{{id: k, look_in: [{}], keywords: [FREESHIP], then: {{tag: free-shipping}}}}"
    assert "free-shipping" in with_keywords(order, rule.format(place)).tags
    assert "free-shipping" not in with_keywords(order, rule.format(", ".join(sorted(places - {place})))).tags


def test_a_cancelled_line_gives_the_order_no_tag() -> None:
    rule = "{id: k, look_in: title, keywords: [FREESHIP], then: {tag: free-shipping}}"
    gone = cancelled(a_line("ICECREAM-8", line_id="2", title="FREESHIP", kind=LineKind.GIFT))
    assert with_keywords(an_order(lines=(a_line(), gone)), rule).tags == ()


def test_the_built_in_tags_and_each_only_once() -> None:
    order = an_order(
        lines=(a_line("ICECREAM-8"), a_gift("GIFT-TOTE"), a_gift("GIFT-TOTE", line_id="g2")),
        promotions=(a_promotion("PROMO 秒杀"), a_promotion("PROMO")),
        presale=a_presale(final_paid=True),
    )
    assert tag(order).tags == ("gift", "promo", "presale", "cold-chain")


def test_an_ordinary_order_has_no_tags_and_no_flags() -> None:
    tagged = tag(an_order())
    assert (tagged.tags, tagged.flags) == ((), ())


# -- gifts and their main lines ----------------------------------------------------------------------------------------


def test_a_gift_line_is_bound_to_its_main_line() -> None:
    order = an_order(lines=(a_line(line_id="1"), a_line("COFFEE-1KG", line_id="2"), a_gift("GIFT-DRIPPER")))
    tagged = tag(order)
    assert tagged.order.lines[2].bound_to == ("2",)
    assert tagged.flags == ()


def test_a_binding_of_the_platform_is_kept() -> None:
    order = an_order(lines=(a_line("COFFEE-1KG"), a_gift("GIFT-DRIPPER", bound_to=("1",))))
    assert tag(order).order.lines[1].bound_to == ("1",)


def test_a_missing_gift_is_flagged_at_its_main_line() -> None:
    assert tag(an_order(lines=lines("NUT-BOX-500", "COFFEE-1KG"))).flags == (
        Flag(
            code="gift-missing",
            explanation=FlagReason.TOO_FEW_GIFTS(main="COFFEE-1KG", gift="GIFT-DRIPPER", due=1, there=0),
            line_ids=("2",),
        ),
    )


def test_units_of_several_lines_of_one_sku_add_up_before_gifts_are_counted() -> None:
    diapers = (a_line("DIAPER-L-54", line_id="1"), a_line("DIAPER-L-54", line_id="2"))
    assert codes(tag(an_order(lines=(diapers[0],)))) == []  # one gift per two
    assert codes(tag(an_order(lines=diapers))) == ["gift-missing"]
    assert codes(tag(an_order(lines=(*diapers, a_gift("GIFT-BIB"))))) == []


def test_too_few_gifts_are_missing_and_too_many_are_only_noted() -> None:
    tea = a_line("TEA-LONGJING-250")
    (missing,) = tag(an_order(lines=(tea, a_gift("GIFT-TEA-CUP", 1)))).flags
    assert message_of(missing) == "TEA-LONGJING-250 comes with 2 of GIFT-TEA-CUP, and the order has 1"
    (surplus,) = tag(an_order(lines=(tea, a_gift("GIFT-TEA-CUP", 3)))).flags
    assert (surplus.code, surplus.blocks, surplus.line_ids) == ("gift-surplus", False, ("g1",))
    assert message_of(surplus) == "the order has 3 of GIFT-TEA-CUP, and only 2 come with TEA-LONGJING-250"


def test_a_gift_without_its_main_line_is_flagged() -> None:
    order = an_order(lines=(a_line(), a_gift("GIFT-DRIPPER")))
    assert tag(order).flags == (
        Flag(
            code="gift-without-main",
            explanation=FlagReason.GIFT_ALONE(gift="GIFT-DRIPPER", main="COFFEE-1KG"),
            line_ids=("g1",),
        ),
    )


def test_a_cancelled_main_line_leaves_its_gift_alone() -> None:
    order = an_order(lines=(a_line(line_id="1"), cancelled(a_line("COFFEE-1KG", line_id="2")), a_gift("GIFT-DRIPPER")))
    assert codes(tag(order)) == ["gift-without-main"]


def test_a_cancelled_gift_is_missing() -> None:
    order = an_order(lines=(a_line("COFFEE-1KG"), cancelled(a_gift("GIFT-DRIPPER"))))
    assert codes(tag(order)) == ["gift-missing"]


def test_main_and_gift_cancelled_together_are_no_trouble() -> None:
    pair = (cancelled(a_line("COFFEE-1KG", line_id="2")), cancelled(a_gift("GIFT-DRIPPER")))
    assert codes(tag(an_order(lines=(a_line(), *pair)))) == []


def test_a_gift_whose_main_line_the_platform_names_and_that_is_gone_is_flagged() -> None:
    order = an_order(lines=(a_line(line_id="1"), a_gift("GIFT-TOTE", bound_to=("9",))))
    (flag,) = tag(order).flags
    assert (flag.code, flag.line_ids) == ("gift-without-main", ("g1",))
    assert message_of(flag) == "the line that the gift GIFT-TOTE belongs to is gone or was never there"


def test_a_gift_that_nothing_binds_is_fine_beside_a_purchase() -> None:
    assert codes(tag(an_order(lines=(a_line(), a_gift("GIFT-TOTE"))))) == []


@pytest.mark.parametrize(
    ("fields", "flagged"),
    [
        ({}, ["gift-missing"]),
        ({"channel": "jd"}, []),  # the binding is for taobao and douyin only
        ({"placed_at": datetime(2025, 12, 31, 15, 59, 59, tzinfo=UTC)}, []),  # a second before it begins
        ({"placed_at": datetime(2025, 12, 31, 16, tzinfo=UTC)}, ["gift-missing"]),
        ({"placed_at": datetime(2030, 12, 31, 16, tzinfo=UTC)}, []),  # when it ends
    ],
)
def test_a_binding_counts_in_its_channels_and_by_the_time_of_the_order(
    fields: dict[str, Any], flagged: list[str]
) -> None:
    assert codes(tag(an_order(lines=lines("SERUM-30"), **fields))) == flagged


def test_gifts_of_a_binding_that_has_ended_are_still_at_home_with_their_main_line() -> None:
    late = datetime(2031, 1, 1, tzinfo=UTC)
    assert codes(tag(an_order(lines=(a_line("COFFEE-1KG"), a_gift("GIFT-DRIPPER")), placed_at=late))) == []


def test_an_order_of_gifts_only_is_flagged() -> None:
    assert tag(an_order(lines=(a_gift("GIFT-TOTE"),))).flags == (
        Flag(code="gift-only", explanation=FlagReason.GIFTS_ONLY(), line_ids=("g1",)),
    )


def test_the_gift_order_of_another_order_is_no_trouble() -> None:
    assert codes(tag(an_order(lines=(a_gift("GIFT-DRIPPER"),), related=(a_gift_of("1000"),)))) == []


def test_a_gift_that_comes_as_an_order_of_its_own_is_not_missing() -> None:
    related = (RelatedOrder(platform_order_id="1002", relation="gift"),)
    assert codes(tag(an_order(lines=lines("COFFEE-1KG"), related=related))) == []


def test_in_a_partly_shipped_order_what_has_left_still_counts() -> None:
    coffee, dripper = a_line("COFFEE-1KG"), a_gift("GIFT-DRIPPER")
    rest = a_line("MUG-350", line_id="3")
    part = OrderStatus.PART_SHIPPED
    assert codes(tag(an_order(lines=(shipped(coffee), shipped(dripper), rest), status=part))) == []
    assert codes(tag(an_order(lines=(coffee, shipped(dripper)), status=part))) == []
    assert codes(tag(an_order(lines=(shipped(coffee), dripper), status=part))) == ["gift-only"]


@pytest.mark.parametrize(
    ("gift", "flagged"),
    [
        (None, ["promised-gift-without-line"]),
        (a_gift("GIFT-TOTE", title="赠品 帆布袋"), ["promised-gift-without-line"]),
        (a_gift("GIFT-TOTE", title="【赠】手冲咖啡滤杯 1 只"), []),
        (a_gift("GIFT-TOTE", title="x", platform_sku="778"), []),
    ],
)
def test_a_promised_gift_needs_a_line_of_its_name_or_item(gift: Line | None, flagged: list[str]) -> None:
    ordered = (a_line(),) if gift is None else (a_line(), gift)
    promised = (a_promised_gift("咖啡滤杯", platform_item_id="778"),)
    assert codes(tag(an_order(lines=ordered, promised_gifts=promised))) == flagged


def test_two_promised_gifts_make_one_flag() -> None:
    (flag,) = tag(an_order(promised_gifts=(a_promised_gift("滤杯"), a_promised_gift("帆布袋")))).flags
    assert message_of(flag) == "the platform promises 2 gifts in words, and no line carries them"


# -- the receiver, and orders that are past it -------------------------------------------------------------------------


@pytest.mark.parametrize("payment", [PaymentStatus.PAID, PaymentStatus.CASH_ON_DELIVERY])
def test_a_paid_order_without_receiver_blocks(payment: PaymentStatus) -> None:
    (flag,) = tag(an_order(ship_to=no_receiver(), payment=payment)).flags
    assert (flag.code, flag.blocks) == ("receiver-missing", True)


@pytest.mark.parametrize(
    "order",
    [
        an_unpaid_order(ship_to=no_receiver()),
        a_presale_order(ship_to=no_receiver()),
        a_cancelled_order(ship_to=no_receiver()),
        an_order(ship_to=no_receiver(), status=OrderStatus.SHIPPED),
        an_order(ship_to=no_receiver(), lines=(a_line(kind=LineKind.SERVICE),)),
    ],
    ids=["unpaid", "deposit", "cancelled", "shipped", "services"],
)
def test_an_order_that_needs_no_receiver_yet_or_any_more_is_not_flagged(order: Order) -> None:
    assert tag(order).flags == ()


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.SHIPPED, OrderStatus.COMPLETED])
def test_nothing_is_asked_of_an_order_that_is_over(status: OrderStatus) -> None:
    order = an_order(lines=(*lines("COFFEE-1KG", "NO-SUCH"), a_gift("GIFT-BIB")), status=status)
    assert tag(order).flags == ()


def test_an_order_without_lines_blocks() -> None:
    assert codes(tag(an_order(lines=()))) == ["no-lines"]


def test_no_flag_quotes_the_receiver_or_a_remark() -> None:
    order = an_order(
        lines=(*lines("NO-SUCH", "COFFEE-1KG"), a_gift("GIFT-BIB", title="secret-title")),
        ship_to=a_ship_to(name="secret-name", street="secret-street"),
        buyer_remark="secret-remark",
        promised_gifts=(a_promised_gift("secret-gift"),),
    )
    messages = " ".join(message_of(flag) for flag in tag(order).flags)
    assert len(tag(order).flags) == 4
    assert "secret" not in messages


# -- bindings, as a property -------------------------------------------------------------------------------------------


@given(
    mains=st.lists(st.integers(1, 5), max_size=4),
    gifts=st.lists(st.integers(1, 5), max_size=4),
    per=st.integers(1, 3),
    quantity=st.integers(1, 3),
    gone=st.sets(st.integers(0, 7)),
)
def test_main_and_gift_are_flagged_exactly_when_one_lacks_the_other(
    mains: list[int], gifts: list[int], per: int, quantity: int, gone: set[int]
) -> None:
    catalogue = Catalogue(
        skus={code: Sku(code=code, title=code, category="x") for code in ("MAIN", "GIFT", "OTHER")},
        bindings=(Binding(main="MAIN", gift="GIFT", per=per, quantity=quantity),),
    )
    rows = [("MAIN", n) for n in mains] + [("GIFT", n) for n in gifts]
    ordered = [
        a_line(sku, n, line_id=str(i), kind=LineKind.GIFT if sku == "GIFT" else LineKind.PURCHASE)
        for i, (sku, n) in enumerate(rows)
    ]
    ordered = [cancelled(line) if i in gone else line for i, line in enumerate(ordered)]
    flags = codes(decide(an_order(lines=(a_line("OTHER", line_id="o"), *ordered)), catalogue, Tagging()))

    main_units = sum(line.quantity for line in ordered if line.sku == "MAIN")
    gift_units = sum(line.quantity for line in ordered if line.sku == "GIFT")
    due = main_units // per * quantity
    assert ("gift-missing" in flags) is (gift_units < due)
    assert ("gift-without-main" in flags) is (gift_units > 0 and main_units == 0)
    assert ("gift-surplus" in flags) is (main_units > 0 and gift_units > due)
    assert "gift-only" not in flags
