"""Reading `then`: what a rule does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.ids import SLUG
from schemas.plan import OnShort
from workers.rules.document import Node
from workers.rules.ruleset import Defer, Until, Warehouse

_DECISIONS: Final = ("assign", "force", "defer", "hold")
_FIELDS: Final = (*_DECISIONS, "on_short", "add_tag")


@dataclass(frozen=True, slots=True)
class Action:
    """What `then` says. At most one of assign, force, defer and hold is set."""

    written: str
    assign: tuple[str, ...] = ()
    force: str = ""
    defer: Defer | None = None
    hold: str = ""
    on_short: OnShort | None = None
    add_tags: tuple[str, ...] = ()


def read_action(node: Node, warehouses: Mapping[str, Warehouse]) -> Action | None:
    """None when there is a problem; it is noted."""
    fields = node.mapping(_FIELDS)
    if node.keys is None:
        return None
    if not node.keys:
        node.problem(
            "is empty; say what to do, such as assign: hangzhou", "是空的，请写要做什么，例如 assign: hangzhou"
        )
        return None
    if len(fields) < len(node.keys):
        return None
    decisions = [name for name in _DECISIONS if name in fields]
    if len(decisions) > 1:
        node.problem(
            f"{' and '.join(decisions)} contradict each other; keep one, or make two rules",
            f"{'、'.join(decisions)} 互相矛盾，请只保留一个，或拆成两条规则",
        )
        return None
    return _action(fields, warehouses)


def _action(fields: Mapping[str, Node], warehouses: Mapping[str, Warehouse]) -> Action:
    assign = _warehouses(fields["assign"], warehouses) if "assign" in fields else ()
    force = _force(fields["force"], warehouses) if "force" in fields else ""
    defer, until = _defer(fields["defer"]) if "defer" in fields else (None, "")
    hold = fields["hold"].text() if "hold" in fields else ""
    on_short = (
        fields["on_short"].choice(list(OnShort), "an answer to a shortage", "缺货处理方式")
        if "on_short" in fields
        else ""
    )
    tags = _tags(fields["add_tag"]) if "add_tag" in fields else ()
    said = {"assign": ", ".join(assign), "force": force, "defer": until, "hold": hold}
    said |= {"on_short": on_short, "add_tag": ", ".join(tags)}
    written = ", ".join(f"{name}: {said[name]}" for name in fields)
    return Action(written, assign, force, defer, hold, OnShort(on_short) if on_short else None, tags)


def _warehouses(node: Node, warehouses: Mapping[str, Warehouse]) -> tuple[str, ...]:
    names = node.choices(warehouses, "a declared warehouse", "已声明的仓库")
    for name in sorted({name for name in names if names.count(name) > 1}):
        node.problem(
            f"{name} stands here twice: its second place can't be reached", f"{name} 出现两次，第二次永远不会用到"
        )
    return names


def _force(node: Node, warehouses: Mapping[str, Warehouse]) -> str:
    if node.items is not None:
        node.problem("can only name one warehouse; for several, use assign", "只能写一个仓库；要写多个请用 assign")
        return ""
    return node.choice(warehouses, "a declared warehouse", "已声明的仓库")


def _defer(node: Node) -> tuple[Defer | None, str]:
    fields = node.mapping(("until",), required=("until",))
    if "until" not in fields:
        return None, ""
    until = fields["until"]
    word = until.text()
    if word in (Until.FINAL_PAYMENT, Until.SHIP_NOT_BEFORE):
        return Defer(Until(word)), word
    if word[:1].isdigit():
        time: datetime | None = until.moment()
        return (Defer(Until.TIME, time) if time else None), word
    if word:
        until.problem(
            f"should be final-payment, ship-not-before or a time such as 2026-11-11T00:00:00+08:00, not {word}",
            f"应该是 final-payment、ship-not-before，或时间，例如 2026-11-11T00:00:00+08:00，而不是 {word}",
        )
    return None, word


def _tags(node: Node) -> tuple[str, ...]:
    tags = node.texts()
    for tag in tags:
        if not SLUG.fullmatch(tag):
            node.problem(
                f"{tag} should be small letters, digits and hyphens only", f"{tag} 只能由小写字母、数字和短横线组成"
            )
    return tags
