"""Rules that contradict each other or can never matter, found by comparing what they say."""

from __future__ import annotations

from collections.abc import Sequence

from workers.rules.document import Node
from workers.rules.ruleset import Rule

Shape = str | frozenset["Shape"] | tuple[str, "Shape"]
"""What a condition says, whatever the order of its parts."""

_ALWAYS: Shape = frozenset({("always", "true")})


def refuse_shadowed(rules: Sequence[tuple[Node, Rule]]) -> None:
    """Note each rule that contradicts another force, and each candidate that no order can ever reach."""
    shapes = [_parts(row.keys["when"]) for row, _ in rules if row.keys]
    forces = [(rule, shape) for (_, rule), shape in zip(rules, shapes, strict=True) if rule.force]
    stops = [(rule, shape) for (_, rule), shape in zip(rules, shapes, strict=True) if rule.hold]
    for (row, rule), shape in zip(rules, shapes, strict=True):
        if rule.force:
            _refuse_contradiction(row, rule, shape, forces)
        if rule.assign:
            _refuse_unreachable(row, shape, forces)
        if rule.assign or rule.force:
            _refuse_held(row, shape, stops)


def _refuse_contradiction(row: Node, rule: Rule, shape: Shape, forces: Sequence[tuple[Rule, Shape]]) -> None:
    for other, other_shape in forces:
        if other is rule:
            return
        if other.force != rule.force and other_shape == shape:
            _then(row).problem(
                f"forces {rule.force}, but rule {other.rule_id} forces {other.force} for the very same orders",
                f"强制 {rule.force}，但规则 {other.rule_id} 对完全相同的订单强制 {other.force}",
            )


def _refuse_unreachable(row: Node, shape: Shape, forces: Sequence[tuple[Rule, Shape]]) -> None:
    for force, covered in forces:
        if _covers(covered, shape):
            _then(row).problem(
                f"can't be reached: rule {force.rule_id} forces {force.force} for all these orders, "
                "and force beats assign whatever the priority",
                f"永远不会用到：规则 {force.rule_id} 对这些订单强制 {force.force}，而 force 不论优先级都优先于 assign",
            )
            return


def _refuse_held(row: Node, shape: Shape, stops: Sequence[tuple[Rule, Shape]]) -> None:
    for stop, covered in stops:
        if _covers(covered, shape):
            _then(row).problem(
                f"can't be reached: rule {stop.rule_id} holds all these orders for review",
                f"永远不会用到：规则 {stop.rule_id} 让这些订单全部进入人工审核",
            )
            return


def _covers(general: Shape, special: Shape) -> bool:
    """Whether every order of `special` is surely one of `general`: the same demands, or a part of them."""
    if general == _ALWAYS:
        return True
    return isinstance(general, frozenset) and isinstance(special, frozenset) and general <= special


def _parts(node: Node) -> Shape:
    """A condition as the set of demands that must all hold; nested `all` is taken apart."""
    parts: set[Shape] = set()
    for name, child in (node.keys or {}).items():
        if name == "all":
            for member in child.items or ():
                inner = _parts(member)
                parts |= inner if isinstance(inner, frozenset) else {inner}
        else:
            parts.add((name, _shape(child)))
    return frozenset(parts)


def _shape(node: Node) -> Shape:
    if node.keys is not None:
        return _parts(node)
    if node.items is not None:
        inner = frozenset(_shape(item) for item in node.items)
        return next(iter(inner)) if len(inner) == 1 else inner
    return (node.scalar or "").strip()


def _then(row: Node) -> Node:
    return (row.keys or {})["then"]
