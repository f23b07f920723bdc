"""From bytes to a wire model: quickly where all is as it should be, leniently where only decoration is odd.

Identity, status, quantity, SKU, money that is paid and time are strict: when one of them is odd, the order is refused
by the name of the field. All other fields are marked `Loose` in the wire model: what is odd there is left out, and the
order says so in a mark (`odd=meta_data`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, NoReturn, TypeVar, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from channel_adapters.fields import LOOSE
from channel_adapters.limits import check_payload, loosely
from channel_adapters.msgspec_fast_path import first_error, reader
from channel_adapters.refusal import reject
from schemas import plain
from schemas.codes import PayloadProblem

M = TypeVar("M", bound=BaseModel)

MAX_LOOSE: Final = 1000
"""Entries of a loose list that is odd somewhere: what stands behind them is left out."""


def read_model(model: type[M], payload: bytes, odd: Callable[[str], None] | None = None) -> M:
    """What the bytes say, with the attributes of `model`.

    With `odd`, fields that are loose and odd are left out, and it is told their names. Raises UnreadablePayload: the
    error names the first field at fault, never its value.
    """
    check_payload(payload)
    try:
        return reader(model)(payload)
    except ValidationError as error:
        problem = error
    details = problem.errors(include_url=False, include_context=False, include_input=False)
    if details[0]["type"] == "json_invalid":
        return _read_broken(model, payload, odd)
    if odd is None or not all(_is_loose(model, detail["loc"]) for detail in details):
        _refuse_as(details)
    return _read_loosely(model, payload, odd)


def _read_broken(model: type[M], payload: bytes, odd: Callable[[str], None] | None) -> M:
    """What no parser takes: half a surrogate pair and the like are replaced, then it is read as before."""
    whole = _dumped(loosely(payload))
    try:
        found = reader(model)(whole)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        if odd is None or not all(_is_loose(model, detail["loc"]) for detail in details):
            _refuse_as(details)
        found = _read_loosely(model, whole, odd)
    if odd is not None:
        odd("json")
    return found


def _read_loosely(model: type[M], payload: bytes, odd: Callable[[str], None]) -> M:
    value = loosely(payload)
    if isinstance(value, dict):
        _mend(model, value, odd)
    try:
        return reader(model)(_dumped(value))
    except ValidationError as error:
        _refuse_as(error.errors(include_url=False, include_context=False, include_input=False))


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


# -- odd decoration ------------------------------------------------------------------------------------------------


def _mend(model: type[BaseModel], value: dict[str, Any], odd: Callable[[str], None]) -> None:
    """Leave out what is loose and odd, in place."""
    for name, key, info in _fields(model):
        if key not in value:
            continue
        inner = model_in(info.annotation)
        if inner is not None:  # from the inside out: what is left of an object may be enough
            most = MAX_LOOSE if LOOSE in info.metadata else None
            for each in value[key][:most] if isinstance(value[key], list) else [value[key]]:
                if isinstance(each, dict):
                    _mend(inner, each, odd)
        if LOOSE in info.metadata and not _fits(model, name, value[key]):
            kept = _kept(value[key], info)
            odd(key)
            if kept:
                value[key] = kept
            else:
                del value[key]


def _kept(value: Any, info: FieldInfo) -> list[Any] | None:
    """Of a list that is odd somewhere, the entries that are not; None for anything else."""
    if not _is_list(info.annotation):
        return None
    entries = value[:MAX_LOOSE] if isinstance(value, list) else [value]
    return [entry for entry in entries if _entry_fits(info, entry)]


def _fits(model: type[BaseModel], name: str, value: Any) -> bool:
    return first_error(_field_adapter(model, name), _dumped(value)) is None


def _entry_fits(info: FieldInfo, entry: Any) -> bool:
    item = _item_of(info.annotation)
    return item is not None and first_error(_adapter(item), _dumped(entry)) is None


@cache
def _field_adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    return TypeAdapter(model.model_fields[name].rebuild_annotation())


@cache
def _adapter(item: Any) -> TypeAdapter[Any]:
    return TypeAdapter(item)


@cache
def _fields(model: type[BaseModel]) -> Sequence[tuple[str, str, FieldInfo]]:
    return [(name, _key(name, info), info) for name, info in model.model_fields.items()]


def _key(name: str, info: FieldInfo) -> str:
    return info.validation_alias if isinstance(info.validation_alias, str) else info.alias or name


def _types(annotation: Any) -> Iterator[Any]:
    """The annotation and all types inside it."""
    yield annotation
    for inner in get_args(annotation):
        yield from _types(inner)


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field is, or is a list of."""
    found = (each for each in _types(annotation) if isinstance(each, type) and issubclass(each, BaseModel))
    return next(found, None)


def _is_list(annotation: Any) -> bool:
    return _item_of(annotation) is not None


def _item_of(annotation: Any) -> Any:
    for each in _types(annotation):
        if getattr(each, "__origin__", None) in (list, tuple):
            return get_args(each)[0]
    return None


def _is_loose(model: type[BaseModel], where: Sequence[str | int]) -> bool:
    """Whether what stands at `where` is, or is inside of, a loose field."""
    current: type[BaseModel] | None = model
    for part in where:
        if current is None:
            return False
        info = next((info for _, key, info in _fields(current) if key == part), None)
        if info is None:
            continue  # an index, or the name of a union's member
        if LOOSE in info.metadata:
            return True
        current = model_in(info.annotation)
    return False


# -- errors --------------------------------------------------------------------------------------------------------


def _refuse_as(details: Sequence[Any]) -> NoReturn:
    first = details[0]
    where = plain.path(part for part in first["loc"] if not _is_union_tag(part))
    if first["type"] == "json_invalid":
        reject("broken-json", "", PayloadProblem.NOT_JSON())
    if first["type"] == "missing":
        reject("missing-field", where, PayloadProblem.FIELD_MISSING())
    problem = _PROBLEMS.get(first["type"])
    reject("bad-field", where, PayloadProblem.DOES_NOT_FIT(kind=first["type"]) if problem is None else problem())


_PROBLEMS: Final[Mapping[str, PayloadProblem]] = {
    "int_type": PayloadProblem.NOT_A_WHOLE_NUMBER,
    "int_parsing": PayloadProblem.NOT_A_WHOLE_NUMBER,
    "int_from_float": PayloadProblem.NOT_A_WHOLE_NUMBER,
    "float_type": PayloadProblem.NOT_A_NUMBER,
    "bool_type": PayloadProblem.NOT_A_BOOLEAN,
    "string_type": PayloadProblem.NOT_A_TEXT,
    "string_too_short": PayloadProblem.TEXT_TOO_SHORT,
    "string_too_long": PayloadProblem.TEXT_TOO_LONG,
    "string_pattern_mismatch": PayloadProblem.CHARACTERS_NOT_ALLOWED,
    "list_type": PayloadProblem.NOT_A_LIST,
    "too_short": PayloadProblem.TOO_FEW_ENTRIES,
    "too_long": PayloadProblem.TOO_MANY_ENTRIES,
    "dict_type": PayloadProblem.NOT_AN_OBJECT,
    "model_type": PayloadProblem.NOT_AN_OBJECT,
    "model_attributes_type": PayloadProblem.NOT_AN_OBJECT,
    "greater_than": PayloadProblem.OUT_OF_RANGE,
    "greater_than_equal": PayloadProblem.OUT_OF_RANGE,
    "less_than_equal": PayloadProblem.OUT_OF_RANGE,
}
"""What pydantic's names for errors mean to a shop's IT person."""


_UNION_TAG = re.compile(r"[A-Z]\w*|.*\[.*|str|int|float|bool|none|nullable")


def _is_union_tag(part: str | int) -> bool:
    """pydantic puts the name of the tried member of a union into the path; no platform's field is named so."""
    return isinstance(part, str) and _UNION_TAG.fullmatch(part) is not None
