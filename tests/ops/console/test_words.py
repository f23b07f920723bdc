"""Money, times and reasons as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ops.console.history import explained, plan_sentence, rule_sentence, sentence
from ops.console.pages.choosing import Chosen
from ops.console.pages.rows import place
from ops.console.words import STAGES, brief, clock, duration, meaning, money, refusal, short, tag
from schemas.codes import HoldCode
from schemas.decision import DecisionRefusal
from workers.admin.desk.filters import STAGES as ALL_STAGES
from workers.admin.desk.filters import ReviewFilter
from workers.book.queries import TimelineEntry
from workers.rules.tagging import BUILT_IN_TAGS

NOW = datetime(2026, 11, 11, 6, 30, tzinfo=UTC)
TITLES = {"hangzhou": "杭州仓"}


def test_money_keeps_every_fen() -> None:
    assert (money(1, "CNY"), money(123456789, "CNY"), money(None, None)) == ("¥0.01", "¥1,234,567.89", "")
    assert (money(-50, "USD"), money(100, "SEK")) == ("-$0.50", "SEK 1.00")


def test_times_are_as_long_as_they_must_be() -> None:
    assert clock(NOW, NOW) == "14:30"  # China, wherever this runs
    assert clock(NOW - timedelta(days=1), NOW) == "11-10 14:30"
    assert clock(NOW - timedelta(days=365), NOW) == "2025-11-11 14:30"


def test_durations_have_two_units() -> None:
    seconds = timedelta(days=2, hours=18, minutes=40).total_seconds()
    assert (duration(seconds, "zh"), brief(seconds, "zh"), brief(seconds, "en")) == (
        "2 天 18 小时",
        "2天18时",
        "2d 18h",
    )
    assert (duration(5, "zh"), brief(5, "en")) == ("不到 1 分钟", "<1m")


def test_places_are_short() -> None:
    assert (place("浙江省", "杭州市"), place("上海市", "上海市"), place(None, None)) == ("浙江 杭州", "上海", "")
    assert place("内蒙古自治区", "呼和浩特市") == "内蒙古 呼和浩特"


@pytest.mark.parametrize("code", list(HoldCode))
def test_every_reason_has_its_sentence(code: HoldCode) -> None:
    assert meaning(code).zh == code.zh
    assert short(code).zh


def test_every_stage_and_refusal_has_its_words() -> None:
    assert set(STAGES) == set(ALL_STAGES)
    assert all(refusal(code).zh != code for code in DecisionRefusal)
    assert refusal("of-a-newer-version").zh == "of-a-newer-version"


def entry(kind: str, *codes: str, warehouse: str = "") -> TimelineEntry:
    return TimelineEntry(at=NOW, kind=kind, ref="1", warehouse_id=warehouse, codes=codes)


def test_what_happened_is_told_in_sentences() -> None:
    told = [
        sentence(entry("planned", "review", "gift-missing"), TITLES, "zh"),
        sentence(entry("decision-release", "li"), TITLES, "zh"),
        sentence(entry("refused", "release", "overtaken-by-decision"), TITLES, "zh"),
        sentence(entry("wms-short", "not-there", warehouse="hangzhou"), TITLES, "zh"),
        sentence(entry("told-cancel", warehouse="hangzhou"), TITLES, "en"),
        sentence(entry("of-a-newer-version", "x"), TITLES, "zh"),
    ]
    assert told == [
        "完成决策：需要人工审核、缺赠品",
        "li：放行",
        "“放行”被拒绝：期间已有他人处理该订单；请重新查看",
        "杭州仓 应答缺货：找不到货",
        "杭州仓 was told to stop",
        "of-a-newer-version：x",
    ]


def test_a_plan_is_told_with_warehouses_and_reasons_by_name() -> None:
    explanation = {"code": "person-decides", "args": {"codes": "gift-missing, unknown-status"}}
    assert plan_sentence({"explanation": explanation}, TITLES, "zh") == "需要人工决定：缺赠品、状态未知"
    assert plan_sentence({}, TITLES, "zh") == ""
    match = {
        "action": "assign: hangzhou",
        "effects": [{"code": "overruled-by-review", "args": {"codes": "gift-missing"}}],
    }
    assert rule_sentence(match, TITLES, "zh") == "可发 杭州仓 → 被人工审核覆盖：缺赠品"
    assert rule_sentence({"action": "on_short: transfer", "effects": []}, TITLES, "zh") == "缺货时 申请调拨"


def test_no_code_is_left_in_what_people_read() -> None:
    match = {
        "action": "tags: promo, urgent",
        "effects": [{"code": "adds-tag", "args": {"tags": "promo, urgent"}}],
    }
    assert rule_sentence(match, TITLES, "zh") == "加标签 促销、加急 → 添加标签 促销、加急"
    back = {"code": "given-back-too-often", "args": {"warehouse": "hangzhou", "answer": "short, damaged", "times": 3}}
    told = [
        explained(back, TITLES, "zh"),
        explained({"code": "no-rule", "args": {}}, TITLES, "zh"),
        explained({"code": "no-rule", "args": {}}, TITLES, "en"),
        sentence(entry("dead-letter", "normalize", "bad-money"), TITLES, "zh"),
        rule_sentence({"action": "hold: risk-review", "effects": []}, TITLES, "zh"),
    ]
    assert told == [
        "杭州仓 退回了订单（缺货、已破损），此前已重新分配 3 次",
        "没有规则为此订单指定仓库",
        "no rule names a warehouse for this order",
        "消息成为死信：读取订单、金额无效",
        "转人工 风控中",
    ]
    assert all(tag(name).zh != name for name in BUILT_IN_TAGS)
    assert tag("vip").zh == "vip"


def test_what_is_chosen_stays_chosen_over_pages() -> None:
    chosen = Chosen()
    chosen.on_page({"a": "1", "b": "2"}, {"a"})
    chosen.on_page({"c": "3"}, {"c"})
    assert chosen.items() == [("a", "1"), ("c", "3")]
    assert chosen.filter() == ReviewFilter(uids=("a", "c"))
    chosen.on_page({"a": "1", "b": "2"}, set())
    chosen.toggle("d", "4")
    assert list(chosen) == ["c", "d"]
    chosen.all_of(ReviewFilter(code="x"), 900)
    assert (len(chosen), chosen.is_all, chosen.filter().code) == (900, True, "x")
    chosen.toggle("d", "4")
    assert (len(chosen), chosen.is_all) == (1, False)
