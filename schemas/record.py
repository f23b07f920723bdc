"""The one kind of value we pass around: a slotted dataclass that is never changed after it is built.

Immutability is a promise to the type checker (`frozen_default`), not a cost at run time: building a really frozen
dataclass is three times slower, and an order is built from a dozen of these.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any, TypeVar, dataclass_transform

import orjson
from pydantic import ConfigDict, TypeAdapter

T = TypeVar("T")

_CONFIG = ConfigDict(extra="ignore", ser_json_timedelta="float")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(dataclasses.field,))
def record(cls: type[T]) -> type[T]:
    """Make `cls` a keyword-only value with slots. JSON with unknown fields is fine: old code reads new messages."""
    cls.__pydantic_config__ = _CONFIG  # type: ignore[attr-defined]
    return dataclasses.dataclass(slots=True, kw_only=True)(cls)


def adapter(model: type[T]) -> TypeAdapter[T]:
    """The compiled validator of a record. Built once: building costs milliseconds."""
    return _validator(model)  # type: ignore[arg-type]  # classes hash; mypy does not see it through type[T]


@cache
def _validator(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def encode(value: Any) -> bytes:
    """The wire form of a record: compact JSON, times as RFC 3339 in UTC, fields in declaration order."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def decode(model: type[T], payload: bytes) -> T:
    """Read a record from its wire form. Raises pydantic.ValidationError."""
    return adapter(model).validate_json(payload)
