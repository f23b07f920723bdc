"""Reading conditions on the lines of an order: any line by default, every line on demand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatchcase
from typing import Final

from schemas.order import Line, LineKind, StorageClass
from workers.rules import condition as c
from workers.rules.condition import Condition, LineTest
from workers.rules.document import Node
from workers.rules.known import ConditionReader, Known, LineReader
from workers.rules.measure_parsing import read_bounds
from workers.rules.problems import did_you_mean


def _categories(node: Node, known: Known) -> frozenset[str]:
    if known.catalogue is None:
        return frozenset(node.texts())
    return frozenset(node.choices(known.catalogue.categories, "a category of the catalogue", "商品目录中的类目"))


def _storages(node: Node, _: Known) -> frozenset[StorageClass]:
    return frozenset(map(StorageClass, node.choices(list(StorageClass), "a storage class", "储存方式")))


def _skus(node: Node, known: Known) -> frozenset[str]:
    if known.catalogue is None:
        return frozenset(node.texts())
    return frozenset(code for item in node.some() for code in _matching(item, known.catalogue.skus))


def _matching(item: Node, skus: Collection[str]) -> Collection[str]:
    """The SKUs that a code or a pattern with * means."""
    pattern = item.text()
    if pattern in skus:
        return (pattern,)
    matching = [code for code in skus if "*" in pattern and fnmatchcase(code, pattern)]
    if pattern and not matching:
        hint = did_you_mean(pattern, skus)
        item.problem(f"{pattern} is not a SKU of the catalogue{hint.en}", f"{pattern} 不是商品目录中的 SKU{hint.zh}")
    return matching


def _kinds(node: Node, _: Known) -> frozenset[LineKind]:
    return frozenset(map(LineKind, node.choices(["purchase", "gift"], "a kind of line", "行类型")))


def read_category(node: Node, known: Known) -> Condition | None:
    wanted = _categories(node, known)
    return c.any_category(wanted) if wanted else None


def read_storage(node: Node, known: Known) -> Condition | None:
    wanted = _storages(node, known)
    return c.any_storage(wanted) if wanted else None


def read_sku(node: Node, known: Known) -> Condition | None:
    wanted = _skus(node, known)
    return c.any_sku(wanted) if wanted else None


def read_kind(node: Node, known: Known) -> Condition | None:
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
        bounds = read_bounds(node)
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


def quantified(quantify: Callable[[LineTest], Condition]) -> ConditionReader:
    def read(node: Node, known: Known) -> Condition | None:
        fields = node.mapping(_LINE_READERS)
        read_ = [_LINE_READERS[name](child, known) for name, child in fields.items()]
        tests = [test for test in read_ if test is not None]
        if node.keys is not None and not node.keys:
            node.problem("has no condition about lines", "没有写对商品行的条件")
        return quantify(c.both(tests)) if tests and len(tests) == len(node.keys or ()) else None

    return read
