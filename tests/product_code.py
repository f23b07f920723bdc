"""The product's own files as syntax trees: what they import, and which private names they touch."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
OURS: Final = ("schemas", "channel_adapters", "workers", "ops", "topology")

_DOCUMENTED: Final = frozenset({"_replace", "_asdict", "_fields", "_make"})  # of NamedTuple
_DOCUMENTED_OF: Final = frozenset({("os", "_exit")})
_CODES: Final = "KafkaError"  # confluent-kafka's: its codes of librdkafka's own errors begin with an underscore


@cache
def product_files() -> tuple[Path, ...]:
    """Every Python file of the product, tests not among them."""
    folders = (ROOT / name for name in OURS if name != "topology")
    return (ROOT / "topology.py", *sorted(path for folder in folders for path in folder.rglob("*.py")))


def place_of(path: Path) -> str:
    """Where it stands in the repository."""
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    """Its name as a module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    """Its syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


# -- imports -------------------------------------------------------------------------------------------------------


class Import(NamedTuple):
    """One import. `at_start`: whether it runs when the module is imported, as neither a lazy one nor one for types."""

    module: str
    at_start: bool
    for_types: bool


def imports_of(tree: ast.AST) -> list[Import]:
    """Everything it imports; `from a import b` counts as a.b, too, as b may be a module."""
    return list(_imports(tree, at_start=True, for_types=False))


def _imports(node: ast.AST, *, at_start: bool, for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, at_start, for_types) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module and not child.level:
            yield Import(child.module, at_start, for_types)
            yield from (Import(f"{child.module}.{alias.name}", at_start, for_types) for alias in child.names)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _imports(child, at_start=False, for_types=for_types)
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            yield from _imports(child, at_start=False, for_types=True)
        else:
            yield from _imports(child, at_start=at_start, for_types=for_types)


def within(module: str, package: str) -> bool:
    """Whether it is that package or stands in it."""
    return module == package or module.startswith(f"{package}.")


# -- private names -------------------------------------------------------------------------------------------------


class Private(NamedTuple):
    """A private name that is not this file's own."""

    name: str
    where: str
    line: int


def private_names(tree: ast.Module) -> list[Private]:
    """Private names that a file touches and does not define itself.

    Attributes of anything but self and cls; attributes of self and cls where the class has a foreign base; imports, and
    modules on the way to them; names given to getattr, setattr, hasattr and delattr.
    """
    found = [*_imported(tree), *_attributes(tree), *_named_in_texts(tree), *_inherited(tree)]
    own = _defined(tree)
    return [each for each in found if each.name not in own]


def is_private(name: str) -> bool:
    """Whether a name says that it is nobody else's business."""
    return name.startswith("_") and not name.endswith("__") and name != "_"


def _imported(tree: ast.Module) -> Iterator[Private]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [part for alias in node.names for part in alias.name.split(".")]
        else:
            continue
        yield from (Private(name, ast.unparse(node), node.lineno) for name in names if is_private(name))


def _attributes(tree: ast.Module) -> Iterator[Private]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not is_private(node.attr) or node.attr in _DOCUMENTED:
            continue
        of = ast.unparse(node.value)
        if of not in ("self", "cls", "super()", _CODES) and (of, node.attr) not in _DOCUMENTED_OF:
            yield Private(node.attr, ast.unparse(node), node.lineno)


def _named_in_texts(tree: ast.Module) -> Iterator[Private]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) not in ("getattr", "setattr", "hasattr", "delattr"):
            continue
        named = node.args[1] if len(node.args) > 1 else None
        if isinstance(named, ast.Constant) and isinstance(named.value, str) and is_private(named.value):
            yield Private(named.value, ast.unparse(node), node.lineno)


def _inherited(tree: ast.Module) -> Iterator[Private]:
    foreign = _foreign_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(_root(base) in foreign for base in node.bases):
            for each in ast.walk(node):
                if (
                    isinstance(each, ast.Attribute)
                    and is_private(each.attr)
                    and ast.unparse(each.value) in ("self", "cls", "super()")
                ):
                    yield Private(each.attr, f"{node.name}: {ast.unparse(each)}", each.lineno)


def _root(base: ast.expr) -> str:
    while isinstance(base, ast.Attribute | ast.Subscript):
        base = base.value
    return base.id if isinstance(base, ast.Name) else ""


def _foreign_names(tree: ast.Module) -> set[str]:
    """What is imported from neither our packages nor Python's own."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and _is_foreign(node.module or ""):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names if _is_foreign(alias.name)}
    return names


def _is_foreign(module: str) -> bool:
    top = module.split(".")[0]
    return top not in OURS and top != "tests" and top not in sys.stdlib_module_names


def _defined(tree: ast.Module) -> set[str]:
    """Names that a file gives to something itself: functions, classes, variables, attributes of self, slots."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if ast.unparse(node.value) in ("self", "cls"):
                names.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names
