"""A decision told in plain words, in English and Chinese."""

from __future__ import annotations

from itertools import product

import pytest

from schemas.order import Order, OrderStatus, PaymentStatus
from schemas.plan import PlannedOrder
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
from workers.admin.rule_trial import describe, try_order
from workers.rules import wording
from workers.rules.wording import Phrase, tell


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


def without_codes(sentence: str) -> str:
    """A sentence without what is the same in every language: ids, codes, SKUs, numbers, times."""
    kept = "".join(character if not character.isascii() else " " for character in sentence)
    return kept.strip()


@pytest.mark.parametrize("order", ORDERS, ids=range(len(ORDERS)))
def test_every_sentence_is_told_in_chinese(order: Order) -> None:
    planned = tried(order)
    sentences = [planned.plan.reason, *(flag.message for flag in planned.flags)]
    sentences += [match.effect for match in planned.plan.matches]
    for sentence in sentences:
        chinese = tell(sentence, "zh")
        assert chinese != sentence
        assert without_codes(chinese)
        assert tell(sentence, "en") == sentence


def test_effects_of_several_actions_are_told_one_by_one() -> None:
    ruleset = ruleset_of(
        "{id: a, priority: 1, when: {always: true}, then: {assign: [hangzhou, beijing], on_short: split, add_tag: vip}}"
    )
    (match,) = try_order(ruleset, example_catalogue(), an_order()).plan.matches
    assert match.effect == "candidate 1; candidate 2; on short: split; adds tag vip"
    assert tell(match.effect, "zh") == "候选仓 1；候选仓 2；缺货时：split；添加标签 vip"


def test_a_sentence_that_nobody_wrote_stays_as_it_is() -> None:
    assert tell("made by a test", "zh") == "made by a test"


PHRASES = {name: phrase for name, phrase in vars(wording).items() if isinstance(phrase, Phrase)}


@pytest.mark.parametrize("name", PHRASES)
def test_no_phrase_is_mistaken_for_another(name: str) -> None:
    gaps = ("rule", "warehouse", "others", "number", "codes", "what", "tags", "percent", "time")
    more = ("main", "gift", "due", "there", "skus", "count", "sku", "parts")
    sentence = PHRASES[name](**{gap: f"<{gap}>" for gap in (*gaps, *more)})
    assert tell(sentence, "zh") == PHRASES[name].chinese_of(sentence)


@pytest.mark.parametrize(("order", "language"), list(product(ORDERS, ("en", "zh"))))
def test_nothing_personal_is_told(order: Order, language: str) -> None:
    told = "\n".join(describe(tried(order), "zh" if language == "zh" else "en"))
    for personal in ("测试路", "测**", "120****0000", "Example"):
        assert personal not in told
