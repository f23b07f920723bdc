"""Keyword rules: words in titles, promotions and remarks that make a line a gift or give the order a tag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from schemas.order import Line, LineKind, Order
from workers.rules.words import Keywords


class LookIn(StrEnum):
    """Where a keyword may stand."""

    TITLE = "title"
    SKU = "sku"
    LINE_MARK = "line-mark"
    PROMOTION = "promotion"
    PROMOTION_CODE = "promotion-code"
    ORDER_MARK = "order-mark"
    BUYER_REMARK = "buyer-remark"
    SELLER_MEMO = "seller-memo"


OF_A_LINE = frozenset((LookIn.TITLE, LookIn.SKU, LookIn.LINE_MARK))

BUILT_IN_TAGS = ("gift", "promo", "presale", "cold-chain")
"""Tags that need no keyword: a gift line, a named promotion, a presale, a chilled or frozen line."""


@dataclass(frozen=True, slots=True)
class KeywordRule:
    """When one of the words stands in one of the places: make the line this kind, or give the order this tag."""

    rule_id: str
    keywords: Keywords
    look_in: frozenset[LookIn]
    kind: LineKind | None = None
    tag: str = ""
    channels: frozenset[str] = frozenset()

    def applies_to(self, channel: str) -> bool:
        """Whether the rule is for orders of this channel."""
        return not self.channels or channel in self.channels


@dataclass(frozen=True, slots=True)
class LineFindings:
    """What keyword rules say about one line."""

    kind: LineKind | None = None
    tags: tuple[str, ...] = ()


_NOTHING = LineFindings()


class Tagging:
    """The keyword rules of one ruleset. The first rule that gives a line a kind decides it; tags add up.

    Titles and promotion names repeat from order to order, so what was found in them is remembered (bounded). Remarks
    are personal and are looked at each time.
    """

    def __init__(self, rules: Sequence[KeywordRule] = ()) -> None:
        self.rules = tuple(rules)
        self._line_rules = tuple(rule for rule in rules if rule.look_in & OF_A_LINE)
        self._order_rules = tuple(rule for rule in rules if rule.look_in - OF_A_LINE)
        self._remembered_line = lru_cache(maxsize=16384)(self._read_line)
        self._remembered_words = lru_cache(maxsize=16384)(self._read_words)

    @property
    def tags(self) -> frozenset[str]:
        """Every tag that an order may get from tagging."""
        return frozenset(rule.tag for rule in self.rules if rule.tag) | frozenset(BUILT_IN_TAGS)

    def line(self, channel: str, line: Line) -> LineFindings:
        """What the words of one line mean."""
        if not self._line_rules:
            return _NOTHING
        return self._remembered_line(channel, line.title, line.sku, line.marks)

    def order(self, order: Order) -> tuple[str, ...]:
        """The tags that the order's own words earn it."""
        tags: list[str] = []
        if self._order_rules:
            for promotion in order.promotions:
                tags += self._remembered_words(order.channel, LookIn.PROMOTION, promotion.name)
                tags += self._remembered_words(order.channel, LookIn.PROMOTION_CODE, promotion.code)
            for mark in order.marks:
                tags += self._remembered_words(order.channel, LookIn.ORDER_MARK, mark)
            tags += self._read_words(order.channel, LookIn.BUYER_REMARK, order.buyer_remark)
            tags += self._read_words(order.channel, LookIn.SELLER_MEMO, order.seller_memo)
        return tuple(tags)

    def _read_line(self, channel: str, title: str, sku: str, marks: tuple[str, ...]) -> LineFindings:
        places = {LookIn.TITLE: (title,), LookIn.SKU: (sku,), LookIn.LINE_MARK: marks}
        kind: LineKind | None = None
        tags: list[str] = []
        for rule in self._line_rules:
            texts = [text for place in places if place in rule.look_in for text in places[place]]
            if rule.applies_to(channel) and any(rule.keywords.found_in(text) for text in texts):
                kind = kind or rule.kind
                tags += [rule.tag] if rule.tag else []
        return LineFindings(kind=kind, tags=tuple(tags))

    def _read_words(self, channel: str, place: LookIn, text: str) -> tuple[str, ...]:
        if not text:
            return ()
        return tuple(
            rule.tag
            for rule in self._order_rules
            if place in rule.look_in and rule.applies_to(channel) and rule.keywords.found_in(text)
        )
