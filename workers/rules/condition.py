"""Conditions: functions from the facts of an order to true or false, compiled once per ruleset."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from datetime import datetime, timedelta

from schemas.order import Line, LineKind, Order, StorageClass
from workers.rules.facts import Facts, final_part_unpaid, ships_later
from workers.rules.region import city_of, district_of
from workers.rules.words import Keywords

Condition = Callable[[Facts], bool]
LineTest = Callable[[Line], bool]

BEIJING = timedelta(hours=8)


# -- trees ---------------------------------------------------------------------------------------------------------


def always(_: Facts) -> bool:
    """Holds for every order."""
    return True


def all_of(conditions: Sequence[Condition]) -> Condition:
    """Holds when each of them does."""
    if len(conditions) == 1:
        return conditions[0]
    members = tuple(conditions)

    def holds(facts: Facts) -> bool:
        for member in members:  # noqa: SIM110  # a generator costs more than the whole rule
            if not member(facts):
                return False
        return True

    return holds


def any_of(conditions: Sequence[Condition]) -> Condition:
    """Holds when at least one of them does."""
    if len(conditions) == 1:
        return conditions[0]
    members = tuple(conditions)

    def holds(facts: Facts) -> bool:
        for member in members:  # noqa: SIM110
            if member(facts):
                return True
        return False

    return holds


def not_(condition: Condition) -> Condition:
    """Holds when the other does not."""
    return lambda facts: not condition(facts)


# -- the receiver ----------------------------------------------------------------------------------------------------


def country_in(countries: Set[str]) -> Condition:
    """By ISO code."""
    return lambda facts: facts.order.ship_to.country in countries


def province_in(provinces: Set[str]) -> Condition:
    """By short name; a place that is no province of ours is in none."""
    return lambda facts: facts.province in provinces


def city_in(cities: Set[str]) -> Condition:
    """By name without 市. Municipalities are cities of themselves, whether or not the platform repeats them."""
    return lambda facts: city_of(facts.order.ship_to.city or facts.province) in cities


def district_in(districts: Set[str]) -> Condition:
    """By name without 区, 县 or 市."""
    return lambda facts: district_of(facts.order.ship_to.district) in districts


# -- its lines -------------------------------------------------------------------------------------------------------


def any_category(categories: Set[str]) -> Condition:
    """A line of one of these categories."""
    return lambda facts: not categories.isdisjoint(facts.categories)


def any_storage(classes: Set[StorageClass]) -> Condition:
    """A line that must be kept in one of these ways."""
    return lambda facts: not classes.isdisjoint(facts.storages)


def any_sku(skus: Set[str]) -> Condition:
    """A line of one of these SKUs."""
    return lambda facts: not skus.isdisjoint(facts.skus)


def any_line(test: LineTest) -> Condition:
    """At least one line to ship passes."""

    def holds(facts: Facts) -> bool:
        for line in facts.lines:  # noqa: SIM110
            if test(line):
                return True
        return False

    return holds


def every_line(test: LineTest) -> Condition:
    """Each line to ship passes, and there is one."""

    def holds(facts: Facts) -> bool:
        for line in facts.lines:
            if not test(line):
                return False
        return bool(facts.lines)

    return holds


def both(tests: Sequence[LineTest]) -> LineTest:
    """A line passes when it passes each test."""
    if len(tests) == 1:
        return tests[0]
    members = tuple(tests)
    return lambda line: all(test(line) for test in members)


def gift_only(wanted: bool) -> Condition:
    """Whether nothing but gifts is left to ship."""
    return lambda facts: wanted is all(line.kind is LineKind.GIFT for line in facts.lines)


# -- numbers and times -------------------------------------------------------------------------------------------------


def between(measure: Callable[[Facts], int], least: int, most: int) -> Condition:
    """A measure of the order lies in bounds, both included."""
    return lambda facts: least <= measure(facts) <= most


def amount(facts: Facts) -> int:
    """What the buyer pays in all, in minor units."""
    return facts.order.totals.paid


def units(facts: Facts) -> int:
    """Units to ship, over all lines."""
    return sum([line.quantity for line in facts.lines])


def line_count(facts: Facts) -> int:
    """Lines to ship."""
    return len(facts.lines)


def weight(facts: Facts) -> int:
    """Grams to ship."""
    return sum([line.quantity * line.weight_grams for line in facts.lines])


def placed_at(facts: Facts) -> datetime | None:
    """When the buyer ordered."""
    return facts.order.placed_at


def paid_at(facts: Facts) -> datetime | None:
    """When the buyer paid; an unpaid order has no such time and is in no window."""
    return facts.order.paid_at


def decided_at(facts: Facts) -> datetime | None:
    """When the decision is made."""
    return facts.at


def in_window(moment: Callable[[Facts], datetime | None], start: datetime | None, end: datetime | None) -> Condition:
    """A time of the order lies in a window: start included, end not; None = open."""

    def holds(facts: Facts) -> bool:
        when = moment(facts)
        return when is not None and (start is None or start <= when) and (end is None or when < end)

    return holds


def at_time_of_day(moment: Callable[[Facts], datetime | None], start: int, end: int, offset: timedelta) -> Condition:
    """A time of the order lies between two minutes of the local day; past midnight when the end comes first."""
    shift = int(offset.total_seconds())

    def holds(facts: Facts) -> bool:
        when = moment(facts)
        if when is None:
            return False
        minute = (int(when.timestamp()) + shift) % 86400 // 60
        return start <= minute < end if start <= end else minute >= start or minute < end

    return holds


# -- the order itself ----------------------------------------------------------------------------------------------


def field_in(read: Callable[[Order], object], values: Set[object]) -> Condition:
    """A field of the order is one of these."""
    return lambda facts: read(facts.order) in values


def tagged(tags: Set[str]) -> Condition:
    """Tagging gave the order one of these tags."""
    return lambda facts: not tags.isdisjoint(facts.tags)


def marked(marks: Set[str]) -> Condition:
    """The platform put one of these marks on the order or on a line to ship."""

    def holds(facts: Facts) -> bool:
        if not marks.isdisjoint(facts.order.marks):
            return True
        return any(not marks.isdisjoint(line.marks) for line in facts.lines if line.marks)

    return holds


def says(read: Callable[[Order], str], keywords: Keywords) -> Condition:
    """A remark holds one of these words, whatever its case and width."""
    return lambda facts: keywords.found_in(read(facts.order))


def is_presale(facts: Facts) -> bool:
    """Sold before it can be shipped."""
    return facts.order.presale is not None


def final_unpaid(facts: Facts) -> bool:
    """A presale whose final part is open."""
    return final_part_unpaid(facts.order)


def not_due(facts: Facts) -> bool:
    """A presale that may not be shipped yet."""
    return ships_later(facts.order, facts.at)


def presale_due(facts: Facts) -> bool:
    """A presale that is paid in full and may be shipped."""
    return is_presale(facts) and not final_unpaid(facts) and not not_due(facts)
