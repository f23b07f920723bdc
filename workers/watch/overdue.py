"""Which matters begin, change and end by what was found out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.codes import Explanation, NoticeCode
from schemas.notice import FLEET, Notice, NoticeSeverity, warehouse_scope
from workers.watch.facts import BookFacts, Facts, KnownMatter, RedisFacts, ShopReading
from workers.watch.limits import Limits, Source

_OF_BOOK: Final = (
    Source.REVIEW_WAITING,
    Source.SHIP_BY_NEAR,
    Source.SHIP_BY_PASSED,
    Source.BACKORDERS_WAITING,
    Source.WAREHOUSE_SILENT,
    Source.SHOP_DRIFT,
    Source.BOOK_BEHIND,
)
_OF_REDIS: Final = (Source.REDIS_MEMORY, Source.REDIS_DISK, Source.REDIS_FILE)
_OF_SHOPS: Final = (Source.SHOP_BEHIND, Source.PUSHES_LATE)

MARGIN_PERCENT: Final = 5
"""Memory that was too full is not until it is so far below the limit: it would come and go."""


def notices_of(facts: Facts, known: Mapping[str, KnownMatter], limits: Limits, now: datetime) -> list[Notice]:
    """What is new, what has changed, and what is over. `known`: matters by key, those of others, too."""
    standing = {key: one for key, one in known.items() if one.standing}
    wanted = {notice.key: notice for notice in _wanted(facts, standing, limits, now)}
    news = [_as_news(one, standing.get(key)) for key, one in wanted.items() if _differs(one, standing.get(key))]
    asked = _asked(facts)
    over = [
        _cleared(key, one, now) for key, one in standing.items() if key not in wanted and Source.of_key(key) in asked
    ]
    return [*news, *over]


def _asked(facts: Facts) -> set[Source | None]:
    """Of which it is known that there is no more than was found."""
    found: set[Source | None] = set()
    if facts.book is not None:
        found.update(_OF_BOOK)
    if facts.no_book_since is None:
        found.add(Source.BOOK_AWAY)
    if facts.redis is not None:
        found.update(_OF_REDIS)
    if facts.shops is not None:
        found.update(_OF_SHOPS)
    return found


def _differs(notice: Notice, known: KnownMatter | None) -> bool:
    return known is None or (known.explanation, known.severity) != (notice.explanation, notice.severity)


def _as_news(notice: Notice, known: KnownMatter | None) -> Notice:
    """What only changed did not happen once more: it counts nothing."""
    if known is None:
        return notice
    return Notice(
        key=notice.key,
        explanation=notice.explanation,
        severity=notice.severity,
        scope=notice.scope,
        raised=True,
        at=notice.at,
        count=0,
    )


def _cleared(key: str, known: KnownMatter, now: datetime) -> Notice:
    return Notice(
        key=key, explanation=known.explanation, severity=known.severity, scope=_scope_of(key), raised=False, at=now
    )


def _scope_of(key: str) -> str:
    source, _, place = key.partition("/")
    if source == Source.WAREHOUSE_SILENT:
        return warehouse_scope(place)
    return f"shop:{place}" if "/" in place else FLEET


def _wanted(facts: Facts, standing: Mapping[str, KnownMatter], limits: Limits, now: datetime) -> Iterator[Notice]:
    if facts.book is not None:
        yield from _of_book(facts.book, limits, now)
    since = facts.no_book_since
    if since is not None and now - since >= timedelta(seconds=limits.unknown_seconds):
        told = NoticeCode.BOOK_AWAY(since=moment_of(since))
        yield _raised(Source.BOOK_AWAY, "postgres", told, NoticeSeverity.WARNING, now)
    if facts.redis is not None:
        yield from _of_redis(facts.redis, standing, limits, now)
    for reading in facts.shops or ():
        yield from _of_shop(reading, limits, now)


def _raised(source: Source, place: str, told: Explanation, severity: NoticeSeverity, now: datetime) -> Notice:
    key = source.key(place)
    return Notice(key=key, explanation=told, severity=severity, scope=_scope_of(key), raised=True, at=now)


# -- by the order book ---------------------------------------------------------------------------------------------


def _of_book(book: BookFacts, limits: Limits, now: datetime) -> Iterator[Notice]:
    for source, rows in book.late.items():
        for place, count, since in rows:
            told = _late(Source(source), place, count, since, limits)
            if told is not None:
                yield _raised(Source(source), place, told, _SEVERITY[Source(source)], now)
    if book.behind is not None:
        since, waiting = book.behind
        told = NoticeCode.BOOK_BEHIND(since=moment_of(since), orders=waiting)
        yield _raised(Source.BOOK_BEHIND, "postgres", told, NoticeSeverity.WARNING, now)


_SEVERITY: Final = {
    Source.REVIEW_WAITING: NoticeSeverity.WARNING,
    Source.SHIP_BY_NEAR: NoticeSeverity.WARNING,
    Source.SHIP_BY_PASSED: NoticeSeverity.CRITICAL,
    Source.BACKORDERS_WAITING: NoticeSeverity.WARNING,
    Source.WAREHOUSE_SILENT: NoticeSeverity.CRITICAL,
    Source.SHOP_DRIFT: NoticeSeverity.CRITICAL,
}


def _late(source: Source, place: str, count: int, since: datetime, limits: Limits) -> Explanation | None:
    """What is told of so many orders of a shop or warehouse; None when it is as it should be."""
    at = moment_of(since)
    match source:
        case Source.REVIEW_WAITING:
            limit = span_of(limits.of_shop("review_seconds", place))
            return NoticeCode.REVIEW_WAITING(orders=count, place=place, limit=limit, since=at)
        case Source.SHIP_BY_NEAR:
            limit = span_of(limits.of_shop("ship_seconds", place))
            return NoticeCode.SHIP_BY_NEAR(orders=count, place=place, limit=limit, since=at)
        case Source.SHIP_BY_PASSED:
            return NoticeCode.SHIP_BY_PASSED(orders=count, place=place, since=at)
        case Source.BACKORDERS_WAITING:
            limit = span_of(limits.of_shop("backorder_seconds", place))
            return NoticeCode.BACKORDERS_WAITING(orders=count, place=place, limit=limit, since=at)
        case Source.WAREHOUSE_SILENT if place not in limits.silent_warehouses:
            limit = span_of(limits.answer_seconds)
            return NoticeCode.WAREHOUSE_SILENT(orders=count, place=place, limit=limit, since=at)
        case Source.SHOP_DRIFT if count >= limits.drift_messages:
            return NoticeCode.SHOP_DRIFT(orders=count, place=place)
    return None


# -- by Redis ------------------------------------------------------------------------------------------------------


def _of_redis(
    found: RedisFacts, standing: Mapping[str, KnownMatter], limits: Limits, now: datetime
) -> Iterator[Notice]:
    warning, critical = NoticeSeverity.WARNING, NoticeSeverity.CRITICAL
    if found.most_bytes:
        percent = 100 * found.used_bytes // found.most_bytes
        margin = MARGIN_PERCENT if Source.REDIS_MEMORY.key("redis") in standing else 0
        if percent >= limits.redis_percent - margin:
            told = NoticeCode.REDIS_MEMORY(percent=percent, limit=limits.redis_percent)
            yield _raised(Source.REDIS_MEMORY, "redis", told, critical, now)
    if found.failed:
        told = NoticeCode.REDIS_DISK(what=found.failed)
        yield _raised(Source.REDIS_DISK, "redis", told, critical, now)
    if limits.redis_file_bytes and found.file_bytes >= limits.redis_file_bytes:
        told = NoticeCode.REDIS_FILE_LARGE(megabytes=found.file_bytes >> 20, limit=limits.redis_file_bytes >> 20)
        yield _raised(Source.REDIS_FILE, "redis", told, warning, now)


# -- by intake -----------------------------------------------------------------------------------------------------


def _of_shop(reading: ShopReading, limits: Limits, now: datetime) -> Iterator[Notice]:
    shop = reading.shop
    seconds = limits.of_shop("shop_seconds", shop)
    if reading.read_to is not None and now - reading.read_to > timedelta(seconds=seconds):
        told = NoticeCode.SHOP_BEHIND(place=shop, since=moment_of(reading.read_to), limit=span_of(seconds))
        yield _raised(Source.SHOP_BEHIND, shop, told, NoticeSeverity.CRITICAL, now)
    seconds = limits.of_shop("push_seconds", shop)
    pushed, news = reading.pushed_at, reading.news_at
    if pushed is not None and news is not None and news - pushed > timedelta(seconds=seconds):
        told = NoticeCode.PUSHES_LATE(place=shop, since=moment_of(pushed), limit=span_of(seconds))
        yield _raised(Source.PUSHES_LATE, shop, told, NoticeSeverity.WARNING, now)


# -- words that are the same in every language ---------------------------------------------------------------------


def moment_of(when: datetime) -> str:
    """A time as both languages write it, to the minute, in UTC."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")


def span_of(seconds: float) -> str:
    """A span as both languages write it: 90 min, 4 h."""
    if seconds >= 2 * 86_400 and seconds % 86_400 == 0:
        return f"{seconds / 86_400:g} d"
    if seconds >= 3600 and seconds % 1800 == 0:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
