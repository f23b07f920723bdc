"""What the fence relies on in foreign packages, and whether it is still what it was when we looked.

Three questions: has the text of what we override or call changed, is each attribute that we touch still set where we
look for it, and does a list name everything that the fence touches.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.product_code import module_of, private_names, tree_of

Digests = Mapping[str, str]
"""`module:Class.function` -> the digest of its source."""
Attributes = Mapping[str, str]
"""`module:Class` -> the attributes that we touch, apart by spaces; `module` alone: names of the module."""

_NOT_FOREIGN = {"builtins", "typing", "workers"}

LOOK = (
    "upstream changed it: read what is new, see whether our override still does what it says or may go, "
    "and only then write the new digest down"
)


def find(name: str) -> Any:
    """The thing itself. Raises ModuleNotFoundError or AttributeError when it is gone."""
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in filter(None, path.split(".")):
        found = inspect.getattr_static(found, part) if inspect.isclass(found) else getattr(found, part)
    return found


def digest(name: str) -> str:
    """The same for the same source, however it is laid out in lines."""
    found = find(name)
    code: Any = found.fget if isinstance(found, property) else found
    text = inspect.getsource(code)
    return sha256("".join(text.split()).encode()).hexdigest()[:12]


def sets(name: str, attribute: str) -> bool:
    """Whether a class sets an attribute of its instances, or declares it; whether a module has a name."""
    found = find(name)
    if inspect.ismodule(found):
        return hasattr(found, attribute)
    pattern = rf"^\s+(self\.)?{attribute}\s*(:[^=\n]+)?=|^    {attribute}\s*:"
    return re.search(pattern, inspect.getsource(found), re.MULTILINE) is not None


def listed(digests: Digests, attributes: Attributes) -> set[str]:
    """All names that both lists have."""
    return {name.rpartition(".")[2] for name in digests} | {one for row in attributes.values() for one in row.split()}


def touched(files: Iterable[Path]) -> set[str]:
    """Private names of others that these files touch, and what of a foreign class a class of theirs replaces."""
    names: set[str] = set()
    for path in files:
        names |= {each.name for each in private_names(tree_of(path), given_anew=False)}
        names |= set(_replaced(importlib.import_module(module_of(path))))
    return names


def _replaced(module: Any) -> Iterator[str]:
    for cls in vars(module).values():
        if not inspect.isclass(cls) or cls.__module__ != module.__name__:
            continue
        foreign = [
            base for base in cls.__mro__[1:] if not base.__module__.startswith(("builtins", "typing", "workers"))
        ]
        for name, value in vars(cls).items():
            is_code = inspect.isfunction(value) or isinstance(value, property)
            if is_code and not name.startswith("__") and any(name in vars(base) for base in foreign):
                yield name
