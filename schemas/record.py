"""The one kind of value we pass around: a record, which is never changed after it is built.

It looks like a dataclass and is a msgspec struct: built and read from JSON several times as fast, and passed over
by the garbage collector, as records hold no cycles. Immutability is a promise to the type checker (`frozen_default`),
so that what builds an order may fill it in steps.

Two libraries read them. msgspec is fast and says little about what is wrong; pydantic is the judge: whatever msgspec
does not take is read by pydantic, which takes it after all or names every field at fault.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeVar, dataclass_transform

import msgspec
from pydantic import ConfigDict, GetCoreSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function

T = TypeVar("T")

_CONFIG = ConfigDict(extra="ignore", ser_json_timedelta="float")
_OF_DATACLASSES: Final = ("__dict__", "__weakref__", "__init__", "__eq__", "__hash__", "__match_args__")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(dataclasses.field,))
def record(cls: type[T]) -> type[T]:
    """Make `cls` a keyword-only value with slots. JSON with unknown fields is fine: old code reads new messages.

    It is declared as a dataclass is, with `dataclasses.field` where a field has more to say, and `dataclasses.fields`,
    `replace` and `asdict` take it.
    """
    declared = dataclasses.dataclass(kw_only=True)(cls)
    declared.__pydantic_config__ = _CONFIG  # type: ignore[attr-defined]
    body = {name: value for name, value in vars(declared).items() if name not in _OF_DATACLASSES}
    for each in dataclasses.fields(declared):  # type: ignore[arg-type]
        if each.default_factory is not dataclasses.MISSING:
            body[each.name] = msgspec.field(default_factory=each.default_factory)

    def read_by_pydantic(_: object, __: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(lambda value: made(**vars(value)), handler.generate_schema(declared))

    body["__get_pydantic_core_schema__"] = classmethod(read_by_pydantic)
    made: Any = msgspec.StructMeta(cls.__name__, (msgspec.Struct,), body, kw_only=True, gc=False)
    return made  # type: ignore[no-any-return]


def changed(value: T, **changes: Any) -> T:
    """`dataclasses.replace` for a record, many times as fast. Raises TypeError for a field that it does not have."""
    return msgspec.structs.replace(value, **changes)  # type: ignore[type-var]  # every record is a struct


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
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return judge(payload)  # which has a depth of its own, and says so

    return read
