"""Which fields hold data about a person: those that a record keeps out of its `repr`. One rule for logs and erasure."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from schemas.order import Privacy, ShipTo
from schemas.record import changed

T = TypeVar("T")


def personal_fields(model: type[Any]) -> tuple[str, ...]:
    """Paths of them from this model down: `order.ship_to.street`."""
    return tuple(_paths(model))


def _paths(model: type[Any]) -> Iterator[str]:
    hints = get_type_hints(model)
    for each in fields(model):
        if not each.repr:
            yield each.name
        for inner in _records(hints[each.name]):
            yield from (f"{each.name}.{path}" for path in _paths(inner))


def _records(hint: Any) -> Iterator[type[Any]]:
    """The records in a type: itself, in a tuple or a mapping, or one of several."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    elif get_origin(hint) in (tuple, dict, Union, types.UnionType):
        for inner in get_args(hint):
            yield from _records(inner)


def without_personal(value: T) -> T:
    """The same record with all of them empty. What decides about goods and money stays."""
    record: Any = value
    if not isinstance(record, msgspec.Struct):
        return value
    emptied: dict[str, Any] = {}
    for each in fields(record):  # type: ignore[arg-type]  # a record is declared as a dataclass
        held = getattr(record, each.name)
        if not each.repr and held:
            emptied[each.name] = type(held)()
        elif isinstance(held, msgspec.Struct):
            emptied[each.name] = without_personal(held)
        elif isinstance(held, tuple):
            emptied[each.name] = tuple(without_personal(one) for one in held)
    if isinstance(record, ShipTo):
        emptied["privacy"] = Privacy.MISSING
    return changed(value, **emptied)
