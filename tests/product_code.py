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

AT_RUN_TIME: Final = frozenset(
    {"__import__", "import_module", "resolve_name", "run_module", "run_path", "spec_from_file_location"}
)
"""What imports a module that is named by a text."""

BEHIND_THE_FENCE: Final = frozenset({"faust", "mode", "aiokafka", "redis", "hiredis"})

_TAKES_A_NAME: Final = frozenset(
    {"getattr", "setattr", "hasattr", "delattr", "getattr_static", "attrgetter", "methodcaller"}
    | {"__getattribute__", "__setattr__", "__delattr__", *AT_RUN_TIME}
)
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
    """One import. `at_start`: whether it runs when the module is imported, as neither a lazy one nor one for types.

    `module` begins with a dot when it is relative, and is the whole call in brackets when it is made at run time.
    """

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
        elif isinstance(child, ast.ImportFrom):
            module = "." * child.level + (child.module or "")
            yield Import(module, at_start, for_types)
            yield from (Import(f"{module}.{alias.name}", at_start, for_types) for alias in child.names)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _imports(child, at_start=False, for_types=for_types)
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            yield from _imports(child, at_start=False, for_types=True)
        else:
            if isinstance(child, ast.Call) and last_name(child.func) in AT_RUN_TIME:
                yield Import(f"({ast.unparse(child)})", at_start, for_types)
            yield from _imports(child, at_start=at_start, for_types=for_types)


def last_name(called: ast.expr) -> str:
    """`c` of `a.b.c`."""
    return ast.unparse(called).rpartition(".")[2]


def within(module: str, package: str) -> bool:
    """Whether it is that package or stands in it."""
    return module == package or module.startswith(f"{package}.")


# -- private names -------------------------------------------------------------------------------------------------


class Private(NamedTuple):
    """A private name that is not this file's own."""

    name: str
    where: str
    line: int


def private_names(tree: ast.Module, *, given_anew: bool = True) -> list[Private]:
    """Private names that a file touches and does not define itself.

    Attributes of anything but self and cls; attributes of self and cls where the class has a foreign base; imports, and
    modules on the way to them; names given as texts to getattr and its like; names of a base behind the fence that are
    given anew (unless not asked for). What the file's own classes have is its own, but not on something foreign.
    """
    own = _members(tree)
    texts = (each for each in _named_in_texts(tree) if each.name not in own)
    inherited = (each for each in _inherited(tree) if each.name not in _defined(tree))
    foreign = _foreign_names(tree) | _of_foreign_kind(tree)
    attributes = (each for each in _attributes(tree) if each.name not in own or each.where.split(".")[0] in foreign)
    anew = _given_anew(tree) if given_anew else ()
    return [*_imported(tree), *attributes, *texts, *inherited, *anew]


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
    by_name = {a.asname: a.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for a in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = last_name(node.func)
            named = node.args if by_name.get(called, called) in _TAKES_A_NAME else []
        elif isinstance(node, ast.Subscript) and last_name(node.value).split("(")[0] in ("__dict__", "vars"):
            named = [node.slice]
        elif isinstance(node, ast.MatchClass):
            yield from (Private(name, ast.unparse(node), node.lineno) for name in node.kwd_attrs if is_private(name))
            continue
        else:
            continue
        its_own = bool(named) and ast.unparse(named[0]) in ("self", "cls")
        for part in _parts_of_texts(named):
            if part.endswith("...") and its_own:
                continue
            if is_private(part):
                yield Private(part, ast.unparse(node), node.lineno)


def _parts_of_texts(named: list[ast.expr]) -> Iterator[str]:
    """`a` and `_b` of "a._b"; of a text that is put together, its first part: "_" of "_" + name."""
    for each in named:
        first = each.values[0] if isinstance(each, ast.JoinedStr) and each.values else each
        first = first.left if isinstance(first, ast.BinOp) else first
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            whole = first is each
            yield from first.value.split(".") if whole else (f"{first.value}..." for _ in [0] if first.value[:1] == "_")


def _given_anew(tree: ast.Module) -> Iterator[Private]:
    """Private names of classes that stand on one of the packages behind the fence: they may hide one of its own."""
    behind = _foreign_names(tree, only=BEHIND_THE_FENCE)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(_root(base) in behind for base in node.bases):
            for name in sorted(name for name in _members(ast.Module([node], [])) if is_private(name)):
                yield Private(name, f"class {node.name}", node.lineno)


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


def _foreign_names(tree: ast.Module, only: frozenset[str] = frozenset()) -> set[str]:
    """What is imported from neither our packages nor Python's own, and variables that are only other names for it."""
    names: set[str] = set()

    def meant(module: str) -> bool:
        return module.split(".")[0] in only if only else is_foreign(module)

    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and meant(node.module or ""):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names if meant(alias.name)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Name | ast.Attribute)
            and _root(node.value) in names
        ):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _of_foreign_kind(tree: ast.Module) -> set[str]:
    """Variables and parameters that are said to be, or made as, something of a package behind the fence."""
    behind = _foreign_names(tree, only=BEHIND_THE_FENCE)
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None and _root(node.annotation) in behind:
            names.add(node.arg)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _root(node.value.func) in behind:
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _members(tree: ast.Module) -> set[str]:
    """Names that the classes of a file give to what is theirs: methods, fields, attributes of self, slots."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                names |= (
                    {each.name} if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else set()
                )
                names |= (
                    {one.id for one in ast.walk(each) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
                    if isinstance(each, ast.Assign | ast.AnnAssign)
                    else set()
                )
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names |= {node.attr} if ast.unparse(node.value) in ("self", "cls") else set()
    return names


def is_foreign(module: str) -> bool:
    """Whether it is neither ours nor Python's own."""
    top = module.split(".")[0]
    return top not in OURS and top not in sys.stdlib_module_names


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
