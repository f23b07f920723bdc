"""Keyword rules: words in titles, promotions and remarks that make a line a gift or give the order a tag."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
_REMEMBERED = 16384  # texts at each place

# A member looked up through its class costs 100 ns each time.
_PROMOTION, _PROMOTION_CODE, _ORDER_MARK = LookIn.PROMOTION, LookIn.PROMOTION_CODE, LookIn.ORDER_MARK
_BUYER_REMARK, _SELLER_MEMO = LookIn.BUYER_REMARK, LookIn.SELLER_MEMO


class Tagging:
    """The keyword rules of one ruleset. The first rule that gives a line a kind decides it; tags add up.

    Titles, SKUs, marks and promotion names repeat from order to order, so what was found in each is remembered
    (bounded). Remarks are personal and are looked at each time.
    """

    def __init__(self, rules: Sequence[KeywordRule] = ()) -> None:
        self.rules = tuple(rules)
        self._line_rules = tuple(rule for rule in rules if rule.look_in & OF_A_LINE)
        self._order_rules = tuple(rule for rule in rules if rule.look_in - OF_A_LINE)
        self._rules_of_title = _rules_by_text(self._line_rules, LookIn.TITLE)
        self._rules_of_sku = _rules_by_text(self._line_rules, LookIn.SKU)
        self._rules_of_mark = _rules_by_text(self._line_rules, LookIn.LINE_MARK)
        self._meaning = lru_cache(maxsize=_REMEMBERED)(self._findings)
        self._remembered_words = lru_cache(maxsize=_REMEMBERED)(self._read_words)

    @property
    def tags(self) -> frozenset[str]:
        """Every tag that an order may get from tagging."""
        return frozenset(rule.tag for rule in self.rules if rule.tag) | frozenset(BUILT_IN_TAGS)

    def line(self, channel: str, line: Line) -> LineFindings:
        """What the words of one line mean."""
        found = self._rules_of_title(line.title) | self._rules_of_sku(line.sku)
        for mark in line.marks:
            found |= self._rules_of_mark(mark)
        return self._meaning(channel, found) if found else _NOTHING

    def order(self, order: Order) -> tuple[str, ...]:
        """The tags that the order's own words earn it."""
        tags: list[str] = []
        if self._order_rules:
            channel, remembered = order.channel, self._remembered_words
            for promotion in order.promotions:
                tags += remembered(channel, _PROMOTION, promotion.name)
                tags += remembered(channel, _PROMOTION_CODE, promotion.code)
            for mark in order.marks:
                tags += remembered(channel, _ORDER_MARK, mark)
            if order.buyer_remark:
                tags += self._read_words(channel, _BUYER_REMARK, order.buyer_remark)
            if order.seller_memo:
                tags += self._read_words(channel, _SELLER_MEMO, order.seller_memo)
        return tuple(tags)

    def _findings(self, channel: str, found: int) -> LineFindings:
        """What these rules, as bits, make of a line of this channel."""
        rules = [rule for n, rule in enumerate(self._line_rules) if found >> n & 1 and rule.applies_to(channel)]
        kinds = [rule.kind for rule in rules if rule.kind]
        return LineFindings(kind=kinds[0] if kinds else None, tags=tuple([rule.tag for rule in rules if rule.tag]))

    def _read_words(self, channel: str, place: LookIn, text: str) -> tuple[str, ...]:
        if not text:
            return ()
        return tuple(
            rule.tag
            for rule in self._order_rules
            if place in rule.look_in and rule.applies_to(channel) and rule.keywords.found_in(text)
        )


def _rules_by_text(rules: Sequence[KeywordRule], place: LookIn) -> Callable[[str], int]:
    """A function that tells which rules find a word of theirs in a text at this place: bit n stands for rule n."""
    looking = [(1 << n, rule.keywords) for n, rule in enumerate(rules) if place in rule.look_in]

    def found_in(text: str) -> int:
        return sum([bit for bit, keywords in looking if keywords.found_in(text)])

    return lru_cache(maxsize=_REMEMBERED)(found_in)
