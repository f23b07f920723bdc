"""Who is told of what, when: scopes, severity, quiet hours, lapses, the digest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.notice import Notice, NoticeSeverity, shop_scope, warehouse_scope
from schemas.record import changed
from tests.workers.notify.builders import NOON, a_notice, a_recipient
from workers.notify.decide import Telling, after, digest, digest_due, due, in_quiet_hours, troubled
from workers.notify.matter import Matter, folded
from workers.notify.wording import MOST_LINES, message

NOON_MS = int(NOON.timestamp() * 1000)
HOUR_MS = 3_600_000


def a_matter(**changes: Any) -> Matter:
    matter = folded(None, a_notice(**changes), 0, NOON_MS)
    assert matter is not None
    return matter


def tellings(matter: Matter, at_ms: int, **recipient: Any) -> list[Telling]:
    return [item.telling for item in due([matter], {}, a_recipient(**recipient), 10, at_ms)]


@pytest.mark.parametrize(
    ("scope", "scopes", "is_told"),
    [
        ("fleet", ["*"], True),
        ("fleet", ["shop:*"], False),
        (shop_scope("taobao", "main"), ["fleet", "shop:taobao/*"], True),
        (shop_scope("taobao", "main"), ["shop:jd/*"], False),
        (warehouse_scope("hangzhou"), ["warehouse:hangzhou"], True),
    ],
)
def test_a_recipient_hears_of_their_scopes_only(scope: str, scopes: list[str], is_told: bool) -> None:
    assert bool(tellings(a_matter(scope=scope), NOON_MS + 11_000, scopes=scopes)) is is_told


def test_small_ones_wait_for_the_end_of_quiet_hours_and_critical_ones_do_not() -> None:
    night = {"quiet": {"start": "11:00", "end": "08:00"}}  # noon in Shanghai lies in it
    critical = a_matter(severity=NoticeSeverity.CRITICAL)
    assert tellings(a_matter(), NOON_MS + 11_000, **night) == []
    assert tellings(critical, NOON_MS + 11_000, **night) == [Telling.RAISED]
    assert tellings(a_matter(), NOON_MS + 20 * HOUR_MS, **night) == [Telling.RAISED]


@pytest.mark.parametrize(
    ("start", "end", "is_quiet"),
    [("11:00", "13:00", True), ("12:00", "13:00", True), ("11:00", "12:00", False), ("22:00", "08:00", False)],
)
def test_quiet_hours_are_those_of_the_recipients_clock(start: str, end: str, is_quiet: bool) -> None:
    assert in_quiet_hours(a_recipient(quiet={"start": start, "end": end}), NOON_MS) is is_quiet


def test_less_than_the_minimum_is_in_the_digest_alone() -> None:
    small, one = a_matter(severity=NoticeSeverity.INFO), a_recipient()
    assert due([small], {}, one, 10, NOON_MS + 11_000) == []
    assert [item.telling for item in digest([small], one, NOON_MS)] == [Telling.DIGEST]


def test_the_digest_is_due_once_a_day_from_its_hour_on() -> None:
    one = a_recipient(digest="12:30")
    assert digest_due(one, "", NOON_MS) == ""
    assert digest_due(one, "2026-11-10", NOON_MS + HOUR_MS) == "2026-11-11"
    assert digest_due(one, "2026-11-11", NOON_MS + HOUR_MS) == ""
    assert digest_due(a_recipient(), "", NOON_MS + HOUR_MS) == ""


def test_what_became_worse_is_told_at_once() -> None:
    matter = a_matter()
    told = {matter.key: after(due([matter], {}, a_recipient(), 10, NOON_MS + 11_000)[0], NOON_MS + 11_000)}
    worse = folded(matter, a_notice(severity=NoticeSeverity.CRITICAL, at=NOON + timedelta(seconds=20)), 1, NOON_MS)
    assert worse is not None
    assert [one.telling for one in due([worse], told, a_recipient(), 10, NOON_MS + 20_000)] == [Telling.RAISED]


def test_what_only_happens_is_reminded_of_when_it_happened_again_and_lapses_without_a_word() -> None:
    matter, one = a_matter(lapse_seconds=86_400), a_recipient(remind_seconds=3600)
    told = {matter.key: after(due([matter], {}, one, 10, NOON_MS + 11_000)[0], NOON_MS + 11_000)}
    assert due([matter], told, one, 10, NOON_MS + 2 * HOUR_MS) == []
    again = folded(matter, a_notice(lapse_seconds=86_400, at=NOON + timedelta(hours=1)), 1, NOON_MS + HOUR_MS)
    assert again is not None
    assert [item.telling for item in due([again], told, one, 10, NOON_MS + 2 * HOUR_MS)] == [Telling.REMINDER]
    assert due([again], told, one, 10, NOON_MS + 30 * HOUR_MS) == []


@pytest.mark.parametrize("stale", [a_notice(raised=False, at=NOON - timedelta(seconds=1)), a_notice(at=NOON)])
def test_older_news_change_nothing(stale: Notice) -> None:
    before = a_matter()
    after_it = folded(before, stale, 0 if stale.raised else 1, NOON_MS)
    assert after_it is not None
    assert changed(after_it, offset=0) == before


def test_failures_are_farther_and_farther_apart() -> None:
    trouble, pauses = None, []
    for _ in range(12):
        trouble = troubled(trouble, "refused", NOON_MS)
        pauses.append((trouble.next_ms - NOON_MS) // 1000)
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]


def test_a_message_is_in_the_recipients_language_and_never_endless() -> None:
    many = [a_matter(key=f"matter-{n}") for n in range(MOST_LINES + 5)]
    zh = a_recipient(language="zh")
    title, body = message(due(many, {}, zh, 10, NOON_MS + 11_000), zh)
    assert title == "[orderfleet] 警告 · 新：35 项"
    assert "已付款订单在等 NUT-BOX-500 到货" in body
    assert body.endswith("……另有 5 项：orderfleet notices list")
    assert "2026-11-11 12:00+08:00" in body


@pytest.mark.parametrize(
    ("language", "page"),
    [
        ("en", "what to do: https://pages.example/backorders-waiting.md"),
        ("zh", "处理办法：https://pages.example/zh/backorders-waiting.md"),
    ],
)
def test_a_message_links_to_the_page_that_says_what_to_do(language: str, page: str) -> None:
    one = a_recipient(language=language, runbooks="https://pages.example/")
    matter = a_matter()
    assert message(due([matter], {}, one, 10, NOON_MS + 11_000), one)[1].endswith(page)
    over = folded(matter, a_notice(raised=False, at=NOON + timedelta(seconds=30)), 1, NOON_MS)
    assert over is not None
    told = {matter.key: after(due([matter], {}, one, 10, NOON_MS + 11_000)[0], NOON_MS + 11_000)}
    assert "pages.example" not in message(due([over], told, one, 10, NOON_MS + 31_000), one)[1]
