"""JSON that no encoder writes: repeated keys, numbers of any length, NaN, half a surrogate pair."""

from __future__ import annotations

import json
from typing import Any


class Raw(str):
    """JSON text that is put in as it stands."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """An object whose keys may repeat."""


def dumps(value: Any) -> str:
    """JSON text, only ASCII: a lone surrogate is an escape then, and can be written down."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{json.dumps(key)}:{dumps(each)}" for key, each in value) + "}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{dumps(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dumps(each) for each in value) + "]"
    return json.dumps(value)
