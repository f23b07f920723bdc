"""Reading `rules.yaml`: everything that could surprise at run time is refused here, in plain words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from schemas.ids import SLUG
from schemas.order import LineKind
from schemas.text import Text
from workers.rules.action_parsing import read_action
from workers.rules.catalogue import Catalogue
from workers.rules.catalogue_loading import digest_of, load_catalogue
from workers.rules.condition_parsing import read_condition, read_provinces
from workers.rules.document import Node, read_document
from workers.rules.known import Known, read_channels
from workers.rules.region import REGIONS
from workers.rules.ruleset import Rule, Ruleset, Warehouse
from workers.rules.shadowing import refuse_shadowed
from workers.rules.tagging import OF_A_LINE, KeywordRule, LookIn, Tagging
from workers.rules.words import Keywords

__all__ = ["load_catalogue", "load_ruleset"]

_TOP: Final = ("ruleset", "warehouses", "regions", "tagging", "rules")
MOST_RULES: Final = 1000


def load_ruleset(
    text: str | bytes,
    source: str,
    catalogue: Catalogue | None = None,
    channels: Collection[str] | None = None,
) -> Ruleset:
    """Read a ruleset; `source` is the file's name. With a catalogue, SKUs and categories are checked against it.

    Raises RulesetErrors with every problem in the file.
    """
    root, problems = read_document(text, source)
    fields = root.mapping(_TOP, required=("ruleset", "warehouses", "rules"))
    head = _Head(fields.get("ruleset"))
    regions = _regions(fields.get("regions"))
    warehouses = _warehouses(fields.get("warehouses"), regions)
    tagging = Tagging(_keyword_rules(fields.get("tagging"), channels))
    known = Known(regions, tagging.tags, catalogue, channels, head.utc_offset)
    rules = _rules(fields.get("rules"), known, warehouses)
    problems.raise_if_any()
    return Ruleset(
        name=head.name,
        version=head.version,
        description=head.description,
        auto_percent=head.auto_percent,
        rules=tuple(sorted(rules, key=lambda rule: rule.priority)),  # sorted() keeps file order among equals
        warehouses=warehouses,
        tagging=tagging,
        regions=regions,
        digest=digest_of(text),
    )


class _Head:
    """The `ruleset:` block."""

    def __init__(self, node: Node | None) -> None:
        known = ("name", "version", "description", "auto_percent", "utc_offset")
        fields = node.mapping(known, required=("name", "version")) if node else {}
        self.name = _slug(fields["name"]) if "name" in fields else ""
        self.version = _version(fields["version"]) if "version" in fields else ""
        self.description = fields["description"].text() if "description" in fields else ""
        self.auto_percent = fields["auto_percent"].integer(0, 100) if "auto_percent" in fields else 100
        self.utc_offset = _offset(fields["utc_offset"]) if "utc_offset" in fields else timedelta(hours=8)


def _slug(node: Node) -> str:
    name = node.text()
    if name and not (SLUG.fullmatch(name) and len(name) <= 63):
        node.problem(
            f"{name} should be small letters, digits and hyphens only, at most 63",
            f"{name} 只能由小写字母、数字和短横线组成，最多 63 个字符",
        )
        return ""
    return name


def _version(node: Node) -> str:
    version = node.text()
    if "@" in version or any(character.isspace() for character in version):
        node.problem("can't hold a blank or @", "不能包含空格或 @")
    return version


def _offset(node: Node) -> timedelta:
    text = node.text()
    hours, _, minutes = text[1:].partition(":")
    if len(text) == 6 and text[0] in "+-" and hours.isdecimal() and minutes.isdecimal() and int(hours) <= 14:
        span = timedelta(hours=int(hours), minutes=int(minutes))
        return -span if text[0] == "-" else span
    node.problem(f"should be an offset from UTC such as +08:00, not {text}", f"应该是时差，例如 +08:00，而不是 {text}")
    return timedelta(hours=8)


def _regions(node: Node | None) -> Mapping[str, tuple[str, ...]]:
    own = {name: read_provinces(child) for name, child in node.mapping().items()} if node else {}
    return {**REGIONS, **own}


def _warehouses(node: Node | None, regions: Mapping[str, tuple[str, ...]]) -> dict[str, Warehouse]:
    warehouses: dict[str, Warehouse] = {}
    for row in node.rows() if node else ():
        fields = row.mapping(("id", "title", "regions"), required=("id",))
        warehouse_id = _slug(fields["id"]) if "id" in fields else ""
        if warehouse_id in warehouses:
            fields["id"].problem(f"there are two warehouses {warehouse_id}", f"仓库 {warehouse_id} 重复")
        served = fields["regions"].choices(regions, "a known region", "已知的大区") if "regions" in fields else ()
        title = fields["title"].text() if "title" in fields else warehouse_id
        if warehouse_id:
            warehouses[warehouse_id] = Warehouse(warehouse_id, title, served)
    if node and node.items is not None and not node.items:
        node.problem("is an empty list; declare at least one warehouse", "列表为空，请至少声明一个仓库")
    return warehouses


# -- tagging ---------------------------------------------------------------------------------------------------------


def _keyword_rules(node: Node | None, channels: Collection[str] | None) -> Sequence[KeywordRule]:
    seen: set[str] = set()
    rules = []
    for number, row in enumerate(node.rows() if node else (), start=1):
        row.belongs_to(Text(f"tagging rule {number}", f"第 {number} 条打标规则"))
        rule_id = _id(row, "tagging rule", "打标规则", seen)
        rule = _keyword_rule(row, rule_id, channels)
        if rule is not None:
            rules.append(rule)
    return rules


def _keyword_rule(row: Node, rule_id: str, channels: Collection[str] | None) -> KeywordRule | None:
    names = ("id", "keywords", "unless", "look_in", "channels", "then", "title")
    fields = row.mapping(names, required=("id", "keywords", "look_in", "then"))
    if not {"keywords", "look_in", "then"} <= fields.keys():
        return None
    places = frozenset(map(LookIn, fields["look_in"].choices(list(LookIn), "a place to look in", "查找位置")))
    keywords = fields["keywords"].texts()
    kind, tag = _finding(fields["then"])
    if kind is not None and places - OF_A_LINE:
        fields["then"].problem(
            f"kind is about one line, so look_in can only be {', '.join(sorted(OF_A_LINE))}",
            f"kind 只针对单个商品行，look_in 只能是 {'、'.join(sorted(OF_A_LINE))}",
        )
    if not keywords or not places:
        return None
    unless = fields["unless"].texts() if "unless" in fields else ()
    only = frozenset(read_channels(fields["channels"], channels)) if "channels" in fields else frozenset()
    return KeywordRule(rule_id, Keywords(keywords, unless), places, kind, tag, only)


def _finding(node: Node) -> tuple[LineKind | None, str]:
    fields = node.mapping(("kind", "tag"))
    kind = (
        fields["kind"].choice(["gift", "service"], "a kind to make of a line", "可设置的行类型")
        if "kind" in fields
        else ""
    )
    tag = _slug(fields["tag"]) if "tag" in fields else ""
    if node.keys is not None and not fields:
        node.problem("needs kind, tag, or both", "需要写 kind、tag 或两者")
    return (LineKind(kind) if kind else None), tag


# -- routing rules ---------------------------------------------------------------------------------------------------


def _rules(node: Node | None, known: Known, warehouses: Mapping[str, Warehouse]) -> list[Rule]:
    rows = node.rows() if node else []
    if node and node.items is not None and not rows:
        node.problem("is an empty list; every order would go to review", "列表为空，所有订单都会进入人工审核")
    if node and len(rows) > MOST_RULES:
        node.problem(f"holds more than {MOST_RULES} rules", f"规则超过 {MOST_RULES} 条")
    seen: set[str] = set()
    read = [(row, _rule(row, number, known, warehouses, seen)) for number, row in enumerate(rows, start=1)]
    whole = [(row, rule) for row, rule in read if rule is not None]
    refuse_shadowed(whole)
    return [rule for _, rule in whole]


def _rule(row: Node, number: int, known: Known, warehouses: Mapping[str, Warehouse], seen: set[str]) -> Rule | None:
    row.belongs_to(Text(f"rule {number}", f"第 {number} 条规则"))
    rule_id = _id(row, "rule", "规则", seen)
    fields = row.mapping(("id", "title", "priority", "when", "then"), required=("id", "priority", "when", "then"))
    priority = fields["priority"].integer(0, 1_000_000) if "priority" in fields else 0
    condition = read_condition(fields["when"], known) if "when" in fields else None
    action = read_action(fields["then"], warehouses) if "then" in fields else None
    if condition is None or action is None or not rule_id:
        return None
    title = fields["title"].text() if "title" in fields else ""
    return Rule(
        rule_id=rule_id,
        priority=priority,
        holds=condition,
        title=title,
        action=action.written,
        assign=action.assign,
        force=action.force,
        defer=action.defer,
        hold=action.hold,
        on_short=action.on_short,
        add_tags=action.add_tags,
    )


def _id(row: Node, en: str, zh: str, seen: set[str]) -> str:
    """The row's own id, from which its problems are told from then on."""
    node = (row.keys or {}).get("id")
    if node is None:
        return ""
    rule_id = _slug(node)
    if not rule_id:
        return ""
    row.belongs_to(Text(f"{en} {rule_id}", f"{zh} {rule_id}"))
    if rule_id in seen:
        node.problem(f"there are two of this id: {rule_id}", f"编号 {rule_id} 重复")
    seen.add(rule_id)
    return rule_id
