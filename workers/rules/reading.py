"""Reading `when`: from the file's words to a compiled condition, noting every mistake."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

from schemas.ids import SLUG
from schemas.order import Line, LineKind, Order, OrderStatus, PaymentStatus, StorageClass
from workers.rules import condition as c
from workers.rules.catalogue import Catalogue
from workers.rules.condition import Condition, LineTest
from workers.rules.document import Node
from workers.rules.facts import Facts
from workers.rules.problems import did_you_mean
from workers.rules.region import PROVINCES, city_of, district_of, province_of
from workers.rules.words import Keywords

MOST: Final = 10**15


@dataclass(frozen=True, slots=True)
class Known:
    """What the rest of the file and the catalogue declare. None: anything goes."""

    regions: Mapping[str, tuple[str, ...]]
    tags: Collection[str] = ()
    catalogue: Catalogue | None = None
    channels: Collection[str] | None = None
    utc_offset: timedelta = field(default=c.BEIJING)


ConditionReader = Callable[[Node, Known], Condition | None]
LineReader = Callable[[Node, Known], LineTest | None]


def read_condition(node: Node, known: Known) -> Condition | None:
    """A tree: `all`, `any`, `not` and predicates by name. Several in one group must all hold. None: noted problems."""
    if node.keys is not None and not node.keys:
        node.problem("has no condition; write always: true to match every order", _EMPTY_ZH)
        return None
    if node.keys is None and not node.scalar and not node.items:
        node.problem("has no condition; write always: true to match every order", _EMPTY_ZH)
        return None
    if node.items is not None:
        node.problem("is a list; write all: or any: before it", "是列表，请在前面写 all: 或 any:")
        return None
    fields = node.mapping(_READERS)
    read = [_READERS[name](child, known) for name, child in fields.items()]
    conditions = [condition for condition in read if condition is not None]
    return c.all_of(conditions) if conditions and len(conditions) == len(node.keys or ()) else None


_EMPTY_ZH: Final = "没有条件；要匹配所有订单请写 always: true"


# -- trees ---------------------------------------------------------------------------------------------------------


def _branches(node: Node, known: Known) -> list[Condition] | None:
    members = node.rows()
    if node.items is not None and not members:
        node.problem("is an empty list; name at least one condition", "列表为空，请至少写一个条件")
    read = [read_condition(member, known) for member in members]
    conditions = [condition for condition in read if condition is not None]
    return conditions if members and len(conditions) == len(members) else None


def _all(node: Node, known: Known) -> Condition | None:
    conditions = _branches(node, known)
    return c.all_of(conditions) if conditions else None


def _any(node: Node, known: Known) -> Condition | None:
    conditions = _branches(node, known)
    return c.any_of(conditions) if conditions else None


def _not(node: Node, known: Known) -> Condition | None:
    condition = read_condition(node, known)
    return c.not_(condition) if condition else None


def _always(node: Node, _: Known) -> Condition | None:
    truth = node.truth()
    if truth is False:
        node.problem(
            "should be true; to switch a rule off, delete it or put # before its lines",
            "只能写 true；要停用规则请删除它，或在行首加 #",
        )
        return None
    return c.always if truth else None


# -- the receiver ----------------------------------------------------------------------------------------------------


def _country(node: Node, _: Known) -> Condition | None:
    codes = node.texts()
    bad = [code for code in codes if not (len(code) == 2 and code.isascii() and code.isupper())]
    for code in bad:
        node.problem(f"{code} is not a country code such as CN", f"{code} 不是国家代码，例如 CN")
    return c.country_in(frozenset(codes)) if codes and not bad else None


def _region(node: Node, known: Known) -> Condition | None:
    names = node.choices(known.regions, "a known region", "已知的大区")
    provinces = frozenset(province for name in names for province in known.regions[name])
    return c.province_in(provinces) if names else None


def read_provinces(node: Node) -> tuple[str, ...]:
    """Provinces by any of their spellings, as short names."""
    read = []
    for spelling in node.texts():
        name = province_of(spelling)
        if not name:
            hint = did_you_mean(spelling, PROVINCES)
            node.problem(f"{spelling} is not a province{hint.en}", f"{spelling} 不是省级行政区{hint.zh}")
        else:
            read.append(name)
    return tuple(read)


def _province(node: Node, _: Known) -> Condition | None:
    provinces = read_provinces(node)
    return c.province_in(frozenset(provinces)) if provinces else None


def _city(node: Node, _: Known) -> Condition | None:
    names = node.texts()
    return c.city_in(frozenset(map(city_of, names))) if names else None


def _district(node: Node, _: Known) -> Condition | None:
    names = node.texts()
    return c.district_in(frozenset(map(district_of, names))) if names else None


# -- lines ---------------------------------------------------------------------------------------------------------


def _categories(node: Node, known: Known) -> frozenset[str]:
    if known.catalogue is None:
        return frozenset(node.texts())
    return frozenset(node.choices(known.catalogue.categories, "a category of the catalogue", "商品目录中的类目"))


def _storages(node: Node, _: Known) -> frozenset[StorageClass]:
    return frozenset(map(StorageClass, node.choices(list(StorageClass), "a storage class", "储存方式")))


def _skus(node: Node, known: Known) -> frozenset[str]:
    patterns = node.texts()
    if known.catalogue is None:
        return frozenset(patterns)
    found: set[str] = set()
    for pattern in patterns:
        if pattern in known.catalogue.skus:
            found.add(pattern)
            continue
        matching = [code for code in known.catalogue.skus if "*" in pattern and fnmatchcase(code, pattern)]
        if not matching:
            hint = did_you_mean(pattern, known.catalogue.skus)
            node.problem(
                f"{pattern} is not a SKU of the catalogue{hint.en}", f"{pattern} 不是商品目录中的 SKU{hint.zh}"
            )
        found.update(matching)
    return frozenset(found)


def _kinds(node: Node, _: Known) -> frozenset[LineKind]:
    return frozenset(map(LineKind, node.choices(["purchase", "gift"], "a kind of line", "行类型")))


def _category(node: Node, known: Known) -> Condition | None:
    wanted = _categories(node, known)
    return c.any_category(wanted) if wanted else None


def _storage(node: Node, known: Known) -> Condition | None:
    wanted = _storages(node, known)
    return c.any_storage(wanted) if wanted else None


def _sku(node: Node, known: Known) -> Condition | None:
    wanted = _skus(node, known)
    return c.any_sku(wanted) if wanted else None


def _kind(node: Node, known: Known) -> Condition | None:
    test = _line_kind(node, known)
    return c.any_line(test) if test else None


def _line_category(node: Node, known: Known) -> LineTest | None:
    wanted = _categories(node, known)
    return (lambda line: line.category in wanted) if wanted else None


def _line_storage(node: Node, known: Known) -> LineTest | None:
    wanted = _storages(node, known)
    return (lambda line: line.storage_class in wanted) if wanted else None


def _line_sku(node: Node, known: Known) -> LineTest | None:
    wanted = _skus(node, known)
    return (lambda line: line.sku in wanted) if wanted else None


def _line_kind(node: Node, known: Known) -> LineTest | None:
    wanted = _kinds(node, known)
    return (lambda line: line.kind in wanted) if wanted else None


def _line_mark(node: Node, _: Known) -> LineTest | None:
    wanted = frozenset(node.texts())
    return (lambda line: not wanted.isdisjoint(line.marks)) if wanted else None


def _line_number(measure: Callable[[Line], int]) -> LineReader:
    def read(node: Node, _: Known) -> LineTest | None:
        bounds = _bounds(node)
        if bounds is None:
            return None
        least, most = bounds
        return lambda line: least <= measure(line) <= most

    return read


_LINE_READERS: Final[Mapping[str, LineReader]] = {
    "category": _line_category,
    "storage": _line_storage,
    "sku": _line_sku,
    "kind": _line_kind,
    "mark": _line_mark,
    "quantity": _line_number(lambda line: line.quantity),
    "weight_grams": _line_number(lambda line: line.quantity * line.weight_grams),
    "amount_fen": _line_number(lambda line: line.paid),
}


def _quantified(quantify: Callable[[LineTest], Condition]) -> ConditionReader:
    def read(node: Node, known: Known) -> Condition | None:
        fields = node.mapping(_LINE_READERS)
        read_ = [_LINE_READERS[name](child, known) for name, child in fields.items()]
        tests = [test for test in read_ if test is not None]
        if node.keys is not None and not node.keys:
            node.problem("has no condition about lines", "没有写对商品行的条件")
        return quantify(c.both(tests)) if tests and len(tests) == len(node.keys or ()) else None

    return read


# -- numbers and times -------------------------------------------------------------------------------------------------


def _bounds(node: Node) -> tuple[int, int] | None:
    """`5`, or `{at_least: 5}`, `{over: 4, at_most: 9}` and so on, as inclusive bounds."""
    if node.keys is None:
        number = node.integer(0, MOST)
        return number, number
    fields = node.mapping(("at_least", "over", "at_most", "under"))
    least, most = 0, MOST
    for name, child in fields.items():
        number = child.integer(0, MOST)
        if name in ("at_least", "over"):
            least = max(least, number + (name == "over"))
        else:
            most = min(most, number - (name == "under"))
    if not fields:
        node.problem("needs at_least, over, at_most or under", "需要写 at_least、over、at_most 或 under")
        return None
    if least > most:
        node.problem("can never hold: no number fits", "永远不会成立：没有满足条件的数")
        return None
    return least, most


def _number(measure: Callable[[Facts], int]) -> ConditionReader:
    def read(node: Node, _: Known) -> Condition | None:
        bounds = _bounds(node)
        return c.between(measure, *bounds) if bounds else None

    return read


def read_window(fields: Mapping[str, Node], node: Node) -> tuple[datetime | None, datetime | None] | None:
    """`from` and `to` of a window; at least one of them, in order."""
    start = fields["from"].moment() if "from" in fields else None
    end = fields["to"].moment() if "to" in fields else None
    if start is None and end is None:
        if not fields:
            node.problem("needs from, to, or both", "需要写 from、to 或两者")
        return None
    if start is not None and end is not None and end <= start:
        node.problem("ends before it starts", "结束时间早于开始时间")
        return None
    return start, end


def _window(moment: Callable[[Facts], datetime | None]) -> ConditionReader:
    def read(node: Node, _: Known) -> Condition | None:
        window = read_window(node.mapping(("from", "to")), node)
        return c.in_window(moment, *window) if window else None

    return read


def _minute(node: Node) -> int | None:
    text = node.text()
    hours, _, minutes = text.partition(":")
    if len(text) == 5 and hours.isdecimal() and minutes.isdecimal() and int(hours) <= 24 and int(minutes) < 60:
        minute = int(hours) * 60 + int(minutes)
        if minute <= 1440:
            return minute
    if text:
        node.problem(f"should be a time of day such as 22:00, not {text}", f"应该是时刻，例如 22:00，而不是 {text}")
    return None


def _time_of_day(moment: Callable[[Facts], datetime | None]) -> ConditionReader:
    def read(node: Node, known: Known) -> Condition | None:
        fields = node.mapping(("from", "to"), required=("from", "to"))
        minutes = [_minute(child) for name, child in sorted(fields.items())]
        if len(minutes) != 2 or minutes[0] is None or minutes[1] is None:
            return None
        if minutes[0] == minutes[1]:
            node.problem("starts and ends at the same time", "开始和结束时刻相同")
            return None
        return c.at_time_of_day(moment, minutes[0], minutes[1], known.utc_offset)

    return read


# -- the order itself ----------------------------------------------------------------------------------------------


def _tag(node: Node, known: Known) -> Condition | None:
    tags = node.choices(known.tags, "a tag that any tagging rule gives", "任何打标规则给出的标签")
    return c.tagged(frozenset(tags)) if tags else None


def _channel(node: Node, known: Known) -> Condition | None:
    names = read_channels(node, known.channels)
    return c.field_in(lambda order: order.channel, frozenset(names)) if names else None


def read_channels(node: Node, channels: Collection[str] | None) -> tuple[str, ...]:
    """Channel names, checked against those that exist when they are known."""
    if channels is None:
        return _slugs(node)
    return node.choices(channels, "a channel", "渠道")


def _shop(node: Node, _: Known) -> Condition | None:
    names = _slugs(node)
    return c.field_in(lambda order: order.shop_id, frozenset(names)) if names else None


def _slugs(node: Node) -> tuple[str, ...]:
    names = node.texts()
    for name in names:
        if not SLUG.fullmatch(name):
            node.problem(
                f"{name} should be small letters, digits and hyphens only", f"{name} 只能由小写字母、数字和短横线组成"
            )
    return tuple(name for name in names if SLUG.fullmatch(name))


def _one_of(read: Callable[[Order], object], values: Collection[str], en: str, zh: str) -> ConditionReader:
    def read_condition_(node: Node, _: Known) -> Condition | None:
        words = node.choices(values, en, zh)
        return c.field_in(read, frozenset(words)) if words else None

    return read_condition_


def _free(read: Callable[[Order], object]) -> ConditionReader:
    def read_condition_(node: Node, _: Known) -> Condition | None:
        words = node.texts()
        return c.field_in(read, frozenset(words)) if words else None

    return read_condition_


def _mark(node: Node, _: Known) -> Condition | None:
    marks = node.texts()
    return c.marked(frozenset(marks)) if marks else None


_PRESALE: Final[Mapping[str, Condition]] = {
    "true": c.is_presale,
    "false": c.not_(c.is_presale),
    "final-unpaid": c.final_unpaid,
    "not-due": c.not_due,
    "due": c.presale_due,
}


def _presale(node: Node, _: Known) -> Condition | None:
    words = node.choices(_PRESALE, "a state of a presale", "预售状态")
    return c.any_of([_PRESALE[word] for word in words]) if words else None


def _gift_only(node: Node, _: Known) -> Condition | None:
    wanted = node.truth()
    return None if wanted is None else c.gift_only(wanted)


def _remark(read: Callable[[Order], str]) -> ConditionReader:
    def read_condition_(node: Node, _: Known) -> Condition | None:
        fields = node.mapping(("contains", "present"))
        conditions: list[Condition] = []
        if "contains" in fields and (words := fields["contains"].texts()):
            conditions.append(c.says(read, Keywords(words)))
        if "present" in fields and (wanted := fields["present"].truth()) is not None:
            conditions.append(lambda facts: bool(read(facts.order)) is wanted)
        if not fields:
            node.problem("needs contains or present", "需要写 contains 或 present")
        return c.all_of(conditions) if conditions else None

    return read_condition_


_COLOURS: Final = ("red", "yellow", "green", "blue", "purple", "orange", "grey")

_READERS: Final[Mapping[str, ConditionReader]] = {
    "all": _all,
    "any": _any,
    "not": _not,
    "always": _always,
    "country": _country,
    "region": _region,
    "province": _province,
    "city": _city,
    "district": _district,
    "category": _category,
    "storage": _storage,
    "sku": _sku,
    "kind": _kind,
    "some": _quantified(c.any_line),
    "every": _quantified(c.every_line),
    "gift_only": _gift_only,
    "tag": _tag,
    "mark": _mark,
    "channel": _channel,
    "shop": _shop,
    "currency": _free(lambda order: order.currency),
    "seller_flag": _one_of(lambda order: order.seller_flag, _COLOURS, "a flag colour", "旗帜颜色"),
    "payment": _one_of(lambda order: order.payment, list(PaymentStatus), "a payment status", "付款状态"),
    "status": _one_of(lambda order: order.status, list(OrderStatus), "an order status", "订单状态"),
    "presale": _presale,
    "amount_fen": _number(c.amount),
    "quantity": _number(c.units),
    "lines": _number(c.line_count),
    "weight_grams": _number(c.weight),
    "placed": _window(c.placed_at),
    "paid": _window(c.paid_at),
    "decided": _window(c.decided_at),
    "placed_time": _time_of_day(c.placed_at),
    "decided_time": _time_of_day(c.decided_at),
    "buyer_remark": _remark(lambda order: order.buyer_remark),
    "seller_memo": _remark(lambda order: order.seller_memo),
}

PREDICATES: Final = tuple(_READERS)
