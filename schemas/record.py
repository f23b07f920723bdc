"""The one kind of value we pass around: a slotted dataclass that is never changed after it is built.

Immutability is a promise to the type checker (`frozen_default`), not a cost at run time: building a really frozen
dataclass is three times slower, and an order is built from a dozen of these.

Two libraries read them. msgspec is twice as fast and says little about what is wrong; pydantic is the judge: whatever
msgspec does not take is read by pydantic, which takes it after all or names every field at fault.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, dataclass_transform

import msgspec
from pydantic import ConfigDict, TypeAdapter

T = TypeVar("T")

_CONFIG = ConfigDict(extra="ignore", ser_json_timedelta="float")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(dataclasses.field,))
def record(cls: type[T]) -> type[T]:
    """Make `cls` a keyword-only value with slots. JSON with unknown fields is fine: old code reads new messages."""
    cls.__pydantic_config__ = _CONFIG  # type: ignore[attr-defined]
    return dataclasses.dataclass(slots=True, kw_only=True)(cls)


def changed(value: T, **changes: Any) -> T:
    """`dataclasses.replace` for a record, several times as fast: what the hot path changes orders and lines with.

    Raises AttributeError for a field that the record does not have.
    """
    copy: T = _copier(type(value))(value)  # type: ignore[arg-type]  # classes hash; mypy does not see it
    for name, new in changes.items():
        setattr(copy, name, new)
    return copy


@cache
def _copier(cls: type[Any]) -> Callable[[Any], Any]:
    """A function that copies the slots of one class, written out field by field as `dataclasses` writes `__init__`."""
    names = [field.name for field in dataclasses.fields(cls)]
    source = ["def copy(old):", " new = make(cls)", *[f" new.{name} = old.{name}" for name in names], " return new"]
    scope: dict[str, Any] = {"make": object.__new__, "cls": cls}
    exec("\n".join(source), scope)  # noqa: S102  # made of our own field names only
    copy: Callable[[Any], Any] = scope["copy"]
    return copy


def adapter(model: type[T]) -> TypeAdapter[T]:
    """The compiled validator of a record. Built once: building costs milliseconds."""
    return _validator(model)  # type: ignore[arg-type]  # classes hash; mypy does not see it through type[T]


@cache
def _validator(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
"""The wire form of a record: compact JSON, times as RFC 3339 in UTC, fields in declaration order."""


def decode(model: type[T], payload: bytes) -> T:
    """Read a record from its wire form. Raises pydantic.ValidationError."""
    return reader(model)(payload)


def reader(model: type[T]) -> Callable[[bytes], T]:
    """A function that reads one kind of record from its wire form. It raises pydantic.ValidationError."""
    return _reader(model)  # type: ignore[arg-type]  # classes hash; mypy does not see it through type[T]


@cache
def _reader(model: Any) -> Callable[[bytes], Any]:
    quick, judge = msgspec.json.Decoder(model).decode, _validator(model).validate_json

    def read(payload: bytes) -> Any:
        try:
            return quick(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return judge(payload)

    return read
