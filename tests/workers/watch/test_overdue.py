"""What is told of what takes too long: it begins, changes, ends; and what cannot be asked is not over."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.codes import NoticeCode, render
from schemas.notice import Notice, NoticeSeverity
from tests.builders import NOON
from workers.watch.facts import BookFacts, Facts, RedisFacts
from workers.watch.limits import Limits, Source
from workers.watch.overdue import moment_of, notices_of, span_of

WELL = RedisFacts(used_bytes=10, most_bytes=100, failed="", file_bytes=0)
TWO_HOURS_AGO = NOON - timedelta(hours=2)


def facts(**changes: Any) -> Facts:
    return Facts(**{"book": BookFacts({}, None), "no_book_since": None, "redis": WELL, "shops": ()} | changes)


def late(source: Source, place: str, count: int = 3, since: datetime = TWO_HOURS_AGO) -> Facts:
    return facts(book=BookFacts({source: [(place, count, since)]}, None))


def known(*notices: Notice) -> dict[str, Any]:
    return {
        one.key: SimpleNamespace(standing=one.raised, explanation=one.explanation, severity=one.severity)
        for one in notices
    }


def told(found: Facts, *before: Notice, limits: Limits | None = None) -> list[Notice]:
    return notices_of(found, known(*before), limits or Limits(), NOON)


@pytest.mark.parametrize(
    ("source", "place", "scope", "severity"),
    [
        (Source.REVIEW_WAITING, "taobao/tea", "shop:taobao/tea", "warning"),
        (Source.SHIP_BY_NEAR, "taobao/tea", "shop:taobao/tea", "warning"),
        (Source.SHIP_BY_PASSED, "taobao/tea", "shop:taobao/tea", "critical"),
        (Source.BACKORDERS_WAITING, "taobao/tea", "shop:taobao/tea", "warning"),
        (Source.WAREHOUSE_SILENT, "hangzhou", "warehouse:hangzhou", "critical"),
        (Source.SHOP_DRIFT, "jd/main", "shop:jd/main", "critical"),
    ],
)
def test_what_is_late_begins_once_and_ends(source: Source, place: str, scope: str, severity: str) -> None:
    found = late(source, place, 30)
    [raised] = told(found)
    assert (raised.key, raised.scope, raised.severity, raised.raised) == (f"{source}/{place}", scope, severity, True)
    assert "30" in render(raised.explanation, "en")
    assert "{" not in render(raised.explanation, "zh")
    assert told(found, raised) == []
    [over] = told(facts(), raised)
    assert (over.key, over.scope, over.raised) == (raised.key, scope, False)


def test_what_only_changed_counts_as_no_further_time() -> None:
    [raised] = told(late(Source.REVIEW_WAITING, "taobao/tea", 3))
    [more] = told(late(Source.REVIEW_WAITING, "taobao/tea", 9), raised)
    assert (more.key, more.count, more.explanation.args["orders"]) == (raised.key, 0, 9)


def test_what_cannot_be_asked_stays_as_it_is_and_the_rest_is_told() -> None:
    [review] = told(late(Source.REVIEW_WAITING, "taobao/tea"))
    full = WELL._replace(used_bytes=90)
    [memory] = told(facts(redis=full))
    unknown = facts(book=None, no_book_since=NOON - timedelta(seconds=10), redis=full)
    assert [one.key for one in told(unknown, review)] == [memory.key]
    assert told(facts(redis=None, shops=None), memory) == []


def test_a_book_that_cannot_be_asked_is_told_of_after_a_while() -> None:
    away = facts(book=None, no_book_since=NOON - timedelta(seconds=301))
    [raised] = told(away)
    assert (raised.key, raised.explanation.code) == ("book-away/postgres", NoticeCode.BOOK_AWAY)
    assert told(facts(book=None, no_book_since=NOON - timedelta(seconds=299))) == []
    assert [one.raised for one in told(facts(), raised)] == [False]


def test_matters_of_others_are_left_alone() -> None:
    foreign = Notice(
        key="paid-backorders/NUT",
        explanation=NoticeCode.PAID_BACKORDERS(sku="NUT"),
        severity=NoticeSeverity.WARNING,
        scope="fleet",
        raised=True,
        at=NOON,
    )
    assert told(facts(), foreign) == []


def test_a_shop_has_limits_of_its_own_and_the_text_names_them() -> None:
    limits = Limits(shops={"taobao/tea": {"review_seconds": 3600.0}})
    assert limits.of_book()[Source.REVIEW_WAITING] == (14_400.0, {"taobao/tea": 3600.0})
    [own] = told(late(Source.REVIEW_WAITING, "taobao/tea"), limits=limits)
    [usual] = told(late(Source.REVIEW_WAITING, "taobao/mug"), limits=limits)
    assert (own.explanation.args["limit"], usual.explanation.args["limit"]) == ("1 h", "4 h")


def test_a_warehouse_that_never_answers_is_not_told_of() -> None:
    silent = Limits(silent_warehouses=frozenset({"hangzhou"}))
    assert told(late(Source.WAREHOUSE_SILENT, "hangzhou"), limits=silent) == []


def test_a_few_unreadable_messages_are_no_drift() -> None:
    assert told(late(Source.SHOP_DRIFT, "jd/main", 19)) == []
    assert len(told(late(Source.SHOP_DRIFT, "jd/main", 20))) == 1


def test_memory_that_was_too_full_must_fall_well_below_the_limit() -> None:
    [full] = told(facts(redis=WELL._replace(used_bytes=85)))
    assert told(facts(redis=WELL._replace(used_bytes=84))) == []
    assert [one.raised for one in told(facts(redis=WELL._replace(used_bytes=81)), full)] == [True]
    assert [one.raised for one in told(facts(redis=WELL._replace(used_bytes=79)), full)] == [False]
    assert told(facts(redis=WELL._replace(used_bytes=90, most_bytes=0))) == []


def test_redis_that_could_not_write_and_a_large_file() -> None:
    [failed] = told(facts(redis=WELL._replace(failed="append-only file")))
    assert "append-only file" in render(failed.explanation, "en")
    limits = Limits(redis_file_bytes=1 << 30)
    assert [one.key for one in told(facts(redis=WELL._replace(file_bytes=2 << 30)), limits=limits)] == [
        "redis-file/redis"
    ]


def a_shop(**times: datetime | None) -> SimpleNamespace:
    return SimpleNamespace(**{"shop": "jd/main", "read_to": NOON, "news_at": None, "pushed_at": None} | times)


def test_a_shop_that_is_read_late() -> None:
    assert told(facts(shops=[a_shop(read_to=NOON - timedelta(seconds=3599)), a_shop(read_to=None)])) == []
    [behind] = told(facts(shops=[a_shop(read_to=NOON - timedelta(seconds=3601))]))
    assert (behind.key, behind.scope) == ("shop-behind/jd/main", "shop:jd/main")
    assert [one.raised for one in told(facts(shops=[a_shop()]), behind)] == [False]


def test_pushes_are_late_when_polling_finds_what_they_did_not_bring() -> None:
    quiet = a_shop(pushed_at=NOON - timedelta(days=3), news_at=NOON - timedelta(days=3))
    never = a_shop(news_at=NOON)
    late_ones = a_shop(pushed_at=NOON - timedelta(hours=7), news_at=NOON)
    assert told(facts(shops=[quiet])) == told(facts(shops=[never])) == []
    assert [one.key for one in told(facts(shops=[late_ones]))] == ["pushes-late/jd/main"]


@pytest.mark.parametrize(
    ("seconds", "told_as"),
    [(45, "45 s"), (90, "1.5 min"), (5400, "1.5 h"), (14_400, "4 h"), (86_400, "24 h"), (172_800, "2 d")],
)
def test_spans_are_short(seconds: float, told_as: str) -> None:
    assert span_of(seconds) == told_as


def test_times_name_their_zone() -> None:
    assert moment_of(NOON) == "2026-11-11 04:00Z"
