"""A decision told in plain words, in English and Chinese."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from string import Formatter
from typing import Final

import pytest

from schemas.codes import ENUMERATIONS, render_all
from schemas.order import Order, OrderStatus, PaymentStatus
from schemas.plan import PlannedOrder, ReviewOrder
from schemas.record import decode
from tests.builders import (
    NOON,
    a_cancelled_order,
    a_gift,
    a_line,
    a_presale_order,
    a_promised_gift,
    a_ship_to,
    an_order,
    an_unpaid_order,
    lines,
    no_receiver,
)
from tests.workers.rules.examples import example_catalogue, example_ruleset, ruleset_of
from workers.admin.rule_trial import describe, in_words, try_order

OF_BEFORE: Final = Path(__file__).parents[2] / "schemas" / "of_before"


def tried(order: Order) -> PlannedOrder:
    return try_order(example_ruleset(), example_catalogue(), order)


def test_a_cold_chain_order_in_english() -> None:
    assert list(describe(tried(an_order(lines=lines("ICECREAM-8"))))) == [
        "Order taobao:tea-house:1001: take stock and ship",
        "  because: shanghai-cold and no other, forced by cold-chain-to-shanghai",
        "  ruleset: seller-example@2026.1",
        "  to: CN 浙江省 杭州市",
        "  tags: cold-chain",
        "  rules that matched, by priority:",
        "       1  east-to-hangzhou  (assign: hangzhou)  -> overruled by force of cold-chain-to-shanghai",
        "       2  cold-chain-to-shanghai  (force: shanghai-cold)  -> the only candidate",
        "       3  short-asks-for-transfer  (on_short: transfer)  -> on short: transfer",
        "  candidates: shanghai-cold",
        "  if no one has enough, a transfer to the first is requested",
    ]


def test_a_missing_gift_in_chinese() -> None:
    assert list(describe(tried(an_order(lines=lines("COFFEE-1KG"))), "zh")) == [
        "订单 taobao:tea-house:1001：等待人工审核",
        "  原因：需要人工决定：gift-missing",
        "  规则集：seller-example@2026.1",
        "  收货地：CN 浙江省 杭州市",
        "  阻断 gift-missing：COFFEE-1KG 应赠 GIFT-DRIPPER 1 件，订单中只有 0 件 [1]",
        "  命中的规则（按优先级）：",
        "       1  east-to-hangzhou  (assign: hangzhou)  -> 被人工审核覆盖：gift-missing",
        "       3  short-asks-for-transfer  (on_short: transfer)  -> 缺货时：transfer",
        "       5  zhejiang-shanghai-not-frozen  (assign: hangzhou)  -> 被人工审核覆盖：gift-missing",
        "  放行后建议：hangzhou",
    ]


def test_a_deferred_order_says_until_when() -> None:
    told = list(describe(tried(a_presale_order(final_paid=True, ship_not_before=NOON.replace(day=20)))))
    assert told[-1] == "  not before: 2026-11-20T04:00+00:00"


ORDERS = [
    an_order(),
    an_unpaid_order(ship_to=no_receiver()),
    a_cancelled_order(),
    a_presale_order(),
    a_presale_order(final_paid=True, ship_not_before=NOON.replace(day=20)),
    an_order(status=OrderStatus.SHIPPED),
    an_order(payment=PaymentStatus.REFUNDED),
    an_order(lines=()),
    an_order(ship_to=a_ship_to("广东省")),
    an_order(ship_to=a_ship_to("某省")),
    an_order(ship_to=a_ship_to("香港")),
    an_order(ship_to=no_receiver()),
    an_order(lines=lines("ICECREAM-8")),
    an_order(lines=(*lines("", "A", "B", "C", "D", "E", "F"), a_gift("GIFT-BIB"))),
    an_order(lines=(a_line("TEA-LONGJING-250"), a_gift("GIFT-TEA-CUP", 9))),
    an_order(lines=(a_gift("GIFT-TOTE", bound_to=("9",)),), promised_gifts=(a_promised_gift(),)),
]


@pytest.mark.parametrize("order", ORDERS, ids=range(len(ORDERS)))
def test_every_code_of_a_decision_has_its_words_and_all_of_their_arguments(order: Order) -> None:
    planned = tried(order)
    told = [planned.plan.explanation, *(flag.explanation for flag in planned.flags)]
    told += [effect for match in planned.plan.matches for effect in match.effects]
    known = {code.value: code for each in ENUMERATIONS for code in each}
    for one in told:
        assert one is not None
        assert set(one.args) == {name for _, name, _, _ in Formatter().parse(known[one.code].en) if name}
    assert (planned.plan.reason, *(flag.message for flag in planned.flags)) == ("",) * (1 + len(planned.flags))


def test_effects_of_several_actions_are_told_one_by_one() -> None:
    ruleset = ruleset_of(
        "{id: a, priority: 1, when: {always: true}, then: {assign: [hangzhou, beijing], on_short: split, add_tag: vip}}"
    )
    (match,) = try_order(ruleset, example_catalogue(), an_order()).plan.matches
    assert render_all(match.effects, "en") == "candidate 1; candidate 2; on short: split; adds tag vip"
    assert render_all(match.effects, "zh") == "候选仓 1；候选仓 2；缺货时：split；添加标签 vip"


def test_json_has_the_sentences_beside_the_codes() -> None:
    planned = in_words(tried(an_order(lines=lines("COFFEE-1KG"))))
    assert planned.plan.reason == "a person must decide: gift-missing"
    assert planned.plan.matches[1].effect == "on short: transfer"
    assert planned.flags[0].message == "COFFEE-1KG comes with 1 of GIFT-DRIPPER, and the order has 0"
    assert planned.flags[0].explanation is not None


def test_a_record_of_a_version_before_is_told_as_it_was_written() -> None:
    planned = decode(ReviewOrder, (OF_BEFORE / "orders.review" / "unknown-sku.json").read_bytes()).planned
    told = "\n".join(describe(planned, "zh"))
    assert f"  原因：{planned.plan.reason}\n" in told
    assert planned.plan.reason.startswith("a person must decide: sku-unknown")
    assert f"  阻断 sku-unknown：{planned.flags[0].message} [" in told
    assert "-> on short: transfer\n" in told
    assert in_words(planned) == planned


@pytest.mark.parametrize(("order", "language"), list(product(ORDERS, ("en", "zh"))))
def test_nothing_personal_is_told(order: Order, language: str) -> None:
    told = "\n".join(describe(tried(order), "zh" if language == "zh" else "en"))
    for personal in ("测试路", "测**", "120****0000", "Example"):
        assert personal not in told
