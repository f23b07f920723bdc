"""Reading `when`: from the file's words to a compiled condition, noting every mistake."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from schemas.order import Order, OrderStatus, PaymentStatus
from workers.rules import condition as c
from workers.rules.condition import Condition
from workers.rules.document import Node
from workers.rules.known import ConditionReader, Known, read_channels, read_slugs
from workers.rules.line_parsing import quantified, read_category, read_kind, read_sku, read_storage
from workers.rules.measure_parsing import number_of, time_of_day_of, window_of
from workers.rules.problems import did_you_mean
from workers.rules.region import PROVINCES, city_of, district_of, province_of
from workers.rules.words import Keywords


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
    for item in node.some():
        spelling = item.text()
        name = province_of(spelling)
        if spelling and not name:
            hint = did_you_mean(spelling, PROVINCES)
            item.problem(f"{spelling} is not a province{hint.en}", f"{spelling} 不是省级行政区{hint.zh}")
        read.append(name)
    return tuple(name for name in read if name)


def _province(node: Node, _: Known) -> Condition | None:
    provinces = read_provinces(node)
    return c.province_in(frozenset(provinces)) if provinces else None


def _city(node: Node, _: Known) -> Condition | None:
    names = node.texts()
    return c.city_in(frozenset(map(city_of, names))) if names else None


def _district(node: Node, _: Known) -> Condition | None:
    names = node.texts()
    return c.district_in(frozenset(map(district_of, names))) if names else None


# -- the order itself ----------------------------------------------------------------------------------------------


def _tag(node: Node, known: Known) -> Condition | None:
    tags = node.choices(known.tags, "a tag that any tagging rule gives", "任何打标规则给出的标签")
    return c.tagged(frozenset(tags)) if tags else None


def _channel(node: Node, known: Known) -> Condition | None:
    names = read_channels(node, known.channels)
    return c.field_in(lambda order: order.channel, frozenset(names)) if names else None


def _shop(node: Node, _: Known) -> Condition | None:
    names = read_slugs(node)
    return c.field_in(lambda order: order.shop_id, frozenset(names)) if names else None


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
        if node.keys is not None and not node.keys:
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
    "category": read_category,
    "storage": read_storage,
    "sku": read_sku,
    "kind": read_kind,
    "some": quantified(c.any_line),
    "every": quantified(c.every_line),
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
    "amount_fen": number_of(c.amount),
    "quantity": number_of(c.units),
    "lines": number_of(c.line_count),
    "weight_grams": number_of(c.weight),
    "placed": window_of(c.placed_at),
    "paid": window_of(c.paid_at),
    "decided": window_of(c.decided_at),
    "placed_time": time_of_day_of(c.placed_at),
    "decided_time": time_of_day_of(c.decided_at),
    "buyer_remark": _remark(lambda order: order.buyer_remark),
    "seller_memo": _remark(lambda order: order.seller_memo),
}

PREDICATES: Final = tuple(_READERS)
