"""The seller's own table, line by line and in combination, on the shipped ruleset."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.codes import RuleEffect
from schemas.order import LineStatus, Order, OrderStatus, PaymentStatus
from schemas.plan import Disposition, OnShort, PlannedOrder, RuleMatch
from tests.builders import (
    NOON,
    a_gift,
    a_line,
    a_presale,
    a_presale_order,
    a_ship_to,
    an_order,
    an_unpaid_order,
    lines,
    no_receiver,
)
from tests.sentences import effect_of, reason_of
from tests.workers.rules.examples import example_catalogue, example_ruleset
from workers.admin.rule_trial import try_order
from workers.rules.region import MAINLAND, REGIONS

LATER = NOON + timedelta(days=9)


def plan(order: Order) -> PlannedOrder:
    return try_order(example_ruleset(), example_catalogue(), order)


def candidates(planned: PlannedOrder) -> list[str]:
    return [candidate.warehouse_id for candidate in planned.plan.candidates]


def suggested(planned: PlannedOrder) -> list[str]:
    return [candidate.warehouse_id for candidate in planned.plan.suggested]


def match(planned: PlannedOrder, rule: str) -> RuleMatch:
    return next(match for match in planned.plan.matches if match.rule == rule)


# -- line 1: 华东 -> hangzhou ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("province", ["上海", "江苏省", "浙江", "安徽省", "福建省", "江西省", "山东省"])
def test_an_order_from_east_china_goes_to_hangzhou(province: str) -> None:
    planned = plan(an_order(ship_to=a_ship_to(province)))
    assert planned.plan.disposition is Disposition.RESERVE
    assert candidates(planned) == ["hangzhou"]
    assert planned.plan.candidates[0].rule == "east-to-hangzhou"
    assert planned.plan.candidates[0].forced is False
    assert reason_of(planned) == "hangzhou, by east-to-hangzhou"
    assert planned.plan.ruleset == "seller-example@2026.1"
    assert match(planned, "east-to-hangzhou") == RuleMatch(
        rule="east-to-hangzhou", priority=1, action="assign: hangzhou", effects=(RuleEffect.CANDIDATE(number=1),)
    )


# -- line 2: cold chain -> force shanghai-cold -------------------------------------------------------------------------


@pytest.mark.parametrize("sku", ["CHERRY-2KG", "YOGURT-12", "ICECREAM-8", "DUMPLING-1KG", "PRAWN-800"])
@pytest.mark.parametrize("province", ["浙江省", "广东省", "西藏自治区"])
def test_a_cold_chain_order_is_forced_to_shanghai_cold_from_anywhere(sku: str, province: str) -> None:
    planned = plan(an_order(lines=lines(sku), ship_to=a_ship_to(province)))
    assert planned.plan.disposition is Disposition.RESERVE
    assert candidates(planned) == ["shanghai-cold"]
    assert planned.plan.candidates[0].forced is True
    assert "cold-chain" in planned.tags


def test_one_frozen_line_takes_the_whole_order_to_shanghai_cold() -> None:
    planned = plan(an_order(lines=lines("NUT-BOX-500", "MUG-350", "ICECREAM-8")))
    assert candidates(planned) == ["shanghai-cold"]


def test_cold_chain_overrules_east_china_although_its_number_comes_later() -> None:
    planned = plan(an_order(lines=lines("ICECREAM-8"), ship_to=a_ship_to("浙江省")))
    assert effect_of(match(planned, "east-to-hangzhou")) == "overruled by force of cold-chain-to-shanghai"
    assert effect_of(match(planned, "cold-chain-to-shanghai")) == "the only candidate"
    assert reason_of(planned) == "shanghai-cold and no other, forced by cold-chain-to-shanghai"


def test_a_cancelled_frozen_line_no_longer_needs_the_cold_chain() -> None:
    frozen = a_line("ICECREAM-8", 0, line_id="2", status=LineStatus.CANCELLED)
    assert candidates(plan(an_order(lines=(a_line(), frozen)))) == ["hangzhou"]


# -- line 3: short -> transfer -----------------------------------------------------------------------------------------


def test_an_order_that_is_short_asks_for_a_transfer() -> None:
    planned = plan(an_order())
    assert planned.plan.on_short is OnShort.TRANSFER
    assert effect_of(match(planned, "short-asks-for-transfer")) == "on short: transfer"


def test_a_cold_chain_order_that_is_short_asks_for_a_transfer_to_the_cold_store() -> None:
    planned = plan(an_order(lines=lines("PRAWN-800")))
    assert (candidates(planned), planned.plan.on_short) == (["shanghai-cold"], OnShort.TRANSFER)


# -- line 4: presale -> deferred ---------------------------------------------------------------------------------------


def test_a_presale_with_its_final_part_unpaid_is_deferred_until_the_platform_says_it_is_paid() -> None:
    planned = plan(a_presale_order())
    assert planned.plan.disposition is Disposition.DEFER
    assert planned.plan.not_before is None
    assert candidates(planned) == []
    assert suggested(planned) == ["hangzhou"]
    assert reason_of(planned) == "deferred by presale-waits-for-final-part until the final part is paid"
    assert effect_of(match(planned, "presale-waits-for-final-part")) == "defers the order"
    assert effect_of(match(planned, "east-to-hangzhou")) == "overruled by defer of presale-waits-for-final-part"


def test_a_paid_presale_is_deferred_until_its_ship_date() -> None:
    planned = plan(a_presale_order(final_paid=True, ship_not_before=LATER))
    assert planned.plan.disposition is Disposition.DEFER
    assert planned.plan.not_before == LATER
    assert reason_of(planned) == "deferred by presale-waits-for-ship-date until 2026-11-20T04:00+00:00"


def test_a_paid_presale_ships_when_its_day_has_come() -> None:
    order = a_presale_order(final_paid=True, ship_not_before=LATER)
    planned = try_order(example_ruleset(), example_catalogue(), order, at=LATER)
    assert planned.plan.disposition is Disposition.RESERVE
    assert candidates(planned) == ["hangzhou"]


def test_an_unpaid_presale_with_a_ship_date_waits_for_the_money_first() -> None:
    planned = plan(a_presale_order(ship_not_before=LATER))
    assert planned.plan.not_before is None
    assert (
        effect_of(match(planned, "presale-waits-for-ship-date")) == "overruled by defer of presale-waits-for-final-part"
    )


def test_presale_and_short_keeps_the_transfer_for_when_it_is_due() -> None:
    assert plan(a_presale_order()).plan.on_short is OnShort.TRANSFER
    assert plan(a_presale_order(final_paid=True)).plan.on_short is OnShort.TRANSFER


def test_presale_beats_cold_chain_and_the_cold_store_is_suggested() -> None:
    planned = plan(an_order(lines=lines("CHERRY-2KG"), presale=a_presale(), payment=PaymentStatus.DEPOSIT_PAID))
    assert planned.plan.disposition is Disposition.DEFER
    assert suggested(planned) == ["shanghai-cold"]
    assert effect_of(match(planned, "cold-chain-to-shanghai")) == "overruled by defer of presale-waits-for-final-part"


# -- (province = 浙江 OR 上海) AND category ≠ frozen -> hangzhou -----------------------------------------------------


@pytest.mark.parametrize("province", ["浙江", "浙江省", "上海", "上海市"])
def test_zhejiang_or_shanghai_and_not_frozen_goes_to_hangzhou(province: str) -> None:
    planned = plan(an_order(ship_to=a_ship_to(province)))
    assert effect_of(match(planned, "zhejiang-shanghai-not-frozen")) == "already candidate 1"
    assert candidates(planned) == ["hangzhou"]


@pytest.mark.parametrize(
    ("province", "sku"), [("江苏省", "NUT-BOX-500"), ("浙江省", "ICECREAM-8"), ("广东省", "ICECREAM-8")]
)
def test_that_rule_needs_both_the_province_and_nothing_frozen(province: str, sku: str) -> None:
    planned = plan(an_order(lines=lines(sku), ship_to=a_ship_to(province)))
    assert "zhejiang-shanghai-not-frozen" not in [match.rule for match in planned.plan.matches]


def test_one_frozen_line_among_others_is_enough_for_that_rule_to_stay_out() -> None:
    planned = plan(an_order(lines=lines("NUT-BOX-500", "PRAWN-800")))
    assert "zhejiang-shanghai-not-frozen" not in [match.rule for match in planned.plan.matches]


# -- the rest of the country -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("province", "expected"),
    [
        ("广东省", ["guangzhou", "hangzhou"]),
        ("广西壮族自治区", ["guangzhou", "hangzhou"]),
        ("北京市", ["beijing", "hangzhou"]),
        ("内蒙古自治区", ["beijing", "hangzhou"]),
        ("黑龙江省", ["beijing", "hangzhou"]),
        ("湖北省", ["hangzhou", "guangzhou"]),
        ("四川省", ["chengdu", "guangzhou"]),
        ("新疆维吾尔自治区", ["chengdu", "beijing"]),
    ],
)
def test_other_regions_go_to_the_nearest_warehouse_and_then_the_next(province: str, expected: list[str]) -> None:
    planned = plan(an_order(ship_to=a_ship_to(province)))
    assert candidates(planned) == expected
    assert reason_of(planned).endswith(f"; then {expected[1]}")


@pytest.mark.parametrize("province", MAINLAND)
def test_every_mainland_province_has_a_warehouse(province: str) -> None:
    assert plan(an_order(ship_to=a_ship_to(province))).plan.disposition is Disposition.RESERVE


@pytest.mark.parametrize(
    ("province", "country"), [("香港", "CN"), ("", "HK"), ("台湾省", "CN"), ("", "TW"), ("", "MO")]
)
def test_parcels_across_the_customs_border_wait_for_a_person(province: str, country: str) -> None:
    planned = plan(an_order(ship_to=a_ship_to(province, city="", country=country)))
    assert planned.plan.disposition is Disposition.REVIEW
    assert planned.plan.hold_codes == ("customs",)


@pytest.mark.parametrize(("province", "country"), [("California", "US"), ("某省", "CN"), ("", "CN")])
def test_an_unknown_place_goes_to_review(province: str, country: str) -> None:
    planned = plan(an_order(ship_to=a_ship_to(province, country=country)))
    assert planned.plan.disposition is Disposition.REVIEW
    assert planned.plan.hold_codes == ("no-rule-matched",)
    assert reason_of(planned) == "no-rule-matched: no rule names a warehouse for this order"


# -- holds over all ----------------------------------------------------------------------------------------------------


def test_hold_beats_force() -> None:
    planned = plan(an_order(lines=(a_line("ICECREAM-8", unit_price=10_000_000),)))
    assert planned.plan.disposition is Disposition.REVIEW
    assert planned.plan.hold_codes == ("very-large-order",)
    assert effect_of(match(planned, "cold-chain-to-shanghai")) == "overruled by hold of very-large-order"
    assert suggested(planned) == ["shanghai-cold"]


def test_hold_beats_defer() -> None:
    planned = plan(a_presale_order(lines=(a_line("DOWN-COAT-M", unit_price=10_000_000),)))
    assert planned.plan.disposition is Disposition.REVIEW
    assert planned.plan.not_before is None
    assert effect_of(match(planned, "presale-waits-for-final-part")) == "overruled by hold of very-large-order"


@pytest.mark.parametrize(("amount", "held"), [(9_999_999, False), (10_000_000, True)])
def test_the_large_order_limit_is_exact(amount: int, held: bool) -> None:
    planned = plan(an_order(lines=(a_line(unit_price=amount),)))
    assert (planned.plan.disposition is Disposition.REVIEW) is held


# -- gifts, in one piece with their main line --------------------------------------------------------------------------


def test_a_gift_ships_with_its_main_line_by_the_main_lines_rule() -> None:
    planned = plan(an_order(lines=(a_line("COFFEE-1KG"), a_gift("GIFT-DRIPPER"))))
    assert (planned.plan.disposition, candidates(planned)) == (Disposition.RESERVE, ["hangzhou"])
    assert planned.order.lines[1].bound_to == ("1",)


def test_a_missing_gift_sends_the_order_to_review_with_the_warehouse_suggested() -> None:
    planned = plan(an_order(lines=lines("COFFEE-1KG")))
    assert planned.plan.disposition is Disposition.REVIEW
    assert planned.plan.hold_codes == ("gift-missing",)
    assert suggested(planned) == ["hangzhou"]
    assert effect_of(match(planned, "east-to-hangzhou")) == "overruled by review: gift-missing"


# -- payment -----------------------------------------------------------------------------------------------------------


def test_an_unpaid_order_takes_stock() -> None:
    assert plan(an_unpaid_order()).plan.disposition is Disposition.RESERVE


def test_cash_on_delivery_takes_stock() -> None:
    assert plan(an_order(payment=PaymentStatus.CASH_ON_DELIVERY)).plan.disposition is Disposition.RESERVE


def test_an_unpaid_order_whose_receiver_the_platform_holds_back_waits_for_its_payment() -> None:
    planned = plan(an_unpaid_order(ship_to=no_receiver()))
    assert planned.flags == ()
    assert planned.plan.disposition is Disposition.DEFER
    assert reason_of(planned) == "unpaid, and the platform names the receiver only once it is paid"


def test_such_an_order_takes_stock_where_the_rules_need_no_receiver() -> None:
    planned = plan(an_unpaid_order(lines=lines("ICECREAM-8"), ship_to=no_receiver()))
    assert (planned.plan.disposition, candidates(planned)) == (Disposition.RESERVE, ["shanghai-cold"])


# -- the file itself ---------------------------------------------------------------------------------------------------


def test_the_example_regions_are_the_built_in_ones() -> None:
    assert dict(example_ruleset().regions) == dict(REGIONS)


def test_every_declared_warehouse_is_used() -> None:
    named = {name for rule in example_ruleset().rules for name in (*rule.assign, rule.force) if name}
    assert named == set(example_ruleset().warehouses)


def test_bindings_and_skus_hold_for_the_years_to_come() -> None:
    for year in range(2026, 2031):
        for binding in example_catalogue().bindings:
            assert binding.holds_for("taobao", NOON.replace(year=year))


def test_an_order_on_hold_at_the_platform_goes_to_review_under_its_own_code() -> None:
    planned = plan(an_order(status=OrderStatus.ON_HOLD, holds=("risk-review",)))
    assert planned.plan.hold_codes == ("risk-review",)
    assert reason_of(planned) == "a person must decide: risk-review"
